"""Numba kernels of the split-step density matrix.

In the gauge rho~(r, c) = i^(down bits of r) (-i)^(down bits of c) rho(r, c) a turn exp(-i theta sx) of rows and
columns is one real matrix on both. rho~ is Hermitian, so that the 4^N real numbers G = Re rho~ + Im rho~ contain all of
it: the symmetric part of G is the real part, the antisymmetric one the imaginary part. Real maps of rho~ act on G
itself, and exp(-i phi) from the left and the right mixes G(r, c) only with G(c, r).

The index of G has one digit to the base 4 for each spin, 2 (row bit) + (column bit), the last spin's digit the least
significant: an operation on one spin combines four contiguous slices, and the transpose of an aligned tile is another
such tile. A tile has up to TILE_DIGITS digits and (nearly) fits the first-level cache; with more digits, low and high
digits are treated alternately.

The four entries (a, b, c, d) of one spin's digit hold u = a + d, w = b + c, s = b - c and v = a - d: the components
along 1, -sy, sx and sz. Pauli noise and the turn about x keep u, scale s and mix v and w. Relaxation mixes s with
the others, by imaginary coefficients in this gauge. For relaxation all spins are taken to (u, w, s, v), where a string
with k factors s carries (-i)^k, which is a sign of 1, -1, -1, 1 in G. Without the signs, relaxation is real as well.

The function that is called from Python releases the interpreter lock.
"""

from __future__ import annotations

import numba

from ...core.jitted import jitted
from ...core.kernels import INNER
from ..simd.kernels import FAST_MATH, cos_sin
from .declared import TILE_DIGITS


@numba.njit(fastmath=FAST_MATH, inline="always")
def _flip_one(a, b, c, d, m):
    """The map of one spin's (a, b, c, d): s times m[4], (v, w) times the matrix m[0:4]; all with a factor 1/2."""
    u = 0.5 * (a + d)
    v = a - d
    w = b + c
    s = m[4] * (b - c)
    z = m[0] * v + m[1] * w
    y = m[2] * v + m[3] * w
    return u + z, y + s, y - s, u - z


@numba.njit(inline="always")
def _quarters(x, start, n):
    """Slices of n entries from ``start`` on, one for each value of a digit."""
    one, two, three = start + n, start + 2 * n, start + 3 * n
    return x[start:one], x[one:two], x[two:three], x[three : three + n]


@numba.njit(fastmath=FAST_MATH, **INNER)
def _flip_low(x, first, second):
    """The two least significant digits, in registers: their strides are too short for slices."""
    for b in range(0, x.size, 16):
        a0, a1, a2, a3 = _flip_one(x[b], x[b + 1], x[b + 2], x[b + 3], first)
        b0, b1, b2, b3 = _flip_one(x[b + 4], x[b + 5], x[b + 6], x[b + 7], first)
        c0, c1, c2, c3 = _flip_one(x[b + 8], x[b + 9], x[b + 10], x[b + 11], first)
        d0, d1, d2, d3 = _flip_one(x[b + 12], x[b + 13], x[b + 14], x[b + 15], first)
        x[b], x[b + 4], x[b + 8], x[b + 12] = _flip_one(a0, b0, c0, d0, second)
        x[b + 1], x[b + 5], x[b + 9], x[b + 13] = _flip_one(a1, b1, c1, d1, second)
        x[b + 2], x[b + 6], x[b + 10], x[b + 14] = _flip_one(a2, b2, c2, d2, second)
        x[b + 3], x[b + 7], x[b + 11], x[b + 15] = _flip_one(a3, b3, c3, d3, second)


