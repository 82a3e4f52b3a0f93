"""A pure state of few spins, ready for the kernels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...core.typing import ComplexArray, FloatArray
from ...model.operators import magnetization_diagonal
from ..common.populations import Populations, spin_expectations, summed
from ..common.splitting import SECONDS_PER_AMPLITUDE_STAGE, SHORTEST_CHUNK, Stages
from ..simd.kernels import evolve_tile, transverse_expectation


class SplitState:
    """A pure state of n spins and its diagonal operators, ready for the kernels; in one tile, one thread.

    Attributes:
        n_spins: n.
        magnetization: (2^n,) int8 diagonal of Sz.
        ising: (2^n,) diagonal of the coupling operator in units of B(s)/2.
    """

    shortest_chunk = SHORTEST_CHUNK

    def __init__(self, spinors: ComplexArray, ising: FloatArray, *, single: bool = False) -> None:
        """Product state of ``spinors`` (n, 2), up amplitude first, kept as float64 or, if ``single``, as float32."""
        self.n_spins = len(spinors)
        self.magnetization: NDArray[np.int8] = magnetization_diagonal(self.n_spins)
        self.ising = ising
        psi = np.ones(1, dtype=np.complex128)
        for up, down in spinors:
            psi = np.kron(psi, np.array([up, 1j * down]))  # the kernels' gauge: a factor i for each down
        real = np.float32 if single else np.float64
        self._re: NDArray[Any] = psi.real.astype(real)
        self._im: NDArray[Any] = psi.imag.astype(real)

    @property
    def stage_seconds(self) -> float:
        return SECONDS_PER_AMPLITUDE_STAGE * self.magnetization.size

    @property
    def arrays(self) -> list[NDArray[Any]]:
        return [self._re, self._im]

    def apply(self, stages: Stages) -> None:
        """Apply stages V T V ... V in place; see :func:`~spinbattery.engines.simd.kernels.evolve_tile`."""
        theta, field, ising = stages.theta, stages.field, stages.ising
        evolve_tile(self._re, self._im, self.n_spins, self.magnetization, self.ising, theta, field, ising)

    def probabilities(self) -> tuple[FloatArray, float]:
        """Normalised |psi|^2, shape (2^n,), and the squared norm before normalisation.

        Normalising matters: 1/sigma^2 amplifies a norm drift by mu^2/sigma^2, some hundred times.
        """
        p = np.square(self._re, dtype=np.float64)
        p += np.square(self._im, dtype=np.float64)
        norm = float(p.sum())
        p /= norm
        return p, norm

    def populations(self) -> Populations:
        """P(Sz), the mean of the couplings and the squared norm."""
        return summed(*self.probabilities(), self.magnetization, self.ising)

    def spin_magnetization(self) -> FloatArray:
        """<sz_k> of every spin, shape (n,)."""
        return spin_expectations(self.probabilities()[0])

    def transverse(self) -> float:
        """<Sx>, not normalised."""
        return float(transverse_expectation(self._re, self._im, self.n_spins))

    def amplitudes(self) -> ComplexArray:
        """Normalised amplitudes in the basis of :mod:`spinbattery.model.operators`."""
        flipped = (self.n_spins - self.magnetization.astype(np.int64)) // 2
        psi = (self._re + 1j * self._im) * np.array([1.0, -1j, -1.0, 1j])[flipped % 4]
        return np.asarray(psi / np.linalg.norm(psi))
