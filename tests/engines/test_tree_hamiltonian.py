"""H of one tensor of a tree, as one matrix and by its terms, against the same as a dense matrix."""

from __future__ import annotations

import numpy as np
import pytest

from spinbattery.engines.tensor import hamiltonian
from spinbattery.engines.tensor.hamiltonian import Drive, Side, terms
from spinbattery.engines.tensor.operator_kernels import CHANNELS, SX, SZ, SZZ
from spinbattery.engines.tensor.tree_kernels import exponential, factors, product

DRIVE = Drive(0.3, -0.7, 1.1)
SHAPES = ((1, 1, 1), (2, 1, 1), (1, 1, 3), (4, 1, 4), (12, 1, 12), (2, 2, 4), (3, 4, 5), (7, 7, 2), (2, 7, 7))
TOLERANCES = {np.complex128: 1e-12, np.complex64: 2e-4}


def random(generator, *shape):
    return generator.normal(size=shape) + 1j * generator.normal(size=shape)


def side(generator, d, channels, dtype, is_block=False):
    operators = random(generator, CHANNELS + channels, d, d)
    operators += operators.conj().transpose(0, 2, 1)
    if is_block:
        operators[1:] *= np.eye(d)
    return Side(operators.astype(dtype), is_block)


def coefficients(generator, products, channels):
    """Of products of two legs, some of them zero."""
    return tuple(
        generator.normal(size=(products, channels)) * (generator.random((products, channels)) < 0.7) for _ in range(2)
    )


def dense(sides, pairs):
    """H of the three legs (d, d)."""
    ones = [np.eye(leg.dimension) for leg in sides]

    def on(**operators):
        parts = [operators.get(f"leg{k}", one) for k, one in enumerate(ones)]
        return np.kron(np.kron(parts[0], parts[1]), parts[2])

    total = 0.0
    for k, leg in enumerate(sides):
        x, z, zz = (leg.operators[kind] for kind in (SX, SZ, SZZ))
        total = total + on(**{f"leg{k}": DRIVE.bx * x + DRIVE.bz * z + DRIVE.half_b * zz})
    for (i, j), (first, second) in zip(((0, 1), (0, 2), (1, 2)), pairs, strict=True):
        for one, other in zip(first, second, strict=True):
            of_i = np.tensordot(one, sides[i].operators[CHANNELS:], 1)
            of_j = np.tensordot(other, sides[j].operators[CHANNELS:], 1)
            total = total + DRIVE.half_b * on(**{f"leg{i}": of_i, f"leg{j}": of_j})
    return total


@pytest.mark.parametrize("blocks", [(False, False), (True, False), (False, True), (True, True)], ids=str)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_one_matrix_and_terms_are_the_dense_one(monkeypatch, shape, blocks):
    generator = np.random.default_rng(1)
    for dtype, tolerance in TOLERANCES.items():
        for channels, products in ((2, 0), (2, 1), (3, 3)):
            kinds = (*blocks, False)
            sides = [side(generator, d, channels, dtype, kind) for d, kind in zip(shape, kinds, strict=True)]
            pairs = tuple(coefficients(generator, products, channels) for _ in range(3))
            x = random(generator, *shape).astype(dtype)
            expected = (dense(sides, pairs) @ x.ravel()).reshape(shape)
            for limit in (0, 200):
                monkeypatch.setattr(hamiltonian, "_SMALL", limit)
                monkeypatch.setattr(hamiltonian, "_SMALL_LINK", limit)
                found = np.empty_like(x)
                product(x, found, terms(*sides, pairs, DRIVE))
                assert np.abs(found - expected).max() <= tolerance * max(1.0, np.abs(expected).max())


@pytest.mark.parametrize("shape", [(3, 4, 5), (2, 2, 9), (1, 1, 1), (1, 2, 3)], ids=str)
def test_factors_are_an_isometry_and_a_matrix(shape):
    generator = np.random.default_rng(2)
    for dtype, tolerance in TOLERANCES.items():
        tensor = random(generator, *shape).astype(dtype)
        isometry, matrix = factors(tensor)
        assert isometry.dtype == matrix.dtype == dtype
        assert np.abs(isometry @ matrix - tensor).max() <= tolerance
        overlaps = np.einsum("abi,abj->ij", isometry.conj(), isometry)
        assert np.abs(overlaps - np.eye(len(matrix))).max() <= tolerance


def test_a_tensor_of_zeros_is_no_state():
    sides = [side(np.random.default_rng(3), d, 1, np.complex128) for d in (2, 1, 2)]
    pairs = ((np.empty((0, 1)),) * 2,) * 3
    with pytest.raises(ZeroDivisionError):
        exponential(np.zeros((2, 1, 2), np.complex128), -0.1j, 1e-10, 8, terms(*sides, pairs, DRIVE))
