"""Kernels of the density matrix, which are light to import."""

from ...core.kernels import Kernel
from ..simd.declared import DIGITS

TILE_DIGITS = 6

_REAL, _INT, _TABLE = "float64[::1]", "int64[::1]", "float64[:, ::1]"

_BEFORE = f"{_REAL}, int64, int8[::1], {_REAL}, {_REAL}, {_REAL}"
_AFTER = f"{_INT}, {_INT}, {_INT}, {_TABLE}, {_REAL}, {_REAL}, {_REAL}, {_TABLE}"
evolve_flipping, evolve_relaxing = (
    Kernel(f"{__package__}.density_kernels", name, f"void({_BEFORE}, {maps}, {_AFTER})", (__name__, *DIGITS))
    for name, maps in (("evolve_flipping", f"{_REAL}, {_REAL}, {_TABLE}"), ("evolve_relaxing", "float64[:, :, ::1]"))
)
