"""Plans: the definite tasks of a sweep."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from ..core.checks import instance, several, whole_number
from ..core.errors import InvalidParameterError
from ..core.typing import FloatArray
from ..engines.common.contract import Engine
from ..model.problem import ChargingProblem
from ..records.columns import Row, parameters
from ..records.hashing import run_key
from ..records.record import Record
from ..store.folder import Store


@dataclass(frozen=True, eq=False)
class Task:
    """One run: a problem, the engine with its options, the output times (ns), and why this engine was chosen."""

    problem: ChargingProblem
    engine: Engine
    times: FloatArray
    reason: str

    @cached_property
    def key(self) -> str:
        """Key of the run in a store."""
        return run_key(self.problem, self.engine.name, self.engine.options_for(self.problem), self.times)

    @cached_property
    def seconds(self) -> float:
        """Predicted run time (s) on one core."""
        return self.engine.predicted_seconds(self.problem, self.times)

    @cached_property
    def required_bytes(self) -> int:
        """Peak memory of the run in bytes."""
        return self.engine.required_bytes(self.problem)

    def record(self, store: Store) -> Record | None:
        """Its record in a store, with the labels of this network; the latest one of a measurement.

        Raises:
            RecordError: the record is damaged.
        """
        found = store.latest(self.key) if self.engine.measures else store.get(self.key)
        return None if found is None else found.with_labels_of(self.problem)

    def parameters(self) -> Row:
        """Columns of the store that are known beforehand."""
        options = self.engine.options_for(self.problem)
        return parameters(self.problem, self.engine.name, options, len(self.times), self.key)

    def __str__(self) -> str:
        protocol = self.problem.protocol
        noise = "" if self.problem.noise is None else f"{self.problem.noise}, "
        return f"{self.problem.network.name}, {protocol.name}, {protocol.duration:g} ns, {noise}{self.engine.name}"


@dataclass(frozen=True)
class Plan:
    """Tasks in the order they were asked for, each once; plans can be added."""

    tasks: tuple[Task, ...] = field(default=())

    def __post_init__(self) -> None:
        distinct: dict[str, Task] = {}
        for task in several("the tasks of a plan", self.tasks):
            instance("a task", task, Task)
            distinct.setdefault(task.key, task)
        object.__setattr__(self, "tasks", tuple(distinct.values()))

    def __len__(self) -> int:
        return len(self.tasks)

    def __iter__(self) -> Iterator[Task]:
        return iter(self.tasks)

    def __add__(self, other: Plan) -> Plan:
        return Plan(self.tasks + other.tasks)

    @property
    def seconds(self) -> float:
        """Predicted run time (s) of all tasks on one core."""
        return sum(task.seconds for task in self.tasks)

    def shard(self, i: int, n: int) -> Plan:
        """Part i of n (from 1 to n); all parts cost about the same, and every machine makes the same parts.

        Raises:
            InvalidParameterError: not 1 <= i <= n.
        """
        n = whole_number("the number of shards", n)
        i = whole_number("the shard", i)
        if i > n:
            raise InvalidParameterError(f"shards count from 1 to {n}, but shard {i} is asked for.")
        # rounded: another machine's mathematical library may differ in the last digits
        costs = {task.key: float(f"{task.seconds:.3g}") for task in self.tasks}
        loads = [(0.0, shard) for shard in range(1, n + 1)]
        mine = set()
        for key in sorted(costs, key=lambda key: (-costs[key], key)):  # the longest first, to the least loaded
            load, shard = heapq.heappop(loads)
            heapq.heappush(loads, (load + costs[key], shard))
            if shard == i:
                mine.add(key)
        return Plan(tuple(task for task in self.tasks if task.key in mine))
