"""Sums over the populations of a state, from which its moments are made."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from ...core.typing import FloatArray
from ...model.problem import ChargingProblem


class Populations(NamedTuple):
    """Normalised sums over the populations of the basis states.

    Attributes:
        distribution: (N + 1,) P(Sz), from Sz = -N to N.
        ising: mean of the coupling operator in units of B(s)/2.
        norm: trace, or squared norm, before normalisation.
    """

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
    n = problem.n_spins
    distribution, ising, norm = state.populations()
    values = np.arange(-n, n + 1, 2) / n
    mean = float(distribution @ values)
    variance = float(distribution @ (values - mean) ** 2)
    bx, bz, half_b = (float(c) for c in problem.fields(time))
    energy = bx * state.transverse() / norm + bz * n * mean + half_b * ising
    return mean, variance, energy


def summed(p: FloatArray, norm: float, magnetization: NDArray[np.int8], ising: FloatArray) -> Populations:
    """Populations from normalised probabilities p of configurations, or of their orbits; the last is all down."""
    # sums by numpy: sums by BLAS depend on its number of threads
    n = -int(magnetization[-1])
    up = (magnetization.astype(np.int16) + n) // 2
    distribution = np.asarray(np.bincount(up, weights=p, minlength=n + 1), dtype=np.float64)
    return Populations(distribution, float((p * ising).sum()), norm)


def spin_expectations(p: FloatArray) -> FloatArray:
    """<sz_k> of every spin, shape (N,), from weights p (2^N,) of the basis states."""
    n = p.size.bit_length() - 1
    halves = [p.reshape(1 << k, 2, 1 << (n - 1 - k)).sum(axis=(0, 2)) for k in range(n)]
    return np.array([float(up - down) for up, down in halves])
