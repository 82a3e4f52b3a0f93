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
import numpy as np

from ..simd.vectors import flipped_sum

_TILTS = np.exp(np.linspace(-1.5, 1.5, 9))


@numba.njit(cache=True)
def _largest_eigenvalue(transverse, field, coupling, lowest, highest):
    """Bound of the largest eigenvalue of x Sx + z Sz + c ZZ, from the extreme Ising energies (N + 1,) at each Sz."""
    n = lowest.size - 1
    found = math.inf
    for tilt in _TILTS:
        largest = -math.inf
        for up in range(n + 1):
            ising = highest[up] if coupling > 0.0 else lowest[up]
            row = field * (2 * up - n) + coupling * ising + abs(transverse) * (up * tilt + (n - up) / tilt)
            largest = max(largest, row)
        found = min(found, largest)
    return found


@numba.njit(cache=True)
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
        if abs(here) > 1e200:
            above *= 1e-200
            here *= 1e-200
            total *= 1e-200
            values[k:n_terms] *= 1e-200
        if k <= n_terms:
            values[k - 1] = here
        if k % 2 == 1 and k > 1:
            total += 2.0 * here
    values[:n_terms] /= total + here


@numba.njit(fastmath=True, cache=True)
def _recurrence(index, diagonal, transverse, centre, scale, vector, before, after, psi, re, im):
    """after = scale (H - centre) vector - before; psi += (re + i im) after."""
    x = transverse * scale
    for r in range(psi.size):
        sum_re, sum_im = flipped_sum(index, r, vector)
        d = (diagonal[r] - centre) * scale
        a = x * sum_re + d * vector[r].real - before[r].real
        b = x * sum_im + d * vector[r].imag - before[r].imag
        after[r] = complex(a, b)
        psi[r] += complex(re * a - im * b, re * b + im * a)


@numba.njit(cache=True, nogil=True)
def chebyshev_steps(index, magnetization, ising, lowest, highest, coefficients, tolerance, psi, diagonal, work):
    """Apply exp(-i (x Sx + z Sz + c ZZ)) for each row (x, z, c) of the coefficients (m, 3) in rad, in place.

    The Ising energies at each Sz, from -N on, lie between ``lowest`` and ``highest`` (N + 1,). Work space is
    ``diagonal`` (d,) and ``work`` (3, d). Returns the number of products with H.
    """
    products = 0
    for step in range(coefficients.shape[0]):
        transverse = coefficients[step, 0]
        field = coefficients[step, 1]
        coupling = coefficients[step, 2]
        top = _largest_eigenvalue(transverse, field, coupling, lowest, highest)
        bottom = -_largest_eigenvalue(transverse, -field, -coupling, lowest, highest)
        centre = 0.5 * (top + bottom)
        radius = max(0.5 * (top - bottom), 1e-10)
        for r in range(psi.size):
            diagonal[r] = field * magnetization[r] + coupling * ising[r]
        room = int(radius + 12.0 * (radius + 1.0) ** (1.0 / 3.0) + 20.0)
        bessel = np.empty(room)
        _bessel(radius, room, bessel)
        terms = room
        while terms > 2 and abs(bessel[terms - 1]) < tolerance:
            terms -= 1
        before = work[0]
        here = work[1]
        after = work[2]
        before[:] = 0.0
        here[:] = psi
        psi *= bessel[0]
        # the first product has half the weight of the others, and the sign i^k of the series runs with k
        _recurrence(index, diagonal, transverse, centre, 1.0 / radius, here, before, after, psi, 0.0, -2.0 * bessel[1])
        for k in range(2, terms):
            before, here, after = here, after, before
            weight = 2.0 * bessel[k] * (1.0 if k % 4 < 1 or k % 4 > 2 else -1.0)
            re = weight if k % 2 == 0 else 0.0
            im = weight if k % 2 == 1 else 0.0
            _recurrence(index, diagonal, transverse, centre, 2.0 / radius, here, before, after, psi, re, im)
        products += terms - 1
        psi *= complex(math.cos(centre), -math.sin(centre))
    return products
