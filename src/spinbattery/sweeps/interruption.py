"""Ctrl-C and SIGTERM during a sweep: the first finishes what is running, the second stops."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import Any

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class SweepInterrupted(KeyboardInterrupt):
    """A sweep was asked to stop; what had finished is in the store, and the same call goes on.

    Attributes:
        signal_number: what asked.
    """

    def __init__(self, message: str, signal_number: int) -> None:
        super().__init__(message)
        self.signal_number = signal_number


class Interruption:
    """Context that notes the first SIGINT or SIGTERM, and raises KeyboardInterrupt at the second.

    Handlers can only be set in the main thread; elsewhere nothing is changed.

    Attributes:
        patient: False raises at the first.
        signal_number: the first signal that came, or None.
    """

    def __init__(self, patient: bool = True) -> None:
        self.patient = patient
        self.signal_number: int | None = None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Interruption:
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._handle) for number in _SIGNALS}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self.signal_number is not None or not self.patient:
            raise SweepInterrupted("stopped at once; what had finished is kept where there is a store.", number)
        self.signal_number = number
