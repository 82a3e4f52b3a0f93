"""Couplings of a network across the links of a tree, which depend neither on tensors nor on time.

Across a link there are as many *channels* as the rank of the matrix of couplings between its two sides: operators
C_n = sum_k K_nk sz_k of one side, with orthonormal rows K.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ...core.typing import FloatArray, IntArray
from .layout import Layout, Link

_RANK_TOLERANCE = 1e-10
"""Singular values below this part of the largest are rounding."""

Products = tuple[FloatArray, FloatArray]
"""(k, r1) and (k, r2): sums of the channels behind two legs, whose k products couple what is behind them."""


class Route(NamedTuple):
    """The way of operators through a node, from two of its neighbours to the third.

    The two neighbours are in the order of the node's legs. Their channels contribute (r, r1) and (r, r2) to the r
    channels of the third; the products are the couplings between the two.
    """

    first: int
    second: int
    of_first: FloatArray
    of_second: FloatArray
    products: Products


class Channels:
    """Couplings across the links of a layout.

    Attributes:
        inside: for each block the (2^k,) diagonals of sum sz and of its own couplings, in units of B(s)/2.
        of_block: for each block the (r, 2^k) diagonals of its channels.
    """

    def __init__(self, layout: Layout, pairs: IntArray, couplings: FloatArray) -> None:
        """Find the channels of couplings (E,) between pairs (E, 2)."""
        n = len(layout.below[layout.root])
        self._matrix = np.zeros((n, n))
        self._matrix[pairs[:, 0], pairs[:, 1]] = self._matrix[pairs[:, 1], pairs[:, 0]] = couplings
        self.layout = layout
        self._rows: dict[Link, tuple[IntArray, FloatArray]] = {}
        self._routes: dict[Link, Route] = {}
        self._products: dict[tuple[Link, Link], Products] = {}
        top = layout.root, len(layout.children)
        self._rows[top] = np.arange(n), np.zeros((0, n))
        self._rows[top[::-1]] = np.arange(0), np.zeros((0, 0))
        for node, parent in layout.parents.items():
            spins = np.array(layout.below[node])
            others = np.setdiff1d(np.arange(n), spins)
            self._rows[node, parent] = self._channels(spins, others)
            self._rows[parent, node] = self._channels(others, spins)
        self.inside = []
        self.of_block = []
        for k, block in enumerate(layout.blocks):
            sz = self.signs(k)
            own = self._matrix[np.ix_(block, block)]
            self.inside.append((sz.sum(axis=0), 0.5 * np.einsum("is,ij,js->s", sz, own, sz)))
            _, rows = self._rows[-1 - k, layout.parents[-1 - k]]
            self.of_block.append(rows @ sz)

    def _channels(self, spins: IntArray, others: IntArray) -> tuple[IntArray, FloatArray]:
        """Spins and the (r, spins) coefficients of their channels, which are single sz if there are no fewer."""
        across = self._matrix[np.ix_(spins, others)]
        coupled, met = np.flatnonzero(across.any(axis=1)), np.flatnonzero(across.any(axis=0))
        if not len(coupled):
            return spins, np.zeros((0, len(spins)))
        u, s, _ = np.linalg.svd(across[np.ix_(coupled, met)], full_matrices=False)
        rank = int((s > _RANK_TOLERANCE * s[0]).sum())
        rows: FloatArray = np.zeros((rank, len(spins)))
        rows[:, coupled] = np.eye(rank) if rank == len(coupled) else u[:, :rank].T
        return spins, rows

    def signs(self, k: int) -> FloatArray:
        """Diagonals (spins, 2^spins) of sz of the spins in block k, the first the most significant, bit 0 up."""
        n = len(self.layout.blocks[k])
        shifts = np.arange(n - 1, -1, -1)
        return np.asarray(1.0 - 2.0 * ((np.arange(1 << n) >> shifts[:, None]) & 1))

    def number(self, node: int, onward: int) -> int:
        """Number of channels of the side of ``node``."""
        return len(self._rows[node, onward][1])

    def route(self, node: int, onward: int) -> Route:
        """Route from the two other neighbours of a node to ``onward``."""
        link = node, onward
        if link not in self._routes:
            first, second = (other for other in self.layout.neighbours(node) if other != onward)
            one, two = (first, node), (second, node)
            of_first, of_second = self._passed_on(one, link), self._passed_on(two, link)
            self._routes[link] = Route(first, second, of_first, of_second, self.products(one, two))
        return self._routes[link]

    def _passed_on(self, incoming: Link, outgoing: Link) -> FloatArray:
        """Contributions (r_out, r_in) of the channels of one link to the channels of the next."""
        spins, rows = self._rows[incoming]
        of, onward = self._rows[outgoing]
        where = {spin: k for k, spin in enumerate(of.tolist())}
        return np.ascontiguousarray(onward[:, [where[spin] for spin in spins.tolist()]] @ rows.T)

    def products(self, first: Link, second: Link) -> Products:
        """Smallest number of products of operators that couple the spins behind two legs."""
        if (first, second) not in self._products:
            x, y = self._fewest_products(first, second)
            self._products[first, second] = np.ascontiguousarray(x), np.ascontiguousarray(y)
        return self._products[first, second]

    def _fewest_products(self, first: Link, second: Link) -> Products:
        (spins, rows), (others, columns) = self._rows[first], self._rows[second]
        across = rows @ self._matrix[np.ix_(spins, others)] @ columns.T
        used, met = np.flatnonzero(across.any(axis=1)), np.flatnonzero(across.any(axis=0))
        if not len(used):
            return np.zeros((0, len(rows))), np.zeros((0, len(columns)))
        u, s, v = np.linalg.svd(across, full_matrices=False)
        rank = int((s > _RANK_TOLERANCE * s[0]).sum())
        if rank == len(used):
            return np.eye(len(rows))[used], across[used]
        if rank == len(met):
            return across[:, met].T, np.eye(len(columns))[met]
        return u[:, :rank].T * s[:rank, None], v[:rank]
