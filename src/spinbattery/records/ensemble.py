"""Moments of an ensemble of quantum trajectories: a known part and a sampled part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np

from ..core.typing import FloatArray
from .contents import Variable
from .schema import Variables

_SMALLEST_WEIGHT = 1e-280

_EXACT: dict[str, tuple[str, Any]] = {
    "weight": ("exact_weight", ()),
    "moments": ("exact_moments", ("instant", "moment")),
    "distribution": ("exact_distribution", "sz_total"),
    "spins": ("exact_spin_magnetization", "spin"),
}
_SAMPLED: dict[str, tuple[str, Any]] = {
    "count": ("sampled_count", ()),
    "moments": ("sampled_moments", ("instant", "sum")),
    "distribution": ("sampled_distribution", ("sz_total", "power")),
    "spins": ("sampled_spin_magnetization", ("spin", "power")),
}
"""Names and dimensions in a record of the fields of :class:`ExactPart` and :class:`SampledSums`."""


@dataclass(frozen=True)
class _Additive:
    """Values that are added field by field."""

    def __add__(self, other: Self) -> Self:
        return type(self)(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(self)))


@dataclass(frozen=True)
class ExactPart(_Additive):
    """Contribution of the strata with known expectation values: these values times the weight of the strata.

    Attributes:
        weight: probability of the strata.
        moments: (T + 1, 3) share of mu, <Sz^2>/N^2 and <H> (GHz), at the output times and, last, at the end.
        distribution: (N + 1,) share of P(Sz) at the end.
        spins: (N,) share of <sz_k> at the end.
    """

    weight: float
    moments: FloatArray
    distribution: FloatArray
    spins: FloatArray

    @property
    def conditional(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Moments, P(Sz) and <sz_k>, given that one of these strata occurs; zero if they have no weight."""
        scale = 1.0 / self.weight if self.weight > _SMALLEST_WEIGHT else 0.0
        return self.moments * scale, self.distribution * scale, self.spins * scale


@dataclass(frozen=True)
class SampledSums(_Additive):
    """Sums over trajectories drawn from the other strata; sums of two samples are added.

    The terms are differences to the mean of the exact strata, which keeps the digits of small spreads.

    Attributes:
        count: number of trajectories.
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


def _powers(values: FloatArray) -> FloatArray:
    return np.stack([values.sum(axis=0), (values**2).sum(axis=0)], axis=-1)


@dataclass(frozen=True)
class Ensemble:
    """The statistics of one run or of several, from which expectation values and standard errors follow.

    The density matrix is the mean of the trajectories' pure states, so that its <Sz> and <Sz^2> are means over
    trajectories, and sigma^2 follows from both. With weights w of the exact strata and w* of the sampled ones,

        <A> = sum_exact w <A> + w* mean*(A),    standard error w* s*(A) / sqrt(n)

    Attributes:
        exact: the exact strata.
        sampled_weight: w*, the probability of the sampled strata.
        sums: over two trajectories or more from the sampled strata.
    """

    exact: ExactPart
    sampled_weight: float
    sums: SampledSums

    @property
    def _means(self) -> FloatArray:
        """(T + 1, 7) means of the differences over the sample."""
        return self.sums.moments / self.sums.count

    @property
    def _squared_errors(self) -> FloatArray:
        """(T + 1, 4) squared standard errors of a, b and e, and the covariance of a and b in the same units."""
        mean = self._means
        spread = mean[:, 3:] - np.column_stack([mean[:, :3] ** 2, mean[:, 0] * mean[:, 1]])
        spread[:, :3] = np.maximum(spread[:, :3], 0.0)  # rounding, where all trajectories are equal
        return np.asarray(self.sampled_weight**2 * spread / (self.sums.count - 1))

    @property
    def moments(self) -> FloatArray:
        """(T + 1, 3) mu, <Sz^2>/N^2 and <H> in GHz, at the output times and at the end."""
        sampled = self.exact.conditional[0] + self._means[:, :3]
        return self.exact.moments + self.sampled_weight * sampled

    @property
    def variance(self) -> FloatArray:
        """(T + 1,) sigma^2 without the bias of <Sz>^2, the squared standard error of <Sz>."""
        moments = self.moments
        unbiased = moments[:, 1] - moments[:, 0] ** 2 + self._squared_errors[:, 0]
        return np.asarray(np.maximum(unbiased, 0.0))

    @property
    def moment_errors(self) -> FloatArray:
        """(T + 1, 3) standard errors of :attr:`moments`."""
        return np.asarray(np.sqrt(self._squared_errors[:, :3]))

    @property
    def variance_error(self) -> FloatArray:
        """(T + 1,) standard errors of sigma^2, to first order in the covariance matrix of <Sz> and <Sz^2>."""
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
        """(N + 1,) standard errors of :attr:`distribution`."""
        return self._error_of(self.sums.distribution)

    @property
    def spins(self) -> FloatArray:
        """(N,) <sz_k> at the end."""
        sampled = self.exact.conditional[2] + self.sums.spins[:, 0] / self.sums.count
        return self.exact.spins + self.sampled_weight * sampled

    @property
    def spins_error(self) -> FloatArray:
        """(N,) standard errors of :attr:`spins`."""
        return self._error_of(self.sums.spins)

    def _error_of(self, powers: FloatArray) -> FloatArray:
        mean = powers / self.sums.count
        spread = np.maximum(mean[:, 1] - mean[:, 0] ** 2, 0.0) / (self.sums.count - 1)
        return np.asarray(self.sampled_weight * np.sqrt(spread))

    def values(self) -> Variables:
        """Variables of a record, from which :meth:`from_variables` rebuilds the ensemble."""
        exact = {name: (dims, getattr(self.exact, field)) for field, (name, dims) in _EXACT.items()}
        sampled = {name: (dims, getattr(self.sums, field)) for field, (name, dims) in _SAMPLED.items()}
        return {**exact, "sampled_weight": ((), self.sampled_weight), **sampled}

    @classmethod
    def from_variables(cls, variables: Mapping[str, Variable]) -> Self:
        """Inverse of :meth:`values`.

        Raises:
            KeyError: there is no ensemble in it.
        """

        def read(name: str) -> Any:
            values = variables[name].values
            return values if values.ndim else values.item()

        return cls(
            ExactPart(**{field: read(name) for field, (name, _) in _EXACT.items()}),
            read("sampled_weight"),
            SampledSums(**{field: read(name) for field, (name, _) in _SAMPLED.items()}),
        )
