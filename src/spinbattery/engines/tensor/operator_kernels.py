"""Compiled kernels of operators: sums and products of them, and how they are carried across a node.

The operators of the spins behind a leg are stacked (3 + r, d, d): sum sx, sum sz and their couplings, in units of
B(s)/2, and the r channels that couple them to all others. Behind a block all but the first are diagonal.
"""

from __future__ import annotations

import numpy as np

from ...core.jitted import jitted
from ...core.kernels import INNER
from .tree_kernels import add, times, times_each

SX, SZ, SZZ, CHANNELS = range(4)


@jitted(nogil=True)
def combined(coefficients, stack, factor, of_k, of_i, of_j):
    """Factor times the sums [k, i, j] of channels with coefficients (k, r), most of which are zero; flat, in any order.

    Args:
        of_k, of_i, of_j: strides of the result (k d d,).
    """
    d = stack.shape[1]
    out = np.zeros(len(coefficients) * d * d, stack.dtype)
    for k in range(coefficients.shape[0]):
        for r in range(coefficients.shape[1]):
            if coefficients[k, r] != 0.0:
                scale = stack.dtype.type(factor * coefficients[k, r])
                for i in range(d):
                    for j in range(d):
                        out[k * of_k + i * of_i + j * of_j] += scale * stack[CHANNELS + r, i, j]
    return out


@jitted(nogil=True)
def multiplied_out(first, second, alone_first, alone_second):
    """(dx, dy, dx, dy) sum of the products of (n, dx, dx) and (n, dy, dy), and of operators on one leg."""
    n, dx, _ = first.shape
    dy = second.shape[1]
    out = np.zeros((dx, dy, dx, dy), first.dtype)
    for i in range(dx):
        for k in range(dx):
            for m in range(n):
                factor = first[m, i, k]
                if factor != 0.0:
                    for j in range(dy):
                        for p in range(dy):
                            out[i, j, k, p] += factor * second[m, j, p]
            for j in range(dy):
                out[i, j, k, j] += alone_first[i, k]
        for j in range(dy):
            for p in range(dy):
                out[i, j, i, p] += alone_second[j, p]
    return out


@jitted(**INNER)
def _alone(operators, bx, bz, half_b):
    """The Hamiltonian (d, d) of the spins behind a leg."""
    real = operators.real.dtype.type
    x, z, zz = real(bx), real(bz), real(half_b)
    d = operators.shape[1]
    out = np.empty((d, d), operators.dtype)
    for i in range(d):
        for j in range(d):
            out[i, j] = x * operators[SX, i, j] + z * operators[SZ, i, j] + zz * operators[SZZ, i, j]
    return out


@jitted(**INNER)
def _pairs(coefficients, others, first, second, factor, alone_first, alone_second):
    """(dx, dy, dx, dy) products of the channels of two legs, and of operators on one leg."""
    dx, dy, n = first.shape[1], second.shape[1], len(coefficients)
    ours = combined(coefficients, first, factor, dx * dx, dx, 1).reshape(n, dx, dx)
    theirs = combined(others, second, 1.0, dy * dy, dy, 1).reshape(n, dy, dy)
    return multiplied_out(ours, theirs, alone_first, alone_second)


