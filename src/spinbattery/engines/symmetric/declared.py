"""Kernels of the sector, which are light to import."""

import numpy as np

from ...core.kernels import Kernel

ROWS_PER_BLOCK = 1 << 11
MOST_TERMS = 400
UNSEEN = np.uint32(0xFFFFFFFF)
"""Marks a configuration whose orbit is not found yet."""

_SIMD = ("choice", "plain_loops", "sizes", "sums", "vector_code", "writer")
_SUMS = (__name__, *(f"spinbattery.engines.simd.{name}" for name in _SIMD))
_INDEX, _REAL, _ROWS, _BASIS = "uint32[:, ::1]", "float64[::1]", "float64[:, ::1]", "float64[:, :, ::1]"

flood_orbits = Kernel(
    f"{__package__}.orbit_kernels",
    "flood_orbits",
    "int64(uint32[:, :, ::1], uint32[::1], uint32[::1], int64, int64, uint32[::1], uint32[::1], int64[::1])",
    (__name__,),
)
series_steps = Kernel(
    f"{__package__}.series_kernels",
    "series_steps",
    f"void({_INDEX}, {_REAL}, {_ROWS}, {_BASIS}, {_REAL}, {_ROWS}, float64, {_REAL}, {_ROWS}, {_BASIS}, {_ROWS}, "
    f"{_REAL}, {_ROWS}, {_REAL})",
    _SUMS,
)
bound_rest = Kernel(f"{__package__}.series_kernels", "bound_rest", f"float64({_ROWS}, int64, int64, float64)", _SUMS)
next_term = Kernel(
    f"{__package__}.series_kernels",
    "next_term",
    f"void({_INDEX}, {_REAL}, {_ROWS}, {_ROWS}, int64, float64, int64, {_ROWS}, {_BASIS}, {_ROWS}, {_REAL}, {_REAL}, "
    f"int64, int64, {_REAL})",
    _SUMS,
)
