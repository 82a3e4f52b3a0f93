"""Quantum trajectories: noise on many spins by averaging pure states."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ...core.checks import is_one_of, whole_number
from ...core.errors import InvalidParameterError
from ...core.progress import Progress, Rising
from ...core.typing import FloatArray
from ...model.operators import ising_diagonal
from ...model.problem import ChargingProblem
from ...records.ensemble import Ensemble, ExactPart
from ...records.options import option
from ...records.schema import VARIANCE_FLOOR
from ...records.solution import ErrorEstimates, FinalState, Solution, StandardErrors, TimeTraces
from ..common.checkpoint import Checkpoint
from ..common.contract import Accuracy, Engine, derived_seed
from ..common.mesh import Mesh, relaxes, stops_of
from ..common.options import SEED, TOLERANCE, TRAJECTORIES, checked_tolerance
from ..common.propagation import BYTES_PER_BLOCK
from ..common.splitting import BLANES_MOAN_4, SPLITTINGS, Splitting
from ..simd.sizes import TILE_BITS
from .batch import DAMPING_COST, rows_together
from .resolution import choose_mesh
from .split_steps import SplitSteps
from .strata import OneJump, OneJumpRule, no_jump_part, sample, sampled_weight

if TYPE_CHECKING:
    from .jump_runs import Unravelling

ONE_JUMP = ("auto", "quadrature", "sampled")

_BEFORE, _ONE_JUMP = 0.05, 0.3
"""Shares of the remaining progress: each pass before trajectories are drawn, and the integral over one jump."""

_SHARE_OF_ONE_JUMP = 0.25
"""Share of the tolerance for the integral over one jump; the rest is for the mesh."""

_BYTES_PER_AMPLITUDE = 96
_BYTES_PER_ROW_AND_AMPLITUDE = 16
_BYTES_PER_STEP = 2000
_LARGEST_EXPONENT = 1000
_SECONDS_PER_AMPLITUDE_STAGE = 4.2e-9
_BEYOND_A_TILE = 2.5
"""Time for each amplitude of a state larger than a tile of the kernels, over that in a tile."""

_STEPS_OF_COARSEST = 1.4
_RUNS_BESIDE = 25.0
"""Number of full runs for the choice of the mesh."""

_SECONDS_PER_STAGE = 1e-7
_SECONDS_PER_TRAJECTORY = 2e-4
_SECONDS_PER_RUN = 0.05


@dataclass(frozen=True)
class Trajectories(Engine):
    """Noise as an average over pure states that jump at random: any graph, N up to 20 and more.

    Pauli noise flips spins at times of a Poisson process, between which evolution is unitary. The stratum without
    flips is exact, as its probability and its state are known. The stratum with one flip is integrated over the time
    of the flip, and summed over the spins that no symmetry maps onto each other. The rest is sampled. Relaxation makes
    the evolution between jumps non-unitary (Dalibard, Castin and Moelmer, Phys. Rev. Lett. 68, 580 (1992)); then the
    run without jumps is exact, and all others are sampled.

    Standard errors fall as 1/sqrt(trajectories). Records of several runs can be merged
    (:func:`~spinbattery.engines.trajectories.merging.merge_records`), and a record can be extended.

    Attributes:
        trajectories: number of sampled trajectories, two or more.
        seed: derived from the problem if None. Trajectory i of a seed is always the same.
        tolerance: error of the discretisation alone: absolute on mu and sigma^2, relative on the precision.
        first: number of the first trajectory, so that runs of one seed can have different trajectories.
        splitting: ``BM4`` (order 4, the default) or ``BM6`` (order 6), both of Blanes and Moan.
        one_jump: ``quadrature`` or ``sampled``; ``auto`` integrates if that reduces the errors more than the same work
            on more trajectories, and takes at most as many runs as ``trajectories``. The integral needs Pauli noise
            alone.
        max_levels: largest number of halvings of the coarsest step.
    """

    name: ClassVar[str] = "trajectories"
    needs: ClassVar[str] = "spinbattery.engines.trajectories.jump_runs"
    compile_seconds: ClassVar[float] = 36.0
    summary: ClassVar[str] = "sampled noise"
    takes: ClassVar[str] = "any network of some 20 spins"
    accuracy: ClassVar[Accuracy] = Accuracy.STATISTICAL
    takes_noise: ClassVar[bool] = True

    trajectories: int = field(default=500, metadata=TRAJECTORIES)
    seed: int | None = field(default=None, metadata=SEED)
    tolerance: float = field(default=1e-4, kw_only=True, metadata=TOLERANCE)
    first: int = field(
        default=0,
        kw_only=True,
        metadata=option("Number of the first trajectory: runs of one seed then differ.", least=0),
    )
    splitting: str = field(default=BLANES_MOAN_4.name, kw_only=True)
    one_jump: str = field(
        default="auto",
        kw_only=True,
        metadata=option(
            "quadrature or sampled: how trajectories with one jump are treated; auto takes what the number of "
            "trajectories makes worth it. Runs that are to be merged need the same."
        ),
    )
    max_levels: int = field(default=12, kw_only=True)

    def __post_init__(self) -> None:
        object.__setattr__(self, "trajectories", whole_number("trajectories", self.trajectories, least=2))
        if self.seed is not None:
            object.__setattr__(self, "seed", whole_number("seed", self.seed, least=0))
        object.__setattr__(self, "tolerance", checked_tolerance(self.tolerance))
        object.__setattr__(self, "first", whole_number("first", self.first, least=0))
        if not is_one_of(self.splitting, SPLITTINGS):
            raise InvalidParameterError(f"unknown splitting {self.splitting!r}; there are {', '.join(SPLITTINGS)}.")
        if not is_one_of(self.one_jump, ONE_JUMP):
            raise InvalidParameterError(f"one_jump must be one of {', '.join(ONE_JUMP)}, but is {self.one_jump!r}.")
        object.__setattr__(self, "max_levels", whole_number("max_levels", self.max_levels, least=2))

    @property
    def scheme(self) -> Splitting:
        return SPLITTINGS[self.splitting]

    @property
    def _split_steps(self) -> SplitSteps:
        return SplitSteps(self.name, self.scheme, self.tolerance, self.max_levels)

    def refusal(self, problem: ChargingProblem) -> str | None:
        if problem.noise is None:
            return "it has no noise, so that all trajectories are the same; use the statevector engine."
        if self.one_jump == "quadrature" and relaxes(problem):
            return "the time of one jump can only be integrated without relaxation; set one_jump to auto or sampled."
        return None

    def required_bytes(self, problem: ChargingProblem) -> int:
        n = problem.n_spins
        per_amplitude = _BYTES_PER_AMPLITUDE + _BYTES_PER_ROW_AND_AMPLITUDE * rows_together(n)
        return BYTES_PER_BLOCK + (per_amplitude << n) + _BYTES_PER_STEP * self._steps(problem, np.empty(0))

    def memory_hint(self, problem: ChargingProblem, available: int) -> str:
        per_amplitude = _BYTES_PER_AMPLITUDE + _BYTES_PER_ROW_AND_AMPLITUDE
        largest = max(1, (available - BYTES_PER_BLOCK) // per_amplitude).bit_length() - 1
        return f"the largest N that fits is {largest}; with no coupling (J = 0) the product engine takes any N."

    def _steps(self, problem: ChargingProblem, times: FloatArray) -> int:
        """Rough number of steps of a trajectory, less than in the refined run without jumps."""
        steps = self._split_steps.predicted(problem, times)
        return round(_STEPS_OF_COARSEST * (steps.coarsest << max(0, steps.halvings - 2)))

    def predicted_seconds(self, problem: ChargingProblem, times: FloatArray) -> float:
        """See the base class; every trajectory takes about two thirds of a run, from its first jump on."""
        amplitudes = math.ldexp(DAMPING_COST if relaxes(problem) else 1.0, min(problem.n_spins, _LARGEST_EXPONENT))
        if problem.n_spins > TILE_BITS:
            amplitudes *= _BEYOND_A_TILE
        stages = self._steps(problem, times) * len(self.scheme.transverse)
        per_run = stages * (_SECONDS_PER_STAGE + _SECONDS_PER_AMPLITUDE_STAGE * amplitudes)
        runs = _RUNS_BESIDE + 0.7 * self.trajectories * (1.0 if self.one_jump == "sampled" else 1.2)
        return _SECONDS_PER_RUN + _SECONDS_PER_TRAJECTORY * self.trajectories + runs * per_run

    def solve(
        self, problem: ChargingProblem, times: FloatArray, progress: Progress, checkpoint: Checkpoint
    ) -> Solution:
        rising = Rising(progress)
        resolution = choose_mesh(
            problem, self._on_mesh(problem, times), self._split_steps.mesh(problem, times),
            (1.0 - _SHARE_OF_ONE_JUMP) * self.tolerance,
            self.max_levels, self.scheme.order, rising.part(_BEFORE),
        )  # fmt: skip
        unravelling = resolution.unravelling
        none = unravelling.no_jump(rising.part(_BEFORE))
        one = self._one_jump(unravelling, times, rising.part(_ONE_JUMP))
        exact = no_jump_part(unravelling)
        mean_error, variance_error = resolution.mean_error, resolution.variance_error
        if one is not None:
            exact += one.part
            mean_error, variance_error = mean_error + one.error[:, 0], variance_error + one.error[:, 1]
        numbers = range(self.first, self.first + self.trajectories)
        ensemble = self.sample(unravelling, numbers, exact, 1 if one is None else 2, rising.part(1.0))
        discretisation = {
            "splitting": self.splitting,
            "order": self.scheme.order,
            "steps": unravelling.steps,
            "mesh_steps": resolution.mesh_steps,
            "one_jump": "sampled" if one is None else "quadrature",
            "one_jump_runs": 0 if one is None else one.runs,
            "no_jump_moments": none.moments[-1].tolist(),  # by which an extension knows whether its steps are the same
        }
        return ensemble_solution(ensemble, times, mean_error, variance_error, none.norm_error, discretisation)

    def sample(
        self, unravelling: Unravelling, numbers: range, exact: ExactPart, least: int, progress: Progress
    ) -> Ensemble:
        """Trajectories of those numbers, of ``least`` jumps or more, beside the exact strata."""
        seed = derived_seed(unravelling.problem, self.name, self.seed or 0)
        rising = Rising(progress)
        unravelling.no_jump(rising.part(_BEFORE))
        weight = sampled_weight(unravelling, least)
        return Ensemble(exact, weight, sample(unravelling, seed, numbers, least, exact, rising.part(1.0)))

    def unravelling(self, problem: ChargingProblem, times: FloatArray, mesh_steps: int) -> Unravelling:
        """The problem on a mesh of about ``mesh_steps`` steps."""
        return self._on_mesh(problem, times)(Mesh(problem, stops_of(problem, times), mesh_steps), 1)

    def one_jump_rule(self, problem: ChargingProblem, times: FloatArray) -> OneJumpRule:
        """Quadrature of the stratum with one jump."""
        return OneJumpRule(problem, stops_of(problem, times))

    def may_integrate(self, problem: ChargingProblem, times: FloatArray) -> bool:
        """Whether the stratum with one jump is integrated, provided that the first nodes are enough."""
        if self.one_jump == "sampled" or relaxes(problem):
            return False
        return self.one_jump == "quadrature" or self.one_jump_rule(problem, times).pays(self.trajectories)

    def _on_mesh(self, problem: ChargingProblem, times: FloatArray) -> Callable[[Mesh, int], Unravelling]:
        from .jump_runs import Unravelling

        ising = ising_diagonal(problem.n_spins, *problem.couplings)
        return lambda mesh, multiple: Unravelling(problem, mesh, multiple, self.scheme, times, ising)

    def _one_jump(self, unravelling: Unravelling, times: FloatArray, progress: Progress) -> OneJump | None:
        if not self.may_integrate(unravelling.problem, times):
            return None
        rule = self.one_jump_rule(unravelling.problem, times)
        most = self.trajectories if self.one_jump == "auto" else None
        tolerance = _SHARE_OF_ONE_JUMP * self.tolerance
        return rule.integrate(unravelling, no_jump_part(unravelling), tolerance, most, progress)


def ensemble_solution(
    ensemble: Ensemble,
    times: FloatArray,
    mean_error: FloatArray,
    variance_error: FloatArray,
    norm_error: float | None,
    discretisation: dict[str, Any],
) -> Solution:
    """Solution from an ensemble and the errors (T + 1,) of its discretisation."""
    (mean, _, energy), variance = ensemble.moments.T, ensemble.variance
    sampled_mean, _, sampled_energy = ensemble.moment_errors.T
    precision = float(variance_error[-1] / max(float(variance[-1]), VARIANCE_FLOOR))
    return Solution(
        FinalState(ensemble.distribution, ensemble.spins, norm_error),
        TimeTraces(times, mean, variance, energy),
        ErrorEstimates(mean_error, variance_error, precision),
        StandardErrors(
            sampled_mean, ensemble.variance_error, sampled_energy, ensemble.distribution_error, ensemble.spins_error
        ),
        ensemble=ensemble,
        discretisation=discretisation,
    )
