"""Passes with shorter and shorter steps, extrapolated to steps of no length until the error is within a tolerance.

The schemes are symmetric in time, and the meshes of all passes are one smooth function of k/m in each smooth piece of
the protocol. So the error of a pass has an expansion in even powers of 1/m (Gragg, SIAM J. Numer. Anal. 2, 384 (1965);
Hairer, Norsett, Wanner, Solving Ordinary Differential Equations I, II.9), and a linear combination of k passes of
order p has order p + 2 (k - 1).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Generic, Protocol, TypeVar

import numpy as np

from ...core.arrays import read_only
from ...core.errors import ToleranceError
from ...core.typing import FloatArray
from ...records.schema import VARIANCE_FLOOR

ROUNDING = 1e-12, 1e-12
"""Smallest estimates where nothing else is known of rounding: absolute for the mean, relative for the variance."""

_MAGNIFIED = 100.0
"""Sum of the weights' magnitudes up to which rounding is within :data:`ROUNDING`."""

_MOST_COMBINED, _COARSEST_COMBINED = 6, 0.25
"""Passes in one combination, and the least share of the finest multiple: others would magnify rounding."""

_LEAST_SHARE = 0.1
"""Estimates below this share of the tolerance are not claimed: two combinations may agree by accident."""

_CAUTION = {2: (1.5, 0.4)}
_CAUTION_OF_HIGHER_ORDER = 3.0, 0.5
"""Factors of the two differences in an estimate, by the order: without the coarsest pass, and without the finest. The
second is nearly the error of the combination before, which a further pass divides by ten and more. With these factors
the errors of random problems are mostly a hundredth of the tolerance (``tests/physics/test_promise.py``)."""

_LARGEST_RATE = 0.95
_GROWTH = 0.2
_SLOW, _LEAP, _DOUBT = 0.7, 1.5, 3.0
"""An estimate that shrinks less than by this factor is kept up by what has no expansion, such as the direction of a
field that changes its sign. The next mesh is then finer by a half, and later estimates are enlarged."""

_SMALL, _STALLED = 1e-9, 4
"""An estimate below this that does not shrink in so many passes is due to rounding."""


class HasMoments(Protocol):
    """Moments at all output times, the final time last."""

    @property
    def mean(self) -> FloatArray: ...

    @property
    def variance(self) -> FloatArray: ...


T = TypeVar("T", bound=HasMoments)


@dataclass(frozen=True)
class Extrapolated(Generic[T]):
    """The combination of all passes, with absolute error estimates of mean and variance at each output time.

    Attributes:
        change: the largest change that the finest pass made.
    """

    result: T
    passes: int
    mean_error: FloatArray
    variance_error: FloatArray
    change: float

    def after(self, change: float | None) -> Extrapolated[T]:
        """The same with estimates that are enlarged where the changes shrink slowly, from ``change`` one pass before.

        If each change is a part r of the last, those to come add up to r/(1 - r) of it; twice as much is allowed for.
        """
        rate = min(self.change / change, _LARGEST_RATE) if change else 0.0
        return self.enlarged(max(1.0, 2.0 * rate / (1.0 - rate) / _CAUTION_OF_HIGHER_ORDER[1]))

    def enlarged(self, factor: float) -> Extrapolated[T]:
        """The same with estimates that are larger by a factor."""
        return replace(self, mean_error=factor * self.mean_error, variance_error=factor * self.variance_error)

    @property
    def precision_relative_error(self) -> float:
        """Relative error estimate of the final precision 1/variance."""
        return float(self.variance_error[-1] / max(self.result.variance[-1], VARIANCE_FLOOR))

    @property
    def worst(self) -> float:
        """The error that must be within the tolerance: the largest of the two estimates and of the relative one."""
        return max(float(self.mean_error.max()), float(self.variance_error.max()), self.precision_relative_error)


def least_passes(order: int) -> int:
    """Number of passes before an estimate is believed."""
    return 4 if order == 2 else 2


def weights(of: Sequence[int], order: int) -> FloatArray:
    """Weights of passes with these multiples that leave no error of order ``order``, ``order`` + 2, ... .

    Example:
        >>> weights([1, 2], order=2)
        array([-0.33333333,  1.33333333])
    """
    return _weights(tuple(of), order)


