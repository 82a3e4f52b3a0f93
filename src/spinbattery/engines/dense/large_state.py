"""A pure state of many spins: little memory beyond its amplitudes, several threads, double or single precision."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...core.threads import Team
from ...core.typing import ComplexArray, FloatArray, IntArray
from ..common.gauge import out_of_gauge, product_state
from ..common.populations import Populations, spin_expectations
from ..common.splitting import SECONDS_PER_AMPLITUDE_STAGE, SHORTEST_CHUNK, Stages
from ..simd.declared import transverse_expectation
from ..simd.row_kernels import apply_stage, evolve_rows, parts_of, populations, prepare
from ..simd.row_phases import rows_of, tables_for
from ..simd.sizes import LANES, LINE_BYTES, ROW_BITS, TILE_BITS

SMALLEST = TILE_BITS + 1
"""Smallest number of spins whose state is larger than a tile of :mod:`~spinbattery.engines.simd.kernels`."""

_IN_ONE_CALL = 17
"""Spins up to which all stages run in one call: a stage is too short for threads, or for Python in between."""

_PARTS_OF_POPULATIONS = 64
"""Parts whose sums are added up in order, so that digits do not depend on the number of threads."""


class LargeState:
    """A pure state of n spins, SMALLEST or more, in about 16 or 8 bytes for each amplitude."""

    shortest_chunk = SHORTEST_CHUNK

    def __init__(
        self, spinors: ComplexArray, pairs: IntArray, couplings: FloatArray, team: Team, *, single: bool = False
    ) -> None:
        """Product state of ``spinors`` (n, 2), up amplitude first.

        Args:
            pairs, couplings: (P, 2) and (P,), the latter in units of B(s)/2.
            single: float32 instead of float64.
        """
        self.n_spins = n = len(spinors)
        self._team = team
        self._rows = rows_of(n, pairs, couplings)
        real: type[np.float32 | np.float64] = np.float32 if single else np.float64
        self._tables = tables_for(self._rows, real)
        self._re, self._im = _product(spinors, real)

    @property
    def size(self) -> int:
        """Amplitudes, 2^n."""
        return self._re.size

    @property
    def stage_seconds(self) -> float:
        return SECONDS_PER_AMPLITUDE_STAGE * self._re.size

    @property
    def arrays(self) -> list[NDArray[Any]]:
        return [self._re, self._im, self._tables.stages]

    def apply(self, stages: Stages) -> None:
        """Apply stages V T V ... V in place; Ctrl-C acts between two stages, unless they are very short."""
        angles = stages.theta, stages.field, stages.ising
        if self.n_spins <= _IN_ONE_CALL and self._team.threads == 1:
            evolve_rows(self._re, self._im, self._rows, self._tables.stages, *angles)
            return
        for k in range(len(stages.theta) + 1):
            prepare(self._rows, self._tables, k, *angles)
            stage = partial(apply_stage, self._re, self._im, self._rows, self._tables, k, *angles)
            self._team.run(stage, _ranges(parts_of(self._rows, k), self._team.threads))

    def populations(self) -> Populations:
        """P(Sz), the mean of the couplings and the squared norm, summed in float64."""
        distribution, ising, norm, _ = self._sums()
        return Populations(distribution, ising, norm)

    def spin_magnetization(self) -> FloatArray:
        """<sz_k> of every spin, shape (n,)."""
        return self._sums()[3]

    def transverse(self) -> float:
        """<Sx>, not normalised."""
        return float(transverse_expectation(self._re, self._im, self.n_spins))

    def amplitudes(self) -> ComplexArray:
        """Normalised amplitudes in the basis of :mod:`spinbattery.model.operators`."""
        psi = np.empty(self.size, dtype=np.complex128)
        psi.real, psi.imag = self._re, self._im
        psi /= np.sqrt(self.populations().norm)
        low = self.n_spins // 2
        by_halves = psi.reshape(-1, 1 << low)
        by_halves *= out_of_gauge(self.n_spins - low)[:, None]
        by_halves *= out_of_gauge(low)
        return psi

    def _sums(self) -> tuple[FloatArray, float, float, FloatArray]:
        """P(Sz), mean of the couplings, squared norm, and <sz_k>."""
        n = self.n_spins
        of_rows = np.empty(self.size >> ROW_BITS)
        by_up = np.zeros((_PARTS_OF_POPULATIONS, n + 1))
        lanes, numbers = np.zeros((2, _PARTS_OF_POPULATIONS, LANES))
        ising = np.zeros((_PARTS_OF_POPULATIONS, 1))

        def add(part: int, first: int, last: int) -> None:
            sums = by_up[part], lanes[part], numbers[part], of_rows, ising[part]
            populations(self._re, self._im, self._rows, first, last, *sums)

        ranges = _ranges(len(of_rows), _PARTS_OF_POPULATIONS)
        self._team.run(add, ((part, *one) for part, one in enumerate(ranges)))
        distribution = by_up.sum(axis=0)
        norm = float(distribution.sum())
        spins = [spin_expectations(part) for part in (of_rows, numbers.sum(axis=0), lanes.sum(axis=0))]
        return distribution / norm, float(ising.sum()) / norm, norm, np.concatenate(spins) / norm


def _ranges(units: int, parts: int) -> Iterator[tuple[int, int]]:
    """``units`` in up to ``parts`` contiguous ranges."""
    edges = [units * part // parts for part in range(parts + 1)]
    return ((a, b) for a, b in pairwise(edges) if a < b)


def _product(spinors: ComplexArray, real: type[np.float32 | np.float64]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Real and imaginary part of a product state in the gauge of the kernels, row by row of its outer product."""
    half = len(spinors) // 2
    first, second = product_state(spinors[:half]), product_state(spinors[half:])
    re, im = (_aligned(1 << len(spinors), real) for _ in range(2))
    for row, amplitude in enumerate(first):
        psi = amplitude * second
        part = slice(row * len(second), (row + 1) * len(second))
        re[part], im[part] = psi.real, psi.imag
    return re, im


def _aligned(size: int, real: type[np.float32 | np.float64]) -> NDArray[Any]:
    """An array, not set, that begins with a line of the cache: a vector across two lines takes twice the time."""
    n_bytes = size * np.dtype(real).itemsize
    memory = np.empty(n_bytes + LINE_BYTES, np.uint8)
    start = -memory.ctypes.data % LINE_BYTES
    return memory[start : start + n_bytes].view(real)
