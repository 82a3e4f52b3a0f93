"""Operations on the digits of a density matrix: LLVM's vector code where a trial finds that it works, else plain loops.

A digit of the index, to the base 4, has four entries (a, b, c, d), one for each of its values. ``maps`` (m, n) has the
numbers of a map in each row; flips take 5, relaxation 12, the others none. Arrays are float64. See
:mod:`~spinbattery.engines.dense.density_kernels`.

flip_slices, split_slices, join_slices, relax_slices (x, i, step, maps, k)
    Map a digit of LANES times four entries, which begin at i, i + step, i + 2 step and i + 3 step, by row k.
flip_lanes, split_lanes, join_lanes, relax_lanes (x, i, maps)
    Map the two lowest digits of the 16 entries that begin at i, by rows 0 and 1.
flip_entries, split_entries, join_entries, relax_entries (x, i, step, maps, k)
    Map the digit of four entries alone, by row k, in plain code.
phase_transposes (x, i, y, j, cos, sin, r, cos_column, sin_column, c)
    Multiply four entries from i on, and their transposes from j on, by the phases of rows r and r + 1, in ``cos`` and
    ``sin``, and of columns c and c + 1, in ``cos_column`` and ``sin_column``.
"""

from __future__ import annotations

from types import ModuleType

import numpy as np

from . import plain_digits
from .choice import chosen
from .plain_digits import flip_entries, join_entries, relax_entries, split_entries
from .sizes import ROW


def _vector_code() -> ModuleType:
    from . import digit_code

    return digit_code


_NUMBERS = np.cos(np.arange(3 * ROW)).reshape(3, ROW)
CHOICE = _vector_code, plain_digits, "trial_of_digits", _NUMBERS[0], _NUMBERS[1], _NUMBERS[2].reshape(4, -1)
_code = chosen(*CHOICE)
flip_slices, flip_lanes = _code.flip_slices, _code.flip_lanes
split_slices, split_lanes = _code.split_slices, _code.split_lanes
join_slices, join_lanes = _code.join_slices, _code.join_lanes
relax_slices, relax_lanes = _code.relax_slices, _code.relax_lanes
phase_transposes = _code.phase_transposes

__all__ = [
    "flip_entries", "flip_lanes", "flip_slices", "join_entries", "join_lanes", "join_slices", "phase_transposes",
    "relax_entries", "relax_lanes", "relax_slices", "split_entries", "split_lanes", "split_slices",
]  # fmt: skip
