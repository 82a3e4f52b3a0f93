"""The time that a sweep adds to a problem, compared with the same work without a sweep, and where it is spent."""

from __future__ import annotations

import hashlib
import importlib.util
import pickle
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from spinbattery.core.progress import silent
from spinbattery.engines.common.checkpoint import Checkpoint
from spinbattery.engines.dense.statevector import Statevector
from spinbattery.records.building import build_record
from spinbattery.records.columns import record_row
from spinbattery.store.folder import Entry, Store
from spinbattery.sweeps.execution import Execution
from spinbattery.sweeps.grid import Grid
from spinbattery.sweeps.plan import Plan, Task
from spinbattery.sweeps.pool import WorkerPool
from spinbattery.sweeps.survey import survey

from .pairing import Ratio, spread
from .sweeps import (
    DASK,
    DASK_PEER,
    HERE,
    PEER,
    POOL,
    WORKERS,
    Contestant,
    Job,
    Spent,
    in_dask_map,
    in_dask_sweep,
    in_embedded_pool,
    in_process_pool,
    in_this_process,
    take_turns,
    wall_ratio,
)

GOAL_S = 5e-3
"""Goal: seconds that a problem adds in the warm embedded pool."""

TINY = Job("ring:4", 10.0, 12.0, 400, 1e-3, warm_up=40)
TINIEST = Job("ring:4", 10.0, 12.0, 40, 1e-3, warm_up=20)
"""For a quick run."""

SOLVE = "engine"
"""The step that is not overhead."""

_STEM_DIGITS = 32


@dataclass
class Part:
    """Seconds per problem that one step of its processing takes.

    Attributes:
        place: ``sweep`` (the process that called it) or ``worker``.
        wall, cpu: one entry for each problem, or one where the step is done once for all of them.
    """

    place: str
    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)


Parts = dict[str, Part]


@dataclass(frozen=True)
class Overhead:
    """All figures of the overhead.

    Attributes:
        job: what was run.
        spent: rounds of each contestant.
        parts: the steps of one problem, measured one after the other in one process.
    """

    job: Job
    spent: dict[str, list[Spent]]
    parts: Parts

    def of(self, name: str) -> Ratio:
        """Overhead per problem in s, over the rounds."""
        return spread([spent.overhead for spent in self.spent[name]])

    def cpu_overhead(self, name: str) -> float:
        """The same from CPU time, in s: for a busy machine, where wall time counts waiting.

        CPU time per problem minus the CPU time of the engine, shared between the workers.
        """
        engine = statistics.fmean(self.parts[SOLVE].cpu)
        return statistics.median((spent.cpu / spent.problems - engine) / spent.workers for spent in self.spent[name])

    def ratio(self, name: str) -> Ratio:
        """Wall time divided by the wall time of the sweep in the embedded pool."""
        return wall_ratio(self.spent[name], self.spent[POOL])

    @property
    def reached(self) -> bool:
        return self.of(POOL).median < GOAL_S


def compare_overheads(rounds: int, say: Callable[[str], None], *, quick: bool = False) -> Overhead:
    """Let contestants take turns at tiny problems; Dask takes part if it is installed, except in a quick run."""
    contestants: dict[str, Contestant] = {POOL: in_embedded_pool, PEER: in_process_pool, HERE: in_this_process}
    if not quick and importlib.util.find_spec("distributed"):
        contestants |= {DASK: in_dask_sweep, DASK_PEER: in_dask_map}
    workers = {name: 1 if name == HERE else WORKERS for name in contestants}
    job = TINIEST if quick else TINY
    return Overhead(job, take_turns(contestants, workers, job, rounds, say), way_of_a_problem(job))


def way_of_a_problem(job: Job) -> Parts:
    """Time what happens to each problem of a job, step by step, in this process and a pool of one worker.

    The steps belong to a sweep and to :func:`~spinbattery.sweeps.task.perform`, in their order; the
    sweep's loop around them (waiting, counting, progress) is not among them.
    """
    parts: Parts = {}
    with tempfile.TemporaryDirectory(prefix="spinbattery-benchmark-") as name:
        before = Store(Path(name, "before"))
        for task in _planned(job.before(), {}):
            _perform(task, before, {})
        store = Store(Path(name, "timed"))
        plan = _planned(job, parts)
        with _part(parts, "survey", "sweep", job.count):
            survey(plan, store, Execution()).check()
        entries = [_perform(task, store, parts) for task in plan]
        with _part(parts, "write to the index", "sweep", job.count):
            store.index(entries)
    _round_trips(plan, parts)
    return parts


def _planned(job: Job, parts: Parts) -> Plan:
    with _part(parts, "plan and keys", "sweep", job.count):
        return Grid(job.network, job.protocols(), engines=Statevector(job.tolerance)).plan()


def _perform(task: Task, store: Store, parts: Parts) -> Entry:
    """What a worker does with a task, in steps."""
    with _part(parts, "pickle and unpickle", "worker"):
        task = pickle.loads(pickle.dumps(task))
    with _part(parts, "open and claim", "worker"):
        opened = Store(store.folder)
        with opened.claim(task.key):
            pass
    problem, engine = task.problem, task.engine
    with _part(parts, "check memory", "worker"):
        engine.check(problem)
    with _part(parts, SOLVE, "worker"):
        solution = engine.solve(problem, task.times, silent, Checkpoint())
    with _part(parts, "build the record", "worker"):
        record = build_record(problem, engine.name, engine.options(), task.reason, solution, 0.0)
    with _part(parts, "encode netCDF", "worker"):
        content = record.to_bytes()
    with _part(parts, "write, sync, rename", "worker"):
        record.save(opened.path(task.key), content)
    with _part(parts, "row for the index", "worker"):
        row = record_row(record) | {"size": len(content), "digest": hashlib.sha256(content).hexdigest()}
        return Entry(task.key[:_STEM_DIGITS], row)


def _round_trips(plan: Plan, parts: Parts) -> None:
    """Hand every task to a worker that does nothing with it."""
    pool = WorkerPool(1)
    try:
        pool.submit(_nothing, None).result()
        for task in plan:
            with _part(parts, "round trip to a worker", "sweep"):
                pool.submit(_nothing, task).result()
    finally:
        pool.shutdown()


def _nothing(task: Task | None) -> None:
    pass


@contextmanager
def _part(parts: Parts, name: str, place: str, problems: int = 1) -> Iterator[None]:
    """Record the time of the block under this name, divided by its number of problems."""
    wall_start, cpu_start = time.perf_counter(), time.process_time()
    yield
    cpu, wall = time.process_time() - cpu_start, time.perf_counter() - wall_start
    part = parts.setdefault(name, Part(place))
    part.wall.append(wall / problems)
    part.cpu.append(cpu / problems)
