"""Sums over amplitudes, chosen as the operations of :mod:`.vectors` are.

flipped_sum (index, r, amplitudes)
    Real and imaginary part of sum_k a[index[r, k]], for a (d, N) uint32 index and parts (d, 2): row r of Sx a.
next_entries (polynomial, centre, factor, k, degree, rows, flipped, onward, diagonals, sizes, psi, first, last)
    Entries ``first`` to ``last - 1``, multiples of LANES, of the next term of a Taylor series: -i ``factor`` times
    ``flipped`` and the sum over j = 0 to ``degree`` of (z_j Sz + c_j ZZ) rows[k - j], less ``centre`` rows[k]. The
    ``rows`` (R, n) hold the last R terms, term k in row k % R, as real and imaginary parts in turn; ``polynomial`` is
    (4, R) with x_j, z_j, c_j and x_(j + 1), ``diagonals`` (2, n), and ``sizes`` (n,) weights. The term goes to ``rows``
    and is added to ``psi`` (n,); the sum of x_j times the terms, on which Sx acts next, goes to ``onward`` (n,).
    Returns the sum of the term's weighted squares.
"""

from __future__ import annotations

import numpy as np

from . import plain_loops
from .choice import chosen, vector_code_of_states
from .sizes import LANES, ROW

_INDEX = 4 * np.arange(LANES - 1, dtype=np.uint32)[None]
_NUMBERS = np.cos(np.arange(9 * ROW)).reshape(9, ROW)
CHOICE = (
    vector_code_of_states, plain_loops, "trial_of_sums", _INDEX, _NUMBERS[0].reshape(-1, 2),
    _NUMBERS[1, :8].reshape(4, 2), _NUMBERS[2:4], _NUMBERS[4], _NUMBERS[5], _NUMBERS[6:8], _NUMBERS[8],
    np.sin(_NUMBERS[8]),
)  # fmt: skip
_CHOSEN = chosen(*CHOICE)
flipped_sum, next_entries = _CHOSEN.flipped_sum, _CHOSEN.next_entries