@lru_cache(maxsize=256)
def _weights(of: tuple[int, ...], order: int) -> FloatArray:
    inverse = (of[-1] / np.array(of, dtype=np.float64)) ** 2
    conditions = inverse ** (order // 2 - 1 + np.arange(len(of))[:, None])
    conditions[0] = 1.0
    return read_only(np.linalg.solve(conditions, np.eye(len(of))[0]))


def extrapolate(
    run: Callable[[int], T],
    combined: Callable[[Sequence[T], FloatArray], T],
    tolerance: float,
    first: int,
    most: int,
    order: int,
    rounding: Callable[[T], tuple[float, float]] = lambda _: ROUNDING,
    negativity: Callable[[T], float] = lambda _: 0.0,
) -> Extrapolated[T]:
    """Call ``run(multiple)`` for finer and finer meshes until the estimates are within the tolerance.

    An estimate is the larger of two differences: between the combination of all passes and the combinations without
    the coarsest, and without the finest, with some caution.

    Args:
        run: one pass on a multiple of the first mesh.
        combined: the linear combination of passes.
        first: multiple of the first pass.
        most: largest number of passes.
        order: order of one pass, even.
        rounding: effect of rounding on a result: absolute on the mean, relative on the variance.
        negativity: how far below zero something of a result is that cannot be; asked for once the estimates are small.

    Raises:
        ToleranceError: the tolerance was not reached with ``most`` passes, or rounding alone exceeds it, or two passes
            in a row did not improve on a small estimate.
    """
    passes: dict[int, T] = {}
    estimates: list[float] = []
    change: float | None = None
    doubt, worst, multiple = 1.0, math.inf, first
    for made in range(1, most + 1):
        passes[multiple] = run(multiple)
        passes = {m: passes[m] for m in list(passes)[-_MOST_COMBINED:] if m >= _COARSEST_COMBINED * multiple}
        finest, multiple = multiple, multiple + max(1, round(_GROWTH * multiple))
        if len(passes) < 2:
            continue
        found = _judged(passes, made, combined, order, tolerance, rounding)
        plain = found.worst
        if found.change > _LEAST_SHARE * tolerance:
            found = found.after(change)
        found = found.enlarged(doubt)
        change = found.change
        if made < least_passes(order):
            continue
        worst = found.worst
        if worst <= tolerance:
            worst = max(worst, negativity(found.result))
            if worst <= tolerance:
                return found
            plain = max(plain, worst)
        if estimates and plain > _SLOW * estimates[-1]:
            multiple, doubt = math.ceil(_LEAP * finest), _DOUBT
        estimates.append(plain)
        if _have_stalled(estimates):
            raise ToleranceError(
                f"the error estimate stays at {worst:.1e}, above the tolerance {tolerance:g}: shorter steps only "
                "add to the rounding; loosen the tolerance."
            )
    raise ToleranceError(
        f"the error estimate is {worst:.1e} after {most} passes, the finest with {finest / first:.3g} times "
        f"the steps of the first, above the tolerance {tolerance:g}; loosen the tolerance, or increase the engine's "
        "max_levels."
    )


def _judged(
    passes: dict[int, T],
    made: int,
    combined: Callable[[Sequence[T], FloatArray], T],
    order: int,
    tolerance: float,
    rounding: Callable[[T], tuple[float, float]],
) -> Extrapolated[T]:
    """The combination of passes, by their multiples, with its estimates."""
    of, parts = list(passes), list(passes.values())
    of_all = weights(of, order)
    result = combined(parts, of_all)
    without = combined(parts[1:], weights(of[1:], order)), combined(parts[:-1], weights(of[:-1], order))
    magnified = max(1.0, float(np.abs(of_all).sum()) / _MAGNIFIED)
    of_mean, of_variance = (magnified * error for error in rounding(result))
    if max(of_mean, of_variance) > tolerance:
        raise ToleranceError(
            f"rounding alone may amount to {max(of_mean, of_variance):.1e}, above the tolerance {tolerance:g}, and "
            "shorter steps only add to it; loosen the tolerance, or use double precision."
        )
    least = _LEAST_SHARE * tolerance
    differences = [
        (factor * np.abs(result.mean - partner.mean), factor * np.abs(result.variance - partner.variance))
        for factor, partner in zip(_CAUTION.get(order, _CAUTION_OF_HIGHER_ORDER), without, strict=True)
    ]
    mean_error, variance_error = (np.maximum(*both) for both in zip(*differences, strict=True))
    # a variance may agree by accident where the mean does not; near full charge it is a part of what is missing
    if mean_error[-1] > of_mean:
        least = max(least, float(mean_error[-1] / max(1.0 - abs(result.mean[-1]), VARIANCE_FLOOR)))
    return Extrapolated(
        result,
        made,
        np.maximum(mean_error, _LEAST_SHARE * tolerance) + of_mean,
        np.maximum(variance_error, least * result.variance) + of_variance * result.variance,
        max(
            float(np.abs(result.mean - without[1].mean).max()),
            float(np.abs(result.variance - without[1].variance).max()),
        ),
    )


def _have_stalled(estimates: list[float]) -> bool:
    """Whether several passes in a row have left a small estimate as it was: only rounding is left."""
    last = estimates[-_STALLED:]
    return len(last) == _STALLED and last[0] < _SMALL and min(last[1:]) > 0.5 * last[0]
