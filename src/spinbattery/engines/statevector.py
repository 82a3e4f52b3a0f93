"""Exact state vector of any network."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from .._typing import FloatArray
from ..errors import InvalidParameterError
from ..operators import ising_diagonal
from ..problem import ChargingProblem
from ..progress import Progress
from .checkpoint import PassLog
from .schedule import Mesh
from .split_step import SplitState, SplitStepEngine
from .stepping import BYTES_PER_BLOCK, Evolution, Pass

_BYTES_PER_AMPLITUDE = 64
"""State (16), Ising diagonal (8), magnetization (1), and the product state it starts from or the work
space of its observables; about 50 were measured at N = 24."""

_BYTES_TO_KEEP = 64
"""More where the final amplitudes are kept: themselves, and their copies on the way to the record."""

_ADDRESSABLE = 40
_LARGEST_EXPONENT = 1023
"""2^N beyond it is no float, and no run either."""


@dataclass(frozen=True)
class Statevector(SplitStepEngine):
    """Time-ordered splitting of the full state vector: any graph, weights, cross-talk, product start.

    Double precision, one thread, 64 bytes for each of 2^N amplitudes at the peak (1.1 GB at N = 24), and
    twice that with ``keep_state``.

    Attributes:
        keep_state: store the final amplitudes in the record (2^N complex numbers).
    """

    name: ClassVar[str] = "statevector"

    keep_state: bool = field(default=False, kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.keep_state, bool):
            raise InvalidParameterError(f"keep_state must be true or false, but is {self.keep_state!r}.")

    def refusal(self, problem: ChargingProblem) -> str | None:
        return None

    def required_bytes(self, problem: ChargingProblem) -> int:
        per_amplitude = _BYTES_PER_AMPLITUDE + (_BYTES_TO_KEEP if self.keep_state else 0)
        return BYTES_PER_BLOCK + (per_amplitude << problem.n_spins)

    def memory_hint(self, problem: ChargingProblem, available: int) -> str:
        amplitudes = max(1, (available - BYTES_PER_BLOCK) // _BYTES_PER_AMPLITUDE)
        largest = min(_ADDRESSABLE, amplitudes.bit_length() - 1)
        return f"the largest N that fits is {largest}; with no coupling (J = 0) the product engine takes any N."

    def workload(self, problem: ChargingProblem) -> tuple[int, float]:
        return 1, math.ldexp(1.0, min(problem.n_spins, _LARGEST_EXPONENT))

    def stepper(self, problem: ChargingProblem, mesh: Mesh, times: FloatArray, progress: Progress) -> Pass:
        n = problem.n_spins
        ising = ising_diagonal(n, *problem.couplings)
        spinors = problem.protocol.initial.spinors(n)
        wanted = set(times.tolist())

        def run(level: int, log: PassLog, progress: Progress) -> Evolution:
            state = SplitState(spinors, ising)

            def at_stop(time: float) -> None:
                if time in wanted:
                    log.rows.append(state_moments(problem, state, time)[:3])

            steps = self.propagate(problem, [state], mesh, level, at_stop, progress, log)
            *final, distribution, p, norm = state_moments(problem, state, problem.protocol.duration)
            mean, variance, energy = np.array([*log.rows, final]).T
            spins = np.array([spin_expectation(p, n, k) for k in range(n)])
            kept = state.amplitudes() if self.keep_state else None
            return Evolution(mean, variance, energy, distribution, spins, abs(norm - 1.0), steps, kept)

        return run


class Populations(Protocol):
    """A state of which moments are taken: probabilities of configurations or of orbits of them, and <Sx>."""

    @property
    def magnetization(self) -> NDArray[np.int8]: ...
    @property
    def ising(self) -> FloatArray: ...

    def probabilities(self) -> tuple[FloatArray, float]: ...

    def transverse(self) -> float: ...


def state_moments(
    problem: ChargingProblem, state: Populations, time: float
) -> tuple[float, float, float, FloatArray, FloatArray, float]:
    """mu, sigma^2, <H> in GHz, P(Sz), the probabilities, and the squared norm."""
    n = problem.n_spins
    p, norm = state.probabilities()
    level = (state.magnetization.astype(np.int16) + n) // 2
    distribution = np.asarray(np.bincount(level, weights=p, minlength=n + 1), dtype=np.float64)
    values = np.arange(-n, n + 1, 2) / n
    mean = float(distribution @ values)
    variance = float(distribution @ (values - mean) ** 2)
    bx, bz, half_b = (float(c) for c in problem.fields(time))
    energy = bx * state.transverse() / norm + bz * n * mean + half_b * float(p @ state.ising)
    return mean, variance, energy, distribution, p, norm


def spin_expectation(p: FloatArray, n_spins: int, k: int) -> float:
    """<sz_k> from the probabilities."""
    halves = p.reshape(1 << k, 2, 1 << (n_spins - 1 - k)).sum(axis=(0, 2))
    return float(halves[0] - halves[1])
