"""Numba kernels of large state vectors: one pass over memory for each stage, in parts for several threads.

The state is two arrays in the gauge of :mod:`~spinbattery.engines.simd.kernels`, float64 or float32. The ``low`` bits
of its index count within a contiguous tile, the high bits count the tiles. Even stages are applied to tiles (all their
low bits), odd stages to strided columns of a row from every tile (the high bits); up to 24 spins both fit the
second-level cache. A pass ends one transverse stage on its bits, applies the diagonal stage, and begins the next
transverse one. The parts of a pass share nothing, and every entry meets the same operations whatever the parts are:
results do not depend on the number of threads.

The diagonal stage needs no diagonals of 2^N entries. An index is a row of 6 low bits (3 for the lane of a vector, 3 for
its number) and the number r of the row, whose bits are split in two halves again. With the spins s_k = +1, -1,

    sum c_jk s_j s_k = rows(r) + base(lanes, numbers) + sum_{k low} s_k [f_k(first half of r) + f_k(second half of r)].

So exp(-i phase) of an entry is a product of one factor for its row, one of 64 that all rows share, one for its lane
and one for its number. Each of the last two is a product over both halves of r, from small tables that are made again
for each stage. This is exact for any couplings, and reads an eighth of a byte for each amplitude. Cos and sin of every
entry would take two and a half times as long, and a table of the distinct values of the diagonal, where these are few,
one and a half times as long.
"""

from __future__ import annotations

import math

import numba
import numpy as np

from ...core.jitted import jitted
from ...core.kernels import INNER
from .kernels import FAST_MATH, cos_sin, left_to_scale, rotate_bits, turn_of
from .row_phases import GATHERED_BITS, SHIFTS, Tables
from .sizes import LANES, ROW, ROW_BITS, ROW_LEFT_TO_SCALE
from .vectors import phase_row, turn_one, turn_phase_row, turn_three, turn_two

_BLOCK_BITS, _SUBTILE_BITS = 9, 12
"""A block of this many bits of both parts stays in the first-level cache, a part in the second-level cache."""

_ROWS_BITS = 3
"""A block of a column is 2^3 rows."""

_PITCH = ROW + LANES
"""From one row of a gathered column to the next: a line more, as rows a power of two apart evict one another."""

_TABLE = 4 * LANES

_IRRATIONAL = np.sqrt(np.array([2.0, 3.0, 5.0, 7.0, 11.0]))


