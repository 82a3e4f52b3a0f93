"""Executors of the tasks of a sweep: one view of this process, a pool, a cluster, or any executor."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass

from ..core.machine import available_memory, n_cores
from .cluster import connect, is_client
from .execution import Execution
from .pool import InProcess, WorkerPool
from .survey import Survey

_WORKER_BYTES = 250_000_000
"""Memory of a worker process before it runs any task."""

_WORTH_A_POOL_S = 2.0
"""Below this much computing, starting workers takes longer than the work."""


@dataclass(frozen=True)
class Lanes:
    """An executor, and what the sweep must know to feed it.

    Attributes:
        width: number of tasks that run at once; no more are submitted, so that a sweep can stop.
        memory: bytes that all running tasks may use together, or None if each worker has its own.
        memory_each: bytes that one task may use on a worker of its own, or None if not known.
        ahead: number of tasks submitted beyond ``width``, so that no worker waits; they can be cancelled.
        stop: ends running tasks at once.
        alive: whether there is any worker.
        killed: errors of tasks that have killed too many workers to be tried again.
        name: for messages.
    """

    executor: Executor
    width: Callable[[], int]
    memory: int | None
    memory_each: Callable[[], int | None] = lambda: None
    ahead: int = 0
    stop: Callable[[], None] = lambda: None
    alive: Callable[[], bool] = lambda: True
    killed: tuple[type[Exception], ...] = ()
    name: str = "the executor"


def n_workers(execution: Execution, found: Survey) -> int:
    """Workers of the embedded pool: the requested number, else one per core if there is enough to do.

    There are fewer where the workers themselves would leave too little memory for the largest task.
    """
    most = execution.workers
    if most is None:
        most = 1 if found.seconds < _WORTH_A_POOL_S else min(n_cores(), len(found.todo))
    return max(1, min(most, (available_memory() - found.largest_bytes) // _WORKER_BYTES))


@contextlib.contextmanager
def open_lanes(execution: Execution, workers: int) -> Iterator[Lanes]:
    """Lanes on the executor; a pool or connection made here is closed here, a given executor stays open.

    Args:
        workers: processes of the embedded pool (1: this process), or the number of tasks that a foreign executor
            runs at once if it does not say so itself.

    Raises:
        SweepError: no scheduler at the address.
        MissingDependencyError: dask.distributed is needed and not installed.
    """
    executor, free = execution.executor, available_memory()
    if executor is None and workers == 1:
        yield Lanes(InProcess(), lambda: 1, free)
    elif executor is None:
        with _pool(workers) as pool:
            yield _pool_lanes(pool, max(0, free - workers * _WORKER_BYTES))
    elif isinstance(executor, WorkerPool):
        yield _pool_lanes(executor, free)
    elif isinstance(executor, Executor):
        width = getattr(executor, "_max_workers", None) or workers
        yield Lanes(executor, lambda: width, free)
    elif isinstance(executor, str) or is_client(executor):
        with connect(executor) as cluster:
            yield Lanes(
                cluster.executor,
                cluster.width,
                None,
                cluster.memory,
                stop=cluster.cancel,
                alive=cluster.alive,
                killed=(cluster.killed,),
                name="the Dask scheduler",
            )


def _pool_lanes(pool: WorkerPool, memory: int) -> Lanes:
    return Lanes(pool, lambda: pool.n_workers, memory, ahead=pool.n_workers, stop=pool.kill)


@contextlib.contextmanager
def _pool(workers: int) -> Iterator[WorkerPool]:
    pool = WorkerPool(workers)
    try:
        yield pool
    except BaseException:
        pool.kill()
        raise
    pool.shutdown()
