"""Options, mesh and prediction common to engines that step by a splitting."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from ...core.checks import is_one_of
from ...core.errors import InvalidParameterError
from ...core.quadrature import panel_edges
from ...core.typing import FloatArray
from ...model.problem import ChargingProblem
from .layers import layer_stops
from .mesh import initial_steps, relaxes, smooth_pieces
from .plan import Plan
from .splitting import BLANES_MOAN_6, SECONDS_PER_AMPLITUDE_STAGE, SPLITTINGS, STRANG, Splitting
from .stepping import SteppingEngine

_SECONDS_PER_STAGE = 1.2e-7
_SECONDS_PER_OUTPUT = 7e-5
_SECONDS_PER_OUTPUT_AND_STATE = 1.5e-5
SECONDS_PER_RUN = 5e-3
_STAGES_PER_OUTPUT = 4

_LARGEST_ROTATION = 1.0
"""The kernels use tan(theta): rotations must stay away from a quarter turn."""

_STEPS, _RATE = {2: 1.7, 4: 2.5, 6: 1.65}, {2: 1.0 / 10.0, 4: 1.0 / 6.0, 6: 1.0 / 8.0}
"""Steps of the first pass over :func:`initial_steps` at a tolerance of 1e-6, and the power of the inverse tolerance
with which they grow, by the order of the splitting."""

_LOOSEST_AIM = 1e-5
"""Tolerance above which steps do not become longer: errors of long steps do not shrink as the order says."""

_FEWEST_STEPS, _LONG = 60, 200
"""Steps of Strang's splitting at least, and the initial steps from which other splittings may be better."""

_MANY_TURNS, _GROWTH = 100.0, 0.35
"""Strang's errors of phase add up: beyond this many initial steps, the steps grow by this power in addition."""


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
        """The splitting of long protocols."""
        return SPLITTINGS[self.splitting]

    @property
    def magnifies_rounding(self) -> bool:
        """Whether combinations of many passes would magnify rounding too much, so that Strang's splitting is out."""
        return False

    @abstractmethod
    def workload(self, problem: ChargingProblem) -> tuple[int, float]:
        """Number of states, and the work of a stage on each, in amplitudes of a pure state."""

    def predicted_seconds(self, problem: ChargingProblem, times: FloatArray) -> float:
        """See the base class: the stages of all passes by their amplitudes, the outputs, and the run itself."""
        plan = self.plan(problem, times)
        states, amplitudes = self.workload(problem)
        outputs = plan.expected * (len(times) + 1)
        stages = plan.total * plan.scheme.stages + _STAGES_PER_OUTPUT * outputs
        per_stage = _SECONDS_PER_STAGE + SECONDS_PER_AMPLITUDE_STAGE * amplitudes
        per_output = _SECONDS_PER_OUTPUT + _SECONDS_PER_OUTPUT_AND_STATE * states
        return SECONDS_PER_RUN + per_output * outputs + per_stage * stages * states

    def plan(self, problem: ChargingProblem, times: FloatArray) -> Plan:
        """See the base class.

        Strang's splitting, extrapolated from five passes or so, takes the fewest stages in short protocols; in long
        ones the phases of its coarse passes are too far off, and two passes of a splitting of high order are better.
        """
        return _kept_plan(self, problem, tuple(times.tolist()))

    def _new_plan(self, problem: ChargingProblem, times: FloatArray) -> Plan:
        pieces = smooth_pieces(problem, times)
        # two passes of high order do not show how rapidly the axis of relaxation turns
        is_long = initial_steps(problem) >= _LONG and not relaxes(problem)
        schemes = [self.scheme] if self.magnifies_rounding else [STRANG, self.scheme][: 1 + is_long]
        plans = [self._plan(problem, scheme, pieces) for scheme in schemes]
        return min(plans, key=lambda plan: plan.total * plan.scheme.stages)

    def _plan(self, problem: ChargingProblem, scheme: Splitting, pieces: FloatArray) -> Plan:
        turns = initial_steps(problem)
        aim = min(self.tolerance, _LOOSEST_AIM)
        steps = _STEPS[scheme.order] * (1e-6 / aim) ** _RATE[scheme.order] * float(turns)
        if scheme is STRANG:
            steps = max(_FEWEST_STEPS, steps * max(1.0, turns / _MANY_TURNS) ** _GROWTH)
        steps = max(steps, scheme.largest_rotation(problem) / _LARGEST_ROTATION)
        layers = layer_stops(problem, self.tolerance, problem.protocol.duration / steps)
        return Plan(scheme, panel_edges(pieces, layers), steps)


@lru_cache(maxsize=16)  # a run asks for it in its prediction and in its solution
def _kept_plan(engine: SplitStepEngine, problem: ChargingProblem, times: tuple[float, ...]) -> Plan:
    return engine._new_plan(problem, np.array(times))
