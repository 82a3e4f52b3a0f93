"""Time meshes, and the exact moments of the fields on each step.

A field is replaced on each step by its projection on the first Legendre polynomials. The Magnus
expansion of order 2 m depends on the first m moments alone, so the projection keeps the order of
the splitting even where the schedule is a measured table with a thousand corners, which sampling at
midpoints or Gauss nodes would alias.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from .._typing import FloatArray
from ..problem import ChargingProblem
from ..quadrature import gauss_nodes, panel_edges
from ..units import TWO_PI

_NODES_PER_PANEL = 5
_DENSITY_SAMPLES = 257
_DENSITY_FLOOR = 0.7


def largest_local_coupling(problem: ChargingProblem) -> float:
    """Largest sum over one spin's pairs of |coupling|, in units of B(s)/2."""
    pairs, couplings = problem.couplings
    local = np.zeros(problem.n_spins)
    np.add.at(local, pairs, np.abs(couplings)[:, None])
    return float(local.max())


@dataclass(frozen=True)
class StepFields:
    """Fields in rad/ns on each of n steps, as Legendre coefficients in x = (t - start)/length.

    Attributes:
        edges: (n + 1,) times in ns.
        coefficients: (3, n, degree + 1) for (Bx, Bz, B/2).
    """

    edges: FloatArray
    coefficients: FloatArray

    @property
    def lengths(self) -> FloatArray:
        return np.diff(self.edges)

    def part(self, first: int, last: int) -> StepFields:
        """Steps ``first`` to ``last - 1``."""
        return StepFields(self.edges[first : last + 1], self.coefficients[:, first:last])


def project_fields(problem: ChargingProblem, edges: FloatArray, kinks: FloatArray, degree: int) -> StepFields:
    """Legendre projection of the fields on every step between ``edges`` (ns).

    The moments are integrated on panels that end at every one of the ``kinks`` (ns), and locally to
    each step: cumulative moments would lose all digits for long durations.
    """
    panels = panel_edges(edges, kinks)
    nodes, weights = gauss_nodes(panels, _NODES_PER_PANEL)
    middle = 0.5 * (panels[1:] + panels[:-1])
    step = np.searchsorted(edges, middle, side="right") - 1
    lengths = np.diff(edges)
    x = (nodes - edges[step][:, None]) / lengths[step][:, None]
    basis = np.polynomial.legendre.legvander(2.0 * x - 1.0, degree)
    fields = TWO_PI * np.stack([f.reshape(nodes.shape) for f in problem.fields(nodes.ravel())])
    starts = np.flatnonzero(np.diff(step, prepend=-1))
    moments = np.einsum("fpj,pj,pjk->fpk", fields, weights, basis)
    summed = np.add.reduceat(moments, starts, axis=1)
    normalisation = (2.0 * np.arange(degree + 1) + 1.0) / lengths[:, None]
    return StepFields(edges, summed * normalisation)


class Mesh:
    """Nested time meshes whose steps never cross a stop; each level halves every step.

    Steps are mildly denser where T and V both act. The density may not vary by more than a factor
    1.4: transitions resonant with a domain wall matter even where A(s) is tiny.

    Attributes:
        stops: (m,) times in ns no step crosses: the protocol's corners and the requested times.
        kinks: times in ns at which the fields are not smooth; steps may cross these.
    """

    def __init__(self, problem: ChargingProblem, stops: FloatArray, steps: int) -> None:
        """Lay about ``steps`` steps at level 0, at least one between any two stops."""
        self.stops = stops
        self.kinks = problem.protocol.kinks(problem.scales)
        self._largest_coupling = largest_local_coupling(problem)
        samples = [np.linspace(a, b, _DENSITY_SAMPLES) for a, b in pairwise(stops)]
        density = [self._density(problem, t) for t in samples]
        highest = max((float(d.max()) for d in density), default=0.0)
        self._fractions = []
        work = np.empty(len(samples))
        for k, (t, d) in enumerate(zip(samples, density, strict=True)):
            level = np.maximum(d, _DENSITY_FLOOR * highest) if highest > 0.0 else np.ones_like(d)
            cumulative = np.concatenate([[0.0], np.cumsum(0.5 * (level[1:] + level[:-1]) * np.diff(t))])
            work[k] = cumulative[-1]
            self._fractions.append((cumulative / cumulative[-1], t))
        self._counts = np.maximum(1, np.rint(steps * work / work.sum())).astype(int)

    def _density(self, problem: ChargingProblem, t: FloatArray) -> FloatArray:
        bx, bz, half_b = problem.fields(t)
        transverse, diagonal = np.abs(bx), np.abs(bz) + self._largest_coupling * half_b
        return np.asarray((transverse * diagonal * (transverse + diagonal)) ** 0.2)

    def counts(self, level: int) -> list[int]:
        """Number of steps between consecutive stops."""
        return [int(count) << level for count in self._counts]

    @property
    def resolved_from(self) -> int:
        """First level with four steps or more for each kink of the fields."""
        level = 0
        while sum(self.counts(level)) < 4 * self.kinks.size:
            level += 1
        return level

    def edges(self, level: int) -> FloatArray:
        """Step edges in ns, stops included exactly."""
        parts = [self.stops[:1]]
        for (cumulative, t), count in zip(self._fractions, self.counts(level), strict=True):
            inner = np.interp(np.linspace(0.0, 1.0, count + 1), cumulative, t)
            inner[-1] = t[-1]
            parts.append(inner[1:])
        return np.concatenate(parts)


def initial_steps(problem: ChargingProblem) -> int:
    """Steps of the coarsest mesh: two for each turn of the fastest single spin flip."""
    t = np.linspace(0.0, problem.protocol.duration, 1025)
    bx, bz, half_b = problem.fields(np.unique(np.concatenate([t, problem.protocol.breakpoints])))
    fastest = float(np.max(np.abs(bx) + np.abs(bz) + largest_local_coupling(problem) * half_b))
    return max(8, int(np.ceil(2.0 * fastest * problem.protocol.duration)))
