"""Fig. 3: the energy functions of the annealer and the schedules."""

from __future__ import annotations

import numpy as np

from spinbattery.core.units import GHZ_IN_JOULE
from spinbattery.figures.protocols import plot_schedule
from spinbattery.model.protocol import cooperative
from spinbattery.model.scales import advantage_system6

from .runs import Request, Runs
from .section import AuditItem, FigureItem, Section

REQUESTS: list[Request] = []
"""Runs this part needs: none."""


def build(runs: Runs) -> Section:
    """A(s), B(s), and s(t), g(t) of Eq. 8 and 9; nothing is simulated."""
    scales, protocol = advantage_system6(), cooperative(60.0)
    top = float(scales.B(1.0))
    s = np.linspace(0.0, 1.0, 2001)
    crossing = float(s[np.argmin(np.abs(scales.A(s) - scales.B(s)))])
    return Section(
        "fig3",
        "Fig. 3: energy scales and schedules",
        (
            "Smooth model of Advantage_system6: A(s) the exponential of a cubic spline, B(s) a quadratic. The "
            "annealing fraction s runs 1 to 0.35 and back (Eq. 8); the field gain g ramps up in the hold and down "
            f"after it (Eq. 9). A(s) and B(s) are equal at s = {crossing:.3f}. Energies are divided by Planck's "
            "constant, so the propagator is exp(-i 2 pi H t).",
        ),
        (
            FigureItem(
                "fig3",
                "Fig. 3: energy functions, waveforms of the cooperative protocol (J = -0.2, h = -0.5), and its fields.",
                plot_schedule(protocol, scales),
            ),
        ),
        audit=(
            AuditItem(
                "B(1), energetics",
                "7.57 GHz = 5.016e-24 J",
                f"{top:.4f} GHz = {top * GHZ_IN_JOULE:.4g} J",
                "smooth Advantage_system6 model",
                "reproduced",
                "",
            ),
        ),
    )
