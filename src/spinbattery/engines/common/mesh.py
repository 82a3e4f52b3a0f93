"""Time meshes, and the exact moments of the fields on each step.

On each step a field is replaced by its projection on the first Legendre polynomials. The Magnus expansion of order 2 m
depends on the first m moments alone. So the projection keeps the order of the splitting even where the schedule is a
measured table with a thousand corners, which sampling at midpoints or Gauss nodes would alias.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from typing import TypeAlias

import numpy as np

from ...core.arrays import distinct, read_only
from ...core.quadrature import gauss_nodes, panel_edges
from ...core.typing import FloatArray, IntArray
from ...core.units import TWO_PI
from ...model.problem import ChargingProblem

_NODES_PER_PANEL, _NODES_OF_MEANS, _NODES_OF_SMOOTH_MEANS = 5, 2, 1
"""Quadrature nodes. Of the mean of a field that is smooth within every step one is enough, and of others two: the error
is even in the step, as the error of the schemes is. What drives relaxation turns rapidly where a field changes its sign
and needs more."""

_HALVES = 36
"""Halvings of the protocol towards a time at which a layer may be thin: a part of 1e-11 is left."""

_THIN = 0.06
"""Part of the protocol below which a layer may be thin: a mesh has 60 steps or so at least."""

_KEPT = 16
"""Problems whose numbers are kept: a run asks for them in its prediction, its mesh and its solution."""

_DENSITY_SAMPLES = 33
_DENSITY_FLOOR, _DENSITY_POWER = 0.5, 1.0 / 3.0
_MANY_STOPS = 1024
"""Above this number of stops a waveform is taken as samples of a smooth function, with short gaps between them."""

RELAXING = slice(3, 7)
"""Rows of :class:`StepFields` that drive relaxation."""


def stops_of(problem: ChargingProblem, times: FloatArray) -> FloatArray:
    """Times in ns that no step may cross: corners of the protocol and output times."""
    return distinct(np.concatenate([problem.protocol.breakpoints, times]))


def smooth_pieces(problem: ChargingProblem, times: FloatArray) -> FloatArray:
    """Times in ns between which the fields are smooth: the stops, and the kinks of the energy scales.

    Where spins relax, the field's direction counts: it turns about at once where Bz changes its sign and Bx is small.
    """
    kinks = problem.kinks
    if relaxes(problem):
        kinks = np.concatenate([kinks, problem.protocol.g.crossings(np.zeros(1)) * problem.protocol.duration])
    return panel_edges(stops_of(problem, times), distinct(kinks))


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
        return self.edges[1:] - self.edges[:-1]

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
    if relaxes(problem):
        kinks = distinct(np.concatenate([kinks, _layers(problem)]))
    nodes = max(_NODES_PER_PANEL, degree + 1)
    if degree == 0 and not relaxes(problem):
        nodes = _NODES_OF_MEANS if kinks.size else _NODES_OF_SMOOTH_MEANS
    return project(driving(problem), edges, kinks, degree, nodes)


def project_together(problem: ChargingProblem, mesh: Mesh, multiples: Sequence[int], degree: int) -> list[StepFields]:
    """:func:`project_fields` on several multiples of a mesh with a few steps, whose fields are found at once."""
    if relaxes(problem) or mesh.crossed.size:
        return [project_fields(problem, mesh.edges(multiple), mesh.crossed, degree) for multiple in multiples]
    edges = mesh.edges(*multiples)
    fields = project_fields(problem, edges, mesh.crossed, degree)  # the step between two meshes belongs to none
    steps = [mesh.steps(multiple) for multiple in multiples]
    firsts = accumulate((n + 1 for n in steps[:-1]), initial=0)
    return [fields.part(first, first + n) for first, n in zip(firsts, steps, strict=True)]


@lru_cache(maxsize=_KEPT)
def turning_points(problem: ChargingProblem) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Times (m,) in ns at which the direction of the field may turn rapidly, and how long that takes before and after.

    These are the zeros and the corners of g. From there on Bz changes by the field itself within |field| / |dBz/dt|.
    """
    gain, duration = problem.protocol.g, problem.protocol.duration
    u = distinct(np.concatenate([gain.breakpoints, gain.crossings(np.zeros(1))]))
    bx, bz, half_b = problem.fields(u * duration)
    energy, slope = np.hypot(bx, bz), np.abs(problem.protocol.h * np.diff(gain(u)) / np.diff(u)) / duration
    before, after = np.full((2, u.size), np.inf)
    for widths, at in ((before, slice(1, None)), (after, slice(None, -1))):
        rate = slope * half_b[at]
        np.divide(energy[at], rate, out=widths[at], where=rate > 0.0)
    return read_only(u * duration), read_only(before), read_only(after)


