"""Kernels of the sector, which are light to import."""

import numpy as np

from ...core.kernels import Kernel

ROWS_PER_BLOCK = 1 << 11
UNSEEN = np.uint32(0xFFFFFFFF)
"""Marks a configuration whose orbit is not found yet."""

_SIMD = ("choice", "plain_loops", "sizes", "sums", "vector_code")
_SUMS = (__name__, *(f"spinbattery.engines.simd.{name}" for name in _SIMD))
_INDEX, _REAL, _STATE, _BASIS = "uint32[:, ::1]", "float64[::1]", "float64[:, ::1]", "float64[:, :, ::1]"

flood_orbits = Kernel(
    f"{__package__}.orbit_kernels",
    "flood_orbits",
    "int64(uint32[:, :, ::1], uint32[::1], uint32[::1], int64, int64, uint32[::1], uint32[::1], int64[::1])",
    (__name__,),
)
chebyshev_steps = Kernel(
    f"{__package__}.chebyshev",
    "chebyshev_steps",
    f"int64({_INDEX}, int8[::1], {_REAL}, {_REAL}, {_REAL}, {_REAL}, float64[:, ::1], float64, {_STATE}, {_REAL}, "
    f"{_BASIS}, {_REAL}, int64[::1])",
    _SUMS,
)
transverse_expectation = Kernel(
    f"{__package__}.sector_kernels", "transverse_expectation", f"float64({_INDEX}, {_REAL}, {_STATE})", _SUMS
)
product = Kernel(
    f"{__package__}.sector_kernels",
    "product",
    f"void({_INDEX}, {_REAL}, int8[::1], {_REAL}, {_REAL}, {_STATE}, float64, {_STATE}, float64, {_STATE}, "
    f"int64, int64, {_REAL})",
    _SUMS,
)
subtract = Kernel(
    f"{__package__}.sector_kernels",
    "subtract",
    f"void({_REAL}, {_STATE}, float64, {_STATE}, int64, int64, {_REAL})",
    _SUMS,
)
combine = Kernel(
    f"{__package__}.sector_kernels",
    "combine",
    f"void({_REAL}, {_BASIS}, float64[:, ::1], int64, int64, {_REAL})",
    _SUMS,
)
