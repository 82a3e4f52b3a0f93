"""The embedded executors: this process, and a pool of worker processes that survives the death of any of them."""

from __future__ import annotations

import contextlib
import multiprocessing
import multiprocessing.resource_tracker
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any
from weakref import WeakSet

import psutil
from loky import ProcessPoolExecutor

from ..core import compilation
from ..core.checks import whole_number
from ..core.errors import SweepError
from ..core.interruption import SIGNALS

_ENVIRONMENT = {
    **{f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL", "NUMBA", "VECLIB_MAXIMUM")},
    "LOKY_MAX_MEMORY_LEAK_SIZE": "1e18",  # a worker that grows with its problems is not replaced
}
_MOST_FAILED_STARTS = 3


class InProcess(Executor):
    """Runs each call at once, in this process."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


class WorkerPool(ThreadPoolExecutor):
    """Worker processes that run one call at a time each; a thread of this process waits for each call.

    A worker that dies (killed, out of memory) takes only the call it was running with it: that call ends in
    BrokenExecutor, the others go on, and a new worker takes its place. (A process pool of loky or of the standard
    library loses all calls when one worker dies; here each worker is a pool of its own.) Workers are fresh
    interpreters that do not run the caller's script again, so it needs no ``if __name__ == "__main__"``; they leave
    Ctrl-C and SIGTERM to the sweep, use one thread for each numerical library, and end when this process ends,
    however it does.
    """

    def __init__(self, workers: int) -> None:
        """Start the workers.

        Raises:
            InvalidParameterError: fewer than one.
        """
        self.n_workers = whole_number("workers", workers)
        super().__init__(self.n_workers)
        self._killed = False
        self._futures: WeakSet[Future[Any]] = WeakSet()
        self._notes = compilation.share()
        self._workers: list[_Worker] = []
        try:
            for _ in range(self.n_workers):
                self._workers.append(_Worker(self._notes))
        except BaseException:
            self.kill()
            raise
        self._idle: SimpleQueue[_Worker] = SimpleQueue()
        for worker in self._workers:
            self._idle.put(worker)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future = super().submit(self._call, fn, args, kwargs)
        self._futures.add(future)
        return future

    def _call(self, fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        worker = self._idle.get()
        try:
            return worker.call(fn, args, kwargs)
        except Exception:
            if self._killed:
                raise BrokenExecutor("the pool was killed.") from None
            raise
        finally:
            self._idle.put(worker)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the workers when all calls are done; with ``cancel_futures``, when those that are running are."""
        if cancel_futures:
            for future in list(self._futures):  # they stay in the queue, so that a thread wakes who waits for them
                future.cancel()
        super().shutdown(wait)
        if wait:
            for worker in self._workers:
                worker.pool.shutdown()
            compilation.unshare(self._notes)
        else:
            threading.Thread(target=self.shutdown).start()

    def kill(self) -> None:
        """End the workers at once, whatever they run."""
        self._killed = True
        super().shutdown(wait=False)
        for future in list(self._futures):
            future.cancel()
        for worker in self._workers:
            worker.pool.shutdown(kill_workers=True)
        self.shutdown()  # a worker that was being replaced, too


class _Worker:
    """One process, as a pool of one."""

    def __init__(self, notes: str | None) -> None:
        self._notes = notes
        self._failed_starts = 0
        self._start()

    def _start(self) -> None:
        with _blocked_signals():
            self.pool = ProcessPoolExecutor(1, initializer=_prepare_worker, initargs=(self._notes,), env=_ENVIRONMENT)
            self._started = self.pool.submit(os.getpid)  # the process starts with its first call

    def call(self, fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        try:
            return self.pool.submit(fn, *args, **kwargs).result()
        except BrokenExecutor:
            self._replace()
            raise

    def _replace(self) -> None:
        """Start a new process for one that died.

        Raises:
            SweepError: there is none, or several in a row did not come to answer.
        """
        self._failed_starts = 0 if self._started.exception() is None else self._failed_starts + 1
        if self._failed_starts >= _MOST_FAILED_STARTS:
            raise SweepError("worker processes do not start; what they printed says why.")
        try:
            self._start()
        except (OSError, RuntimeError) as error:
            raise SweepError(f"no worker process can be started: {error}.") from error


@contextlib.contextmanager
def _blocked_signals() -> Iterator[None]:
    """Start workers that leave signals to this process, which gets those that come meanwhile afterwards."""
    multiprocessing.resource_tracker.ensure_running()  # it would unblock them
    before = signal.pthread_sigmask(signal.SIG_BLOCK, set(SIGNALS))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _prepare_worker(notes: str | None) -> None:
    """Say what no other worker says, and end with the parent: a killed sweep leaves no process behind."""
    compilation.join(notes)
    parent = multiprocessing.parent_process()
    assert parent is not None
    threading.Thread(target=_end_with, args=(parent.pid,), daemon=True).start()


def _end_with(parent: int) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        psutil.Process(parent).wait()
    os._exit(1)
