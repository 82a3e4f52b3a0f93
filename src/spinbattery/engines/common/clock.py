"""The time of a computation, without the time in which its kernels are compiled."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Any, Self

_COMPILING = "numba:compile"


class Clock:
    """Runs within a ``with`` block and stands still while kernels are compiled."""

    def __init__(self) -> None:
        self._start, self._compiling = time.perf_counter(), 0.0
        self._depth, self._since = 0, 0.0

    def __enter__(self) -> Self:
        from numba.core import event

        clock = self

        class Compiling(event.Listener):
            """Sums the time in which any thread compiles a kernel or loads one from the cache."""

            def on_start(self, event: Any) -> None:
                if not clock._depth:
                    clock._since = time.perf_counter()
                clock._depth += 1

            def on_end(self, event: Any) -> None:
                clock._depth = max(clock._depth - 1, 0)
                if not clock._depth:
                    clock._compiling += time.perf_counter() - clock._since

        self._listening = event.install_listener(_COMPILING, Compiling())
        self._listening.__enter__()
        self._start = time.perf_counter()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listening.__exit__(kind, error, trace)

    @property
    def seconds(self) -> float:
        """Time since the block began, in s."""
        return max(time.perf_counter() - self._start - self._compiling, 0.0)
