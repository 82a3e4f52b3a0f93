"""Time meshes, and the exact moments of the fields on each step.

On each step a field is replaced by its projection on the first Legendre polynomials. The Magnus expansion of order 2 m
depends on the first m moments alone. So the projection keeps the order of the splitting even where the schedule is a
measured table with a thousand corners, which sampling at midpoints or Gauss nodes would alias.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ...core.quadrature import gauss_nodes, panel_edges
from ...core.typing import FloatArray
from ...core.units import TWO_PI
from ...model.problem import ChargingProblem

_NODES_PER_PANEL = 5
_DENSITY_SAMPLES = 257
_DENSITY_FLOOR = 0.7
_KEPT = 16
"""Problems whose numbers are kept: a run asks for them in its prediction, its mesh and its solution."""

_MANY_STOPS = 1024
"""Above this number of stops a waveform is taken as samples of a smooth function, with short gaps between them."""

RELAXING = slice(3, 7)
"""Rows of :class:`StepFields` that drive relaxation."""


def stops_of(problem: ChargingProblem, times: FloatArray) -> FloatArray:
    """Times in ns that no step may cross: corners of the protocol and output times."""
    return np.unique(np.concatenate([problem.protocol.breakpoints, times]))


def relaxes(problem: ChargingProblem) -> bool:
    """Whether the noise includes relaxation."""
    return problem.noise is not None and bool(np.any(problem.noise.relaxation))


@lru_cache(maxsize=_KEPT)
def largest_local_coupling(problem: ChargingProblem) -> float:
    """Largest sum over one spin's pairs of |coupling|, in units of B(s)/2."""
    pairs, couplings = problem.couplings
    local = np.zeros(problem.n_spins)
    np.add.at(local, pairs, np.abs(couplings)[:, None])
    return float(local.max())


@dataclass(frozen=True)
class StepFields:
    """Functions of :func:`driving` on n steps between ``edges`` (n + 1,) in ns.

    The coefficients (F, n, degree + 1) are those of Legendre polynomials in x = (t - start)/length.
    """

    edges: FloatArray
    coefficients: FloatArray

    @property
    def lengths(self) -> FloatArray:
        return np.diff(self.edges)

    def part(self, first: int, last: int) -> StepFields:
        """Steps ``first`` to ``last - 1``."""
        return StepFields(self.edges[first : last + 1], self.coefficients[:, first:last])


def driving(problem: ChargingProblem) -> Callable[[FloatArray], FloatArray]:
    """Functions of time (m,) in ns, stacked (F, m): Bx, Bz and B/2 in rad/ns, and what drives relaxation, if any.

    The latter are q nx, q nz, nx^2 and nx nz, without unit; see :meth:`~spinbattery.model.noise.Noise.equilibrium`.
    """
    noise = problem.noise

    def functions(t: FloatArray) -> FloatArray:
        bx, bz, half_b = problem.fields(t)
        fields = TWO_PI * np.stack([bx, bz, half_b])
        if noise is None or not relaxes(problem):
            return fields
        nx, nz, q = noise.equilibrium(bx, bz)
        return np.concatenate([fields, np.stack([q * nx, q * nz, nx * nx, nx * nz])])

    return functions


def project_fields(problem: ChargingProblem, edges: FloatArray, kinks: FloatArray, degree: int) -> StepFields:
    """Legendre projection of the functions of :func:`driving` on every step between ``edges`` (ns)."""
    return project(driving(problem), edges, kinks, degree)


def project(
    functions: Callable[[FloatArray], FloatArray], edges: FloatArray, kinks: FloatArray, degree: int
) -> StepFields:
    """Legendre projection of functions, from times (m,) to values (F, m), on every step between ``edges`` (ns).

    The moments are integrated on panels that end at each of the ``kinks`` (ns), where the functions are not smooth, and
    within one step each: cumulative moments would lose all digits for long durations.
    """
    panels = panel_edges(edges, kinks)
    nodes, weights = gauss_nodes(panels, _NODES_PER_PANEL)
    middle = 0.5 * (panels[1:] + panels[:-1])
    step = np.searchsorted(edges, middle, side="right") - 1
    lengths = np.diff(edges)
    x = (nodes - edges[step][:, None]) / lengths[step][:, None]
    basis = np.polynomial.legendre.legvander(2.0 * x - 1.0, degree)
    values = functions(nodes.ravel()).reshape(-1, *nodes.shape)
    starts = np.flatnonzero(np.diff(step, prepend=-1))
    moments = np.einsum("fpj,pj,pjk->fpk", values, weights, basis)
    summed = np.add.reduceat(moments, starts, axis=1)
    normalisation = (2.0 * np.arange(degree + 1) + 1.0) / lengths[:, None]
    return StepFields(edges, summed * normalisation)


