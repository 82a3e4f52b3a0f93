"""Strata of a noisy run: no jump exactly, one jump by quadrature, and a sample of the rest."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from ...core.errors import ToleranceError
from ...core.progress import Progress
from ...core.typing import FloatArray
from ...model.problem import ChargingProblem
from ...records.ensemble import ExactPart, SampledSums
from .jump_plan import Panel, PoissonJumps, Script, SiteJump, one_jump_panels, site_jumps
from .jump_runs import NoJump, Outcomes, Unravelling

_TRAJECTORIES_AT_ONCE = 2048
"""Outcomes that are held before they are summed."""

_MOST_INTERVALS = 640
_LEAST_VARIANCE = 1e-9
"""Of sigma^2 below it no relative error is asked for."""

_LEAST_WEIGHT = 1e-12

_NO_CHOICES = np.empty(0, dtype=np.int64)


def no_jump_part(run: NoJump, weight: float) -> ExactPart:
    """The stratum without jumps."""
    return ExactPart(weight, weight * run.moments, weight * run.distribution, weight * run.spins)


def sampled_weight(unravelling: Unravelling, problem: ChargingProblem, least: int, progress: Progress) -> float:
    """Probability of ``least`` jumps or more: one, or with Pauli noise alone two."""
    if unravelling.damped:
        return float(-np.expm1(unravelling.no_jump(progress).log_survival[-1]))
    return PoissonJumps(problem).weight(least)


def draw(
    unravelling: Unravelling, problem: ChargingProblem, seed: int, numbers: range, least: int, progress: Progress
) -> Outcomes:
    """Trajectories with these numbers: number i is always the same one.

    Args:
        unravelling: which runs them.
        problem: what they are of.
        seed: of all of them; trajectory i has the random numbers of (seed, i).
        numbers: which ones.
        least: jumps that each has at least.
        progress: told of the fraction done.
    """
    generators = [np.random.default_rng([seed, number]) for number in numbers]
    if not unravelling.damped:
        jumps = PoissonJumps(problem)
        return unravelling.run([jumps.script(random, least) for random in generators], None, progress)
    first = unravelling.first_events(np.array([random.random() for random in generators]))
    scripts = [Script(first[i : i + 1], _NO_CHOICES) for i in range(len(first))]
    return unravelling.run(scripts, generators, progress)


def sample(
    unravelling: Unravelling,
    problem: ChargingProblem,
    seed: int,
    numbers: range,
    least: int,
    exact: ExactPart,
    progress: Progress,
) -> SampledSums:
    """Sums over the trajectories of :func:`draw` beside those exact strata, some thousand at a time."""
    parts = []
    for start in range(numbers.start, numbers.stop, _TRAJECTORIES_AT_ONCE):
        some = range(start, min(start + _TRAJECTORIES_AT_ONCE, numbers.stop))

        def part(fraction: float, message: str, before: int = start - numbers.start, size: int = len(some)) -> None:
            progress((before + fraction * size) / len(numbers), message)

        found = draw(unravelling, problem, seed, some, least, part)
        parts.append(SampledSums.of(found.moments, found.distribution, found.spins, exact))
    total = parts[0]
    for sums in parts[1:]:
        total += sums
    return total


class OneJump(NamedTuple):
    """The stratum with one jump, by quadrature.

    Attributes:
        part: its contribution.
        error: (T + 1, 2) estimated errors of mu and sigma^2.
        runs: trajectories that were run for it.
    """

    part: ExactPart
    error: FloatArray
    runs: int


class _Integral:
    """One kind of jump in one panel, with what was found at the nodes."""

    def __init__(self, panel: Panel, jump: SiteJump) -> None:
        self.panel, self.jump = panel, jump
        self._values: tuple[FloatArray, FloatArray, FloatArray] | None = None

    def scripts(self) -> list[Script]:
        """Runs that are missing."""
        times = self.panel.nodes if self._values is None else self.panel.new_nodes
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
        """Contribution of the panel, which has this probability."""
        assert self._values is not None
        moments, distribution, spins = (np.tensordot(self.panel.weights, known, 1) for known in self._values)
        return ExactPart(weight, weight * moments, weight * distribution, weight * spins)

    def error(self, mean: FloatArray) -> FloatArray:
        """(T + 1, 2) estimated errors of means of mu and of what sigma^2 changes by, about a mean (T + 1,) of all."""
        assert self._values is not None
        mu, square = self._values[0][..., 0], self._values[0][..., 1]
        return np.stack([self.panel.error(mu), self.panel.error(square - 2.0 * mean * mu)], axis=-1)


class OneJumpRule:
    """Quadrature over when the one jump falls, a sum over which it is.

    Attributes:
        runs: trajectories it takes at least.
    """

    def __init__(self, problem: ChargingProblem, stops: FloatArray) -> None:
        """Lay panels between stops (ns): corners of the protocol, and output times."""
        jumps, self._orbits = site_jumps(problem)
        self._integrals = [_Integral(panel, jump) for panel in one_jump_panels(stops) for jump in jumps]
        poisson = PoissonJumps(problem)
        self._density = (poisson.weight(1) - poisson.weight(2)) / problem.protocol.duration
        self._rest = poisson.weight(2) / poisson.weight(1)
        self.runs = sum(len(integral.scripts()) for integral in self._integrals)

    def pays(self, trajectories: int) -> bool:
        """Whether it makes errors smaller than as much work on more trajectories does.

        Standard errors fall with the weight of what is sampled. The nodes will have to be doubled about once; their
        runs take half the time of the protocol.
        """
        return self.runs <= trajectories and self._rest**2 * (1.0 + self.runs / trajectories) < 1.0

    def integrate(
        self, unravelling: Unravelling, none: ExactPart, tolerance: float, most_runs: int | None, progress: Progress
    ) -> OneJump | None:
        """The stratum to the tolerance; None where that takes more than ``most_runs``.

        The nodes of a panel are doubled until its error is the tolerance's share of that stretch of time.

        Args:
            unravelling: which runs the trajectories.
            none: the stratum without jumps, to know sigma^2 roughly.
            tolerance: absolute on mu and sigma^2, relative on the final sigma^2.
            most_runs: None for no limit.
            progress: told of the fraction done of each round.

        Raises:
            ToleranceError: without a limit of runs, more nodes than are reasonable.
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
                        "ns do not resolve when one jump falls; loosen the tolerance, or choose one_jump='sampled'."
                    )
        error = np.sum([integral.error(mean) * self._weight(integral) for integral in self._integrals], axis=0)
        return OneJump(self._sum(), error, runs)

    def _weight(self, integral: _Integral) -> float:
        return self._density * (integral.panel.end - integral.panel.start) * integral.jump.share

    def _sum(self) -> ExactPart:
        """The stratum; every spin of an orbit has the mean of all, for jumps of one of them stand for those of all."""
        parts = [integral.part(self._weight(integral)) for integral in self._integrals]
        total = sum(parts[1:], parts[0])
        counts = np.bincount(self._orbits, minlength=len(self._orbits))
        means = np.bincount(self._orbits, weights=total.spins, minlength=len(counts)) / np.maximum(counts, 1)
        return replace(total, spins=means[self._orbits])

    def _target(self, none: ExactPart, tolerance: float) -> tuple[FloatArray, FloatArray]:
        """The mean mu (T + 1,), roughly, and the errors (T + 1, 2) that means over the time of one jump may have."""
        one = self._sum()
        if one.weight < _LEAST_WEIGHT:
            return np.zeros(len(one.moments)), np.full((len(one.moments), 2), np.inf)
        mean, square, _ = ((none.moments + one.moments) / (none.weight + one.weight)).T
        allowed = np.full((len(mean), 2), tolerance / one.weight)
        allowed[-1, 1] *= min(1.0, max(float(square[-1] - mean[-1] ** 2), _LEAST_VARIANCE))
        return mean, allowed
