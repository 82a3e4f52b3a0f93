"""Options, mesh and prediction common to engines that step by a splitting."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field

from ...core.checks import is_one_of
from ...core.errors import InvalidParameterError
from ...core.typing import FloatArray
from ...model.problem import ChargingProblem
from .mesh import Mesh
from .split_steps import SplitSteps, StepPrediction
from .splitting import BLANES_MOAN_6, SECONDS_PER_AMPLITUDE_STAGE, SPLITTINGS, Splitting
from .stepping import SteppingEngine

_SECONDS_PER_STAGE = 1.2e-7
_SECONDS_PER_OUTPUT = 7e-5
_SECONDS_PER_OUTPUT_AND_STATE = 1.5e-5
_SECONDS_PER_RUN = 5e-3
_STAGES_PER_OUTPUT = 4


@dataclass(frozen=True)
class SplitStepEngine(SteppingEngine):
    """Options and stepping common to engines built on the splitting.

    Attributes:
        splitting: ``BM6`` (order 6, the default) or ``BM4`` (order 4), both of Blanes and Moan.
    """

    splitting: str = field(default=BLANES_MOAN_6.name, kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not is_one_of(self.splitting, SPLITTINGS):
            raise InvalidParameterError(f"unknown splitting {self.splitting!r}; there are {', '.join(SPLITTINGS)}.")

    @property
    def scheme(self) -> Splitting:
        return SPLITTINGS[self.splitting]

    def scheme_for(self, problem: ChargingProblem) -> Splitting:
        return self.scheme

    @abstractmethod
    def workload(self, problem: ChargingProblem) -> tuple[int, float]:
        """Number of states, and the work of a stage on each, in amplitudes of a pure state."""

    def predicted_seconds(self, problem: ChargingProblem, times: FloatArray) -> float:
        """See the base class: the stages of all passes by their amplitudes, the outputs, and the run itself."""
        steps = self.predicted_steps(problem, times)
        states, amplitudes = self.workload(problem)
        outputs = (steps.halvings + 1) * (len(times) + 1)
        stages = float(steps.total) * self.scheme.stages + _STAGES_PER_OUTPUT * outputs
        per_stage = _SECONDS_PER_STAGE + SECONDS_PER_AMPLITUDE_STAGE * amplitudes
        per_output = _SECONDS_PER_OUTPUT + _SECONDS_PER_OUTPUT_AND_STATE * states
        return _SECONDS_PER_RUN + per_output * outputs + per_stage * stages * states

    @property
    def steps(self) -> SplitSteps:
        return SplitSteps(self.name, self.scheme, self.tolerance, self.max_levels)

    def predicted_steps(self, problem: ChargingProblem, times: FloatArray) -> StepPrediction:
        """See :meth:`~spinbattery.engines.common.split_steps.SplitSteps.predicted`."""
        return self.steps.predicted(problem, times)

    def mesh(self, problem: ChargingProblem, times: FloatArray) -> Mesh:
        return self.steps.mesh(problem, times)
