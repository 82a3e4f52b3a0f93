"""Flipped spins in the reads of an annealer: their number, their degrees, and whether they flip independently.

A flipped spin reads -1. With k flipped spins in a read, Sz = N - 2k, and the precision is 1/sigma^2 = N^2 / (4 Var k).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..core.checks import real_numbers, whole_number
from ..core.errors import InvalidParameterError
from ..core.typing import FloatArray, IntArray
from ..records.charge_state import ChargeState, discharged_probability
from ..records.moments import Moments
from ..records.record import Record, as_record

_CONFIDENCE = 0.95
_BLOCK = 1 << 18
"""Number of 64-bit entries of resamples or spins in memory at once."""


def charged(record: Record) -> bool:
    """Whether the battery is charged: mu = 0.9 or more, and no discharged peak dominates sigma.

    :attr:`Record.charge_state` names what it is otherwise: partly charged, all or nothing, or not charged.
    """
    return as_record(record).charge_state is ChargeState.CHARGED


def uncharged_probability(record: Record) -> float:
    """Probability of the discharged peak of P(Sz), where at most a tenth of the spins are up.

    For a record of reads it is the share of such reads. Independent spins have some of it too: two spins at mu = 0
    have a quarter.
    """
    return discharged_probability(as_record(record).variables["distribution"].values)


def flip_probabilities(record: Record) -> FloatArray:
    """P(k) at the end of a run for k = 0 ... N down spins, (N + 1,); relative frequencies for a record of reads."""
    return np.asarray(as_record(record).variables["distribution"].values[::-1], dtype=np.float64)


def count_flips(spins: ArrayLike) -> IntArray:
    """Number k of spins at -1 in each read, (reads,), from (reads, N) of +-1."""
    return np.asarray(np.count_nonzero(_checked_spins(spins) < 0, axis=1), dtype=np.int64)


def flips_of_reads(record: Record) -> IntArray:
    """Number k of flipped spins in each read of a record, (reads,)."""
    magnetization = as_record(record).read_magnetization
    if magnetization is None:
        raise InvalidParameterError(f"{_no_reads(record)}; P(k) is in flip_probabilities(record).")
    return np.rint(0.5 * record.n_spins * (1.0 - magnetization)).astype(np.int64)


@dataclass(frozen=True, eq=False)
class FlipStatistics:
    """Distribution of the number k of flipped spins in a read.

    Attributes:
        n_spins: N.
        counts: number of reads with k = 0, 1, ... up to the largest k that occurs.
        mean, mean_error: mean of k and its standard error.
        variance, variance_error: variance of k (nu - 1) and its standard error.
        fano, fano_error: variance over mean, 1 for rare and independent flips, and its standard error (delta method);
            None without a flip.
    """

    n_spins: int
    counts: IntArray
    mean: float
    mean_error: float
    variance: float
    variance_error: float
    fano: float | None
    fano_error: float | None

    @property
    def n_reads(self) -> int:
        return int(self.counts.sum())

    @property
    def n_uncharged(self) -> int:
        """Number of reads in the discharged peak, see :func:`uncharged_probability`."""
        by_up = np.zeros(self.n_spins + 1)
        by_up[: len(self.counts)] = self.counts
        return round(discharged_probability(by_up[::-1]) * self.n_reads)

    @classmethod
    def from_flips(cls, flips: ArrayLike, n_spins: int) -> FlipStatistics:
        """From the number of flips of each read, (reads,), two reads or more.

        Raises:
            InvalidParameterError: not one row of two or more, or not whole numbers within 0 ... N.
        """
        n_spins = whole_number("n_spins", n_spins)
        k = np.asarray(flips)
        if k.ndim != 1 or len(k) < 2:
            raise InvalidParameterError(f"flips must be one row of two or more reads, but are of shape {k.shape}.")
        if not np.issubdtype(k.dtype, np.integer) or k.min() < 0 or k.max() > n_spins:
            raise InvalidParameterError(f"flips must be whole numbers within 0 to {n_spins}, but are {flips!r}.")
        found = Moments.of(k)
        fano = error = None
        if found.mean > 0.0:
            fano = found.variance / found.mean
            influence = ((k - found.mean) ** 2 - fano * k) / found.mean
            error = float(influence.std()) / math.sqrt(len(k))
        moments = (found.mean, found.mean_error, found.variance, found.variance_error)
        return cls(n_spins, np.bincount(k), *moments, fano, error)


def flip_statistics(record: Record) -> FlipStatistics:
    """Distribution of the number of flipped spins in the reads of a record, with standard errors.

    Raises:
        InvalidParameterError: the record has no reads, or only one.
    """
    return FlipStatistics.from_flips(flips_of_reads(record), record.n_spins)


@dataclass(frozen=True, eq=False)
class DegreeFlips:
    """Flips of the spins of each degree that occurs, in ascending order.

    Attributes:
        degree: (D,) number of coupled neighbours.
        n_spins: (D,) number of spins with that degree.
        flips: (D,) how often they read -1, over all reads.
        probability: (D,) flips over spins and reads.
        low, high: (D,) 95 % Clopper-Pearson interval of the probability, which assumes that all spins and reads are
            independent and the spins of one degree alike.
    """

    degree: IntArray
    n_spins: IntArray
    flips: IntArray
    probability: FloatArray
    low: FloatArray
    high: FloatArray

    @classmethod
    def from_spins(cls, spins: ArrayLike, degrees: ArrayLike) -> DegreeFlips:
        """From reads (reads, N) of +-1 and the degree of each spin (N,).

        Raises:
            InvalidParameterError: entries other than +-1, or not one degree for each spin.
        """
        reads = _checked_spins(spins)
        found = np.asarray(degrees)
        if found.shape != reads.shape[1:]:
            raise InvalidParameterError(f"{reads.shape[1]} spins need as many degrees, not {found.shape}.")
        degree, group = np.unique(found, return_inverse=True)
        flips = np.zeros(len(degree), dtype=np.int64)
        np.add.at(flips, group, np.count_nonzero(reads < 0, axis=0))
        n_spins = np.bincount(group)
        trials = n_spins * len(reads)
        low, high = clopper_pearson(flips, trials)
        return cls(degree.astype(np.int64), n_spins, flips, flips / trials, low, high)


def flips_by_degree(record: Record) -> DegreeFlips:
    """Flips of the spins of each degree; in a ferromagnet spins with few neighbours flip most.

    Raises:
        InvalidParameterError: the record has no reads, or only their magnetizations.
    """
    spins = as_record(record).spins
    if spins is None:
        raise InvalidParameterError(f"{_no_reads(record)} of single spins, and so no flips by degree.")
    return DegreeFlips.from_spins(spins, record.variables["degree"].values)


def clopper_pearson(
    successes: ArrayLike, trials: ArrayLike, confidence: float = _CONFIDENCE
) -> tuple[FloatArray, FloatArray]:
    """Exact interval of a binomial probability (Clopper and Pearson, Biometrika 26, 404 (1934))."""
    from scipy.special import betaincinv

    k, n = np.asarray(successes, dtype=np.float64), np.asarray(trials, dtype=np.float64)
    tail = 0.5 * (1.0 - confidence)
    none, all_ = k == 0.0, k == n
    low = np.where(none, 0.0, betaincinv(np.where(none, 1.0, k), n - k + 1.0, tail))
    high = np.where(all_, 1.0, betaincinv(k + 1.0, np.where(all_, 1.0, n - k), 1.0 - tail))
    return low, high


@dataclass(frozen=True)
class Independence:
    """Ratio Var(Sz) / sum_k Var(sz_k) of reads, both variances with nu - 1.

    Attributes:
        ratio: 1 for independent spins.
        error: standard error of the ratio (delta method), from the reads; too small where no read has two flips.
        error_if_independent: standard deviation of the ratio about 1 for independent spins,
            sqrt(2 (1 - sum v_k^2 / (sum v_k)^2) / nu) with v_k = Var(sz_k), for a test of independence.
    """

    ratio: float
    error: float
    error_if_independent: float

    @classmethod
    def from_spins(cls, spins: ArrayLike) -> Independence | None:
        """From reads (reads, N) of +-1; None if no spin fluctuates.

        Raises:
            InvalidParameterError: fewer than two reads, or entries other than +-1.
        """
        reads = _checked_spins(spins)
        n_reads = len(reads)
        if n_reads < 2:
            raise InvalidParameterError("a variance needs two or more reads, but there is one.")
        down = np.count_nonzero(reads < 0, axis=0) / n_reads
        single = down * (1.0 - down)
        total = float(single.sum())
        if total == 0.0:
            return None
        squares = (count_flips(reads) - down.sum()) ** 2
        ratio = float(squares.mean()) / total
        # influence of one read on sum_k p_k (1 - p_k)
        weights = 1.0 - 2.0 * down
        step = max(1, _BLOCK // reads.shape[1])
        blocks = [(reads[k : k + step] < 0) @ weights for k in range(0, n_reads, step)]
        spread = np.concatenate(blocks) - down @ weights
        influence = (squares - ratio * (total + spread)) / total
        chance = 2.0 * (1.0 - float(single @ single) / total**2) / n_reads
        return cls(ratio, float(influence.std()) / math.sqrt(n_reads), math.sqrt(chance))


@dataclass(frozen=True)
class BootstrapIntervals:
    """95 % percentile intervals from resampled reads.

    Attributes:
        magnetization, variance, std, precision: intervals of mu, sigma^2, sigma, 1/sigma^2; the upper end of the
            precision is infinite where more than 2.5 % of the resamples do not fluctuate.
        n_resamples: number of resamples.
        seed: of the numpy Generator.
    """

    magnetization: tuple[float, float]
    variance: tuple[float, float]
    std: tuple[float, float]
    precision: tuple[float, float]
    n_resamples: int
    seed: int


def bootstrap_intervals(reads: Record | ArrayLike, *, n_resamples: int = 1000, seed: int = 0) -> BootstrapIntervals:
    """Intervals of mean and variance of mu by resampling the reads (Efron, Ann. Stat. 7, 1 (1979)).

    Args:
        reads: a record of reads, or (nu,) mu of each read.
        n_resamples: 100 or more.
        seed: equal seeds give equal intervals.

    Raises:
        InvalidParameterError: fewer than two reads, values that are not finite, or a bad option.
    """
    known = reads.read_magnetization if isinstance(reads, Record) else reads
    if known is None:
        raise InvalidParameterError("the record has no reads, and nothing to resample.")
    mu = real_numbers("magnetizations", known)
    if mu.ndim != 1 or len(mu) < 2 or not np.isfinite(mu).all():
        raise InvalidParameterError("magnetizations must be one row of two or more finite numbers.")
    n_resamples, seed = whole_number("n_resamples", n_resamples, 100), whole_number("seed", seed, 0)
    values, counts = np.unique(mu, return_counts=True)
    means, variances = drawn_moments(values, counts / len(mu), len(mu), n_resamples, np.random.default_rng(seed))
    tails = (0.5 - 0.5 * _CONFIDENCE, 0.5 + 0.5 * _CONFIDENCE)
    (mean_low, mean_high), (low, high) = (np.quantile(found, tails).tolist() for found in (means, variances))
    precision = tuple(1.0 / end if end > 0.0 else math.inf for end in (high, low))
    return BootstrapIntervals(
        magnetization=(mean_low, mean_high),
        variance=(low, high),
        std=(math.sqrt(low), math.sqrt(high)),
        precision=(precision[0], precision[1]),
        n_resamples=n_resamples,
        seed=seed,
    )


def drawn_moments(
    values: NDArray[Any], probabilities: FloatArray, n_reads: int, n_draws: int, generator: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Mean and variance (nu - 1) of each of several draws of reads, (n_draws,); the variance of equal reads is zero."""
    possible = probabilities > 0.0
    values, probabilities = values[possible], probabilities[possible]
    # about the mean, so that squares do not cancel
    centre = float(values @ probabilities)
    deviations = values - centre
    means, variances = np.empty(n_draws), np.empty(n_draws)
    step = max(1, _BLOCK // len(values))
    for start in range(0, n_draws, step):
        block = slice(start, min(start + step, n_draws))
        counts = generator.multinomial(n_reads, probabilities, size=block.stop - block.start)
        shift = counts @ deviations / n_reads
        means[block] = centre + shift
        variances[block] = (counts @ deviations**2 - n_reads * shift**2) / (n_reads - 1)
        variances[block][np.count_nonzero(counts, axis=1) == 1] = 0.0  # exactly, not to rounding
    return means, variances


def _checked_spins(spins: ArrayLike) -> NDArray[np.int8]:
    reads = np.asarray(spins)
    if reads.ndim != 2 or not reads.size:
        raise InvalidParameterError(f"spins must be of shape (reads, N), but are of shape {reads.shape}.")
    if not np.array_equal(np.abs(reads), np.ones_like(reads)):
        raise InvalidParameterError("spins must be +1 or -1 throughout.")
    return reads.astype(np.int8, copy=False)


def _no_reads(record: Record) -> str:
    return f"this record ({record.engine}) has no reads"
