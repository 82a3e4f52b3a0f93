"""Numba kernels of the sector: <Sx>, and steps of Lanczos' method on blocks of rows, with a sum for each block.

States (d, 2) and vectors of a basis (k, d, 2) have real and imaginary parts.
"""

from __future__ import annotations

import numba

from ..simd.sums import flipped_sum
from .declared import ROWS_PER_BLOCK


@numba.njit(fastmath=True, cache=True, nogil=True)
def transverse_expectation(index, sizes, amplitudes):
    """<Sx>, not normalised."""
    total = 0.0
    for r in range(sizes.size):
        re, im = flipped_sum(index, r, amplitudes)
        total += sizes[r] * (amplitudes[r, 0] * re + amplitudes[r, 1] * im)
    return total


@numba.njit(inline="always")
def _end(block, n_rows):
    """One more than the last row of a block."""
    end = (block + 1) * ROWS_PER_BLOCK
    return end if end < n_rows else n_rows


@numba.njit(fastmath=True, cache=True, nogil=True)
def product(index, sizes, magnetization, ising, coefficients, vector, scale, before, weight, after, first, last, sums):
    """after = scale H vector - weight before on some blocks; their sums are parts of <scale vector|after>."""
    for block in range(first, last):
        total = 0.0
        for r in range(block * ROWS_PER_BLOCK, _end(block, sizes.size)):
            sum_re, sum_im = flipped_sum(index, r, vector)
            diagonal = coefficients[1] * magnetization[r] + coefficients[2] * ising[r]
            re = vector[r, 0]
            im = vector[r, 1]
            a = scale * (coefficients[0] * sum_re + diagonal * re) - weight * before[r, 0]
            b = scale * (coefficients[0] * sum_im + diagonal * im) - weight * before[r, 1]
            after[r, 0] = a
            after[r, 1] = b
            total += sizes[r] * (re * a + im * b)
        sums[block] = scale * total


@numba.njit(fastmath=True, cache=True, nogil=True)
def subtract(sizes, vector, factor, after, first, last, sums):
    """after -= factor vector on some blocks; their sums are parts of its squared norm."""
    for block in range(first, last):
        total = 0.0
        for r in range(block * ROWS_PER_BLOCK, _end(block, sizes.size)):
            a = after[r, 0] - factor * vector[r, 0]
            b = after[r, 1] - factor * vector[r, 1]
            after[r, 0] = a
            after[r, 1] = b
            total += sizes[r] * (a * a + b * b)
        sums[block] = total


@numba.njit(fastmath=True, cache=True, nogil=True)
def combine(sizes, basis, factors, first, last, sums):
    """basis[0] = sum_k factors[k] basis[k] on some blocks; their sums are parts of its squared norm."""
    for block in range(first, last):
        total = 0.0
        for r in range(block * ROWS_PER_BLOCK, _end(block, sizes.size)):
            re = 0.0
            im = 0.0
            for k in range(factors.shape[0]):
                re += factors[k, 0] * basis[k, r, 0] - factors[k, 1] * basis[k, r, 1]
                im += factors[k, 0] * basis[k, r, 1] + factors[k, 1] * basis[k, r, 0]
            basis[0, r, 0] = re
            basis[0, r, 1] = im
            total += sizes[r] * (re * re + im * im)
        sums[block] = total
