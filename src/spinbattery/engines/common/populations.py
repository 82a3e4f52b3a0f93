"""Sums over the populations of a state, from which its moments are made."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from ...core.arrays import read_only
from ...core.typing import ComplexArray, FloatArray
from ...model.problem import ChargingProblem


class Populations(NamedTuple):
    """P(Sz) (N + 1,), mean of the couplings in units of B(s)/2, and the trace or squared norm before normalisation."""

    distribution: FloatArray
    ising: float
    norm: float


class Observable(Protocol):
    """A pure or mixed state that has moments."""

    def populations(self) -> Populations: ...

    def transverse(self) -> float:
        """<Sx>, not normalised."""
        ...


def state_moments(problem: ChargingProblem, state: Observable, time: float) -> tuple[float, float, float]:
    """mu, sigma^2 and <H> in GHz at a time in ns."""
    distribution, ising, norm = state.populations()
    mean, variance = mean_and_variance(distribution)
    bx, bz, half_b = _fields_at(problem, time)
    energy = bx * state.transverse() / norm + bz * problem.n_spins * mean + half_b * ising
    return mean, variance, energy


def final_moments(state: Observable) -> tuple[float, float, float]:
    """mu and sigma^2 of a state, and NaN for <H>, which records have at output times alone."""
    return *mean_and_variance(state.populations().distribution), math.nan


@lru_cache(maxsize=512)
def _fields_at(problem: ChargingProblem, time: float) -> tuple[float, float, float]:
    """Bx, Bz and B(s)/2 in GHz at a time in ns, for which every pass asks again."""
    bx, bz, half_b = problem.fields(time)
    return float(bx), float(bz), float(half_b)


def summed(p: FloatArray, norm: float, magnetization: NDArray[np.int8], ising: FloatArray) -> Populations:
    """Populations from normalised probabilities p of configurations, or of their orbits; the last is all down."""
    # sums by numpy: sums by BLAS depend on its number of threads
    return Populations(distribution_of(p, magnetization), float((p * ising).sum()), norm)


def distribution_of(p: FloatArray, magnetization: NDArray[np.int8]) -> FloatArray:
    """P(Sz) (N + 1,) from probabilities p of configurations, or of their orbits; the last is all down."""
    n = -int(magnetization[-1])
    twice_up = magnetization.astype(np.intp)
    twice_up += n
    return np.array(np.bincount(twice_up, weights=p, minlength=2 * n + 1)[::2], dtype=np.float64)


def fourier_angles(n_spins: int) -> FloatArray:
    """Angles theta at which <exp(-i theta (number of spins up))> determines P(Sz)."""
    return 2.0 * np.pi * np.arange((n_spins + 1) // 2 + 1) / (n_spins + 1)


def from_characteristic(characteristic: ComplexArray, n_spins: int) -> FloatArray:
    """P(Sz) (N + 1,) from Sz = -N to N, from the characteristic function at these angles."""
    found = np.maximum(np.fft.irfft(characteristic, n_spins + 1), 0.0)  # rounding leaves some -1e-17
    return np.asarray(found / found.sum())


@lru_cache(maxsize=16)
def _values(n_spins: int) -> FloatArray:
    """Sz/N from -1 to 1."""
    return read_only(np.arange(-n_spins, n_spins + 1, 2) / n_spins)


def mean_and_variance(distribution: FloatArray) -> tuple[float, float]:
    """mu and sigma^2 of P(Sz)."""
    values = _values(len(distribution) - 1)
    mean = float(distribution @ values)
    return mean, float(distribution @ (values - mean) ** 2)


def spin_expectations(p: FloatArray) -> FloatArray:
    """<sz_k> of every spin, shape (N,), from weights p (2^N,) of the basis states."""
    n = p.size.bit_length() - 1
    if n <= _FEW_SPINS:
        return np.asarray((_signs(n) * p).sum(axis=1))
    halves = [p.reshape(1 << k, 2, 1 << (n - 1 - k)).sum(axis=(0, 2)) for k in range(n)]
    return np.array([float(up - down) for up, down in halves])


_FEW_SPINS = 10
"""Number of spins up to which all sums together are quicker than one by one."""


@lru_cache(maxsize=_FEW_SPINS + 1)
def _signs(n_spins: int) -> FloatArray:
    """sz_k of the basis states, shape (N, 2^N)."""
    downs = np.arange(1 << n_spins) >> np.arange(n_spins)[::-1, None] & 1
    return read_only(np.where(downs, -1.0, 1.0))
