"""Numba kernels of large state vectors: one sweep over memory for each stage, in parts for several threads.

The state is two arrays in the gauge of :mod:`~spinbattery.engines.simd.kernels`, float64 or float32. Its index has
``low`` bits within a contiguous tile and the others, high, between tiles. Sweeps alternate between tiles (all their low
bits) and strided columns of COLUMN entries from every tile (the high bits); up to 24 spins both fit the second-level
cache. Each sweep ends one transverse stage on its bits, applies the diagonal one, and begins the next. The parts of a
sweep share nothing, and every entry meets the same operations whatever the parts are: results do not depend on the
number of threads.

The diagonal stage needs no diagonals of 2^N entries. An index is a row of 6 low bits (3 for the lane of a vector, 3 for
its number) and the number r of the row, whose bits are split in two halves again. With s_k = +1, -1 the spins,

    sum c_jk s_j s_k = rows(r) + base(lanes, numbers) + sum_{k low} s_k [f_k(first half of r) + f_k(second half of r)],

so that exp(-i phase) of an entry is a product of one factor for its row, one of 64 that all rows share, and one for its
lane and one for its number, each of which is a product over both halves of r: small tables, made anew for each stage.
This is exact for any couplings, and reads an eighth of a byte for each amplitude. Cos and sin of every entry take two
and a half times as long, and a table of the distinct values of the diagonal, where these are few, half as long again.
"""

from __future__ import annotations

import math

import numba
import numpy as np

from .kernels import FAST_MATH, cos_sin, rotate_bits
from .row_phases import GATHERED_BITS, SHIFTS, Tables
from .vectors import LANES, ROW, ROW_BITS, phase_row, turn_phase_row, turn_three

_BLOCK_BITS = 9
"""A block of this many bits of both parts stays in the first-level cache."""

_COLUMN_BITS = 7
COLUMN = 1 << _COLUMN_BITS

_TABLE = 4 * LANES

_IRRATIONAL = np.sqrt(np.array([2.0, 3.0, 5.0, 7.0, 11.0]))


