"""Engines that shorten their step until a tolerance is kept."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ...core.checks import whole_number
from ...core.machine import n_cores
from ...core.progress import Progress, Rising
from ...core.typing import ComplexArray, FloatArray
from ...model.operators import magnetization_diagonal
from ...model.problem import ChargingProblem
from ...records.solution import ErrorEstimates, FinalState, Solution, TimeTraces
from .checkpoint import Checkpoint
from .contract import Engine
from .extrapolation import ROUNDING, Passes, extrapolate
from .mesh import Mesh, StepFields, project_together
from .options import TOLERANCE, checked_tolerance
from .passes import run_together
from .plan import MOST_STEPS, Plan, too_many_steps
from .populations import distribution_of, mean_and_variance, spin_expectations
from .propagation import STEPS_PER_BLOCK, Passage

SECONDS_WORTH_THREADS = 2.0
"""Predicted run time from which passes run at the same time."""


@dataclass(frozen=True)
class Evolution:
    """Result of one pass: moments (and the purity of mixed states) at the output times and, last, at the end.

    Attributes:
        state: final amplitudes (2^N,), where they are kept.
        entries: final density matrix as (4^N,) real numbers, where there is one.
        details: what the record says of the discretisation beside scheme, order, steps and passes.
    """

    mean: FloatArray
    variance: FloatArray
    energy: FloatArray
    distribution: FloatArray
    spin_magnetization: FloatArray
    norm_error: float
    steps: int
    state: ComplexArray | None = None
    purity: FloatArray | None = None
    entries: FloatArray | None = None
    details: dict[str, Any] = field(default_factory=dict)


def combined_moments(passes: Sequence[Evolution], weights: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Mean and variance of a linear combination of passes at all output times; the weights add up to one.

    A variance below zero stays as it is: it shows how far off the combination is.
    """
    return _total([one.mean for one in passes], weights), _total([one.variance for one in passes], weights)


def combined(passes: Sequence[Evolution], weights: FloatArray) -> Evolution:
    """Linear combination of passes, the finest last; the weights add up to one."""
    finest = passes[-1]
    mean, variance = combined_moments(passes, weights)

    purities = [one.purity for one in passes if one.purity is not None]
    return replace(
        finest,
        mean=mean,
        variance=variance,
        energy=_total([one.energy for one in passes], weights),
        distribution=_total([one.distribution for one in passes], weights),
        spin_magnetization=np.clip(_total([one.spin_magnetization for one in passes], weights), -1.0, 1.0),
        norm_error=max(one.norm_error for one in passes),
        state=_combined_states([one.state for one in passes if one.state is not None], weights),
        purity=_total(purities, weights) if purities else None,
        entries=_combined_entries([one.entries for one in passes if one.entries is not None], weights),
    )


def _total(parts: Sequence[FloatArray], weights: FloatArray) -> FloatArray:
    return np.asarray(np.einsum("k,k...->...", weights, np.array(parts)))


def _combined_entries(matrices: Sequence[FloatArray], weights: FloatArray) -> FloatArray | None:
    """Combination of matrices one by one, since memory has no room for all of them again; None of no matrices."""
    if not matrices:
        return None
    return np.asarray(sum(weight * matrix for weight, matrix in zip(weights.tolist(), matrices, strict=True)))


def _combined_states(states: Sequence[ComplexArray], weights: FloatArray) -> ComplexArray | None:
    """Normalised combination, with the combination of their global phases; None of no states."""
    if not states:
        return None
    found = np.zeros_like(states[-1])
    angles = [float(np.angle(np.vdot(state, states[-1]))) for state in states]
    for weight, angle, state in zip(weights.tolist(), angles, states, strict=True):
        found += weight * np.exp(1j * angle) * state
    return np.asarray(found * np.exp(-1j * float(weights @ angles)) / np.linalg.norm(found))


Pass = Callable[[Passage], Evolution]

_PREPARATION, _LAST = 0.1, 0.8
"""Shares of the remaining progress: the preparation before the first pass, and a pass that may be the last."""


