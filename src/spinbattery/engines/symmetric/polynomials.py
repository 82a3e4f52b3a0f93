"""Steps on which H is a polynomial of time, and Taylor series as the scheme that carries a state over them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np

from ...core.arrays import read_only
from ...core.quadrature import gauss_nodes
from ...core.typing import FloatArray
from ...model.problem import ChargingProblem
from ..common.mesh import StepFields, driving, legendre_moments, smooth_pieces
from ..common.plan import MOST_STEPS, too_many_steps

LARGEST_DEGREE = 7
"""Degree of H on a step; a step is shorter where that is not enough."""

_NODES = LARGEST_DEGREE + 1
_ROUNDING, _NOISE = 6.6e-16, 4e-15
"""Three units of the last digit, and the rounding of a Legendre coefficient as a part of the largest."""

_SHARE = 1e-2
"""Share of the tolerance for the norm of the state's error: the error of mu is at most twice its product with sigma,
and the relative error of sigma^2 grows as the battery comes near full charge."""

RADII = (14.0, 12.0, 10.0, 8.0, 6.5, 5.0, 4.0, 3.0, 2.0)
"""Half the width of the spectrum times the length of a step, rad: longer steps need fewer products with H for each
radian, and lose more digits to rounding. The first is used with which rounding is within its share of the error."""

_LONGEST, _ROUNDS = 1.1, 6
"""About the largest sum of the norms of all H_j over this, and how often steps are made shorter for it."""


def rounding(radius: float, steps: float) -> float:
    """About the norm of the error by rounding: each step rounds its largest term, by chance up or down."""
    return _ROUNDING * math.exp(radius) * math.sqrt(steps / (1.0 + 2.0 * math.pi * radius))


@dataclass(frozen=True)
class Polynomials:
    """H(u), 0 <= u <= 1, on m consecutive steps.

    Attributes:
        coefficients: (m, 3, D + 1) factors of Sx, Sz and ZZ at each power of u, rad.
        rests: (m, 2) norms of what the polynomials leave out of the transverse and of the diagonal part, rad.
    """

    coefficients: FloatArray
    rests: FloatArray

    def __len__(self) -> int:
        return len(self.coefficients)

    def parts(self, largest: int) -> Iterator[Polynomials]:
        """The same steps in sequence, in parts of up to ``largest``."""
        for first in range(0, len(self), largest):
            yield Polynomials(self.coefficients[first : first + largest], self.rests[first : first + largest])


@dataclass(frozen=True)
class TaylorSeries:
    """A step as a series of its own length, with an H that is a polynomial within a share of the tolerance.

    Attributes:
        norms: (3,) of Sx, Sz and ZZ.
        share: of the error, for each step.
    """

    name: ClassVar[str] = "Taylor"
    order: ClassVar[int] = LARGEST_DEGREE + 1
    stages: ClassVar[int] = 1
    legendre_degree: ClassVar[int] = LARGEST_DEGREE

    norms: FloatArray
    share: float

    def sequence(self, fields: StepFields) -> Polynomials:
        """H on all steps in sequence, with the lowest degree that is enough on each."""
        legendre = fields.coefficients[:3].transpose(1, 0, 2) * fields.lengths[:, None, None]
        each = np.abs(legendre) * self.norms[:, None]
        each[each <= _NOISE * each.max(axis=2, keepdims=True)] = 0.0  # rounding, which counts by itself
        sizes = each.sum(axis=1)
        from_here = np.cumsum(sizes[:, ::-1], axis=1)[:, ::-1]
        kept = from_here > self.share
        beyond = each[:, :, -1]  # the next coefficient would be less than the last
        left = np.where(kept[:, None, :], 0.0, each).sum(axis=2) + beyond
        rests = np.stack([left[:, 0], left[:, 1] + left[:, 2]], axis=1)
        coefficients = np.where(kept[:, None, :], legendre, 0.0) @ _powers()
        degree = int(np.flatnonzero(kept.any(axis=0)).max(initial=0))
        return Polynomials(np.ascontiguousarray(coefficients[:, :, : degree + 1]), rests)


@lru_cache(maxsize=1)
def _powers() -> FloatArray:
    """Powers of u (a column each) in the Legendre polynomials of 2 u - 1 (a row each)."""
    found = np.zeros((_NODES, _NODES))
    for degree in range(_NODES):
        of_x = np.polynomial.legendre.leg2poly(np.eye(_NODES)[degree])
        found[degree, : degree + 1] = np.polynomial.Polynomial(of_x)(np.polynomial.Polynomial([-1.0, 2.0])).coef
    return read_only(found)


@dataclass(frozen=True)
class SeriesSteps:
    """Steps of equal length in each smooth piece of a protocol.

    Attributes:
        stops: (P + 1,) ends of the pieces, ns.
        counts: (P,) steps in each.
        scheme: of a step.
        turned: about half the width of the spectrum, over the whole protocol, rad.
        radius: the same on a step, at most.
        allowed: norm of the state's error, of which there may be much less.
    """

    crossed: ClassVar[FloatArray] = read_only(np.empty(0))

    stops: FloatArray
    counts: FloatArray
    scheme: TaylorSeries
    turned: float
    radius: float
    allowed: float

    def steps(self, multiple: int) -> int:
        """Number of steps in all."""
        return int(self.counts.sum()) * multiple

    def edges(self, multiple: int) -> FloatArray:
        """Edges of the steps in ns, the stops included exactly."""
        counts = self.counts.astype(np.int64) * multiple
        first = np.cumsum(counts) - counts
        number = np.arange(counts.sum()) - np.repeat(first, counts)
        edges = np.repeat(self.stops[:-1], counts) + number * np.repeat(np.diff(self.stops) / counts, counts)
        return np.append(edges, self.stops[-1])


def divided(problem: ChargingProblem, times: FloatArray, tolerance: float, caution: float = 1.0) -> SeriesSteps:
    """Steps of a run.

    Args:
        problem: what is to be solved.
        times: output times in ns, each of which is a stop.
        tolerance: that is to be kept.
        caution: factor by which the error of the state is to be less than usual.

    Raises:
        EngineError: there would be too many.
    """
    return _divided(problem, tuple(times.tolist()), tolerance, caution)


@lru_cache(maxsize=16)  # a run asks for them in its prediction and in its solution
def _divided(problem: ChargingProblem, times: tuple[float, ...], tolerance: float, caution: float) -> SeriesSteps:
    stops = smooth_pieces(problem, np.array(times))
    lengths = np.diff(stops)
    nodes, _ = gauss_nodes(stops, _NODES)
    fields = driving(problem)(nodes.ravel()).reshape(3, *nodes.shape)
    norms = np.array([problem.n_spins, problem.n_spins, max(1.0, float(np.abs(problem.couplings[1]).sum()))])
    x, z, c = np.abs(fields) * norms[:, None, None]
    radii = np.hypot(x, z + c).max(axis=1) * lengths
    legendre = np.abs(fields @ legendre_moments(_NODES, LARGEST_DEGREE))
    sizes = np.einsum("f,fpj,p->pj", norms, legendre, lengths)
    allowed = _SHARE * tolerance / caution
    for radius in RADII:
        wanted = _with_slopes(np.maximum(1.0, np.ceil(radii / radius)), radii, sizes, _LONGEST * radius)
        if rounding(_LONGEST * radius, float(wanted.sum())) <= allowed:
            break
    share = allowed / (2.0 * float(wanted.sum()))
    wanted = np.maximum(wanted, np.ceil((sizes[:, -1] / share) ** (1.0 / _NODES)))
    steps = float(wanted.sum())
    if steps > MOST_STEPS:
        raise too_many_steps("symmetric", steps, problem)
    scheme = TaylorSeries(read_only(norms), allowed / (2.0 * steps))
    return SeriesSteps(stops, wanted, scheme, float(radii.sum()), radius, allowed)


def _with_slopes(counts: FloatArray, radii: FloatArray, sizes: FloatArray, longest: float) -> FloatArray:
    """Steps (P,) of each piece, more than ``counts`` where H changes so much on a step that its powers of u add to it.

    Args:
        counts: (P,) steps by the radii alone.
        radii: (P,) of whole pieces.
        sizes: (P, D + 1) norms of the Legendre coefficients of H on whole pieces, which shrink with each step.
        longest: sum of the norms of all H_j that is wanted on a step.
    """
    powers = np.arange(2.0, sizes.shape[1] + 1.0)
    of_powers = sizes[:, 1:] * np.abs(_powers()).sum(axis=1)[1:]
    for _ in range(_ROUNDS):
        on_step = radii / counts + (of_powers / counts[:, None] ** powers).sum(axis=1)
        if on_step.max() <= longest:
            break
        counts = np.ceil(counts * np.maximum(1.0, on_step / longest))
    return counts
