"""Images of the qubits of a lattice at all places in a larger one of its family."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache

import numpy as np

from ..core.typing import IntArray

_PERIOD = 2
"""A Zephyr lattice that is moved by one row lies otherwise on the tiles, by two rows alike; Pegasus by one row."""


def images(mappings: Mapping[tuple[int, ...], Callable[[int], int]], qubits: Sequence[int]) -> IntArray:
    """(mappings, qubits) of the qubits' images; the mappings are known by offsets that end in a row and a column.

    The number of an image is linear in the row and the column, so that three mappings of a kind give all others: to
    call each for every qubit takes seconds.
    """

    @cache
    def image(offset: tuple[int, ...]) -> IntArray:
        return np.array([mappings[offset](qubit) for qubit in qubits], dtype=np.int64)

    starts: dict[tuple[int, ...], tuple[int, int]] = {}
    for *kind, row, column in sorted(mappings):
        starts.setdefault((*kind, row % _PERIOD, column % _PERIOD), (row, column))
    found = np.empty((len(mappings), len(qubits)), dtype=np.int64)
    for number, (*kind, row, column) in enumerate(mappings):
        first_row, first_column = starts[(*kind, row % _PERIOD, column % _PERIOD)]
        found[number] = start = image((*kind, first_row, first_column))
        if rows := (row - first_row) // _PERIOD:
            found[number] += rows * (image((*kind, first_row + _PERIOD, first_column)) - start)
        if columns := (column - first_column) // _PERIOD:
            found[number] += columns * (image((*kind, first_row, first_column + _PERIOD)) - start)
    return found
