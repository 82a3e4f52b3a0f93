"""Operators of the spins behind each leg of each tensor of a tree."""

from __future__ import annotations

import numpy as np
from numpy.typing import DTypeLike

from ...core.typing import FloatArray
from .channels import Channels
from .hamiltonian import Array, Drive, Pairs, Side, terms
from .layout import Layout, Link
from .operator_kernels import CHANNELS, carried
from .tree_kernels import exponential, product

_MOST_VECTORS = 30
"""Largest number of Lanczos vectors; an exponential that would need more is split."""


_TO_THE_END = (1, 2, 0), (0, 2, 1), (0, 1, 2)
_FROM_THE_END = (2, 0, 1), (0, 2, 1), (0, 1, 2)
"""Orders of the legs of a tensor that move leg 0, 1 or 2 to the end, and back."""

_NO_PRODUCTS = np.zeros((0, 0)), np.zeros((0, 0))


class Environment:
    """Operators behind the legs of a tree; code that changes tensors must update them.

    A leg (node, onward) has the operators (3 + r, d, d) of the side of ``node``, in the basis of its link to ``onward``
    and in the order of :mod:`~.operator_kernels`. It is valid while the tensors on that side are isometries towards
    that link and do not change.
    """

    def __init__(self, layout: Layout, channels: Channels, dtype: DTypeLike) -> None:
        """Legs of the blocks; the others follow by :meth:`carry`."""
        self._layout, self._channels = layout, channels
        self._dtype = np.dtype(dtype)
        nothing = np.zeros((CHANNELS, 1, 1), dtype)
        self._legs: dict[Link, Array] = {(len(layout.children), layout.root): nothing}
        self._no_side = Side(nothing)
        self._pairs: dict[int, Pairs] = {}
        for k in range(len(layout.blocks)):
            self._legs[-1 - k, layout.parents[-1 - k]] = self._block(k)

    def _block(self, k: int) -> Array:
        sz, zz = self._channels.inside[k]
        states = np.arange(len(sz))
        sx = np.zeros((len(sz), len(sz)))
        for bit in range(len(self._layout.blocks[k])):
            sx[states, states ^ (1 << bit)] = 1.0
        channels = self._channels.of_block[k][:, :, None] * np.eye(len(sz))
        return np.concatenate([[sx, np.diag(sz), np.diag(zz)], channels]).astype(self._dtype)

    def slot(self, node: int, other: int) -> int:
        """Number of the leg of a node that leads to a neighbour."""
        return self._layout.neighbours(node).index(other)

    def towards(self, node: int, onward: int, tensor: Array) -> Array:
        """The tensor of a node with the leg to a neighbour moved to the end, contiguous."""
        return np.ascontiguousarray(tensor.transpose(_TO_THE_END[self.slot(node, onward)]))

    def back(self, node: int, onward: int, tensor: Array) -> Array:
        """The tensor of a node whose leg to a neighbour is at the end, with its legs in order, contiguous."""
        return np.ascontiguousarray(tensor.transpose(_FROM_THE_END[self.slot(node, onward)]))

    def carry(self, node: int, onward: int, tensor: Array) -> None:
        """Find the leg (node, onward) from the two others and from the node's isometry, ``onward`` last."""
        route = self._channels.route(node, onward)
        self._legs[node, onward] = carried(
            tensor,
            self._legs[route.first, node],
            self._legs[route.second, node],
            route.of_first,
            route.of_second,
            *route.products,
            route.first < 0 and route.second < 0,
        )

    def channels_on_legs(self, node: int, onward: int) -> tuple[Array, Array]:
        """(r, d1, d1) and (r, d2, d2) on the node's two other legs, whose sums are the channels of (node, onward)."""
        route = self._channels.route(node, onward)
        first, second = self._side(route.first, node), self._side(route.second, node)
        return first.sums(route.of_first), second.sums(route.of_second)

    def across(self, node: int, onward: int) -> tuple[FloatArray, FloatArray]:
        """Products of channels, (k, r1) and (k, r2), that couple the two sides of a link."""
        return self._channels.products((node, onward), (onward, node))

    def evolve_node(self, node: int, tensor: Array, z: complex, drive: Drive, tolerance: float) -> int:
        """tensor <- exp(z H) tensor in place; returns the products with H."""
        return int(exponential(tensor, z, tolerance, _MOST_VECTORS, self._terms(node, drive)))

    def times_hamiltonian(self, node: int, tensor: Array, drive: Drive) -> Array:
        """H times a tensor at a node."""
        result = np.empty_like(tensor)
        product(tensor, result, self._terms(node, drive))
        return result

    def _terms(self, node: int, drive: Drive) -> tuple[Array, ...]:
        a, b, p = self._layout.neighbours(node)
        if node not in self._pairs:
            products = self._channels.products
            self._pairs[node] = (
                products((a, node), (b, node)), products((a, node), (p, node)), products((b, node), (p, node))
            )  # fmt: skip
        return terms(self._side(a, node), self._side(b, node), self._side(p, node), self._pairs[node], drive)

    def _side(self, node: int, onward: int) -> Side:
        return Side(self._legs[node, onward], node < 0)

    def evolve_link(self, node: int, onward: int, matrix: Array, z: complex, drive: Drive, tolerance: float) -> Array:
        """exp(z H) times the matrix on the link between two isometries, whose first index belongs to ``node``."""
        x = np.ascontiguousarray(matrix.reshape(len(matrix), 1, -1))
        near, far = Side(self._legs[node, onward]), Side(self._legs[onward, node])
        pairs = _NO_PRODUCTS, self.across(node, onward), _NO_PRODUCTS
        exponential(x, z, tolerance, _MOST_VECTORS, terms(near, self._no_side, far, pairs, drive))
        return x[:, 0, :]