@numba.njit(fastmath=FAST_MATH, **INNER)
def _fill(table, angles, coupling, shifts):
    for r in range(angles.shape[0]):
        for j in range(2 * LANES):
            c, s = cos_sin(coupling * angles[r, j] + shifts[j // LANES])
            k = _TABLE * r + j + LANES * (j // LANES)
            table[k] = c
            table[k + LANES] = s


@numba.njit(**INNER)
def _shift(tables):
    """Shift the angles of a phase's factors, with sum zero, by new amounts for each stage.

    Where the fields are constant every step has the same phases. Were these rounded alike, the errors of a float32
    state would grow as the number of stages, and not as its root.
    """
    tables.stages[0] += 1
    total = 0.0
    for j in range(_IRRATIONAL.size):
        x = tables.stages[0] * _IRRATIONAL[j]
        tables.shifts[j] = 2.0 * math.pi * (x - math.floor(x))
        total += tables.shifts[j]
    tables.shifts[-1] = -total


@numba.njit(inline="always")
def _levels(low):
    """Bits of a block and of a part in a tile of ``low`` bits."""
    return min(_BLOCK_BITS, low), min(_SUBTILE_BITS, low)


@numba.njit(**INNER)
def _left_to_scale(rows):
    """How many spins of all are turned without their factor cos(theta)."""
    block, part = _levels(rows.tile_bits)
    in_tile = left_to_scale(block - ROW_BITS) + left_to_scale(part - block) + left_to_scale(rows.tile_bits - part)
    high = rows.n_spins - rows.tile_bits - GATHERED_BITS
    inner = min(_ROWS_BITS, high)
    return (
        ROW_LEFT_TO_SCALE + in_tile + left_to_scale(GATHERED_BITS) + left_to_scale(inner) + left_to_scale(high - inner)
    )


@jitted(fastmath=FAST_MATH, nogil=True)
def prepare(rows, tables, k, theta, field, coupling):
    """Fill the tables of the k-th diagonal stage of V T V ... T V, with factors cos(theta) for the T after it."""
    if tables.base.itemsize < tables.shifts.itemsize:
        _shift(tables)
    shifts = tables.shifts
    scale = math.cos(theta[k]) ** _left_to_scale(rows) if k < theta.size else 1.0
    _fill(tables.first, rows.first, coupling[k], shifts[0:2])
    _fill(tables.second, rows.second, coupling[k], shifts[2:4])
    for j in range(ROW):
        c, s = cos_sin(field[k] * rows.base_field[j] + coupling[k] * rows.base_ising[j] + shifts[4])
        tables.base[j] = scale * c
        tables.base[j + ROW] = scale * s


@numba.njit(fastmath=FAST_MATH, **INNER)
def _phases(rows, first, step, field, coupling, shift, c, s):
    """cos and sin of rows first, first + step, ..."""
    mask = (1 << rows.second_bits) - 1
    for j in range(c.size):
        r = first + j * step
        m = rows.first_field[r >> rows.second_bits] + rows.second_field[r & mask]
        c[j], s[j] = cos_sin(field * m + coupling * rows.ising[r] + shift)


@numba.njit(fastmath=FAST_MATH, **INNER)
def _turn_block(x, y, row, rows, tables, c, s, end, begin):
    """A block of a tile, which begins with row number ``row``, whose rows have the phases c, s."""
    mask = (1 << rows.second_bits) - 1
    bits = ROW_BITS
    while 1 << bits < x.size:
        bits += 1
    rotate_bits(x, ROW_BITS, bits, end)
    rotate_bits(y, ROW_BITS, bits, end)
    for j in range(c.size):
        r = row + j
        turn_phase_row(
            x, y, j * ROW, tables.first, _TABLE * (r >> rows.second_bits), tables.second, _TABLE * (r & mask),
            tables.base, c[j], s[j], *end, *begin,
        )  # fmt: skip
    rotate_bits(x, ROW_BITS, bits, begin)
    rotate_bits(y, ROW_BITS, bits, begin)


@numba.njit(fastmath=FAST_MATH, **INNER)
def _stage_on_tiles(re, im, rows, tables, first, last, end, begin, field, coupling):
    low = rows.tile_bits
    block, part = _levels(low)
    per_tile, per_block = 1 << (low - ROW_BITS), 1 << (block - ROW_BITS)
    c = np.empty(per_tile, re.dtype)
    s = np.empty(per_tile, re.dtype)
    for tile in range(first, last):
        _phases(rows, tile * per_tile, 1, field, coupling, tables.shifts[-1], c, s)
        x = re[tile << low : (tile + 1) << low]
        y = im[tile << low : (tile + 1) << low]
        rotate_bits(x, part, low, end)
        rotate_bits(y, part, low, end)
        for a in range(0, x.size, 1 << part):
            u = x[a : a + (1 << part)]
            v = y[a : a + (1 << part)]
            rotate_bits(u, block, part, end)
            rotate_bits(v, block, part, end)
            for b in range(0, u.size, 1 << block):
                j = (a + b) >> ROW_BITS
                _turn_block(
                    u[b : b + (1 << block)], v[b : b + (1 << block)], tile * per_tile + j, rows, tables,
                    c[j : j + per_block], s[j : j + per_block], end, begin,
                )  # fmt: skip
            rotate_bits(u, block, part, begin)
            rotate_bits(v, block, part, begin)
        rotate_bits(x, part, low, begin)
        rotate_bits(y, part, low, begin)


@numba.njit(fastmath=FAST_MATH, **INNER)
def _gather(source, start, low, x, turn):
    """Copy a column into x and turn its topmost bits."""
    apart = x.size // (_PITCH << GATHERED_BITS)
    for h in range(apart):
        for i in range(0, ROW, LANES):
            turn_three(source, start + (h << low) + i, apart << low, x, h * _PITCH + i, apart * _PITCH, *turn)


@numba.njit(fastmath=FAST_MATH, **INNER)
def _scatter(x, target, start, low, turn):
    """Copy x back into the column and turn the topmost bits."""
    apart = x.size // (_PITCH << GATHERED_BITS)
    for h in range(apart):
        for i in range(0, ROW, LANES):
            turn_three(x, h * _PITCH + i, apart * _PITCH, target, start + (h << low) + i, apart << low, *turn)


@numba.njit(fastmath=FAST_MATH, **INNER)
def _rotate_rows(x, first, last, turn):
    """Turn bits ``first`` to ``last`` - 1 of the number of the row of a part of a gathered column, three at a time."""
    t, f = turn
    q = first
    while q < last:
        n = _PITCH << q
        if last - q >= 3:
            for b in range(0, x.size, 8 * n):
                for h in range(b, b + n, _PITCH):
                    for i in range(h, h + ROW, LANES):
                        turn_three(x, i, n, x, i, n, t, f)
        elif last - q == 2:
            for b in range(0, x.size, 4 * n):
                for h in range(b, b + n, _PITCH):
                    for i in range(h, h + ROW, LANES):
                        turn_two(x, i, n, x, i, n, t, f)
        else:
            for b in range(0, x.size, 2 * n):
                for h in range(b, b + n, _PITCH):
                    for i in range(h, h + ROW, LANES):
                        turn_one(x, i, n, x, i, n, t, f)
        q += 3


@numba.njit(fastmath=FAST_MATH, **INNER)
def _stage_on_columns(re, im, rows, tables, first, last, end, begin, field, coupling):
    low = rows.tile_bits
    high = re.size >> low
    per_tile = 1 << (low - ROW_BITS)
    mask = (1 << rows.second_bits) - 1
    c = np.empty(high, re.dtype)
    s = np.empty(high, re.dtype)
    x = np.empty(high * _PITCH, re.dtype)
    y = np.empty(high * _PITCH, re.dtype)
    bits = rows.n_spins - low - GATHERED_BITS
    block = min(_ROWS_BITS, bits)
    for column in range(first, last):
        _phases(rows, column, per_tile, field, coupling, tables.shifts[-1], c, s)
        _gather(re, column * ROW, low, x, end)
        _gather(im, column * ROW, low, y, end)
        for a in range(0, high, 1 << bits):
            u = x[a * _PITCH : (a + (1 << bits)) * _PITCH]
            v = y[a * _PITCH : (a + (1 << bits)) * _PITCH]
            _rotate_rows(u, block, bits, end)
            _rotate_rows(v, block, bits, end)
            for b in range(0, 1 << bits, 1 << block):
                p = u[b * _PITCH : (b + (1 << block)) * _PITCH]
                q = v[b * _PITCH : (b + (1 << block)) * _PITCH]
                _rotate_rows(p, 0, block, end)
                _rotate_rows(q, 0, block, end)
                for i in range(1 << block):
                    h = a + b + i
                    r = h * per_tile + column
                    phase_row(
                        p, q, i * _PITCH, tables.first, _TABLE * (r >> rows.second_bits), tables.second,
                        _TABLE * (r & mask), tables.base, c[h], s[h],
                    )  # fmt: skip
                _rotate_rows(p, 0, block, begin)
                _rotate_rows(q, 0, block, begin)
            _rotate_rows(u, block, bits, begin)
            _rotate_rows(v, block, bits, begin)
        _scatter(x, re, column * ROW, low, begin)
        _scatter(y, im, column * ROW, low, begin)


@jitted(nogil=True)
def apply_stage(re, im, rows, tables, k, theta, field, coupling, first, last):
    """Apply the k-th diagonal stage and the halves of the transverse stages around it to a part of the state.

    Args:
        re, im: (2^N,) in place.
        rows, tables: see :mod:`~spinbattery.engines.simd.row_phases`; the tables as :func:`prepare` left them for k.
        k: number of the stage, even for tiles, odd for columns.
        theta, field, coupling: (n,), (n + 1,), (n + 1,) of all stages V T V ... T V, rad.
        first, last: range of tiles or columns.
    """
    end = turn_of(theta[k - 1] if k > 0 else 0.0, re)
    begin = turn_of(theta[k] if k < theta.size else 0.0, re)
    if k % 2 == 0:
        _stage_on_tiles(re, im, rows, tables, first, last, end, begin, field[k], coupling[k])
    else:
        _stage_on_columns(re, im, rows, tables, first, last, end, begin, field[k], coupling[k])


@jitted(nogil=True)
def parts_of(rows, k):
    """Number of tiles or columns in the k-th stage."""
    return 1 << (rows.n_spins - rows.tile_bits if k % 2 == 0 else rows.tile_bits - ROW_BITS)


@jitted(nogil=True)
def evolve_rows(re, im, rows, stages, theta, field, coupling):
    """Apply all stages V T V ... T V in one call, in one thread; ``stages`` (1,) counts them."""
    real = re.dtype
    first, second = np.empty(2 * rows.first.size, real), np.empty(2 * rows.second.size, real)
    tables = Tables(first, second, np.empty(2 * ROW, real), np.zeros(SHIFTS), stages)
    for k in range(theta.size + 1):
        prepare(rows, tables, k, theta, field, coupling)
        apply_stage(re, im, rows, tables, k, theta, field, coupling, 0, parts_of(rows, k))


@jitted(nogil=True)
def populations(re, im, rows, first, last, by_up, lanes, numbers, of_rows, ising):
    """Sums of |psi|^2 over rows first to last - 1, in float64.

    Args:
        re, im, rows: as in :func:`apply_stage`.
        first, last: range of rows.
        by_up: (N + 1,) sums by the number of spins that are up; added to, as ``lanes`` and ``numbers``.
        lanes, numbers: (8,) sums by the lane and by the number of the vector.
        of_rows: (2^(N - 6),) sum of each row.
        ising: (1,) sum with the Ising diagonal.
    """
    mask = (1 << rows.second_bits) - 1
    n_row_spins = by_up.size - 1 - ROW_BITS
    of_lanes = np.empty(LANES)
    of_up = np.empty(ROW_BITS + 1)
    for r in range(first, last):
        a = r >> rows.second_bits
        b = r & mask
        of_lanes[:] = 0.0
        of_up[:] = 0.0
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
                of_up[(int(rows.base_field[j]) + ROW_BITS) // 2] += p
            numbers[number] += of_number
            total += of_number
            coupled += of_number * (rows.first[a, LANES + number] + rows.second[b, LANES + number])
        for lane in range(LANES):
            lanes[lane] += of_lanes[lane]
            coupled += of_lanes[lane] * (rows.first[a, lane] + rows.second[b, lane])
        up = (int(rows.first_field[a] + rows.second_field[b]) + n_row_spins) // 2
        for j in range(ROW_BITS + 1):
            by_up[up + j] += of_up[j]
        of_rows[r] = total
        ising[0] += coupled + total * rows.ising[r]
