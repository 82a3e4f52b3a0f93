"""Fig. 3: the energy functions of the annealer and the schedules; nothing is simulated."""

from __future__ import annotations

import numpy as np

import spinbattery as sb
from spinbattery.core.units import GHZ_IN_JOULE
from spinbattery.figures.protocols import plot_schedule

from .runs import Runs
from .section import AuditItem, FigureItem, Section


def build(runs: Runs) -> Section:
    """A(s), B(s), and s(t), g(t) of Eq. 8 and 9."""
    scales, protocol = sb.advantage_system6(), sb.cooperative(60.0)
    top = float(scales.B(1.0))
    s = np.linspace(0.0, 1.0, 2001)
    crossing = float(s[np.argmin(np.abs(scales.A(s) - scales.B(s)))])
    return Section(
        "Fig. 3: energy scales and schedules",
        "Smooth model of Advantage_system6: A(s) is the exponential of a cubic spline, B(s) a quadratic. The "
        "annealing fraction s runs from 1 to 0.35 and back (Eq. 8); the field gain g ramps up in the hold and down "
        f"after it (Eq. 9). A(s) and B(s) are equal at s = {crossing:.3f}. Energies are divided by Planck's "
        "constant, so the propagator is exp(-i 2 pi H t).",
        FigureItem(
            "fig3",
            "Fig. 3: energy functions, waveforms of the cooperative protocol (J = -0.2, h = -0.5), and its fields.",
            plot_schedule(protocol, scales),
        ),
        AuditItem(
            "B(1), energetics",
            "7.57 GHz = 5.016e-24 J",
            f"{top:.4f} GHz = {top * GHZ_IN_JOULE:.4g} J",
            "smooth Advantage_system6 model",
            "reproduced",
        ),
    )
