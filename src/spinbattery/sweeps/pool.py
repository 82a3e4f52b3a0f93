"""The embedded executors: this process, and a pool of worker processes that survives the death of any."""

from __future__ import annotations

import contextlib
import multiprocessing
import multiprocessing.resource_tracker
import multiprocessing.spawn
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from functools import partial
from typing import Any

from ..core.checks import whole_number
from ..core.errors import SweepError
from ..core.interruption import SIGNALS

_THREAD_LIMITS = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL", "NUMBA", "VECLIB_MAXIMUM")}
_MOST_FAILED_STARTS = 3
_starting = threading.Lock()


class InProcess(Executor):
    """Runs each call at once, in this process."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


class WorkerPool(Executor):
    """Worker processes that run one call at a time each.

    A worker that dies (killed, out of memory) takes only the call it was running with it: that call ends
    in BrokenExecutor, the others go on, and a new worker takes its place. (The standard pool terminates
    all workers when one dies; here each worker is a standard pool of its own.) Workers are fresh
    interpreters that do not run the caller's script again, so it needs no ``if __name__ == "__main__"``;
    they leave Ctrl-C and SIGTERM to the sweep, use one thread for each numerical library, and end
    when this process ends, however it does.
    """

    def __init__(self, workers: int) -> None:
        """Start the workers.

        Raises:
            InvalidParameterError: fewer than one.
        """
        count = whole_number("workers", workers)
        self._lock = threading.Lock()
        self._drained = threading.Condition(self._lock)
        self._waiting: deque[tuple[Future[Any], Callable[[], Any], tuple[Any, ...]]] = deque()
        self._open, self._killed, self._unattended = True, False, False
        self._workers = [_Worker() for _ in range(count)]
        self._idle = deque(self._workers)

    @property
    def n_workers(self) -> int:
        return len(self._workers)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        if kwargs:
            raise TypeError("give positional arguments only.")
        future: Future[Any] = Future()
        with self._lock:
            if not self._open:
                raise RuntimeError("the pool is shut down.")
            self._waiting.append((future, fn, args))
        self._dispatch()
        return future

    def _dispatch(self) -> None:
        """Hand waiting calls to idle workers."""
        while True:
            with self._lock:
                if not self._idle or not self._waiting:
                    return
                future, fn, args = self._waiting.popleft()
                if not future.set_running_or_notify_cancel():
                    self._drained.notify_all()
                    continue
                worker = self._idle.popleft()
            worker.start_call(fn, args, partial(self._finish, worker, future))

    def _finish(self, worker: _Worker, outer: Future[Any], inner: Future[Any]) -> None:
        # a call that the pool was killed before handing over is cancelled
        error = BrokenExecutor("the pool was killed.") if inner.cancelled() else inner.exception()
        if isinstance(error, BrokenExecutor) and not self._killed:
            error = self._replace(worker) or error
        if error is None:
            outer.set_result(inner.result())
        else:
            outer.set_exception(error)
        with self._lock:
            self._idle.append(worker)
            self._drained.notify_all()
        self._dispatch()
        if self._unattended and self._is_drained():
            self._end_workers(wait=False)

    @staticmethod
    def _replace(worker: _Worker) -> SweepError | None:
        """A new process for one that died, or why there is none."""
        if worker.failed_starts >= _MOST_FAILED_STARTS:
            return SweepError("worker processes do not start; what they printed says why.")
        try:
            worker.restart()
        except (OSError, RuntimeError) as error:
            return SweepError(f"no worker process can be started: {error}.")
        return None

    def _is_drained(self) -> bool:
        return not self._waiting and len(self._idle) == len(self._workers)

    def _end_workers(self, wait: bool) -> None:
        for worker in self._workers:
            worker.pool.shutdown(wait=wait)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the workers when all calls are done, or those that run where the others are cancelled."""
        self._close(cancel_futures)
        with self._lock:
            self._unattended = not wait
            if wait:
                self._drained.wait_for(self._is_drained)
            drained = self._is_drained()
        if drained:
            self._end_workers(wait)

    def _close(self, cancel_futures: bool) -> None:
        with self._lock:
            self._open = False
            dropped = [self._waiting.popleft() for _ in range(len(self._waiting))] if cancel_futures else []
        for future, _, _ in dropped:
            future.cancel()
            future.set_running_or_notify_cancel()  # wakes who waits for it

    def kill(self) -> None:
        """End the workers at once, whatever they run."""
        self._killed = True
        self._close(cancel_futures=True)
        for worker in self._workers:
            worker.kill()
        self._end_workers(wait=True)  # a standard pool that is still ending as Python exits prints errors


class _Worker:
    """One process, as a standard pool of one."""

    def __init__(self) -> None:
        self.failed_starts = 0
        # dead pools are kept: they call us with their lock held, which they would need again to be forgotten
        self._pools: list[ProcessPoolExecutor] = []
        self.restart()

    @property
    def pool(self) -> ProcessPoolExecutor:
        return self._pools[-1]

    def restart(self) -> None:
        with _starting, _sheltered():
            before = set(multiprocessing.active_children())
            self._pools.append(ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), _prepare_worker))
            self.pool.submit(_nothing).add_done_callback(self._started)  # the process starts with its first call
            self._processes = set(multiprocessing.active_children()) - before

    def _started(self, future: Future[None]) -> None:
        """Count starts in a row that never came to answer."""
        if not future.cancelled():
            self.failed_starts = 0 if future.exception() is None else self.failed_starts + 1

    def start_call(self, fn: Callable[..., Any], args: tuple[Any, ...], done: Callable[[Future[Any]], None]) -> None:
        try:
            future = self.pool.submit(fn, *args)
        except (RuntimeError, OSError) as error:  # BrokenExecutor: it died idle
            future = Future()
            future.set_exception(error)
        future.add_done_callback(done)

    def kill(self) -> None:
        for process in self._processes:
            process.kill()


@contextlib.contextmanager
def _sheltered() -> Iterator[None]:
    """What a starting worker inherits: blocked signals, thread limits, and no script to run again.

    Signals are blocked, not ignored: one that comes now reaches this process afterwards.
    """
    multiprocessing.resource_tracker.ensure_running()  # it would unblock them
    environment = {name: os.environ.get(name) for name in _THREAD_LIMITS}
    prepare = multiprocessing.spawn.get_preparation_data

    def prepare_without_script(name: str) -> dict[str, Any]:
        return {key: value for key, value in prepare(name).items() if not key.startswith("init_main")}

    before = signal.pthread_sigmask(signal.SIG_BLOCK, set(SIGNALS))
    multiprocessing.spawn.get_preparation_data = prepare_without_script
    os.environ.update(_THREAD_LIMITS)
    try:
        yield
    finally:
        for name, value in environment.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        multiprocessing.spawn.get_preparation_data = prepare
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _prepare_worker() -> None:
    """Import what every task needs, and end with the parent: a killed sweep leaves no process behind."""
    import netCDF4  # noqa: F401
    import xarray  # noqa: F401

    from ..engines.simd import kernels  # noqa: F401
    from ..store import folder  # noqa: F401

    parent = multiprocessing.parent_process()
    assert parent is not None
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: Any) -> None:
    parent.join()
    os._exit(1)


def _nothing() -> None:
    pass
