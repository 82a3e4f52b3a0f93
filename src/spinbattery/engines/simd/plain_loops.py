"""The functions of :mod:`.vectors` as plain loops, where vector code does not work: slower, with the same results."""

from __future__ import annotations

from typing import Any

from numba.extending import register_jitable

from .sizes import LANE_BITS, LANES, ROW, ROW_BITS

_FUSED = {"fastmath": {"contract"}}


@register_jitable(**_FUSED)
def _turn_bit(x, one, two, count, t):
    for lane in range(count):
        a = x[one + lane]
        b = x[two + lane]
        x[one + lane] = a - t * b
        x[two + lane] = b + t * a


@register_jitable(**_FUSED)
def _turn_pair(x, start, step, count, t, f):
    for i in range(start, start + count):
        a = x[i]
        b = x[i + step]
        c = x[i + 2 * step]
        d = x[i + 3 * step]
        apart = a - d
        both = b + c
        g = both + t * apart
        h = apart - t * both
        x[i] = a - f * g
        x[i + step] = b + f * h
        x[i + 2 * step] = c + f * h
        x[i + 3 * step] = d + f * g


@register_jitable(**_FUSED)
def _turn_numbers(x, start, stride, bits, t, f):
    """Turn ``bits`` bits of the number of slices of LANES entries, ``stride`` apart."""
    for bit in range(0, bits, 2):
        step = stride << bit
        for j in range(1 << bits):
            if bits - bit == 1 and not j >> bit & 1:
                _turn_bit(x, start + j * stride, start + j * stride + step, LANES, t)
            elif bits - bit > 1 and not j >> bit & 3:
                _turn_pair(x, start + j * stride, step, LANES, t, f)


def _turn(bits: int) -> Any:
    @register_jitable(**_FUSED)
    def turn(source, i, step, target, k, stride, t, f):
        for j in range(1 << bits):
            for lane in range(LANES):
                target[k + j * stride + lane] = source[i + j * step + lane]
        _turn_numbers(target, k, stride, bits, t, f)

    return turn


def _turn_low(bits: int) -> Any:
    @register_jitable(**_FUSED)
    def turn(x, i, t, f):
        _turn_numbers(x, i, LANES, bits - LANE_BITS, t, f)
        for bit in range(LANE_BITS):
            n = 1 << bit
            for first in range(i, i + (1 << bits), 2 * n):
                _turn_bit(x, first, first + n, n, t)

    return turn


turn_one, turn_two, turn_three = _turn(1), _turn(2), _turn(3)
turn_lanes, turn_row = _turn_low(LANE_BITS), _turn_low(ROW_BITS)


@register_jitable(**_FUSED)
def _product(c, s, d, r):
    return c * d - s * r, s * d + c * r


@register_jitable(**_FUSED)
def phase_row(x, y, i, first, j, second, k, base, cos, sin):
    for number in range(LANES):
        m = 2 * LANES + number
        c, s = _product(first[j + m], first[j + m + LANES], second[k + m], second[k + m + LANES])
        c, s = _product(c, s, cos, sin)
        for lane in range(LANES):
            b, a = j + lane, k + lane
            d, r = _product(first[b], first[b + LANES], second[a], second[a + LANES])
            d, r = _product(d, r, c, s)
            entry = LANES * number + lane
            d, r = _product(d, r, base[entry], base[entry + ROW])
            p = x[i + entry]
            q = y[i + entry]
            x[i + entry] = p * d + q * r
            y[i + entry] = q * d - p * r


@register_jitable(**_FUSED)
def turn_phase_row(x, y, i, first, j, second, k, base, cos, sin, t, f, after_t, after_f):
    turn_row(x, i, t, f)
    turn_row(y, i, t, f)
    phase_row(x, y, i, first, j, second, k, base, cos, sin)
    turn_row(x, i, after_t, after_f)
    turn_row(y, i, after_t, after_f)


@register_jitable
def flipped_sum(index, r, amplitudes):
    return _flipped_sum(index, r, amplitudes, 0), _flipped_sum(index, r, amplitudes, 1)


@register_jitable
def _flipped_sum(index, r, amplitudes, part):
    a = b = c = d = 0.0
    fours = index.shape[1] // 4 * 4
    for k in range(0, fours, 4):
        a += amplitudes[index[r, k], part]
        b += amplitudes[index[r, k + 1], part]
        c += amplitudes[index[r, k + 2], part]
        d += amplitudes[index[r, k + 3], part]
    for k in range(fours, index.shape[1]):
        a += amplitudes[index[r, k], part]
    return (a + b) + (c + d)


@register_jitable(**_FUSED)
def _sums_over_terms(polynomial, centre, k, degree, rows, flipped, diagonals, entry):
    ring = rows.shape[0]
    of_z = of_c = of_x = 0.0
    for j in range(degree + 1):
        term = rows[(k - j) % ring, entry]
        of_z += polynomial[1, j] * term
        of_c += polynomial[2, j] * term
        of_x += polynomial[3, j] * term
    at_once = flipped[entry] - centre * rows[k % ring, entry]
    return at_once + diagonals[0, entry] * of_z + diagonals[1, entry] * of_c, of_x


@register_jitable(**_FUSED)
def next_entries(polynomial, centre, factor, k, degree, rows, flipped, onward, diagonals, sizes, psi, first, last):
    there = (k + 1) % rows.shape[0]
    norm = 0.0
    for entry in range(first, last, 2):
        re, of_re = _sums_over_terms(polynomial, centre, k, degree, rows, flipped, diagonals, entry)
        im, of_im = _sums_over_terms(polynomial, centre, k, degree, rows, flipped, diagonals, entry + 1)
        rows[there, entry] = factor * im
        rows[there, entry + 1] = -factor * re
        onward[entry] = polynomial[0, 0] * rows[there, entry] + of_re
        onward[entry + 1] = polynomial[0, 0] * rows[there, entry + 1] + of_im
        for number in range(entry, entry + 2):
            psi[number] += rows[there, number]
            norm += sizes[number] * rows[there, number] ** 2
    return norm
