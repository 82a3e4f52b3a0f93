"""Kernels of small state vectors, which are light to import; bodies are in :mod:`.kernels`."""

from ...core.kernels import Kernel

_SIMD = __package__
_SHARED = ("choice", "declared", "kernels", "plain_loops", "sizes", "vector_code", "vectors", "writer")
TILES = tuple(f"{_SIMD}.{name}" for name in _SHARED)
DIGITS = (*TILES, *(f"{_SIMD}.{name}" for name in ("digit_code", "digits", "plain_digits")))

evolve_tile = Kernel(
    f"{_SIMD}.kernels",
    "evolve_tile",
    "void(real[::1], real[::1], int64, int8[::1], float64[::1], float64[::1], float64[::1], float64[::1])",
    TILES,
)
transverse_expectation = Kernel(
    f"{_SIMD}.kernels", "transverse_expectation", "float64(real[::1], real[::1], int64)", TILES
)
