"""Number, times and kinds of the jumps of Pauli noise, which do not depend on the state."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from ...core.typing import FloatArray, IntArray
from ...model.noise import Noise
from ...model.problem import ChargingProblem
from ...model.symmetry import symmetry_group

_INTERVALS_PER_NS = 5.0
_FEWEST_INTERVALS = 4
_LONGEST_PANEL = 10.0
"""In ns, for 50 intervals at first."""


class Script(NamedTuple):
    """Jumps of one trajectory: times (K,) in ns, ascending, and numbers (K,) kind N + spin; see :mod:`.jumps`."""

    times: FloatArray
    choices: IntArray


class PoissonJumps:
    """Jumps of Pauli noise: unitary flips at times of a Poisson process, ``expected`` in the mean."""

    def __init__(self, problem: ChargingProblem) -> None:
        self._rates = (problem.noise or Noise()).pauli_rates(problem.n_spins)
        self._duration = problem.protocol.duration
        self._laws: dict[int, tuple[IntArray, FloatArray]] = {}
        self._chosen = np.cumsum(self._rates.ravel())
        self.expected = float(self._rates.sum()) * self._duration

    def weight(self, least: int) -> float:
        """Probability of ``least`` jumps or more."""
        from scipy.special import gammainc

        return 1.0 if least == 0 else float(gammainc(least, self.expected))

    def numbers(self, uniform: FloatArray, least: int) -> IntArray:
        """Numbers of jumps, if there are ``least`` or more, from random numbers in [0, 1)."""
        if least not in self._laws:
            self._laws[least] = self._law(least)
        k, cumulative = self._laws[least]
        return np.asarray(k[np.searchsorted(cumulative, uniform * cumulative[-1], side="right").clip(0, len(k) - 1)])

    def _law(self, least: int) -> tuple[IntArray, FloatArray]:
        """Possible numbers of jumps and their cumulative probabilities, not normalised."""
        from scipy.special import gammaln

        x, reach = self.expected, 40 + int(12.0 * math.sqrt(self.expected))
        k = np.arange(max(least, int(x) - reach), max(least, int(x)) + reach)
        logarithms = k * math.log(x) - gammaln(k + 1.0)
        return k, np.cumsum(np.exp(logarithms - logarithms.max()))

    def script(self, random: np.random.Generator, least: int) -> Script:
        """Jumps of one trajectory that has ``least`` or more."""
        number = int(self.numbers(random.random(1), least)[0])
        times = np.sort(random.random(number)) * self._duration
        which = np.searchsorted(self._chosen, random.random(number) * self._chosen[-1], side="right")
        return Script(times, np.minimum(which, np.flatnonzero(self._rates.ravel())[-1]))


@dataclass(frozen=True)
class Panel:
    """A stretch of time (ns) in which the moments depend smoothly on the time of the one jump.

    Fejer's second rule: the nodes for n intervals, start + (1 - cos(pi j/n)) (end - start)/2 with 0 < j < n, are among
    the nodes for 2 n. It leaves out the ends, where an output may be, and converges about as fast as Gauss's rule.
    ``intervals`` is the even number n.
    """

    start: float
    end: float
    intervals: int

    @property
    def nodes(self) -> FloatArray:
        """(n - 1,) times in ns."""
        angles = np.pi * np.arange(1, self.intervals) / self.intervals
        return self.start + 0.5 * (1.0 - np.cos(angles)) * (self.end - self.start)

    @property
    def weights(self) -> FloatArray:
        """(n - 1,) weights that sum to one (Waldvogel, BIT 46, 195 (2006))."""
        n = self.intervals
        angles = np.pi * np.arange(1, n) / n
        odd = np.arange(1, n, 2)
        return np.asarray(2.0 / n * np.sin(angles) * (np.sin(np.outer(angles, odd)) @ (1.0 / odd)))

    def doubled(self) -> Panel:
        """The same with twice the intervals."""
        return replace(self, intervals=2 * self.intervals)

    def error(self, values: FloatArray) -> FloatArray:
        """Estimated errors of means over the panel, from values (n - 1, F) at the nodes, shape (F,).

        The difference to the rule with half the intervals is the error of the latter. In units of the range of the
        values it is raised to the power 3/2, as in QUADPACK, because convergence is faster than exponential: in
        trials with 3 to 12 nodes per ns, doubling the nodes raised the error to a power of about two.
        """
        halved = replace(self, intervals=self.intervals // 2)
        difference = np.abs(self.weights @ values - halved.weights @ values[1::2])
        largest = np.ptp(values, axis=0)
        ratio = np.divide(difference, largest, out=np.zeros_like(largest), where=largest > 0.0)
        return np.asarray(largest * np.minimum(ratio, 1.0) ** 1.5)


def one_jump_panels(stops: FloatArray) -> list[Panel]:
    """Panels between stops (ns), with the fewest nodes that may be enough."""
    panels = []
    for a, b in zip(stops[:-1].tolist(), stops[1:].tolist(), strict=True):
        parts = max(1, math.ceil((b - a) / _LONGEST_PANEL))
        edges = np.linspace(a, b, parts + 1).tolist()
        intervals = max(_FEWEST_INTERVALS, 2 * math.ceil(0.5 * _INTERVALS_PER_NS * (b - a) / parts))
        panels += [Panel(start, end, intervals) for start, end in pairwise(edges)]
    return panels


@dataclass(frozen=True)
class SiteJump:
    """A jump, kind N + spin, that stands for all spins of its orbit, which have this share of all jumps."""

    choice: int
    share: float


def site_jumps(problem: ChargingProblem) -> tuple[list[SiteJump], IntArray]:
    """All distinct jumps, with shares that sum to one, and the orbit of each spin under the symmetries."""
    n = problem.n_spins
    rates = (problem.noise or Noise()).pauli_rates(n)
    orbits = symmetry_group(problem).site_orbits()
    found = []
    for kind in range(3):
        for spin in np.unique(orbits).tolist():
            share = float(rates[kind, orbits == spin].sum() / rates.sum())
            if share > 0.0:
                found.append(SiteJump(kind * n + spin, share))
    return found, orbits
