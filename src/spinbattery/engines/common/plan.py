"""The plan of a run: the scheme of a step, the first mesh, and the passes that it will probably take."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...core.errors import EngineError
from ...core.typing import FloatArray
from ...model.problem import ChargingProblem
from .mesh import Density, Mesh, splitting_density
from .propagation import Scheme

MOST_STEPS = 20_000_000
"""Largest number of steps of the first pass."""

_STEPS_OF_A_PIECE = 7.0

_EXPECTED = {2: 6}
_EXPECTED_OF_HIGHER_ORDER = 2


@dataclass(frozen=True)
class Plan:
    """Steps of a run.

    Attributes:
        scheme: of one step.
        pieces: times in ns between which the fields are smooth, which no step crosses.
        steps: about the number of steps of the first pass.
        density: of steps.
    """

    scheme: Scheme
    pieces: FloatArray
    steps: float
    density: Density = splitting_density

    @property
    def expected(self) -> int:
        """Passes until the tolerance is kept, in most cases."""
        return _EXPECTED.get(self.scheme.order, _EXPECTED_OF_HIGHER_ORDER)

    @property
    def first(self) -> int:
        """Multiple of the first pass: 2, so that passes do not take much more steps than the one before, if the first
        mesh, of half the steps, still has several in each piece or passes are few."""
        return 1 if self.scheme.order == 2 and self.steps < _STEPS_OF_A_PIECE * len(self.pieces) else 2

    @property
    def multiples(self) -> list[int]:
        """Multiples of the expected passes."""
        return list(range(self.first, self.first + self.expected))

    @property
    def finest(self) -> float:
        """About the number of steps of the last expected pass."""
        return self.total * self.multiples[-1] / sum(self.multiples)

    @property
    def total(self) -> float:
        """About the number of steps of all expected passes together."""
        gaps = np.diff(self.pieces)
        return float(np.maximum(1.0, self.steps / self.first * gaps / gaps.sum()).sum()) * sum(self.multiples)

    def mesh(self, problem: ChargingProblem) -> Mesh:
        """The mesh of which each pass has a multiple."""
        return Mesh(problem, self.pieces, max(1, round(self.steps / self.first)), self.density)


def too_many_steps(engine: str, steps: float, problem: ChargingProblem) -> EngineError:
    """The error to raise for a first pass of more than MOST_STEPS steps."""
    return EngineError(
        f"the {engine} engine would need {steps:.1e} steps at the coarsest for {problem.protocol.duration:g} ns "
        f"with these fields and couplings, more than {MOST_STEPS:.0e}; shorten the duration or reduce h and J."
    )
