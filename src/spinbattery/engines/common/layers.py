"""Layers within which the field of a spin turns about, and stops of the mesh that come near them.

Relaxation follows the direction of the field (Bx, Bz). Where Bz is zero and Bx small, it turns about within a time of
|Bx| / |dBz/dt|. In a longer step, the place of the layer within the step leaves an error of the pass that is not even
in 1/m, and extrapolation would not notice.
"""

from __future__ import annotations

import math

import numpy as np

from ...core.typing import FloatArray
from ...core.units import TWO_PI
from ...model.problem import ChargingProblem
from .mesh import largest_decay, largest_flip, relaxes

_RATIO = 2.0
"""Quotient of the distances of two consecutive stops. With 3, twice as many errors were above their estimates."""

_NEGLECTED = 0.03
"""Share of the tolerance that the place of what happens before the first stop may amount to."""


def layer_stops(problem: ChargingProblem, tolerance: float, step: float) -> FloatArray:
    """Times in ns near those at which the field turns about, where this takes a part of ``step`` (ns) alone.

    Their distances from it grow by a constant factor up to a step, from the width of the layer, or from where so little
    relaxes that its place does not matter.
    """
    if not relaxes(problem):
        return np.empty(0)
    least = _least_distance(problem, tolerance)
    gain, duration = problem.protocol.g, problem.protocol.duration
    u = np.sort(np.concatenate([gain.breakpoints, gain.crossings(np.zeros(1))]))
    bx, bz, half_b = problem.fields(u * duration)
    energies = np.hypot(bx, bz)
    steepness = np.abs(problem.protocol.h * np.diff(gain(u)) / np.diff(u)) / duration
    stops = [np.empty(0)]
    for side, at in ((1.0, slice(None, -1)), (-1.0, slice(1, None))):
        slopes = steepness * half_b[at]
        # a layer is thin if Bz changes by more than the field itself within a step
        for k in np.flatnonzero(energies[at] < slopes * step).tolist():
            nearest = max(least, float(energies[at][k] / slopes[k]))
            count = max(0, math.ceil(math.log(step / nearest, _RATIO)))
            stops.append(u[at][k] * duration + side * nearest * _RATIO ** np.arange(count))
    return np.sort(np.concatenate(stops))


def _least_distance(problem: ChargingProblem, tolerance: float) -> float:
    """Time in ns within which so little relaxes, and spins turn so little, that their order does not matter."""
    noise = problem.noise
    rate = 0.0 if noise is None else float(noise.relaxation_rates(problem.n_spins).max())
    turns = 2.0 * TWO_PI * largest_flip(problem) + largest_decay(problem)
    return math.sqrt(_NEGLECTED * tolerance / (rate * turns))
