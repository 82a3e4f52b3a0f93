"""Images of the qubits of a lattice at all places in a larger one of its family."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache

import numpy as np

from ..core.typing import IntArray


def images(mappings: Mapping[tuple[int, ...], Callable[[int], int]], qubits: Sequence[int], period: int) -> IntArray:
    """(mappings, qubits) of the qubits' images; the mappings are known by offsets that end in a row and a column.

    The number of an image is linear in the row and the column, so that three mappings of a kind give all others: to
    call each for every qubit takes seconds. A lattice lies alike on the tiles after ``period`` rows or columns.
    """

    @cache
    def image(offset: tuple[int, ...]) -> IntArray:
        return np.array([mappings[offset](qubit) for qubit in qubits], dtype=np.int64)

    starts: dict[tuple[int, ...], tuple[int, int]] = {}
    for *kind, row, column in sorted(mappings):
        starts.setdefault((*kind, row % period, column % period), (row, column))
    found = np.empty((len(mappings), len(qubits)), dtype=np.int64)
    for number, (*kind, row, column) in enumerate(mappings):
        first_row, first_column = starts[(*kind, row % period, column % period)]
        found[number] = start = image((*kind, first_row, first_column))
        if rows := (row - first_row) // period:
            found[number] += rows * (image((*kind, first_row + period, first_column)) - start)
        if columns := (column - first_column) // period:
            found[number] += columns * (image((*kind, first_row, first_column + period)) - start)
    return found
