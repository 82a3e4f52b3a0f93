"""Fig. 6: magnetization and fluctuation in time."""

from __future__ import annotations

from spinbattery.figures.trajectories import plot_trajectories

from .parameters import COOPERATIVE, LOCAL
from .runs import Request, Runs, records
from .section import FigureItem, Section

REQUESTS = [Request("torus:3x3", recipe, points=601) for recipe in (COOPERATIVE, LOCAL)]
"""The cooperative and the local protocol on the 3x3 torus with mu(t), sigma(t)."""


def build(runs: Runs) -> Section:
    """mu(t) and sigma(t) for N = 9."""
    found = [runs[request] for request in REQUESTS]
    return Section(
        "Fig. 6: charging in time",
        "While the transverse field is weak nothing moves. The cooperative battery starts to move near the end of "
        "the first third, when A(s) has grown and before the longitudinal field is on; that field, ramped up in "
        "the hold, decides the direction, and on the way back to s = 1 the populations freeze. Without coupling "
        "the spins turn freely in the transverse field and are left at mu near 0.",
        FigureItem(
            "fig6",
            "Fig. 6: magnetization and fluctuation, N = 9 (3x3 torus), tau = 60 ns; dotted lines mark the thirds.",
            plot_trajectories(records(found)),
            found,
        ),
    )
