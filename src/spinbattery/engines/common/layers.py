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
from .mesh import largest_decay, largest_flip, relaxes, turning_points

_RATIO = 2.0
"""Ratio of the distances of two consecutive stops from a layer. With 3, more errors were above their estimates."""

_REACH = 2.0
"""Steps to which the stops reach: where the transverse field is small, steps are longer than the mean."""

_NEGLECTED = 0.03
"""Share of the tolerance that the place of what happens before the first stop may amount to."""


def layer_stops(problem: ChargingProblem, tolerance: float, step: float) -> FloatArray:
    """Times in ns near those at which the field turns about, where this takes a part of ``step`` (ns) alone.

    Their distances from it grow by a constant factor to some steps, from the width of the layer, or from where so
    little relaxes that its place does not matter.
    """
    if not relaxes(problem):
        return np.empty(0)
    least = _least_distance(problem, tolerance)
    points, before, after = turning_points(problem)
    stops = [np.empty(0)]
    for side, widths in ((-1.0, before), (1.0, after)):
        for point, width in zip(points.tolist(), widths.tolist(), strict=True):
            nearest = max(least, width)
            if nearest < step:
                count = math.ceil(math.log(_REACH * step / nearest, _RATIO))
                stops.append(point + side * nearest * _RATIO ** np.arange(count))
    return np.sort(np.concatenate(stops))


def _least_distance(problem: ChargingProblem, tolerance: float) -> float:
    """Time in ns within which so little relaxes, and spins turn so little, that their order does not matter."""
    noise = problem.noise
    rate = 0.0 if noise is None else float(noise.relaxation_rates(problem.n_spins).max())
    turns = 2.0 * TWO_PI * largest_flip(problem) + largest_decay(problem)
    return math.sqrt(_NEGLECTED * tolerance / (rate * turns))
