"""Threads of this process: a team on one array, and tasks that progress and Ctrl-C can stop between two steps."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from types import TracebackType
from typing import Any, Self

from .checks import whole_number
from .machine import n_cores
from .progress import Progress

Steps = Callable[[], Iterator[float]]
"""A task; it yields after each step which fraction of the whole work it was; steps should take 0.1 s or less."""

_REPORT_EVERY_S = 0.1


class Team:
    """Threads that share the parts of one piece of work, by kernels that release the interpreter lock.

    The calling thread is one of them, and they are kept from one piece of work to the next. Handing a piece over takes
    some 30 us. Numba's own parallel loops would not do: two threads of Python must not enter them at once, as
    sweeps in threads would.

    Attributes:
        threads: number of threads.
    """

    def __init__(self, threads: int | None = None) -> None:
        """Make a team of ``threads``, by default one per core that this process may use.

        Raises:
            InvalidParameterError: not a whole number, 1 or more.
        """
        self.threads = n_cores() if threads is None else whole_number("threads", threads)
        self._helpers = ThreadPoolExecutor(self.threads - 1) if self.threads > 1 else None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._helpers is not None:
            self._helpers.shutdown()

    def run(self, function: Callable[..., object], parts: Iterable[tuple[Any, ...]]) -> None:
        """Call ``function(*part)`` for each part, each thread taking the next one left; returns when all are done.

        Parts must not touch the same memory. An error of a part, or Ctrl-C, is raised here as soon as the parts
        that are being worked on have ended; the others are left out.
        """
        left = deque(parts)
        if self._helpers is None or len(left) < 2:
            for part in left:
                function(*part)
            return

        def work() -> None:
            try:
                while left:
                    try:
                        part = left.popleft()
                    except IndexError:  # another thread was quicker
                        return
                    function(*part)
            except BaseException:
                left.clear()
                raise

        helpers: list[Future[None]] = [self._helpers.submit(work) for _ in range(min(self.threads, len(left)) - 1)]
        try:
            work()
        finally:
            wait(helpers)
        for helper in helpers:
            helper.result()


def run_tasks(tasks: Sequence[Steps], threads: int, progress: Progress, message: str) -> None:
    """Run all tasks, ``threads`` of them at the same time; ``progress`` is called in the calling thread.

    An error of a task or of the progress callable, and Ctrl-C, stop all tasks at their next step and are raised here.
    """
    stop, lock = threading.Event(), threading.Lock()
    done = 0.0

    def work(task: Steps) -> None:
        nonlocal done
        for step in () if stop.is_set() else task():
            with lock:
                done += step
            if stop.is_set():
                return

    with ThreadPoolExecutor(min(threads, max(1, len(tasks)))) as pool:
        try:
            futures = [pool.submit(work, task) for task in tasks]
            pending = set(futures)
            while pending:
                finished, pending = wait(pending, timeout=_REPORT_EVERY_S, return_when=FIRST_EXCEPTION)
                for future in finished:
                    future.result()
                progress(min(done, 1.0), message)
        except BaseException:
            stop.set()
            raise
