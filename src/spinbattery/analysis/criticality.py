"""Ratio of transverse field and coupling along the schedule, and the s at which it passes a critical value."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ..core.checks import finite, positive, real_numbers
from ..core.errors import InvalidParameterError
from ..core.typing import FloatArray
from ..model.scales import EnergyScales, as_scales

CRITICAL_RATIOS = {"ring": 1.0, "square lattice": 3.0445}
"""Transverse field over coupling at the transition of the ground state, for infinite N and no longitudinal field.

The value of the ring is exact (Pfeuty, Ann. Phys. 57, 79 (1970)), the value of the square lattice comes from
arXiv:2511.10934. Mean field overestimates both: it gives the number of neighbours, 2 and 4.
"""

_POINTS = 1001


def field_ratio(s: ArrayLike, J: float, scales: EnergyScales | None = None) -> FloatArray:
    """Transverse field over coupling, A(s)/(|J| B(s)); both have a factor 1/2 in H.

    Args:
        s: annealing fractions in [0, 1], of any shape.
        J: the protocol's coupling in units of B(s)/2, not zero.
        scales: A(s) and B(s); the smooth Advantage_system6 model by default.

    Returns:
        The dimensionless ratio, with the shape of ``s``.

    Raises:
        InvalidParameterError: s outside [0, 1] or no number, J zero or no number, or B(s) zero.

    Example:
        >>> round(float(field_ratio(0.35, -0.2)), 3)  # below 3.0445: ordered on a square lattice
        2.427
    """
    scales, strength = as_scales(scales), _strength(J)
    fractions = real_numbers("s", s)
    if not ((fractions >= 0.0) & (fractions <= 1.0)).all():
        raise InvalidParameterError(f"s must lie within [0, 1], but is {s!r}.")
    ising = scales.B(fractions)
    if not (ising > 0.0).all():
        raise InvalidParameterError(f"B(s) of {scales.name} is zero at some of these s, where there is no ratio.")
    return np.asarray(scales.A(fractions) / (strength * ising))


def critical_fraction(ratio: float, J: float, scales: EnergyScales | None = None) -> float:
    """Annealing fraction s at which A(s)/(|J| B(s)) has a value; a protocol whose hold is below that s crosses it.

    Where the scales pass the value more than once, it is the largest such s, which a ramp down from s = 1 reaches
    first.

    Args:
        ratio: the value, such as those in :data:`CRITICAL_RATIOS`.
        J: the protocol's coupling in units of B(s)/2, not zero.
        scales: A(s) and B(s); the smooth Advantage_system6 model by default.

    Raises:
        InvalidParameterError: a ratio that is not above zero or not reached, or J zero.

    Example:
        >>> round(critical_fraction(3.0445, -0.2), 3)
        0.331
    """
    from scipy.optimize import brentq

    scales, strength, ratio = as_scales(scales), _strength(J), positive("the ratio", ratio)

    def excess(s: ArrayLike) -> FloatArray:
        return np.asarray(scales.A(s) - ratio * strength * scales.B(s))

    grid = np.union1d(np.linspace(0.0, 1.0, _POINTS), scales.kinks)
    above = np.flatnonzero(excess(grid) >= 0.0)
    if not above.size or above[-1] == len(grid) - 1:
        where = "below {:g} everywhere" if not above.size else "above {:g} still at s = 1"
        raise InvalidParameterError(
            f"A(s)/(|J| B(s)) of {scales.name} with J = {J:g} is {where.format(ratio)}, so that no ramp from s = 1 "
            "reaches it; check J and the ratio."
        )
    low, high = grid[above[-1] : above[-1] + 2].tolist()
    return float(brentq(lambda s: float(excess(s)), low, high, xtol=1e-12))


def _strength(J: float) -> float:
    strength = abs(finite("J", J))
    if strength == 0.0:
        raise InvalidParameterError("J is zero: uncoupled spins have no transition.")
    return strength
