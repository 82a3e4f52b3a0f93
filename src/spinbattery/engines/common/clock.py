"""The time of a computation, without the time in which its kernels are compiled."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack
from types import TracebackType
from typing import Any, Self

from ...core import compilation
from ...core.kernels import watched_by


class Clock:
    """Runs within a ``with`` block and stands still while any thread compiles a kernel or loads one from the cache."""

    def __init__(self) -> None:
        self._start, self._compiling = time.perf_counter(), 0.0
        self._depth, self._since = 0, 0.0
        self._watching = ExitStack()

    def __enter__(self) -> Self:
        self._watching.enter_context(watched_by(self))
        if "numba" in sys.modules:  # else a kernel that needs it imports it, and is watched itself
            for listening in _numba_watched_by(self):
                self._watching.enter_context(listening)
        self._start = time.perf_counter()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._watching.close()

    def begin(self) -> None:
        """Stand still, until :meth:`end` was called as often."""
        if not self._depth:
            self._since = time.perf_counter()
        self._depth += 1

    def end(self) -> None:
        """Go on."""
        self._depth = max(self._depth - 1, 0)
        if not self._depth:
            self._compiling += time.perf_counter() - self._since

    @property
    def seconds(self) -> float:
        """Time since the block began, in s."""
        return max(time.perf_counter() - self._start - self._compiling, 0.0)


def _numba_watched_by(clock: Clock) -> Iterator[AbstractContextManager[Any]]:
    from numba.core import event

    class Compiling(event.Listener):
        def on_start(self, event: Any) -> None:
            clock.begin()

        def on_end(self, event: Any) -> None:
            clock.end()

    class Working(event.Listener):
        """A pass of the compiler is work, and no loading from the cache."""

        def on_start(self, event: Any) -> None:
            compilation.say()

        def on_end(self, event: Any) -> None:
            pass

    yield event.install_listener("numba:compile", Compiling())
    yield event.install_listener("numba:run_pass", Working())
