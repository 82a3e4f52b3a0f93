"""Kernels of the density matrix, which are light to import."""

from ...core.kernels import Kernel
from ..simd.declared import TILES

TILE_DIGITS = 6

_REAL, _INT, _TABLE = "float64[::1]", "int64[::1]", "float64[:, ::1]"

_EVOLVE = (
    f"void({_REAL}, int64, int8[::1], {_REAL}, {_REAL}, {_REAL}, float64[:, :, ::1], {_INT}, {_INT}, {_INT}, {_TABLE}, "
    f"{_REAL}, {_REAL}, {_REAL}, {_TABLE})"
)
evolve_flipping, evolve_relaxing = (
    Kernel(f"{__package__}.density_kernels", name, _EVOLVE, (__name__, *TILES))
    for name in ("evolve_flipping", "evolve_relaxing")
)
