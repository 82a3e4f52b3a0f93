"""Passes with shorter and shorter steps, extrapolated to steps of no length until the error is within a tolerance.

The schemes are symmetric in time, and the meshes of all passes are one smooth function of k/m in each smooth piece of
the protocol. So the error of a pass has an expansion in even powers of 1/m (Gragg, SIAM J. Numer. Anal. 2, 384 (1965);
Hairer, Norsett, Wanner, Solving Ordinary Differential Equations I, II.9), and a linear combination of k passes of
order p has order p + 2 (k - 1).
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Generic, TypeVar

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

_LEAST_SHARE, _SETTLED = 0.15, 0.1
"""Estimates below the first share of the tolerance are not claimed, as two combinations may agree by accident; changes
below the second say nothing of how slowly they shrink."""

_CAUTION = {2: (1.5, 0.4)}
_CAUTION_OF_HIGHER_ORDER = 3.0, 0.5
"""Factors of the two differences in an estimate, by the order: without the coarsest pass, and without the finest. The
second is nearly the error of the combination before, which a further pass divides by ten and more. With these factors
the errors of random problems are mostly a hundredth of the tolerance (``tests/physics/test_promise.py``)."""

_CAUTION_OF_EARLIER = 0.05
"""Factor of the difference to the combination without the two finest passes. It is in the estimates that a run reports,
up to the tolerance, and asks for no further pass: three combinations seldom agree by accident where two do."""

_LARGEST_GAIN, _LARGEST_ESTIMATE = 20.0, 4.0
"""Largest factor by which one pass makes an estimate smaller: where the differences shrink by more, they agree by
accident. A relative error counts up to the second number; beyond it says only that the combination is of no use."""

_LARGEST_RATE = 0.95
_GROWTH = 0.2
_SLOW, _LEAP, _DOUBT = 0.7, 1.5, 3.0
"""An estimate that shrinks less than by this factor is kept up by what has no expansion, such as the direction of a
field that changes its sign. The next mesh is then finer by a half, and later estimates are enlarged."""

_SMALL, _STALLED = 1e-9, 4
"""An estimate below this that does not shrink in so many passes is due to rounding."""


T = TypeVar("T")


class Passes(ABC, Generic[T]):
    """The passes of one run, of which extrapolation makes as many as it needs."""

    @abstractmethod
    def run(self, multiple: int) -> T:
        """One pass on a multiple of the first mesh."""

    @abstractmethod
    def moments(self, passes: Sequence[T], weights: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Mean and variance of a linear combination at all output times, the final time last."""

    @abstractmethod
    def combined(self, passes: Sequence[T], weights: FloatArray) -> T:
        """The linear combination, of which :meth:`moments` are the moments."""

    def rounding(self, finest: T) -> tuple[float, float]:
        """Effect of rounding on the finest pass: absolute on the mean, relative on the variance."""
        return ROUNDING

    def negativity(self, result: T) -> float:
        """How far below zero something of a combination is that cannot be; asked for once the estimates are small."""
        return 0.0


@dataclass(frozen=True)
class Extrapolated(Generic[T]):
    """The combination of all passes, with absolute error estimates of mean and variance at each output time."""

    result: T
    passes: int
    mean_error: FloatArray
    variance_error: FloatArray
    precision_relative_error: float


@dataclass(frozen=True)
class _Estimates:
    """Absolute error estimates of mean and variance of a combination at each output time.

    Attributes:
        variance: the final one.
        change: the largest change that the finest pass made.
    """

    variance: float
    mean_error: FloatArray
    variance_error: FloatArray
    change: float

    def after(self, change: float | None) -> _Estimates:
        """The same with estimates that are enlarged where the changes shrink slowly, from ``change`` one pass before.

        If each change is a part r of the last, those to come add up to r/(1 - r) of it; twice as much is allowed for.
        """
        rate = min(self.change / change, _LARGEST_RATE) if change else 0.0
        return self.enlarged(max(1.0, 2.0 * rate / (1.0 - rate) / _CAUTION_OF_HIGHER_ORDER[1]))

    def at_least(self, worst: float) -> _Estimates:
        """The same, enlarged so that the largest is not below a number."""
        return self.enlarged(worst / self.worst) if 0.0 < self.worst < worst else self

    def enlarged(self, factor: float) -> _Estimates:
        """The same with estimates that are larger by a factor."""
        if factor == 1.0:
            return self
        return replace(self, mean_error=factor * self.mean_error, variance_error=factor * self.variance_error)

    @property
    def precision_relative_error(self) -> float:
        """Relative error estimate of the final precision 1/variance."""
        return float(self.variance_error[-1] / max(self.variance, VARIANCE_FLOOR))

    @cached_property
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


