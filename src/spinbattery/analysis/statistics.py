"""Statistics of the charge, from records and from finitely many shots (the reads of an annealer)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ..core.checks import apart, real_numbers, whole_number
from ..core.errors import InvalidParameterError
from ..core.typing import FloatArray
from ..records.moments import Moments, precision_bound
from ..records.record import Record, as_record

_VARIANCE_ROUNDING = 1e-12
"""Below this, the mean of 1 - <sz_k>^2 over the spins is rounding noise."""

_SHOT_ROUNDING = 1e-9
"""Tolerance for |mu| above 1, and for differences between equal shots."""

_FLIP_ROUNDING = 1e-3
"""Tolerance for the number of down spins of a shot, N (1 - mu)/2, to be a whole number."""


def independence_ratio(record: Record) -> float | None:
    """Ratio Var(Sz) / sum_k Var(sz_k) = sigma^2 N^2 / sum_k (1 - <sz_k>^2) at the end of a run.

    It is 1 for independent spins, up to N when all flip together, and below 1 when they flip in turn. An exponent
    alpha > 1 alone does not show collective precision, as the mean charge of independent spins may improve with N too;
    this ratio tells them apart. For a record of reads both variances have nu - 1, and
    ``Independence.from_spins(record.spins)`` of :mod:`spinbattery.analysis.samples` gives the error of the ratio too.

    Returns:
        The ratio; None where no spin fluctuates beyond rounding, the record lacks the spins, or sigma comes from an
        approximation or from a tensor network that has not converged.
    """
    record = as_record(record)
    why = record.no_precision
    if (why is not None and not why.is_zero) or "spin_magnetization" not in record.variables:
        return None
    spins = record.variables["spin_magnetization"].values
    independent = float(np.sum(1.0 - spins**2))
    if independent <= _VARIANCE_ROUNDING * record.n_spins:
        return None
    if record.n_reads is not None:
        independent *= record.n_reads / (record.n_reads - 1)
    return record.variance * record.n_spins**2 / independent


@dataclass(frozen=True)
class SampleStatistics:
    """Mean and spread of mu = Sz/N over shots.

    Attributes:
        n_shots: nu.
        mean: mean of mu.
        variance: sigma^2 = sum_i (mu_i - mean)^2 / (nu - 1).
        std: sigma.
        mean_error: sigma / sqrt(nu).
        variance_error: standard error of sigma^2, from the fourth central moment.
        precision: 1/sigma^2. It and the errors are None where all shots are equal.
        precision_error: absolute standard error of the precision, to first order variance_error / variance^2.
        precision_bound: lower bound of 1/sigma^2 where all shots are equal and N is known, else None.
    """

    n_shots: int
    mean: float
    variance: float
    std: float
    mean_error: float | None
    variance_error: float | None
    precision: float | None
    precision_error: float | None
    precision_bound: float | None


def sample_statistics(magnetizations: ArrayLike, n_spins: int | None = None) -> SampleStatistics:
    """Statistics of nu shots; sigma^2 has nu - 1 (Eq. 6, which the paper prints for sigma).

    Equal shots have sigma = 0 and no precision, but a bound by the rule of three: with nu equal shots, fewer than 3/nu
    of all shots differ at 95 % confidence. If these differ by one spin flip, the commonest kind, they are off by 2/N,
    so that sigma^2 < (3/nu)(2/N)^2.

    Args:
        magnetizations: (nu,) mu = Sz/N of each shot, within [-1, 1].
        n_spins: N, needed for the bound; each N mu is then checked to be one of N, N - 2, ... -N.

    Raises:
        InvalidParameterError: not one-dimensional, fewer than two shots, values outside [-1, 1] or NaN,
            or shots that N spins cannot give.
    """
    shots = checked_shots(magnetizations, n_spins)
    n_shots = len(shots)
    if np.ptp(shots) <= _SHOT_ROUNDING:
        bound = None if n_spins is None else precision_bound(n_shots, n_spins)
        return SampleStatistics(n_shots, float(shots[0]), 0.0, 0.0, None, None, None, None, bound)
    found = Moments.of(shots)
    return SampleStatistics(
        n_shots=n_shots,
        mean=found.mean,
        variance=found.variance,
        std=math.sqrt(found.variance),
        mean_error=found.mean_error,
        variance_error=found.variance_error,
        precision=1.0 / found.variance,
        precision_error=found.variance_error / found.variance**2,
        precision_bound=None,
    )


def checked_shots(
    magnetizations: ArrayLike, n_spins: int | None, place: Callable[[int], str] = lambda k: f"shot {k + 1}"
) -> FloatArray:
    """(nu,) mu of each shot for :func:`sample_statistics`, with its errors, which name the ``place`` of a shot."""
    shots = real_numbers("magnetizations", magnetizations)
    if shots.ndim != 1 or len(shots) < 2:
        raise InvalidParameterError(
            f"magnetizations must be one row of two or more shots, but are of shape {shots.shape}."
        )
    if not (np.abs(shots) <= 1.0 + _SHOT_ROUNDING).all():
        k = int(np.argmin(np.abs(shots) <= 1.0 + _SHOT_ROUNDING))
        value, _, _ = apart(shots[k], 1.0, -1.0)
        raise InvalidParameterError(
            f"magnetizations must lie within [-1, 1], but {place(k)} has {value}; divide Sz by N, and per cent by 100."
        )
    if n_spins is None:
        return shots
    flipped = 0.5 * whole_number("n_spins", n_spins) * (1.0 - shots)
    off = np.abs(flipped - np.rint(flipped))
    if off.max() > _FLIP_ROUNDING:
        k = int(np.argmax(off > _FLIP_ROUNDING))
        raise InvalidParameterError(
            f"a shot of {n_spins} spins cannot have mu = {shots[k]:g}, as {place(k)} has; give the N of these shots, "
            "and enough digits."
        )
    return shots
