"""Tables and verdicts on the symmetric sector, and their figures as plain data."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from rich.console import Console

from .prediction import FACTOR, Choice, Predicted
from .report import plain_case
from .sized_jobs import JobCosts
from .symmetric_sector import SymmetricComparison
from .tables import span, table, word


def show_jobs(jobs: list[JobCosts], console: Console) -> None:
    """Print the costs of the large jobs, and the verdicts."""
    shown = table("jobs in a new process, on all cores")
    for column in ("job", "process s", "charge s", "peak MB", "mu", "1/sigma^2", "error estimate"):
        shown.add_column(column, no_wrap=True, justify="left" if column == "job" else "right")
    for one in jobs:
        cost = one.rounds[-1]
        shown.add_row(
            one.job.case.title,
            span(one.seconds),
            f"{cost.charge_s:.3g}",
            f"{one.peak_bytes / 1e6:.0f}",
            f"{cost.magnetization:.8f}",
            f"{cost.precision:.6f}",
            f"{cost.error_estimate:.1e}",
        )
    console.print(shown)
    for one in jobs:
        title = one.job.case.title
        console.print(f"{title}: {one.rounds[-1].scheme}")
        console.print(f"{title}: {one.seconds.median:.3g} s, goal {one.job.goal_s:g} s: {word(one.in_time)}")
        if one.job.goal_bytes is not None:
            console.print(
                f"{title}: peak memory {one.peak_bytes / 1e6:.0f} MB, goal below {one.job.goal_bytes / 1e6:.0f} MB: "
                f"{word(one.in_memory)}"
            )


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


def plain(comparisons: list[SymmetricComparison], jobs: list[JobCosts], choices: list[Choice]) -> dict[str, Any]:
    """Every figure as numbers, text, lists and dicts."""
    return {
        "comparisons": [plain_case(one) | {"duration_ns": one.size.case.duration} for one in comparisons],
        "jobs": [
            {
                "job": asdict(one.job),
                "rounds": [asdict(cost) for cost in one.rounds],
                "process_s": one.process_s,
                "in_time": one.in_time,
                "in_memory": one.in_memory,
                "kept": one.kept,
            }
            for one in jobs
        ],
        "predictions": [{**asdict(choice), "loss": choice.loss} for choice in choices],
    }
