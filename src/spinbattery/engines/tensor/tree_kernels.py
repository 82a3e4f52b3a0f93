"""Compiled kernels of trees: the exponential of a node's Hamiltonian.

Tensors have three legs (a, b, p) and are contiguous. All sums of products are calls of BLAS; numba saves the cost of
calling numpy some hundred times for every node, and releases the interpreter lock.
"""

from __future__ import annotations

import numpy as np

from ...core.jitted import jitted
from ...core.kernels import INNER

_TINY = 1e-30

_TAYLOR_ORDER = 18
"""Order of a Taylor series of exp(x) for |x| <= 1 in double precision."""


@jitted(nogil=True)
def times(x, y, out):
    """out = x y, compiled once for all."""
    np.dot(x, y, out)


@jitted(**INNER)
def add(target, term):
    for i in range(target.shape[0]):
        for j in range(target.shape[1]):
            for k in range(target.shape[2]):
                target[i, j, k] += term[i, j, k]


@jitted(**INNER)
def times_each(x, stack, out):
    """out[i] = x stack[i]."""
    for i in range(len(stack)):
        np.dot(x, stack[i], out[i])


@jitted(**INNER)
def _in_states(x, at_a, at_b, at_ab, term, y):
    """Add operators on p in each state of the blocks a and b, and the diagonal of two blocks."""
    da, db, dp = x.shape
    if at_a.size:
        for i in range(da):
            np.dot(x[i], at_a[i], term[i])
        add(y, term)
    if at_b.size:
        turned, acted = np.empty((da, dp), x.dtype), np.empty((da, dp), x.dtype)
        for j in range(db):
            for i in range(da):
                for k in range(dp):
                    turned[i, k] = x[i, j, k]
            np.dot(turned, at_b[j], acted)
            for i in range(da):
                for k in range(dp):
                    y[i, j, k] += acted[i, k]
    if at_ab.size:
        for i in range(da):
            for j in range(db):
                for k in range(dp):
                    y[i, j, k] += at_ab[i, j] * x[i, j, k]


@jitted(nogil=True)
def product(x, y, operators):
    """y = H x for one tensor x (da, db, dp); see :func:`~.hamiltonian.terms` for the operators."""
    first, middle, last, ab_a, ab_b, ap_a, ap_p, bp_b, bp_p, at_a, at_b, at_ab = operators
    da, db, dp = x.shape
    by_a, by_p = x.reshape(da, db * dp), x.reshape(da * db, dp)
    term = np.empty_like(x)
    term_by_a, term_by_p = term.reshape(da, db * dp), term.reshape(da * db, dp)
    if len(first) == da:
        times(first, by_a, y.reshape(da, db * dp))
    elif len(first) == da * db:
        times(first, by_p, y.reshape(da * db, dp))
    else:
        times(first, x.reshape(x.size, 1), y.reshape(x.size, 1))
    if last.size:
        if len(last) == dp:
            times(by_p, last, term_by_p)
        else:
            times(by_a, last, term_by_a)
        add(y, term)
    if middle.size:
        times_each(middle, x, term)
        add(y, term)
    if ab_a.size:
        many = np.empty((len(ab_a), db * dp), x.dtype)
        times(ab_a, by_a, many)
        times_each(ab_b, many.reshape(da, ab_b.shape[1], dp), term)
        add(y, term)
    if ap_a.size:
        n = len(ap_p)
        several = np.empty((n * da, db * dp), x.dtype)
        apart = several.reshape(n, da * db, dp)
        for k in range(n):
            times(by_p, ap_p[k], apart[k])
        times(ap_a, several, term_by_a)
        add(y, term)
    if bp_b.size:
        many = np.empty((da * db, bp_p.shape[1]), x.dtype)
        times(by_p, bp_p, many)
        times_each(bp_b, many.reshape(da, bp_b.shape[1], dp), term)
        add(y, term)
    _in_states(x, at_a, at_b, at_ab, term, y)


