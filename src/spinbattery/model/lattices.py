"""Networks with a name: rings, tori and complete graphs."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ..core.arrays import distinct
from ..core.checks import whole_number
from ..core.errors import NetworkError
from ..core.typing import FloatArray, IntArray
from .network import SpinNetwork, all_pairs, refuse_many_pairs


def _size(kind: str, what: str, value: int) -> int:
    return whole_number(f"{kind}: {what}", value, error=NetworkError)


def ring(n: int) -> SpinNetwork:
    """Ring of n spins; two spins share one pair (the wrap-around bond is the same pair), one has none."""
    n = _size("ring", "n", n)
    refuse_many_pairs(f"ring:{n}", n)
    pairs = _bonds([np.roll(np.arange(n), -1)])
    return SpinNetwork(n, pairs, name=f"ring:{n}", positions=_circle(n))


def _circle(n: int) -> FloatArray:
    angle = 2.0 * math.pi * np.arange(n) / n
    return np.column_stack([np.cos(angle), np.sin(angle)])


def torus(lx: int, ly: int) -> SpinNetwork:
    """Square lattice of lx x ly spins with periodic boundaries; spin (x, y) has index x * ly + y.

    Pairs are unique: on a 2-wide torus the wrap-around bond is the same pair and counts once, so
    n_C/N is 2 only where both sides are 3 or more.
    """
    lx, ly = _size("torus", "lx", lx), _size("torus", "ly", ly)
    refuse_many_pairs(f"torus:{lx}x{ly}", 2 * lx * ly)
    index = np.arange(lx * ly).reshape(lx, ly)
    pairs = _bonds([np.roll(index, -1, axis).ravel() for axis in (0, 1)])
    grid = np.column_stack([axis.ravel() for axis in np.indices((lx, ly))]).astype(np.float64)
    return SpinNetwork(lx * ly, pairs, name=f"torus:{lx}x{ly}", positions=grid)


def tilted_torus(a: int, b: int) -> SpinNetwork:
    """Square lattice of a^2 + b^2 spins with periodic boundaries along the side vectors (a, b) and (-b, a).

    Every spin has four neighbours from N = 5 on. Spins are the points of the lattice in the tilted square (its lower
    left sides included), ordered by x, then y; (a, b) and (b, a) are mirror images.

    Raises:
        NetworkError: a side that is no whole number of at least 1; ``torus(a, a)`` is the one that is not tilted.
    """
    a, b = _size("tilted-torus", "a", a), _size("tilted-torus", "b", b)
    n = a * a + b * b
    refuse_many_pairs(f"tilted-torus:{a}x{b}", 2 * n)
    x, y = (axis.ravel() for axis in np.mgrid[-b : a + 1, 0 : a + b + 1])
    along, across = a * x + b * y, a * y - b * x  # N times the coordinates along the sides
    inside = (along >= 0) & (along < n) & (across >= 0) & (across < n)
    x, y, along, across = (values[inside] for values in (x, y, along, across))
    order = np.argsort(along * n + across)
    keys = (along * n + across)[order]
    neighbours = [
        order[np.searchsorted(keys, (along + du) % n * n + (across + dv) % n)] for du, dv in ((a, -b), (b, a))
    ]
    grid = np.column_stack([x, y]).astype(np.float64)
    return SpinNetwork(n, _bonds(neighbours), name=f"tilted-torus:{a}x{b}", positions=grid)


def _bonds(neighbours: Sequence[IntArray]) -> IntArray:
    """Unique pairs (E, 2) of each spin with its neighbour in every row (N,)."""
    n_spins = len(neighbours[0])
    ends = np.concatenate(neighbours)
    starts = np.arange(len(ends)) % n_spins
    low, high = np.minimum(starts, ends), np.maximum(starts, ends)
    places = distinct((low * n_spins + high)[low != high])  # much quicker than unique rows
    return np.column_stack(np.divmod(places, n_spins)).astype(np.int64)


def complete(n: int) -> SpinNetwork:
    """All-to-all network of n spins."""
    n = _size("complete", "n", n)
    return SpinNetwork(n, all_pairs(f"complete:{n}", n), name=f"complete:{n}", positions=_circle(n))
