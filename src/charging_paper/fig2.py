"""Fig. 2: the protocols in the space of fields, and precision and magnetization of the exact runs against N."""

from __future__ import annotations

from functools import partial

import spinbattery as sb
from spinbattery.figures.marked import MarkedRuns, plot_marked
from spinbattery.figures.protocols import plot_field_space

from .beyond import BEYOND, DURATION, PAPER_SIZES, Beyond
from .parameters import COOPERATIVE, LOCAL
from .runs import Runs, flat, on_tori, records
from .section import FigureItem, Part, Section

_RECIPES = {"cooperative": COOPERATIVE, "local": LOCAL}

REQUESTS = flat({name: on_tori(recipe) for name, recipe in _RECIPES.items()})
"""Runs of the paper's own sizes that this part needs."""


def part(beyond: Beyond = BEYOND) -> Part:
    """This part with another choice of runs beyond the paper."""
    return partial(build, beyond=beyond), [*REQUESTS, *beyond.requests]


def build(runs: Runs, beyond: Beyond = BEYOND) -> Section:
    """Fig. 2a, 2b and 2c from exact runs, and 2b beyond the paper."""
    used = [runs[request] for request in REQUESTS]
    data = sb.gather(records(used))
    network = sb.torus(3, 3)
    paths = {name: recipe.build(network) for name, recipe in _RECIPES.items()}
    return Section(
        "Fig. 2: cooperative and local charging",
        "Exact state vectors of tori with N = 2 to 12 spins. Both protocols start from all spins down; the local "
        "one has no coupling, and its field makes both cost the same at the instant g = 1 (Eq. 19).",
        "The local protocol ends at mu near 0 with precision N. The cooperative one approaches mu = 1 - 1/N and "
        "precision N^2: followed adiabatically, the even half of the discharged state reaches the ground branch, "
        "the odd half the first excited branch with one flipped spin, and both together have sigma = 1/N.",
        FigureItem(
            "fig2a",
            "Fig. 2a: paths of the protocols in the space of (J, Bx, Bz) on the 3x3 torus; dots mark the start.",
            plot_field_space(paths, sb.advantage_system6()),
        ),
        FigureItem(
            "fig2b", "Fig. 2b: precision against the number of spins, with log-log fits.", sb.plot_runs(data), used
        ),
        FigureItem("fig2c", "Fig. 2c: final magnetization.", sb.plot_runs(data, "magnetization"), used),
        _figure_beyond(runs, beyond),
    )


def _figure_beyond(runs: Runs, beyond: Beyond) -> FigureItem:
    slow = runs.present(beyond.slow)
    series = [MarkedRuns(records(slow), f"cooperative, {beyond.slow_duration} (beyond the paper)", "*", filled=False)]
    for name, group in PAPER_SIZES.items():
        paper, ours = records(runs.present(group)), records(runs.present(beyond.larger[name]))
        series.append(MarkedRuns(paper, f"{name}, {DURATION}, the paper's sizes"))
        series.append(MarkedRuns(ours, f"{name}, {DURATION}, beyond the paper", filled=False))
    return FigureItem(
        "fig2b-beyond",
        f"Beyond the paper: precision at {DURATION} (s_hold = 0.35) on its tori (filled) and on larger ones (open), "
        f"and at {beyond.slow_duration}, the duration of its annealer (stars).",
        plot_marked(series),
        [*slow, *runs.present(flat(beyond.exact))],
    )
