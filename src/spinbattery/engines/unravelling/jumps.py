"""Numba kernels of quantum trajectories: pure states that follow the splitting and jump.

States are rows of two float64 arrays (rows, 2^N) in the gauge of :mod:`~spinbattery.engines.kernels`, where gates with
a real matrix m act as b0' = m00 b0 - i m01 b1, b1' = i m10 b0 + m11 b1. A step is a table (5, S + 1) of what its
stages apply: rotation angles, factors of Sz and of the Ising diagonal, and the integrals of q nx and q nz that damp.
Between jumps Pauli noise leaves the evolution unitary. Relaxation damps it by exp(-(G/4) (q nx X + q nz Z)) on each
spin: the first part commutes with the rotation beside it, the second with the diagonal stage, so that the splitting
keeps its order. The norm tells the probability of no jump.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from ..._typing import FloatArray, IntArray
from ..kernels import FAST_MATH, TILE_BITS, cos_sin, evolve_tile, transverse_expectation
from ..row_kernels import evolve_rows
from ..row_phases import Rows

X, Y, Z, LOWER, RAISE = range(5)
"""Kinds of jumps: the three Pauli matrices, |-><+| and |+><-| in the spin's own field."""

_ROTATION, _FIELD, _ISING, _DAMPING_X, _DAMPING_Z = range(5)


class System(NamedTuple):
    """What all rows share at one level of the mesh.

    Attributes:
        n_spins: N.
        magnetization, ising: (2^N,) diagonals.
        by_rows: the same for states beyond one tile; of smaller ones never looked at.
        edges: (n + 1,) step edges, ns.
        stages: (n, 5, S + 1) tables of the steps.
        output: (n + 1,) number of the output at each edge, -1 where there is none.
        next_output: (n + 1,) first later edge that has one; n at the end.
        output_fields: (T + 1, 3) Bx, Bz, B/2 at the outputs, GHz.
        axes: (n + 1, 3) nx, nz, q at the edges.
        pauli: (3, N) rates, 1/ns.
        relaxation: (N,) rates, 1/ns.
        damped: whether any relaxation acts.
    """

    n_spins: int
    magnetization: NDArray[np.int8]
    ising: FloatArray
    by_rows: Rows
    edges: FloatArray
    stages: FloatArray
    output: IntArray
    next_output: IntArray
    output_fields: FloatArray
    axes: FloatArray
    pauli: FloatArray
    relaxation: FloatArray
    damped: bool


@numba.njit(cache=True)
def run_unitary(re, im, system, stages):
    """Consecutive steps without damping; what is diagonal in two that meet is applied at once."""
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
    n = system.n_spins
    if n <= TILE_BITS:
        evolve_tile(re, im, n, system.magnetization, system.ising, theta, field, coupling)
    else:
        evolve_rows(re, im, system.by_rows, np.zeros(1, np.int64), theta, field, coupling)


@numba.njit(fastmath=FAST_MATH, cache=True)
def _damped_diagonal(re, im, magnetization, ising, field, coupling, low, high):
    """Multiply by exp(-i (field Sz + coupling ZZ)) and by a real factor for the low and the high bits."""
    size = low.size
    for h in range(high.size):
        x = re[h * size : (h + 1) * size]
        y = im[h * size : (h + 1) * size]
        m = magnetization[h * size : (h + 1) * size]
        z = ising[h * size : (h + 1) * size]
        scale = high[h]
        for i in range(size):
            c, s = cos_sin(field * m[i] + coupling * z[i])
            c *= scale * low[i]
            s *= scale * low[i]
            a = x[i]
            b = y[i]
            x[i] = a * c + b * s
            y[i] = b * c - a * s


@numba.njit(fastmath=FAST_MATH, cache=True)
def _damped_rotation(re, im, bit, tr, ti):
    """(b0, b1) -> (b0 + t b1, b1 - t b0) with a complex t."""
    n = 1 << bit
    for start in range(0, re.size, 2 * n):
        x0 = re[start : start + n]
        y0 = im[start : start + n]
        x1 = re[start + n : start + 2 * n]
        y1 = im[start + n : start + 2 * n]
        for i in range(n):
            a = x0[i]
            b = y0[i]
            c = x1[i]
            d = y1[i]
            x0[i] = a + tr * c - ti * d
            y0[i] = b + tr * d + ti * c
            x1[i] = c - tr * a + ti * b
            y1[i] = d - tr * b - ti * a


@numba.njit(cache=True)
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


@numba.njit(cache=True)
def run_damped(re, im, system, stage, scale):
    """One step with damping, of the state times ``scale``; returns its squared norm."""
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


@numba.njit(fastmath=True, cache=True)
def squared_norm(re, im):
    total = 0.0
    for i in range(re.size):
        total += re[i] * re[i] + im[i] * im[i]
    return total


