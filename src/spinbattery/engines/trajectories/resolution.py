"""Which step trajectories need: coarser than that of the run without jumps where the tolerance allows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ...core.errors import ToleranceError
from ...core.progress import Progress
from ...core.typing import FloatArray
from ...model.problem import ChargingProblem
from ...records.ensemble import Ensemble, SampledSums
from ...records.schema import VARIANCE_FLOOR
from ..common.contract import derived_seed
from ..common.mesh import Mesh
from ..common.refinement import refine
from .jump_runs import Unravelling
from .strata import draw, no_jump_part, sampled_weight

_PROBES = 6
"""Trajectories by which meshes are compared."""

_AIM = 0.7
_WORTHWHILE = 0.95
"""Fewer steps are tried for this part of the tolerance, and where they save more than a twentieth."""


@dataclass(frozen=True)
class Resolution:
    """A mesh, and the errors it leaves.

    Attributes:
        unravelling: on that mesh.
        mesh_steps: number of steps it was asked for.
        mean_error, variance_error: (T + 1,) estimates, absolute.
        worst: what the tolerance bounds: the largest of these, and the relative error of the final sigma^2.
    """

    unravelling: Unravelling
    mesh_steps: int
    mean_error: FloatArray
    variance_error: FloatArray
    worst: float


def choose_mesh(
    problem: ChargingProblem,
    on_mesh: Callable[[Mesh, int], Unravelling],
    coarsest: Mesh,
    tolerance: float,
    max_levels: int,
    order: int,
    progress: Progress,
) -> Resolution:
    """The coarsest mesh that keeps the tolerance, for the run without jumps and for some with jumps.

    The run without jumps is refined as a state vector is. Then a mesh with half the steps, and one with as few as
    its error and the order promise to be enough, are compared with that one, by this run and by a few trajectories
    with the same jumps, each with its weight. Their random numbers are the problem's own, so that runs of all seeds
    and lengths have one mesh, and can be merged.

    Args:
        problem: with noise.
        on_mesh: prepares a level of a mesh.
        coarsest: where refinement begins.
        tolerance: absolute on mu and sigma^2, relative on the final sigma^2.
        max_levels: halvings after which it gives up.
        order: of the splitting.
        progress: told of the fraction of each run.

    Raises:
        ToleranceError: the tolerance is not reached.
    """
    refined = refine(
        lambda halvings: on_mesh(coarsest, halvings).no_jump(progress),
        tolerance,
        max_levels,
        order,
        coarsest.resolved_from,
    )
    fewest = coarsest.steps(0)
    for halvings in range(refined.halvings, max_levels + 1):
        finest = coarsest.steps(halvings)
        probes = _Probes(problem, on_mesh(Mesh(problem, coarsest.stops, finest), 0), order, progress)

        def tried(steps: int, probes: _Probes = probes) -> Resolution:
            return probes.compared(on_mesh(Mesh(problem, coarsest.stops, steps), 0), steps)

        found = tried(finest // 2)
        if found.worst > tolerance:
            continue
        promising = finest // 2 * (found.worst / (_AIM * tolerance)) ** (1.0 / order)
        fewer = max(fewest, round(promising))
        if fewer > _WORTHWHILE * (finest // 2):
            return found
        coarser = tried(fewer)
        return coarser if coarser.worst <= tolerance else found
    raise ToleranceError(
        f"trajectories with jumps still err by {found.worst:.1e} after {max_levels} halvings of the step, above the "
        f"tolerance {tolerance:g}; loosen the tolerance, or raise the engine's max_levels."
    )


class _Probes:
    """The run without jumps, and a few with them, on a mesh that is fine enough."""

    def __init__(self, problem: ChargingProblem, fine: Unravelling, order: int, progress: Progress) -> None:
        self._problem, self._fine, self._order, self._progress = problem, fine, order, progress
        seed = derived_seed(problem, "trajectories:probes")
        self._found = draw(fine, problem, seed, range(_PROBES), 1, progress)
        self._weight = sampled_weight(fine, problem, 1, progress)
        self._none = no_jump_part(fine.no_jump(progress), 1.0 - self._weight)
        sums = SampledSums.of(self._found.moments, self._found.distribution, self._found.spins, self._none)
        self._ensemble = Ensemble(self._none, self._weight, sums)

    def compared(self, coarse: Unravelling, mesh_steps: int) -> Resolution:
        """Errors of a coarser mesh at given jumps: weighted differences, enlarged by what the finer one errs itself."""
        weight = sampled_weight(coarse, self._problem, 1, self._progress)
        none = no_jump_part(coarse.no_jump(self._progress), 1.0 - weight)
        again = coarse.run(self._found.scripts, None, self._progress)
        changes = again.moments - self._found.moments
        by_mean = 2.0 * self._ensemble.moments[:, 0]

        def error(change: FloatArray, change_of_each: FloatArray) -> FloatArray:
            # an error of the probability of no jump moves weight between the strata
            moved = 2.0 * abs(weight - self._weight)
            sampled = self._weight * np.abs(change_of_each).mean(axis=0)
            below = 1.0 - (coarse.steps / self._fine.steps) ** self._order
            return np.asarray((np.abs(change) + moved + sampled) / below)

        change = none.moments - self._none.moments
        mean = error(change[:, 0], changes[..., 0])
        variance = error(change[:, 1] - by_mean * change[:, 0], changes[..., 1] - by_mean * changes[..., 0])
        relative = float(variance[-1] / max(float(self._ensemble.variance[-1]), VARIANCE_FLOOR))
        return Resolution(coarse, mesh_steps, mean, variance, max(float(mean.max()), float(variance.max()), relative))
