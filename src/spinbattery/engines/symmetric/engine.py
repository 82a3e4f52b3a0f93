"""Exact state vector in the symmetric sector of a network."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from ...core.errors import InvalidParameterError, ToleranceError
from ...core.progress import Progress, Rising
from ...core.threads import Team
from ...core.typing import FloatArray
from ...model.problem import ChargingProblem
from ...model.symmetry import AutomorphismGroup, symmetry_group
from ...records.schema import VARIANCE_FLOOR
from ...records.solution import ErrorEstimates, FinalState, Solution, TimeTraces
from ..common.checkpoint import Checkpoint
from ..common.contract import Accuracy, Engine
from ..common.extrapolation import ROUNDING
from ..common.options import TOLERANCE, checked_tolerance
from ..common.populations import final_moments, state_moments
from ..common.propagation import BYTES_PER_BLOCK, Passage
from .basis import LARGEST_N, SymmetricSector, largest_orbit, sector_dimension
from .costs import product_seconds, products_of
from .polynomials import LARGEST_DEGREE, MOST_PASSES, Refinement, TaylorSeries, divided

if TYPE_CHECKING:
    from .series_state import SeriesState

_SMALLEST_SHARED = 30_000
"""Size of sectors from which threads gain more than handing the work over costs."""

_LARGEST_DRIFT = 1e-8
_BYTES_PER_ROW = 16 * (LARGEST_DEGREE + 7) + 48
_BYTES_TO_KEEP = 64
"""For each of 2^N final amplitudes that are kept, with copies on the way to the record."""

_SECONDS_PER_RUN = 1.5e-3
_SECONDS_PER_CONFIGURATION = 6e-8
_SECONDS_PER_LINK = 1e-8
_SECONDS_PER_OUTPUT = 1e-4
_SECONDS_PER_STEP = 1e-6
_LEAST_GAIN = 0.5
"""The largest part of an estimate that a more exact pass leaves, where steps as short as possible still help."""

_PREPARATION, _LAST = 0.1, 0.9
"""Shares of the remaining progress."""


@dataclass(frozen=True)
class Symmetric(Engine):
    """State vector with one amplitude for each orbit of configurations under the network's symmetries.

    Exact for every start that has the symmetries, such as all-down. The state is a Taylor series in time on each step,
    with as many terms as the tolerance needs. The error is known without a second pass, which only few runs need.

    Attributes:
        tolerance: largest error: absolute on mu and sigma^2 at every output time, relative on the final
            precision 1/sigma^2.
        keep_state: store the final amplitudes in the record (2^N complex numbers).
    """

    name: ClassVar[str] = "symmetric"
    needs: ClassVar[str] = "spinbattery.engines.symmetric.series_state"
    compile_seconds: ClassVar[float] = 6.0
    summary: ClassVar[str] = "orbits of the network's symmetries"
    takes: ClassVar[str] = "networks with symmetries, starts alike on all spins"
    accuracy: ClassVar[Accuracy] = Accuracy.TOLERANCE

    tolerance: float = field(default=1e-6, metadata=TOLERANCE)
    keep_state: bool = field(default=False, kw_only=True)

    def __post_init__(self) -> None:
        object.__setattr__(self, "tolerance", checked_tolerance(self.tolerance))
        if not isinstance(self.keep_state, bool):
            raise InvalidParameterError(f"keep_state must be true or false, but is {self.keep_state!r}.")

    def refusal(self, problem: ChargingProblem) -> str | None:
        if problem.n_spins > LARGEST_N:
            return f"it visits all 2^N configurations, for N up to {LARGEST_N}, but N is {problem.n_spins}."
        if symmetry_group(problem).is_trivial:
            return "no symmetry keeps the network, its weights, cross-talk and start; use the statevector engine."
        return None

    def required_bytes(self, problem: ChargingProblem) -> int:
        n, dimension = problem.n_spins, self.dimension(problem)
        building = (4 << n) + 4 * largest_orbit(symmetry_group(problem)) + (4 * n + 40) * dimension
        running = (4 * n + 40 + _BYTES_PER_ROW) * dimension
        kept = (_BYTES_TO_KEEP << n) if self.keep_state else 0
        return BYTES_PER_BLOCK + kept + max(building, running)

    def memory_hint(self, problem: ChargingProblem, available: int) -> str:
        if self.keep_state:
            return "leave keep_state out, or use a smaller network."
        return (
            "use a smaller or a more symmetric network, or the statevector engine, which needs less where there are "
            "few symmetries."
        )

    @staticmethod
    def dimension(problem: ChargingProblem) -> int:
        """Amplitudes in the symmetric sector, found without building it; an estimate for groups of over 20 000."""
        return sector_dimension(symmetry_group(problem))

    def predicted_seconds(self, problem: ChargingProblem, times: FloatArray) -> float:
        """See the base class; most of the time goes into the orbits and the products with Sx."""
        n, dimension = problem.n_spins, self.dimension(problem)
        steps = divided(problem, times, self.tolerance)
        per_product = product_seconds(dimension, n)
        building = _SECONDS_PER_CONFIGURATION * 2.0**n + n * dimension * _SECONDS_PER_LINK
        outputs = (len(times) + 1) * (_SECONDS_PER_OUTPUT + n * per_product)
        stepping = steps.steps(1) * _SECONDS_PER_STEP + products_of(steps.steps(1), steps.turned) * per_product
        return _SECONDS_PER_RUN + building + outputs + stepping

    def solve(
        self, problem: ChargingProblem, times: FloatArray, progress: Progress, checkpoint: Checkpoint
    ) -> Solution:
        plan = Refinement(problem, times, self.tolerance)
        plan.steps()  # too many are refused before the orbits are found
        n, group, rising = problem.n_spins, symmetry_group(problem), Rising(progress)
        built = rising.part(_PREPARATION)
        sector = SymmetricSector.build(
            problem, group, lambda done: built(done, f"{problem.network.name}, finding the orbits of 2^{n} states")
        )
        worst = before = math.inf
        for run in range(MOST_PASSES):
            steps = plan.steps()
            passage = Passage(problem, steps.scheme, steps, 1, times, rising.part(_LAST), checkpoint.log(run))
            state, traces = carried(passage, sector, steps.scheme.share)
            if not state.error <= 1.0:
                plan.learn(math.inf, state.error)
                continue
            distribution, _, norm = state.populations()
            errors = _estimates(traces, distribution, state.error)
            before, worst = worst, _worst(errors, traces)
            if worst <= self.tolerance:
                _check_norm(norm, self.tolerance)
                done = {"steps": passage.steps, "passes": run + 1}
                return self._solution(sector, group, state, traces, errors, done)
            by_rounding = _worst(_estimates(traces, distribution, state.rounding), traces)
            if plan.is_at_its_end and by_rounding > self.tolerance:
                raise ToleranceError(
                    f"rounding may amount to {by_rounding:.1e}, above the tolerance {self.tolerance:g}, and shorter "
                    "steps do not reduce it; loosen the tolerance, or use the statevector engine, whose estimate "
                    "leaves rounding out."
                )
            if plan.is_at_its_end and worst > _LEAST_GAIN * before:
                break
            plan.learn(worst, state.error)
        raise ToleranceError(
            f"the error estimate is {worst:.1e} after {run + 1} passes, above the tolerance {self.tolerance:g}; "
            "loosen the tolerance, or use the statevector engine."
        )

    def _solution(
        self,
        sector: SymmetricSector,
        group: AutomorphismGroup,
        state: SeriesState,
        traces: TimeTraces,
        errors: ErrorEstimates,
        done: dict[str, int],
    ) -> Solution:
        distribution, _, norm = state.populations()
        kept = sector.expand(state.amplitudes / np.sqrt(norm), group) if self.keep_state else None
        spins = sector.spin_magnetization(state.probabilities()[0], _site_orbits(group))
        return Solution(
            FinalState(distribution, spins, abs(norm - 1.0), None, kept),
            traces,
            errors,
            discretisation={
                "splitting": TaylorSeries.name,
                "order": TaylorSeries.order,
                **done,
                "products": state.products,
                "dimension": sector.dimension,
                "group_order": group.order,
            },
        )


_site_orbits = lru_cache(maxsize=8)(AutomorphismGroup.site_orbits)


def carried(passage: Passage, sector: SymmetricSector, share: float) -> tuple[SeriesState, TimeTraces]:
    """The final state of a passage, and its moments, with a share of the error for each step."""
    from .series_state import SeriesState, SharedState

    problem = passage.problem
    start = sector.product_amplitudes(problem.protocol.initial.spinors(problem.n_spins))
    is_shared = sector.dimension >= _SMALLEST_SHARED
    with Team(None if is_shared else 1) as team:
        state = SharedState(sector, start, share, team) if is_shared else SeriesState(sector, start, share)
        with np.errstate(over="ignore", invalid="ignore"):  # of series that do not converge, whose errors are infinite
            mean, variance, energy = passage.follow(
                [state], lambda time: state_moments(problem, state, time), lambda: final_moments(state)
            )
    return state, TimeTraces(passage.times, mean, variance, energy)


def _estimates(traces: TimeTraces, distribution: FloatArray, error: float) -> ErrorEstimates:
    """Errors of mean and variance from a bound of the norm of the state's error.

    An expectation value <A> is off by at most 2 |A psi| times the norm, and the square of the norm times |A|. Here A is
    Sz/N - mu, or its square, of which no eigenvalue exceeds 2 or 4; |(Sz/N - mu)^2 psi| is at most twice sigma.
    """
    sigma = np.sqrt(np.maximum(traces.variance, 0.0))
    of_mean, of_variance = ROUNDING
    mean = 2.0 * error * (sigma + error) + of_mean
    variance = 4.0 * error * (sigma + error) + of_variance * traces.variance
    values = np.linspace(-1.0, 1.0, len(distribution)) - traces.mean[-1]
    fourth = math.sqrt(max(0.0, float((distribution * values**4).sum())))
    variance[-1] = 2.0 * error * (fourth + 2.0 * error) + of_variance * traces.variance[-1]
    return ErrorEstimates(mean, variance, float(variance[-1] / max(float(traces.variance[-1]), VARIANCE_FLOOR)))


def _worst(errors: ErrorEstimates, traces: TimeTraces) -> float:
    """The estimate that must be within the tolerance; spins that never moved have no precision."""
    of_moments = max(float(errors.mean.max()), float(errors.variance.max()))
    return of_moments if traces.variance[-1] <= VARIANCE_FLOOR else max(of_moments, errors.precision)


def _check_norm(norm: float, tolerance: float) -> None:
    """Raise :class:`ToleranceError` if the norm has drifted, which the error estimates do not allow."""
    largest = max(_LARGEST_DRIFT, tolerance)
    if not abs(norm - 1.0) <= largest:
        raise ToleranceError(
            f"the norm has drifted by {norm - 1.0:.1e}, more than {largest:g}; use the statevector engine, and please "
            "report the problem."
        )