@lru_cache(maxsize=_KEPT)
def _layers(problem: ChargingProblem) -> FloatArray:
    """Times in ns that come near those at which the field turns within a part of a step, in halves of the distance.

    Relaxation follows it, and nodes that are spread over the step would miss it, in all passes alike.
    """
    duration = problem.protocol.duration
    points, before, after = turning_points(problem)
    thin = points[np.minimum(before, after) < _THIN * duration]
    distances = 0.5 ** np.arange(1.0, _HALVES + 1.0) * duration
    near = (thin[:, None, None] + np.array([[-1.0], [1.0]]) * distances).ravel()
    return read_only(distinct(near[(near > 0.0) & (near < duration)]))


def project(
    functions: Callable[[FloatArray], FloatArray], edges: FloatArray, kinks: FloatArray, degree: int, nodes: int = 5
) -> StepFields:
    """Legendre projection of functions, from times (m,) to values (F, m), on every step between ``edges`` (ns).

    The moments are integrated on panels that end at each of the ``kinks`` (ns), where the functions are not smooth, and
    within one step each: cumulative moments would lose all digits for long durations.
    """
    panels = panel_edges(edges, kinks)
    at, weights = gauss_nodes(panels, nodes)
    values = functions(at.ravel()).reshape(-1, *at.shape)
    if len(panels) == len(edges):
        return StepFields(edges, np.einsum("fpj,jk->fpk", values, legendre_moments(nodes, degree)))
    middle = 0.5 * (panels[1:] + panels[:-1])
    step = np.searchsorted(edges, middle, side="right") - 1
    lengths = np.diff(edges)
    x = (at - edges[step][:, None]) / lengths[step][:, None]
    basis = np.polynomial.legendre.legvander(2.0 * x - 1.0, degree)
    starts = np.flatnonzero(np.diff(step, prepend=-1))
    moments = np.einsum("fpj,pj,pjk->fpk", values, weights, basis)
    summed = np.add.reduceat(moments, starts, axis=1)
    normalisation = (2.0 * np.arange(degree + 1) + 1.0) / lengths[:, None]
    return StepFields(edges, summed * normalisation)


@lru_cache(maxsize=_KEPT)
def legendre_moments(nodes: int, degree: int) -> FloatArray:
    """Factors (nodes, degree + 1) of values at the nodes of a step in its Legendre coefficients."""
    x, w = gauss_nodes(np.array([-1.0, 1.0]), nodes)
    found = w.T * np.polynomial.legendre.legvander(x[0], degree) * (np.arange(degree + 1) + 0.5)
    found[:, 1:] -= found[:, 1:].mean(axis=0)  # rounding, which would give a constant other coefficients
    return read_only(found)


Density: TypeAlias = Callable[[ChargingProblem, FloatArray], FloatArray]
"""Density of steps of a problem at times in ns."""


