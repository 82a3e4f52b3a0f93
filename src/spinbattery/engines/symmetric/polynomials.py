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

_DEGREE_SEEN = LARGEST_DEGREE + 3
"""Degree up to which the fields are projected, so that what the polynomials leave out is seen."""

_NODES = _DEGREE_SEEN + 1
_ROUNDING, _NOISE = 6.6e-16, 2e-14
"""Three units of the last digit, and the largest rounding of a Legendre coefficient as a part of the field."""

MOST_PASSES, _MARGIN = 6, 10.0
"""Passes of a run, and how much more than needed the next one is more exact."""

_OF_NO_MATTER = 0.01
"""Rounding of the fields below this part of the share of a step is treated as what the polynomials leave out."""

_SHARE = 1e-2
"""Share of the tolerance for the norm of the state's error: the error of mu is at most twice its product with sigma,
and the relative error of sigma^2 grows as the battery comes near full charge."""

RADII = (14.0, 12.0, 10.0, 8.0, 6.5, 5.0, 4.0, 3.0, 2.0)
"""Half the width of the spectrum times the length of a step, rad: longer steps need fewer products with H for each
radian, and lose more digits to rounding. The first is used with which rounding is within its share of the error."""

_FEWEST_PIECES = 6
"""A protocol with fewer pieces is divided, so that nodes do not miss what H does in between."""

_LONGEST, _HALVINGS = 1.1, 40
"""The largest sum of the norms of all H_j over this, and how closely the number of steps is found for it."""

_LARGEST_EXPONENT = 700.0
"""The largest exponent whose exponential is taken: beyond it numbers are infinite."""


def squared_rounding(radii: FloatArray) -> FloatArray:
    """About the squared norm of the error by rounding on steps with these radii, which adds up.

    Each step rounds its largest term, by chance up or down.
    """
    largest = np.exp(np.minimum(2.0 * radii, _LARGEST_EXPONENT))
    return np.asarray(_ROUNDING**2 * largest / (1.0 + 2.0 * math.pi * radii))


@dataclass(frozen=True)
class Polynomials:
    """H(u), 0 <= u <= 1, on m consecutive steps.

    Attributes:
        coefficients: (m, 3, D + 1) factors of Sx, Sz and ZZ at each power of u, rad.
        rests: (m, 2) norms of what the polynomials leave out of the transverse and of the diagonal part, rad.
        noise: (m,) squared norms of what they leave out because it is no more than rounding of the fields.
    """

    coefficients: FloatArray
    rests: FloatArray
    noise: FloatArray

    def __len__(self) -> int:
        return len(self.coefficients)

    def parts(self, largest: int) -> Iterator[Polynomials]:
        """The same steps in sequence, in parts of up to ``largest``."""
        for first in range(0, len(self), largest):
            part = slice(first, first + largest)
            yield Polynomials(self.coefficients[part], self.rests[part], self.noise[part])


