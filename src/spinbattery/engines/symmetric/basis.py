"""The symmetric sector: one basis state for each orbit of spin configurations."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ...core.arrays import distinct, read_only
from ...core.typing import ComplexArray, FloatArray, IntArray
from ...model.problem import ChargingProblem
from ...model.symmetry import AutomorphismGroup
from ..simd.sizes import LANES
from .declared import UNSEEN, flood_orbits

LARGEST_N = 31
"""Configurations are 32-bit numbers, of which the last marks orbits that are not found yet."""

_MOST_ELEMENTS = 20_000
_SAMPLED_ELEMENTS = 4_000
_CHUNK, _ROWS_AT_ONCE = 1 << 22, 1 << 14
_FEW_SPINS = 16
"""Spins up to which orbits are kept, 5 MB for each network at most."""

Advance = Callable[[float], None]
"""Called with the fraction of the sector that is built."""


@dataclass(frozen=True, eq=False)
class SymmetricSector:
    """States with one amplitude for each orbit: the fully symmetric sector.

    All configurations of an orbit have its amplitude, which is not normalised by the size of the orbit. Sx is then a
    sum of amplitudes without factors, y[r] = sum_k a[index[r, k]], and sizes enter only in probabilities.

    Attributes:
        index: (dimension, N) row that flipping one spin leads to, for the N spins, in ascending order.
        representatives: (dimension,) smallest configuration of each orbit, spin 0 in the highest bit, bit 0 up;
            sorted by the number of spins down.
        sizes: (dimension,) configurations of each orbit.
        magnetization: (dimension,) Sz.
        ising: (dimension,) diagonal of the coupling operator in units of B(s)/2.
    """

    n_spins: int
    index: NDArray[np.uint32]
    representatives: NDArray[np.uint32]
    sizes: FloatArray
    magnetization: NDArray[np.int8]
    ising: FloatArray

    @property
    def dimension(self) -> int:
        return len(self.representatives)

    @cached_property
    def entries(self) -> FloatArray:
        """Sz, Ising energy and size of each row (3, n), for its real and its imaginary part; n is a multiple of LANES.

        Zeros follow on the rows.
        """
        of_rows = np.array([self.magnetization, self.ising, self.sizes])
        found = np.zeros((3, -(-2 * self.dimension // LANES) * LANES))
        found[:, : 2 * self.dimension] = np.repeat(of_rows, 2, axis=1)
        return read_only(found)

    @cached_property
    def ising_extremes(self) -> FloatArray:
        """Lowest and highest Ising energy (2, N + 1) at each Sz, from -N on."""
        up = (self.magnetization.astype(np.int64) + self.n_spins) // 2
        found = np.tile([[np.inf], [-np.inf]], self.n_spins + 1)
        np.minimum.at(found[0], up, self.ising)
        np.maximum.at(found[1], up, self.ising)
        return read_only(found)

    @classmethod
    def build(
        cls, problem: ChargingProblem, group: AutomorphismGroup, advance: Advance = lambda _: None
    ) -> SymmetricSector:
        """Find the orbits by visiting all 2^N configurations once, with 4 bytes for each of them.

        Those of few spins are kept: another protocol on the same network has the same.
        """
        n, (pairs, couplings) = problem.n_spins, problem.couplings
        if n <= _FEW_SPINS:
            return _kept_sector(group, pairs.tobytes(), couplings.tobytes())
        orbits = _sorted_orbits(group, advance)
        return cls(n, *orbits, _ising(orbits[1], n, pairs, couplings))

    def product_amplitudes(self, spinors: ComplexArray) -> ComplexArray:
        """Amplitudes (dimension,) of a product state of ``spinors`` (N, 2) that has the symmetries."""
        if (spinors == spinors[0]).all():
            up, down = (np.cumprod([1.0, *([amplitude] * self.n_spins)]) for amplitude in spinors[0])
            number = (self.magnetization.astype(np.int64) + self.n_spins) // 2
            return np.asarray(up[number] * down[self.n_spins - number], dtype=np.complex128)
        amplitudes = np.ones(self.dimension, dtype=np.complex128)
        for k, spinor in enumerate(spinors):
            amplitudes *= spinor[self.bits(k)]
        return amplitudes

    def bits(self, spin: int) -> NDArray[np.uint32]:
        """Whether a spin is down in each representative, (dimension,) of 0 and 1."""
        return np.asarray((self.representatives >> np.uint32(self.n_spins - 1 - spin)) & np.uint32(1))

    def spin_magnetization(self, p: FloatArray, site_orbits: IntArray) -> FloatArray:
        """<sz_k> (N,) from the probabilities of the orbits; spins of one orbit have the same."""
        if not site_orbits.any():  # the sums by numpy, as BLAS sums as its threads do
            return np.full(self.n_spins, float((p * self.magnetization).sum()) / self.n_spins)
        found = np.empty(self.n_spins)
        for site in distinct(site_orbits):
            members = np.flatnonzero(site_orbits == site)
            down = sum(float((p * self.bits(int(k))).sum()) for k in members)
            found[members] = 1.0 - 2.0 * down / len(members)
        return found

    def expand(self, amplitudes: ComplexArray, group: AutomorphismGroup) -> ComplexArray:
        """Amplitudes (2^N,) in the basis of :mod:`spinbattery.model.operators`."""
        orbit_of, found, _ = _orbits(self.n_spins, group, lambda _: None)
        rows = np.empty(len(found), dtype=np.int64)
        rows[np.argsort(np.bitwise_count(found), kind="stable")] = np.arange(len(found))
        return np.asarray(amplitudes[rows][orbit_of])


@lru_cache(maxsize=256)
def sector_dimension(group: AutomorphismGroup) -> int:
    """Number of orbits of spin configurations: the mean of 2^cycles over the group (Burnside).

    Groups of more than 20 000 elements are sampled, with a fixed seed; the estimate is good to a tenth or so.
    """
    elements = group.elements(_MOST_ELEMENTS)
    if elements is None:
        elements = group.sample(_SAMPLED_ELEMENTS, np.random.default_rng(0))
    smallest, power = np.broadcast_to(np.arange(group.n_spins), elements.shape).copy(), elements
    for _ in range(group.n_spins.bit_length()):
        smallest = np.minimum(smallest, np.take_along_axis(smallest, power, axis=1))
        power = np.take_along_axis(power, power, axis=1)
    cycles = (smallest == np.arange(group.n_spins)).sum(axis=1)
    counts = np.bincount(cycles)
    total = sum(int(count) << length for length, count in enumerate(counts.tolist()))
    return max(group.n_spins + 1, round(total / len(elements)))


def largest_orbit(group: AutomorphismGroup) -> int:
    """Largest possible number of configurations in an orbit, as symmetries keep the number of spins down."""
    return min(group.order, math.comb(group.n_spins, group.n_spins // 2))


_SortedOrbits: TypeAlias = tuple[NDArray[np.uint32], NDArray[np.uint32], FloatArray, NDArray[np.int8]]
"""Index, representatives, sizes and magnetization of a sector."""


def _sorted_orbits(group: AutomorphismGroup, advance: Advance = lambda _: None) -> _SortedOrbits:
    """The parts of a sector that depend on the group alone."""
    n = group.n_spins
    orbit_of, found, sizes = _orbits(n, group, advance)
    down = np.bitwise_count(found)
    order = np.argsort(down, kind="stable")
    rank = np.empty(len(order), dtype=np.uint32)
    rank[order] = np.arange(len(order), dtype=np.uint32)
    index = np.empty((len(order), n), dtype=np.uint32)
    for first in range(0, len(order), _ROWS_AT_ONCE):  # few rows, which stay in the cache
        rows = slice(first, first + _ROWS_AT_ONCE)
        for k in range(n):
            index[rows, k] = rank[orbit_of[found[order[rows]] ^ np.uint32(1 << k)]]
        index[rows].sort(axis=1)  # neighbours in memory are read after one another
        advance(0.8 + 0.2 * first / len(order))
    magnetization = (n - 2 * down[order].astype(np.int16)).astype(np.int8)
    return (
        read_only(index),
        read_only(found[order]),
        read_only(sizes[order].astype(np.float64)),
        read_only(magnetization),
    )


_kept_orbits = lru_cache(maxsize=8)(_sorted_orbits)


@lru_cache(maxsize=8)
def _kept_sector(group: AutomorphismGroup, pairs: bytes, couplings: bytes) -> SymmetricSector:
    """The sector of few spins, for other protocols on the same network."""
    n, orbits = group.n_spins, _kept_orbits(group)
    of_pairs = np.frombuffer(pairs, dtype=np.int64).reshape(-1, 2)
    return SymmetricSector(n, *orbits, _ising(orbits[1], n, of_pairs, np.frombuffer(couplings)))


def _orbits(
    n_spins: int, group: AutomorphismGroup, advance: Advance
) -> tuple[NDArray[np.uint32], NDArray[np.uint32], NDArray[np.uint32]]:
    """Orbit of each configuration (2^N,), and smallest configuration and size of each orbit."""
    n_states = 1 << n_spins
    orbit_of = np.full(n_states, UNSEEN, dtype=np.uint32)
    queue = np.empty(largest_orbit(group), dtype=np.uint32)
    tables = _byte_tables(group)
    room = int(1.1 * n_states / group.order) + 1024
    representatives, sizes = np.empty(room, dtype=np.uint32), np.empty(room, dtype=np.uint32)
    found = np.zeros(1, dtype=np.int64)
    state = 0
    while state < n_states:
        last = min(state + _CHUNK, n_states)
        while state < last:
            state = flood_orbits(tables, orbit_of, queue, state, last, representatives, sizes, found)
            if state < last:
                representatives, sizes = (np.resize(array, 2 * len(array)) for array in (representatives, sizes))
        advance(0.8 * state / n_states)
    return orbit_of, representatives[: found[0]], sizes[: found[0]]


def _byte_tables(group: AutomorphismGroup) -> NDArray[np.uint32]:
    """Images of every byte of a configuration under every generator, shape (generators, bytes, 256)."""
    n, bytes_ = group.n_spins, np.arange(256)
    tables = np.zeros((len(group.generators), (n + 7) // 8, 256), dtype=np.uint32)
    for g, permutation in enumerate(group.generators):
        for k in range(n):
            place = n - 1 - k
            is_set = (bytes_ >> (place % 8)) & 1 == 1
            tables[g, place // 8, is_set] |= np.uint32(1 << (n - 1 - int(permutation[k])))
    return tables


def _ising(configurations: NDArray[np.uint32], n_spins: int, pairs: IntArray, couplings: FloatArray) -> FloatArray:
    """Eigenvalues of sum_<jk> c_jk sz_j sz_k of some configurations."""
    found = np.zeros(len(configurations))
    for (j, k), coupling in zip(pairs.tolist(), couplings.tolist(), strict=True):
        differ = (configurations >> np.uint32(n_spins - 1 - j)) ^ (configurations >> np.uint32(n_spins - 1 - k))
        found += np.where(differ & np.uint32(1), -coupling, coupling)
    return read_only(found)
