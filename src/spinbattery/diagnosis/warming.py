"""Kernels compiled beforehand, for clusters and containers: all that are declared, and those that engines use."""

from __future__ import annotations

from importlib import import_module

from ..core import compilation
from ..core.kernels import Kernel
from ..core.progress import Progress, Rising, silent
from ..engines.dense.statevector import Statevector
from ..model.lattices import ring
from ..model.problem import ChargingProblem
from ..model.protocol import cooperative
from .kernels import Kernels, read_kernels
from .self_test import check_engines

_DECLARING = tuple(f"spinbattery.engines.{package}.declared" for package in ("simd", "symmetric", "dense"))
_REALS = ("float64", "float32")
_SECONDS = 130.0
"""Time to compile the kernels of all engines, s, on the machine of reference."""

_LARGE, _SHORT = 14, 0.1
"""Spins of the smallest state that is larger than a tile, and a duration in ns."""


def warm_up(progress: Progress = silent) -> Kernels:
    """Compile the kernels of all installed engines, as far as their self-tests use them, and say where they are."""
    rising = Rising(progress)
    compilation.expect(_SECONDS)
    for module in _DECLARING:
        import_module(module)
    declared = list(Kernel.declared)
    for k, kernel in enumerate(declared):
        rising(0.2 * k / len(declared), f"compiling {kernel.name}")
        for real in _REALS if "real" in kernel.signature else ("",):
            kernel.load(real)
    problem = ChargingProblem(ring(_LARGE), cooperative(_SHORT))
    for single in (False, True):
        rising(0.2 + 0.1 * single, "compiling kernels of large states")
        Statevector(1e-2, single=single).run(problem)
    check_engines(lambda fraction, message: rising(0.4 + 0.6 * fraction, message))
    rising.end()
    return read_kernels()
