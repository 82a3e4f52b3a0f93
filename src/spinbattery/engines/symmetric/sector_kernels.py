"""Numba kernels of the sector: <Sx>, and steps of Lanczos' method on blocks of rows, with a sum for each block."""

from __future__ import annotations

import numba

from ..simd.vectors import flipped_sum

ROWS_PER_BLOCK = 1 << 11


@numba.njit(fastmath=True, cache=True, nogil=True)
def transverse_expectation(index, sizes, amplitudes):
    """<Sx>, not normalised."""
    total = 0.0
    for r in range(sizes.size):
        re, im = flipped_sum(index, r, amplitudes)
        total += sizes[r] * (amplitudes[r].real * re + amplitudes[r].imag * im)
    return total


@numba.njit(fastmath=True, cache=True, nogil=True)
def product(index, sizes, magnetization, ising, coefficients, vector, scale, before, weight, after, first, last, sums):
    """after = scale H vector - weight before on some blocks; their sums are parts of <scale vector|after>."""
    for block in range(first, last):
        total = 0.0
        for r in range(block * ROWS_PER_BLOCK, min((block + 1) * ROWS_PER_BLOCK, sizes.size)):
            sum_re, sum_im = flipped_sum(index, r, vector)
            diagonal = coefficients[1] * magnetization[r] + coefficients[2] * ising[r]
            re = vector[r].real
            im = vector[r].imag
            a = scale * (coefficients[0] * sum_re + diagonal * re) - weight * before[r].real
            b = scale * (coefficients[0] * sum_im + diagonal * im) - weight * before[r].imag
            after[r] = complex(a, b)
            total += sizes[r] * (re * a + im * b)
        sums[block] = scale * total


@numba.njit(fastmath=True, cache=True, nogil=True)
def subtract(sizes, vector, factor, after, first, last, sums):
    """after -= factor vector on some blocks; their sums are parts of its squared norm."""
    for block in range(first, last):
        total = 0.0
        for r in range(block * ROWS_PER_BLOCK, min((block + 1) * ROWS_PER_BLOCK, sizes.size)):
            a = after[r].real - factor * vector[r].real
            b = after[r].imag - factor * vector[r].imag
            after[r] = complex(a, b)
            total += sizes[r] * (a * a + b * b)
        sums[block] = total


@numba.njit(fastmath=True, cache=True, nogil=True)
def combine(sizes, basis, factors, first, last, sums):
    """basis[0] = sum_k factors[k] basis[k] on some blocks; their sums are parts of its squared norm."""
    for block in range(first, last):
        total = 0.0
        for r in range(block * ROWS_PER_BLOCK, min((block + 1) * ROWS_PER_BLOCK, sizes.size)):
            re = 0.0
            im = 0.0
            for k in range(factors.size):
                a = basis[k, r]
                f = factors[k]
                re += f.real * a.real - f.imag * a.imag
                im += f.real * a.imag + f.imag * a.real
            basis[0, r] = complex(re, im)
            total += sizes[r] * (re * re + im * im)
        sums[block] = total
