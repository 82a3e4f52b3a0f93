"""Effective Hamiltonian of one tensor of a tree: operators on its legs, and products of two of them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...core.typing import FloatArray
from .channels import Products

Array = NDArray[Any]

SX, SZ, SZZ = range(3)

_DENSE = 1.3
"""A sum of products is multiplied out if that takes at most this many times the operations."""


class Leg(NamedTuple):
    """Operators of the spins behind one leg of a tensor, in the basis of that leg.

    ``fields`` (3, d, d) are sum sx, sum sz and the couplings of these spins, in units of B(s)/2; ``channels`` (r,
    d, d) couple these spins to all others.
    """

    fields: Array
    channels: Array

    @property
    def dimension(self) -> int:
        return int(self.fields.shape[1])


class Drive(NamedTuple):
    """Bx, Bz and B/2 in rad/ns, as plain floats: numpy floats would turn single precision into double."""

    bx: float
    bz: float
    half_b: float

    def on(self, leg: Leg) -> Array:
        """The Hamiltonian of the spins behind a leg."""
        total: Array = self.bx * leg.fields[SX] + self.bz * leg.fields[SZ] + self.half_b * leg.fields[SZZ]
        return total


Pairs = tuple[Products, Products, Products]
"""Products of legs a and b, a and p, b and p."""


def terms(legs: tuple[Leg, Leg, Leg], pairs: Pairs, drive: Drive) -> tuple[Array, ...]:
    """Operators of :func:`~.tree_kernels.product` for a tensor (da, db, dp) with the legs a, b and p.

    In this order, each empty where it is not needed: ``left``, ``middle`` and ``right`` (transposed) on one leg; the
    products of two legs as stacks for two successive multiplications; ``near`` on (a, b) and ``far`` (transposed) on
    (b, p), multiplied out together with the operators on these legs alone.
    """
    a, b, p = legs
    da, db, dp = (leg.dimension for leg in legs)
    none = np.empty((0, 0), a.fields.dtype)
    left, middle, right = (drive.on(leg) for leg in legs)
    (ab_a, ab_b), (ap_a, ap_p), (bp_b, bp_p) = (
        (combined(drive.half_b * x, one.channels), combined(y, other.channels))
        for (x, y), one, other in zip(pairs, (a, a, b), (b, p, p), strict=True)
    )
    near = far = stacked_ab_a = stacked_ab_b = stacked_bp_b = stacked_bp_p = none
    if da * db <= _DENSE * (len(ab_a) + 1) * (da + db):
        near = _multiplied(ab_a, ab_b) + _side_by_side(left, middle)
        middle = none
    elif len(ab_a):
        stacked_ab_a = ab_a.transpose(1, 0, 2).reshape(-1, da)
        stacked_ab_b = ab_b.transpose(1, 0, 2).reshape(db, -1)
    if db * dp <= _DENSE * (len(bp_b) + 1) * (db + dp):
        alone = middle if middle.size else np.zeros_like(right, shape=(db, db))
        far = (_multiplied(bp_b, bp_p) + _side_by_side(alone, right)).T.copy()
        middle = right = none
    elif len(bp_b):
        stacked_bp_b = bp_b.transpose(1, 2, 0).reshape(db, -1)
        stacked_bp_p = bp_p.transpose(2, 0, 1).reshape(dp, -1)
    stacked_ap_a = ap_a.transpose(1, 0, 2).reshape(da, -1)
    turned_ap_p = ap_p.transpose(0, 2, 1).copy()
    return (
        left, middle, right.T.copy(), stacked_ab_a, stacked_ab_b, stacked_ap_a, turned_ap_p, stacked_bp_b,
        stacked_bp_p, near, far,
    )  # fmt: skip


def combined(coefficients: FloatArray, channels: Array) -> Array:
    """Sums (k, d, d) of channels (r, d, d) with coefficients (k, r)."""
    r, d, _ = channels.shape
    summed: Array = coefficients.astype(channels.dtype) @ channels.reshape(r, d * d)
    return summed.reshape(len(coefficients), d, d)


def _multiplied(first: Array, second: Array) -> Array:
    """Sum (dx dy, dx dy) of Kronecker products of (k, dx, dx) and (k, dy, dy)."""
    k, dx, _ = first.shape
    dy = second.shape[1]
    summed = first.reshape(k, dx * dx).T @ second.reshape(k, dy * dy)
    return summed.reshape(dx, dx, dy, dy).transpose(0, 2, 1, 3).reshape(dx * dy, dx * dy)


def _side_by_side(first: Array, second: Array) -> Array:
    """first x 1 + 1 x second."""
    dx, dy = len(first), len(second)
    total = np.zeros((dx, dy, dx, dy), first.dtype)
    total[:, np.arange(dy), :, np.arange(dy)] += first
    total[np.arange(dx), :, np.arange(dx), :] += second
    return total.reshape(dx * dy, dx * dy)
