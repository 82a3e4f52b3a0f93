"""Numba kernel of spin-vector Monte Carlo: one Metropolis sweep after another, many reads side by side.

The arrays are [spin, read]: the same spin of all reads of a block is updated at once, so the reads are the lanes
of vector instructions, no colouring of the graph is needed, and a spin gathers its neighbours by adding whole rows.
A read's result depends only on its own lane; blocks are a multiple of `LANES` reads wide, so that no lane falls
into the scalar remainder of a vectorised loop, where rounding may differ.

A rotor is kept as v = theta/pi - 1/2 and as cos(theta) = -sin(pi v); sin(theta) = cos(pi v). Everything is float32:
the polynomials below are good to 6e-7, and an energy of 100 kT is rounded by 1e-5 kT, which changes a Boltzmann factor
by 1e-5. The cosine is always the polynomial of v, never carried along, so errors do not accumulate.
"""

from __future__ import annotations

import math

import numba
import numpy as np

from ..core.jitted import jitted

LANES = 64
"""Widest vector of float32 (16) times the most that LLVM interleaves (4): it divides the width of every block."""

_FAST = {"contract", "nsz", "arcp", "nnan", "ninf", "reassoc"}

_F = np.float32
_U = np.uint32
_I = np.int32

# minimax on the interval named
_S0, _S1, _S2, _S3 = (_F(c) for c in (3.141582022116235, -5.167142794778572, 2.541899011336623, -0.5546361521792265))
_C0, _C1, _C2, _C3, _C4 = (
    _F(c) for c in (0.9999999534929264, -4.934792860053484, 4.058411933670027, -1.3318802633718163, 0.21969697672772162)
)
_E1, _E2, _E3, _E4 = (
    _F(c) for c in (0.693063569729067, 0.23945674229612962, 0.05322357485842233, 0.006831892969783755)
)
_LOG2_E = _F(1.0 / math.log(2.0))
_LEAST_EXPONENT = _F(-100.0)
_INT_RANGE = _F(2.0**-31)


@numba.njit(fastmath=_FAST, inline="always")
def _minus_sin_pi(v):
    """-sin(pi v) for |v| <= 1/2, to 6e-7."""
    y = v * v
    return -v * (_S0 + y * (_S1 + y * (_S2 + y * _S3)))


@numba.njit(fastmath=_FAST, inline="always")
def _cos_pi(v):
    """cos(pi v) for |v| <= 1/2, to 1e-7."""
    y = v * v
    return _C0 + y * (_C1 + y * (_C2 + y * (_C3 + y * _C4)))


@numba.njit(fastmath=_FAST, inline="always")
def _exp_negative(x):
    """exp(x) for x <= 0, to a relative 3e-6 and 1 at 0; 2^-100 far below.

    2^n from the bits of the exponent, times a polynomial of the rest in (-1, 0].
    """
    t = max(x * _LOG2_E, _LEAST_EXPONENT)
    n = _I(t)
    f = t - _F(n)
    power = _I((n + _I(127)) << _I(23)).view(_F)
    return power * (_F(1.0) + f * (_E1 + f * (_E2 + f * (_E3 + f * _E4))))


@numba.njit(fastmath=_FAST, inline="always")
def _sum_rows(rows, neighbours, first, last, total):
    """total = sum of the neighbours' rows; five at a time, as each pass reads and writes the total once."""
    odd = (last - first) % 5
    if odd == 0:
        for r in range(total.size):
            total[r] = _F(0.0)
    elif odd == 1:
        a = rows[neighbours[first]]
        for r in range(total.size):
            total[r] = a[r]
    elif odd == 2:
        a = rows[neighbours[first]]
        b = rows[neighbours[first + 1]]
        for r in range(total.size):
            total[r] = a[r] + b[r]
    elif odd == 3:
        a = rows[neighbours[first]]
        b = rows[neighbours[first + 1]]
        c = rows[neighbours[first + 2]]
        for r in range(total.size):
            total[r] = a[r] + b[r] + c[r]
    else:
        a = rows[neighbours[first]]
        b = rows[neighbours[first + 1]]
        c = rows[neighbours[first + 2]]
        d = rows[neighbours[first + 3]]
        for r in range(total.size):
            total[r] = (a[r] + b[r]) + (c[r] + d[r])
    for q in range(first + odd, last, 5):
        a = rows[neighbours[q]]
        b = rows[neighbours[q + 1]]
        c = rows[neighbours[q + 2]]
        d = rows[neighbours[q + 3]]
        e = rows[neighbours[q + 4]]
        for r in range(total.size):
            total[r] += (a[r] + b[r]) + (c[r] + d[r]) + e[r]


