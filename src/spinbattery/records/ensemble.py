"""Moments of an ensemble of quantum trajectories: a part that is known and a part that is sampled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from ..core.typing import FloatArray

if TYPE_CHECKING:
    import xarray as xr

_SMALLEST_WEIGHT = 1e-280
_MOMENT, _SUM, _POWER, _INSTANT = "moment", "sum", "power", "instant"


@dataclass(frozen=True)
class ExactPart:
    """Contribution of the strata whose expectation values are known, times their weight.

    Attributes:
        weight: their probability.
        moments: (T + 1, 3) of mu, <Sz^2>/N^2 and <H> (GHz), at the output times and, last, at the end.
        distribution: (N + 1,) of P(Sz) at the end.
        spins: (N,) of <sz_k> at the end.
    """

    weight: float
    moments: FloatArray
    distribution: FloatArray
    spins: FloatArray

    @property
    def conditional(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Moments, P(Sz) and <sz_k> given that one of these strata occurs; zero where none has any weight."""
        scale = 1.0 / self.weight if self.weight > _SMALLEST_WEIGHT else 0.0
        return self.moments * scale, self.distribution * scale, self.spins * scale

    def __add__(self, other: Self) -> Self:
        return type(self)(
            self.weight + other.weight,
            self.moments + other.moments,
            self.distribution + other.distribution,
            self.spins + other.spins,
        )


@dataclass(frozen=True)
class SampledSums:
    """Sums over trajectories drawn from the other strata; those of two samples add up to those of both.

    What is summed are differences to the mean of the exact strata, which keeps the digits of small spreads.

    Attributes:
        count: trajectories.
        moments: (T + 1, 7) sums of a, b, e, a^2, b^2, e^2 and a b, with a, b and e the differences of mu, <Sz^2>/N^2
            and <H> (GHz) of one trajectory, at the output times and, last, at the end.
        distribution: (N + 1, 2) sums of differences of P(Sz), and of their squares.
        spins: (N, 2) sums of differences of <sz_k>, and of their squares.
    """

    count: int
    moments: FloatArray
    distribution: FloatArray
    spins: FloatArray

    @classmethod
    def of(cls, moments: FloatArray, distribution: FloatArray, spins: FloatArray, exact: ExactPart) -> Self:
        """Sums over R trajectories, from values (R, T + 1, 3), (R, N + 1) and (R, N), beside those exact strata."""
        known = exact.conditional
        moments, distribution, spins = moments - known[0], distribution - known[1], spins - known[2]
        product = moments[..., 0] * moments[..., 1]
        terms = np.concatenate([moments, moments**2, product[..., None]], axis=-1)
        return cls(len(moments), terms.sum(axis=0), _powers(distribution), _powers(spins))

    def __add__(self, other: Self) -> Self:
        return type(self)(
            self.count + other.count,
            self.moments + other.moments,
            self.distribution + other.distribution,
            self.spins + other.spins,
        )


def _powers(values: FloatArray) -> FloatArray:
    return np.stack([values.sum(axis=0), (values**2).sum(axis=0)], axis=-1)