@numba.njit(fastmath=FAST_MATH, **INNER)
def _flip_digits(x, first, last, maps):
    """Digits first to last - 1 of the index of x; ``maps`` (last - first, 5)."""
    for q in range(first, last):
        n = 1 << (2 * q)
        k = q - first
        zz, zy, yz, yy, xx = maps[k, 0], maps[k, 1], maps[k, 2], maps[k, 3], maps[k, 4]
        for block in range(x.size >> (2 * q + 2)):
            base = block << (2 * q + 2)
            a, b, c, d = _quarters(x, base, n)
            for i in range(n):  # as in _flip_one, whose inlined code would round differently
                u = 0.5 * (a[i] + d[i])
                v = a[i] - d[i]
                w = b[i] + c[i]
                s = xx * (b[i] - c[i])
                z = zz * v + zy * w
                y = yz * v + yy * w
                a[i] = u + z
                b[i] = y + s
                c[i] = y - s
                d[i] = u - z


@numba.njit(fastmath=FAST_MATH, **INNER)
def _flip_tile(x, digits, maps):
    if digits >= 2:
        _flip_low(x, maps[0], maps[1])
        _flip_digits(x, 2, digits, maps[2:])
    else:
        _flip_digits(x, 0, digits, maps)


@numba.njit(fastmath=FAST_MATH, inline="always")
def _turn_pair(g, t, cos_row, sin_row, cos_column, sin_column):
    """G(r, c) and G(c, r) under the phases of r and c."""
    cos = cos_row * cos_column + sin_row * sin_column
    sin = sin_row * cos_column - cos_row * sin_column
    return cos * g - sin * t, cos * t + sin * g


@numba.njit(fastmath=FAST_MATH, **INNER)
def _turn_tiles(x, y, on_diagonal, spread, cos_row, sin_row, cos_column, sin_column):
    """Phases on the tile x and its transpose y; a tile on the diagonal is both."""
    half = cos_row.size // 2
    for r in range(half):
        c0 = cos_row[2 * r]
        s0 = sin_row[2 * r]
        c1 = cos_row[2 * r + 1]
        s1 = sin_row[2 * r + 1]
        for c in range(r if on_diagonal else half):
            i = 4 * (2 * spread[r] + spread[c])
            j = 4 * (2 * spread[c] + spread[r])
            k0 = cos_column[2 * c]
            z0 = sin_column[2 * c]
            k1 = cos_column[2 * c + 1]
            z1 = sin_column[2 * c + 1]
            x[i], y[j] = _turn_pair(x[i], y[j], c0, s0, k0, z0)
            x[i + 1], y[j + 2] = _turn_pair(x[i + 1], y[j + 2], c0, s0, k1, z1)
            x[i + 2], y[j + 1] = _turn_pair(x[i + 2], y[j + 1], c1, s1, k0, z0)
            x[i + 3], y[j + 3] = _turn_pair(x[i + 3], y[j + 3], c1, s1, k1, z1)
        if on_diagonal:
            i = 12 * spread[r]
            x[i + 1], x[i + 2] = _turn_pair(x[i + 1], x[i + 2], c0, s0, c1, s1)


@numba.njit(fastmath=FAST_MATH, **INNER)
def _split(x, first, last):
    """(a, b, c, d) to (u, w, s, v) on digits first to last - 1."""
    for q in range(first, last):
        n = 1 << (2 * q)
        for block in range(x.size >> (2 * q + 2)):
            base = block << (2 * q + 2)
            a, b, c, d = _quarters(x, base, n)
            for i in range(n):
                u = a[i] + d[i]
                v = a[i] - d[i]
                w = b[i] + c[i]
                s = b[i] - c[i]
                a[i] = u
                b[i] = w
                c[i] = s
                d[i] = v


@numba.njit(fastmath=FAST_MATH, **INNER)
def _join(x, first, last):
    """Inverse of :func:`_split`."""
    for q in range(first, last):
        n = 1 << (2 * q)
        for block in range(x.size >> (2 * q + 2)):
            base = block << (2 * q + 2)
            u, w, s, v = _quarters(x, base, n)
            for i in range(n):
                a = 0.5 * (u[i] + v[i])
                b = 0.5 * (w[i] + s[i])
                c = 0.5 * (w[i] - s[i])
                d = 0.5 * (u[i] - v[i])
                u[i] = a
                w[i] = b
                s[i] = c
                v[i] = d


