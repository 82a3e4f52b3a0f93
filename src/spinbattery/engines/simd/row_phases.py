"""Diagonals of many spins by rows, and tables for their phases; see :mod:`.row_kernels`."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...core.typing import FloatArray, IntArray
from ...model.operators import ising_diagonal, magnetization_diagonal
from .sizes import LANE_BITS, ROW, ROW_BITS

GATHERED_BITS = 3
"""High bits that are turned on the way into a column and out of it, and least number of high bits."""

_TILE_BITS, _MOST_HIGH_BITS = 15, 9
"""Best at N = 24, and as good as any at N = 20; a column of more high bits would not fit the second-level cache."""

SHIFTS = 6
"""Factors of the phase of an entry."""


class Rows(NamedTuple):
    """The diagonals by rows.

    Attributes:
        n_spins: N.
        tile_bits: low bits of the index, those within a tile.
        second_bits: bits of the second half of a row's number.
        ising: (2^(N - 6),) couplings among the spins of the row's number.
        first_field, second_field: sum of these spins for each value of the halves.
        first, second: for each value of the halves, the angles added to the 8 lanes and then to the 8 numbers.
        base_field, base_ising: (64,) diagonals of the six low spins alone.
    """

    n_spins: int
    tile_bits: int
    second_bits: int
    ising: FloatArray
    first_field: FloatArray
    second_field: FloatArray
    first: FloatArray
    second: FloatArray
    base_field: FloatArray
    base_ising: FloatArray


class Tables(NamedTuple):
    """Phases of one stage, in the type of the state.

    Attributes:
        first, second: 32 entries for each value of the halves of a row's number: cos, sin of lanes and of numbers.
        base: (128,) cos, then sin, of the six low spins, times the scale of the stage.
        shifts: (6,) added to the angles of the lanes and numbers of ``first`` and ``second``, of ``base``, of the rows.
        stages: (1,) number of stages so far.
    """

    first: NDArray[Any]
    second: NDArray[Any]
    base: NDArray[Any]
    shifts: FloatArray
    stages: IntArray


def rows_of(n: int, pairs: IntArray, couplings: FloatArray) -> Rows:
    """Diagonals of n spins, 14 or more, with couplings (P,) of pairs (P, 2) in units of B(s)/2.

    The last ROW_BITS spins are the low bits.
    """
    matrix = np.zeros((n, n))
    np.add.at(matrix, (pairs[:, 0], pairs[:, 1]), couplings)
    np.add.at(matrix, (pairs[:, 1], pairs[:, 0]), couplings)
    of_row = n - ROW_BITS
    half = of_row // 2
    numbers, lanes = slice(of_row, of_row + LANE_BITS), slice(of_row + LANE_BITS, n)
    signs = _signs(LANE_BITS).T

    def angles(spins: slice) -> FloatArray:
        fields = _signs(spins.stop - spins.start) @ matrix[spins]
        return np.hstack([fields[:, lanes] @ signs, fields[:, numbers] @ signs])

    def alone(first: int, last: int) -> FloatArray:
        inside = ((pairs >= first) & (pairs < last)).all(axis=1)
        return ising_diagonal(last - first, pairs[inside] - first, couplings[inside])

    def field(spins: int) -> FloatArray:
        return magnetization_diagonal(spins).astype(np.float64)

    return Rows(
        n_spins=n,
        tile_bits=min(n - GATHERED_BITS, max(_TILE_BITS, n - _MOST_HIGH_BITS)),
        second_bits=of_row - half,
        ising=alone(0, of_row),
        first_field=field(half),
        second_field=field(of_row - half),
        first=angles(slice(0, half)),
        second=angles(slice(half, of_row)),
        base_field=field(ROW_BITS),
        base_ising=alone(of_row, n),
    )


def tables_for(rows: Rows, real: type[np.float32 | np.float64]) -> Tables:
    """Empty tables."""
    first, second, base = (np.empty(size, real) for size in (2 * rows.first.size, 2 * rows.second.size, 2 * ROW))
    return Tables(first, second, base, np.zeros(SHIFTS), np.zeros(1, np.int64))


def _signs(bits: int) -> FloatArray:
    """(2^bits, bits) of +1 and -1: the spins of each basis state, the first the most significant bit."""
    index = np.arange(1 << bits)[:, None] >> np.arange(bits - 1, -1, -1)
    return np.asarray(1.0 - 2.0 * (index & 1))
