"""Sweeps as a user runs them, and what they return."""

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

from ..core.checks import instance, switch
from ..core.errors import SweepError
from ..core.interruption import Interruption, SweepInterrupted
from ..core.progress import Progress, checked_progress, silent
from ..engines.common.contract import Engine
from ..model.recipe import ProtocolLike
from ..model.scales import EnergyScales
from ..records.dataset import gather
from ..records.hashing import planned_key
from ..records.record import Record
from ..store.folder import Store, as_store
from .executors import ExecutorLike, Lanes, is_cluster, n_workers, open_lanes
from .loop import Loop
from .plan import NetworkLike, NoiseLike, Plan, Task, grid
from .survey import Survey, survey

if TYPE_CHECKING:
    import xarray as xr


_ASK_AGAIN_S = 0.5


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
            record = None if task.key in self.failures else task.record(self.store)
            if record is not None:
                yield record

    @cached_property
    def dataset(self) -> xr.Dataset:
        """All finished runs along ``run``, see :func:`~spinbattery.records.dataset.gather`.

        Raises:
            RecordError: nothing is finished, or a file is damaged.
        """
        names = {task.key: {"protocol": task.label, "network": task.problem.network.name} for task in self.plan}
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
    """Charge every network by every protocol with every noise, engine and seed, what is finished left alone.

    A first Ctrl-C (or SIGTERM) finishes what is running, a second stops at once; the same call then
    goes on. Results do not depend on the executor, to the last bit on one machine.

    Args:
        networks: networks, their text forms such as ``torus:3x4``, or networkx graphs.
        protocols: protocols, recipes, or functions from a network to a protocol, such as
            ``charging.local_equivalent``.
        scales: A(s), B(s) of the device; the smooth Advantage_system6 model by default.
        noise: one or several, as objects or texts such as ``x:1e-3/ns``; None or ``none`` is the unitary run.
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
        noise=noise,
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
    instance("plan", plan, Plan, "as grid and read_experiment make")
    progress = checked_progress(progress)
    retry_failed, recompute_damaged = (
        switch("retry_failed", retry_failed),
        switch("recompute_damaged", recompute_damaged),
    )
    temporary = tempfile.mkdtemp(prefix="spinbattery-sweep-") if store is None else None
    opened = as_store(temporary if store is None else store)  # type: ignore[arg-type]
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
    count = n_workers(workers, found)
    computed = 0
    if found.todo:
        if not is_cluster(executor):
            found.check()
        if executor is None and count > 1:
            _check_importable(found.todo)
        with Interruption(patient) as interruption, threadpool_limits(1), open_lanes(executor, count) as lanes:
            if is_cluster(executor):
                _await_worker(lanes, interruption, progress)
                found.check(lanes.memory_each())
            computed = Loop(found, store, lanes, interruption, progress).run()
    failures = store.errors(task.key for task in found.plan)
    return Sweep(found.plan, store, computed, len(found.plan) - computed - len(failures), failures)


def _await_worker(lanes: Lanes, interruption: Interruption, progress: Progress) -> None:
    """Wait for a first worker, which says how much memory a task may use; jobs of a cluster may start late."""
    while not lanes.alive():
        progress(0.0, "waiting for the first worker of the cluster")
        if interruption.signal_number is not None:
            raise SweepInterrupted("interrupted before any worker came; nothing was run.", interruption.signal_number)
        time.sleep(_ASK_AGAIN_S)


def _check_importable(tasks: Iterable[Task]) -> None:
    """Workers import modules, but do not run the caller's script again."""
    for task in tasks:
        problem = task.problem
        for part in (task.engine, problem, problem.network, problem.protocol, problem.scales):
            if type(part).__module__ == "__main__":
                raise SweepError(
                    f"the class {type(part).__name__} is defined in the running script, which worker processes do "
                    "not see; put it into a module of its own, or use workers=1."
                )
