"""Steps of a splitting: the coarsest mesh, and the number of halvings that a run will need."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...core.typing import FloatArray
from ...core.units import TWO_PI
from ...model.problem import ChargingProblem
from ..common.mesh import Mesh, initial_steps, largest_decay, largest_local_coupling, stops_of
from ..common.plan import MOST_STEPS, too_many_steps
from ..common.splitting import Splitting

_LARGEST_ROTATION = 1.0
_PREDICTION_SAMPLES = 257
_PREDICTED_ERROR = 64.0


@dataclass(frozen=True)
class StepPrediction:
    """Steps of the first pass, and the halvings until the tolerance is kept."""

    coarsest: int
    halvings: int

    @property
    def finest(self) -> int:
        """Steps of the last pass, which gives the result."""
        return self.coarsest << self.halvings

    @property
    def total(self) -> int:
        """Steps of all passes together."""
        return 2 * self.finest - self.coarsest


@dataclass(frozen=True)
class SplitSteps:
    """Chooses the steps of a splitting, for an engine whose name is for messages."""

    engine: str
    scheme: Splitting
    tolerance: float
    max_levels: int

    def predicted(self, problem: ChargingProblem, times: FloatArray) -> StepPrediction:
        """Steps a run will take, from the fields alone.

        Let x and y be the turns per step of the transverse part (noise included) and of the diagonal part
        for the spin with the largest coupling. The error of a splitting of order p is the time average of
        x y (x + y)^(p - 2), times 2^(-p) for each halving: the leading commutators contain both parts, and in
        a slow protocol errors do not add up, the state follows slightly wrong eigenstates. The prefactor 64 was
        fitted, for both splittings, to the needs of some 5000 runs of networks with N = 2 to 12, in 5 to
        200 ns: 65% were met exactly, 97% within one halving, and 99.9% within two. Before the steps resolve the
        kinks of the schedule, refinement credits no convergence, and its estimate is larger by 2^(p - 2).
        """
        bx, bz, half_b = problem.fields(np.linspace(0.0, problem.protocol.duration, _PREDICTION_SAMPLES))
        coarsest, step = self._predicted_mesh(problem, times, float(np.abs(bx).max()))
        transverse = np.abs(bx) + largest_decay(problem) / TWO_PI
        x, y = step * transverse, step * (np.abs(bz) + largest_local_coupling(problem) * half_b)
        order = self.scheme.order
        error = _PREDICTED_ERROR * float(np.mean(x * y * (x + y) ** (order - 2)))
        resolved = 4 * problem.kinks.size
        for halvings in range(2, self.max_levels):
            penalty = 1.0 if coarsest << halvings >= resolved else 2.0 ** (order - 2)
            if error * penalty * 2.0 ** (-order * halvings) <= self.tolerance:
                return StepPrediction(coarsest, halvings)
        return StepPrediction(coarsest, self.max_levels)

    def _predicted_mesh(self, problem: ChargingProblem, times: FloatArray, transverse: float) -> tuple[int, float]:
        """Steps of the coarsest mesh, and the longest of them in ns, without laying it (see :meth:`mesh`)."""
        gaps = np.diff(stops_of(problem, times))
        largest_turn = TWO_PI * transverse * max(abs(fraction) for fraction in self.scheme.transverse)
        steps = initial_steps(problem)
        while True:
            counts = np.maximum(1.0, np.rint(steps * (gaps / problem.protocol.duration)))
            longest = float((gaps / counts).max())
            if largest_turn * longest <= _LARGEST_ROTATION:
                return int(counts.sum()), longest
            steps *= 2

    def mesh(self, problem: ChargingProblem, times: FloatArray) -> Mesh:
        """Coarsest mesh whose rotations the kernels can make.

        Raises:
            EngineError: it has more than MOST_STEPS steps.
        """
        stops = stops_of(problem, times)
        steps = initial_steps(problem)
        largest_stage = max(abs(fraction) for fraction in self.scheme.transverse)
        while steps <= MOST_STEPS:
            mesh = Mesh(problem, stops, steps)
            edges = mesh.edges(1)
            transverse = TWO_PI * np.abs(problem.fields(edges)[0])
            # the kernels use tan(theta): rotations must stay away from a quarter turn
            theta = largest_stage * np.diff(edges) * np.maximum(transverse[1:], transverse[:-1])
            if theta.max() <= _LARGEST_ROTATION:
                return mesh
            steps *= 2
        raise too_many_steps(self.engine, steps, problem)
