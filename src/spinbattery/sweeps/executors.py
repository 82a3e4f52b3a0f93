"""Executors of the tasks of a sweep: this process, a pool, a cluster, or any executor."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from concurrent.futures import Executor

from ..core.machine import available_memory, n_cores
from .cluster import connect
from .execution import Execution
from .lanes import Lanes
from .pool import InProcess, WorkerPool
from .survey import Survey

_WORKER_BYTES = 250_000_000
"""Memory of a worker process before it runs any task."""

_WORTH_A_POOL_S = 2.0
"""Below this much computing, starting workers takes longer than the work."""


class _PoolLanes(Lanes):
    def __init__(self, pool: WorkerPool, memory: int) -> None:
        super().__init__(pool, pool.n_workers, memory)
        self.ahead, self._pool = pool.n_workers, pool

    def stop(self) -> None:
        self._pool.kill()


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

    ``workers`` is the number of processes of the embedded pool (1: this process), or of tasks that a foreign executor
    runs at once if it does not say so itself.
    """
    executor, free = execution.executor, available_memory()
    if executor is None and workers == 1:
        yield Lanes(InProcess(), 1, free)
    elif executor is None:
        with _pool(workers) as pool:
            yield _PoolLanes(pool, max(0, free - workers * _WORKER_BYTES))
    elif isinstance(executor, WorkerPool):
        yield _PoolLanes(executor, free)
    elif isinstance(executor, Executor):
        yield Lanes(executor, getattr(executor, "_max_workers", None) or workers, free)
    else:
        with connect(executor) as cluster:
            yield cluster


@contextlib.contextmanager
def _pool(workers: int) -> Iterator[WorkerPool]:
    pool = WorkerPool(workers)
    try:
        yield pool
    except BaseException:
        pool.kill()
        raise
    pool.shutdown()