@dataclass(frozen=True)
class SteppingEngine(Engine):
    """Options and control of the step common to engines that step through a protocol.

    Attributes:
        tolerance: largest error: absolute on mu and sigma^2 at every output time, relative on the final
            precision 1/sigma^2. Passes with shorter steps follow until the error estimates are below it.
        max_levels: largest number of passes after the first two.
    """

    tolerance: float = field(default=1e-6, metadata=TOLERANCE)
    max_levels: int = field(default=12, kw_only=True)

    def __post_init__(self) -> None:
        object.__setattr__(self, "tolerance", checked_tolerance(self.tolerance))
        object.__setattr__(self, "max_levels", whole_number("max_levels", self.max_levels, least=2))

    @abstractmethod
    def plan(self, problem: ChargingProblem, times: FloatArray) -> Plan:
        """The scheme and the steps of a run; no step crosses a corner of the protocol or a requested time."""

    @abstractmethod
    def stepper(self, problem: ChargingProblem, progress: Progress) -> Pass:
        """Prepare all that does not depend on the step, and show the progress of that; the result makes one pass."""

    def moments(
        self, problem: ChargingProblem, passes: Sequence[Evolution], weights: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Mean and variance of :meth:`combined` at all output times, found without the rest of it."""
        if passes[-1].state is not None:
            found = self.combined(problem, passes, weights)
            return found.mean, found.variance
        distribution = _total([one.distribution for one in passes], weights)
        final = mean_and_variance(distribution / distribution.sum())
        if passes[-1].mean.size == 1:
            return np.array(final[:1]), np.array(final[1:])
        mean, variance = combined_moments(passes, weights)
        mean[-1], variance[-1] = final
        return mean, variance

    def combined(self, problem: ChargingProblem, passes: Sequence[Evolution], weights: FloatArray) -> Evolution:
        """Linear combination of passes, the finest last; the weights add up to one."""
        found = combined(passes, weights)
        if found.state is not None:  # P(Sz) and the spins are then exactly those of the state that is kept
            p = np.abs(found.state) ** 2
            levels = distribution_of(p, magnetization_diagonal(problem.n_spins))
            found = replace(found, distribution=levels, spin_magnetization=spin_expectations(p))
        distribution = found.distribution / found.distribution.sum()
        # before populations that are nearly zero are made positive, which would hide their errors
        found.mean[-1], found.variance[-1] = mean_and_variance(distribution)
        if distribution.min() < 0.0:
            distribution = np.maximum(distribution, 0.0)
            distribution /= distribution.sum()
        return replace(found, distribution=distribution)

    def leaves_cores_idle(self, problem: ChargingProblem) -> bool:
        """Whether a pass is long and runs on one core, so that the first passes are to run at the same time."""
        return False

    def solve(
        self, problem: ChargingProblem, times: FloatArray, progress: Progress, checkpoint: Checkpoint
    ) -> Solution:
        plan = self.plan(problem, times)
        if plan.steps > MOST_STEPS:
            raise too_many_steps(self.name, plan.steps, problem)
        mesh, expected = plan.mesh(problem), plan.multiples
        rising = Rising(progress)
        evolve = self.stepper(problem, rising.part(_PREPARATION))

        fields = _fields_of(problem, mesh, expected, plan.scheme.legendre_degree)

        def run(multiple: int, reached: Progress) -> Evolution:
            log = checkpoint.log(multiple - plan.first)
            return evolve(Passage(problem, plan.scheme, mesh, multiple, times, reached, log, fields.get(multiple)))

        known: dict[int, Evolution] = {}
        if self.leaves_cores_idle(problem) and n_cores() > 1:
            shares = [multiple / sum(expected) for multiple in expected]
            first = run_together(
                lambda number, reached: run(expected[number], reached), shares, n_cores(), rising.part(_LAST)
            )
            known = dict(zip(expected, first, strict=True))

        def run_pass(multiple: int) -> Evolution:
            if multiple in known:
                return known[multiple]
            rest = [later for later in expected if later >= multiple]
            return run(multiple, rising.part(multiple / sum(rest) * _LAST if rest[1:] else _LAST))

        passes = _PassesOfRun(self, problem, run_pass)
        found = extrapolate(passes, self.tolerance, plan.first, self.max_levels + 2, plan.scheme.order)
        errors = ErrorEstimates(found.mean_error, found.variance_error, found.precision_relative_error)
        result = found.result
        np.clip(result.mean, -1.0, 1.0, out=result.mean)
        np.maximum(result.variance, 0.0, out=result.variance)
        if times.size and times[-1] == problem.protocol.duration:
            result.mean[-2], result.variance[-2] = result.mean[-1], result.variance[-1]
        return Solution(
            FinalState(
                result.distribution,
                result.spin_magnetization,
                result.norm_error,
                passes.smallest_eigenvalue,
                result.state,
            ),
            TimeTraces(times, result.mean, result.variance, result.energy, result.purity),
            errors,
            discretisation={
                "splitting": plan.scheme.name,
                "order": plan.scheme.order,
                "steps": result.steps,
                "passes": found.passes,
                **result.details,
            },
        )

    def rounding(self, evolution: Evolution) -> tuple[float, float]:
        """Possible effect of rounding: absolute on mu, relative on sigma^2."""
        return ROUNDING

    def smallest_eigenvalue(self, evolution: Evolution) -> float | None:
        """Smallest eigenvalue of the final density matrix; None if there is no such matrix."""
        return None


def _fields_of(problem: ChargingProblem, mesh: Mesh, multiples: list[int], degree: int) -> dict[int, StepFields]:
    """Fields of all steps of passes, where they are so few that Python takes more time than the numbers."""
    if mesh.steps(sum(multiples)) > STEPS_PER_BLOCK:
        return {}
    return dict(zip(multiples, project_together(problem, mesh, multiples, degree), strict=True))


@dataclass
class _PassesOfRun(Passes[Evolution]):
    """The passes of an engine through a problem.

    Attributes:
        make: one pass on a multiple of the first mesh.
        smallest_eigenvalue: of the density matrix of the last combination, if there is one.
    """

    engine: SteppingEngine
    problem: ChargingProblem
    make: Callable[[int], Evolution]
    smallest_eigenvalue: float | None = None

    def run(self, multiple: int) -> Evolution:
        return self.make(multiple)

    def moments(self, passes: Sequence[Evolution], weights: FloatArray) -> tuple[FloatArray, FloatArray]:
        return self.engine.moments(self.problem, passes, weights)

    def combined(self, passes: Sequence[Evolution], weights: FloatArray) -> Evolution:
        return self.engine.combined(self.problem, passes, weights)

    def rounding(self, finest: Evolution) -> tuple[float, float]:
        return self.engine.rounding(finest)

    def negativity(self, result: Evolution) -> float:
        self.smallest_eigenvalue = self.engine.smallest_eigenvalue(result)
        return 0.0 if self.smallest_eigenvalue is None else -self.smallest_eigenvalue
