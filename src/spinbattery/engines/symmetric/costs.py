"""Rough costs of Taylor series in the symmetric sector, on one core."""

from __future__ import annotations

_SECONDS_PER_PRODUCT, _SECONDS_PER_ROW, _SECONDS_PER_GATHER = 8e-8, 3.7e-9, 0.28e-9
_BYTES_PER_AMPLITUDE, _BYTES_IN_CACHE, _SECONDS_PER_MISS = 16, 32e6, 2.6e-9
"""Amplitudes of a vector that does not fit the third-level cache are fetched from memory one by one."""

_TERMS_PER_STEP, _TERMS_PER_RADIAN = 12.0, 2.1


def product_seconds(dimension: int, n_spins: int) -> float:
    """Time of a product with Sx and of the sums that make the next term."""
    missed = max(0.0, 1.0 - _BYTES_IN_CACHE / (_BYTES_PER_AMPLITUDE * dimension))
    per_gather = _SECONDS_PER_GATHER + missed * _SECONDS_PER_MISS
    return _SECONDS_PER_PRODUCT + dimension * (_SECONDS_PER_ROW + n_spins * per_gather)


def products_of(steps: float, turned: float) -> float:
    """Products of a number of steps that turn by so many radians in all."""
    return _TERMS_PER_STEP * steps + _TERMS_PER_RADIAN * turned
