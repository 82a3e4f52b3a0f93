"""Operations on vectors of LANES entries: LLVM's vector code where a self-test finds that it works, else plain loops.

A turn of one spin is a butterfly (b0, b1) -> (b0 - t b1, b1 + t b0) with t = tan(theta), which lacks a factor
cos(theta); a turn of two, with f = sin(theta) cos(theta) besides, lacks none. Every entry meets the same operations in
the same order either way, so that results do not depend on how they were computed. All functions are called from jitted
code; t, f and scalars have the type of the array, float64 or float32, and indices must be in range, as nothing is
checked.

turn_one, turn_two, turn_three (source, i, step, target, k, stride, t, f)
    Slices i, i + step, ... of the source (2, 4 or 8 of LANES entries), turned, to k, k + stride, ... of the target,
    which may be the source itself. Of three bits the two lower are turned together.
turn_lanes, turn_row (x, i, t, f)
    The lowest 3 bits of the 8 entries that begin at i, or the lowest 6 of the 64, of which bits 3 and 4 together.
phase_row (x, y, i, first, j, second, k, base, cos, sin)
    Multiply the row of x + i y that begins at i by exp(-i phi), a product of phases. At j and k of the tables ``first``
    and ``second`` begin four vectors: cos and sin for each lane, cos and sin for each vector of the row. ``base``
    (2 ROW,) has cos and sin for each entry of any row; ``cos`` and ``sin`` belong to this row.
turn_phase_row (x, y, i, first, j, second, k, base, cos, sin, t, f, after_t, after_f)
    The same between two turns of the row's bits.
"""

from __future__ import annotations

import numpy as np

from . import plain_loops
from .choice import chosen, vector_code_of_states
from .sizes import ROW

_NUMBERS = np.cos(np.arange(6 * ROW)).reshape(6, ROW)
CHOICE = vector_code_of_states, plain_loops, "trial_of_rows", _NUMBERS[0], _NUMBERS[1], _NUMBERS[2:].ravel()
_code = chosen(*CHOICE)
turn_one, turn_two, turn_three = _code.turn_one, _code.turn_two, _code.turn_three
turn_lanes, turn_row = _code.turn_lanes, _code.turn_row
phase_row, turn_phase_row = _code.phase_row, _code.turn_phase_row
