"""Numba kernels that find the orbits of basis states under a group of permutations of the spins."""

from __future__ import annotations

import numba
import numpy as np

from ...core.jitted import jitted
from .declared import UNSEEN


@numba.njit(inline="always")
def _permuted(state, table):
    """A basis state with its spins permuted: one look-up for each byte."""
    moved = np.uint32(0)
    for c in range(table.shape[0]):
        moved |= table[c, (state >> np.uint32(8 * c)) & np.uint32(255)]
    return moved


@jitted(nogil=True)
def flood_orbits(tables, orbit_of, queue, first, last, representatives, sizes, found):
    """Number the orbits of the states ``first`` to ``last - 1`` by flooding each from its smallest state.

    Only generators are applied, so that groups of any order are treated alike. ``tables`` (generators, bytes, 256)
    are the images of each byte of a state; the queue has room for the largest orbit; representatives and sizes are
    filled from ``found`` (1,), the number of orbits so far, on. Returns the state it came to, which is before
    ``last`` if there was no more room.
    """
    count = found[0]
    for start in range(first, last):
        if orbit_of[start] != UNSEEN:
            continue
        if count == representatives.size:
            found[0] = count
            return start
        orbit_of[start] = count
        queue[0] = start
        head = 0
        tail = 1
        while head < tail:
            state = queue[head]
            head += 1
            for g in range(tables.shape[0]):
                image = _permuted(state, tables[g])
                if orbit_of[image] == UNSEEN:
                    orbit_of[image] = count
                    queue[tail] = image
                    tail += 1
        representatives[count] = start
        sizes[count] = tail
        count += 1
    found[0] = count
    return last
