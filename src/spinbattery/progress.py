"""How long work reports that it advances: silent unless a callable is given."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[float, str], None]
"""Called with the fraction (0 to 1) done of the current pass, and what it is doing."""


def silent(fraction: float, message: str) -> None:
    """The default in the library."""
