"""Upper limits of a stage of a large state vector on one thread: arithmetic, and a state in the cache."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numba
import numpy as np

from spinbattery.core.threads import Team
from spinbattery.engines.common.splitting import Stages
from spinbattery.engines.dense.large_state import LargeState
from spinbattery.model.network_text import parse_network
from spinbattery.model.state import ProductState

from .pairing import Timing

PHASE_OPERATIONS = 12
"""Operations on an amplitude for its phase: two products of phases and the product with the amplitude, four each."""

CACHED = "torus:2x7"
"""Its state, 2^14 amplitudes, fits a second-level cache of 512 kB."""

_NUMBERS, _CHAIN, _PASSES = 64, 8, 40_000
_STAGES = 101


def operations(n_spins: int) -> int:
    """Fused multiply-adds, multiplications or additions for each amplitude: one for each part and spin, and a phase."""
    return 2 * n_spins + PHASE_OPERATIONS


@dataclass(frozen=True)
class Roof:
    """What the machine does in each round, on one thread.

    Attributes:
        operations: multiply-adds in a second, round by round.
        cached: seconds for each operation on an amplitude of a state in the cache, round by round.
    """

    operations: list[float]
    cached: list[float]

    def arithmetic(self, n_spins: int, threads: int) -> list[float]:
        """Seconds for each amplitude if a stage were nothing but multiply-adds at full speed."""
        return [operations(n_spins) / rate / threads for rate in self.operations]

    def in_cache(self, n_spins: int, threads: int) -> list[float]:
        """Seconds for each amplitude if memory were as fast as the cache, at the same time for each operation."""
        return [operations(n_spins) * seconds / threads for seconds in self.cached]


def limits(single: bool) -> dict[str, Callable[[], None]]:
    """Contestants whose times make a :class:`Roof`."""
    real = np.float32 if single else np.float64
    numbers = np.ones(_NUMBERS, real)
    network = parse_network(CACHED)
    n = network.n_spins
    spinors = ProductState.named("down").spinors(n)
    state = LargeState(spinors, network.pairs, np.full(network.n_pairs, -0.2), Team(1), single=single)
    theta, phases = np.full(_STAGES, 0.3), np.linspace(-0.5, 0.5, _STAGES + 1)
    stages = Stages(theta, phases, phases, theta, np.empty((0, _STAGES)))
    return {
        f"multiply-adds, {single}": lambda: _multiply_adds(numbers, real(0.999), real(0.001)),
        f"in the cache, {single}": lambda: state.apply(stages),
    }


def roof(timings: dict[str, Timing[None]], single: bool) -> Roof:
    """The limits from the times of their contestants."""
    n = parse_network(CACHED).n_spins
    done = _NUMBERS * _CHAIN * _PASSES
    work = operations(n) * (_STAGES + 1) << n
    return Roof(
        [done / seconds for seconds in timings[f"multiply-adds, {single}"].wall],
        [seconds / work for seconds in timings[f"in the cache, {single}"].wall],
    )


@numba.njit(fastmath={"contract"}, nogil=True)
def _multiply_adds(numbers, factor, term):
    """Chains of _CHAIN multiply-adds on each number: hardly any loads and stores."""
    for _ in range(_PASSES):
        for i in range(_NUMBERS):
            x = numbers[i]
            for _ in range(_CHAIN):
                x = x * factor + term
            numbers[i] = x
