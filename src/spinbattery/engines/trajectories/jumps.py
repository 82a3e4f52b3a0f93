"""Numba kernels of quantum trajectories: pure states that follow the splitting and jump.

In the gauge of :mod:`~spinbattery.engines.simd.kernels` a gate with a real matrix m acts as b0' = m00 b0 - i m01 b1,
b1' = i m10 b0 + m11 b1. The evolution between jumps is in :mod:`~spinbattery.engines.trajectories.steps`; a batch is a
:class:`~.batch.Batch`, a system a :class:`~.steps.System`.
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
from ..simd.kernels import FAST_MATH, halves, transverse_expectation
from .steps import run_damped, run_unitary, squared_norm

X, Y, Z, LOWER, RAISE = range(5)
"""Kinds of jumps: the three Pauli matrices, |-><+| and |+><-| in the spin's own field."""


class Cuts(NamedTuple):
    """Steps of m rows that are cut at a jump.

    Attributes:
        head, tail: (m, 5, S + 1) tables of the intervals before and after the jump.
        tailed: (m,) whether the row goes on to the end of the step.
        when, axis: (m,) times in ns, and (m, 3) nx, nz, q there.
        uniform: (m,) random numbers that choose a jump where ``choice`` is -1.
        choice: (m,) numbers of the jumps, kind N + spin; the kernel fills in those it chooses.
    """

    head: FloatArray
    tail: FloatArray
    tailed: NDArray[np.bool_]
    when: FloatArray
    axis: FloatArray
    uniform: FloatArray
    choice: IntArray


@numba.njit(fastmath=True, **INNER)
def _bloch(re, im, bit):
    """<sx> and <sz> of one spin, not normalised."""
    n = 1 << bit
    sx = sz = 0.0
    for start in range(0, re.size, 2 * n):
        x0, x1 = halves(re, start, n)
        y0, y1 = halves(im, start, n)
        for i in range(n):
            sx += 2.0 * (x0[i] * y1[i] - y0[i] * x1[i])
            sz += x0[i] * x0[i] + y0[i] * y0[i] - x1[i] * x1[i] - y1[i] * y1[i]
    return sx, sz


@jitted()
def jump_rates(re, im, system, axis, rates):
    """Rates (5, N) of all jumps of a state, 1/ns, and their sum; ``axis`` is nx, nz, q at the time."""
    for spin in range(system.n_spins):
        for pauli in range(3):
            rates[pauli, spin] = system.pauli[pauli, spin]
        rates[LOWER, spin] = rates[RAISE, spin] = 0.0
    if system.damped:
        norm = squared_norm(re, im)
        for spin in range(system.n_spins):
            if system.relaxation[spin] > 0.0:
                sx, sz = _bloch(re, im, system.n_spins - 1 - spin)
                along = (axis[0] * sx + axis[1] * sz) / norm
                rates[LOWER, spin] = 0.25 * system.relaxation[spin] * (1.0 + axis[2]) * max(1.0 + along, 0.0)
                rates[RAISE, spin] = 0.25 * system.relaxation[spin] * (1.0 - axis[2]) * max(1.0 - along, 0.0)
    return rates.sum()


@numba.njit(fastmath=FAST_MATH, **INNER)
def _gate(re, im, bit, m00, m01, m10, m11):
    n = 1 << bit
    for start in range(0, re.size, 2 * n):
        x0, x1 = halves(re, start, n)
        y0, y1 = halves(im, start, n)
        for i in range(n):
            a = x0[i]
            b = y0[i]
            c = x1[i]
            d = y1[i]
            x0[i] = m00 * a + m01 * d
            y0[i] = m00 * b - m01 * c
            x1[i] = m11 * c - m10 * b
            y1[i] = m11 * d + m10 * a


@numba.njit(**INNER)
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


@jitted()
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


@jitted()
def crossing(start, end, y_start, y_end, rate_start, rate_end, threshold):
    """When ln S falls to the threshold between two times, by the cubic with the slopes -rate at both."""
    length = end - start
    low, high = 0.0, 1.0
    for _ in range(60):
        u = 0.5 * (low + high)
        v = 1.0 - u
        y = y_start * v * v * (1.0 + 2.0 * u) + y_end * u * u * (1.0 + 2.0 * v)
        y += length * u * v * (u * rate_end - v * rate_start)
        if y > threshold:
            low = u
        else:
            high = u
    return start + length * 0.5 * (low + high)


