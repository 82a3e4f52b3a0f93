"""Mean field: every spin in a pure state of its own, turned by the mean field of its neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from ...core.progress import Progress
from ...core.typing import FloatArray
from ...model.problem import ChargingProblem
from ..common.contract import Accuracy, Engine
from ..common.populations import fourier_angles, from_characteristic
from ..common.propagation import BYTES_PER_BLOCK, Passage
from ..common.split_engine import SplitStepEngine
from ..common.splitting import SECONDS_PER_AMPLITUDE_STAGE
from ..common.stepping import Evolution, Pass, combined, combined_moments
from .bloch import bloch_vectors, stage_seconds

if TYPE_CHECKING:
    from ..common.known_results import KnownResult

_BYTES_PER_SPIN, _BYTES_PER_PAIR = 200, 100
_ANGLES_AT_ONCE = 64


@dataclass(frozen=True)
class MeanField(SplitStepEngine):
    """Product state that follows the mean fields of its neighbours; any graph, thousands of spins.

    An approximation: it has no correlations, so that sigma is always the sigma of independent spins. The tolerance
    bounds the error of solving the mean-field equations, not the error of these equations.
    """

    name: ClassVar[str] = "mean-field"
    needs: ClassVar[str] = "spinbattery.engines.classical.spins"
    compile_seconds: ClassVar[float] = 2.0
    summary: ClassVar[str] = "classical spins, an approximation"
    takes: ClassVar[str] = "any network"
    accuracy: ClassVar[Accuracy] = Accuracy.APPROXIMATE

    approximation: ClassVar[str] = (
        "mean field: no correlations, sigma is that of independent spins. Cooperative protocol at 20 ns on tori of 9, "
        "16 and 25 spins: mu is 0.10 to 0.14 too small, sigma 2.0 to 2.7 times as large; elsewhere not known"
    )

    @classmethod
    def self_tests(cls) -> list[tuple[Engine, KnownResult]]:
        from ..common.known_results import mean_field_pairs, pulsed_spins

        return [(cls(), mean_field_pairs()), (cls(), pulsed_spins())]

    def refusal(self, problem: ChargingProblem) -> str | None:
        return None

    def required_bytes(self, problem: ChargingProblem) -> int:
        n, pairs = problem.n_spins, len(problem.couplings[0])
        return BYTES_PER_BLOCK + _BYTES_PER_SPIN * n + _BYTES_PER_PAIR * pairs + 32 * _ANGLES_AT_ONCE * n

    def workload(self, problem: ChargingProblem) -> tuple[int, float]:
        return 1, 3.0 * stage_seconds(problem) / SECONDS_PER_AMPLITUDE_STAGE  # one copy alone fills no SIMD register

    def stepper(self, problem: ChargingProblem, progress: Progress) -> Pass:
        from .spins import ClassicalSpins

        start = bloch_vectors(problem)[:, :, None]

        def evolve(passage: Passage) -> Evolution:
            state = ClassicalSpins(problem, start)

            def moments(time: float) -> tuple[float, ...]:
                z = state.z[:, 0]
                variance = float((1.0 - z**2).sum()) / problem.n_spins**2
                return float(z.mean()), max(variance, 0.0), float(state.energies(problem.fields(time))[0])

            mean, variance, energy = passage.follow([state], moments)
            z = state.z[:, 0]
            lengths = np.sqrt(state.x**2 + state.y**2 + state.z**2)
            drift = float(np.abs(lengths - 1.0).max())
            return Evolution(mean, variance, energy, _independent(0.5 * (1.0 + z)), z.copy(), drift, passage.steps)

        return evolve

    def moments(
        self, problem: ChargingProblem, passes: Sequence[Evolution], weights: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        return combined_moments(passes, weights)

    def combined(self, problem: ChargingProblem, passes: Sequence[Evolution], weights: FloatArray) -> Evolution:
        """See the base class; P(Sz) is made of the combined spins."""
        found = combined(passes, weights)
        return replace(found, distribution=_independent(0.5 * (1.0 + found.spin_magnetization)))


def _independent(up: FloatArray) -> FloatArray:
    """P(Sz) (N + 1,) of independent spins with probabilities ``up``, by its Fourier transform."""
    n = len(up)
    angles = fourier_angles(n)
    characteristic = np.ones(len(angles), dtype=np.complex128)
    for first in range(0, n, _ANGLES_AT_ONCE):
        part = up[first : first + _ANGLES_AT_ONCE]
        characteristic *= np.prod(1.0 + part * (np.exp(-1j * angles[:, None]) - 1.0), axis=1)
    return from_characteristic(characteristic, n)
