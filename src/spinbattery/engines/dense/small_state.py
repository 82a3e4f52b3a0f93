"""A pure state of few spins, ready for the kernels."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...core.arrays import read_only
from ...core.typing import ComplexArray, FloatArray, IntArray
from ...model.operators import ising_diagonal, magnetization_diagonal
from ..common.gauge import out_of_gauge, product_state
from ..common.populations import Populations, spin_expectations, summed
from ..common.propagation import State
from ..common.splitting import SECONDS_PER_AMPLITUDE_STAGE, SHORTEST_CHUNK, Stages
from ..simd.declared import evolve_tile, transverse_expectation


@lru_cache(maxsize=4)
def _kept_diagonal(n_spins: int) -> NDArray[np.int8]:
    return read_only(magnetization_diagonal(n_spins))


def kept_ising(n_spins: int, pairs: IntArray, couplings: FloatArray) -> FloatArray:
    """:func:`~spinbattery.model.operators.ising_diagonal`, kept for loops on one network."""
    return _kept_ising(n_spins, pairs.tobytes(), couplings.tobytes())


@lru_cache(maxsize=4)
def _kept_ising(n_spins: int, pairs: bytes, couplings: bytes) -> FloatArray:
    of_pairs = np.frombuffer(pairs, dtype=np.int64).reshape(-1, 2)
    return read_only(ising_diagonal(n_spins, of_pairs, np.frombuffer(couplings)))


@lru_cache(maxsize=4)  # every pass of a run begins with it
def _kept_product(n_spins: int, spinors: bytes) -> ComplexArray:
    return read_only(product_state(np.frombuffer(spinors, dtype=np.complex128).reshape(n_spins, 2)))


class BasisState(State, ABC):
    """A pure or mixed state of n spins that has all 2^n populations at hand.

    The diagonals (2^n,) of Sz and of the couplings are int8, and in units of B(s)/2.
    """

    shortest_chunk = SHORTEST_CHUNK

    def __init__(self, n_spins: int, ising: FloatArray) -> None:
        self.n_spins, self.ising = n_spins, ising
        self._known: tuple[FloatArray, float] | None = None
        self._sums: Populations | None = None
        self.magnetization: NDArray[np.int8] = _kept_diagonal(n_spins)

    @abstractmethod
    def transverse(self) -> float:
        """<Sx>, not normalised."""

    def apply(self, stages: Stages) -> None:
        """Apply stages V T V ... V in place."""
        self._known = self._sums = None
        self._apply(stages)

    def probabilities(self) -> tuple[FloatArray, float]:
        """Normalised populations (2^n,), and the norm before: the squared norm, or the trace."""
        if self._known is None:  # moments, spins and purity ask for them in turn
            p, norm = self._probabilities()
            self._known = read_only(p), norm
        return self._known

    @abstractmethod
    def _apply(self, stages: Stages) -> None:
        """Apply stages V T V ... V in place."""

    @abstractmethod
    def _probabilities(self) -> tuple[FloatArray, float]:
        """Populations of the state as it is now."""

    def populations(self) -> Populations:
        """P(Sz), the mean of the couplings and the norm."""
        if self._sums is None:
            self._sums = summed(*self.probabilities(), self.magnetization, self.ising)
        return self._sums

    def purity(self) -> float:
        """Tr rho^2, with the trace normalised."""
        return 1.0

    def spin_magnetization(self) -> FloatArray:
        """<sz_k> of every spin, shape (n,)."""
        return spin_expectations(self.probabilities()[0])


class SplitState(BasisState):
    """A pure state in one tile, for one thread."""

    def __init__(self, spinors: ComplexArray, ising: FloatArray, *, single: bool = False) -> None:
        """Product state of ``spinors`` (n, 2), up amplitude first, kept as float64 or, if ``single``, as float32."""
        super().__init__(len(spinors), ising)
        psi = _kept_product(len(spinors), spinors.tobytes())
        real = np.float32 if single else np.float64
        self._re: NDArray[Any] = psi.real.astype(real)
        self._im: NDArray[Any] = psi.imag.astype(real)

    @property
    def stage_seconds(self) -> float:
        return SECONDS_PER_AMPLITUDE_STAGE * self.magnetization.size

    @property
    def arrays(self) -> list[NDArray[Any]]:
        return [self._re, self._im]

    def _apply(self, stages: Stages) -> None:
        """See the base class, and :func:`~spinbattery.engines.simd.kernels.evolve_tile`."""
        theta, field, ising = stages.theta, stages.field, stages.ising
        evolve_tile(self._re, self._im, self.n_spins, self.magnetization, self.ising, theta, field, ising)

    def _probabilities(self) -> tuple[FloatArray, float]:
        """See the base class; a norm drift would be amplified in 1/sigma^2 by mu^2/sigma^2, some hundred times."""
        p = np.square(self._re, dtype=np.float64)
        p += np.square(self._im, dtype=np.float64)
        norm = float(p.sum())
        p /= norm
        return p, norm

    def transverse(self) -> float:
        return float(transverse_expectation(self._re, self._im, self.n_spins))

    def amplitudes(self) -> ComplexArray:
        """Normalised amplitudes in the basis of :mod:`spinbattery.model.operators`."""
        psi = (self._re + 1j * self._im) * out_of_gauge(self.n_spins)
        return np.asarray(psi / np.linalg.norm(psi))
