"""The time of a computation, without the time in which its kernels are compiled."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Any, Self

from numba.core import event

_COMPILING = "numba:compile"


class _Compiling(event.Listener):
    """Sums the time in which any thread compiles a kernel or loads one from the cache."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._depth, self._since = 0, 0.0

    def on_start(self, event: Any) -> None:
        if not self._depth:
            self._since = time.perf_counter()
        self._depth += 1

    def on_end(self, event: Any) -> None:
        self._depth = max(self._depth - 1, 0)
        if not self._depth:
            self.seconds += time.perf_counter() - self._since


class Clock:
    """Runs within a ``with`` block and stands still while kernels are compiled."""

    def __init__(self) -> None:
        self._start, self._compiling = time.perf_counter(), _Compiling()

    def __enter__(self) -> Self:
        event.register(_COMPILING, self._compiling)  # type: ignore[no-untyped-call]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        event.unregister(_COMPILING, self._compiling)  # type: ignore[no-untyped-call]

    @property
    def seconds(self) -> float:
        """Time since it was made, in s."""
        return max(time.perf_counter() - self._start - self._compiling.seconds, 0.0)
