"""Numba kernels of the split-step state vector.

The state is two float64 arrays of 2^N entries, real and imaginary part, in the gauge
b_n = i^(number of down bits of n) a_n, in which exp(-i theta sx) is the real rotation
(b0, b1) -> (c b0 - s b1, c b1 + s b0): both parts are transformed alike, with one fused
multiply-add per entry and spin when cos(theta)^N is collected into the diagonal stage.

Loops run over separate contiguous slices because indices such as ``x[i + stride]`` are not
vectorised. A tile of 2^TILE_BITS entries of both parts fits the second-level cache; larger states are
swept once per stage, alternately in contiguous tiles (low bits) and in strided columns (high bits):
each sweep ends one transverse stage, applies the diagonal one, and begins the next.

What is called from Python releases the interpreter lock, so that runs in threads of one process
advance together and the process stays responsive.
"""

from __future__ import annotations

import math

import numba
import numpy as np

TILE_BITS = 13
_COLUMN_BITS = 5

# contraction to fused multiply-adds is wanted; reassociation would undo the two-part reduction below
FAST_MATH = {"contract", "nsz", "arcp", "nnan", "ninf"}

_INVERSE_PI = 1.0 / math.pi
_PI_HIGH = 3.141592653589793
_PI_LOW = 1.2246467991473532e-16


@numba.njit(fastmath=FAST_MATH, inline="always")
def cos_sin(angle):
    """cos and sin by reduction modulo pi and Taylor polynomials: unlike libm's they vectorise."""
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


@numba.njit(fastmath=FAST_MATH, cache=True)
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


@numba.njit(fastmath=FAST_MATH, inline="always")
def _rotate_pair(x0, x1, t):
    for i in range(x0.size):
        a = x0[i]
        b = x1[i]
        x0[i] = a - t * b
        x1[i] = b + t * a


@numba.njit(fastmath=FAST_MATH, inline="always")
def _rotate_quad(x0, x1, x2, x3, t):
    for i in range(x0.size):
        a0 = x0[i]
        a1 = x1[i]
        a2 = x2[i]
        a3 = x3[i]
        c0 = a0 - t * a1
        c1 = a1 + t * a0
        c2 = a2 - t * a3
        c3 = a3 + t * a2
        x0[i] = c0 - t * c2
        x2[i] = c2 + t * c0
        x1[i] = c1 - t * c3
        x3[i] = c3 + t * c1


@numba.njit(fastmath=FAST_MATH, cache=True)
def _rotate_low(x, t):
    """The three least significant bits, in registers: their strides are too short for slices."""
    for b in range(0, x.size, 8):
        a0 = x[b]
        a1 = x[b + 1]
        a2 = x[b + 2]
        a3 = x[b + 3]
        a4 = x[b + 4]
        a5 = x[b + 5]
        a6 = x[b + 6]
        a7 = x[b + 7]
        b0 = a0 - t * a1
        b1 = a1 + t * a0
        b2 = a2 - t * a3
        b3 = a3 + t * a2
        b4 = a4 - t * a5
        b5 = a5 + t * a4
        b6 = a6 - t * a7
        b7 = a7 + t * a6
        a0 = b0 - t * b2
        a2 = b2 + t * b0
        a1 = b1 - t * b3
        a3 = b3 + t * b1
        a4 = b4 - t * b6
        a6 = b6 + t * b4
        a5 = b5 - t * b7
        a7 = b7 + t * b5
        x[b] = a0 - t * a4
        x[b + 4] = a4 + t * a0
        x[b + 1] = a1 - t * a5
        x[b + 5] = a5 + t * a1
        x[b + 2] = a2 - t * a6
        x[b + 6] = a6 + t * a2
        x[b + 3] = a3 - t * a7
        x[b + 7] = a7 + t * a3


@numba.njit(fastmath=FAST_MATH, cache=True)
def _rotate_bits(x, first, last, t):
    """Bits first to last - 1 of the index of x, two at a time."""
    q = first
    while q + 1 < last:
        n = 1 << q
        for b in range(0, x.size, 4 * n):
            _rotate_quad(x[b : b + n], x[b + n : b + 2 * n], x[b + 2 * n : b + 3 * n], x[b + 3 * n : b + 4 * n], t)
        q += 2
    if q < last:
        n = 1 << q
        for b in range(0, x.size, 2 * n):
            _rotate_pair(x[b : b + n], x[b + n : b + 2 * n], t)


@numba.njit(fastmath=FAST_MATH, cache=True)
def _rotate_tile(x, bits, t):
    if bits >= 3:
        _rotate_low(x, t)
        _rotate_bits(x, 3, bits, t)
    else:
        _rotate_bits(x, 0, bits, t)