@jitted(nogil=True)
def factors(tensor):
    """An isometry (d1, d2, n) and a matrix (n, d) on its last leg, whose product is a tensor (d1, d2, d).

    Both are found in double precision, so that an isometry of single precision is exact to its own rounding.
    """
    d1, d2, d = tensor.shape
    isometry, matrix = np.linalg.qr(tensor.reshape(d1 * d2, d).astype(np.complex128))
    n = isometry.shape[1]
    q, r = np.empty((d1, d2, n), tensor.dtype), np.empty((n, d), tensor.dtype)
    for i in range(d1):
        for j in range(d2):
            for k in range(n):
                q[i, j, k] = isometry[i * d2 + j, k]
    for i in range(n):
        for k in range(d):
            r[i, k] = matrix[i, k]
    return q, r


@jitted(**INNER)
def _overlap(x, y):
    """Real part of x* y."""
    total = 0.0
    for k in range(x.size):
        total += x[k].real * y[k].real + x[k].imag * y[k].imag
    return total


@jitted(**INNER)
def _subtract(x, factor, y):
    """x - factor y in the precision of x."""
    rounded = x.dtype.type(factor)
    for k in range(x.size):
        x[k] -= rounded * y[k]


@jitted(**INNER | {"error_model": "python"})
def _divided(x, number, into):
    """x / number; a division by zero is an error."""
    factor = x.dtype.type(1.0 / number)
    for k in range(x.size):
        into[k] = factor * x[k]


@jitted(**INNER)
def _first_column(diagonal, off, used, z):
    """The first column (used,) of exp(z T) of a symmetric tridiagonal matrix T, by Taylor series of short parts."""
    largest = 0.0
    for j in range(used):
        largest = max(largest, abs(diagonal[j]) + 2.0 * off[j])
    parts = int(abs(z) * largest) + 1
    column, term, acted = np.zeros(used, np.complex128), np.zeros(used, np.complex128), np.zeros(used, np.complex128)
    column[0] = 1.0
    for _ in range(parts):
        for j in range(used):
            term[j] = column[j]
        for order in range(1, _TAYLOR_ORDER + 1):
            for j in range(used):
                acted[j] = diagonal[j] * term[j]
                if j > 0:
                    acted[j] += off[j - 1] * term[j - 1]
                if j + 1 < used:
                    acted[j] += off[j] * term[j + 1]
            for j in range(used):
                term[j] = acted[j] * z / (parts * order)
                column[j] += term[j]
    return column


@jitted(**INNER)
def _krylov(x, z, tolerance, vectors, operators):
    """x <- exp(f z H) x in place by Lanczos' method; returns the fraction f and the number of products."""
    most = min(len(vectors), x.size)
    flat = x.reshape(x.size)
    norm = np.sqrt(_overlap(flat, flat))
    diagonal, off = np.zeros(most), np.zeros(most)
    _divided(flat, norm, vectors[0])
    y = np.empty_like(x)
    w = y.reshape(x.size)
    bound = 1.0
    used = 0
    for j in range(most):
        product(vectors[j].reshape(x.shape), y, operators)
        used = j + 1
        if j > 0:
            _subtract(w, off[j - 1], vectors[j - 1])
        diagonal[j] = _overlap(vectors[j], w)
        _subtract(w, diagonal[j], vectors[j])
        off[j] = np.sqrt(_overlap(w, w))
        bound *= off[j] * abs(z) / (j + 1)
        if bound < tolerance or off[j] < 1e-13 * abs(diagonal[j]) + _TINY or j == most - 1:
            break
        _divided(w, off[j], vectors[j + 1])
    fraction = 1.0
    if bound > tolerance and used == most < x.size:
        fraction = 0.9 * (tolerance / bound) ** (1.0 / most)
    column = _first_column(diagonal, off, used, fraction * z)
    weights = np.empty((1, used), x.dtype)
    for j in range(used):
        weights[0, j] = norm * column[j]
    times(weights, vectors[:used], x.reshape(1, x.size))
    return fraction, used


@jitted(nogil=True)
def exponential(x, z, tolerance, most, operators):
    """x <- exp(z H) x in place, to ``tolerance`` relative to the norm; returns the number of products with H."""
    vectors = np.empty((most, x.size), x.dtype)
    left_over = 1.0
    products = 0
    while left_over > 1e-12:
        fraction, used = _krylov(x, left_over * z, tolerance, vectors, operators)
        left_over *= 1.0 - fraction
        products += used
    return products
