"""Tables and verdicts on the symmetric sector, and their figures as plain data."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from rich.console import Console

from .prediction import FACTOR, Choice, Predicted
from .report import plain_case
from .symmetric_sector import SymmetricComparison
from .tables import table


def show_predictions(choices: list[Choice], console: Console) -> None:
    """Print predicted and measured seconds, and the choices of ``auto``."""
    shown = table("predictions, one thread: CPU seconds")
    shown.add_column("job", no_wrap=True)
    for column in ("group", "sector", "symmetric", "measured", "ratio", "state vector", "measured", "ratio"):
        shown.add_column(column, justify="right", no_wrap=True)
    shown.add_column("auto", no_wrap=True)
    shown.add_column("loss", justify="right", no_wrap=True)
    for choice in choices:
        shown.add_row(
            choice.job.name,
            f"{choice.order:.4g}",
            str(choice.dimension),
            *_cells(choice.engines.get("symmetric")),
            *_cells(choice.engines.get("statevector")),
            choice.picked,
            f"{choice.loss:.2f}" if choice.is_faster else f"[red]{choice.loss:.2f}[/red]",
        )
    console.print(shown)
    wrong = [choice for choice in choices if not choice.is_faster]
    ratios = [one.ratio for choice in choices for one in choice.engines.values()]
    apart = [ratio for ratio in ratios if not 1.0 / FACTOR <= ratio <= FACTOR]
    console.print(
        f"auto picked the faster engine in {len(choices) - len(wrong)} of {len(choices)} jobs; the most a pick lost is "
        f"a factor {max(choice.loss for choice in choices):.2f}"
    )
    console.print(
        f"measured over predicted: {min(ratios):.2f} to {max(ratios):.2f}; {len(apart)} of {len(ratios)} are not "
        f"within a factor {FACTOR:g}"
    )


def _cells(one: Predicted | None) -> list[str]:
    return ["-"] * 3 if one is None else [f"{one.predicted:.3g}", f"{one.measured:.3g}", f"{one.ratio:.2f}"]


def plain(comparisons: list[SymmetricComparison], choices: list[Choice]) -> dict[str, Any]:
    """Every figure as numbers, text, lists and dicts."""
    return {
        "comparisons": [plain_case(one) | {"duration_ns": one.size.case.duration} for one in comparisons],
        "predictions": [{**asdict(choice), "loss": choice.loss} for choice in choices],
    }
