"""Tables and verdicts on tensor networks, and their figures as plain data."""

from __future__ import annotations

import statistics
from dataclasses import asdict
from typing import Any

from rich.console import Console

from .pairing import spread
from .tables import table, word
from .tensor_networks import ERROR, OURS, OURS_SINGLE, QTEALEAVES, Reached, StepCosts


def show_steps(found: list[StepCosts], console: Console) -> None:
    """Print the time of a step, and the verdict on the goal."""
    shown = table("a step in the middle of the protocol, one thread: CPU seconds; ratios: median (lowest to highest)")
    for column in ("torus", "bond", "contestant", "s a step", "links up to", "times complex128", "times complex64"):
        shown.add_column(column, no_wrap=True, justify="left" if column in ("torus", "contestant") else "right")
    for costs in found:
        for name, timing in costs.timings.items():
            shown.add_row(
                costs.job.case.name,
                str(costs.job.bond_dimension),
                name,
                f"{statistics.median(timing.cpu):.3g}",
                str(timing.outcome),
                *(str(costs.ratio(name, ours)) for ours in (OURS, OURS_SINGLE)),
            )
    console.print(shown)
    for costs in found:
        if costs.reached is not None:
            console.print(
                f"{costs.job.name}: {costs.ratio(QTEALEAVES, OURS)} times faster than qtealeaves, goal "
                f"{costs.job.goal:g}: {word(costs.reached)}"
            )


def show_runs(found: list[Reached], title: str, console: Console) -> None:
    """Print the time and the error of whole runs."""
    shown = table(f"{title}, whole runs, one thread: CPU seconds")
    for column in ("contestant", "bond", "steps", "error mu", "error sigma", "s", "times ours"):
        shown.add_column(column, no_wrap=True, justify="left" if column == "contestant" else "right")
    for one in found:
        shown.add_row(
            one.run.contestant,
            str(one.run.bond_dimension),
            str(one.run.steps),
            f"{one.mean_error:+.1e}",
            f"{one.std_error:+.1e}",
            f"{one.median:.3g}",
            str(spread(one.ratios)) if one.ratios else "-",
        )
    console.print(shown)
    missed = [one.run.name for one in found if not one.is_accurate]
    console.print(f"|error of mu| is at most {ERROR:g} in all but: {'; '.join(missed) or 'none'}")


def plain(steps: list[StepCosts], runs: list[Reached]) -> dict[str, Any]:
    """Every figure as numbers, text, lists and dicts."""
    return {
        "steps": [
            {
                "torus": costs.job.case.name,
                "bond_dimension": costs.job.bond_dimension,
                "goal": costs.job.goal,
                "reached": costs.reached,
                "contestants": {
                    name: {
                        "cpu_s": timing.cpu,
                        "wall_s": timing.wall,
                        "largest_dimension": timing.outcome,
                        "ratio_to_complex128": asdict(costs.ratio(name, OURS)),
                        "ratio_to_complex64": asdict(costs.ratio(name, OURS_SINGLE)),
                    }
                    for name, timing in costs.timings.items()
                },
            }
            for costs in steps
        ],
        "runs": [{**asdict(one), "is_accurate": one.is_accurate} for one in runs],
    }
