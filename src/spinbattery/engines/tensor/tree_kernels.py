"""Compiled kernels of trees: the exponential of a node's Hamiltonian, and operators carried across a node.

Tensors have three legs (a, b, p) and are contiguous. All sums of products are calls of BLAS; numba saves the cost of
calling numpy some hundred times for every node, and releases the interpreter lock.
"""

from __future__ import annotations

import numpy as np
from numba import njit

_TINY = 1e-30


@njit(nogil=True, cache=True, inline="always")
def _add(target, term):
    for k in range(target.size):
        target[k] += term[k]


@njit(nogil=True, cache=True)
def product(x, y, left, middle, right, ab_a, ab_b, ap_a, ap_p, bp_b, bp_p, near, far):
    """y = H x for one tensor x (da, db, dp); see :func:`~.hamiltonian.terms` for the operators."""
    da, db, dp = x.shape
    by_a = x.reshape(da, db * dp)
    by_p = x.reshape(da * db, dp)
    flat = y.reshape(-1)
    if near.size:
        np.dot(near, by_p, y.reshape(da * db, dp))
    else:
        np.dot(left, by_a, y.reshape(da, db * dp))
    term = np.empty_like(x)
    if far.size:
        np.dot(by_a, far, term.reshape(da, db * dp))
        _add(flat, term.reshape(-1))
    elif right.size:
        np.dot(by_p, right, term.reshape(da * db, dp))
        _add(flat, term.reshape(-1))
    if middle.size:
        for i in range(da):
            np.dot(middle, x[i], term[i])
        _add(flat, term.reshape(-1))
    if ab_a.size:
        many = np.dot(ab_a, by_a).reshape(da, ab_b.shape[1], dp)
        for i in range(da):
            np.dot(ab_b, many[i], term[i])
        _add(flat, term.reshape(-1))
    if ap_a.size:
        n = ap_p.shape[0]
        many = np.empty((n, da * db, dp), x.dtype)
        for k in range(n):
            np.dot(by_p, ap_p[k], many[k])
        np.dot(ap_a, many.reshape(n * da, db * dp), term.reshape(da, db * dp))
        _add(flat, term.reshape(-1))
    if bp_b.size:
        many = np.dot(by_p, bp_p).reshape(da, bp_b.shape[1], dp)
        for i in range(da):
            np.dot(bp_b, many[i], term[i])
        _add(flat, term.reshape(-1))


@njit(nogil=True, cache=True)
def _overlap(x, y):
    total = 0.0j
    for k in range(x.size):
        total += np.conj(x[k]) * y[k]
    return total


@njit(nogil=True, cache=True)
def _krylov(x, z, tolerance, vectors, left, middle, right, ab_a, ab_b, ap_a, ap_p, bp_b, bp_p, near, far):
    """x <- exp(f z H) x in place by Lanczos' method; returns the fraction f and the number of products."""
    most = len(vectors)
    size = x.size
    most = min(most, size)
    flat = x.reshape(-1)
    norm = np.sqrt(_overlap(flat, flat).real)
    diagonal, off = np.zeros(most), np.zeros(most)
    for k in range(size):
        vectors[0, k] = flat[k] / norm
    y = np.empty_like(x)
    w = y.reshape(-1)
    bound = 1.0
    used = 0
    for j in range(most):
        product(
            vectors[j, :size].reshape(x.shape), y, left, middle, right, ab_a, ab_b, ap_a, ap_p, bp_b, bp_p, near, far
        )
        used = j + 1
        if j > 0:
            for k in range(size):
                w[k] -= off[j - 1] * vectors[j - 1, k]
        diagonal[j] = _overlap(vectors[j, :size], w).real
        for k in range(size):
            w[k] -= diagonal[j] * vectors[j, k]
        off[j] = np.sqrt(_overlap(w, w).real)
        bound *= off[j] * abs(z) / (j + 1)
        if bound < tolerance or off[j] < 1e-13 * abs(diagonal[j]) + _TINY or j == most - 1:
            break
        for k in range(size):
            vectors[j + 1, k] = w[k] / off[j]
    fraction = 1.0
    if bound > tolerance and used == most < size:
        fraction = 0.9 * (tolerance / bound) ** (1.0 / most)
    matrix = np.zeros((used, used))
    for j in range(used):
        matrix[j, j] = diagonal[j]
        if j + 1 < used:
            matrix[j, j + 1] = matrix[j + 1, j] = off[j]
    values, basis = np.linalg.eigh(matrix)
    flat[:] = 0.0
    for j in range(used):
        factor = 0.0j
        for m in range(used):
            factor += basis[j, m] * np.exp(fraction * z * values[m]) * basis[0, m]
        for k in range(size):
            flat[k] += factor * norm * vectors[j, k]
    return fraction, used


@njit(nogil=True, cache=True)
def exponential(x, z, tolerance, most, left, middle, right, ab_a, ab_b, ap_a, ap_p, bp_b, bp_p, near, far):
    """x <- exp(z H) x in place, to ``tolerance`` relative to the norm; returns the number of products with H."""
    vectors = np.empty((most, x.size), x.dtype)
    left_over = 1.0
    products = 0
    while left_over > 1e-12:
        fraction, used = _krylov(
            x, left_over * z, tolerance, vectors, left, middle, right, ab_a, ab_b, ap_a, ap_p, bp_b, bp_p, near, far
        )
        left_over *= 1.0 - fraction
        products += used
    return products


@njit(nogil=True, cache=True)
def carried(x, first, second, first_acts, second_acts, pair_first, pair_second, into):
    """Operators x* (F_k + S_k) x (K, dz, dz) on the last leg of an isometry x (dx, dy, dz).

    Args:
        first, second: F (K, dx, dx) and S (K, dy, dy).
        first_acts, second_acts: (K,) whether they are not zero.
        pair_first, pair_second: (n, dx, dx) and (n, dy, dy), the sum of whose products is added to operator ``into``.
    """
    dx, dy, dz = x.shape
    n = len(first)
    by_x = x.reshape(dx, dy * dz)
    adjoint = np.conj(x.reshape(dx * dy, dz)).T.copy()
    result = np.empty((n, dz, dz), x.dtype)
    y = np.empty_like(x)
    half = np.empty_like(x)
    for k in range(n):
        if first_acts[k]:
            np.dot(first[k], by_x, y.reshape(dx, dy * dz))
        else:
            y[:] = 0.0
        if second_acts[k]:
            for i in range(dx):
                np.dot(second[k], x[i], half[i])
            _add(y.reshape(-1), half.reshape(-1))
        if k == into:
            for m in range(len(pair_first)):
                np.dot(pair_first[m], by_x, half.reshape(dx, dy * dz))
                for i in range(dx):
                    _add(y[i].reshape(-1), np.dot(pair_second[m], half[i]).reshape(-1))
        np.dot(adjoint, y.reshape(dx * dy, dz), result[k])
    return result
