"""Effective Hamiltonian of one tensor of a tree: operators on its legs, and products of two of them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...core.typing import FloatArray
from .channels import Products
from .operator_kernels import CHANNELS, combined, matrix, multiplied_out

Array = NDArray[Any]

_SMALL, _SMALL_LINK = 144, 64
"""H is one matrix for tensors of up to this many numbers: its entries take less time than the calls for its terms.
The second limit is for a matrix between two nodes, which has fewer terms."""

_DENSE = 1.3
"""A sum of products is multiplied out if that takes at most this many times the operations."""


class Side(NamedTuple):
    """A leg: its operators (3 + r, d, d), see :mod:`~.operator_kernels`, and whether it leads to a block."""

    operators: Array
    is_block: bool = False

    @property
    def dimension(self) -> int:
        return int(self.operators.shape[1])

    def sums(self, coefficients: FloatArray, factor: float = 1.0) -> Array:
        """Sums (k, d, d) of channels with coefficients (k, r)."""
        d = self.dimension
        flat: Array = combined(coefficients, self.operators, factor, d * d, d, 1)
        return flat.reshape(len(coefficients), d, d)

    def turned_sums(self, coefficients: FloatArray, factor: float = 1.0) -> Array:
        """Sums (k, d, d) of channels, transposed."""
        d = self.dimension
        flat: Array = combined(coefficients, self.operators, factor, d * d, 1, d)
        return flat.reshape(len(coefficients), d, d)

    def stacked(self, coefficients: FloatArray, factor: float = 1.0) -> Array:
        """(d, k d) the same, side by side; with another shape, below each other in turns of rows."""
        d, k = self.dimension, len(coefficients)
        flat: Array = combined(coefficients, self.operators, factor, d, k * d, 1)
        return flat.reshape(d, k * d)


class Drive(NamedTuple):
    """Bx, Bz and B/2 in rad/ns, or times a duration."""

    bx: float
    bz: float
    half_b: float

    def on(self, leg: Side) -> Array:
        """The Hamiltonian (d, d) of the spins behind a leg."""
        d, operators = leg.dimension, leg.operators
        alone: Array = np.array(self, operators.dtype) @ operators[:CHANNELS].reshape(CHANNELS, d * d)
        return alone.reshape(d, d)


Pairs = tuple[Products, Products, Products]
"""Products of legs a and b, a and p, b and p."""


def terms(a: Side, b: Side, p: Side, pairs: Pairs, drive: Drive) -> tuple[Array, ...]:
    """Operators of :func:`~.tree_kernels.product` for a tensor (da, db, dp).

    In this order, each empty where it is not needed: operators on a alone, or on (a, b) multiplied out, or all of H as
    one matrix; on b alone; on p alone, or on (b, p) multiplied out; the products of two legs as stacks for two
    successive multiplications; operators on p in each state of the blocks a and b; and the (da, db) diagonal of two
    blocks. Those on p and on (b, p) are transposed.
    """
    da, db, dp = a.dimension, b.dimension, p.dimension
    (ab_x, ab_y), (ap_x, ap_y), (bp_x, bp_y) = pairs
    half_b = drive.half_b
    dtype = a.operators.dtype
    none, empty = np.empty((0, 0), dtype), np.empty((0, 0, 0), dtype)
    ab_a = ab_b = ap_a = bp_b = bp_p = at_ab = none
    ap_p = at_a = at_b = empty
    if da * db * dp <= (_SMALL_LINK if db == 1 else _SMALL):
        whole: Array = matrix(a.operators, b.operators, p.operators, ab_x, ab_y, ap_x, ap_y, bp_x, bp_y, *drive)
        return whole, none, none, ab_a, ab_b, ap_a, ap_p, bp_b, bp_p, at_a, at_b, at_ab
    first, middle, last = drive.on(a), drive.on(b), drive.on(p).T.copy()
    if a.is_block and b.is_block:
        at_ab = _diagonals(a.sums(ab_x, half_b)).T @ _diagonals(b.sums(ab_y))
    elif da * db <= _DENSE * (len(ab_x) + 1) * (da + db):
        first = multiplied_out(a.sums(ab_x, half_b), b.sums(ab_y), first, middle).reshape(da * db, da * db)
        middle = none
    elif len(ab_x):
        ab_a, ab_b = a.stacked(ab_x, half_b).reshape(-1, da), b.stacked(ab_y)
    if a.is_block:
        at_a = _in_each_state(a.sums(ap_x, half_b), p.turned_sums(ap_y), last)
        last = none
    elif len(ap_x):
        ap_a, ap_p = a.stacked(ap_x, half_b), p.turned_sums(ap_y)
    if b.is_block:
        at_b = _in_each_state(b.sums(bp_x, half_b), p.turned_sums(bp_y), last)
        last = none
    elif db * dp <= _DENSE * (len(bp_x) + 1) * (db + dp):
        alone = middle.T.copy() if middle.size else np.zeros((db, db), first.dtype)
        last = last if last.size else np.zeros((dp, dp), first.dtype)
        far = multiplied_out(b.turned_sums(bp_x, half_b), p.turned_sums(bp_y), alone, last)
        middle, last = none, far.reshape(db * dp, db * dp)
    elif len(bp_x):
        n = len(bp_x)
        bp_b = combined(bp_x, b.operators, half_b, 1, db * n, n).reshape(db, db * n)
        bp_p = combined(bp_y, p.operators, 1.0, dp, 1, n * dp).reshape(dp, n * dp)
    return first, middle, last, ab_a, ab_b, ap_a, ap_p, bp_b, bp_p, at_a, at_b, at_ab


def _diagonals(operators: Array) -> Array:
    """(k, d) diagonals of (k, d, d)."""
    return operators.diagonal(axis1=1, axis2=2)


def _in_each_state(block: Array, other: Array, alone: Array) -> Array:
    """(dx, dy, dy) operators on one leg in each state of a block, from products of (n, dx, dx) and (n, dy, dy)."""
    n, dy, _ = other.shape
    found = (_diagonals(block).T @ other.reshape(n, dy * dy)).reshape(-1, dy, dy)
    return found + alone if alone.size else found
