"""Mean and variance of finitely many shots, with standard errors that hold for rare events as well."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike


def precision_bound(n_reads: int, n_spins: int) -> float:
    """Lower bound of 1/sigma^2 from identical reads, by the rule of three, at 95 % confidence.

    Fewer than 3/nu of all reads then differ; one that differs by one spin flip is off by 2/N, so that
    sigma^2 < (3/nu)(2/N)^2. The unseen reads are assumed to differ by one flip, the most frequent case.
    """
    return n_reads * n_spins**2 / 12.0


@dataclass(frozen=True)
class Moments:
    """Mean and variance of a quantity over nu shots, with standard errors.

    Attributes:
        mean: the mean.
        mean_error: s / sqrt(nu).
        variance: s^2 = sum (x - mean)^2 / (nu - 1).
        variance_error: standard error of s^2.
    """

    mean: float
    mean_error: float
    variance: float
    variance_error: float

    @classmethod
    def of(cls, values: ArrayLike) -> Moments:
        """Moments of (nu,) values, nu two or more.

        The error of s^2 is the root of (m4 - s^4 (nu - 3)/(nu - 1))/nu with m4 the fourth central
        moment (Kenney and Keeping, Mathematics of Statistics, part 2, 1951). The formula for normal
        values, 2 s^4/(nu - 1), would fail here: few reads of a charged battery have a flip at all, and
        m4 is then far above 3 s^4.
        """
        shots = np.asarray(values, dtype=np.float64)
        n_shots = len(shots)
        mean = float(shots.mean())
        squares = (shots - mean) ** 2
        variance = float(squares.sum()) / (n_shots - 1)
        spread = float(squares @ squares) / n_shots - variance**2 * (n_shots - 3) / (n_shots - 1)
        return cls(mean, math.sqrt(variance / n_shots), variance, math.sqrt(max(spread, 0.0) / n_shots))
