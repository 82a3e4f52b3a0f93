"""Formatting shared by the tables."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from .pairing import Ratio

WIDTH = 200
"""Columns that every table fits in; a narrower terminal wraps the lines, which can still be read."""


def wide_console() -> Console:
    """Standard output, whatever its width: cells are not folded and must not be cut."""
    return Console(soft_wrap=True, width=WIDTH)


def table(title: str) -> Table:
    return Table(title=title, title_justify="left")


def span(ratio: Ratio, factor: float = 1.0) -> str:
    lowest, median, highest = (f"{factor * value:.2f}" for value in (ratio.lowest, ratio.median, ratio.highest))
    return f"{median} ({lowest} to {highest})"


def word(reached: bool) -> str:
    return "[green]reached[/green]" if reached else "[red]not reached[/red]"
