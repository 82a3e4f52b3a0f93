"""Exact state vector of any network."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from ...core.checks import apart
from ...core.errors import InvalidParameterError
from ...core.progress import Progress
from ...core.threads import Team
from ...model.problem import ChargingProblem
from ...records.options import option
from ...records.schema import VARIANCE_FLOOR
from ..common.contract import Accuracy, predicted_run
from ..common.populations import final_moments, state_moments
from ..common.propagation import BYTES_PER_BLOCK, Passage
from ..common.split_engine import SplitStepEngine
from ..common.stepping import SECONDS_WORTH_THREADS, Evolution, Pass
from ..simd.sizes import TILE_BITS

if TYPE_CHECKING:
    from .large_state import LargeState
    from .small_state import SplitState

_BYTES_PER_AMPLITUDE, _BYTES_PER_SINGLE = 20, 12
"""The state (16 or 8), its rows and observables (0.3), and a margin for pages that are freed late."""

_BYTES_TO_KEEP = 192
"""Additional bytes where the final amplitudes are kept: of up to eight passes, and copies on the way to the record."""

_WORK_OF_DOUBLE, _WORK_OF_SINGLE = 0.6, 0.35
"""Work of an amplitude; small states take as long in either precision."""

SINGLE_TOLERANCE = 1e-5
"""Smallest tolerance for single precision. Rounding in a run may exceed it; the run is then refused."""

_ROUNDING = 0.4 * 2.0**-24
"""Norm of the error of a float32 state over the root of stages times spins. In some 50 runs with 2 to 20 spins and up
to 10^6 stages the errors of mu and sigma^2 were at most 0.6 of the resulting bound, and mostly a tenth to a third."""

_WORTH_THREADS = 17
"""Number of spins from which a stage is long enough to be shared by threads."""

_ADDRESSABLE = 40
_LARGEST_EXPONENT = 1023
"""2^N beyond it is no float, and no such run is possible."""


@dataclass(frozen=True)
class Statevector(SplitStepEngine):
    """Time-ordered splitting of the full state vector: any graph, weights, cross-talk, product start.

    About 20 bytes for each of 2^N amplitudes (0.4 GB at N = 24), 12 in single precision, and some 192
    more with ``keep_state``. From 17 spins on all cores that this process may use share the work; results do not depend
    on how many there are.

    Attributes:
        keep_state: store the final amplitudes in the record (2^N complex numbers).
        single: compute in single precision: about twice as fast for many spins, for tolerances of 1e-5 or more.
    """

    name: ClassVar[str] = "statevector"
    needs: ClassVar[str] = "spinbattery.engines.dense.large_state"
    compile_seconds: ClassVar[float] = 8.0
    summary: ClassVar[str] = "the full state vector"
    takes: ClassVar[str] = "any network; some 20 bytes for each of 2^N amplitudes"
    accuracy: ClassVar[Accuracy] = Accuracy.TOLERANCE

    keep_state: bool = field(default=False, kw_only=True)
    single: bool = field(
        default=False,
        kw_only=True,
        metadata=option("Single precision, for a tolerance of 1e-5 or more: faster for many spins.", later=True),
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("keep_state", "single"):
            if not isinstance(getattr(self, name), bool):
                raise InvalidParameterError(f"{name} must be true or false, but is {getattr(self, name)!r}.")
        if self.single and self.tolerance < SINGLE_TOLERANCE:
            given, _ = apart(self.tolerance, SINGLE_TOLERANCE)
            raise InvalidParameterError(
                f"single precision cannot reach a tolerance of {given}, because of rounding; set the "
                f"tolerance to {SINGLE_TOLERANCE:g} or more (1e-4 suits most scans), or leave single out."
            )

    def refusal(self, problem: ChargingProblem) -> str | None:
        return None

    def required_bytes(self, problem: ChargingProblem) -> int:
        return BYTES_PER_BLOCK + (self._bytes_per_amplitude << problem.n_spins)

    @property
    def _bytes_per_amplitude(self) -> int:
        return (_BYTES_PER_SINGLE if self.single else _BYTES_PER_AMPLITUDE) + (_BYTES_TO_KEEP if self.keep_state else 0)

    def memory_hint(self, problem: ChargingProblem, available: int) -> str:
        amplitudes = max(1, (available - BYTES_PER_BLOCK) // self._bytes_per_amplitude)
        largest = min(_ADDRESSABLE, amplitudes.bit_length() - 1)
        return (
            f"the largest N that fits is {largest}; where the network has symmetries the symmetric engine may need "
            "less, the tensor engine takes some 256 spins with an estimated error, and with no coupling (J = 0) the "
            "product engine takes any N."
        )

    def module_for(self, problem: ChargingProblem) -> str:
        return self.needs if problem.n_spins > TILE_BITS else "spinbattery.engines.dense.small_state"

    def workload(self, problem: ChargingProblem) -> tuple[int, float]:
        work = _WORK_OF_SINGLE if self.single and problem.n_spins > TILE_BITS else _WORK_OF_DOUBLE
        return 1, work * math.ldexp(1.0, min(problem.n_spins, _LARGEST_EXPONENT))

    def rounding(self, evolution: Evolution) -> tuple[float, float]:
        """See the base class: an error delta of the state moves <A> by at most 2 delta times the spread of A."""
        if not self.single:
            return super().rounding(evolution)
        n = len(evolution.spin_magnetization)
        stages = evolution.steps * self.scheme.stages
        delta = _ROUNDING * math.sqrt(stages * n)
        mean, variance = float(evolution.mean[-1]), float(evolution.variance[-1])
        deviations = np.arange(-n, n + 1, 2) / n - mean
        spread = math.sqrt(max(float(evolution.distribution @ deviations**4) - variance**2, 0.0))
        of_mean = 2.0 * delta * math.sqrt(max(float(evolution.variance.max()), 0.0))
        return of_mean, 2.0 * delta * spread / max(variance, VARIANCE_FLOOR)

    @property
    def magnifies_rounding(self) -> bool:
        return self.single

    def leaves_cores_idle(self, problem: ChargingProblem) -> bool:
        if problem.n_spins >= _WORTH_THREADS:
            return False
        return predicted_run(self, problem) >= SECONDS_WORTH_THREADS

    def stepper(self, problem: ChargingProblem, progress: Progress) -> Pass:
        from .small_state import SplitState, kept_ising

        n = problem.n_spins
        spinors = problem.protocol.initial.spinors(n)
        ising = kept_ising(n, *problem.couplings) if n <= TILE_BITS else None

        def start(team: Team) -> SplitState | LargeState:
            if ising is None:
                from .large_state import LargeState

                return LargeState(spinors, *problem.couplings, team, single=self.single)
            return SplitState(spinors, ising, single=self.single)

        def evolve(passage: Passage) -> Evolution:
            with Team(1 if problem.n_spins < _WORTH_THREADS else None) as team:
                state = start(team)
                mean, variance, energy = passage.follow(
                    [state], lambda time: state_moments(problem, state, time), lambda: final_moments(state)
                )
                distribution, _, norm = state.populations()
                kept = state.amplitudes() if self.keep_state else None
                spins = state.spin_magnetization()
                return Evolution(mean, variance, energy, distribution, spins, abs(norm - 1.0), passage.steps, kept)

        return evolve
