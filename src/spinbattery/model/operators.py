"""The operators of the model in the computational basis.

Basis order: spin 0 is the most significant bit of the index, as in ``numpy.kron`` and in QuTiP's
tensor product; bit 0 is up (sz = +1), bit 1 is down (sz = -1). Index 0 is all up, 2^N - 1 all down.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..core.typing import FloatArray, IntArray

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix


def magnetization_diagonal(n_spins: int) -> NDArray[np.int8]:
    """Eigenvalues of Sz = sum_k sz_k, shape (2^N,)."""
    diagonal = np.zeros(1, dtype=np.int8)
    for _ in range(n_spins):
        diagonal = np.concatenate([diagonal + np.int8(1), diagonal - np.int8(1)])
    return diagonal


def ising_diagonal(n_spins: int, pairs: IntArray, couplings: FloatArray) -> FloatArray:
    """Eigenvalues of sum_<jk> c_jk sz_j sz_k, shape (2^N,).

    Spin by spin the table doubles, with the field of the spins before: 2^N operations per pair, two tables in memory.
    """
    diagonal = np.zeros(1)
    for k in range(n_spins):
        local = np.zeros(1 << k)
        for (j, partner), coupling in zip(pairs.tolist(), couplings.tolist(), strict=True):
            if partner == k:
                # the bit of spin j among the k spins so far: +1 for up, -1 for down
                view = local.reshape(1 << j, 2, 1 << (k - 1 - j))
                view[:, 0, :] += coupling
                view[:, 1, :] -= coupling
        grown = np.empty(2 << k)
        grown[0::2] = diagonal + local
        grown[1::2] = diagonal - local
        diagonal = grown
    return diagonal


def transverse_operator(n_spins: int) -> csr_matrix:
    """Sx = sum_k sx_k as a real sparse matrix, shape (2^N, 2^N)."""
    from scipy.sparse import csr_matrix

    dimension = 1 << n_spins
    index = np.arange(dimension)
    columns = index[:, None] ^ (1 << np.arange(n_spins))
    rows = np.arange(0, dimension * n_spins + 1, n_spins)
    return csr_matrix((np.ones(dimension * n_spins), np.sort(columns, axis=1).ravel(), rows))
