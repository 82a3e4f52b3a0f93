"""Errors that users can act on: every message says what must change."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class SpinBatteryError(Exception):
    """Base of all errors raised on purpose by spinbattery."""


class InvalidParameterError(SpinBatteryError, ValueError):
    """A physical or numerical parameter is outside its allowed range."""


class NetworkError(SpinBatteryError, ValueError):
    """A graph is not a spin network (directed, self-looped, empty, ...)."""


class WaveformError(SpinBatteryError, ValueError):
    """A control waveform is malformed (times not ascending, s outside [0, 1], ...)."""


class EnergyScalesError(SpinBatteryError, ValueError):
    """A table of A(s), B(s) fails the checks of a careful reader."""


class EngineError(SpinBatteryError, ValueError):
    """An engine cannot treat the problem it was given."""


class InsufficientMemoryError(SpinBatteryError, MemoryError):
    """The run would need more memory than is free; nothing was allocated."""


class ToleranceError(SpinBatteryError, RuntimeError):
    """The tolerance could not be reached."""


class RecordError(SpinBatteryError, ValueError):
    """A file is not a readable record of this schema."""


class SweepError(SpinBatteryError, RuntimeError):
    """A sweep cannot start or go on; finished runs are kept."""


class FitError(SpinBatteryError, ValueError):
    """Too few or unusable points for a fit."""


class CostError(SpinBatteryError, ValueError):
    """No protocol of this family has the requested cost."""


class LimitError(SpinBatteryError, ValueError):
    """A solver would not accept a request; the message lists all that must change.

    Attributes:
        violations: one sentence for each broken rule.
    """

    def __init__(self, message: str, violations: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.violations = tuple(violations)

    def __reduce__(self) -> tuple[type[LimitError], tuple[str, tuple[str, ...]]]:
        return type(self), (str(self), self.violations)  # complete when it comes back from a worker process


class QpuError(SpinBatteryError, RuntimeError):
    """A job on a quantum annealer, its ledger or its server failed; answers that were paid for are kept."""


class MissingDependencyError(SpinBatteryError, ImportError):
    """An optional library is needed and not installed."""


class OutsideCurveWarning(UserWarning):
    """A measured value, or part of its error bar, lies outside the simulated curve it is read off from."""


class UnusedColumnWarning(UserWarning):
    """A file of measured reads has columns that were not read."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """End of a message about an unknown name: the nearest known one, or empty."""
    close = difflib.get_close_matches(name, known, n=1)
    return f" Did you mean {close[0]!r}?" if close and close[0] != name else ""
