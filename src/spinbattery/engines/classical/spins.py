"""Copies of a network of classical spins that go through a protocol."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array

from ...core.typing import FloatArray
from ...model.problem import ChargingProblem
from ..common.splitting import SHORTEST_CHUNK, Stages
from .bloch import stage_seconds
from .spin_kernels import turn_spins


class ClassicalSpins:
    """Components x, y, z (N, copies) of a vector for each spin and copy."""

    shortest_chunk = SHORTEST_CHUNK

    def __init__(self, problem: ChargingProblem, vectors: FloatArray) -> None:
        """Start from vectors (3, N, copies)."""
        self.x, self.y, self.z = (np.array(component, dtype=np.float64) for component in vectors)
        self.stage_seconds = self.x.shape[1] * stage_seconds(problem)
        n, (pairs, couplings) = problem.n_spins, problem.couplings
        self._pairs, self._couplings = pairs, couplings
        both = np.concatenate([pairs, pairs[:, ::-1]])
        rows = coo_array((np.tile(couplings, 2), (both[:, 0], both[:, 1])), shape=(n, n)).tocsr()
        self._rows = rows.indptr.astype(np.int64), rows.indices.astype(np.int64), rows.data

    @property
    def arrays(self) -> list[NDArray[Any]]:
        return [self.x, self.y, self.z]

    def apply(self, stages: Stages) -> None:
        """Apply stages V T V ... V in place."""
        turn_spins(self.x, self.y, self.z, stages.theta, stages.field, stages.ising, *self._rows)

    def energies(self, fields: tuple[FloatArray, FloatArray, FloatArray]) -> FloatArray:
        """(copies,) energies in the unit of the fields Bx, Bz and B/2."""
        bx, bz, half_b = fields
        first, second = self._pairs.T
        ising = np.einsum("ec,ec,e->c", self.z[first], self.z[second], self._couplings)
        return np.asarray(bx * self.x.sum(axis=0) + bz * self.z.sum(axis=0) + half_b * ising)