@numba.njit(fastmath=FAST_MATH, **INNER)
def _relax_digits(x, first, last, maps):
    """Maps ``maps`` (last - first, 12) of (w, s, v), each from (u, w, s, v), on digits first to last - 1."""
    for q in range(first, last):
        n = 1 << (2 * q)
        k = q - first
        m0, m1, m2, m3, m4, m5 = maps[k, 0], maps[k, 1], maps[k, 2], maps[k, 3], maps[k, 4], maps[k, 5]
        m6, m7, m8, m9, m10, m11 = maps[k, 6], maps[k, 7], maps[k, 8], maps[k, 9], maps[k, 10], maps[k, 11]
        for block in range(x.size >> (2 * q + 2)):
            base = block << (2 * q + 2)
            u, w, s, v = _quarters(x, base, n)
            for i in range(n):
                y = m0 * u[i] + m1 * w[i] + m2 * s[i] + m3 * v[i]
                t = m4 * u[i] + m5 * w[i] + m6 * s[i] + m7 * v[i]
                z = m8 * u[i] + m9 * w[i] + m10 * s[i] + m11 * v[i]
                w[i] = y
                s[i] = t
                v[i] = z


@numba.njit(fastmath=FAST_MATH, inline="always")
def _multiply(x, by):
    for i in range(x.size):
        x[i] *= by[i]


@numba.njit(**INNER)
def _leave(x, digits, maps):
    """Nothing, after the last diagonal stage."""


@numba.njit(**INNER)
def _split_tile(x, digits, maps):
    _split(x, 0, digits)


