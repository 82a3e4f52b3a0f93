"""The family of graphs that a network belongs to: fits against N are along one family."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

import numpy as np

from .lattices import ring, torus
from .network import SpinNetwork

_AMBIGUOUS = 4
"""Rings of up to four spins are tori too (1x2, 1x3, 2x2), or complete."""


# the index of a store asks for each of its runs
_ring, _torus = lru_cache(maxsize=64)(ring), lru_cache(maxsize=64)(torus)

IRREGULAR = "irregular"
"""Networks whose spins have different numbers of neighbours, such as stars: no ring, torus or complete graph."""

_LATTICES = frozenset({"pegasus", "zephyr"})


def distinct(families: Iterable[str]) -> list[str]:
    """Families that are certainly different, sorted.

    An unknown one may be any of them; older records call parts of a working graph irregular.
    """
    found = set(families) - {""}
    return sorted(found - {IRREGULAR} if found & _LATTICES else found)


def family_of(network: SpinNetwork) -> str:
    """``ring``, ``torus``, ``complete``, ``pegasus``, ``zephyr``, ``irregular``, or empty where that is not known.

    Rings and tori are recognised by their pairs, numbered as :func:`~spinbattery.model.lattices.ring` and
    :func:`~spinbattery.model.lattices.torus` do, whatever the weights, cross-talk and name. A ring of up to four spins,
    such as ``torus:2x2``, is of several families; a torus 1xN is a ring. Networks cut from a working graph know theirs.
    Other networks are irregular where their spins have different numbers of neighbours, and of unknown family else.
    """
    if network.cut is not None:
        return network.cut.family
    n, n_pairs = network.n_spins, network.n_pairs
    if n_pairs == min(n, n * (n - 1) // 2) and np.array_equal(network.pairs, _ring(n).pairs):
        return "ring" if n > _AMBIGUOUS else ""
    if n_pairs == n * (n - 1) // 2:
        return "complete"
    if n_pairs in (3 * n // 2, 2 * n):
        sides = [lx for lx in range(2, n // 2 + 1) if n % lx == 0]
        if any(np.array_equal(network.pairs, _torus(lx, n // lx).pairs) for lx in sides):
            return "torus"
    return IRREGULAR if np.ptp(network.degrees) else ""