class Mesh:
    """Time meshes whose steps never cross a stop: m times the steps of the first mesh for any multiple m.

    The edges are one smooth function of k/m between two stops, with a continuous slope, so that errors have an
    expansion in 1/m, and no step is suddenly longer than the last: that alone would excite the battery. Steps are
    mildly denser where they need to be; the density varies by a factor 2 at most, as transitions resonant with a
    domain wall matter even where A(s) is tiny.

    Attributes:
        stops: (m,) times in ns: the protocol's corners and the requested times.
        kinks: times in ns at which the fields are not smooth.
        crossed: those of the kinks that are no stops.
    """

    def __init__(self, problem: ChargingProblem, stops: FloatArray, steps: int, density: Density | None = None) -> None:
        """Lay about ``steps`` steps in the first mesh, at least one between any two stops.

        Args:
            density: of steps at times in ns, in any unit; :func:`splitting_density` by default.
        """
        self.stops = stops
        self.kinks = problem.kinks
        nearest = np.minimum(np.searchsorted(stops, self.kinks), len(stops) - 1)
        self.crossed = self.kinks[stops[nearest] != self.kinks]
        gaps = stops[1:] - stops[:-1]
        samples = 2 if len(stops) > _MANY_STOPS else _DENSITY_SAMPLES
        t = np.linspace(stops[:-1], stops[1:], samples, axis=1)
        wanted = (density or splitting_density)(problem, t)
        highest = float(wanted.max())
        raised = np.maximum(wanted, _DENSITY_FLOOR * highest) if highest > 0.0 else np.ones_like(wanted)
        work = np.cumsum((raised[:, 1:] + raised[:, :-1]).mean(axis=1) * gaps)
        ends = np.rint(steps * work / work[-1]).astype(int)
        self._counts = np.maximum(1, np.diff(ends, prepend=0))
        self._in_all = int(self._counts.sum())
        slopes = _slopes(gaps, self._counts)
        before, after = slopes[:-1] * self._counts, slopes[1:] * self._counts
        # Hermite's cubic through both stops, with these slopes
        cubics = stops[:-1], before, 3.0 * gaps - 2.0 * before - after, before + after - 2.0 * gaps
        self._cubics = np.hstack([cubics, [[stops[-1]], [0.0], [0.0], [0.0]]])  # and a last edge

    def counts(self, multiple: int) -> list[int]:
        """Number of steps between consecutive stops."""
        return [int(count) * multiple for count in self._counts]

    def steps(self, multiple: int) -> int:
        """Number of steps in all."""
        return self._in_all * multiple

    @property
    def resolved_from(self) -> int:
        """Halvings from which there are four steps or more for each kink of the fields."""
        halvings = 0
        while self.steps(1 << halvings) < 4 * self.kinks.size:
            halvings += 1
        return halvings

    def edges(self, *multiples: int) -> FloatArray:
        """Step edges in ns, stops included exactly: those of several multiples one after the other."""
        pieces = len(self._counts) + 1
        ends = np.ones((len(multiples), 1), dtype=int)  # one edge more than steps
        counts = np.hstack([np.multiply.outer(multiples, self._counts), ends]).ravel()
        piece = np.repeat(np.arange(len(counts)), counts)
        first = np.cumsum(counts) - counts
        x = (np.arange(len(piece)) - first[piece]) / counts[piece]
        start, first_order, second, third = (c[piece % pieces] for c in self._cubics)
        return np.asarray(start + x * (first_order + x * (second + x * third)))


def splitting_density(problem: ChargingProblem, t: FloatArray) -> FloatArray:
    """Density of steps where T and V both act, whose commutators make the error of a splitting."""
    bx, bz, half_b = problem.fields(t)
    transverse, diagonal = np.abs(bx), np.abs(bz) + largest_local_coupling(problem) * half_b
    return np.asarray((transverse * diagonal * (transverse + diagonal)) ** _DENSITY_POWER)


def _slopes(gaps: FloatArray, counts: IntArray) -> FloatArray:
    """Lengths of steps at the stops, such that cubics between them are monotonic.

    Source: Fritsch and Butland, SIAM J. Sci. Stat. Comput. 5, 300 (1984).
    """
    lengths = gaps / counts
    inner = (2.0 * counts[1:] + counts[:-1]) / lengths[:-1] + (2.0 * counts[:-1] + counts[1:]) / lengths[1:]
    return np.concatenate([lengths[:1], 3.0 * (counts[:-1] + counts[1:]) / inner, lengths[-1:]])


@lru_cache(maxsize=_KEPT)
def largest_decay(problem: ChargingProblem) -> float:
    """Fastest decay of one spin's Bloch vector by noise alone, in 1/ns."""
    if problem.noise is None:
        return 0.0
    x, y, z = problem.noise.pauli_rates(problem.n_spins)
    pauli = 2.0 * np.max([x + y, y + z, x + z], axis=0)
    return float(np.max(pauli + problem.noise.relaxation_rates(problem.n_spins)))


def initial_steps(problem: ChargingProblem) -> int:
    """Steps of the coarsest mesh: two for each turn of the fastest single spin flip.

    A decay counts as a turn with the decay rate as angular frequency.
    """
    fastest = largest_flip(problem) + largest_decay(problem) / TWO_PI
    return max(8, int(np.ceil(2.0 * fastest * problem.protocol.duration)))


def largest_transverse(problem: ChargingProblem) -> float:
    """About the largest |Bx| in GHz."""
    return _largest_fields(problem)[0]


def largest_flip(problem: ChargingProblem) -> float:
    """About the largest frequency of a single spin flip in GHz."""
    return _largest_fields(problem)[1]


@lru_cache(maxsize=_KEPT)
def _largest_fields(problem: ChargingProblem) -> tuple[float, float]:
    """About the largest |Bx|, and the largest frequency of a single spin flip, in GHz."""
    t = np.linspace(0.0, problem.protocol.duration, 1025)
    bx, bz, half_b = problem.fields(np.concatenate([t, problem.protocol.breakpoints]))
    transverse = np.abs(bx)
    flip = transverse + np.abs(bz) + largest_local_coupling(problem) * half_b
    return float(transverse.max()), float(flip.max())