@dataclass(frozen=True)
class TaylorSeries:
    """A step as a series of its own length, with an H that is a polynomial within a share of the tolerance.

    Attributes:
        norms: (3,) of Sx, Sz and ZZ.
        share: of the error, for each step.
        z_per_ising: largest norm of the term with Sz over the one with ZZ.
    """

    name: ClassVar[str] = "Taylor"
    order: ClassVar[int] = LARGEST_DEGREE + 1
    stages: ClassVar[int] = 1
    legendre_degree: ClassVar[int] = _DEGREE_SEEN

    norms: FloatArray
    share: float
    z_per_ising: float

    def sequence(self, fields: StepFields) -> Polynomials:
        """H on all steps in sequence, with the lowest degree that is enough on each."""
        legendre = fields.coefficients[:3].transpose(1, 0, 2) * fields.lengths[:, None, None]
        inside, beyond = np.split(np.abs(legendre) * self.norms[:, None], [LARGEST_DEGREE + 1], axis=2)
        beyond, noise = self._without_noise(inside, beyond)
        left = beyond.sum(axis=2) + beyond[:, :, -2:].max(axis=2)  # the others: less than the last even or odd one
        after = np.cumsum(inside.sum(axis=1)[:, ::-1], axis=1)[:, ::-1]
        kept = after + left.sum(axis=1, keepdims=True) > self.share
        left += np.where(kept[:, None, :], 0.0, inside).sum(axis=2)
        rests = np.stack([left[:, 0], left[:, 1] + left[:, 2]], axis=1)
        coefficients = np.where(kept[:, None, :], legendre[:, :, : LARGEST_DEGREE + 1], 0.0) @ _powers()
        degree = int(np.flatnonzero(kept.any(axis=0)).max(initial=0))
        coefficients = np.ascontiguousarray(coefficients[:, :, : degree + 1])
        return Polynomials(coefficients, rests, noise)

    def _without_noise(self, inside: FloatArray, beyond: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Coefficients (m, 3, d) beyond the largest degree without rounding of a field, and squared norms (m,) of that.

        Coefficients fall with their degree: where the last two inside are rounding, so are those beyond, and count for
        nothing. Bz is B(s)/2 times a factor that passes zero, but whose rounding does not.
        """
        scales = inside[:, :, 0].copy()
        scales[:, 1] = np.maximum(scales[:, 1], self.z_per_ising * scales[:, 2])
        floor = _NOISE * scales[:, :, None]
        if float(floor.max()) < _OF_NO_MATTER * self.share:
            return beyond, np.zeros(len(beyond))
        is_noise = beyond <= floor
        counts = is_noise & (inside[:, :, -2:] > floor).any(axis=2, keepdims=True)
        return np.where(is_noise, 0.0, beyond), (np.where(counts, beyond, 0.0) ** 2).sum(axis=(1, 2))


@lru_cache(maxsize=1)
def _powers() -> FloatArray:
    """Powers of u (a column each) in the Legendre polynomials of 2 u - 1 (a row each)."""
    size = LARGEST_DEGREE + 1
    found = np.zeros((size, size))
    for degree in range(size):
        of_x = np.polynomial.legendre.leg2poly(np.eye(size)[degree])
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


@dataclass
class Refinement:
    """The steps of the passes of one run, each from what the pass before it has shown.

    Attributes:
        caution: factor by which the error of the state is to be less than usual.
        denser: factor by which there are to be more steps than seem to be enough.
    """

    problem: ChargingProblem
    times: FloatArray
    tolerance: float
    caution: float = 1.0
    denser: int = 1

    def steps(self) -> SeriesSteps:
        """Steps of the next pass.

        Raises:
            EngineError: there would be too many.
        """
        found = divided(self.problem, self.times, self.tolerance, self.caution, self.denser)
        if found.steps(1) > MOST_STEPS:
            raise too_many_steps("symmetric", float(found.steps(1)), self.problem)
        return found

    @property
    def is_at_its_end(self) -> bool:
        """Whether steps are as short as helps against rounding."""
        return self.steps().radius == RADII[-1]

    def learn(self, worst: float, error: float) -> None:
        """Choose the steps of the next pass.

        Args:
            worst: largest error estimate, which is above the tolerance.
            error: norm of the state's error.
        """
        if not error <= 1.0:  # H changes more on a step than its nodes have shown
            self.denser *= 2
        else:  # from the error that there is, as what was allowed may be far above it
            self.caution *= _MARGIN * worst / self.tolerance * max(1.0, self.steps().allowed / error)


def divided(
    problem: ChargingProblem, times: FloatArray, tolerance: float, caution: float = 1.0, denser: int = 1
) -> SeriesSteps:
    """Steps of a run.

    Args:
        problem: what is to be solved.
        times: output times in ns, each of which is a stop.
        tolerance: that is to be kept.
        caution: factor by which the error of the state is to be less than usual.
        denser: factor by which there are to be more steps than seem to be enough.
    """
    return _divided(problem, tuple(times.tolist()), tolerance, caution, denser)


@lru_cache(maxsize=16)  # a run asks for them in its prediction and in its solution
def _divided(
    problem: ChargingProblem, times: tuple[float, ...], tolerance: float, caution: float, denser: int
) -> SeriesSteps:
    stops = smooth_pieces(problem, np.array(times))
    if len(stops) <= _FEWEST_PIECES:
        parts = -(-_FEWEST_PIECES // (len(stops) - 1))
        stops = np.append(np.linspace(stops[:-1], stops[1:], parts, endpoint=False, axis=1).ravel(), stops[-1])
    lengths = np.diff(stops)
    nodes, _ = gauss_nodes(stops, _NODES)
    fields = driving(problem)(nodes.ravel()).reshape(3, *nodes.shape)
    norms = np.array([problem.n_spins, problem.n_spins, max(1.0, float(np.abs(problem.couplings[1]).sum()))])
    x, z, c = np.abs(fields) * norms[:, None, None]
    radii = np.hypot(x, z + c).max(axis=1) * lengths
    legendre = np.abs(fields @ legendre_moments(_NODES, _DEGREE_SEEN))
    sizes = np.einsum("f,fpj,p->pj", norms, legendre, lengths)
    allowed = _SHARE * tolerance / caution
    for radius in RADII:
        wanted, longest = _with_slopes(radii, sizes, radius)
        if float(wanted @ squared_rounding(longest)) <= allowed**2:
            break
    share = allowed / (2.0 * float(wanted.sum()))
    left_out = sizes[:, LARGEST_DEGREE + 1 :] / share
    powers = np.arange(LARGEST_DEGREE + 2.0, sizes.shape[1] + 1.0)
    wanted = denser * np.maximum(wanted, np.ceil(left_out ** (1.0 / powers)).max(axis=1))
    steps = float(wanted.sum())
    z_per_ising = float(np.divide(z, c, out=np.zeros_like(z), where=c > 0.0).max())
    scheme = TaylorSeries(read_only(norms), allowed / (2.0 * steps), z_per_ising)
    return SeriesSteps(stops, wanted, scheme, float(radii.sum()), radius, allowed)


def _with_slopes(radii: FloatArray, sizes: FloatArray, radius: float) -> tuple[FloatArray, FloatArray]:
    """Steps (P,) of each piece, and on each the sum (P,) of the norms of H_j, the powers of u in H.

    There are more than the radii alone ask for where H changes so much on a step that its powers add to it.

    Args:
        radii: (P,) of whole pieces.
        sizes: (P, D + 1) norms of the Legendre coefficients of H on whole pieces, which shrink with each step.
        radius: that is wanted on a step.
    """
    in_powers = np.abs(_powers()).sum(axis=1)[1:]
    of_powers = sizes[:, 1 : len(in_powers) + 1] * in_powers
    powers = np.arange(2.0, len(in_powers) + 2.0)

    def on_step(counts: FloatArray) -> FloatArray:
        return np.asarray(radii / counts + (of_powers / counts[:, None] ** powers).sum(axis=1))

    enough = np.maximum(1.0, np.ceil(radii / radius))
    longest = on_step(enough)
    if longest.max() <= _LONGEST * radius:
        return enough, longest
    too_few, enough = enough, np.where(longest <= _LONGEST * radius, enough, np.ceil(enough * longest / radius))
    for _ in range(_HALVINGS):
        if np.all(enough - too_few <= 1.0):
            break
        middle = np.floor(0.5 * (too_few + enough))
        is_enough = on_step(middle) <= _LONGEST * radius
        too_few, enough = np.where(is_enough, too_few, middle), np.where(is_enough, middle, enough)
    return enough, on_step(enough)