@numba.njit(fastmath=FAST_MATH, cache=True)
def _fill(table, angles, coupling, shifts):
    for r in range(angles.shape[0]):
        for j in range(2 * LANES):
            c, s = cos_sin(coupling * angles[r, j] + shifts[j // LANES])
            k = _TABLE * r + j + LANES * (j // LANES)
            table[k] = c
            table[k + LANES] = s


@numba.njit(cache=True)
def _shift(tables):
    """Angles that factors of a phase are shifted by, and what makes their sum zero: new ones for each stage.

    Where the fields are constant every step has the same phases. Were they rounded alike, the errors of a float32 state
    would add up in proportion to the number of stages, and not to its root.
    """
    tables.swept[0] += 1
    total = 0.0
    for j in range(_IRRATIONAL.size):
        x = tables.swept[0] * _IRRATIONAL[j]
        tables.shifts[j] = 2.0 * math.pi * (x - math.floor(x))
        total += tables.shifts[j]
    tables.shifts[-1] = -total


@numba.njit(fastmath=FAST_MATH, cache=True, nogil=True)
def prepare(rows, tables, k, theta, field, coupling):
    """Fill the tables of the k-th diagonal stage of V T V ... T V, with cos(theta)^N of the T after it."""
    if tables.base.itemsize < tables.shifts.itemsize:
        _shift(tables)
    shifts = tables.shifts
    scale = math.cos(theta[k]) ** rows.n_spins if k < theta.size else 1.0
    _fill(tables.first, rows.first, coupling[k], shifts[0:2])
    _fill(tables.second, rows.second, coupling[k], shifts[2:4])
    for j in range(ROW):
        c, s = cos_sin(field[k] * rows.base_field[j] + coupling[k] * rows.base_ising[j] + shifts[4])
        tables.base[j] = scale * c
        tables.base[j + ROW] = scale * s


@numba.njit(fastmath=FAST_MATH, cache=True)
def _phases(rows, first, step, field, coupling, shift, c, s):
    """cos and sin of rows first, first + step, ..."""
    mask = (1 << rows.second_bits) - 1
    for j in range(c.size):
        r = first + j * step
        m = rows.first_field[r >> rows.second_bits] + rows.second_field[r & mask]
        c[j], s[j] = cos_sin(field * m + coupling * rows.ising[r] + shift)


@numba.njit(fastmath=FAST_MATH, cache=True)
def _sweep_tiles(re, im, rows, tables, first, last, t_end, t_begin, field, coupling):
    low = rows.tile_bits
    per_tile = 1 << (low - ROW_BITS)
    mask = (1 << rows.second_bits) - 1
    c = np.empty(per_tile, re.dtype)
    s = np.empty(per_tile, re.dtype)
    inner = min(_BLOCK_BITS, low)
    for tile in range(first, last):
        _phases(rows, tile * per_tile, 1, field, coupling, tables.shifts[-1], c, s)
        x = re[tile << low : (tile + 1) << low]
        y = im[tile << low : (tile + 1) << low]
        rotate_bits(x, inner, low, t_end)
        rotate_bits(y, inner, low, t_end)
        for b in range(0, x.size, 1 << inner):
            u = x[b : b + (1 << inner)]
            v = y[b : b + (1 << inner)]
            rotate_bits(u, ROW_BITS, inner, t_end)
            rotate_bits(v, ROW_BITS, inner, t_end)
            for i in range(0, u.size, ROW):
                j = (b + i) >> ROW_BITS
                r = tile * per_tile + j
                turn_phase_row(
                    u, v, i, tables.first, _TABLE * (r >> rows.second_bits), tables.second, _TABLE * (r & mask),
                    tables.base, c[j], s[j], t_end, t_begin,
                )  # fmt: skip
            rotate_bits(u, ROW_BITS, inner, t_begin)
            rotate_bits(v, ROW_BITS, inner, t_begin)
        rotate_bits(x, inner, low, t_begin)
        rotate_bits(y, inner, low, t_begin)


@numba.njit(fastmath=FAST_MATH, cache=True)
def _gather(source, start, low, x, t):
    """A column into x, its topmost bits turned on the way."""
    apart = x.size >> (_COLUMN_BITS + GATHERED_BITS)
    for h in range(apart):
        for i in range(0, COLUMN, LANES):
            turn_three(source, start + (h << low) + i, apart << low, x, h * COLUMN + i, apart * COLUMN, t)


@numba.njit(fastmath=FAST_MATH, cache=True)
def _scatter(x, target, start, low, t):
    """The reverse."""
    apart = x.size >> (_COLUMN_BITS + GATHERED_BITS)
    for h in range(apart):
        for i in range(0, COLUMN, LANES):
            turn_three(x, h * COLUMN + i, apart * COLUMN, target, start + (h << low) + i, apart << low, t)


@numba.njit(fastmath=FAST_MATH, cache=True)
def _sweep_columns(re, im, rows, tables, first, last, t_end, t_begin, field, coupling):
    low = rows.tile_bits
    high = re.size >> low
    per_tile = 1 << (low - ROW_BITS)
    mask = (1 << rows.second_bits) - 1
    c = np.empty(high, re.dtype)
    s = np.empty(high, re.dtype)
    x = np.empty(high * COLUMN, re.dtype)
    y = np.empty(high * COLUMN, re.dtype)
    bits = _COLUMN_BITS - GATHERED_BITS
    while 1 << (bits + GATHERED_BITS) < x.size:
        bits += 1
    for column in range(first, last):
        _gather(re, column * COLUMN, low, x, t_end)
        _gather(im, column * COLUMN, low, y, t_end)
        rotate_bits(x, _COLUMN_BITS, bits, t_end)
        rotate_bits(y, _COLUMN_BITS, bits, t_end)
        for i in range(0, COLUMN, ROW):
            of_tile = (column * COLUMN + i) >> ROW_BITS
            _phases(rows, of_tile, per_tile, field, coupling, tables.shifts[-1], c, s)
            for h in range(high):
                r = h * per_tile + of_tile
                phase_row(
                    x, y, h * COLUMN + i, tables.first, _TABLE * (r >> rows.second_bits), tables.second,
                    _TABLE * (r & mask), tables.base, c[h], s[h],
                )  # fmt: skip
        rotate_bits(x, _COLUMN_BITS, bits, t_begin)
        rotate_bits(y, _COLUMN_BITS, bits, t_begin)
        _scatter(x, re, column * COLUMN, low, t_begin)
        _scatter(y, im, column * COLUMN, low, t_begin)


@numba.njit(cache=True, nogil=True)
def sweep(re, im, rows, tables, k, theta, field, coupling, first, last):
    """The k-th diagonal stage with the halves of transverse ones before and after it, on a part of the state.

    Args:
        re, im: (2^N,) in place.
        rows, tables: see :mod:`~spinbattery.engines.simd.row_phases`; the latter as :func:`prepare` left them for k.
        k: number of the stage; tiles are swept where it is even, columns where it is odd.
        theta, field, coupling: (n,), (n + 1,), (n + 1,) of all stages V T V ... T V, rad.
        first, last: which tiles or columns, the last not included.
    """
    real = re.dtype.type
    t_end = real(math.tan(theta[k - 1]) if k > 0 else 0.0)
    t_begin = real(math.tan(theta[k]) if k < theta.size else 0.0)
    if k % 2 == 0:
        _sweep_tiles(re, im, rows, tables, first, last, t_end, t_begin, field[k], coupling[k])
    else:
        _sweep_columns(re, im, rows, tables, first, last, t_end, t_begin, field[k], coupling[k])


@numba.njit(cache=True, nogil=True)
def parts_of(rows, k):
    """Number of tiles or of columns that the k-th sweep goes over."""
    return 1 << (rows.n_spins - rows.tile_bits if k % 2 == 0 else rows.tile_bits - _COLUMN_BITS)


@numba.njit(cache=True, nogil=True)
def evolve_rows(re, im, rows, swept, theta, field, coupling):
    """All stages V T V ... T V in one call, in one thread; ``swept`` (1,) counts them."""
    real = re.dtype
    first, second = np.empty(2 * rows.first.size, real), np.empty(2 * rows.second.size, real)
    tables = Tables(first, second, np.empty(2 * ROW, real), np.zeros(SHIFTS), swept)
    for k in range(theta.size + 1):
        prepare(rows, tables, k, theta, field, coupling)
        sweep(re, im, rows, tables, k, theta, field, coupling, 0, parts_of(rows, k))


@numba.njit(cache=True, nogil=True)
def populations(re, im, rows, first, last, levels, lanes, numbers, of_rows, ising):
    """Sums of |psi|^2 over rows first to last - 1, in float64.

    Args:
        re, im, rows: as in :func:`sweep`.
        first, last: which rows.
        levels: (N + 1,) by the number of spins that are up; added to, as are ``lanes`` and ``numbers``.
        lanes, numbers: (8,) by the lane and by the number of the vector.
        of_rows: (2^(N - 6),) by the row.
        ising: (1,) times the Ising diagonal.
    """
    mask = (1 << rows.second_bits) - 1
    n_row_spins = levels.size - 1 - ROW_BITS
    of_lanes = np.empty(LANES)
    of_levels = np.empty(ROW_BITS + 1)
    for r in range(first, last):
        a = r >> rows.second_bits
        b = r & mask
        of_lanes[:] = 0.0
        of_levels[:] = 0.0
        total = 0.0
        coupled = 0.0
        for number in range(LANES):
            of_number = 0.0
            for lane in range(LANES):
                j = number * LANES + lane
                x = np.float64(re[r * ROW + j])
                y = np.float64(im[r * ROW + j])
                p = x * x + y * y
                of_number += p
                of_lanes[lane] += p
                coupled += p * rows.base_ising[j]
                of_levels[(int(rows.base_field[j]) + ROW_BITS) // 2] += p
            numbers[number] += of_number
            total += of_number
            coupled += of_number * (rows.first[a, LANES + number] + rows.second[b, LANES + number])
        for lane in range(LANES):
            lanes[lane] += of_lanes[lane]
            coupled += of_lanes[lane] * (rows.first[a, lane] + rows.second[b, lane])
        up = (int(rows.first_field[a] + rows.second_field[b]) + n_row_spins) // 2
        for j in range(ROW_BITS + 1):
            levels[up + j] += of_levels[j]
        of_rows[r] = total
        ising[0] += coupled + total * rows.ising[r]