@jitted(nogil=True)
def matrix(a, b, p, ab_x, ab_y, ap_x, ap_y, bp_x, bp_y, bx, bz, half_b):
    """All of H as one matrix (da db dp, da db dp), from the operators on three legs and the products of each two.

    Args:
        a, b, p: (3 + r, d, d) each.
        ab_x, ab_y: (k, r) coefficients of the products of channels of a and b; the next four likewise.
        bx, bz, half_b: fields, in units of the result.
    """
    da, db, dp = a.shape[1], b.shape[1], p.shape[1]
    on_a, on_b, on_p = _alone(a, bx, bz, half_b), _alone(b, bx, bz, half_b), _alone(p, bx, bz, half_b)
    no_a, no_b, no_p = np.zeros_like(on_a), np.zeros_like(on_b), np.zeros_like(on_p)
    ab = _pairs(ab_x, ab_y, a, b, half_b, on_a, on_b)
    ap = _pairs(ap_x, ap_y, a, p, half_b, no_a, on_p)
    bp = _pairs(bp_x, bp_y, b, p, half_b, no_b, no_p)
    out = np.zeros((da * db * dp, da * db * dp), a.dtype)
    for i in range(da):
        for j in range(db):
            for k in range(dp):
                row = (i * db + j) * dp + k
                for m in range(da):
                    for n in range(db):
                        out[row, (m * db + n) * dp + k] += ab[i, j, m, n]
                    for n in range(dp):
                        out[row, (m * db + j) * dp + n] += ap[i, k, m, n]
                for m in range(db):
                    for n in range(dp):
                        out[row, (i * db + m) * dp + n] += bp[j, k, m, n]
    return out


@jitted(**INNER)
def _acts(coefficients, k):
    """Whether operator k of the next leg has a part from a leg with these coefficients (r, r1)."""
    acts = k < CHANNELS
    if not acts:
        for coefficient in coefficients[k - CHANNELS]:
            acts |= coefficient != 0.0
    return acts


@jitted(nogil=True)
def carried(x, first, second, of_first, of_second, pair_first, pair_second, are_blocks):
    """Operators (3 + r, dz, dz) behind the last leg of an isometry x (dx, dy, dz), from those behind the two others.

    Args:
        first, second: (3 + r1, dx, dx) and (3 + r2, dy, dy).
        of_first, of_second: (r, r1) and (r, r2) contributions to the channels.
        pair_first, pair_second: (n, r1) and (n, r2) coefficients of the products that couple the two legs.
        are_blocks: whether both legs lead to blocks.
    """
    dx, dy, dz = x.shape
    n, r = len(pair_first), len(of_first)
    by_x = x.reshape(dx, dy * dz)
    adjoint = np.empty((dz, dx * dy), x.dtype)
    for i in range(dx):
        for j in range(dy):
            for p in range(dz):
                adjoint[p, i * dy + j] = np.conj(x[i, j, p])
    result = np.empty((CHANNELS + r, dz, dz), x.dtype)
    firsts = combined(of_first, first, 1.0, dx * dx, dx, 1).reshape(r, dx, dx)
    seconds = combined(of_second, second, 1.0, dy * dy, dy, 1).reshape(r, dy, dy)
    pairs = combined(pair_first, first, 1.0, dx * dx, dx, 1).reshape(n, dx, dx)
    others = combined(pair_second, second, 1.0, dy * dy, dy, 1).reshape(n, dy, dy)
    y, half = np.empty_like(x), np.empty_like(x)
    y_by_x, y_by_z, half_by_x = y.reshape(dx, dy * dz), y.reshape(dx * dy, dz), half.reshape(dx, dy * dz)
    acted = np.empty_like(x)
    for k in range(CHANNELS + r):
        one = first[k] if k < CHANNELS else firsts[k - CHANNELS]
        other = second[k] if k < CHANNELS else seconds[k - CHANNELS]
        if are_blocks and k != SX:
            for i in range(dx):
                for j in range(dy):
                    factor = one[i, i] + other[j, j]
                    if k == SZZ:
                        for m in range(n):
                            factor += pairs[m, i, i] * others[m, j, j]
                    for p in range(dz):
                        y[i, j, p] = factor * x[i, j, p]
        else:
            is_first = _acts(of_first, k)
            if is_first:
                times(one, by_x, y_by_x)
            if _acts(of_second, k):
                times_each(other, x, half if is_first else y)
                if is_first:
                    add(y, half)
            if k == SZZ:
                for m in range(n):
                    times(pairs[m], by_x, half_by_x)
                    times_each(others[m], half, acted)
                    add(y, acted)
        times(adjoint, y_by_z, result[k])
    return result
