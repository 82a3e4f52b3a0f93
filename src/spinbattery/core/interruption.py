"""Ctrl-C, SIGTERM and SIGHUP during a sweep: the first finishes what is running, the second stops."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any

from . import compilation

SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
"""Ctrl-C, the end of a batch job, and the end of the terminal, which Windows lacks."""


class SweepInterrupted(KeyboardInterrupt):
    """A sweep was stopped by a signal; finished runs are in the store, and the same call goes on.

    Attributes:
        signal_number: the signal.
    """

    def __init__(self, message: str, signal_number: int) -> None:
        super().__init__(message)
        self.signal_number = signal_number


class Interruption:
    """Context that notes the first SIGINT, SIGTERM or SIGHUP, and the second; :meth:`check` raises after the second.

    Only a third raises from the handler: while a kernel is compiled, an exception there would be lost in a callback
    of the compiler, or become another error. Handlers can only be set in the main thread; elsewhere nothing changes.

    Attributes:
        patient: if False, the first signal counts as a second.
        on_first: is called at the first signal, by its handler.
        signal_number: the first signal that came, or None.
    """

    def __init__(self, patient: bool = True, on_first: Callable[[], None] = lambda: None) -> None:
        self.patient, self.on_first = patient, on_first
        self.signal_number: int | None = None
        self._stop: int | None = None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Interruption:
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                if signal.getsignal(number) != signal.SIG_IGN:  # nohup
                    self._before[number] = signal.signal(number, self._handle)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def check(self) -> None:
        """Raise :class:`SweepInterrupted` if the sweep must stop at once."""
        if self._stop is not None:
            raise SweepInterrupted("stopped at once", self._stop)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self._stop is not None and not compilation.loses_exceptions(frame):
            raise SweepInterrupted("stopped at once", number)
        if self.signal_number is not None or not self.patient:
            self._stop = number
        if self.signal_number is None:
            self.signal_number = number
            self.on_first()
