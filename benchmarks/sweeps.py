"""Many problems as one job: the contestants that run it, and how a run is measured."""

from __future__ import annotations

import logging
import multiprocessing
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from spinbattery.charging import charge
from spinbattery.engines.dense.statevector import Statevector
from spinbattery.model.network_text import parse_network
from spinbattery.model.protocol import Protocol, cooperative
from spinbattery.store.folder import Store
from spinbattery.sweeps.execution import ExecutorLike
from spinbattery.sweeps.pool import WorkerPool
from spinbattery.sweeps.run import sweep

from .contestants import COUPLING, FIELD, HOLD
from .pairing import Ratio, spread

WORKERS = 2

POOL, HERE = "sweep, embedded pool", "sweep, this process"
PEER, DASK, DASK_PEER = "process pool of charge", "sweep, Dask", "Dask map of charge"

_PEER_CHUNK = 10


@dataclass(frozen=True)
class Job:
    """Problems on one network that differ in their duration alone: distinct runs of about equal cost.

    Attributes:
        network: its text form.
        first, last: shortest and longest duration in ns.
        count: number of problems.
        tolerance: tolerance of the state vector.
        warm_up: number of other problems before them, so that kernels are loaded and every worker has run.
    """

    network: str
    first: float
    last: float
    count: int
    tolerance: float
    warm_up: int

    @property
    def name(self) -> str:
        return f"{self.count} runs of {self.network}, {self.first:g} to {self.last:g} ns, tolerance {self.tolerance:g}"

    def protocols(self) -> list[Protocol]:
        durations = np.linspace(self.first, self.last, self.count).tolist()
        return [cooperative(duration, J=COUPLING, h=FIELD, s_hold=HOLD) for duration in durations]

    def before(self) -> Job:
        """The warm-up: none of its durations is used again."""
        return replace(self, first=0.8 * self.first, last=0.9 * self.first, count=self.warm_up)


@dataclass(frozen=True)
class Spent:
    """Cost of a job.

    Attributes:
        problems, workers: number of problems, and of processes that ran them.
        wall: seconds from the call until it returned.
        cpu: seconds of this process and all its workers.
        engine: sum over the problems of the seconds that engines measured around their own work.
        start: seconds from making the executor until the warm-up was done; not in ``wall``.
    """

    problems: int
    workers: int
    wall: float
    cpu: float
    engine: float
    start: float = 0.0

    @property
    def overhead(self) -> float:
        """Seconds that a problem adds to the job beyond its engine's, with all workers busy."""
        return (self.wall - self.engine / self.workers) / self.problems


Run = Callable[[Job, Path], None]
"""Runs a job into the folder of a store."""

Contestant = Callable[[], AbstractContextManager[Run]]
"""Makes an executor and ends it; the work between is timed."""


def sweep_job(job: Job, folder: Path, executor: ExecutorLike, workers: int) -> None:
    """The job as one sweep: planned, checked, run, and indexed."""
    sweep(
        job.network,
        job.protocols(),
        engines=Statevector(job.tolerance),
        store=folder,
        executor=executor,
        workers=workers,
    )


@contextmanager
def in_this_process() -> Iterator[Run]:
    """A sweep with no worker process."""
    yield lambda job, folder: sweep_job(job, folder, None, 1)


@contextmanager
def in_embedded_pool(workers: int = WORKERS) -> Iterator[Run]:
    """A sweep in its default pool, which is made here because a sweep ends a pool of its own."""
    pool = WorkerPool(workers)
    try:
        yield lambda job, folder: sweep_job(job, folder, pool, workers)
    finally:
        pool.shutdown()


def charge_one(network: str, protocol: Protocol, tolerance: float, folder: Path) -> float:
    """One problem of a job as a script without sweeps has it; returns the final mu."""
    record = charge(parse_network(network), protocol, engine=Statevector(tolerance), store=folder)
    return record.magnetization