@numba.njit(fastmath=FAST_MATH, cache=True, nogil=True)
def evolve_tile(re, im, n_spins, magnetization, ising, theta, field, coupling):
    for k in range(theta.size):
        scale = math.cos(theta[k]) ** n_spins
        t = math.tan(theta[k])
        _diagonal_stage(re, im, magnetization, ising, field[k], coupling[k], scale)
        _rotate_tile(re, n_spins, t)
        _rotate_tile(im, n_spins, t)
    _diagonal_stage(re, im, magnetization, ising, field[-1], coupling[-1], 1.0)


@numba.njit(fastmath=FAST_MATH, cache=True)
def _sweep_low(re, im, bits, magnetization, ising, t_end, t_begin, field, coupling, scale):
    size = 1 << bits
    for b in range(0, re.size, size):
        x = re[b : b + size]
        y = im[b : b + size]
        if t_end != 0.0:
            _rotate_tile(x, bits, t_end)
            _rotate_tile(y, bits, t_end)
        _diagonal_stage(x, y, magnetization[b : b + size], ising[b : b + size], field, coupling, scale)
        if t_begin != 0.0:
            _rotate_tile(x, bits, t_begin)
            _rotate_tile(y, bits, t_begin)


@numba.njit(fastmath=FAST_MATH, cache=True)
def _sweep_high(re, im, low, high, magnetization, ising, t_end, t_begin, field, coupling, scale, x, y):
    """Strided columns of all high-bit rows, gathered into the buffers x and y."""
    rows = 1 << high
    width = 1 << _COLUMN_BITS
    for column in range(0, 1 << low, width):
        for r in range(rows):
            start = (r << low) + column
            x[r * width : (r + 1) * width] = re[start : start + width]
            y[r * width : (r + 1) * width] = im[start : start + width]
        _rotate_bits(x, _COLUMN_BITS, _COLUMN_BITS + high, t_end)
        _rotate_bits(y, _COLUMN_BITS, _COLUMN_BITS + high, t_end)
        for r in range(rows):
            start = (r << low) + column
            _diagonal_stage(
                x[r * width : (r + 1) * width],
                y[r * width : (r + 1) * width],
                magnetization[start : start + width],
                ising[start : start + width],
                field,
                coupling,
                scale,
            )
        if t_begin != 0.0:
            _rotate_bits(x, _COLUMN_BITS, _COLUMN_BITS + high, t_begin)
            _rotate_bits(y, _COLUMN_BITS, _COLUMN_BITS + high, t_begin)
        for r in range(rows):
            start = (r << low) + column
            re[start : start + width] = x[r * width : (r + 1) * width]
            im[start : start + width] = y[r * width : (r + 1) * width]


@numba.njit(fastmath=FAST_MATH, cache=True, nogil=True)
def evolve_blocked(re, im, n_spins, magnetization, ising, theta, field, coupling):
    low = TILE_BITS
    high = n_spins - low
    x = np.empty(1 << (_COLUMN_BITS + high))
    y = np.empty(1 << (_COLUMN_BITS + high))
    n = theta.size
    for k in range(n + 1):
        t_end = math.tan(theta[k - 1]) if k > 0 else 0.0
        t_begin = math.tan(theta[k]) if k < n else 0.0
        scale = math.cos(theta[k]) ** n_spins if k < n else 1.0
        if k % 2 == 0:
            _sweep_low(re, im, low, magnetization, ising, t_end, t_begin, field[k], coupling[k], scale)
        else:
            _sweep_high(re, im, low, high, magnetization, ising, t_end, t_begin, field[k], coupling[k], scale, x, y)


def evolve(re, im, n_spins, magnetization, ising, theta, field, coupling) -> None:
    """Apply V T V ... T V in place.

    Args:
        re, im: (2^N,) real and imaginary part in the gauge of this module.
        n_spins: N.
        magnetization: (2^N,) int8 diagonal of Sz.
        ising: (2^N,) Ising diagonal.
        theta: (n,) rotation angles, |theta| well below pi/2.
        field, coupling: (n + 1,) factors of the two diagonals in rad.
    """
    run = evolve_tile if n_spins <= TILE_BITS else evolve_blocked
    run(re, im, n_spins, magnetization, ising, theta, field, coupling)


@numba.njit(fastmath=FAST_MATH, cache=True, nogil=True)
def transverse_expectation(re, im, n_spins):
    """<Sx>, not normalised: sum over spins and pairs of 2 Im(conj(b_up) b_down) in this gauge."""
    total = 0.0
    for q in range(n_spins):
        n = 1 << q
        for b in range(0, re.size, 2 * n):
            x0 = re[b : b + n]
            y0 = im[b : b + n]
            x1 = re[b + n : b + 2 * n]
            y1 = im[b + n : b + 2 * n]
            for i in range(n):
                total += 2.0 * (x0[i] * y1[i] - y0[i] * x1[i])
    return total
