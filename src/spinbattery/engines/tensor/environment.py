"""Operators of the spins behind each leg of each tensor of a tree."""

from __future__ import annotations

import numpy as np
from numpy.typing import DTypeLike

from ...core.typing import FloatArray
from .channels import Channels
from .hamiltonian import SZZ, Array, Drive, Leg, Pairs, combined, terms
from .layout import Layout
from .tree_kernels import carried, exponential, product

_MOST_VECTORS = 30
"""Largest number of Lanczos vectors; an exponential that would need more is split."""


class Environment:
    """Legs of a tree; code that changes tensors must update them.

    A leg (node, onward) has the operators of the side of ``node``, in the basis of its link to ``onward``. It is valid
    while the tensors on that side are isometries towards that link and do not change.
    """

    def __init__(self, layout: Layout, channels: Channels, dtype: DTypeLike) -> None:
        """Legs of the blocks; the others follow by :meth:`carry`."""
        self._layout, self._channels = layout, channels
        self._dtype = np.dtype(dtype)
        self._nothing = Leg(np.zeros((3, 1, 1), dtype), np.zeros((0, 1, 1), dtype))
        self._legs = {(len(layout.children), layout.root): self._nothing}
        for k in range(len(layout.blocks)):
            self._legs[-1 - k, layout.parents[-1 - k]] = self._block(k)

    def _block(self, k: int) -> Leg:
        sz, zz = self._channels.inside[k]
        states = np.arange(len(sz))
        sx = np.zeros((len(sz), len(sz)))
        for bit in range(len(self._layout.blocks[k])):
            sx[states, states ^ (1 << bit)] = 1.0
        channels = self._channels.of_block[k][:, :, None] * np.eye(len(sz))
        return Leg(np.stack([sx, np.diag(sz), np.diag(zz)]).astype(self._dtype), channels.astype(self._dtype))

    def leg(self, node: int, onward: int) -> Leg:
        """Operators behind the leg of ``onward`` that leads to ``node``."""
        return self._legs[node, onward]

    def slot(self, node: int, other: int) -> int:
        """Number of the leg of a node that leads to a neighbour."""
        return self._layout.neighbours(node).index(other)

    def towards(self, node: int, onward: int, tensor: Array) -> Array:
        """The tensor of a node with the leg to a neighbour moved to the end, contiguous."""
        return np.ascontiguousarray(np.moveaxis(tensor, self.slot(node, onward), 2))

    def carry(self, node: int, onward: int, tensor: Array) -> None:
        """Find the leg (node, onward) from the two other legs of a node and its tensor, an isometry towards onward."""
        route = self._channels.route(node, onward)
        first, second = self._legs[route.first, node], self._legs[route.second, node]
        x, y = route.products
        anything = np.ones(3, dtype=bool)
        operators = carried(
            self.towards(node, onward, tensor),
            np.concatenate([first.fields, combined(route.of_first, first.channels)]),
            np.concatenate([second.fields, combined(route.of_second, second.channels)]),
            np.concatenate([anything, route.of_first.any(axis=1)]),
            np.concatenate([anything, route.of_second.any(axis=1)]),
            combined(x, first.channels),
            combined(y, second.channels),
            SZZ,
        )
        self._legs[node, onward] = Leg(operators[:3], operators[3:])

    def channels_on_legs(self, node: int, onward: int) -> tuple[Array, Array]:
        """(r, d1, d1) and (r, d2, d2) on the node's two other legs, whose sums are the channels of (node, onward)."""
        route = self._channels.route(node, onward)
        first, second = self._legs[route.first, node], self._legs[route.second, node]
        return combined(route.of_first, first.channels), combined(route.of_second, second.channels)

    def across(self, node: int, onward: int) -> tuple[FloatArray, FloatArray]:
        """Products of channels, (k, r1) and (k, r2), that couple the two sides of a link."""
        return self._channels.products((node, onward), (onward, node))

    def evolve_node(self, node: int, tensor: Array, z: complex, drive: Drive, tolerance: float) -> int:
        """tensor <- exp(z H) tensor in place; returns the products with H."""
        operators = self._terms(node, drive)
        return int(exponential(tensor, z, tolerance, _MOST_VECTORS, *operators))

    def times_hamiltonian(self, node: int, tensor: Array, drive: Drive) -> Array:
        """H times a tensor at a node."""
        result = np.empty_like(tensor)
        product(tensor, result, *self._terms(node, drive))
        return result

    def _terms(self, node: int, drive: Drive) -> tuple[Array, ...]:
        a, b, p = self._layout.neighbours(node)
        products = self._channels.products
        pairs = products((a, node), (b, node)), products((a, node), (p, node)), products((b, node), (p, node))
        return terms((self._legs[a, node], self._legs[b, node], self._legs[p, node]), pairs, drive)

    def evolve_link(self, node: int, onward: int, matrix: Array, z: complex, drive: Drive, tolerance: float) -> Array:
        """exp(z H) times the matrix on the link between two isometries, whose first index belongs to ``node``."""
        near, far = self._legs[node, onward], self._legs[onward, node]
        x = np.ascontiguousarray(matrix.reshape(len(matrix), 1, -1))
        none = np.zeros((0, len(near.channels))), np.zeros((0, 0))
        pairs: Pairs = none, self.across(node, onward), (np.zeros((0, 0)), np.zeros((0, len(far.channels))))
        exponential(x, z, tolerance, _MOST_VECTORS, *terms((near, self._nothing, far), pairs, drive))
        return x[:, 0, :]