def _columns(job: Job, folder: Path) -> tuple[list[str], list[Protocol], list[float], list[Path]]:
    """Arguments of :func:`charge_one`, each for all problems."""
    n = job.count
    return [job.network] * n, job.protocols(), [job.tolerance] * n, [folder] * n


@contextmanager
def in_process_pool(workers: int = WORKERS) -> Iterator[Run]:
    """The peer: the standard library's pool and :func:`~spinbattery.charging.charge` with a store, in chunks of ten."""

    def run(job: Job, folder: Path) -> None:
        list(pool.map(charge_one, *_columns(job, folder), chunksize=_PEER_CHUNK))

    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
        yield run


@contextmanager
def in_dask_sweep(workers: int = WORKERS) -> Iterator[Run]:
    """A sweep over a local Dask cluster."""
    with _dask_client(workers) as client:
        yield lambda job, folder: sweep_job(job, folder, client, workers)


@contextmanager
def in_dask_map(workers: int = WORKERS) -> Iterator[Run]:
    """The same cluster with no sweep: Dask's own map of :func:`~spinbattery.charging.charge`."""

    def run(job: Job, folder: Path) -> None:
        client.gather(client.map(charge_one, *_columns(job, folder), pure=False))

    with _dask_client(workers) as client:
        yield run


@contextmanager
def _dask_client(workers: int) -> Iterator[Any]:
    """Client of a cluster on this machine: one thread a worker process, any free ports, no log."""
    from distributed import Client, LocalCluster

    with (
        LocalCluster(  # type: ignore[no-untyped-call]
            n_workers=workers,
            threads_per_worker=1,
            processes=True,
            dashboard_address=":0",
            silence_logs=logging.CRITICAL,
        ) as cluster,
        Client(cluster, set_as_default=False) as client,  # type: ignore[no-untyped-call]
    ):
        yield client


def measured(run: Run, job: Job, workers: int, start: float = 0.0) -> Spent:
    """Run a job once into a new store.

    Raises:
        RuntimeError: the store does not hold every problem at the end.
    """
    with tempfile.TemporaryDirectory(prefix="spinbattery-benchmark-") as name:
        folder = Path(name)
        cpu_start, wall_start = cpu_seconds(), time.perf_counter()
        run(job, folder)
        wall, cpu = time.perf_counter() - wall_start, cpu_seconds() - cpu_start
        rows = Store(folder).rows(status="done")
    if len(rows) != job.count:
        raise RuntimeError(f"{len(rows)} of {job.count} problems are in the store, so the time means nothing.")
    return Spent(job.count, workers, wall, cpu, sum(row["wall_time_s"] for row in rows), start)


def cpu_seconds() -> float:
    """CPU time of this process and of its living children, which the system counts in steps of 10 ms."""
    this = psutil.Process()
    times = [process.cpu_times() for process in this.children(recursive=True)]
    return time.process_time() + sum(spent.user + spent.system for spent in times)


def take_turns(
    contestants: Mapping[str, Contestant],
    workers: Mapping[str, int],
    job: Job,
    rounds: int,
    say: Callable[[str], None],
    before_round: Callable[[], None] | None = None,
) -> dict[str, list[Spent]]:
    """Let contestants do the same job in rounds, the order reversed every other round.

    Each makes its executor in its turn, warms it up and ends it, so that no idle workers disturb the next.
    """
    spent: dict[str, list[Spent]] = {name: [] for name in contestants}
    names = list(contestants)
    for turn in range(rounds):
        if before_round:
            before_round()
        for name in names if turn % 2 == 0 else reversed(names):
            opened = time.perf_counter()
            with contestants[name]() as run:
                measured(run, job.before(), workers[name])
                spent[name].append(measured(run, job, workers[name], time.perf_counter() - opened))
            last = spent[name][-1]
            say(f"round {turn + 1}, {name}: {last.wall:.2f} s, engines {last.engine:.2f} s")
    return spent


def wall_ratio(slow: list[Spent], fast: list[Spent]) -> Ratio:
    """Ratio of wall times round by round."""
    return spread([a.wall / b.wall for a, b in zip(slow, fast, strict=True)])
