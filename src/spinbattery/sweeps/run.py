"""The one loop that runs sweeps, and what they return."""

from __future__ import annotations

import shutil
import tempfile
import time
import warnings
import weakref
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, wait
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import ArrayLike
from threadpoolctl import threadpool_limits

from ..engines.base import Engine
from ..errors import SpinBatteryError, SweepError
from ..network import SpinNetwork
from ..progress import Progress, silent
from ..record import Record
from ..scales import EnergyScales
from ..store.folder import Entry, Store
from ..store.gather import gather
from .executors import ExecutorLike, Lanes, is_cluster, n_workers, open_lanes
from .interruption import Interruption, SweepInterrupted
from .plan import Plan, ProtocolLike, Task, grid
from .pool import InProcess
from .survey import Survey, survey
from .tally import Tally
from .task import Outcome, failure, perform, this_process

if TYPE_CHECKING:
    import xarray as xr

_TICK_S = 0.2
_ASK_AGAIN_S = 0.5
_INDEX_EVERY_S = 1.0
_MOST_DEATHS = 4
"""A problem whose worker died this often has failed: it takes too much memory, or crashes."""


@dataclass(frozen=True, eq=False)
class Sweep:
    """A sweep that was run: its plan, and the store that has its records.

    Attributes:
        plan: what was asked for.
        store: where the records are.
        computed: how many were run now.
        reused: how many were found finished.
        failures: error by key, of problems that failed or whose record is damaged.
    """

    plan: Plan
    store: Store
    computed: int
    reused: int
    failures: dict[str, str]

    def records(self) -> Iterator[Record]:
        """Finished records in the order of the plan.

        Raises:
            RecordError: a file was damaged since.
        """
        for task in self.plan:
            record = None if task.key in self.failures else self.store.get(task.key)
            if record is not None:
                yield record

    @cached_property
    def dataset(self) -> xr.Dataset:
        """All finished runs along ``run``, see :func:`~spinbattery.store.gather.gather`.

        Raises:
            RecordError: nothing is finished, or a file is damaged.
        """
        labels = {task.key: task.label for task in self.plan}
        records = list(self.records())
        return gather(records, [labels[record.key] for record in records])

    def __repr__(self) -> str:
        return (
            f"Sweep({len(self.plan)} problems: {self.computed} computed, {self.reused} reused, "
            f"{len(self.failures)} failed, store {str(self.store.folder)!r})"
        )


def sweep(
    networks: SpinNetwork | str | Iterable[SpinNetwork | str],
    protocols: ProtocolLike | Iterable[ProtocolLike],
    *,
    scales: EnergyScales | None = None,
    engines: Engine | str | Iterable[Engine | str] = "auto",
    seeds: Iterable[int] | None = None,
    tolerance: float | None = None,
    times: ArrayLike | None = None,
    points: int | None = None,
    store: Store | str | Path | None = None,
    executor: ExecutorLike = None,
    workers: int | None = None,
    retry_failed: bool = False,
    recompute_damaged: bool = False,
    progress: Progress = silent,
) -> Sweep:
    """Charge every network by every protocol with every engine and seed, what is finished left alone.

    A first Ctrl-C (or SIGTERM) finishes what is running, a second stops at once; the same call then
    goes on. Results do not depend on the executor, to the last bit on one machine.

    Args:
        networks: networks, or their text forms such as ``torus:3x4``.
        protocols: protocols, recipes, or functions from a network to a protocol, such as
            ``charging.local_equivalent``.
        scales: A(s), B(s) of the device; the smooth Advantage_system6 model by default.
        engines: engines with their options, or names.
        seeds: numbers of repetitions for engines that take a seed; the seed of a run is derived from the
            hash of its problem and this number.
        tolerance: of engines given by name; 1e-6 by default.
        times: output times in ns, the same for every run.
        points: number of equally spaced output times of each run.
        store: folder of the records; a temporary one, removed with the result, by default. Workers write into
            it themselves, so those of a cluster must share it.
        executor: any concurrent.futures.Executor, a Dask client, or the address of a Dask scheduler; by
            default a process pool.
        workers: processes of the default pool: one a core by default, or this process alone where there
            is little to do; 1 means this process.
        retry_failed: run those again that failed before.
        recompute_damaged: run those again whose record is damaged.
        progress: called with the fraction done and a line of counts, rate and remaining time.

    Raises:
        SpinBatteryError: bad input or too little memory for any problem, before any is run; a store that
            cannot be written, or a cluster that was lost. What is finished is kept.
        SweepInterrupted: a KeyboardInterrupt, when what was running has finished.
    """
    plan = grid(
        networks,
        protocols,
        scales=scales,
        engines=engines,
        seeds=seeds,
        tolerance=tolerance,
        times=times,
        points=points,
    )
    result = run_plan(
        plan,
        store,
        executor=executor,
        workers=workers,
        retry_failed=retry_failed,
        recompute_damaged=recompute_damaged,
        progress=progress,
    )
    if result.failures:
        warnings.warn(f"{result!r}: see its failures; retry_failed=True runs them again.", stacklevel=2)
    return result


