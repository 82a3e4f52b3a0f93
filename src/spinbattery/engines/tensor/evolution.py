"""Steps of the time-dependent variational principle on a tree.

A step is a TDVP sweep from the leaves to the root and its mirror image back (Bauernfeind and Aichhorn, SciPost Phys. 8,
024 (2020)): each tensor goes forward in time while it is the centre, and the matrix that it passes on goes back. Either
sweep has its own exponential, as a commutator-free step has two. A step backward in time undoes a step, so that the
error of the splitting is of second order.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..common.magnus import Exponents
from .expansion import cut, enlarge
from .hamiltonian import Array, Drive
from .tree_state import TreeState

_LEAST_DIMENSION = 4
"""At least this many bond vectors are kept, even with zero weight, so that TDVP can leave a product state."""


class TreeEvolution:
    """A state that goes through a protocol."""

    shortest_chunk = 1

    def __init__(
        self,
        state: TreeState,
        *,
        expansion: int | None = 0,
        truncation: float = 0.0,
        tolerance: float = 1e-8,
        seed: int = 0,
        stage_seconds: float = 1.0,
    ) -> None:
        """Start from a state, which changes in place.

        Args:
            expansion: bond vectors that a link gets before each half step and that truncation may remove; 0 for
                one-site steps in fixed bases, None for all (two-site steps).
            truncation: relative weight below which bond vectors are discarded.
            tolerance: error of the exponentials.
            seed: seed of the random vectors of the expansion.
            stage_seconds: rough time of a stage.
        """
        self.state = state
        self.stage_seconds = stage_seconds
        self._expansion, self._truncation = expansion, truncation
        self._tolerance, self._seed = tolerance, seed
        self._adapts = expansion is None or expansion > 0
        self._rng = np.random.default_rng(seed)

    @property
    def arrays(self) -> Sequence[NDArray[Any]]:
        return self.state.arrays

    def apply(self, stages: Exponents) -> None:
        """One TDVP sweep for each exponential, to the root and back in turns."""
        state = self.state
        state.sync()
        for row in stages.coefficients.tolist():
            self._rng = np.random.default_rng([self._seed, state.stages])
            sweep = self._back if state.stages % 2 else self._up
            sweep(Drive(*row))
            state.stages += 1
        state.keep()

    def _up(self, drive: Drive) -> None:
        state, layout = self.state, self.state.layout
        for node in range(layout.root):
            parent = layout.parents[node]
            state.move(node)
            if self._adapts:
                enlarge(state, node, parent, self._expansion, self._rng)
            self._forward(node, drive)
            matrix = self._split(node, parent)
            state.absorb(self._backward(matrix, node, parent, drive), node, parent)
        self._forward(layout.root, drive)

    def _back(self, drive: Drive) -> None:
        """The mirror image of the sweep to the root."""
        state, layout = self.state, self.state.layout
        state.move(layout.root)
        self._forward(layout.root, drive)
        for node in reversed(range(layout.root)):
            parent = layout.parents[node]
            state.move(parent)
            matrix = state.split(parent, node)
            if self._adapts:
                matrix = self._enlarged(matrix, parent, node)
            state.absorb(self._backward(matrix, parent, node, drive), parent, node)
            self._forward(node, drive)
            if self._adapts:
                state.absorb(self._split(node, parent), node, parent)

    def _forward(self, node: int, drive: Drive) -> None:
        state = self.state
        state.environment.evolve_node(node, state.tensors[node], -1j, drive, self._tolerance)

    def _backward(self, matrix: Array, node: int, onward: int, drive: Drive) -> Array:
        return self.state.environment.evolve_link(node, onward, matrix, 1j, drive, self._tolerance)

    def _enlarged(self, matrix: Array, parent: int, node: int) -> Array:
        """The matrix from parent to node in a larger basis of the parent's side."""
        state = self.state
        isometry = state.tensors[node]
        state.absorb(matrix, parent, node)
        added = enlarge(state, node, parent, self._expansion, self._rng)
        state.tensors[node] = isometry
        return np.concatenate([matrix, np.zeros_like(matrix, shape=(added, matrix.shape[1]))])

    def _split(self, node: int, parent: int) -> Array:
        """The matrix that the centre leaves on the link to its parent, truncated where bases adapt."""
        state = self.state
        if not self._adapts:
            return state.split(node, parent)
        largest = state.dimension_above(node)
        isometry, matrix, weight = cut(state.tensors[node], largest, min(largest, _LEAST_DIMENSION), self._truncation)
        state.discarded += weight
        state.fix(node, parent, np.ascontiguousarray(isometry))
        return matrix
