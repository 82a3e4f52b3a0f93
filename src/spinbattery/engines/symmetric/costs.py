"""Rough costs of exponentials in the symmetric sector."""

from __future__ import annotations

from typing import NamedTuple

BASIS = 30
"""Largest number of vectors of Lanczos' method; an exponential that needs more is taken in parts."""

_BYTES_PER_AMPLITUDE, _BYTES_IN_CACHE, _SECONDS_PER_MISS = 16, 32e6, 2.6e-9
"""Amplitudes of a vector that does not fit the third-level cache are fetched from memory one by one."""


class Costs(NamedTuple):
    """Rough costs of a method of exponentials on one core.

    Attributes:
        bytes_per_row: memory of its vectors.
        per_product, per_row, per_gather: seconds of a product with H: fixed, for each row, and for each of its N
            amplitudes.
        per_radian, per_exponential: products with H for each radian (half the width of the spectrum), and at least.
    """

    bytes_per_row: int
    per_product: float
    per_row: float
    per_gather: float
    per_radian: float
    per_exponential: float

    def products(self, turned: float, exponentials: float) -> float:
        """Number of products with H for a number of exponentials that turn by so many radians in all."""
        return self.per_radian * turned + self.per_exponential * exponentials

    def seconds(self, dimension: int, n_spins: int) -> float:
        """Time of a product with H."""
        missed = max(0.0, 1.0 - _BYTES_IN_CACHE / (_BYTES_PER_AMPLITUDE * dimension))
        per_gather = self.per_gather + missed * _SECONDS_PER_MISS
        return self.per_product + dimension * (self.per_row + n_spins * per_gather)


CHEBYSHEV = Costs(16 * 4 + 8, 5e-8, 2.5e-9, 0.25e-9, per_radian=1.9, per_exponential=8.0)
LANCZOS = Costs(16 * (BASIS + 1), 2.5e-5, 10e-9, 0.7e-9, per_radian=0.8, per_exponential=6.0)
