"""Sums over amplitudes, chosen as the operations of :mod:`.vectors` are.

flipped_sum (index, r, amplitudes)
    Real and imaginary part of sum_k a[index[r, k]], for a (d, N) uint32 index and parts (d, 2): row r of Sx a.
next_entries (polynomial, centre, factor, k, degree, rows, products, diagonals, sizes, psi, first, last)
    Entries ``first`` to ``last - 1``, multiples of LANES, of the next term of a Taylor series: -i ``factor`` times the
    sum over j = 0 to ``degree`` of x_j products[k - j] + (z_j Sz + c_j ZZ) rows[k - j], less ``centre`` rows[k].
    The ``rows`` and ``products`` (R, n) hold the last R terms and their products with Sx, term k in row k % R, as
    real and imaginary parts in turn; ``polynomial`` is (3, R), ``diagonals`` (2, n), and ``sizes`` (n,) weights.
    The term goes to ``rows`` and is added to ``psi`` (n,). Returns the sum of its weighted squares.
"""

from __future__ import annotations

from .choice import chosen

_CHOSEN = chosen("trial_of_sums")
flipped_sum, next_entries = _CHOSEN.flipped_sum, _CHOSEN.next_entries