@numba.njit(fastmath=_FAST, inline="always")
def _sum_weighted_rows(rows, neighbours, weights, first, last, total):
    """total = sum of weight times row."""
    for r in range(total.size):
        total[r] = _F(0.0)
    q = first
    while q + 1 < last:
        a = rows[neighbours[q]]
        b = rows[neighbours[q + 1]]
        x = weights[q]
        y = weights[q + 1]
        for r in range(total.size):
            total[r] += x * a[r] + y * b[r]
        q += 2
    if q < last:
        a = rows[neighbours[q]]
        x = weights[q]
        for r in range(total.size):
            total[r] += x * a[r]


@numba.njit(inline="always")
def _next(a, b, c, d):
    """The next state of xoshiro128+."""
    t = _U(b << _U(9))
    c = _U(c ^ a)
    d = _U(d ^ b)
    b = _U(b ^ c)
    a = _U(a ^ d)
    c = _U(c ^ t)
    return a, b, c, _U(_U(d << _U(11)) | _U(d >> _U(21)))


@numba.njit(fastmath=_FAST, inline="always")
def _update(v, cosine, total, s0, s1, s2, s3, field, coupling, transverse, width):
    """Metropolis update of one spin in all reads; s0 to s3 are the reads' xoshiro128+ generators.

    The proposal is uniform within +-width, reflected at theta = 0 and pi. The second random number is the magnitude
    of a signed integer: so it is fine near zero, where rare moves are decided.
    """
    for r in range(v.size):
        a = s0[r]
        b = s1[r]
        c = s2[r]
        d = s3[r]
        first = _U(a + d)
        a, b, c, d = _next(a, b, c, d)
        second = _U(a + d)
        a, b, c, d = _next(a, b, c, d)
        s0[r] = a
        s1[r] = b
        s2[r] = c
        s3[r] = d
        old = v[r]
        new = abs(old + width * _F(_I(first)) + _F(0.5)) - _F(0.5)
        new = min(new, _F(1.0) - new)
        old_cosine = cosine[r]
        new_cosine = _minus_sin_pi(new)
        gain = transverse * (_cos_pi(new) - _cos_pi(old)) - (field + coupling * total[r]) * (new_cosine - old_cosine)
        accepted = abs(_F(_I(second | _U(1)))) * _INT_RANGE < _exp_negative(min(gain, _F(0.0)))
        v[r] = new if accepted else old
        cosine[r] = new_cosine if accepted else old_cosine


@jitted(fastmath=_FAST, nogil=True)
def anneal_rotors(starts, neighbours, weights, h, v, cosine, generators, transverse, coupling, field, width):
    """Sweeps over the rotors, in place; one sweep per entry of ``transverse``.

    Only the first ``len(h)`` rows of the state move; further rows are spins that are held.

    Args:
        starts: (n + 1,) where the neighbours of each moving spin begin.
        neighbours: rows of the neighbours, one after another.
        weights: factor of ``coupling`` on each of them, float32; empty where all are 1.
        h: (n,) float32, factor of ``field`` on each moving spin.
        v: [spin, read] float32, theta/pi - 1/2.
        cosine: [spin, read] float32, cos(theta) = -sin(pi v).
        generators: (4, read) uint32, states of xoshiro128+.
        transverse, coupling, field: (sweep,) float32; A/2, B/2 and g B/2 over kT, with the energy
            -transverse sin + field h cos + coupling weight cos cos.
        width: (sweep,) float32, half width of the proposal over pi, at most 1.
    """
    total = np.zeros(v.shape[1], dtype=np.float32)
    equal = weights.size == 0
    s0 = generators[0]
    s1 = generators[1]
    s2 = generators[2]
    s3 = generators[3]
    for k in range(transverse.size):
        step = width[k] * _INT_RANGE
        for i in range(h.size):
            first = starts[i]
            last = starts[i + 1]
            if equal:
                if last > first:
                    _sum_rows(cosine, neighbours, first, last, total)
            else:
                _sum_weighted_rows(cosine, neighbours, weights, first, last, total)
            strength = coupling[k] if last > first else _F(0.0)
            _update(v[i], cosine[i], total, s0, s1, s2, s3, field[k] * h[i], strength, transverse[k], step)
