"""Independent spins: exact for any number of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from ...core.progress import Progress
from ...core.typing import FloatArray, IntArray
from ...model.problem import ChargingProblem
from ..common.contract import Accuracy
from ..common.mesh import relaxes
from ..common.propagation import BYTES_PER_BLOCK, Passage
from ..common.split_engine import SplitStepEngine
from ..common.stepping import Evolution, Pass, combined, combined_moments
from .noise_maps import stage_work, without_rounding

if TYPE_CHECKING:
    from .small_state import BasisState

_NO_COUPLING = np.zeros(2)
_ROUNDING_OF_SPINS = 1e-12
"""A hundred times the rounding of the variance that is made of spins which are nearly up or down."""

_BYTES_PER_SPIN, _BYTES_PER_NOISY_SPIN = 200, 6000
"""With noise every spin may have rates of its own."""

_LONG = 64
"""Length from which Fourier transforms convolve faster than sums."""


@dataclass(frozen=True)
class Product(SplitStepEngine):
    """Networks with no coupling and no cross-talk: one spin for each distinct start and noise, any N.

    The splitting of the state vector acts on single spins; with noise, the splitting of the Lindblad engine on their
    2x2 density matrices. The purity is the purity of the whole network, and 0.0 where it is too small for a float.
    """

    name: ClassVar[str] = "product"
    needs: ClassVar[str] = "spinbattery.engines.dense.density"
    summary: ClassVar[str] = "every spin alone, where nothing is coupled"
    takes: ClassVar[str] = "any number of spins without coupling"
    accuracy: ClassVar[Accuracy] = Accuracy.TOLERANCE
    takes_noise: ClassVar[bool] = True

    def refusal(self, problem: ChargingProblem) -> str | None:
        if problem.is_local:
            return None
        others = "the statevector engine" if problem.noise is None else "the lindblad or the trajectories engine"
        return f"its spins are coupled (J or cross-talk is not zero); use {others}."

    def required_bytes(self, problem: ChargingProblem) -> int:
        per_spin = _BYTES_PER_SPIN if problem.noise is None else _BYTES_PER_NOISY_SPIN
        return per_spin * problem.n_spins + 16 * problem.network.n_pairs + BYTES_PER_BLOCK

    def workload(self, problem: ChargingProblem) -> tuple[int, float]:
        work = 2.0 if problem.noise is None else stage_work(1, relaxes(problem))
        return len(_Kinds(problem).counts), work

    def stepper(self, problem: ChargingProblem, progress: Progress) -> Pass:
        kinds = _Kinds(problem)

        def evolve(passage: Passage) -> Evolution:
            states = kinds.states()
            mean, variance, energy, purity = passage.follow(
                states, lambda time: (*_moments(problem, states, kinds.counts, time), _purity(states, kinds.counts))
            )
            up = np.array([state.probabilities()[0][0] for state in states])
            drift = max(abs(state.probabilities()[1] - 1.0) for state in states)
            spins = np.concatenate([state.spin_magnetization() for state in states])[kinds.of_spins]
            found = Evolution(mean, variance, energy, _distribution(up, kinds.counts), spins, drift, passage.steps)
            return found if problem.noise is None else replace(found, purity=purity)

        return evolve

    def moments(
        self, problem: ChargingProblem, passes: Sequence[Evolution], weights: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        mean, variance = combined_moments(passes, weights)
        return mean, variance if problem.noise is None else without_rounding(variance, problem.n_spins)

    def combined(self, problem: ChargingProblem, passes: Sequence[Evolution], weights: FloatArray) -> Evolution:
        """See the base class. P(Sz) of many spins is too narrow to be combined: it is made of the combined spins.

        So is the final variance, unless it is so small that rounding of the spins would matter to it.
        """
        kinds = _Kinds(problem)
        found = combined(passes, weights)
        _, first_of_kind = np.unique(kinds.of_spins, return_index=True)
        up = 0.5 * (1.0 + found.spin_magnetization[first_of_kind])
        variance = float((kinds.counts * 4.0 * up * (1.0 - up)).sum()) / problem.n_spins**2
        if variance * self.tolerance > _ROUNDING_OF_SPINS:
            found.variance[-1] = variance
        return replace(found, distribution=_distribution(up, kinds.counts))


class _Kinds:
    """Kinds of spins, with one start and one noise each: ``counts`` of spins, and (N,) kind ``of_spins``."""

    def __init__(self, problem: ChargingProblem) -> None:
        n, noise = problem.n_spins, problem.noise
        spinors = problem.protocol.initial.spinors(n)
        if noise is not None:
            spinors = np.hstack([spinors, noise.pauli_rates(n).T, noise.relaxation_rates(n)[:, None]])
        self._distinct, of_spins, self.counts = np.unique(spinors, axis=0, return_inverse=True, return_counts=True)
        self.of_spins = of_spins.ravel()

    def states(self) -> Sequence[BasisState]:
        """One spin of each kind at the start."""
        from .density import DensityState
        from .small_state import SplitState

        if self._distinct.shape[1] == 2:
            return [SplitState(spinor[None, :], _NO_COUPLING) for spinor in self._distinct]
        return [
            DensityState(kind[None, :2], _NO_COUPLING, kind[2:5, None].real, kind[5:].real) for kind in self._distinct
        ]


def _purity(states: Sequence[BasisState], counts: IntArray) -> float:
    """Tr rho^2 of all spins together."""
    return math.exp(sum(n * math.log(state.purity()) for state, n in zip(states, counts.tolist(), strict=True)))


def _moments(
    problem: ChargingProblem, states: Sequence[BasisState], counts: IntArray, time: float
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


def _distribution(up: FloatArray, counts: IntArray) -> FloatArray:
    """P(Sz): convolution of one binomial for each kind of spin, from Sz = -N to N."""
    total = np.ones(1)
    for count, p in zip(counts.tolist(), np.clip(up, 0.0, 1.0).tolist(), strict=True):
        total = _convolved(total, _binomial(count, p))
    clipped = np.clip(total, 0.0, None)
    return np.asarray(clipped / clipped.sum())


def _binomial(n: int, p: float) -> FloatArray:
    """Probabilities (n + 1,) of 0 to n successes: ratios of neighbours, from the mode on, where nothing underflows.

    The import of SciPy's takes longer than most runs.
    """
    mode = min(int((n + 1) * p), n)
    fewer, more = np.arange(mode, 0.0, -1.0), np.arange(mode + 1.0, n + 1.0)
    below = np.cumprod(fewer * (1.0 - p) / ((n + 1.0 - fewer) * p))
    above = np.cumprod((n + 1.0 - more) * p / (more * (1.0 - p)))
    relative = np.concatenate([below[::-1], np.ones(1), above])
    return np.asarray(relative / relative.sum())


def _convolved(one: FloatArray, other: FloatArray) -> FloatArray:
    if min(len(one), len(other)) < _LONG:
        return np.convolve(one, other)
    size = len(one) + len(other) - 1
    padded = 1 << (size - 1).bit_length()
    return np.fft.irfft(np.fft.rfft(one, padded) * np.fft.rfft(other, padded), padded)[:size]