def extrapolate(passes: Passes[T], tolerance: float, first: int, most: int, order: int) -> Extrapolated[T]:
    """Make passes on finer and finer meshes until the estimates are within the tolerance.

    An estimate is the larger of two differences: between the combination of all passes and the combinations without
    the coarsest, and without the finest, with some caution.

    Args:
        first: multiple of the first pass.
        most: largest number of passes.
        order: order of one pass, even.

    Raises:
        ToleranceError: the tolerance was not reached with ``most`` passes, or rounding alone exceeds it, or two passes
            in a row did not improve on a small estimate.
    """
    made = _Combinations(passes, order)
    estimates: list[float] = []
    before, change = 0.0, None
    doubt, worst, multiple = 1.0, math.inf, first
    for number in range(1, most + 1):
        made.add(multiple)
        finest, multiple = multiple, multiple + max(1, round(_GROWTH * multiple))
        if number < max(2, least_passes(order) - 1):
            continue
        judged = _judged(made, tolerance)
        found = judged.at_least(before / _LARGEST_GAIN)
        before, plain = min(judged.worst, _LARGEST_ESTIMATE), found.worst
        if found.change > _SETTLED * tolerance:
            found = found.after(change)
        found = found.enlarged(doubt)
        change = found.change
        if number < least_passes(order):
            continue
        worst = found.worst
        if worst <= tolerance:
            result = passes.combined(made.passes, made.weights)
            worst = max(worst, passes.negativity(result))
            if worst <= tolerance:
                found = _with_earlier(made, tolerance, found)
                relative = found.precision_relative_error
                return Extrapolated(result, number, found.mean_error, found.variance_error, relative)
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


class _Combinations(Generic[T]):
    """The passes that are combined, by their multiples, and the moments of their combinations, each found once."""

    def __init__(self, source: Passes[T], order: int) -> None:
        self.source, self.order = source, order
        self._made: dict[int, T] = {}
        self._moments: dict[tuple[int, ...], tuple[FloatArray, FloatArray]] = {}

    def add(self, multiple: int) -> None:
        """Make a pass, and leave out those that are too coarse beside it."""
        self._made[multiple] = self.source.run(multiple)
        kept = [m for m in list(self._made)[-_MOST_COMBINED:] if m >= _COARSEST_COMBINED * multiple]
        self._made = {m: self._made[m] for m in kept}

    @property
    def passes(self) -> list[T]:
        """The passes, the finest last."""
        return list(self._made.values())

    @property
    def weights(self) -> FloatArray:
        """Weights of all of them."""
        return weights(list(self._made), self.order)

    def moments(self, first: int = 0, last: int | None = None) -> tuple[FloatArray, FloatArray]:
        """Mean and variance of the combination of the passes ``first`` to ``last - 1``."""
        of = tuple(self._made)[first:last]
        if of not in self._moments:
            self._moments[of] = self.source.moments([self._made[m] for m in of], weights(of, self.order))
        return self._moments[of]


def _judged(made: _Combinations[T], tolerance: float) -> _Estimates:
    """Error estimates of the combination of all passes."""
    mean, variance = now = np.array(made.moments())
    magnified = max(1.0, float(np.abs(made.weights).sum()) / _MAGNIFIED)
    of_mean, of_variance = (magnified * error for error in made.source.rounding(made.passes[-1]))
    if max(of_mean, of_variance) > tolerance:
        raise ToleranceError(
            f"rounding alone may amount to {max(of_mean, of_variance):.1e}, above the tolerance {tolerance:g}, and "
            "shorter steps only add to it; loosen the tolerance, or use double precision."
        )
    least = _LEAST_SHARE * tolerance
    changes = np.abs(now - np.array([made.moments(1), made.moments(0, -1)]))  # without the coarsest, and the finest
    factors = np.array(_CAUTION.get(made.order, _CAUTION_OF_HIGHER_ORDER))
    mean_error, variance_error = (factors[:, None, None] * changes).max(axis=0)
    # a variance may agree by accident where the mean does not; near full charge it is a part of what is missing
    if mean_error[-1] > of_mean:
        least = max(least, float(mean_error[-1] / max(1.0 - abs(mean[-1]), VARIANCE_FLOOR)))
    return _Estimates(
        float(variance[-1]),
        np.maximum(mean_error, _LEAST_SHARE * tolerance) + of_mean,
        np.maximum(variance_error, least * np.abs(variance)) + of_variance * np.abs(variance),
        float(changes[1].max()),
    )


def _with_earlier(made: _Combinations[T], tolerance: float, found: _Estimates) -> _Estimates:
    """The estimates, and where it is larger but within the tolerance, a part of what the two finest passes changed."""
    if len(made.passes) < 4:  # a single pass would be left, which is far off
        return found
    now, before = made.moments(), made.moments(0, -2)
    mean_error, variance_error = (_CAUTION_OF_EARLIER * np.abs(new - old) for new, old in zip(now, before, strict=True))
    tolerance *= 1.0 - 1e-9  # what rounds to just above it would not be within it
    largest = np.full_like(variance_error, tolerance)
    largest[-1] *= min(1.0, found.variance)
    return replace(
        found,
        mean_error=np.maximum(found.mean_error, np.minimum(mean_error, tolerance)),
        variance_error=np.maximum(found.variance_error, np.minimum(variance_error, largest)),
    )


def _have_stalled(estimates: list[float]) -> bool:
    """Whether several passes in a row have left a small estimate as it was: only rounding is left."""
    last = estimates[-_STALLED:]
    return len(last) == _STALLED and last[0] < _SMALL and min(last[1:]) > 0.5 * last[0]
