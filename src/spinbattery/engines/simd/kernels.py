"""Numba kernels of the split-step state vector.

The state is two arrays of 2^N entries, float64 or float32, real and imaginary part, in the gauge
b_n = i^(number of down bits of n) a_n, in which exp(-i theta sx) is the real rotation
(b0, b1) -> (c b0 - s b1, c b1 + s b0). Both parts are transformed alike, with one operation per entry and spin: spins
are turned in pairs, and the factors cos(theta) of the others are collected into the diagonal stage.

A tile of 2^TILE_BITS entries of both parts fits the second-level cache and is treated as a whole. States of more spins
are treated in :mod:`~spinbattery.engines.simd.row_kernels`.

Functions that are called from Python release the interpreter lock, so that runs in threads of one process
advance together and the process stays responsive.
"""

from __future__ import annotations

import math

import numba
import numpy as np

from ...core.jitted import jitted
from ...core.kernels import INNER
from .sizes import LANE_BITS, LANES, ROW, ROW_BITS, ROW_LEFT_TO_SCALE
from .vectors import turn_lanes, turn_one, turn_row, turn_three, turn_two

# contraction to fused multiply-adds is wanted; reassociation would undo the two-part reduction in cos_sin
FAST_MATH = {"contract", "nsz", "arcp", "nnan", "ninf"}

_INVERSE_PI = 1.0 / math.pi
_PI_HIGH = 3.141592653589793
_PI_LOW = 1.2246467991473532e-16


@numba.njit(fastmath=FAST_MATH, inline="always")
def cos_sin(angle):
    """cos and sin by reduction modulo pi and Taylor polynomials, which vectorise, unlike libm's."""
    k = np.rint(angle * _INVERSE_PI)
    r = angle - k * _PI_HIGH
    r = r - k * _PI_LOW
    half = 0.5 * k
    sign = 1.0 - 4.0 * (half - np.floor(half))
    x = r * r
    s = -1.0 / 121645100408832000.0
    s = 1.0 / 355687428096000.0 + x * s
    s = -1.0 / 1307674368000.0 + x * s
    s = 1.0 / 6227020800.0 + x * s
    s = -1.0 / 39916800.0 + x * s
    s = 1.0 / 362880.0 + x * s
    s = -1.0 / 5040.0 + x * s
    s = 1.0 / 120.0 + x * s
    s = -1.0 / 6.0 + x * s
    s = (1.0 + x * s) * r
    c = 1.0 / 2432902008176640000.0
    c = -1.0 / 6402373705728000.0 + x * c
    c = 1.0 / 20922789888000.0 + x * c
    c = -1.0 / 87178291200.0 + x * c
    c = 1.0 / 479001600.0 + x * c
    c = -1.0 / 3628800.0 + x * c
    c = 1.0 / 40320.0 + x * c
    c = -1.0 / 720.0 + x * c
    c = 1.0 / 24.0 + x * c
    c = -0.5 + x * c
    c = 1.0 + x * c
    return sign * c, sign * s


@numba.njit(fastmath=FAST_MATH, **INNER)
def _diagonal_stage(re, im, magnetization, ising, field, coupling, scale):
    """Multiply by scale * exp(-i (field * magnetization + coupling * ising))."""
    for i in range(re.size):
        c, s = cos_sin(field * magnetization[i] + coupling * ising[i])
        c *= scale
        s *= scale
        x = re[i]
        y = im[i]
        re[i] = x * c + y * s
        im[i] = y * c - x * s


@numba.njit(inline="always")
def power(x, n):
    """x^n for n = 0, 1, ...; Python's may raise, which needs an interpreter."""
    found = 1.0
    while n:
        if n & 1:
            found *= x
        n >>= 1
        x *= x
    return found


@numba.njit(inline="always")
def halves(x, start, n):
    """Slices of the n entries from ``start`` on, where a bit of the index is 0, and of the next n, where it is 1."""
    return x[start : start + n], x[start + n : start + 2 * n]


@numba.njit(inline="always")
def turn_of(theta, x):
    """tan and sin cos of the angle, in the type of an array."""
    return x.dtype.type(math.tan(theta)), x.dtype.type(math.sin(theta) * math.cos(theta))