@numba.njit(fastmath=True, cache=True)
def _bloch(re, im, bit):
    """<sx> and <sz> of one spin, not normalised."""
    n = 1 << bit
    sx = sz = 0.0
    for start in range(0, re.size, 2 * n):
        x0 = re[start : start + n]
        y0 = im[start : start + n]
        x1 = re[start + n : start + 2 * n]
        y1 = im[start + n : start + 2 * n]
        for i in range(n):
            sx += 2.0 * (x0[i] * y1[i] - y0[i] * x1[i])
            sz += x0[i] * x0[i] + y0[i] * y0[i] - x1[i] * x1[i] - y1[i] * y1[i]
    return sx, sz


@numba.njit(cache=True)
def jump_rates(re, im, system, axis, rates):
    """Rates (5, N) of all jumps of a state, 1/ns, and their sum; ``axis`` is nx, nz, q at the time."""
    rates[:3] = system.pauli
    rates[3:] = 0.0
    if system.damped:
        norm = squared_norm(re, im)
        for spin in range(system.n_spins):
            if system.relaxation[spin] > 0.0:
                sx, sz = _bloch(re, im, system.n_spins - 1 - spin)
                along = (axis[0] * sx + axis[1] * sz) / norm
                rates[LOWER, spin] = 0.25 * system.relaxation[spin] * (1.0 + axis[2]) * max(1.0 + along, 0.0)
                rates[RAISE, spin] = 0.25 * system.relaxation[spin] * (1.0 - axis[2]) * max(1.0 - along, 0.0)
    return rates.sum()


@numba.njit(fastmath=FAST_MATH, cache=True)
def _gate(re, im, bit, m00, m01, m10, m11):
    n = 1 << bit
    for start in range(0, re.size, 2 * n):
        x0 = re[start : start + n]
        y0 = im[start : start + n]
        x1 = re[start + n : start + 2 * n]
        y1 = im[start + n : start + 2 * n]
        for i in range(n):
            a = x0[i]
            b = y0[i]
            c = x1[i]
            d = y1[i]
            x0[i] = m00 * a + m01 * d
            y0[i] = m00 * b - m01 * c
            x1[i] = m11 * c - m10 * b
            y1[i] = m11 * d + m10 * a


@numba.njit(cache=True)
def apply_jump(re, im, n_spins, choice, axis):
    """Jump number ``choice`` = kind N + spin, up to a phase and the norm."""
    kind = choice // n_spins
    bit = n_spins - 1 - choice % n_spins
    nx, nz = axis[0], axis[1]
    if kind == X:
        _gate(re, im, bit, 0.0, 1.0, 1.0, 0.0)
    elif kind == Y:
        _gate(re, im, bit, 0.0, -1.0, 1.0, 0.0)
    elif kind == Z:
        _gate(re, im, bit, 1.0, 0.0, 0.0, -1.0)
    else:
        sign = 1.0 if kind == LOWER else -1.0
        _gate(re, im, bit, -0.5 * nx, 0.5 * (nz - sign), 0.5 * (nz + sign), 0.5 * nx)


@numba.njit(cache=True)
def observe(re, im, system, edge, moments):
    """mu, <Sz^2>/N^2 and <H> (GHz) at an edge that has an output, into its row of ``moments`` (T + 1, 3)."""
    number = system.output[edge]
    if number < 0:
        return
    norm = first = second = pairs = 0.0
    for i in range(re.size):
        p = re[i] * re[i] + im[i] * im[i]
        m = float(system.magnetization[i])
        norm += p
        first += p * m
        second += p * m * m
        pairs += p * system.ising[i]
    bx, bz, half_b = system.output_fields[number]
    transverse = transverse_expectation(re, im, system.n_spins) if bx != 0.0 else 0.0
    moments[number, 0] = first / (norm * system.n_spins)
    moments[number, 1] = second / (norm * system.n_spins**2)
    moments[number, 2] = (bx * transverse + bz * first + half_b * pairs) / norm


@numba.njit(cache=True)
def crossing(start, end, y_start, y_end, rate_start, rate_end, level):
    """When ln S falls to ``level`` between two times, by the cubic with the right slopes -rate at both."""
    length = end - start
    low, high = 0.0, 1.0
    for _ in range(60):
        u = 0.5 * (low + high)
        v = 1.0 - u
        y = y_start * v * v * (1.0 + 2.0 * u) + y_end * u * u * (1.0 + 2.0 * v)
        y += length * u * v * (u * rate_end - v * rate_start)
        if y > level:
            low = u
        else:
            high = u
    return start + length * 0.5 * (low + high)