class Mesh:
    """Nested time meshes whose steps never cross a stop; each halving divides every step into two.

    Steps are mildly denser where T and V both act. The density varies by a factor 1.4 at most, as transitions resonant
    with a domain wall matter even where A(s) is tiny. Where stops are many the steps between two of them are equal.

    Attributes:
        stops: (m,) times in ns: the protocol's corners and the requested times.
        kinks: times in ns at which the fields are not smooth; steps may cross these.
    """

    def __init__(self, problem: ChargingProblem, stops: FloatArray, steps: int) -> None:
        """Lay about ``steps`` steps before any halving, at least one between any two stops."""
        self.stops = stops
        self.kinks = problem.kinks
        self._largest_coupling = largest_local_coupling(problem)
        self._are_many = len(stops) > _MANY_STOPS
        t = np.linspace(stops[:-1], stops[1:], 2 if self._are_many else _DENSITY_SAMPLES, axis=1)
        density = self._density(problem, t)
        highest = float(density.max())
        raised = np.maximum(density, _DENSITY_FLOOR * highest) if highest > 0.0 else np.ones_like(density)
        cumulative = np.cumsum(0.5 * (raised[:, 1:] + raised[:, :-1]) * np.diff(t, axis=1), axis=1)
        work = cumulative[:, -1]
        self._fractions = np.pad(cumulative, ((0, 0), (1, 0))) / work[:, None], t
        self._counts = np.maximum(1, np.rint(steps * work / work.sum())).astype(int)

    def _density(self, problem: ChargingProblem, t: FloatArray) -> FloatArray:
        bx, bz, half_b = problem.fields(t)
        transverse, diagonal = np.abs(bx), np.abs(bz) + self._largest_coupling * half_b
        return np.asarray((transverse * diagonal * (transverse + diagonal)) ** 0.2)

    def counts(self, halvings: int) -> list[int]:
        """Number of steps between consecutive stops."""
        return [int(count) << halvings for count in self._counts]

    def steps(self, halvings: int) -> int:
        """Number of steps in all."""
        return sum(self.counts(halvings))

    def pauses(self, times: FloatArray) -> FloatArray:
        """Times (ns) up to which steps are made at once: the output ``times`` and the end, or with few stops all stops.

        Only the last digit of a result depends on it.
        """
        return np.union1d(times, self.stops[-1:]) if self._are_many else self.stops

    @property
    def resolved_from(self) -> int:
        """Halvings from which there are four steps or more for each kink of the fields."""
        halvings = 0
        while self.steps(halvings) < 4 * self.kinks.size:
            halvings += 1
        return halvings

    def edges(self, halvings: int) -> FloatArray:
        """Step edges in ns, stops included exactly."""
        counts = self.counts(halvings)
        if self._are_many:
            ends = np.cumsum([0, *counts])
            return np.interp(np.arange(ends[-1] + 1), ends, self.stops)
        parts = [self.stops[:1]]
        for cumulative, t, count in zip(*self._fractions, counts, strict=True):
            inner = np.interp(np.linspace(0.0, 1.0, count + 1), cumulative, t)
            inner[-1] = t[-1]
            parts.append(inner[1:])
        return np.concatenate(parts)


def largest_decay(problem: ChargingProblem) -> float:
    """Fastest decay of one spin's Bloch vector by noise alone, in 1/ns."""
    if problem.noise is None:
        return 0.0
    x, y, z = problem.noise.pauli_rates(problem.n_spins)
    pauli = 2.0 * np.max([x + y, y + z, x + z], axis=0)
    return float(np.max(pauli + problem.noise.relaxation_rates(problem.n_spins)))


@lru_cache(maxsize=_KEPT)
def initial_steps(problem: ChargingProblem) -> int:
    """Steps of the coarsest mesh: two for each turn of the fastest single spin flip.

    A decay counts as a turn with the decay rate as angular frequency.
    """
    t = np.linspace(0.0, problem.protocol.duration, 1025)
    bx, bz, half_b = problem.fields(np.unique(np.concatenate([t, problem.protocol.breakpoints])))
    fastest = float(np.max(np.abs(bx) + np.abs(bz) + largest_local_coupling(problem) * half_b))
    fastest += largest_decay(problem) / TWO_PI
    return max(8, int(np.ceil(2.0 * fastest * problem.protocol.duration)))
