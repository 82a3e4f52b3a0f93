"""The one thing all propagation in the sector is made of: the sum of the amplitudes one spin flip away."""

from __future__ import annotations

import numba


@numba.njit(fastmath=True, inline="always")
def flipped_sum(row, amplitudes):
    """sum_k a[row[k]]: what Sx gives; two sums at a time, since additions wait for one another."""
    n = row.size
    re = 0.0
    im = 0.0
    re_other = 0.0
    im_other = 0.0
    for k in range(n // 2):
        a = amplitudes[row[2 * k]]
        b = amplitudes[row[2 * k + 1]]
        re += a.real
        im += a.imag
        re_other += b.real
        im_other += b.imag
    if n % 2:
        a = amplitudes[row[n - 1]]
        re += a.real
        im += a.imag
    return re + re_other, im + im_other


@numba.njit(fastmath=True, cache=True, nogil=True)
def transverse_expectation(index, sizes, amplitudes):
    """<Sx>, not normalised."""
    total = 0.0
    for r in range(sizes.size):
        re, im = flipped_sum(index[r], amplitudes)
        total += sizes[r] * (amplitudes[r].real * re + amplitudes[r].imag * im)
    return total
