"""Fig. 6: magnetization and fluctuation in time."""

from __future__ import annotations

import numpy as np

from ..figures.trajectories import plot_trajectories
from ..units import parse_duration
from .parameters import COOPERATIVE, DURATION, LOCAL
from .runs import Run, Runs
from .section import FigureItem, Section

POINTS = 201


def trajectories(runs: Runs) -> dict[str, Run]:
    """Cooperative and local runs on the 3x3 torus with mu(t), sigma(t)."""
    times = np.linspace(0.0, parse_duration(DURATION), POINTS)
    return {
        name: runs.charge("torus:3x3", recipe, times=times)
        for name, recipe in (("cooperative", COOPERATIVE), ("local", LOCAL))
    }


def build(runs: Runs) -> Section:
    """mu(t) and sigma(t) for N = 9."""
    found = trajectories(runs)
    return Section(
        "fig6",
        "Fig. 6: charging in time",
        (
            "Nothing happens while g = 0: the discharged state is an eigenstate of the coupling up to the small "
            "transverse field. The field then carries the battery through the transition in the hold; what follows "
            "is the return to s = 1, where the populations no longer change.",
        ),
        (
            FigureItem(
                "fig6",
                "Fig. 6: magnetization and fluctuation, N = 9 (3x3 torus), tau = 60 ns; dotted lines mark the thirds.",
                plot_trajectories([run.record for run in found.values()]),
                list(found.values()),
            ),
        ),
    )