@numba.njit(fastmath=FAST_MATH, **INNER)
def rotate_bits(x, first, last, turn):
    """Turn bits ``first`` (3 or more) to ``last`` - 1 of the index of x, three at a time."""
    t, f = turn
    q = first
    while q < last:
        n = 1 << q
        if last - q >= 3:
            for block in range(x.size >> (q + 3)):
                b = block << (q + 3)
                for i in range(b, b + n, LANES):
                    turn_three(x, i, n, x, i, n, t, f)
        elif last - q == 2:
            for block in range(x.size >> (q + 2)):
                b = block << (q + 2)
                for i in range(b, b + n, LANES):
                    turn_two(x, i, n, x, i, n, t, f)
        else:
            for block in range(x.size >> (q + 1)):
                b = block << (q + 1)
                for i in range(b, b + n, LANES):
                    turn_one(x, i, n, x, i, n, t, f)
        q += 3


@numba.njit(inline="always")
def left_to_scale(bits):
    """How many of the spins that :func:`rotate_bits` turns, ``bits`` in all, lack their factor cos(theta)."""
    return bits // 3 + (bits % 3 == 1)


@numba.njit(fastmath=FAST_MATH, **INNER)
def _rotate_tile(x, bits, turn):
    """Turn all ``bits`` of the index of x."""
    t, f = turn
    if bits >= ROW_BITS:
        for i in range(0, x.size, ROW):
            turn_row(x, i, t, f)
        rotate_bits(x, ROW_BITS, bits, turn)
    elif bits >= LANE_BITS:
        for i in range(0, x.size, LANES):
            turn_lanes(x, i, t, f)
        rotate_bits(x, LANE_BITS, bits, turn)
    else:
        for q in range(bits):
            n = 1 << q
            for block in range(x.size >> (q + 1)):
                x0, x1 = halves(x, block << (q + 1), n)
                for i in range(n):
                    y0 = x0[i]
                    y1 = x1[i]
                    x0[i] = y0 - t * y1
                    x1[i] = y1 + t * y0


@numba.njit(inline="always")
def _tile_left_to_scale(bits):
    """How many spins :func:`_rotate_tile` leaves without their factor cos(theta)."""
    if bits >= ROW_BITS:
        return ROW_LEFT_TO_SCALE + left_to_scale(bits - ROW_BITS)
    return LANE_BITS + left_to_scale(bits - LANE_BITS) if bits >= LANE_BITS else bits


@jitted(fastmath=FAST_MATH, nogil=True)
def evolve_tile(re, im, n_spins, magnetization, ising, theta, field, coupling):
    """Apply V T V ... T V in place.

    Args:
        re, im: (2^N,) real and imaginary part, float64 or float32.
        magnetization, ising: (2^N,) diagonals of Sz, int8, and of the couplings.
        theta: (n,) rotation angles, |theta| well below pi/2.
        field, coupling: (n + 1,) factors of the two diagonals in rad.
    """
    for k in range(theta.size):
        scale = power(math.cos(theta[k]), _tile_left_to_scale(n_spins))
        turn = turn_of(theta[k], re)
        _diagonal_stage(re, im, magnetization, ising, field[k], coupling[k], scale)
        _rotate_tile(re, n_spins, turn)
        _rotate_tile(im, n_spins, turn)
    _diagonal_stage(re, im, magnetization, ising, field[-1], coupling[-1], 1.0)


@jitted(fastmath=FAST_MATH, nogil=True)
def transverse_expectation(re, im, n_spins):
    """<Sx>, not normalised: sum over spins and pairs of 2 Im(conj(b_up) b_down) in this gauge."""
    total = 0.0
    for q in range(n_spins):
        n = 1 << q
        for block in range(re.size >> (q + 1)):
            b = block << (q + 1)
            x0, x1 = halves(re, b, n)
            y0, y1 = halves(im, b, n)
            for i in range(n):
                total += 2.0 * (x0[i] * y1[i] - y0[i] * x1[i])
    return total
