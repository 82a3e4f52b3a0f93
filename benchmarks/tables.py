"""Formatting shared by the tables of sweeps and of the emulator."""

from __future__ import annotations

from rich.table import Table

from .pairing import Ratio


def table(title: str) -> Table:
    return Table(title=title, title_justify="left")


def span(ratio: Ratio, factor: float = 1.0) -> str:
    lowest, median, highest = (f"{factor * value:.2f}" for value in (ratio.lowest, ratio.median, ratio.highest))
    return f"{median} ({lowest} to {highest})"


def word(reached: bool) -> str:
    return "[green]reached[/green]" if reached else "[red]not reached[/red]"
