"""Scatter of c and alpha from finitely many reads alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..core.checks import real_numbers, several, whole_number
from ..core.errors import FitError, InvalidParameterError
from ..core.typing import FloatArray
from .samples import drawn_moments
from .scaling import METHODS, Method, fit_rows

_MIN_EXPERIMENTS = 10
_MIN_SIZES = 3
_MIN_FITTED = 2
_NORMALISED = 1e-6
"""Tolerance for the sum of probabilities to be one."""


@dataclass(frozen=True)
class FitScatter:
    """Fits of precision = c N^alpha to synthetic experiments.

    Attributes:
        method: ``loglog`` or ``linear``, see :func:`spinbattery.fit_scaling`.
        c, c_std: mean and standard deviation of c, whose distribution is skewed (ln c is nearly normal).
        alpha, alpha_std: mean and standard deviation of alpha.
        c_interval, alpha_interval: 2.5 and 97.5 percentiles.
        n_fitted: number of experiments with a fit.
        n_unfitted: number of experiments with a precision at every N, but no fitting power law.
    """

    method: Method
    c: float
    c_std: float
    alpha: float
    alpha_std: float
    c_interval: tuple[float, float]
    alpha_interval: tuple[float, float]
    n_fitted: int
    n_unfitted: int


@dataclass(frozen=True)
class CountingNoise:
    """Scatter of scaling fits from counting alone.

    Attributes:
        loglog, linear: the scatter of either fit.
        n_spins: N of each point.
        n_reads: reads at each N.
        n_experiments: number of synthetic experiments.
        n_without_precision: number of experiments with equal reads at some N, so that there is no precision and no
            fit; they are left out, and many of them bias the rest.
        seed: of the numpy Generator.
    """

    loglog: FitScatter
    linear: FitScatter
    n_spins: tuple[int, ...]
    n_reads: int
    n_experiments: int
    n_without_precision: int
    seed: int

    def to_dict(self) -> dict[str, Any]:
        """Plain data (text, numbers, lists) for JSON."""
        return asdict(self)


def counting_noise(
    n_spins: Iterable[int],
    flip_probabilities: Iterable[ArrayLike],
    n_reads: int = 1000,
    *,
    n_experiments: int = 400,
    seed: int = 0,
) -> CountingNoise:
    """Scatter of (c, alpha) over synthetic experiments that differ only in the reads that occurred.

    In each experiment the flips k of ``n_reads`` reads are drawn from P(k) at every N, and c N^alpha is fitted both
    ways to the precision N^2/(4 Var k), with nu - 1. For independent spins P(k) is ``FreezeOut.flip_probabilities()``
    or :func:`~spinbattery.analysis.freeze_out.poisson_binomial`; for a record
    :func:`~spinbattery.analysis.samples.flip_probabilities`; for rare flips of known variance a Poisson law.

    Args:
        n_spins: N of each point, three or more different ones.
        flip_probabilities: P(k), k = 0, 1, ... of each point.
        n_reads: reads at each N.
        n_experiments: 10 or more.
        seed: equal seeds give equal results.

    Raises:
        InvalidParameterError: P(k) that are no distribution on 0 ... N, or a bad number.
        FitError: fewer than three different N, or hardly any experiment with a precision at every N.
    """
    sizes = [whole_number("n_spins", n) for n in several("n_spins", n_spins)]
    given = several("flip_probabilities", flip_probabilities)
    if len(given) != len(sizes):
        raise InvalidParameterError(f"{len(sizes)} values of N need as many distributions of flips, not {len(given)}.")
    laws = [_checked_law(n, law) for n, law in zip(sizes, given, strict=True)]
    n_reads = whole_number("n_reads", n_reads, 2)
    n_experiments, seed = whole_number("n_experiments", n_experiments, _MIN_EXPERIMENTS), whole_number("seed", seed, 0)
    if len(set(sizes)) < _MIN_SIZES:
        raise FitError(f"c N^alpha needs points at three or more different N, but they are {sizes}.")
    generator = np.random.default_rng(seed)
    drawn = [drawn_moments(np.arange(len(law)), law, n_reads, n_experiments, generator) for law in laws]
    variances = np.column_stack([variance for _, variance in drawn])
    usable = variances[(variances > 0.0).all(axis=1)]
    if len(usable) < _MIN_FITTED:
        poorest = sizes[int(np.argmin(np.count_nonzero(variances, axis=0)))]
        raise FitError(
            f"in {n_experiments - len(usable)} of {n_experiments} experiments all reads are equal at some N, mostly at "
            f"N = {poorest}, and have no precision: take more reads than {n_reads}, or leave that N out."
        )
    spins = np.array(sizes, dtype=np.float64)
    precision = spins**2 / (4.0 * usable)
    loglog, linear = (_scatter(method, fit_rows(spins, precision, method), len(usable)) for method in METHODS)
    return CountingNoise(loglog, linear, tuple(sizes), n_reads, n_experiments, n_experiments - len(usable), seed)


def _checked_law(n_spins: int, law: ArrayLike) -> FloatArray:
    p = real_numbers("P(k)", law)
    if p.ndim != 1 or not 1 <= len(p) <= n_spins + 1:
        raise InvalidParameterError(
            f"P(k) of {n_spins} spins is one row of up to {n_spins + 1} entries, not {p.shape}."
        )
    if not ((p >= 0.0).all() and abs(float(p.sum()) - 1.0) <= _NORMALISED):
        raise InvalidParameterError(f"P(k) of {n_spins} spins must be probabilities that sum to one.")
    return np.asarray(p / p.sum())


def _scatter(method: Method, fits: FloatArray, n_usable: int) -> FitScatter:
    fits = fits[~np.isnan(fits[:, 0])]
    if len(fits) < _MIN_FITTED:
        raise FitError(f"a power law was found by {method} in {len(fits)} of {n_usable} experiments only.")
    (c, alpha), (c_std, alpha_std) = fits.mean(axis=0).tolist(), fits.std(axis=0, ddof=1).tolist()
    (c_low, alpha_low), (c_high, alpha_high) = np.percentile(fits, (2.5, 97.5), axis=0).tolist()
    return FitScatter(
        method, c, c_std, alpha, alpha_std, (c_low, c_high), (alpha_low, alpha_high), len(fits), n_usable - len(fits)
    )
