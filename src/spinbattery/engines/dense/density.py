"""A density matrix of spins under noise, ready for the kernels."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from ...core.arrays import read_only
from ...core.typing import ComplexArray, FloatArray, IntArray
from ..common.gauge import out_of_gauge, product_state
from ..common.splitting import SECONDS_PER_AMPLITUDE_STAGE, Stages
from .declared import TILE_DIGITS, evolve_flipping, evolve_relaxing
from .noise_maps import decays, relaxation_maps
from .small_state import BasisState

_STAGES_AT_ONCE = 1024
"""Number of stages whose noise maps are held in memory at once."""


class DensityState(BasisState):
    """A mixed state of n spins, and the noise that acts on it."""

    def __init__(self, spinors: ComplexArray, ising: FloatArray, pauli: FloatArray, relaxation: FloatArray) -> None:
        """Pure product state of ``spinors`` (n, 2), up amplitude first.

        Args:
            pauli: (3, n) rates of sx, sy and sz, 1/ns.
            relaxation: (n,) rates 1/T1, 1/ns.
        """
        super().__init__(len(spinors), ising)
        self._noise = _noise_of(np.vstack([pauli, relaxation]).tobytes())
        self._g = _product(spinors) if self.n_spins > TILE_DIGITS else _kept_product(spinors.tobytes()).copy()
        self._rows = _digits(self.n_spins)
        low = min(self.n_spins, TILE_DIGITS)
        self._tables = tables(low)
        self._buffer = np.empty(max(4**TILE_DIGITS, 16 * 4 ** (self.n_spins - low)))
        self._cos, self._sin = np.empty((2, self.magnetization.size))
        self._stage = np.empty((self.n_spins, 12 if self._noise.relaxes else 5))

    @property
    def stage_seconds(self) -> float:
        return SECONDS_PER_AMPLITUDE_STAGE * self._g.size

    @property
    def arrays(self) -> list[FloatArray]:
        return [self._g]

    def _apply(self, stages: Stages) -> None:
        noise = self._noise
        before, after = (self._g, self.n_spins, self.magnetization, self.ising), (noise.kinds, *self._tables)
        work = self._buffer, self._cos, self._sin, self._stage
        for part in stages.parts(_STAGES_AT_ONCE):
            if noise.relaxes:
                maps = relaxation_maps(part.theta, part.times, part.relaxing, noise.pauli, noise.relaxation)
                evolve_relaxing(*before, part.field, part.ising, maps, *after, *work)
            else:
                evolve_flipping(*before, part.field, part.ising, part.theta, part.times, noise.decays, *after, *work)

    def _probabilities(self) -> tuple[FloatArray, float]:
        p = self._g[3 * self._rows]
        trace = float(p.sum())
        p /= trace
        return p, trace

    def transverse(self) -> float:
        """See the base class; in the gauge of the kernels a difference of entries one flip off the diagonal."""
        one, other = _one_flip_off(self.n_spins)
        return float((self._g[one] - self._g[other]).sum())

    def purity(self) -> float:
        _, trace = self.probabilities()
        return float(np.einsum("i,i", self._g, self._g)) / trace**2  # BLAS sums as its threads do

    def matrix(self) -> ComplexArray:
        """Normalised rho in the basis of :mod:`spinbattery.model.operators`, shape (2^n, 2^n)."""
        return matrix_of(self._g)


def matrix_of(entries: FloatArray) -> ComplexArray:
    """Normalised rho (2^n, 2^n) in the basis of :mod:`spinbattery.model.operators`, from the entries G (4^n,)."""
    n = (entries.size.bit_length() - 1) // 2
    size = 1 << n
    order = [*range(0, 2 * n, 2), *range(1, 2 * n, 2)]
    g = entries.reshape((2,) * (2 * n)).transpose(order).reshape(size, size)
    rho = np.empty((size, size), dtype=np.complex128)
    np.add(g, g.T, out=rho.real)
    np.subtract(g, g.T, out=rho.imag)
    gauge = out_of_gauge(n)
    rho *= gauge[:, None]
    rho *= gauge.conj()
    rho /= np.trace(rho).real
    return rho


def smallest_eigenvalue(entries: FloatArray) -> float:
    """Smallest eigenvalue of the matrix with these entries, below zero by rounding and the error of the steps alone."""
    from scipy.linalg import eigvalsh

    found = eigvalsh(matrix_of(entries).T, subset_by_index=[0, 0], overwrite_a=True, check_finite=False)
    return float(found[0])


class _Noise(NamedTuple):
    """Rates in 1/ns of m kinds of spin: (3, m) of sx, sy and sz, the decays of x, y and z, and (m,) 1/T1.

    ``kinds`` (n,) is the kind of each spin.
    """

    pauli: FloatArray
    decays: FloatArray
    relaxation: FloatArray
    kinds: IntArray
    relaxes: bool


@lru_cache(maxsize=8)  # every pass of a run has the same
def _noise_of(rates: bytes) -> _Noise:
    """Noise of n spins with rates (4, n), 1/T1 last."""
    found, kinds = np.unique(np.frombuffer(rates).reshape(4, -1), axis=1, return_inverse=True)
    pauli, relaxation = found[:3].copy(), found[3].copy()
    rates_of_kinds = read_only(pauli), read_only(decays(pauli)), read_only(relaxation)
    return _Noise(*rates_of_kinds, read_only(kinds.ravel()), bool(relaxation.any()))


@lru_cache(maxsize=4)
def _digits(n_spins: int) -> IntArray:
    """Index of each row in the layout of the kernels, with its bits as digits to the base 4."""
    index = np.zeros(1, dtype=np.int64)
    for _ in range(n_spins):
        index = (4 * index[:, None] + np.array([0, 1])).ravel()
    return read_only(index)


@lru_cache(maxsize=4)
def _one_flip_off(n_spins: int) -> IntArray:
    """Indices (2, n 2^(n-1)) of the entries that are one flip off the diagonal, on either side of it."""
    rows = 3 * _digits(n_spins)
    up = [rows[(np.arange(rows.size) >> q) & 1 == 0] for q in range(n_spins)]
    return read_only(np.hstack([[where + (2 << 2 * q), where + (1 << 2 * q)] for q, where in enumerate(up)]))


@lru_cache(maxsize=4)
def tables(digits: int) -> tuple[IntArray, IntArray, FloatArray]:
    """For an index of some digits to the base 4: that of each row of bits, and how the kernels' signs follow.

    Returns:
        The index (2^digits,) with the bits of a row as digits; the number (4^digits,) of digits s, modulo 4; and for
        each number 0 to 3 of such digits elsewhere, the sign (4, 4^digits) of an entry of G.
    """
    flips = np.zeros(1, dtype=np.int64)
    for _ in range(digits):
        flips = (np.array([0, 0, 1, 0])[:, None] + flips).ravel() % 4
    total = (flips + np.arange(4)[:, None]) % 4
    return _digits(digits), read_only(flips), read_only(np.where((total == 0) | (total == 3), 1.0, -1.0))


@lru_cache(maxsize=4)  # every pass of a run begins with it
def _kept_product(spinors: bytes) -> FloatArray:
    return read_only(_product(np.frombuffer(spinors, dtype=np.complex128).reshape(-1, 2)))


def _product(spinors: ComplexArray) -> FloatArray:
    """Re + Im of the product of pure spins; the last factor is multiplied in without a complex copy of the whole."""
    spins = [product_state(spinor[None]) for spinor in spinors]
    *factors, last_factor = (np.outer(psi, psi.conj()).ravel() for psi in spins)
    rho = np.ones(1, dtype=np.complex128)
    for factor in factors:
        rho = np.multiply.outer(rho, factor).ravel()  # as np.kron, which takes ten times as long for few spins
    g = np.empty((rho.size, 4))
    for column, entry in zip(g.T, last_factor, strict=True):
        last = rho * entry
        np.add(last.real, last.imag, out=column)
    return g.ravel()