@dataclass(frozen=True)
class Ensemble:
    """All that is known from a run, or from several: expectation values and their standard errors follow from it.

    The density matrix is the mean of the trajectories' pure states, so that its <Sz> and <Sz^2> are means over
    trajectories, and sigma^2 follows from both. With weights w of strata, exact ones without a star,

        <A> = sum_exact w <A> + w* mean*(A),    standard error w* s*(A) / sqrt(n)

    Attributes:
        exact: the strata that are known.
        sampled_weight: w*, the probability of the others.
        sums: over what was drawn from these, two trajectories or more.
    """

    exact: ExactPart
    sampled_weight: float
    sums: SampledSums

    @property
    def _means(self) -> FloatArray:
        """(T + 1, 7) means over the sample, of differences."""
        return self.sums.moments / self.sums.count

    @property
    def _squared_errors(self) -> FloatArray:
        """(T + 1, 4) squared standard errors of a, b and e, and the covariance of a and b in the same units."""
        mean = self._means
        spread = mean[:, 3:] - np.column_stack([mean[:, :3] ** 2, mean[:, 0] * mean[:, 1]])
        spread[:, :3] = np.maximum(spread[:, :3], 0.0)  # rounding, where all trajectories are alike
        return np.asarray(self.sampled_weight**2 * spread / (self.sums.count - 1))

    @property
    def moments(self) -> FloatArray:
        """(T + 1, 3) mu, <Sz^2>/N^2 and <H> in GHz, at the output times and at the end."""
        sampled = self.exact.conditional[0] + self._means[:, :3]
        return self.exact.moments + self.sampled_weight * sampled

    @property
    def variance(self) -> FloatArray:
        """(T + 1,) sigma^2, free of the bias of <Sz>^2, which is its squared standard error."""
        moments = self.moments
        unbiased = moments[:, 1] - moments[:, 0] ** 2 + self._squared_errors[:, 0]
        return np.asarray(np.maximum(unbiased, 0.0))

    @property
    def moment_errors(self) -> FloatArray:
        """(T + 1, 3) standard errors of :attr:`moments`."""
        return np.asarray(np.sqrt(self._squared_errors[:, :3]))

    @property
    def variance_error(self) -> FloatArray:
        """(T + 1,) standard errors of sigma^2, to first order in those of <Sz> and <Sz^2> and their covariance."""
        a, b, _, ab = self._squared_errors.T
        slope = 2.0 * self.moments[:, 0]
        return np.asarray(np.sqrt(np.maximum(b - 2.0 * slope * ab + slope**2 * a, 0.0)))

    @property
    def distribution(self) -> FloatArray:
        """(N + 1,) P(Sz) at the end."""
        sampled = self.exact.conditional[1] + self.sums.distribution[:, 0] / self.sums.count
        return self.exact.distribution + self.sampled_weight * sampled

    @property
    def distribution_error(self) -> FloatArray:
        """(N + 1,) standard errors of it."""
        return self._error_of(self.sums.distribution)

    @property
    def spins(self) -> FloatArray:
        """(N,) <sz_k> at the end."""
        sampled = self.exact.conditional[2] + self.sums.spins[:, 0] / self.sums.count
        return self.exact.spins + self.sampled_weight * sampled

    @property
    def spins_error(self) -> FloatArray:
        """(N,) standard errors of it."""
        return self._error_of(self.sums.spins)

    def _error_of(self, powers: FloatArray) -> FloatArray:
        mean = powers / self.sums.count
        spread = np.maximum(mean[:, 1] - mean[:, 0] ** 2, 0.0) / (self.sums.count - 1)
        return np.asarray(self.sampled_weight * np.sqrt(spread))

    def values(self) -> dict[str, Any]:
        """All of it as variables of a dataset, from which :meth:`from_dataset` makes it again."""
        return {
            "exact_weight": ((), self.exact.weight),
            "exact_moments": ((_INSTANT, _MOMENT), self.exact.moments),
            "exact_distribution": ("sz_total", self.exact.distribution),
            "exact_spin_magnetization": ("spin", self.exact.spins),
            "sampled_weight": ((), self.sampled_weight),
            "sampled_count": ((), self.sums.count),
            "sampled_moments": ((_INSTANT, _SUM), self.sums.moments),
            "sampled_distribution": (("sz_total", _POWER), self.sums.distribution),
            "sampled_spin_magnetization": (("spin", _POWER), self.sums.spins),
        }

    @classmethod
    def from_dataset(cls, dataset: xr.Dataset) -> Self:
        """Inverse of :meth:`values`.

        Raises:
            KeyError: there is no ensemble in it.
        """

        def array(name: str) -> FloatArray:
            return np.asarray(dataset[name].to_numpy())

        exact = ExactPart(
            float(dataset["exact_weight"].item()),
            array("exact_moments"),
            array("exact_distribution"),
            array("exact_spin_magnetization"),
        )
        sums = SampledSums(
            int(dataset["sampled_count"].item()),
            array("sampled_moments"),
            array("sampled_distribution"),
            array("sampled_spin_magnetization"),
        )
        return cls(exact, float(dataset["sampled_weight"].item()), sums)
