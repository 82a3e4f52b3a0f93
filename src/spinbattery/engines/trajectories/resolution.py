"""The step of trajectories: longer than the step of the run without jumps, if the tolerance allows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...core.errors import ToleranceError
from ...core.progress import Progress
from ...core.typing import FloatArray
from ...model.problem import ChargingProblem
from ...records.ensemble import Ensemble, SampledSums
from ...records.schema import MIXED_VARIANCE_FLOOR
from ..common.contract import derived_seed
from ..common.mesh import Mesh
from .refinement import refine
from .strata import draw, no_jump_part, sampled_weight

if TYPE_CHECKING:
    from .jump_runs import Unravelling

_PROBES = 6
"""Number of trajectories by which meshes are compared."""

_AIM = 0.7
_WORTHWHILE = 0.95
"""Fewer steps are tried, aiming at this part of the tolerance, if they save more than a twentieth."""


@dataclass(frozen=True)
class Resolution:
    """An unravelling on a mesh of about ``mesh_steps`` steps, and its errors.

    Attributes:
        mean_error, variance_error: (T + 1,) absolute estimates.
        worst: the largest of these and of the relative error of the final sigma^2, which must be within the tolerance.
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

    The run without jumps is refined as a state vector is. The resulting mesh is then compared with a mesh of half the
    steps, and with one of as few steps as should be enough by its error and order: by the run without jumps, and by a
    few trajectories with the same jumps, each with its weight. Their random numbers depend on the problem alone, so
    that runs of all seeds and lengths have one mesh, and can be merged.

    Args:
        on_mesh: prepares a multiple of a mesh.
        tolerance: absolute on mu and sigma^2, relative on the final sigma^2.
        max_levels: largest number of halvings, beyond which it raises :class:`ToleranceError`.
    """
    refined = refine(
        lambda halvings: on_mesh(coarsest, 1 << halvings).no_jump(progress),
        tolerance,
        max_levels,
        order,
        coarsest.resolved_from,
    )
    fewest = coarsest.steps(1)
    for halvings in range(refined.halvings, max_levels + 1):
        finest = coarsest.steps(1 << halvings)
        probes = _Probes(on_mesh(Mesh(problem, coarsest.stops, finest), 1), order, progress)

        def tried(steps: int, probes: _Probes = probes) -> Resolution:
            return probes.compared(on_mesh(Mesh(problem, coarsest.stops, steps), 1), steps)

        found = tried(finest // 2)
        if found.worst > tolerance:
            continue
        expected = finest // 2 * (found.worst / (_AIM * tolerance)) ** (1.0 / order)
        fewer = max(fewest, round(expected))
        if fewer > _WORTHWHILE * (finest // 2):
            return found
        coarser = tried(fewer)
        return coarser if coarser.worst <= tolerance else found
    raise ToleranceError(
        f"the error of trajectories with jumps is still {found.worst:.1e} after {max_levels} halvings of the step, "
        f"above the tolerance {tolerance:g}; loosen the tolerance, or increase the engine's max_levels."
    )


class _Probes:
    """The run without jumps, and a few with jumps, on a mesh that is fine enough."""

    def __init__(self, fine: Unravelling, order: int, progress: Progress) -> None:
        self._fine, self._order, self._progress = fine, order, progress
        seed = derived_seed(fine.problem, "trajectories:probes")
        self._found = draw(fine, seed, range(_PROBES), 1, progress)
        self._none = no_jump_part(fine, progress)
        self._weight = sampled_weight(fine, 1)
        sums = SampledSums.of(self._found.moments, self._found.distribution, self._found.spins, self._none)
        self._ensemble = Ensemble(self._none, self._weight, sums)

    def compared(self, coarse: Unravelling, mesh_steps: int) -> Resolution:
        """Errors of a coarser mesh at given jumps: weighted differences, enlarged for the error of the finer mesh."""
        none = no_jump_part(coarse, self._progress)
        weight = sampled_weight(coarse, 1)
        again = coarse.run(self._found.scripts, None, self._progress)
        changes = again.moments - self._found.moments
        by_mean = 2.0 * self._ensemble.moments[:, 0]

        def error(change: FloatArray, change_of_each: FloatArray) -> FloatArray:
            # an error in the probability of no jump moves weight between the strata
            moved = 2.0 * abs(weight - self._weight)
            sampled = self._weight * np.abs(change_of_each).mean(axis=0)
            below = 1.0 - (coarse.steps / self._fine.steps) ** self._order
            return np.asarray((np.abs(change) + moved + sampled) / below)

        change = none.moments - self._none.moments
        mean = error(change[:, 0], changes[..., 0])
        variance = error(change[:, 1] - by_mean * change[:, 0], changes[..., 1] - by_mean * changes[..., 0])
        final, floor = float(self._ensemble.variance[-1]), MIXED_VARIANCE_FLOOR / len(self._none.spins)
        relative = float(variance[-1]) / max(final, floor) if final + variance[-1] > floor else 0.0
        return Resolution(coarse, mesh_steps, mean, variance, max(float(mean.max()), float(variance.max()), relative))
