"""Operations on vectors of LANES entries: LLVM's vector code where a self-test finds that it works, else plain loops.

A turn of one spin is a butterfly (b0, b1) -> (b0 - t b1, b1 + t b0). Every entry meets the same operations in the same
order either way, so that results do not depend on how they were computed. All functions are called from jitted code;
``t`` and scalars have the type of the array, float64 or float32, and indices must be in range, as nothing is checked.

turn_one, turn_two, turn_three (source, i, step, target, k, stride, t)
    Slices i, i + step, ... of the source (2, 4 or 8 of LANES entries), turned, to k, k + stride, ... of the target,
    which may be the source itself.
turn_lanes, turn_row (x, i, t)
    The lowest 3 bits of the 8 entries that begin at i, or the lowest 6 of the 64.
phase_row (x, y, i, first, j, second, k, base, cos, sin)
    Multiply the row of x + i y that begins at i by exp(-i phi), a product of phases. At j and k of the tables ``first``
    and ``second`` begin four vectors: cos and sin for each lane, cos and sin for each vector of the row. ``base``
    (2 ROW,) has cos and sin for each entry of any row; ``cos`` and ``sin`` belong to this row.
turn_phase_row (x, y, i, first, j, second, k, base, cos, sin, before, after)
    The same between two turns of the row's bits, by the tangents ``before`` and ``after``.
flipped_sum (index, r, amplitudes)
    Real and imaginary part of sum_k a[index[r, k]], for a (d, N) uint32 index: what Sx gives in row r.
"""

from __future__ import annotations

from types import FunctionType
from typing import Any

import numpy as np

from . import plain_loops
from .sizes import LANES, ROW

_AGREEMENT = 1e-12


def chosen() -> Any:
    """The module of vector code if it compiles and does what the plain loops do, else the module of plain loops.

    The test takes a millisecond once its kernel is in Numba's cache.
    """
    numbers = np.cos(np.arange(6 * ROW)).reshape(6, ROW)
    index = np.arange(LANES - 1, dtype=np.uint32)[None] ** 2
    found = []
    try:
        from . import vector_code

        compiled = vector_code.trial
        for trial in (compiled, FunctionType(compiled.py_func.__code__, vars(plain_loops))):
            x, y, *tables = numbers.copy()
            sums = trial(x, y, np.concatenate(tables), x + 1j * y, index)
            found.append(np.concatenate([x, y, sums]))
    except Exception:  # whatever is missing or fails to compile: the plain loops remain
        return plain_loops
    return vector_code if np.abs(found[0] - found[1]).max() < _AGREEMENT else plain_loops


_code = chosen()
turn_one, turn_two, turn_three = _code.turn_one, _code.turn_two, _code.turn_three
turn_lanes, turn_row = _code.turn_lanes, _code.turn_row
phase_row, turn_phase_row = _code.phase_row, _code.turn_phase_row
flipped_sum = _code.flipped_sum
