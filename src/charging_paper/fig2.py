"""Fig. 2: the protocols in the space of fields, and the exact rows of precision and magnetization."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from spinbattery.figures.marked import MarkedRuns, plot_marked
from spinbattery.figures.protocols import plot_field_space
from spinbattery.figures.runs import plot_runs
from spinbattery.model.network import torus
from spinbattery.model.scales import advantage_system6
from spinbattery.records.dataset import gather
from spinbattery.records.record import Record

from .beyond import BEYOND, DURATION, PAPER_SIZES, Beyond, chosen
from .parameters import COOPERATIVE, LOCAL, TORI
from .runs import Request, Run, Runs, torus_name
from .section import FigureItem, Part, Section

_RECIPES = {"cooperative": COOPERATIVE, "local": LOCAL}
_GROUPS = {name: [Request(torus_name(size), recipe) for size in TORI] for name, recipe in _RECIPES.items()}

REQUESTS = [request for group in _GROUPS.values() for request in group]
"""Runs of the paper's own sizes that this part needs."""


def part(beyond: Beyond = BEYOND) -> Part:
    """What builds this part, and the runs it needs."""
    return partial(build, beyond=beyond), [*REQUESTS, *beyond.requests]


def build(runs: Runs, beyond: Beyond = BEYOND) -> Section:
    """Fig. 2a, 2b and 2c from exact runs, and 2b beyond the paper."""
    groups = {name: [runs[request] for request in group] for name, group in _GROUPS.items()}
    data = gather([run.record for group in groups.values() for run in group])
    used = [run for group in groups.values() for run in group]
    network = torus(3, 3)
    paths = {name: recipe.build(network) for name, recipe in _RECIPES.items()}
    return Section(
        "fig2",
        "Fig. 2: cooperative and local charging",
        (
            "Exact state vectors of tori with N = 2 to 12 spins. Both protocols start from all spins down; the local "
            "one has no coupling, and the field that costs the same at the instant g = 1 (Eq. 19).",
            "The local protocol ends at mu near 0 with precision N. The cooperative one approaches mu = 1 - 1/N and "
            "precision N^2: followed adiabatically, the even half of the discharged state reaches the ground branch, "
            "the odd half the first excited branch with one flipped spin, and both together have sigma = 1/N.",
        ),
        (
            FigureItem(
                "fig2a",
                "Fig. 2a: paths of the protocols in the space of (J, Bx, Bz) on the 3x3 torus; dots mark the start.",
                plot_field_space(paths, advantage_system6()),
            ),
            FigureItem(
                "fig2b",
                "Fig. 2b: precision against the number of spins, with log-log fits.",
                plot_runs(data),
                used,
            ),
            FigureItem("fig2c", "Fig. 2c: final magnetization.", plot_runs(data, "magnetization"), used),
            _figure_beyond(runs, beyond),
        ),
    )


def _figure_beyond(runs: Runs, beyond: Beyond) -> FigureItem:
    slow = chosen(runs, beyond.slow)
    series = [MarkedRuns(_records(slow), f"cooperative, {beyond.slow_duration} (beyond the paper)", "*", filled=False)]
    used = slow
    for name, group in PAPER_SIZES.items():
        paper, ours = chosen(runs, group), chosen(runs, beyond.larger[name])
        series.append(MarkedRuns(_records(paper), f"{name}, {DURATION}, the paper's sizes"))
        series.append(MarkedRuns(_records(ours), f"{name}, {DURATION}, beyond the paper", filled=False))
        used = [*used, *paper, *ours]
    return FigureItem(
        "fig2b-beyond",
        f"Beyond the paper: precision at {DURATION} (s_hold = 0.35) on its tori (filled) and on larger ones (open), "
        f"and at {beyond.slow_duration}, the duration of its annealer (stars).",
        plot_marked(series),
        used,
    )


def _records(runs: Sequence[Run]) -> list[Record]:
    return [run.record for run in runs]
