"""Operators against dense Kronecker products."""

from __future__ import annotations

import itertools
from functools import reduce

import numpy as np
import pytest

from spinbattery.model.operators import ising_diagonal, magnetization_diagonal, transverse_operator

X = np.array([[0.0, 1.0], [1.0, 0.0]])
Z = np.diag([1.0, -1.0])


def embedded(n_spins, placed):
    """Dense tensor product with the 2x2 matrices of ``placed`` (spin -> matrix) and identities elsewhere."""
    return reduce(np.kron, [placed.get(k, np.eye(2)) for k in range(n_spins)], np.eye(1))


@pytest.mark.parametrize("n", range(1, 7))
def test_magnetization_diagonal(n):
    dense = sum(embedded(n, {k: Z}) for k in range(n))
    diagonal = magnetization_diagonal(n)
    np.testing.assert_array_equal(diagonal, np.diag(dense))
    assert diagonal.dtype == np.int8
    assert (diagonal[0], diagonal[-1]) == (n, -n)


@pytest.mark.parametrize("n", range(1, 7))
def test_ising_diagonal_with_random_couplings(n):
    rng = np.random.default_rng(n)
    pairs = np.array([pair for pair in itertools.combinations(range(n), 2) if rng.random() < 0.7], dtype=np.int64)
    pairs = pairs.reshape(-1, 2)
    couplings = rng.normal(size=len(pairs))
    dense = np.zeros((1 << n, 1 << n))
    for (j, k), coupling in zip(pairs, couplings, strict=True):
        dense += coupling * embedded(n, {j: Z, k: Z})
    np.testing.assert_allclose(ising_diagonal(n, pairs, couplings), np.diag(dense), rtol=0, atol=1e-14)


@pytest.mark.parametrize("n", range(1, 7))
def test_transverse_operator(n):
    dense = sum(embedded(n, {k: X}) for k in range(n))
    operator = transverse_operator(n)
    np.testing.assert_array_equal(operator.toarray(), dense)
    assert operator.nnz == n << n
