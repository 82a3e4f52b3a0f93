"""Surveys: which tasks of a plan must be run, their time and memory, before any task is run."""

from __future__ import annotations

from dataclasses import dataclass

from ..core.errors import EngineError, InsufficientMemoryError
from ..core.machine import available_memory
from ..engines.common.contract import format_bytes
from ..store.folder import Status, Store
from .execution import Execution
from .plan import Plan, Task

_MOST_NAMED = 5


@dataclass(frozen=True)
class Survey:
    """A plan compared with a store.

    Attributes:
        plan: all tasks.
        statuses: status by key of the tasks that have a file in the store.
        todo: tasks that will be run, the longest first.
        forced: keys of tasks that will be run again although they failed or their record is damaged.
    """

    plan: Plan
    statuses: dict[str, Status]
    todo: tuple[Task, ...]
    forced: frozenset[str]

    @property
    def seconds(self) -> float:
        """Predicted run time (s) of the tasks that will be run, on one core."""
        return sum(task.seconds for task in self.todo)

    @property
    def largest_bytes(self) -> int:
        """Peak memory of the largest task that will be run."""
        return max((task.required_bytes for task in self.todo), default=0)

    def count(self, status: Status) -> int:
        """Number of tasks with this status in the store."""
        return sum(found == status for found in self.statuses.values())

    def describe(self, workers: int) -> str:
        """One line: how many tasks are finished, how many will be run, and the time and memory they need."""
        parts = [f"{self.count('done')} finished"]
        parts += [f"{n} {status}" for status in ("failed", "damaged") if (n := self.count(status))]
        text = f"{len(self.plan)} problem{'s' * (len(self.plan) != 1)}, {', '.join(parts)}, {len(self.todo)} to run"
        if not self.todo:
            return text
        several = f" ({format_seconds(self.seconds / workers)} on {workers} workers)" if workers > 1 else ""
        return (
            f"{text}: about {format_seconds(self.seconds)} of computing{several}, "
            f"{format_bytes(self.largest_bytes)} for the largest"
        )

    def check(self, available: int | None = None) -> None:
        """Refuse tasks that cannot be run, in a message that names them.

        ``available`` is the memory (bytes) that a task may use; the free memory of this machine by default.
        """
        available = available_memory() if available is None else available
        refused: list[tuple[Task, EngineError | InsufficientMemoryError]] = []
        for task in self.todo:
            try:
                task.engine.check(task.problem, available)
            except (EngineError, InsufficientMemoryError) as error:
                refused.append((task, error))
        if not refused:
            return
        named = "; ".join(f"{task}: {error}" for task, error in refused[:_MOST_NAMED])
        more = f"; and {len(refused) - _MOST_NAMED} more" if len(refused) > _MOST_NAMED else ""
        raise type(refused[0][1])(
            f"{len(refused)} of {len(self.todo)} problems cannot be run; nothing was started: {named}{more}"
        )


def survey(plan: Plan, store: Store | None, execution: Execution) -> Survey:
    """Look up a plan in a store, which need not exist yet; ``execution`` says what is run again."""
    statuses = store.statuses(task.key for task in plan) if store else {}
    wanted: set[Status | None] = {None}
    if execution.retry_failed:
        wanted.add("failed")
    if execution.recompute_damaged:
        wanted.add("damaged")
    todo = [task for task in plan if statuses.get(task.key) in wanted]
    return Survey(
        plan,
        statuses,
        tuple(sorted(todo, key=lambda task: -task.seconds)),
        frozenset(task.key for task in todo if task.key in statuses),
    )


def format_seconds(seconds: float) -> str:
    """A duration as text, such as ``45 s``, ``12 min``, ``3.5 h``."""
    for size, unit in ((86400.0, "days"), (3600.0, "h"), (60.0, "min")):
        if seconds >= 1.5 * size:
            return f"{round(seconds / size)} {unit}" if seconds > 10.0 * size else f"{seconds / size:.2g} {unit}"
    return f"{seconds:.2g} s" if seconds >= 0.095 else "0.1 s"
