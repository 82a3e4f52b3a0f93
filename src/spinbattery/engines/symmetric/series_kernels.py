"""Taylor series of the state in time: a step with a polynomial H(u), 0 <= u <= 1, has psi(u) = sum_k c_k u^k with

c_(k+1) = -i/(k+1) sum_j H_j c_(k-j).

Each term takes one product of Sx, with a sum of the terms before it. That sum is made with the last of them, row by
row. Numbers come as flat rows of real and imaginary parts.

The series ends where the rest is below what is allowed. That is known: a term is at most the sum of the terms before it
times the norms of the H_j over k + 1.

Source of Taylor series as an integrator: A. Jorba and M. Zou, Exp. Math. 14, 99 (2005).
"""

from __future__ import annotations

import math

import numba

from ...core.jitted import jitted
from ...core.kernels import INNER
from ..simd.sizes import LANES
from ..simd.sums import flipped_sum, next_entries
from .declared import MOST_TERMS, ROWS_PER_BLOCK

_ROWS = 256
"""Rows at a time, whose sums stay in the nearest cache."""


@numba.njit(inline="always")
def _bound_rest(norms, k, degree, share):
    """Bound of the norm of all terms after term k; infinity where k is too small to tell, or it is above a share.

    A bound of each of the next d + 1 terms follows from the terms before it; all together, since a term may vanish
    where the next one does not.

    Args:
        norms: (3, d + 1) norms of the H_j, norms of the last terms with term i in column i % (d + 1), and work space.
        k: number of the last term.
        degree: last j with an H_j that is not zero.
        share: allowed of the sum of the next d + 1 bounds.
    """
    ring = norms.shape[1]
    radius = 0.0
    for j in range(ring):
        radius += norms[0, j]
        norms[2, j] = norms[1, j]
    if k < radius:
        return math.inf
    rest = 0.0
    for number in range(k + 1, k + degree + 2):
        bound = 0.0
        for j in range(number if number <= degree else degree + 1):
            bound += norms[0, j] * norms[2, (number - 1 - j) % ring]
        norms[2, number % ring] = bound / number
        rest += bound / number
        if rest > share:
            return math.inf
    return rest / (1.0 - radius / (k + degree + 2.0))


@numba.njit(fastmath=True, **INNER)
def _next_term(index, sizes, diagonals, polynomial, degree, centre, k, rows, pairs, onward, flipped, psi, first, last):
    """Rows ``first`` to ``last - 1`` of term k + 1, also added to ``psi``; returns their part of its squared norm."""
    total = 0.0
    for begin in range(first, last, _ROWS):
        end = begin + _ROWS if begin + _ROWS < last else last
        for r in range(begin, end):
            re, im = flipped_sum(index, r, pairs[k % 2])
            flipped[2 * r] = re
            flipped[2 * r + 1] = im
        padded = (2 * end + LANES - 1) // LANES * LANES
        total += next_entries(
            polynomial, centre, 1.0 / (k + 1.0), k, k if k < degree else degree, rows, flipped, onward[(k + 1) % 2],
            diagonals, sizes, psi, 2 * begin, padded,
        )  # fmt: skip
    return total


@jitted(nogil=True)
def bound_rest(norms, k, degree, share):
    """Bound of the rest of a series. See :func:`_bound_rest`."""
    return _bound_rest(norms, k, degree, share)


@jitted(nogil=True)
def next_term(
    index, sizes, diagonals, polynomial, degree, centre, k, rows, pairs, onward, flipped, psi, first, last, sums
):
    """Some blocks of rows of term k + 1; the parts of its squared norm go to ``sums``. See :func:`series_steps`."""
    for block in range(first, last):
        begin = block * ROWS_PER_BLOCK
        end = begin + ROWS_PER_BLOCK if begin + ROWS_PER_BLOCK < index.shape[0] else index.shape[0]
        sums[block] = _next_term(
            index, sizes, diagonals, polynomial, degree, centre, k, rows, pairs, onward, flipped, psi, begin, end
        )


@numba.njit(inline="always")
def _turn_phase(psi, sizes, angle, n_rows):
    """Multiply by exp(-i angle); returns the probability outside of the most probable orbit."""
    c = math.cos(angle)
    s = -math.sin(angle)
    largest = 0.0
    others = 0.0
    for r in range(n_rows):
        re = psi[2 * r]
        im = psi[2 * r + 1]
        psi[2 * r] = re * c - im * s
        psi[2 * r + 1] = re * s + im * c
        weight = sizes[2 * r] * (re * re + im * im)
        if weight > largest:
            weight, largest = largest, weight
        others += weight
    return others


@jitted(nogil=True)
def series_steps(
    index, sizes, diagonals, polynomials, centres, norms_of_steps, share, psi, rows, pairs, onward, flipped, norms,
    totals,
):  # fmt: skip
    """Carry a state over steps, in place.

    Args:
        index: (d, N) rows that flips lead to.
        sizes, diagonals: (n,) and (2, n) configurations, Sz and Ising energy of each orbit, for its real and its
            imaginary part, then zeros up to a multiple n of LANES.
        polynomials: (steps, 4, D + 1) factors x_j, z_j and c_j of Sx, Sz and ZZ on each step, and x_(j + 1), rad.
        centres, norms_of_steps: (steps,) and (steps, D + 1) the centre of the spectrum of H_0, and the norms of H_0
            less its centre and of the other H_j, rad.
        share: norm of the rest that is allowed on a step.
        psi: (n,) the state.
        rows: (D + 1, n) the last terms of the series.
        pairs, onward, flipped: what Sx acts on by turns, the same memory as (2, n/2, 2) and (2, n), its result (n,).
        norms: (3, D + 1) work space.
        totals: norms of the rests, and products, which are added; the largest probability outside of the most probable
            orbit; the others are the caller's.
    """
    ring = rows.shape[0]
    for step in range(polynomials.shape[0]):
        centre = centres[step]
        for j in range(ring):
            norms[0, j] = norms_of_steps[step, j]
        degree = ring - 1
        while degree > 0 and norms[0, degree] == 0.0:
            degree -= 1
        for q in range(psi.size):
            rows[0, q] = psi[q]
            onward[0, q] = polynomials[step, 0, 0] * psi[q]
        norms[1, 0] = 1.0
        rest = math.inf
        for k in range(MOST_TERMS):
            rest = _bound_rest(norms, k, degree, share)
            if rest < math.inf:
                totals[1] += k
                break
            squared = _next_term(
                index, sizes, diagonals, polynomials[step], degree, centre, k, rows, pairs, onward, flipped, psi,
                0, index.shape[0],
            )  # fmt: skip
            norms[1, (k + 1) % ring] = math.sqrt(squared)
        totals[0] += rest
        moved = _turn_phase(psi, sizes, centre, index.shape[0])
        totals[2] = moved if moved > totals[2] else totals[2]
