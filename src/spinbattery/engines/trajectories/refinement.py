"""Step halving until the error estimates are within a tolerance."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Generic, Protocol, TypeVar

import numpy as np

from ...core.errors import ToleranceError
from ...core.typing import FloatArray
from ...records.schema import VARIANCE_FLOOR
from ..common.extrapolation import ROUNDING

_SMALL = 1e-7
"""An estimate above this may fail to shrink because steps are too long; below, because of rounding."""


class HasMoments(Protocol):
    """Moments at all output times, the final time last."""

    @property
    def mean(self) -> FloatArray: ...

    @property
    def variance(self) -> FloatArray: ...


T = TypeVar("T", bound=HasMoments)


@dataclass(frozen=True)
class Refined(Generic[T]):
    """The finest result, with absolute error estimates of mean and variance at each output time."""

    result: T
    halvings: int
    mean_error: FloatArray
    variance_error: FloatArray

    @property
    def precision_relative_error(self) -> float:
        """Relative error estimate of the final precision 1/variance."""
        return float(self.variance_error[-1] / max(self.result.variance[-1], VARIANCE_FLOOR))

    @property
    def worst(self) -> float:
        """The error that must be within the tolerance: the largest of the two estimates and of the relative one."""
        return max(float(self.mean_error.max()), float(self.variance_error.max()), self.precision_relative_error)


def refine(
    solve: Callable[[int], T],
    tolerance: float,
    max_levels: int,
    order: int,
    resolved_from: int = 0,
    rounding: Callable[[T], tuple[float, float]] = lambda _: ROUNDING,
) -> Refined[T]:
    """Call ``solve(halvings)`` for 0, 1, 2, ... halvings of the step until the estimates are within the tolerance.

    Args:
        order: order of the method, 3 or more.
        resolved_from: halvings from which steps are short against the kinks of the schedule, so that the
            observed convergence may be trusted.
        rounding: smallest estimates for a result: absolute for the mean, relative for the variance.

    Raises:
        ToleranceError: the tolerance was not reached with ``max_levels`` halvings, or rounding alone exceeds it, or two
            halvings in a row did not improve on a small estimate.
    """
    differences: list[tuple[FloatArray, FloatArray]] = []
    estimates: list[float] = []
    coarse: T | None = None
    for halvings in range(max_levels + 1):
        result = solve(halvings)
        if coarse is not None:
            differences.append((np.abs(result.mean - coarse.mean), np.abs(result.variance - coarse.variance)))
        coarse = result
        if halvings < 2:
            continue
        of_rounding = rounding(result)
        if max(of_rounding) > tolerance:
            raise ToleranceError(
                f"rounding alone may amount to {max(of_rounding):.1e}, above the tolerance {tolerance:g}, and "
                "shorter steps only add to it; loosen the tolerance, or use double precision."
            )
        resolved = halvings >= resolved_from
        mean_error, variance_error = (
            _estimate(previous, last, order, resolved) for previous, last in zip(*differences[-2:], strict=True)
        )
        mean_error = np.maximum(mean_error, of_rounding[0])
        refined = Refined(result, halvings, mean_error, np.maximum(variance_error, of_rounding[1] * result.variance))
        if refined.worst <= tolerance:
            return refined
        estimates.append(refined.worst)
        if resolved and _have_stalled(estimates):
            raise ToleranceError(
                f"the error estimate stays at {refined.worst:.1e}, above the tolerance {tolerance:g}: halving the step "
                "further only adds to the rounding; loosen the tolerance."
            )
    raise ToleranceError(
        f"the error estimate is {refined.worst:.1e} after {max_levels} halvings of the step, above the tolerance "
        f"{tolerance:g}; loosen the tolerance, or increase the engine's max_levels."
    )


def _estimate(previous: FloatArray, last: FloatArray, order: int, resolved: bool) -> FloatArray:
    """Error of the finest of three results from the two differences between them.

    With a method of order p the differences shrink by 2^p at each halving, so that the finest error is the last
    difference over 2^p - 1 (15 and 63 for orders 4 and 6). Before that regime is reached, or by the
    accident of a sign change, the last difference can mislead. So at most a factor 2^(p - 3) is
    credited, and only for as much convergence as was seen (2 over the observed ratio); and the last
    but one difference, over 2^(2 p - 2), bounds the estimate from below. Where steps are not yet short
    against the distance of the schedule's kinks, convergence is irregular: the estimate is then twice the last
    difference, or an eighth of the one before.
    """
    if not resolved:
        return np.maximum(2.0 * last, previous / 8.0)
    inverse_ratio = np.divide(last, previous, out=np.ones_like(last), where=previous > 0.0)
    credit = np.clip(2.0 * inverse_ratio, 2.0 ** (3 - order), 1.0)
    return np.maximum(last * credit, previous * 2.0 ** (2 - 2 * order))


def _have_stalled(estimates: list[float]) -> bool:
    """Whether two halvings in a row have changed a small estimate by less than half: only rounding is left."""
    last = estimates[-3:]
    return len(last) == 3 and last[-1] < _SMALL and all(fine > 0.5 * coarse for coarse, fine in pairwise(last))