def run_plan(
    plan: Plan,
    store: Store | str | Path | None = None,
    *,
    executor: ExecutorLike = None,
    workers: int | None = None,
    retry_failed: bool = False,
    recompute_damaged: bool = False,
    progress: Progress = silent,
) -> Sweep:
    """Run what is missing of a plan; arguments and errors as in :func:`sweep`.

    Without a store nothing outlives the result, so the first Ctrl-C stops at once.
    """
    temporary = tempfile.mkdtemp(prefix="spinbattery-sweep-") if store is None else None
    opened = store if isinstance(store, Store) else Store(temporary or store or "")
    try:
        found = survey(plan, opened, retry_failed=retry_failed, recompute_damaged=recompute_damaged)
        result = execute(
            found, opened, executor=executor, workers=workers, patient=temporary is None, progress=progress
        )
    except BaseException:
        if temporary:
            shutil.rmtree(temporary, ignore_errors=True)
        raise
    if temporary:
        weakref.finalize(result, shutil.rmtree, temporary, ignore_errors=True)
    return result


def execute(
    found: Survey,
    store: Store,
    *,
    executor: ExecutorLike = None,
    workers: int | None = None,
    patient: bool = True,
    progress: Progress = silent,
) -> Sweep:
    """Run what a survey found missing; arguments and errors as in :func:`sweep`.

    Args:
        patient: whether a first Ctrl-C lets what is running finish.
    """
    count = n_workers(workers, len(found.todo), found.seconds)
    computed = 0
    if found.todo:
        if not is_cluster(executor):
            found.check()
        with Interruption(patient) as interruption, threadpool_limits(1), open_lanes(executor, count) as lanes:
            if is_cluster(executor):
                found.check(lanes.memory_each)
            computed = _Loop(found, store, lanes, interruption, progress).run()
    failures = store.errors(task.key for task in found.plan)
    return Sweep(found.plan, store, computed, len(found.plan) - computed - len(failures), failures)


