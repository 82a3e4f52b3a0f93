"""Sweeps: the verbs that run them, and their result."""

from __future__ import annotations

import shutil
import tempfile
import time
import warnings
import weakref
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from numpy.typing import ArrayLike
from threadpoolctl import threadpool_limits

from ..core.checks import instance
from ..core.interruption import Interruption, SweepInterrupted
from ..core.progress import Progress, silent
from ..engines.common.contract import Engine
from ..model.recipe import ProtocolLike
from ..model.scales import EnergyScales
from ..records.dataset import gather
from ..records.hashing import planned_key
from ..records.record import Record
from ..store.folder import Store, as_store
from .execution import Execution, ExecutorLike
from .executors import n_workers, open_lanes
from .grid import Grid, NetworkLike, NoiseLike
from .lanes import Lanes
from .loop import Loop
from .plan import Plan
from .survey import Survey, survey

if TYPE_CHECKING:
    import xarray as xr


_ASK_AGAIN_S = 0.5


@dataclass(frozen=True, eq=False)
class Sweep:
    """A sweep that was run: its plan, and the store with its records.

    Attributes:
        plan: all tasks.
        store: folder of the records.
        computed: number of runs that were computed now.
        reused: number of runs that were finished before.
        failures: error by key, for runs that failed or whose record is damaged.
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
            record = None if task.key in self.failures else task.record(self.store)
            if record is not None:
                yield record

    @cached_property
    def dataset(self) -> xr.Dataset:
        """All finished runs along ``run``, see :func:`~spinbattery.records.dataset.gather`.

        Raises:
            RecordError: nothing is finished, or a file is damaged.
        """
        names = {
            task.key: {"protocol": task.problem.protocol.name, "network": task.problem.network.name}
            for task in self.plan
        }
        records = list(self.records())
        return gather(records, [names[planned_key(record.key)] for record in records])

    def __repr__(self) -> str:
        return (
            f"Sweep({len(self.plan)} problems: {self.computed} computed, {self.reused} reused, "
            f"{len(self.failures)} failed, store {str(self.store.folder)!r})"
        )


def sweep(
    networks: NetworkLike | Iterable[NetworkLike],
    protocols: ProtocolLike | Iterable[ProtocolLike],
    *,
    scales: EnergyScales | None = None,
    noise: NoiseLike | Iterable[NoiseLike] = None,
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
    """Charge every network by every protocol with every noise, engine and seed; finished runs are not run again.

    The first Ctrl-C (or SIGTERM) finishes what is running, the second stops at once; the same call then
    goes on. Results do not depend on the executor, to the last bit on one machine.

    Args:
        networks: networks, texts such as ``torus:3x4``, or networkx graphs.
        protocols: protocols, recipes, or functions from a network to a protocol, such as ``charging.local_equivalent``.
        scales: A(s), B(s) of the device; the smooth Advantage_system6 model by default.
        noise: one or several, as objects or texts such as ``x:1e-3/ns``; None or ``none`` is the unitary run.
        engines: engines with their options, or names.
        seeds: numbers of repetitions; a run's seed is derived from the hash of its problem and this number.
        tolerance: tolerance of engines given by name; 1e-6 by default.
        times: output times in ns, the same for every run.
        points: number of equally spaced output times of each run.
        store: folder of the records, shared with the workers of a cluster; temporary by default.
        executor: any concurrent.futures.Executor, a Dask client, or the address of a Dask scheduler.
        workers: processes without ``executor``: one per core by default if there is much to do; 1 is this process.
        retry_failed: run those again that failed before.
        recompute_damaged: run those again whose record is damaged.
        progress: called with the fraction done and a line of counts, rate and remaining time.

    Raises:
        SpinBatteryError: bad input or too little memory for any problem, before any is run; a store that
            cannot be written, or a cluster that was lost. Finished runs are kept.
        SweepInterrupted: a KeyboardInterrupt, after running problems have finished.
    """
    grid = Grid(networks, protocols, scales, noise, engines, seeds, tolerance, times, points)  # type: ignore[arg-type]
    execution = Execution(executor, workers, retry_failed, recompute_damaged, progress)
    result = _run(grid.plan(), store, execution)
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
    """Run the missing runs of a plan; arguments and errors as in :func:`sweep`.

    Without a store nothing outlives the result, so the first Ctrl-C stops at once.
    """
    instance("plan", plan, Plan, "as read_experiment makes")
    return _run(plan, store, Execution(executor, workers, retry_failed, recompute_damaged, progress))


def _run(plan: Plan, store: Store | str | Path | None, execution: Execution) -> Sweep:
    if store is not None:
        opened = as_store(store)
        return execute(survey(plan, opened, execution), opened, execution)
    temporary = tempfile.mkdtemp(prefix="spinbattery-sweep-")
    try:
        opened = Store(temporary)
        result = execute(survey(plan, opened, execution), opened, execution, patient=False)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    weakref.finalize(result, shutil.rmtree, temporary, ignore_errors=True)
    return result


def execute(found: Survey, store: Store, execution: Execution, patient: bool = True) -> Sweep:
    """Run the tasks that a survey found missing; if ``patient``, running ones finish after the first Ctrl-C."""
    computed, progress = 0, execution.progress
    if found.todo:
        if not execution.on_cluster:
            found.check()
        count = n_workers(execution, found)
        with Interruption(patient) as interruption, threadpool_limits(1), open_lanes(execution, count) as lanes:
            if execution.on_cluster:
                _await_worker(lanes, interruption, progress)
                found.check(lanes.memory_each())
            computed = Loop(found, store, lanes, interruption, progress).run()
    failures = store.errors(task.key for task in found.plan)
    return Sweep(found.plan, store, computed, len(found.plan) - computed - len(failures), failures)


def _await_worker(lanes: Lanes, interruption: Interruption, progress: Progress) -> None:
    """Wait for the first worker, which says how much memory a task may use; jobs of a cluster may start late."""
    while not lanes.alive():
        progress(0.0, "waiting for the first worker of the cluster")
        if interruption.signal_number is not None:
            raise SweepInterrupted("interrupted before any worker came; nothing was run.", interruption.signal_number)
        time.sleep(_ASK_AGAIN_S)
