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

import math
from typing import Any

import numba

from ...core.jitted import jitted
from ...core.kernels import INNER
from ..simd import digits
from ..simd.kernels import FAST_MATH, cos_sin
from ..simd.sizes import LANES
from .declared import TILE_DIGITS


def _on_digits(on_entries: Any, on_lanes: Any, on_slices: Any) -> Any:
    """A map of some digits of the index, of which the two lowest go together."""

    @numba.njit(**INNER)
    def on_digits(x, first, last, maps):
        """Digits first, which is 0 or at least 2, to last - 1 of the index of x; ``maps`` has a row for each."""
        if last == 1:
            on_entries(x, 0, 1, maps, 0)
        elif first == 0:
            for i in range(0, x.size, 16):
                on_lanes(x, i, maps)
        for q in range(max(first, 2), last):
            n = 1 << (2 * q)
            for block in range(0, x.size, 4 * n):
                for i in range(block, block + n, LANES):
                    on_slices(x, i, n, maps, q - first)

    return on_digits


_flip = _on_digits(digits.flip_entries, digits.flip_lanes, digits.flip_slices)
_split = _on_digits(digits.split_entries, digits.split_lanes, digits.split_slices)
_join = _on_digits(digits.join_entries, digits.join_lanes, digits.join_slices)
_relax = _on_digits(digits.relax_entries, digits.relax_lanes, digits.relax_slices)


@numba.njit(fastmath=FAST_MATH, **INNER)
def _turn_tiles(x, y, on_diagonal, spread, cos_row, sin_row, cos_column, sin_column):
    """Phases on the tile x and its transpose y; a tile on the diagonal is both."""
    half = cos_row.size // 2
    for r in range(half):
        for c in range(r if on_diagonal else half):
            i = 4 * (2 * spread[r] + spread[c])
            j = 4 * (2 * spread[c] + spread[r])
            digits.phase_transposes(x, i, y, j, cos_row, sin_row, 2 * r, cos_column, sin_column, 2 * c)
        if on_diagonal:
            i = 12 * spread[r]
            cos = cos_row[2 * r] * cos_row[2 * r + 1] + sin_row[2 * r] * sin_row[2 * r + 1]
            sin = sin_row[2 * r] * cos_row[2 * r + 1] - cos_row[2 * r] * sin_row[2 * r + 1]
            g = x[i + 1]
            x[i + 1] = cos * g - sin * x[i + 2]
            x[i + 2] = cos * x[i + 2] + sin * g


@numba.njit(fastmath=FAST_MATH, inline="always")
def _multiply(x, by):
    for i in range(x.size):
        x[i] *= by[i]


@numba.njit(**INNER)
def _leave(x, digits, maps):
    """Nothing, after the last diagonal stage."""


@numba.njit(**INNER)
def _flip_tile(x, digits, maps):
    _flip(x, 0, digits, maps)


@numba.njit(**INNER)
def _split_tile(x, digits, maps):
    _split(x, 0, digits, maps)


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
        _relax(x, 0, digits, maps)
        _multiply(x, signs[flips[tile]])
        _join(x, 0, digits, maps)


@numba.njit(inline="always")
def _copy(source, first, target, start, n):
    """Copy n entries."""
    for i in range(n):
        target[start + i] = source[first + i]


@numba.njit(fastmath=FAST_MATH, **INNER)
def _flip_columns(x, first, high, signs, flips, maps, column, width):
    _flip(x, first, first + high, maps)


@numba.njit(fastmath=FAST_MATH, **INNER)
def _relax_columns(x, first, high, signs, flips, maps, column, width):
    _split(x, first, first + high, maps)
    for r in range(1 << (2 * high)):
        _multiply(x[r * width : (r + 1) * width], signs[flips[r], column : column + width])
    _relax(x, first, first + high, maps)


@numba.njit(fastmath=FAST_MATH, **INNER)
def _join_columns(x, first, high, signs, flips, maps, column, width):
    _join(x, first, first + high, maps)


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


@numba.njit(fastmath=FAST_MATH, **INNER)
def _turn_phases(magnetization, ising, field, coupling, cos, sin):
    """Phases of a diagonal stage."""
    for i in range(cos.size):
        cos[i], sin[i] = cos_sin(field * magnetization[i] + coupling * ising[i])


