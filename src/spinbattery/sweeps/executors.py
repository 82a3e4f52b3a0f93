"""Where the tasks of a sweep run: one view of this process, a pool, a cluster, or any executor."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from ..core.checks import whole_number
from ..core.errors import SweepError
from ..core.machine import available_memory, n_cores
from .cluster import connect, is_client
from .pool import InProcess, WorkerPool
from .survey import Survey

if TYPE_CHECKING:
    from distributed import Client

ExecutorLike: TypeAlias = "Executor | Client | str | None"

_WORKER_BYTES = 250_000_000
"""What a worker process takes before it does anything."""

_WORTH_A_POOL_S = 2.0
"""Below this much computing, starting workers takes longer than the work."""


@dataclass(frozen=True)
class Lanes:
    """An executor, and what the sweep must know to feed it.

    Attributes:
        executor: takes the tasks.
        width: how many tasks run at once; no more are handed over, so that a sweep can stop.
        memory: bytes that all running tasks may use together, or None where each worker has its own.
        memory_each: bytes that one task may use, or None where that is not known.
        ahead: how many more are handed over, so that none waits for the next; they can be cancelled.
        alive: whether there is any worker.
        stop: ends what is running, at once.
        name: for messages.
    """

    executor: Executor
    width: Callable[[], int]
    memory: int | None
    memory_each: Callable[[], int | None]
    ahead: int = 0
    stop: Callable[[], None] = lambda: None
    alive: Callable[[], bool] = lambda: True
    name: str = "the executor"


def n_workers(workers: int | None, found: Survey) -> int:
    """Workers of the embedded pool: as asked for, else one a core where there is enough to do.

    Fewer where the workers themselves would leave too little memory for the largest task.
    """
    if workers is not None:
        most = whole_number("workers", workers)
    else:
        most = 1 if found.seconds < _WORTH_A_POOL_S else min(n_cores(), len(found.todo))
    return max(1, min(most, (available_memory() - found.largest_bytes) // _WORKER_BYTES))


def is_cluster(executor: ExecutorLike) -> bool:
    """Whether this is a Dask client or the address of a scheduler: machines with memory of their own."""
    return isinstance(executor, str) or is_client(executor)


@contextlib.contextmanager
def open_lanes(executor: ExecutorLike, workers: int) -> Iterator[Lanes]:
    """Lanes on an executor; what is made here is ended here, what was given stays open.

    Args:
        executor: a concurrent.futures executor, a Dask client, the address of a Dask scheduler, or None
            for ``workers`` processes (one: this process).
        workers: see ``executor``; for a foreign executor that does not say it, how many tasks it runs at once.

    Raises:
        SweepError: no executor, or no scheduler at the address.
        MissingDependencyError: dask.distributed is needed and not installed.
    """
    free = available_memory()
    if executor is None and workers == 1:
        yield Lanes(InProcess(), lambda: 1, free, lambda: free)
    elif executor is None:
        with _pool(workers) as pool:
            yield _pool_lanes(pool, max(0, free - workers * _WORKER_BYTES))
    elif isinstance(executor, str) or is_client(executor):
        with connect(executor) as cluster:
            yield Lanes(
                cluster.executor,
                cluster.width,
                None,
                cluster.memory,
                0,
                cluster.cancel,
                cluster.alive,
                "the Dask scheduler",
            )
    elif isinstance(executor, WorkerPool):
        yield _pool_lanes(executor, free)
    elif isinstance(executor, Executor):
        width = getattr(executor, "_max_workers", None) or workers
        yield Lanes(executor, lambda: width, free, lambda: free)
    else:
        raise SweepError(
            "executor must be a concurrent.futures.Executor, a Dask Client (Client(cluster) for a cluster), or a "
            f"scheduler's address, but is {executor!r}."
        )


def _pool_lanes(pool: WorkerPool, memory: int) -> Lanes:
    return Lanes(pool, lambda: pool.n_workers, memory, lambda: memory, pool.n_workers, pool.kill)


@contextlib.contextmanager
def _pool(workers: int) -> Iterator[WorkerPool]:
    pool = WorkerPool(workers)
    try:
        yield pool
    except BaseException:
        pool.kill()
        raise
    pool.shutdown()