@numba.njit(cache=True)
def damped_interval(re, im, system, stage, start, end, axis_start, axis_end, log_survival, level, norm, backup, rates):
    """Carry a row through one interval unless ln S falls to ``level`` in it.

    Returns:
        (time of the crossing, ln S at the end, squared norm); at a crossing the state is that of the start again,
        and without one the time is NaN.
    """
    backup[0], backup[1] = re, im
    total = system.pauli.sum() + 0.5 * system.relaxation.sum()
    new = run_damped(re, im, system, stage, 1.0 / math.sqrt(norm))
    after = log_survival + math.log(new) - total * (end - start)
    if after > level:
        return math.nan, after, new
    rate_end = jump_rates(re, im, system, axis_end, rates)
    re[:], im[:] = backup[0], backup[1]
    rate_start = jump_rates(re, im, system, axis_start, rates)
    return crossing(start, end, log_survival, after, rate_start, rate_end, level), log_survival, norm


@numba.njit(cache=True, nogil=True)
def march(re, im, system, rows, step, target, limit, log_survival, level, norm, event, moments):
    """Carry ``rows`` from the edge ``step`` towards their edge in ``target``, by ``limit`` steps at most.

    Where ``level`` is finite a row stops earlier, at the begin of the step in which ln S falls to it, and ``event``
    says when that is. Outputs on the way go to ``moments`` (rows, T + 1, 3).
    """
    backup = np.empty((2, re.shape[1])) if system.damped else np.empty((2, 0))
    rates = np.empty((5, system.n_spins))
    for j in range(rows.size):
        r = rows[j]
        last = min(target[j], step[r] + limit)
        while step[r] < last and math.isnan(event[r]):
            s = step[r]
            if not system.damped:
                stop = min(system.next_output[s], last)
                run_unitary(re[r], im[r], system, system.stages[s:stop])
            else:
                stop = s + 1
                event[r], log_survival[r], norm[r] = damped_interval(
                    re[r], im[r], system, system.stages[s], system.edges[s], system.edges[stop], system.axes[s],
                    system.axes[stop], log_survival[r], level[r], norm[r], backup, rates,
                )  # fmt: skip
                if not math.isnan(event[r]):
                    break
            step[r] = stop
            observe(re[r], im[r], system, stop, moments[r])


@numba.njit(cache=True, nogil=True)
def jump(
    re, im, system, rows, step, head, tail, tailed, when, axis, uniform, choice, log_survival, level, norm, event,
    moments,
):  # fmt: skip
    """Carry each of m ``rows`` to its jump at ``when``, apply that, and go on to the end of the step where ``tailed``.

    Args:
        re, im, step, log_survival, level, norm, event, moments: of all rows, see
            :class:`~spinbattery.engines.unravelling.rows.Rows`; ln S starts from zero at the jump.
        head, tail: (m, 5, S + 1) tables of the intervals before and after the jump.
        when, axis: (m,) times in ns, and (m, 3) nx, nz, q there.
        uniform: (m,) random numbers that choose a jump where ``choice`` is -1, which then tells what was chosen.
    """
    backup = np.empty((2, re.shape[1])) if system.damped else np.empty((2, 0))
    rates = np.empty((5, system.n_spins))
    for j in range(rows.size):
        r = rows[j]
        x, y = re[r], im[r]
        if system.damped:
            run_damped(x, y, system, head[j], 1.0 / math.sqrt(norm[r]))
        else:
            run_unitary(x, y, system, head[j : j + 1])
        if choice[j] < 0:
            remaining = uniform[j] * jump_rates(x, y, system, axis[j], rates)
            for number in range(rates.size):
                rate = rates[number // system.n_spins, number % system.n_spins]
                if rate > 0.0:
                    choice[j] = number  # the last one that is possible where rounding leaves something
                    remaining -= rate
                    if remaining < 0.0:
                        break
        apply_jump(x, y, system.n_spins, choice[j], axis[j])
        norm[r] = squared_norm(x, y) if system.damped else 1.0
        log_survival[r] = 0.0
        if not tailed[j]:
            continue
        stop = step[r] + 1
        if system.damped:
            event[r], log_survival[r], norm[r] = damped_interval(
                x, y, system, tail[j], when[j], system.edges[stop], axis[j], system.axes[stop], 0.0, level[r], norm[r],
                backup, rates,
            )  # fmt: skip
        else:
            run_unitary(x, y, system, tail[j : j + 1])
        if math.isnan(event[r]):
            step[r] = stop
            observe(x, y, system, stop, moments[r])


@numba.njit(cache=True, nogil=True)
def final_observables(re, im, system, distribution, spins):
    """P(Sz) (rows, N + 1) and <sz_k> (rows, N) of each row."""
    n = system.n_spins
    for r in range(re.shape[0]):
        norm = squared_norm(re[r], im[r])
        distribution[r] = 0.0
        for i in range(re.shape[1]):
            p = re[r, i] * re[r, i] + im[r, i] * im[r, i]
            distribution[r, (int(system.magnetization[i]) + n) // 2] += p / norm
        for spin in range(n):
            spins[r, spin] = _bloch(re[r], im[r], n - 1 - spin)[1] / norm
