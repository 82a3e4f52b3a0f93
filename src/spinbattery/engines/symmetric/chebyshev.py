"""Exponentials by Chebyshev series: three vectors, no inner products, all steps in one kernel.

Each exponential exp(-i (x Sx + z Sz + c ZZ)) is expanded on an interval that contains the spectrum. The interval
follows from the bound of Collatz and Wielandt: for a matrix with non-negative off-diagonal entries and any positive
vector v, no eigenvalue exceeds max_i (H v)_i / v_i. With v = t^(spins down), and the largest and the smallest Ising
energy at each Sz, this is a maximum over N + 1 numbers, minimised over t. The sign of the transverse part does not
matter: turning every spin by pi about z changes it.
"""

from __future__ import annotations

import math

import numba

from ...core.kernels import INNER
from ..simd.sums import flipped_sum


@numba.njit(**INNER)
def _largest_eigenvalue(transverse, field, coupling, lowest, highest, tilts):
    """Bound of the largest eigenvalue of x Sx + z Sz + c ZZ, from the extreme Ising energies (N + 1,) at each Sz."""
    n = lowest.size - 1
    found = math.inf
    for j in range(tilts.size):
        tilt = tilts[j]
        largest = -math.inf
        for up in range(n + 1):
            ising = highest[up] if coupling > 0.0 else lowest[up]
            row = field * (2 * up - n) + coupling * ising + math.fabs(transverse) * (up * tilt + (n - up) / tilt)
            if row > largest:
                largest = row
        if largest < found:
            found = largest
    return found


@numba.njit(inline="always")
def _bessel(x, n_terms, values):
    """J_0(x) to J_(n_terms - 1)(x) by Miller's downward recurrence, into ``values``."""
    start = 2 * ((n_terms + int(x) + 40) // 2)
    above = 0.0
    here = 1e-280
    total = 0.0
    for k in range(start, 0, -1):
        below = 2.0 * k / x * here - above
        above = here
        here = below
        if math.fabs(here) > 1e200:
            above *= 1e-200
            here *= 1e-200
            total *= 1e-200
            for j in range(k, n_terms):
                values[j] *= 1e-200
        if k <= n_terms:
            values[k - 1] = here
        if k % 2 == 1 and k > 1:
            total += 2.0 * here
    for j in range(n_terms):
        values[j] /= total + here


@numba.njit(fastmath=True, **INNER)
def _recurrence(index, diagonal, transverse, centre, scale, vector, before, after, psi, re, im):
    """after = scale (H - centre) vector - before; psi += (re + i im) after."""
    x = transverse * scale
    for r in range(diagonal.size):
        sum_re, sum_im = flipped_sum(index, r, vector)
        d = (diagonal[r] - centre) * scale
        a = x * sum_re + d * vector[r, 0] - before[r, 0]
        b = x * sum_im + d * vector[r, 1] - before[r, 1]
        after[r, 0] = a
        after[r, 1] = b
        psi[r, 0] += re * a - im * b
        psi[r, 1] += re * b + im * a


@numba.njit(cache=True, nogil=True)
def chebyshev_steps(
    index, magnetization, ising, lowest, highest, tilts, coefficients, tolerance, psi, diagonal, work, bessel, products
):
    """Apply exp(-i (x Sx + z Sz + c ZZ)) for each row (x, z, c) of the coefficients (m, 3) in rad, in place.

    The state ``psi`` (d, 2) has real and imaginary parts. The Ising energies at each Sz, from -N on, lie between
    ``lowest`` and ``highest`` (N + 1,), and ``tilts`` are the t that are tried. Work space is ``diagonal`` (d,),
    ``work`` (3, d, 2) and ``bessel`` for the terms of a series. The products with H are added to ``products`` (1,).
    Returns the number of rows done, which are fewer where ``bessel`` has too little room.
    """
    for step in range(coefficients.shape[0]):
        transverse = coefficients[step, 0]
        field = coefficients[step, 1]
        coupling = coefficients[step, 2]
        top = 0.0
        bottom = 0.0
        for side in range(2):  # one call in a loop is compiled once
            sign = 1.0 - 2.0 * side
            bound = _largest_eigenvalue(transverse, sign * field, sign * coupling, lowest, highest, tilts)
            if side == 0:
                top = bound
            else:
                bottom = -bound
        centre = 0.5 * (top + bottom)
        radius = 0.5 * (top - bottom)
        if radius < 1e-10:
            radius = 1e-10
        room = int(radius + 12.0 * (radius + 1.0) ** (1.0 / 3.0) + 20.0)
        if room > bessel.size:
            return step
        _bessel(radius, room, bessel)
        terms = room
        while terms > 2 and math.fabs(bessel[terms - 1]) < tolerance:
            terms -= 1
        for r in range(diagonal.size):
            diagonal[r] = field * magnetization[r] + coupling * ising[r]
            for part in range(2):
                work[0, r, part] = 0.0
                work[1, r, part] = psi[r, part]
                psi[r, part] *= bessel[0]
        # the first product has half the weight of the others, and the sign i^k of the series runs with k
        for k in range(1, terms):
            weight = 2.0 * bessel[k] * (1.0 if k % 4 == 0 or k % 4 == 3 else -1.0)
            _recurrence(
                index, diagonal, transverse, centre, (1.0 if k == 1 else 2.0) / radius, work[k % 3],
                work[(k - 1) % 3], work[(k + 1) % 3], psi, weight if k % 2 == 0 else 0.0, weight if k % 2 == 1 else 0.0,
            )  # fmt: skip
        products[0] += terms - 1
        c = math.cos(centre)
        s = -math.sin(centre)
        for r in range(diagonal.size):
            re = psi[r, 0]
            im = psi[r, 1]
            psi[r, 0] = re * c - im * s
            psi[r, 1] = re * s + im * c
    return coefficients.shape[0]
