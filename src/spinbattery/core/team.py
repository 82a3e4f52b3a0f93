"""Threads that share the parts of one piece of work: kernels that release the interpreter lock, on one array."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from types import TracebackType
from typing import Any, Self

from .checks import whole_number
from .machine import n_cores


class Team:
    """Threads, the calling one among them, that are kept from one piece of work to the next.

    Handing a piece over takes some 30 us. Numba's own parallel loops would not do: their threads may not be entered
    from two threads of Python at once, as sweeps in threads would.

    Attributes:
        threads: how many work at the same time.
    """

    def __init__(self, threads: int | None = None) -> None:
        """Make a team of ``threads``; by default of as many as this process may use cores.

        Raises:
            InvalidParameterError: not a whole number, 1 or more.
        """
        self.threads = n_cores() if threads is None else whole_number("threads", threads, least=1)
        self._helpers = ThreadPoolExecutor(self.threads - 1) if self.threads > 1 else None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the threads, once they have finished their parts."""
        if self._helpers is not None:
            self._helpers.shutdown()

    def run(self, function: Callable[..., object], parts: Iterable[tuple[Any, ...]]) -> None:
        """Call ``function(*part)`` for each part, each thread taking the next one left; returns when all are done.

        Parts must not touch the same memory. What a part raises, or Ctrl-C, is raised here as soon as the parts
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