@numba.njit(**INNER)
def flip_map(theta, x, y, z):
    """A turn and flips in closed form: half of zz, zy, yz, yy and xx.

    The x component is scaled by xx, and (z, -y) multiplied by [[zz, zy], [yz, yy]]. The turn exp(-i theta sx) is in
    rad; x, y and z are decay rates times the signed time.
    """
    turn, uneven = 2.0 * theta, 0.5 * (y - z)
    square = turn * turn - uneven * uneven
    even = odd = 1.0
    if square > 0.0:
        root = math.sqrt(square)
        even, odd = math.cos(root), math.sin(root) / root
    elif square < 0.0:  # noise overdamps the turn
        root = math.sqrt(-square)
        even, odd = math.cosh(root), math.sinh(root) / root
    factor = 0.5 * math.exp(-0.5 * (y + z))
    zz, yy = factor * (even + odd * uneven), factor * (even - odd * uneven)
    if turn == 0.0:  # rounding would move populations, in every stage by as much
        zz, yy = 0.5 * math.exp(-z), 0.5 * math.exp(-y)
    return zz, -factor * odd * turn, factor * odd * turn, yy, 0.5 * math.exp(-x)


@numba.njit(**INNER)
def _flip_maps(theta, time, decays, kinds, stage):
    """Maps (N, 5) of all spins, the last spin first."""
    for kind in range(decays.shape[1]):
        zz, zy, yz, yy, xx = flip_map(theta, time * decays[0, kind], time * decays[1, kind], time * decays[2, kind])
        for q in range(kinds.size):
            if kinds[kinds.size - 1 - q] == kind:
                stage[q, 0], stage[q, 1], stage[q, 2], stage[q, 3], stage[q, 4] = zz, zy, yz, yy, xx


@jitted(fastmath=FAST_MATH, nogil=True)
def evolve_flipping(
    g, n_spins, magnetization, ising, field, coupling, theta, times, decays, kinds, spread, flips, signs, buffer, cos,
    sin, stage,
):  # fmt: skip
    """Apply V T V ... T V in place, where spins flip and do not relax.

    Args:
        g: (4^N,) the density matrix in the layout of this module.
        magnetization, ising: (2^N,) diagonals of Sz, int8, and of the couplings.
        field, coupling: (n + 1,) factors of the two diagonals in rad.
        theta, times: (n,) turns of the T stages in rad, and their signed times in ns.
        decays: (3, m) decay rates of x, y and z of m kinds of spin in 1/ns.
        kinds: (N,) kind of each spin.
        spread, flips, signs: see :func:`~spinbattery.engines.dense.density.tables`.
        buffer, cos, sin, stage: work space of 4^TILE_DIGITS or 16 4^(N - TILE_DIGITS), (2^N,), (2^N,), (N, 5).
    """
    low = n_spins if n_spins < TILE_DIGITS else TILE_DIGITS
    high = n_spins - low
    for k in range(theta.size):
        _turn_phases(magnetization, ising, field[k], coupling[k], cos, sin)
        _flip_maps(theta[k], times[k], decays, kinds, stage)
        _low_digits(g, low, spread, cos, sin, stage[:low], _flip_tile)
        if high:
            _high_digits(g, low, high, signs, flips, stage[low:], _flip_columns, buffer)
    _turn_phases(magnetization, ising, field[-1], coupling[-1], cos, sin)
    _low_digits(g, low, spread, cos, sin, stage[:0], _leave)


@jitted(fastmath=FAST_MATH, nogil=True)
def evolve_relaxing(
    g, n_spins, magnetization, ising, field, coupling, maps, kinds, spread, flips, signs, buffer, cos, sin, stage
):
    """Apply V T V ... T V in place, where spins relax.

    Args:
        maps: (n, m, 12) maps of the T stages for each of m kinds of spin; see
            :func:`~spinbattery.engines.dense.noise_maps.relaxation_maps`.
        stage: (N, 12); all others are those of :func:`evolve_flipping`.
    """
    low = n_spins if n_spins < TILE_DIGITS else TILE_DIGITS
    high = n_spins - low
    for k in range(maps.shape[0]):
        _turn_phases(magnetization, ising, field[k], coupling[k], cos, sin)
        for q in range(kinds.size):
            for j in range(maps.shape[2]):
                stage[q, j] = maps[k, kinds[kinds.size - 1 - q], j]
        _low_digits(g, low, spread, cos, sin, stage[:low], _split_tile)
        if high:
            _high_digits(g, low, high, signs, flips, stage[low:], _relax_columns, buffer)
        else:
            _multiply(g, signs[0])
        _relax_low_digits(g, low, signs, flips, stage[:low])
        if high:
            _high_digits(g, low, high, signs, flips, stage[low:], _join_columns, buffer)
    _turn_phases(magnetization, ising, field[-1], coupling[-1], cos, sin)
    _low_digits(g, low, spread, cos, sin, stage[:0], _leave)
