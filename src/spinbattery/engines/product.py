"""Independent spins: exact for any number of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from .._typing import FloatArray
from ..problem import ChargingProblem
from ..progress import Progress
from .schedule import Mesh
from .split_step import BYTES_PER_BLOCK, Evolution, SplitState, SplitStepEngine

_NO_COUPLING = np.zeros(2)


@dataclass(frozen=True)
class Product(SplitStepEngine):
    """Networks with no coupling and no cross-talk: one spin for each distinct start, any N.

    The same splitting as the state vector, on single spins.
    """

    name: ClassVar[str] = "product"

    def refusal(self, problem: ChargingProblem) -> str | None:
        if problem.is_local:
            return None
        return "its spins are coupled (J or cross-talk is not zero); use the statevector engine."

    def required_bytes(self, problem: ChargingProblem) -> int:
        return 200 * problem.n_spins + 16 * problem.network.n_pairs + BYTES_PER_BLOCK

    def workload(self, problem: ChargingProblem) -> tuple[int, float]:
        initial = problem.protocol.initial
        return len(set(zip(initial.theta, initial.phi, strict=True))), 2.0

    def stepper(
        self, problem: ChargingProblem, mesh: Mesh, times: FloatArray, progress: Progress
    ) -> Callable[[int], Evolution]:
        spinors = problem.protocol.initial.spinors(problem.n_spins)
        distinct, kind, counts = np.unique(spinors, axis=0, return_inverse=True, return_counts=True)
        kind = kind.ravel()
        wanted = set(times.tolist())

        def run(level: int) -> Evolution:
            states = [SplitState(spinor[None, :], _NO_COUPLING) for spinor in distinct]
            moments: list[tuple[float, float, float]] = []

            def at_stop(time: float) -> None:
                if time in wanted:
                    moments.append(_moments(problem, states, counts, time))

            steps = self.propagate(problem, states, mesh, level, at_stop, progress)
            final = _moments(problem, states, counts, problem.protocol.duration)
            mean, variance, energy = np.array([*moments, final]).T
            up = np.array([state.probabilities()[0][0] for state in states])
            drift = max(abs(state.probabilities()[1] - 1.0) for state in states)
            spins = np.array([_difference(state) for state in states])[kind]
            return Evolution(mean, variance, energy, _distribution(up, counts), spins, drift, steps)

        return run


def _difference(state: SplitState) -> float:
    p, _ = state.probabilities()
    return float(p[0] - p[1])


def _moments(
    problem: ChargingProblem, states: list[SplitState], counts: np.ndarray[tuple[int], np.dtype[np.int64]], time: float
) -> tuple[float, float, float]:
    """mu, sigma^2 and <H> in GHz of independent spins."""
    n = problem.n_spins
    bx, bz, _ = (float(c) for c in problem.fields(time))
    mean = variance = energy = 0.0
    for state, count in zip(states, counts.tolist(), strict=True):
        p, norm = state.probabilities()
        sz = float(p[0] - p[1])
        mean += count * sz / n
        variance += count * 4.0 * float(p[0] * p[1]) / n**2  # 1 - sz^2 without cancellation
        energy += count * (bx * state.transverse() / norm + bz * sz)
    return mean, variance, energy


def _distribution(up: FloatArray, counts: np.ndarray[tuple[int], np.dtype[np.int64]]) -> FloatArray:
    """P(Sz): convolution of one binomial for each kind of spin, from Sz = -N to N."""
    from scipy.signal import fftconvolve
    from scipy.stats import binom

    total = np.ones(1)
    for p, count in zip(up.tolist(), counts.tolist(), strict=True):
        part = binom.pmf(np.arange(count + 1), count, min(max(p, 0.0), 1.0))
        total = np.convolve(total, part) if min(len(total), len(part)) < 64 else fftconvolve(total, part)
    clipped = np.clip(total, 0.0, None)
    return np.asarray(clipped / clipped.sum())
