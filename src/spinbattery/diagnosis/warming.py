"""Kernels compiled beforehand, for clusters and containers: all that are declared, and those that engines use."""

from __future__ import annotations

from importlib import import_module

from ..core import compilation
from ..core.kernels import Kernel
from ..core.progress import Progress, Rising, silent
from ..engines.common.contract import Engine
from ..engines.dense.statevector import Statevector
from ..engines.sampled.engine import Emulator
from ..engines.tensor.engine import TensorNetwork
from ..engines.trajectories.engine import Trajectories
from ..model.lattices import ring, torus
from ..model.network import SpinNetwork
from ..model.noise import Noise
from ..model.problem import ChargingProblem
from ..model.protocol import cooperative
from .kernels import Kernels, read_kernels
from .self_test import check_engines

_DECLARING = tuple(f"spinbattery.engines.{package}.declared" for package in ("simd", "symmetric", "dense"))
_REALS = ("float64", "float32")
_SECONDS = 135.0
"""Time to compile the kernels of all engines, s, on the machine of reference."""

_LARGE, _SHORT = 14, 0.1
"""Spins of the smallest state that is larger than a tile, and a duration in ns."""

_BEYOND_SELF_TESTS: tuple[tuple[str, Engine, SpinNetwork, Noise | None], ...] = (
    ("large states", Statevector(1e-2), ring(_LARGE), None),
    ("large states", Statevector(1e-2, single=True), ring(_LARGE), None),
    ("trajectories of large states", Trajectories(2, seed=1, tolerance=1e-2), ring(_LARGE), Noise(x=1e-2)),
    ("tensor networks", TensorNetwork(bond_dimension=4, single=False), torus(3, 3), None),
    ("tensor networks", TensorNetwork(bond_dimension=4, single=True), torus(3, 3), None),
    ("path integrals", Emulator(reads=2, sweeps=8, model="pimc"), ring(3), None),
)
"""Runs that need kernels which no self-test needs."""


def warm_up(progress: Progress = silent) -> Kernels:
    """Compile the kernels of all engines, of plug-ins as far as self-tests use them, and say where they are."""
    rising = Rising(progress)
    with compilation.expected_for_all(_SECONDS):
        for module in _DECLARING:
            import_module(module)
        declared = list(Kernel.declared)
        for k, kernel in enumerate(declared):
            rising(0.2 * k / len(declared), f"compiling {kernel.name}")
            for real in _REALS if "real" in kernel.signature else ("",):
                kernel.load(real)
        for k, (what, engine, network, noise) in enumerate(_BEYOND_SELF_TESTS):
            rising(0.2 + 0.2 * k / len(_BEYOND_SELF_TESTS), f"compiling kernels of {what}")
            engine.run(ChargingProblem(network, cooperative(_SHORT), noise=noise))
        check_engines(lambda fraction, message: rising(0.4 + 0.6 * fraction, message))
    rising.end()
    return read_kernels()
