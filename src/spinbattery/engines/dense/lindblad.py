"""Exact density matrix of a few spins under noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ...core.progress import Progress
from ...core.typing import FloatArray
from ...model.problem import ChargingProblem
from ..common.contract import Accuracy
from ..common.mesh import relaxes
from ..common.populations import final_moments, state_moments
from ..common.propagation import BYTES_PER_BLOCK, Passage
from ..common.split_engine import SplitStepEngine
from ..common.stepping import Evolution, Pass
from .noise_maps import stage_work, without_rounding

_BYTES_PER_ENTRY = 88
"""Real matrices of up to eight passes and of two combinations, or a complex one for the eigenvalues."""

_LARGEST_N = 12
_SECONDS_PER_CUBE = 4e-10


@dataclass(frozen=True)
class Lindblad(SplitStepEngine):
    """Time-ordered splitting of the density matrix: any graph, weights, cross-talk, product start, any noise."""

    name: ClassVar[str] = "lindblad"
    needs: ClassVar[str] = "spinbattery.engines.dense.density"
    compile_seconds: ClassVar[float] = 20.0
    summary: ClassVar[str] = "the density matrix of up to 12 spins"
    takes: ClassVar[str] = "any network of up to 12 spins"
    accuracy: ClassVar[Accuracy] = Accuracy.TOLERANCE
    takes_noise: ClassVar[bool] = True
    sampled_by: ClassVar[str] = "trajectories"

    def refusal(self, problem: ChargingProblem) -> str | None:
        n = problem.n_spins
        if n <= _LARGEST_N:
            return None
        return (
            f"its density matrix has 4^{n} entries, and the largest N is {_LARGEST_N}; use the trajectories engine, "
            "or, where nothing is coupled, the product engine."
        )

    def required_bytes(self, problem: ChargingProblem) -> int:
        return BYTES_PER_BLOCK + (_BYTES_PER_ENTRY << 2 * problem.n_spins)

    def workload(self, problem: ChargingProblem) -> tuple[int, float]:
        return 1, stage_work(problem.n_spins, relaxes(problem))

    def predicted_seconds(self, problem: ChargingProblem, times: FloatArray) -> float:
        """See the base class; the smallest eigenvalue is found at the end."""
        return super().predicted_seconds(problem, times) + _SECONDS_PER_CUBE * 8.0**problem.n_spins

    def stepper(self, problem: ChargingProblem, progress: Progress) -> Pass:
        from .density import DensityState
        from .small_state import kept_ising

        n, noise = problem.n_spins, problem.noise
        ising = kept_ising(n, *problem.couplings)
        spinors = problem.protocol.initial.spinors(n)
        pauli = np.zeros((3, n)) if noise is None else noise.pauli_rates(n)
        relaxation = np.zeros(n) if noise is None else noise.relaxation_rates(n)

        def evolve(passage: Passage) -> Evolution:
            state = DensityState(spinors, ising, pauli, relaxation)
            mean, variance, energy, purity = passage.follow(
                [state],
                lambda time: (*state_moments(problem, state, time), state.purity()),
                lambda: (*final_moments(state), state.purity()),
            )
            distribution, _, trace = state.populations()
            return Evolution(
                mean,
                variance,
                energy,
                distribution,
                state.spin_magnetization(),
                abs(trace - 1.0),
                passage.steps,
                purity=purity,
                entries=state.arrays[0],
            )

        return evolve

    def moments(
        self, problem: ChargingProblem, passes: Sequence[Evolution], weights: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        mean, variance = super().moments(problem, passes, weights)
        return mean, without_rounding(variance, problem.n_spins)

    def smallest_eigenvalue(self, evolution: Evolution) -> float | None:
        from .density import smallest_eigenvalue

        if evolution.entries is None:
            return None
        return smallest_eigenvalue(evolution.entries)