@numba.njit(fastmath=FAST_MATH, **INNER)
def _low_digits(g, digits, spread, cos, sin, maps, act):
    """Phases, then what ``act`` (x, digits, maps) does to the low digits of the transverse stage, tile by tile."""
    size = 1 << (2 * digits)
    rows = 1 << digits
    for r in range(cos.size // rows):
        row = slice(r * rows, (r + 1) * rows)
        for c in range(r + 1):
            column = slice(c * rows, (c + 1) * rows)
            start = (2 * spread[r] + spread[c]) * size
            x = g[start : start + size]
            start = (2 * spread[c] + spread[r]) * size
            y = g[start : start + size]
            _turn_tiles(x, y, r == c, spread, cos[row], sin[row], cos[column], sin[column])
            for k in range(1 if r == c else 2):
                act(y if k else x, digits, maps)


@numba.njit(fastmath=FAST_MATH, **INNER)
def _relax_low_digits(g, digits, signs, flips, maps):
    """Relaxation of the low digits, once the high ones have relaxed, and back to entries of G."""
    size = 1 << (2 * digits)
    for tile in range(g.size // size):
        x = g[tile * size : (tile + 1) * size]
        _relax_digits(x, 0, digits, maps)
        _multiply(x, signs[flips[tile]])
        _join(x, 0, digits)


@numba.njit(inline="always")
def _copy(source, first, target, start, n):
    """Copy n entries."""
    for i in range(n):
        target[start + i] = source[first + i]


@numba.njit(fastmath=FAST_MATH, **INNER)
def _flip_columns(x, first, high, signs, flips, maps, column, width):
    _flip_digits(x, first, first + high, maps)


@numba.njit(fastmath=FAST_MATH, **INNER)
def _relax_columns(x, first, high, signs, flips, maps, column, width):
    _split(x, first, first + high)
    for r in range(1 << (2 * high)):
        _multiply(x[r * width : (r + 1) * width], signs[flips[r], column : column + width])
    _relax_digits(x, first, first + high, maps)


@numba.njit(fastmath=FAST_MATH, **INNER)
def _join_columns(x, first, high, signs, flips, maps, column, width):
    _join(x, first, first + high)


@numba.njit(fastmath=FAST_MATH, **INNER)
def _high_digits(g, low, high, signs, flips, maps, act, buffer):
    """Let ``act`` do the high digits, in strided columns that are gathered into the buffer."""
    rows = 1 << (2 * high)
    width = buffer.size // rows
    first = 0
    while 1 << (2 * first) < width:
        first += 1
    columns = 1 << (2 * low)
    column = 0
    while column < columns:
        for r in range(rows):
            _copy(g, (r << (2 * low)) + column, buffer, r * width, width)
        act(buffer, first, high, signs, flips, maps, column, width)
        for r in range(rows):
            _copy(buffer, r * width, g, (r << (2 * low)) + column, width)
        column += width


@numba.njit(fastmath=FAST_MATH, inline="always")
def _prepare(k, magnetization, ising, field, coupling, maps, kinds, cos, sin, stage):
    """Phases of diagonal stage k, and the maps of all spins in transverse stage k, if there is one."""
    for i in range(cos.size):
        cos[i], sin[i] = cos_sin(field[k] * magnetization[i] + coupling[k] * ising[i])
    if k < maps.shape[0]:
        for q in range(kinds.size):
            for j in range(maps.shape[2]):
                stage[q, j] = maps[k, kinds[kinds.size - 1 - q], j]


@jitted(fastmath=FAST_MATH, nogil=True)
def evolve_flipping(
    g, n_spins, magnetization, ising, field, coupling, maps, kinds, spread, flips, signs, buffer, cos, sin, stage
):
    """Apply V T V ... T V in place, where spins flip and do not relax.

    Args:
        g: (4^N,) the density matrix in the layout of this module.
        magnetization, ising: (2^N,) diagonals of Sz, int8, and of the couplings.
        field, coupling: (n + 1,) factors of the two diagonals in rad.
        maps: (n, m, 5) maps of the T stages for each of m kinds of spin, or (n, m, 12) of spins that relax; see
            :mod:`~spinbattery.engines.dense.noise_maps`.
        kinds: (N,) kind of each spin.
        spread, flips, signs: see :func:`~spinbattery.engines.dense.density.tables`.
        buffer, cos, sin, stage: work space of 4^TILE_DIGITS or 16 4^(N - TILE_DIGITS), (2^N,), (2^N,), (N, 5 or 12).
    """
    low = n_spins if n_spins < TILE_DIGITS else TILE_DIGITS
    high = n_spins - low
    for k in range(maps.shape[0]):
        _prepare(k, magnetization, ising, field, coupling, maps, kinds, cos, sin, stage)
        _low_digits(g, low, spread, cos, sin, stage[:low], _flip_tile)
        if high:
            _high_digits(g, low, high, signs, flips, stage[low:], _flip_columns, buffer)
    _prepare(maps.shape[0], magnetization, ising, field, coupling, maps, kinds, cos, sin, stage)
    _low_digits(g, low, spread, cos, sin, stage[:0], _leave)


@jitted(fastmath=FAST_MATH, nogil=True)
def evolve_relaxing(
    g, n_spins, magnetization, ising, field, coupling, maps, kinds, spread, flips, signs, buffer, cos, sin, stage
):
    """The same where spins relax. See :func:`evolve_flipping`."""
    low = n_spins if n_spins < TILE_DIGITS else TILE_DIGITS
    high = n_spins - low
    for k in range(maps.shape[0]):
        _prepare(k, magnetization, ising, field, coupling, maps, kinds, cos, sin, stage)
        _low_digits(g, low, spread, cos, sin, stage[:low], _split_tile)
        if high:
            _high_digits(g, low, high, signs, flips, stage[low:], _relax_columns, buffer)
        else:
            _multiply(g, signs[0])
        _relax_low_digits(g, low, signs, flips, stage[:low])
        if high:
            _high_digits(g, low, high, signs, flips, stage[low:], _join_columns, buffer)
    _prepare(maps.shape[0], magnetization, ising, field, coupling, maps, kinds, cos, sin, stage)
    _low_digits(g, low, spread, cos, sin, stage[:0], _leave)
