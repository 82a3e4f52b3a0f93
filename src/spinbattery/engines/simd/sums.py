"""A sum over amplitudes, chosen as the operations of :mod:`.vectors` are.

flipped_sum (index, r, amplitudes)
    Real and imaginary part of sum_k a[index[r, k]], for a (d, N) uint32 index and parts (d, 2): what Sx gives in row r.
"""

from __future__ import annotations

from .choice import chosen

flipped_sum = chosen("trial_of_sums").flipped_sum
