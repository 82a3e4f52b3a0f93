"""Numba kernels of quantum trajectories between jumps: steps of the splitting, unitary or damped.

A step is a table (5, S + 1) for its stages: rotation angles, factors of Sz and of the Ising diagonal, and the integrals
of q nx and q nz that damp. With Pauli noise the evolution between jumps is unitary. Relaxation damps it by
exp(-(G/4) (q nx X + q nz Z)) on each spin: the first part commutes with the rotation beside it, the second with the
diagonal stage, so that the splitting keeps its order. The squared norm is the probability of no jump.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from ...core.jitted import jitted
from ...core.kernels import INNER
from ...core.typing import FloatArray, IntArray
from ..simd.kernels import FAST_MATH, cos_sin, evolve_tile, halves
from ..simd.row_kernels import evolve_rows
from ..simd.row_phases import Rows

_ROTATION, _FIELD, _ISING, _DAMPING_X, _DAMPING_Z = range(5)


class System(NamedTuple):
    """The problem on one mesh, as the kernels need it.

    Attributes:
        magnetization, ising: (2^N,) diagonals.
        by_rows: the same for states beyond one tile, None for smaller ones, which so need no kernels of large states.
        edges: (n + 1,) step edges, ns.
        stages: (n, 5, S + 1) tables of the steps.
        output: (n + 1,) number of the output at each edge, -1 where there is none.
        next_output: (n + 1,) first later edge that has one; n at the end.
        output_fields: (T + 1, 3) Bx, Bz, B/2 at the outputs, GHz.
        axes: (n + 1, 3) nx, nz, q at the edges.
        pauli, relaxation: (3, N) and (N,) rates, 1/ns.
        damped: whether any relaxation acts.
    """

    n_spins: int
    magnetization: NDArray[np.int8]
    ising: FloatArray
    by_rows: Rows | None
    edges: FloatArray
    stages: FloatArray
    output: IntArray
    next_output: IntArray
    output_fields: FloatArray
    axes: FloatArray
    pauli: FloatArray
    relaxation: FloatArray
    damped: bool


@numba.njit(**INNER)
def run_unitary(re, im, system, stages):
    """Consecutive steps without damping; diagonal stages that meet are applied at once."""
    steps = stages.shape[0]
    per_step = stages.shape[2] - 1
    theta = np.empty(steps * per_step)
    field = np.zeros(steps * per_step + 1)
    coupling = np.zeros(steps * per_step + 1)
    for j in range(steps):
        for k in range(per_step):
            theta[j * per_step + k] = stages[j, _ROTATION, k]
        for k in range(per_step + 1):
            field[j * per_step + k] += stages[j, _FIELD, k]
            coupling[j * per_step + k] += stages[j, _ISING, k]
    _apply(re, im, system, system.by_rows, theta, field, coupling)


@numba.njit(**INNER)
def _apply(re, im, system, by_rows, theta, field, coupling):
    """Apply stages V T V ... V. Without rows Numba leaves the second branch out, as None is a type of its own."""
    if by_rows is None:
        evolve_tile(re, im, system.n_spins, system.magnetization, system.ising, theta, field, coupling)
    else:
        evolve_rows(re, im, by_rows, np.zeros(1, np.int64), theta, field, coupling)


@numba.njit(fastmath=FAST_MATH, **INNER)
def _damped_diagonal(re, im, magnetization, ising, field, coupling, low, high):
    """Multiply by exp(-i (field Sz + coupling ZZ)) and by a real factor for the low and the high bits."""
    size = low.size
    for h in range(high.size):
        part = slice(h * size, (h + 1) * size)
        x, y, m, z = re[part], im[part], magnetization[part], ising[part]
        scale = high[h]
        for i in range(size):
            c, s = cos_sin(field * m[i] + coupling * z[i])
            c *= scale * low[i]
            s *= scale * low[i]
            a = x[i]
            b = y[i]
            x[i] = a * c + b * s
            y[i] = b * c - a * s


@numba.njit(fastmath=FAST_MATH, **INNER)
def _damped_rotation(re, im, bit, tr, ti):
    """(b0, b1) -> (b0 + t b1, b1 - t b0) with a complex t."""
    n = 1 << bit
    for start in range(0, re.size, 2 * n):
        x0, x1 = halves(re, start, n)
        y0, y1 = halves(im, start, n)
        for i in range(n):
            a = x0[i]
            b = y0[i]
            c = x1[i]
            d = y1[i]
            x0[i] = a + tr * c - ti * d
            y0[i] = b + tr * d + ti * c
            x1[i] = c - tr * a + ti * b
            y1[i] = d - tr * b - ti * a


@numba.njit(**INNER)
def _fill_damping(table, first_bit, n_spins, relaxation, integral):
    """exp(-sum_k (G_k/4) integral sz_k) over the bits of a table, sz = +1 where a bit is zero."""
    bits = 0
    table[0] = 1.0
    rate = -1.0
    up = down = 1.0
    while 1 << bits < table.size:
        spin = n_spins - 1 - first_bit - bits
        if relaxation[spin] != rate:
            rate = relaxation[spin]
            down = math.exp(0.25 * rate * integral)
            up = 1.0 / down
        for j in range(1 << bits):
            table[j + (1 << bits)] = table[j] * down
            table[j] *= up
        bits += 1


@jitted(fastmath=True)
def squared_norm(re, im):
    total = 0.0
    for i in range(re.size):
        total += re[i] * re[i] + im[i] * im[i]
    return total


@numba.njit(**INNER)
def run_damped(re, im, system, stage, scale):
    """One step with damping of the state times ``scale``; returns the squared norm."""
    n_spins, relaxation = system.n_spins, system.relaxation
    low = np.empty(1 << (n_spins // 2))
    high = np.empty(1 << (n_spins - n_spins // 2))
    factors = np.empty((2, n_spins))
    last = stage.shape[1] - 1
    tr = ti = scale_of_one = 1.0
    for k in range(last + 1):
        _fill_damping(low, 0, n_spins, relaxation, stage[_DAMPING_Z, k])
        _fill_damping(high, n_spins // 2, n_spins, relaxation, stage[_DAMPING_Z, k])
        if k == 0:
            high *= scale
        if k < last:
            # |cosh(z)| of every spin's exp(-z X), z = damping + i angle
            angle = 2.0 * stage[_ROTATION, k]
            rate = -1.0
            for spin in range(n_spins):
                if relaxation[spin] != rate:
                    rate = relaxation[spin]
                    damping = 0.5 * rate * stage[_DAMPING_X, k]
                    below = math.cosh(damping) + math.cos(angle)
                    scale_of_one = math.sqrt(0.5 * below)
                    tr, ti = -math.sin(angle) / below, math.sinh(damping) / below
                factors[0, spin], factors[1, spin] = tr, ti
                high *= scale_of_one
        _damped_diagonal(re, im, system.magnetization, system.ising, stage[_FIELD, k], stage[_ISING, k], low, high)
        if k < last:
            for spin in range(n_spins):
                _damped_rotation(re, im, n_spins - 1 - spin, factors[0, spin], factors[1, spin])
    return squared_norm(re, im)
