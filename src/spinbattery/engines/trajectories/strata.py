"""Strata of a noisy run: no jump, exactly; one jump, by quadrature; and a sample of the rest."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ...core.errors import ToleranceError
from ...core.progress import Progress, silent
from ...core.typing import FloatArray
from ...model.problem import ChargingProblem
from ...records.ensemble import ExactPart, SampledSums
from .jump_plan import Panel, PoissonJumps, Script, SiteJump, one_jump_panels, site_jumps

if TYPE_CHECKING:
    from .jump_runs import Outcomes, Unravelling

_TRAJECTORIES_AT_ONCE = 2048
"""Number of outcomes that are held in memory before they are summed."""

_MOST_INTERVALS = 640
_LEAST_VARIANCE = 1e-9
"""Smallest sigma^2 whose relative error must be within the tolerance."""

_LEAST_WEIGHT = 1e-12

_NO_CHOICES = np.empty(0, dtype=np.int64)


def no_jump_part(unravelling: Unravelling, progress: Progress = silent) -> ExactPart:
    """The stratum without jumps."""
    run = unravelling.no_jump(progress)
    weight = 1.0 - sampled_weight(unravelling, 1)
    return ExactPart(weight, weight * run.moments, weight * run.distribution, weight * run.spins)


def sampled_weight(unravelling: Unravelling, least: int) -> float:
    """Probability of ``least`` jumps or more; with relaxation ``least`` must be one."""
    if unravelling.damped:
        return float(-np.expm1(unravelling.no_jump().log_survival[-1]))
    return PoissonJumps(unravelling.problem).weight(least)


def draw(unravelling: Unravelling, seed: int, numbers: range, least: int, progress: Progress) -> Outcomes:
    """Trajectories of ``least`` jumps or more; trajectory i always has the random numbers of (seed, i)."""
    generators = [np.random.default_rng([seed, number]) for number in numbers]
    if not unravelling.damped:
        jumps = PoissonJumps(unravelling.problem)
        return unravelling.run([jumps.script(random, least) for random in generators], None, progress)
    first = unravelling.first_events(np.array([random.random() for random in generators]))
    scripts = [Script(first[i : i + 1], _NO_CHOICES) for i in range(len(first))]
    return unravelling.run(scripts, generators, progress)


def sample(
    unravelling: Unravelling, seed: int, numbers: range, least: int, exact: ExactPart, progress: Progress
) -> SampledSums:
    """Sums over the trajectories of :func:`draw` beside the exact strata, some thousand at a time."""
    parts = []
    for start in range(numbers.start, numbers.stop, _TRAJECTORIES_AT_ONCE):
        some = range(start, min(start + _TRAJECTORIES_AT_ONCE, numbers.stop))

        def part(fraction: float, message: str, before: int = start - numbers.start, size: int = len(some)) -> None:
            progress((before + fraction * size) / len(numbers), message)

        found = draw(unravelling, seed, some, least, part)
        parts.append(SampledSums.of(found.moments, found.distribution, found.spins, exact))
    total = parts[0]
    for sums in parts[1:]:
        total += sums
    return total


class OneJump(NamedTuple):
    """The stratum with one jump, (T + 1, 2) estimated errors of mu and sigma^2, and number of runs it took."""

    part: ExactPart
    error: FloatArray
    runs: int


class _Integral:
    """One kind of jump in one panel, with the results at the nodes."""

    def __init__(self, panel: Panel, jump: SiteJump) -> None:
        self.panel, self.jump = panel, jump
        self._values: tuple[FloatArray, FloatArray, FloatArray] | None = None

    def scripts(self) -> list[Script]:
        """Runs whose results are missing."""
        # every other node is among those for half the intervals
        times = self.panel.nodes if self._values is None else self.panel.nodes[::2]
        return [Script(np.array([time]), np.array([self.jump.choice])) for time in times.tolist()]

    def add(self, moments: FloatArray, distribution: FloatArray, spins: FloatArray) -> None:
        """Results of :meth:`scripts`."""
        new = (moments, distribution, spins)
        if self._values is not None:
            moments, distribution, spins = (
                np.insert(known, np.arange(len(known) + 1), between, axis=0)
                for known, between in zip(self._values, new, strict=True)
            )
        self._values = (moments, distribution, spins)

    def part(self, weight: float) -> ExactPart:
        """Contribution of the panel, whose probability is the weight."""
        assert self._values is not None
        moments, distribution, spins = (np.tensordot(self.panel.weights, known, 1) for known in self._values)
        return ExactPart(weight, weight * moments, weight * distribution, weight * spins)

    def error(self, mean: FloatArray) -> FloatArray:
        """Estimated errors (T + 1, 2) of mu and of the change of sigma^2, about the mean mu (T + 1,) of all strata."""
        assert self._values is not None
        mu, square = self._values[0][..., 0], self._values[0][..., 1]
        return np.stack([self.panel.error(mu), self.panel.error(square - 2.0 * mean * mu)], axis=-1)


class OneJumpRule:
    """Quadrature over the time of the one jump, and a sum over its kinds; it takes ``runs`` trajectories at least."""

    def __init__(self, problem: ChargingProblem, stops: FloatArray) -> None:
        """Lay panels between the stops (ns), which are corners of the protocol and output times."""
        jumps, self._orbits = site_jumps(problem)
        self._integrals = [_Integral(panel, jump) for panel in one_jump_panels(stops) for jump in jumps]
        poisson = PoissonJumps(problem)
        self._density = (poisson.weight(1) - poisson.weight(2)) / problem.protocol.duration
        self._rest = poisson.weight(2) / poisson.weight(1)
        self.runs = sum(len(integral.scripts()) for integral in self._integrals)

    def pays(self, trajectories: int) -> bool:
        """Whether the quadrature reduces the errors more than the same work on more trajectories.

        Standard errors fall with the weight of the sampled strata. The nodes will have to be doubled about once; their
        runs take half the time of the protocol.
        """
        return self.runs <= trajectories and self._rest**2 * (1.0 + self.runs / trajectories) < 1.0

    def integrate(
        self, unravelling: Unravelling, none: ExactPart, tolerance: float, most_runs: int | None, progress: Progress
    ) -> OneJump | None:
        """The stratum to the tolerance; None where that takes more than ``most_runs``.

        The nodes of a panel are doubled until its error is the panel's share of the tolerance.

        Args:
            none: the stratum without jumps, for a rough sigma^2.
            tolerance: absolute on mu and sigma^2, relative on the final sigma^2.
            most_runs: None for no limit; more nodes than are reasonable then raise :class:`ToleranceError`.
        """
        pending, runs = self._integrals, 0
        while pending:
            scripts = [script for integral in pending for script in integral.scripts()]
            runs += len(scripts)
            if most_runs is not None and runs > most_runs:
                return None
            found, first = unravelling.run(scripts, None, progress), 0
            for integral in pending:
                rows = slice(first, first + len(integral.scripts()))
                integral.add(found.moments[rows], found.distribution[rows], found.spins[rows])
                first = rows.stop
            mean, allowed = self._target(none, tolerance)
            pending = [integral for integral in pending if (integral.error(mean) > allowed).any()]
            for integral in pending:
                integral.panel = integral.panel.doubled()
                if most_runs is None and integral.panel.intervals > _MOST_INTERVALS:
                    raise ToleranceError(
                        f"{integral.panel.intervals} nodes between {integral.panel.start:g} and {integral.panel.end:g} "
                        "ns do not resolve the time of one jump; loosen the tolerance, or choose one_jump='sampled'."
                    )
        error = np.sum([integral.error(mean) * self._weight(integral) for integral in self._integrals], axis=0)
        return OneJump(self._sum(), error, runs)

    def _weight(self, integral: _Integral) -> float:
        return self._density * (integral.panel.end - integral.panel.start) * integral.jump.share

    def _sum(self) -> ExactPart:
        """The stratum; every spin of an orbit has the mean of the orbit, as one spin jumps for all of them."""
        parts = [integral.part(self._weight(integral)) for integral in self._integrals]
        total = sum(parts[1:], parts[0])
        counts = np.bincount(self._orbits, minlength=len(self._orbits))
        means = np.bincount(self._orbits, weights=total.spins, minlength=len(counts)) / np.maximum(counts, 1)
        return replace(total, spins=means[self._orbits])

    def _target(self, none: ExactPart, tolerance: float) -> tuple[FloatArray, FloatArray]:
        """A rough mean mu (T + 1,), and the allowed errors (T + 1, 2) of means over the time of one jump."""
        one = self._sum()
        if one.weight < _LEAST_WEIGHT:
            return np.zeros(len(one.moments)), np.full((len(one.moments), 2), np.inf)
        mean, square, _ = ((none.moments + one.moments) / (none.weight + one.weight)).T
        allowed = np.full((len(mean), 2), tolerance / one.weight)
        allowed[-1, 1] *= min(1.0, max(float(square[-1] - mean[-1] ** 2), _LEAST_VARIANCE))
        return mean, allowed
