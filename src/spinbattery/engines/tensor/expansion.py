"""Expansion of a link by missing bond vectors, and truncation to the bond vectors that carry weight.

One-site steps stay within the bases of the links. The part of H that leads out of them across one link is a sum of
products of an operator on the two outer legs of the centre and one on the two outer legs of its neighbour, projected
out of both bases. Its largest components are found without forming it, by multiplying it with a few random vectors
(Halko, Martinsson and Tropp, SIAM Rev. 53, 217 (2011)), as in the controlled bond expansion of Gleis, Li and von Delft,
PRL 130, 246402 (2023).
"""

from __future__ import annotations

import numpy as np

from ...core.typing import FloatArray
from .hamiltonian import Array
from .tree_state import TreeState

_MORE = 4
"""Number of random vectors beyond the wanted bond vectors."""

_SMALLEST = 1e-12
"""Norm of a component below which it counts as zero."""


def missing_directions(
    state: TreeState, node: int, onward: int, number: int | None, rng: np.random.Generator
) -> Array | None:
    """Orthonormal bond vectors (d1 d2, n) on the outer legs of a neighbour of the centre that its link lacks.

    There are at most ``number`` of them, or all with None, as in two-site steps.
    """
    centre = state.environment.towards(node, onward, state.tensors[node])
    isometry = state.environment.towards(onward, node, state.tensors[onward])
    rows, columns = centre.shape[0] * centre.shape[1], isometry.shape[0] * isometry.shape[1]
    dimension = centre.shape[2]
    basis = isometry.reshape(columns, dimension)
    if number is None:
        rest: Array = np.linalg.qr(basis, mode="complete")[0][:, dimension:]
        return rest if rest.shape[1] else None
    number = min(number, rows - dimension, columns - dimension)
    first, second = state.environment.across(node, onward)
    if number <= 0 or not len(first):
        return None
    ours = _acted(first, state.environment.channels_on_legs(node, onward), centre)
    theirs = _acted(second, state.environment.channels_on_legs(onward, node), isometry)
    probes = _probes(centre.reshape(rows, dimension), number + _MORE, rng)
    sketch = np.tensordot(probes.conj().T @ ours, theirs, ((0, 2), (0, 2)))
    for _ in range(2):  # the second time removes the rounding of the first
        sketch -= (sketch @ basis.conj()) @ basis.T
    _, weights, directions = np.linalg.svd(sketch, full_matrices=False)
    number = min(number, int((weights > _SMALLEST).sum()))
    found: Array = directions[:number].T
    return found if number else None


def _acted(coefficients: FloatArray, channels: tuple[Array, Array], tensor: Array) -> Array:
    """Sums of channels on the two outer legs of a tensor (d1, d2, d), shape (k, d1 d2, d)."""
    first, second = (np.tensordot(coefficients.astype(tensor.dtype), operators, 1) for operators in channels)
    d1, d2, d = tensor.shape
    result = (first.reshape(-1, d1) @ tensor.reshape(d1, -1)).reshape(len(first), d1, d2, d)
    result += second[:, None] @ tensor
    return result.reshape(len(first), d1 * d2, d)


def _probes(tensor: Array, number: int, rng: np.random.Generator) -> Array:
    """Up to ``number`` orthonormal random vectors, (rows, n), orthogonal to the columns of a matrix."""
    rows, columns = tensor.shape
    shape = rows, min(number, rows - columns)
    drawn = (rng.normal(size=shape) + 1j * rng.normal(size=shape)).astype(tensor.dtype)
    both: Array = np.linalg.qr(np.concatenate([tensor, drawn], axis=1))[0]
    return both[:, columns:]


def enlarge(state: TreeState, node: int, onward: int, number: int | None, rng: np.random.Generator) -> int:
    """Give the link between the centre and a neighbour more bond vectors, of weight zero; returns their number."""
    directions = missing_directions(state, node, onward, number, rng)
    if directions is None:
        return 0
    isometry = state.environment.towards(onward, node, state.tensors[onward])
    added = directions.reshape(*isometry.shape[:2], -1).astype(isometry.dtype)
    state.fix(onward, node, np.concatenate([isometry, added], axis=2))
    centre = state.environment.towards(node, onward, state.tensors[node])
    state.put(
        node, onward, np.concatenate([centre, np.zeros_like(centre, shape=(*centre.shape[:2], added.shape[2]))], 2)
    )
    return int(added.shape[2])


def cut(tensor: Array, largest: int, least: int, truncation: float) -> tuple[Array, Array, float]:
    """Best approximation of a tensor (d1, d2, d) by an isometry (d1, d2, n) and a matrix (n, d), of the same norm.

    The dimension n of the new link is between ``least``, if the tensor has as many, and ``largest``; a relative weight
    ``truncation`` may be discarded. The third result is the weight that was.
    """
    d1, d2, d = tensor.shape
    left, values, right = np.linalg.svd(tensor.reshape(d1 * d2, d), full_matrices=False)
    behind = np.cumsum((values.astype(np.float64) ** 2)[::-1])[::-1]
    worth = int((behind > truncation * behind[0]).sum())
    number = min(max(worth, least), largest, len(values))
    matrix = values[:number, None] * right[:number]
    matrix *= float(np.sqrt(behind[0]) / np.linalg.norm(matrix))
    weight = float(behind[number] / behind[0]) if number < len(values) else 0.0
    return left[:, :number].reshape(d1, d2, number), matrix, weight
