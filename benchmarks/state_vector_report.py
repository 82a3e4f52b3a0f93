"""Tables of the cost of stages of large state vectors, and their figures as plain data."""

from __future__ import annotations

from typing import Any

from rich.console import Console

from .pairing import Ratio
from .state_vector import StageCosts
from .tables import span, table


def show_stages(found: StageCosts, console: Console) -> None:
    """Print seconds, bytes, fractions of the bandwidth of copies, and the gain and cost of threads."""
    shown = table(
        "one stage: wall time; bytes of the state read and written; medians (lowest to highest) of the rounds"
    )
    for column in (
        "N",
        "precision",
        "threads",
        "ms a stage",
        "GB/s",
        "copies",
        "of copies",
        "cached",
        "arithmetic",
        "gain",
        "CPU",
    ):
        shown.add_column(column, no_wrap=True, justify="left" if column == "precision" else "right")
    for cost in found.costs:
        case = cost.case
        gain, cpu = found.gain(case), found.cost(case)
        shown.add_row(
            str(case.n_spins),
            case.precision,
            str(case.threads),
            f"{1e3 * cost.median:.3g}",
            span(cost.moved, 1e-9),
            f"{1e-9 * sorted(cost.copied)[len(cost.copied) // 2]:.3g}",
            span(cost.fraction),
            span(found.cache_limit(cost)),
            span(found.arithmetic_limit(cost)),
            "-" if gain is None else span(gain),
            "-" if cpu is None else span(cpu),
        )
    console.print(shown)
    console.print(f"a bare loop, two processes against one: {', '.join(f'{gain:.2f}' for gain in found.machine)}")


def plain(found: StageCosts) -> dict[str, Any]:
    """Every figure as numbers, text, lists and dicts."""

    def spelled(ratio: Ratio) -> list[float]:
        return [ratio.lowest, ratio.median, ratio.highest]

    stages = [
        {
            "n_spins": cost.case.n_spins,
            "precision": cost.case.precision,
            "threads": cost.case.threads,
            "seconds": cost.seconds,
            "cpu_seconds": cost.cpu,
            "bytes": cost.case.bytes_moved,
            "copied_bytes_per_second": cost.copied,
            "fraction": spelled(cost.fraction),
            "fraction_in_cache": spelled(found.cache_limit(cost)),
            "fraction_of_arithmetic": spelled(found.arithmetic_limit(cost)),
        }
        for cost in found.costs
    ]
    return {"stages": stages, "bare_loop": found.machine}