class _Loop:
    """Feeds tasks to an executor, no more at once than it runs, and takes in what comes back."""

    def __init__(
        self, found: Survey, store: Store, lanes: Lanes, interruption: Interruption, progress: Progress
    ) -> None:
        self._store, self._lanes, self._interruption, self._progress = store, lanes, interruption, progress
        self._forced = found.forced
        self._waiting = deque(found.todo)
        self._running: dict[Future[Outcome], Task] = {}
        self._elsewhere: list[Task] = []
        self._deaths: Counter[str] = Counter()
        self._entries: list[Entry] = []
        self._indexed = self._asked = time.monotonic()
        self._unwritten: str | None = None
        self._tally = Tally(len(found.todo), found.seconds)

    def run(self) -> int:
        """Run everything; returns how many were computed here."""
        try:
            while self._waiting or self._running or self._elsewhere:
                if self._stopping and not self._running:
                    break
                if not self._stopping:
                    self._hand_over()
                self._take_in()
                self._ask_again()
                self._index(_INDEX_EVERY_S)
                self._report()
        except KeyboardInterrupt:
            self._lanes.stop()
            raise
        finally:
            self._index(0.0)
        if self._unwritten:
            raise SweepError(f"{self._unwritten} {self._kept()}")
        if self._stopping and (self._waiting or self._elsewhere):
            raise SweepInterrupted(f"interrupted; {self._kept()}", self._interruption.signal_number or 0)
        return self._tally.computed

    @property
    def _stopping(self) -> bool:
        return self._interruption.signal_number is not None or self._unwritten is not None

    def _kept(self) -> str:
        left = len(self._waiting) + len(self._elsewhere) + len(self._running)
        return (
            f"{self._tally.ended} of {self._tally.total} problems are finished and kept, {left} are left; run the "
            "same again to go on."
        )

    def _hand_over(self) -> None:
        width = self._lanes.width()
        while self._waiting and len(self._running) < width and not self._stopping:
            task = self._next()
            if task is None:
                return
            arguments: tuple[Any, ...] = (task, self._store.folder, this_process(), task.key in self._forced)
            if isinstance(self._lanes.executor, InProcess):  # another process cannot report
                arguments += (self._within(task),)
            try:
                self._running[self._lanes.executor.submit(perform, *arguments)] = task
            except Exception as error:
                self._waiting.appendleft(task)
                raise SweepError(f"the executor takes no more work ({error!r}); {self._kept()}") from error

    def _next(self) -> Task | None:
        """The first waiting task that fits beside those that are running."""
        budget = self._lanes.memory
        if budget is not None and self._running:
            budget -= sum(task.required_bytes for task in self._running.values())
            for k, task in enumerate(self._waiting):
                if task.required_bytes <= budget:
                    del self._waiting[k]
                    return task
            return None
        return self._waiting.popleft()

    def _take_in(self) -> None:
        if not self._running:
            time.sleep(_TICK_S)  # only others are at work
            return
        done, _ = wait(self._running, _TICK_S, FIRST_COMPLETED)
        for future in done:
            task = self._running[future]
            outcome = self._outcome(future, task)
            del self._running[future]
            if outcome is None:
                self._waiting.appendleft(task)
                continue
            if outcome.kind == "busy":
                self._elsewhere.append(task)
                continue
            if outcome.kind == "unwritten":
                self._waiting.appendleft(task)
                self._unwritten = outcome.error
                continue
            if outcome.entry is not None:
                self._entries.append(outcome.entry)
            self._tally.note(outcome, task.seconds)

    def _outcome(self, future: Future[Outcome], task: Task) -> Outcome | None:
        """What a future brought, or None where its worker died and the task may be tried again."""
        if future.cancelled():
            raise SweepError(f"the executor was lost, with what it was running; {self._kept()}")
        error = future.exception()
        if error is None:
            return future.result()
        if isinstance(error, BrokenExecutor):
            self._deaths[task.key] += 1
            if self._deaths[task.key] < _MOST_DEATHS:
                return None
        elif type(error).__name__ != "KilledWorker":  # Dask's name for a task that killed as many workers
            if isinstance(error, SpinBatteryError):
                raise error
            raise SweepError(f"the executor failed ({error!r}); {self._kept()}") from error
        return failure(
            task, self._store, f"its worker died {_MOST_DEATHS} times, perhaps because memory ran out on the machine."
        )

    def _ask_again(self) -> None:
        """Try those again that another process was running, once it has given up its claim."""
        if self._elsewhere and time.monotonic() - self._asked > _ASK_AGAIN_S:
            self._asked = time.monotonic()
            free = [task for task in self._elsewhere if not self._store.claimed(task.key)]
            self._elsewhere = [task for task in self._elsewhere if task not in free]
            self._waiting.extend(free)

    def _index(self, at_most_every: float) -> None:
        if self._entries and time.monotonic() - self._indexed >= at_most_every:
            self._store.index(self._entries)
            self._entries = []
            self._indexed = time.monotonic()

    def _within(self, task: Task) -> Progress:
        """Progress of the sweep while this task runs in this process; its passes do not go back."""
        furthest = 0.0

        def progress(fraction: float, message: str) -> None:
            nonlocal furthest
            furthest = max(furthest, fraction)
            done = self._tally.seconds_done + furthest * task.seconds
            self._progress(min(1.0, done / self._tally.seconds), f"{self._tally}, {message}")

        return progress

    def _report(self) -> None:
        self._tally.running = len(self._running)
        line = str(self._tally)
        if self._elsewhere:
            line += f", {len(self._elsewhere)} in another sweep"
        if self._stopping:
            line = f"stopping when what is running has finished: {line}"
        self._progress(self._tally.fraction, line)
