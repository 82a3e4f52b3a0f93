"""Progress reports of long work: silent unless a callable is given."""

from __future__ import annotations

from collections.abc import Callable

from .errors import InvalidParameterError

Progress = Callable[[float, str], None]
"""Called with the fraction done (0 to 1), which never decreases within a run, and a message."""


def silent(fraction: float, message: str) -> None:
    """No report: the default in the library."""


def checked_progress(progress: Progress) -> Progress:
    """``progress``, checked to be a function."""
    if not callable(progress) or isinstance(progress, type):
        raise InvalidParameterError(
            f"progress must be a function that takes a fraction and a message, but is {progress!r}; leave it out."
        )
    return progress


class Rising:
    """Progress of a run of several passes that never decreases; later passes need not be known beforehand."""

    def __init__(self, progress: Progress) -> None:
        self._progress, self._shown, self._message = progress, 0.0, ""

    def __call__(self, fraction: float, message: str) -> None:
        self._shown, self._message = max(self._shown, min(fraction, 1.0)), message
        self._progress(self._shown, message)

    def part(self, share: float) -> Progress:
        """Progress of the next pass, which fills this share of the rest."""
        done, size = self._shown, share * (1.0 - self._shown)
        return lambda fraction, message: self(done + size * fraction, message)

    def end(self) -> None:
        """Report the end, unless it was reported."""
        if self._shown < 1.0:
            self(1.0, self._message)
