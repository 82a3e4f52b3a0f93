"""A density matrix of spins under noise, ready for the kernels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...core.typing import ComplexArray, FloatArray, IntArray
from ...model.operators import magnetization_diagonal
from ..common.populations import Populations, spin_expectations, summed
from ..common.splitting import SECONDS_PER_AMPLITUDE_STAGE, SHORTEST_CHUNK, Stages
from .density_kernels import evolve_density
from .noise_maps import flip_maps, relaxation_maps

_STAGES_AT_ONCE = 1024
"""Of which maps are held."""

_WORK_OF_MAPS, _WORK_OF_RELAXATION_MAPS = 25.0, 240.0
_WORK_OF_ENTRY, _WORK_OF_RELAXING_ENTRY = 0.7, 1.7


def stage_work(n_spins: int, relaxes: bool) -> float:
    """Work of a stage, in amplitudes of a pure state: the maps of a kind of spin, and the entries."""
    if relaxes:
        return _WORK_OF_RELAXATION_MAPS + _WORK_OF_RELAXING_ENTRY * 4.0**n_spins
    return _WORK_OF_MAPS + _WORK_OF_ENTRY * 4.0**n_spins


class DensityState:
    """A mixed state of n spins, its diagonal operators, and the noise that acts on it.

    Attributes:
        n_spins: n.
        magnetization: (2^n,) int8 diagonal of Sz.
        ising: (2^n,) diagonal of the coupling operator in units of B(s)/2.
    """

    shortest_chunk = SHORTEST_CHUNK

    def __init__(self, spinors: ComplexArray, ising: FloatArray, pauli: FloatArray, relaxation: FloatArray) -> None:
        """Pure product state of ``spinors`` (n, 2), up amplitude first.

        Args:
            spinors: one for each spin.
            ising: (2^n,) diagonal.
            pauli: (3, n) rates of sx, sy and sz, 1/ns.
            relaxation: (n,) rates 1/T1, 1/ns.
        """
        self.n_spins = len(spinors)
        self.magnetization: NDArray[np.int8] = magnetization_diagonal(self.n_spins)
        self.ising = ising
        rates, kinds = np.unique(np.vstack([pauli, relaxation]), axis=1, return_inverse=True)
        self._pauli, self._relaxation, self._kinds = rates[:3], rates[3], kinds.ravel()
        self._g = _product(spinors)
        self._rows = _digits(self.n_spins)

    @property
    def stage_seconds(self) -> float:
        return SECONDS_PER_AMPLITUDE_STAGE * self._g.size

    @property
    def arrays(self) -> list[FloatArray]:
        return [self._g]

    def apply(self, stages: Stages) -> None:
        """Apply stages V T V ... V in place."""
        for part in stages.parts(_STAGES_AT_ONCE):
            if self._relaxation.any():
                maps = relaxation_maps(part.theta, part.times, part.relaxing, self._pauli, self._relaxation)
            else:
                maps = flip_maps(part.theta, part.times, self._pauli)
            evolve_density(
                self._g, self.n_spins, self.magnetization, self.ising, part.field, part.ising, maps, self._kinds
            )

    def probabilities(self) -> tuple[FloatArray, float]:
        """Populations divided by the trace, shape (2^n,), and the trace."""
        p = self._g[3 * self._rows]
        trace = float(p.sum())
        p /= trace
        return p, trace

    def populations(self) -> Populations:
        """P(Sz), the mean of the couplings and the trace."""
        return summed(*self.probabilities(), self.magnetization, self.ising)

    def spin_magnetization(self) -> FloatArray:
        """<sz_k> of every spin, shape (n,)."""
        return spin_expectations(self.probabilities()[0])

    def transverse(self) -> float:
        """<Sx>, not normalised: in the gauge of the kernels the difference of entries one flip off the diagonal."""
        total = 0.0
        for q in range(self.n_spins):
            up = 3 * self._rows[(np.arange(self._rows.size) >> q) & 1 == 0]
            total += float(np.sum(self._g[up + (2 << 2 * q)] - self._g[up + (1 << 2 * q)]))
        return total

    def purity(self) -> float:
        """Tr rho^2, with the trace normalised."""
        _, trace = self.probabilities()
        return float(np.einsum("i,i", self._g, self._g)) / trace**2  # BLAS sums as its threads do

    def matrix(self) -> ComplexArray:
        """Normalised rho in the basis of :mod:`spinbattery.model.operators`, shape (2^n, 2^n)."""
        n, size = self.n_spins, 1 << self.n_spins
        order = [*range(0, 2 * n, 2), *range(1, 2 * n, 2)]
        g = self._g.reshape((2,) * (2 * n)).transpose(order).reshape(size, size)
        rho = np.empty((size, size), dtype=np.complex128)
        np.add(g, g.T, out=rho.real)
        np.subtract(g, g.T, out=rho.imag)
        down = (n - self.magnetization.astype(np.int64)) // 2
        gauge = np.array([1.0, -1j, -1.0, 1j])[down % 4]
        rho *= gauge[:, None]
        rho *= gauge.conj()
        rho /= np.trace(rho).real
        return rho

    def smallest_eigenvalue(self) -> float:
        """Of the normalised density matrix; below zero by rounding and by the error of the splitting alone."""
        from scipy.linalg import eigvalsh

        found = eigvalsh(self.matrix().T, subset_by_index=[0, 0], overwrite_a=True, check_finite=False)
        return float(found[0])


def _digits(n_spins: int) -> IntArray:
    """Index of each row in the layout of the kernels: its bits as digits to the base 4."""
    index = np.zeros(1, dtype=np.int64)
    for _ in range(n_spins):
        index = (4 * index[:, None] + np.array([0, 1])).ravel()
    return index


def _product(spinors: ComplexArray) -> FloatArray:
    """Re + Im of the product of pure spins; the last factor needs no complex copy of the whole."""
    rho: ComplexArray = np.ones(1, dtype=np.complex128)
    factors = []
    for up, down in spinors:
        amplitudes = np.array([up, 1j * down])  # the kernels' gauge
        factors.append(np.outer(amplitudes, amplitudes.conj()).ravel())
    for factor in factors[:-1]:
        rho = np.asarray(np.kron(rho, factor), dtype=np.complex128)
    g = np.empty((rho.size, 4))
    for column, entry in zip(g.T, factors[-1], strict=True):
        last = rho * entry
        np.add(last.real, last.imag, out=column)
    return g.ravel()
