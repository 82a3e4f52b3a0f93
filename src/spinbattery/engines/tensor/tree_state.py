"""A tree of tensors with a centre; all other tensors are isometries towards it."""

from __future__ import annotations

from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from ...core.typing import ComplexArray
from .channels import Channels
from .environment import Environment
from .hamiltonian import Array
from .layout import Layout
from .tree_kernels import factors

_NOISE = {16: 1e-8, 8: 1e-6}
"""Norm of the random part of the start, by the bytes of a number; without it only rounding would fill the bases."""

_HEAD = 2
"""Number of entries before the dimensions of the links: the centre and the stages."""


class TreeState:
    """Tensors of a tree, the first two legs of each to its children and the third to its parent.

    Attributes:
        environment: operators behind the legs.
        bond_dimension: largest dimension of a link.
        centre: node whose tensor is no isometry; its norm is the norm of the state.
        stages: number of exponentials of H so far.
        discarded: sum of the discarded relative weights.
    """

    def __init__(
        self,
        layout: Layout,
        channels: Channels,
        spinors: ComplexArray,
        bond_dimension: int,
        seed: int,
        dtype: DTypeLike = np.complex128,
    ) -> None:
        """A product state of ``spinors`` (N, 2), in bases of the largest dimension.

        From a plain product state the basis of a link cannot grow where the links below have dimension one: the state
        would be trapped without a warning. So every link has its largest dimension from the start, with random bond
        vectors (by the ``seed``) of almost no weight.
        """
        self.layout, self.bond_dimension = layout, bond_dimension
        self.environment = Environment(layout, channels, dtype)
        self.stages = 0
        self.discarded = 0.0
        self._dtype = np.dtype(dtype)
        rng = np.random.default_rng(seed)
        start = {-1 - k: reduce(np.kron, spinors[list(spins)]) for k, spins in enumerate(layout.blocks)}
        self.tensors: list[Array] = []
        for node in range(layout.root):
            a, b = (start[child] for child in layout.children[node])
            vector = np.kron(a, b)
            isometry = _with_first_column(vector, self.dimension_above(node), rng)
            self.tensors.append(np.ascontiguousarray(isometry.reshape(len(a), len(b), -1), dtype=dtype))
            start[node] = np.eye(self.dimension_above(node))[0]
            self.environment.carry(node, layout.parents[node], self.tensors[node])
        legs = [start.get(other, np.ones(1)) for other in layout.neighbours(layout.root)]
        centre = np.einsum("a,b,p->abp", *legs)
        noise = rng.normal(size=(2, *centre.shape))
        centre = centre + _NOISE[self._dtype.itemsize] / np.sqrt(centre.size) * (noise[0] + 1j * noise[1])
        self.tensors.append((centre / np.linalg.norm(centre)).astype(dtype))
        self.centre = layout.root
        self._kept = np.zeros(_HEAD + layout.root + 1, dtype=np.int64)
        self._weight = np.zeros(1)
        self._numbers = np.zeros(sum(tensor.size for tensor in self.tensors), dtype=dtype)
        self.keep()

    def dimension_above(self, node: int) -> int:
        """Largest dimension of the link to the parent."""
        return int(min(self.layout.full_dimensions[node], self.bond_dimension))

    @property
    def largest_dimension(self) -> int:
        return max(int(max(tensor.shape)) for tensor in self.tensors)

    @property
    def arrays(self) -> list[NDArray[Any]]:
        """All that changes on the way, as :meth:`keep` has stored it."""
        return [self._kept, self._weight, self._numbers]

    def keep(self) -> None:
        """Bring :attr:`arrays` up to date."""
        above = [tensor.shape[2] for tensor in self.tensors]
        self._kept[:] = [self.centre, self.stages, *above]
        self._weight[0] = self.discarded
        self._numbers[: sum(tensor.size for tensor in self.tensors)] = np.concatenate(
            [tensor.ravel() for tensor in self.tensors]
        )

    def sync(self) -> None:
        """Take over the content of :attr:`arrays` if it was written over."""
        if int(self._kept[1]) == self.stages:
            return
        self.centre, self.stages = (int(number) for number in self._kept[:_HEAD])
        self.discarded = float(self._weight[0])
        above = self._kept[_HEAD:].tolist()
        first = 0
        for node in range(self.layout.root + 1):
            shape = (*(self._dimension(child, above) for child in self.layout.children[node]), above[node])
            size = int(np.prod(shape))
            self.tensors[node] = self._numbers[first : first + size].reshape(shape).copy()
            first += size
        for node, onward in self.ways_to_centre():
            self.environment.carry(node, onward, self.environment.towards(node, onward, self.tensors[node]))

    def _dimension(self, child: int, above: list[int]) -> int:
        return 1 << len(self.layout.blocks[-1 - child]) if child < 0 else above[child]

    def _ancestors(self, node: int) -> list[int]:
        """The node, its parent, and so on up to the root."""
        found = [node]
        while found[-1] != self.layout.root:
            found.append(self.layout.parents[found[-1]])
        return found

    def ways_to_centre(self) -> list[tuple[int, int]]:
        """Every node but the centre with its neighbour on the way there, from the outside inwards."""
        way = self._ancestors(self.centre)
        below = [node for node in range(self.layout.root + 1) if node not in way]
        return [(node, self.layout.parents[node]) for node in below] + [
            (node, way[k]) for k, node in reversed(list(enumerate(way[1:])))
        ]

    def split(self, node: int, onward: int) -> Array:
        """Make the centre an isometry towards a neighbour; returns the remaining matrix, (new, old) dimension."""
        tensor = self.environment.towards(node, onward, self.tensors[node])
        found: tuple[Array, Array] = factors(tensor)
        isometry, matrix = found
        self.fix(node, onward, isometry)
        return matrix

    def absorb(self, matrix: Array, node: int, onward: int) -> None:
        """Multiply the matrix of a link into the neighbour's tensor, which becomes the centre."""
        tensor = self.environment.towards(onward, node, self.tensors[onward])
        self.put(onward, node, tensor @ matrix.T)
        self.centre = onward

    def move(self, node: int) -> None:
        """Make a node the centre."""
        above = self._ancestors(node)
        while self.centre not in above:
            self._shift(self.layout.parents[self.centre])
        for onward in reversed(above[: above.index(self.centre)]):
            self._shift(onward)

    def _shift(self, onward: int) -> None:
        node = self.centre
        self.absorb(self.split(node, onward), node, onward)

    def put(self, node: int, onward: int, tensor: Array) -> None:
        """Replace a tensor by one whose last leg leads to a neighbour."""
        self.tensors[node] = self.environment.back(node, onward, tensor)

    def fix(self, node: int, onward: int, isometry: Array) -> None:
        """Replace a tensor by an isometry towards a neighbour, its last leg, and find the operators behind it."""
        self.put(node, onward, isometry)
        self.environment.carry(node, onward, isometry)


def _with_first_column(vector: Array, columns: int, rng: np.random.Generator) -> ComplexArray:
    """Isometry (d, columns) with a given first column, of length 1, and random others."""
    shape = len(vector), columns
    matrix = rng.normal(size=shape) + 1j * rng.normal(size=shape)
    matrix[:, 0] = vector
    isometry: ComplexArray = np.linalg.qr(matrix)[0]
    isometry[:, 0] = vector  # QR fixes it but for its phase
    return isometry
