"""What of a plan is still to be run, and what that takes: known before anything is."""

from __future__ import annotations

from dataclasses import dataclass

from ..core.errors import EngineError, InsufficientMemoryError
from ..core.machine import available_memory
from ..engines.common.contract import format_bytes
from ..store.folder import Status, Store
from .plan import Plan, Task

_MOST_NAMED = 5


@dataclass(frozen=True)
class Survey:
    """A plan held against a store.

    Attributes:
        plan: all tasks.
        statuses: of those whose file is in the store, by key.
        todo: what will be run, the longest first.
        forced: keys of those that will be run again although they failed or are damaged.
    """

    plan: Plan
    statuses: dict[str, Status]
    todo: tuple[Task, ...]
    forced: frozenset[str]

    @property
    def seconds(self) -> float:
        """Predicted run time of what is to be run, on one core."""
        return sum(task.seconds for task in self.todo)

    @property
    def largest_bytes(self) -> int:
        """Memory of the largest task that is to be run."""
        return max((task.required_bytes for task in self.todo), default=0)

    def count(self, status: Status) -> int:
        """How many tasks have this status in the store."""
        return sum(found == status for found in self.statuses.values())

    def describe(self, workers: int) -> str:
        """One line on what there is, what will be run, and what it takes."""
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
        """Refuse what cannot be run, every task named.

        Args:
            available: memory (bytes) a task may use; what is free here by default.

        Raises:
            EngineError: a problem is beyond its engine.
            InsufficientMemoryError: a problem does not fit.
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
            f"{len(refused)} of {len(self.todo)} problems cannot be run, so none was: {named}{more}"
        )


def survey(plan: Plan, store: Store | None, *, retry_failed: bool = False, recompute_damaged: bool = False) -> Survey:
    """Look up a plan in a store.

    Args:
        plan: what is wanted.
        store: where records are kept; None where there is none yet.
        retry_failed: run failed problems again.
        recompute_damaged: run problems again whose record is damaged.

    Raises:
        RecordError: the store's index cannot be used.
    """
    statuses = store.statuses(task.key for task in plan) if store else {}
    wanted: set[Status | None] = {None}
    if retry_failed:
        wanted.add("failed")
    if recompute_damaged:
        wanted.add("damaged")
    todo = [task for task in plan if statuses.get(task.key) in wanted]
    return Survey(
        plan,
        statuses,
        tuple(sorted(todo, key=lambda task: -task.seconds)),
        frozenset(task.key for task in todo if task.key in statuses),
    )


def format_seconds(seconds: float) -> str:
    """A duration to read, such as ``45 s``, ``12 min``, ``3.5 h``."""
    for size, unit in ((86400.0, "days"), (3600.0, "h"), (60.0, "min")):
        if seconds >= 1.5 * size:
            return f"{round(seconds / size)} {unit}" if seconds > 10.0 * size else f"{seconds / size:.2g} {unit}"
    return f"{seconds:.2g} s" if seconds >= 0.095 else "0.1 s"
