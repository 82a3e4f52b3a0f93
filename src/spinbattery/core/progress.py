"""How long work reports that it advances: silent unless a callable is given."""

from __future__ import annotations

from collections.abc import Callable

from .errors import InvalidParameterError

Progress = Callable[[float, str], None]
"""Called with the fraction (0 to 1) done, which never goes back within a run, and what it is doing."""


def silent(fraction: float, message: str) -> None:
    """The default in the library."""


def checked_progress(progress: Progress) -> Progress:
    """What was given, if it can be called.

    Raises:
        InvalidParameterError: it cannot.
    """
    if not callable(progress) or isinstance(progress, type):
        raise InvalidParameterError(
            f"progress must be a function that takes a fraction and a message, but is {progress!r}; leave it out."
        )
    return progress


class Rising:
    """Progress of a run of several passes, of which not all need be known beforehand, as one that never goes back."""

    def __init__(self, progress: Progress) -> None:
        self._progress, self._shown, self._message = progress, 0.0, ""

    def __call__(self, fraction: float, message: str) -> None:
        self._shown, self._message = max(self._shown, min(fraction, 1.0)), message
        self._progress(self._shown, message)

    def part(self, share: float) -> Progress:
        """Progress of the next pass, which fills this share of what is left."""
        done, size = self._shown, share * (1.0 - self._shown)
        return lambda fraction, message: self(done + size * fraction, message)

    def end(self) -> None:
        """Report that all is done, unless that was said."""
        if self._shown < 1.0:
            self(1.0, self._message)
