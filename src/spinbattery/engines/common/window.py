"""The part of a protocol in which populations move.

The couplings and the longitudinal field leave the populations of sz as they are, so that only Bx moves the
magnetization: |d mu/dt| <= 2 Bx and |d sigma/dt| <= 2 Bx, with Bx in rad per time. Where the integral of that is below
what may be neglected, a tree is better left as it is: the phases that the couplings give it there entangle it without
end, and the bases it has are spent on them.

At the beginning, what is left out acts through all that follows. There it turns N spins, each by theta = int 2 Bx dt at
most, and so moves the state by sqrt(N) theta/2 and the final mu by sqrt(N) theta at most.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from ...core.units import TWO_PI
from ...model.problem import ChargingProblem

_SAMPLES = 8193
_UP_OR_DOWN = 1e-12


class Window(NamedTuple):
    """Where a tree is carried through, in ns, and a bound on what is neglected of mu; what of sigma was always less."""

    start: float
    end: float
    bound: float


def moving_window(problem: ChargingProblem, allowed: float) -> Window:
    """Leave out as much at the end as ``allowed`` permits, and as much at the beginning.

    At the beginning that is allowed only where every spin is up or down, so that nothing but phases changes.
    """
    duration = problem.protocol.duration
    times = np.union1d(np.linspace(0.0, duration, _SAMPLES), problem.protocol.breakpoints)
    speed = 2.0 * TWO_PI * np.abs(problem.fields(times)[0])
    moved = np.concatenate([[0.0], np.cumsum(0.5 * (speed[1:] + speed[:-1]) * np.diff(times))])
    if moved[-1] <= allowed:
        return Window(0.0, duration, 0.0)
    up, down = np.abs(problem.protocol.initial.spinors(problem.n_spins)).T
    first, rate = 0, math.sqrt(problem.n_spins)
    if np.minimum(up, down).max() < _UP_OR_DOWN:
        first = int(np.searchsorted(moved, allowed / rate, side="right")) - 1
    last = int(np.searchsorted(moved, moved[-1] - allowed))
    if last <= first:
        return Window(0.0, duration, 0.0)
    return Window(float(times[first]), float(times[last]), float(rate * moved[first] + moved[-1] - moved[last]))