@numba.njit(**INNER)
def _copy(source, target):
    """An assignment of whole arrays would take seconds to compile, for its error messages."""
    for i in range(source.size):
        target[i] = source[i]


@numba.njit(**INNER)
def _damped_interval(batch, r, system, stage, start, end, axis_start, axis_end, backup, rates):
    """Carry row r through one interval, or note the event if ln S falls to the threshold there; the row then stays."""
    re, im = batch.re[r], batch.im[r]
    _copy(re, backup[0])
    _copy(im, backup[1])
    total = system.pauli.sum() + 0.5 * system.relaxation.sum()
    norm = run_damped(re, im, system, stage, 1.0 / math.sqrt(batch.norm[r]))
    before = batch.log_survival[r]
    after = before + math.log(norm) - total * (end - start)
    if after > batch.threshold[r]:
        batch.log_survival[r], batch.norm[r] = after, norm
        return
    rate_end = jump_rates(re, im, system, axis_end, rates)
    _copy(backup[0], re)
    _copy(backup[1], im)
    rate_start = jump_rates(re, im, system, axis_start, rates)
    batch.event[r] = crossing(start, end, before, after, rate_start, rate_end, batch.threshold[r])


@jitted(nogil=True)
def march(batch, system, rows, target, limit):
    """Carry ``rows`` of a batch towards their edge in ``target``, by ``limit`` steps at most.

    Where its threshold is finite a row stops earlier, at the begin of the step in which ln S falls to it, and ``event``
    has the time.
    """
    backup = np.empty((2, batch.re.shape[1])) if system.damped else np.empty((2, 0))
    rates = np.empty((5, system.n_spins))
    for j in range(rows.size):
        r = rows[j]
        last = min(target[j], batch.step[r] + limit)
        while batch.step[r] < last and math.isnan(batch.event[r]):
            s = batch.step[r]
            if not system.damped:
                stop = min(system.next_output[s], last)
                run_unitary(batch.re[r], batch.im[r], system, system.stages[s:stop])
            else:
                stop = s + 1
                _damped_interval(
                    batch, r, system, system.stages[s], system.edges[s], system.edges[stop], system.axes[s],
                    system.axes[stop], backup, rates,
                )  # fmt: skip
                if not math.isnan(batch.event[r]):
                    break
            batch.step[r] = stop
            observe(batch.re[r], batch.im[r], system, stop, batch.moments[r])


@jitted(nogil=True)
def jump(batch, system, rows, cuts):
    """Carry each of the ``rows`` of a batch to its jump, apply that, and go on to the end of the step if it is tailed.

    ln S starts from zero at the jump.
    """
    backup = np.empty((2, batch.re.shape[1])) if system.damped else np.empty((2, 0))
    rates = np.empty((5, system.n_spins))
    for j in range(rows.size):
        r = rows[j]
        x, y = batch.re[r], batch.im[r]
        if system.damped:
            run_damped(x, y, system, cuts.head[j], 1.0 / math.sqrt(batch.norm[r]))
        else:
            run_unitary(x, y, system, cuts.head[j : j + 1])
        if cuts.choice[j] < 0:
            remaining = cuts.uniform[j] * jump_rates(x, y, system, cuts.axis[j], rates)
            for number in range(rates.size):
                rate = rates[number // system.n_spins, number % system.n_spins]
                if rate > 0.0:
                    cuts.choice[j] = number  # the last one that is possible where rounding leaves something
                    remaining -= rate
                    if remaining < 0.0:
                        break
        apply_jump(x, y, system.n_spins, cuts.choice[j], cuts.axis[j])
        batch.norm[r] = squared_norm(x, y) if system.damped else 1.0
        batch.log_survival[r] = 0.0
        if not cuts.tailed[j]:
            continue
        stop = batch.step[r] + 1
        if system.damped:
            _damped_interval(
                batch, r, system, cuts.tail[j], cuts.when[j], system.edges[stop], cuts.axis[j], system.axes[stop],
                backup, rates,
            )  # fmt: skip
        else:
            run_unitary(x, y, system, cuts.tail[j : j + 1])
        if math.isnan(batch.event[r]):
            batch.step[r] = stop
            observe(x, y, system, stop, batch.moments[r])


@jitted(nogil=True)
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
