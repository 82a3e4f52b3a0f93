"""Engines that halve their step until a tolerance is kept."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ...core.checks import whole_number
from ...core.errors import EngineError
from ...core.machine import n_cores
from ...core.progress import Progress, Rising
from ...core.typing import ComplexArray, FloatArray
from ...model.problem import ChargingProblem
from ...records.solution import ErrorEstimates, FinalState, Solution, TimeTraces
from .checkpoint import Checkpoint
from .contract import Engine
from .mesh import Mesh
from .options import TOLERANCE
from .passes import run_together
from .propagation import Passage, Scheme
from .refinement import ROUNDING, checked_tolerance, refine

MOST_STEPS = 20_000_000
"""Largest number of steps of the coarsest mesh."""

SECONDS_WORTH_THREADS = 2.0
"""Predicted run time from which passes run at the same time."""


@dataclass(frozen=True)
class Evolution:
    """Result of one pass: moments (and the purity of mixed states) at the output times and, last, at the end.

    Attributes:
        smallest_eigenvalue: finds the smallest eigenvalue of the final density matrix, if there is one.
        details: what the record says of the discretisation beside scheme, order, steps and halvings.
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
    smallest_eigenvalue: Callable[[], float] | None = None
    details: dict[str, Any] = field(default_factory=dict)


Pass = Callable[[Passage], Evolution]

_SHARES = (1.0 / 7.0, 2.0 / 7.0, 4.0 / 7.0)
"""Shares of the first three passes, which step halving always needs, in their work."""

_PREPARATION, _LAST = 0.1, 0.8
"""Shares of the remaining progress: the preparation before the first pass, and a pass that may be the last."""


@dataclass(frozen=True)
class SteppingEngine(Engine):
    """Options and step halving common to engines that step through a protocol.

    Attributes:
        tolerance: largest error: absolute on mu and sigma^2 at every output time, relative on the final
            precision 1/sigma^2. The step is halved until the error estimates are below it.
        max_levels: largest number of halvings of the coarsest step.
    """

    tolerance: float = field(default=1e-6, metadata=TOLERANCE)
    max_levels: int = field(default=12, kw_only=True)

    def __post_init__(self) -> None:
        object.__setattr__(self, "tolerance", checked_tolerance(self.tolerance))
        object.__setattr__(self, "max_levels", whole_number("max_levels", self.max_levels, least=2))

    @abstractmethod
    def scheme_for(self, problem: ChargingProblem) -> Scheme:
        """How steps are made."""

    @abstractmethod
    def mesh(self, problem: ChargingProblem, times: FloatArray) -> Mesh:
        """Coarsest mesh: no step crosses a corner of the protocol or a requested time."""

    @abstractmethod
    def stepper(self, problem: ChargingProblem, mesh: Mesh, times: FloatArray, progress: Progress) -> Pass:
        """Prepare all that does not depend on the step, and show the progress of that; the result makes one pass."""

    def leaves_cores_idle(self, problem: ChargingProblem) -> bool:
        """Whether a pass is long and runs on one core, so that the first passes are to run at the same time."""
        return False

    def solve(
        self, problem: ChargingProblem, times: FloatArray, progress: Progress, checkpoint: Checkpoint
    ) -> Solution:
        mesh = self.mesh(problem, times)
        scheme = self.scheme_for(problem)
        rising = Rising(progress)
        evolve = self.stepper(problem, mesh, times, rising.part(_PREPARATION))

        def run(halvings: int, reached: Progress) -> Evolution:
            return evolve(Passage(problem, scheme, mesh, halvings, times, reached, checkpoint.log(halvings)))

        first: list[Evolution] = []
        if self.leaves_cores_idle(problem) and n_cores() > 1:
            first = run_together(run, _SHARES, n_cores(), rising.part(_LAST))

        def solve_pass(halvings: int) -> Evolution:
            if halvings < len(first):
                return first[halvings]
            share = _SHARES[halvings] / sum(_SHARES[halvings:]) if halvings + 1 < len(_SHARES) else 1.0
            return run(halvings, rising.part(share * _LAST))

        refined = refine(solve_pass, self.tolerance, self.max_levels, scheme.order, mesh.resolved_from, self.rounding)
        finest = refined.result
        return Solution(
            FinalState(
                finest.distribution,
                finest.spin_magnetization,
                finest.norm_error,
                self.smallest_eigenvalue(finest),
                finest.state,
            ),
            TimeTraces(times, finest.mean, finest.variance, finest.energy, finest.purity),
            ErrorEstimates(refined.mean_error, refined.variance_error, refined.precision_relative_error),
            discretisation={
                "splitting": scheme.name,
                "order": scheme.order,
                "steps": finest.steps,
                "halvings": refined.halvings,
                **finest.details,
            },
        )

    def rounding(self, evolution: Evolution) -> tuple[float, float]:
        """Possible effect of rounding: absolute on mu, relative on sigma^2."""
        return ROUNDING

    def smallest_eigenvalue(self, evolution: Evolution) -> float | None:
        """Smallest eigenvalue of the final density matrix, checked; None if there is no such matrix."""
        return None


def too_many_steps(engine: str, steps: int, problem: ChargingProblem) -> EngineError:
    """The error to raise for a mesh of more than MOST_STEPS steps."""
    return EngineError(
        f"the {engine} engine would need {steps:.1e} steps at the coarsest for {problem.protocol.duration:g} ns "
        f"with these fields and couplings, more than {MOST_STEPS:.0e}; shorten the duration or reduce h and J."
    )
