"""How long work reports that it advances: silent unless a callable is given."""

from __future__ import annotations

from collections.abc import Callable

from .errors import InvalidParameterError

Progress = Callable[[float, str], None]
"""Called with the fraction (0 to 1) done of the current pass, and what it is doing."""


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
