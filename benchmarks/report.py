"""Tables and verdicts on engines, and their figures as plain data."""

from __future__ import annotations

import math
import statistics
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.table import Table

from .comparison import Comparison
from .search import TOLERANCE, Tried


def show(comparison: Comparison, console: Console) -> None:
    """Print the table and the verdicts of one size."""
    name, ours = comparison.case.name, (comparison.refined, comparison.one_pass)
    table = Table(title=f"{comparison.case.title}, one thread: CPU seconds; ratios: median (lowest to highest)")
    table.add_column("contestant", no_wrap=True)
    for column in ("median s", "error mu", "error precision", "times refined", "times one pass"):
        table.add_column(column, justify="right", no_wrap=True)
    for contestant, timing in comparison.timings.items():
        table.add_row(
            contestant,
            f"{statistics.median(timing.cpu):.4g}",
            _error(abs(timing.outcome.magnetization - comparison.reference.magnetization)),
            _error(comparison.error(contestant)),
            *(str(comparison.ratio(contestant, one)) for one in ours),
        )
    console.print(table)
    for contestant, setting in comparison.settings.items():
        dimension = comparison.dimensions.get(contestant)
        console.print(f"{name} {contestant}: {setting}" + (f"; {dimension} amplitudes" if dimension else ""))
    difference = comparison.reference_difference
    beside = "" if difference is None else f"; an independent solver differs by {difference:.1e} relative"
    console.print(f"{name} references: precision {comparison.reference.precision:.9f}{beside}")
    for verdict in comparison.verdicts:
        word = "[green]reached[/green]" if verdict.reached else "[red]not reached[/red]"
        console.print(
            f"{name} {verdict.ours} against {verdict.peer}: {verdict.measured} times faster, goal {verdict.goal:g} "
            f"at error {TOLERANCE:g} (error {verdict.error:.1e}): {word}"
        )


def _error(error: float) -> str:
    """An error of a contestant; a run that was only sampled has none."""
    return "-" if math.isnan(error) else f"{error:.1e}"


def plain(comparisons: list[Comparison]) -> dict[str, Any]:
    """Every figure as numbers, text, lists and dicts."""
    return {"tolerance": TOLERANCE, "cases": [plain_case(comparison) for comparison in comparisons]}


def plain_case(comparison: Comparison) -> dict[str, Any]:
    contestants = {
        name: {
            "setting": comparison.settings[name],
            "dimension": comparison.dimensions.get(name),
            "cpu_s": timing.cpu,
            "wall_s": timing.wall,
            **{key: _number(value) for key, value in asdict(timing.outcome).items()},
            "precision_error": _number(comparison.error(name)),
            "ratio_to_refined": asdict(comparison.ratio(name, comparison.refined)),
            "ratio_to_one_pass": asdict(comparison.ratio(name, comparison.one_pass)),
        }
        for name, timing in comparison.timings.items()
    }
    return {
        "case": comparison.case.name,
        "reference": asdict(comparison.reference),
        "independent_reference": comparison.independent and asdict(comparison.independent),
        "reference_difference": comparison.reference_difference,
        "contestants": contestants,
        "verdicts": [{**asdict(verdict), "reached": verdict.reached} for verdict in comparison.verdicts],
        "candidates": {peer: _plain_tried(tried) for peer, tried in comparison.candidates.items()},
    }


def _plain_tried(tried: list[Tried]) -> list[dict[str, Any]]:
    return [asdict(found) for found in tried if math.isfinite(found.error)]


def _number(value: float) -> float | None:
    """JSON has no NaN or infinity."""
    return None if math.isnan(value) else value
