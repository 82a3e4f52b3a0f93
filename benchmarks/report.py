"""Tables and verdicts on engines, and their figures as plain data."""

from __future__ import annotations

import math
import statistics
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.table import Table

from .comparison import TOLERANCE, Comparison


def show(comparison: Comparison, console: Console) -> None:
    """Print the table and the verdicts of one size."""
    name, ours = comparison.case.name, (comparison.promise, comparison.one_pass)
    table = Table(title=f"{comparison.case.title}, one thread: CPU seconds; ratios: median (lowest to highest)")
    table.add_column("contestant", no_wrap=True)
    for column in ("median s", "error mu", "error precision", "times the promise", "times one pass"):
        table.add_column(column, justify="right", no_wrap=True)
    for contestant, timing in comparison.timings.items():
        table.add_row(
            contestant,
            f"{statistics.median(timing.cpu):.4g}",
            f"{abs(timing.outcome.magnetization - comparison.reference.magnetization):.1e}",
            f"{comparison.error(contestant):.1e}",
            *(str(comparison.ratio(contestant, one)) for one in ours),
        )
    console.print(table)
    for contestant, setting in comparison.settings.items():
        console.print(f"{name} {contestant}: {setting}")
    console.print(
        f"{name} references: precision {comparison.reference.precision:.9f}; an independent solver differs by "
        f"{comparison.reference_difference:.1e} relative"
    )
    for verdict in comparison.verdicts:
        word = "[green]reached[/green]" if verdict.reached else "[red]not reached[/red]"
        console.print(
            f"{name} {verdict.ours} against {verdict.peer}: {verdict.measured} times faster, goal {verdict.goal:g} "
            f"at error {TOLERANCE:g} (error {verdict.error:.1e}): {word}"
        )


def plain(comparisons: list[Comparison]) -> dict[str, Any]:
    """Every figure as numbers, text, lists and dicts."""
    return {"tolerance": TOLERANCE, "cases": [plain_case(comparison) for comparison in comparisons]}


def plain_case(comparison: Comparison) -> dict[str, Any]:
    contestants = {
        name: {
            "setting": comparison.settings[name],
            "cpu_s": timing.cpu,
            "wall_s": timing.wall,
            **asdict(timing.outcome),
            "precision_error": comparison.error(name),
            "ratio_to_promise": asdict(comparison.ratio(name, comparison.promise)),
            "ratio_to_one_pass": asdict(comparison.ratio(name, comparison.one_pass)),
        }
        for name, timing in comparison.timings.items()
    }
    return {
        "case": comparison.case.name,
        "reference": asdict(comparison.reference),
        "independent_reference": asdict(comparison.independent),
        "reference_difference": comparison.reference_difference,
        "contestants": contestants,
        "verdicts": [{**asdict(verdict), "reached": verdict.reached} for verdict in comparison.verdicts],
        "qutip_candidates": [asdict(found) for found in comparison.candidates if math.isfinite(found.error)],
    }
