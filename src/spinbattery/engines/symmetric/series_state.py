"""A state of the symmetric sector, carried by Taylor series on steps with a polynomial H."""

from __future__ import annotations

import math
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ...core.arrays import read_only
from ...core.errors import ToleranceError
from ...core.threads import Team
from ...core.typing import ComplexArray, FloatArray
from ...model.problem import ChargingProblem
from ..common.populations import Populations, summed
from ..common.propagation import Passage
from .basis import SymmetricSector
from .costs import product_seconds
from .declared import MOST_TERMS, ROWS_PER_BLOCK, bound_rest, next_term, series_steps
from .polynomials import LARGEST_DEGREE, MOST_PASSES, Polynomials, Refinement, squared_rounding

_TILTS = np.exp(np.linspace(-1.5, 1.5, 9))
"""Trial vectors t^(spins down) of the bound of the spectrum."""

_PRODUCTS_PER_STEP = 35.0
_PARTS_PER_THREAD = 4
_STEPS_AT_ONCE = 1024
"""Steps whose bounds are in memory at once."""


@lru_cache(maxsize=32)
def tilted(n_spins: int) -> FloatArray:
    """u t + (N - u)/t for each trial vector and u = 0 to N spins up."""
    up = np.arange(n_spins + 1.0)
    return read_only(up * _TILTS[:, None] + (n_spins - up) / _TILTS[:, None])


def bounds(polynomials: FloatArray, extremes: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Centre (m,) of the spectrum of H_0 on each step, and norms (m, D + 1) of the H_j, of H_0 less its centre.

    The spectrum follows from the bound of Collatz and Wielandt: for a matrix with non-negative off-diagonal entries and
    any positive vector v, no eigenvalue exceeds max_i (H v)_i / v_i. With v = t^(spins down), and the extreme Ising
    energies at each Sz, this is a maximum over N + 1 numbers, minimised over t. The sign of the transverse part does
    not matter: turning every spin by pi about z changes it.

    Args:
        polynomials: (m, 3, D + 1) factors of Sx, Sz and ZZ in each H_j, rad.
        extremes: (2, N + 1) lowest and highest Ising energy at each Sz, from -N on.
    """
    n = extremes.shape[1] - 1
    x, z, c = polynomials[:, :, 0].T[:, :, None]
    turned = np.abs(x)[:, :, None] * tilted(n)
    ends = []
    for sign in (1.0, -1.0):
        ising = np.where(sign * c > 0.0, extremes[1], extremes[0])
        diagonal = sign * (z * np.arange(-n, n + 1, 2) + c * ising)
        ends.append((diagonal[:, None] + turned).max(axis=2).min(axis=1))
    of_parts = np.abs(polynomials)
    norms = n * (of_parts[:, 0] + of_parts[:, 1]) + np.abs(extremes).max() * of_parts[:, 2]
    norms[:, 0] = 0.5 * (ends[0] + ends[1])
    return 0.5 * (ends[0] - ends[1]), norms


class SeriesState:
    """Amplitudes in a sector; all steps of a chunk are done in one kernel."""

    shortest_chunk = 1

    def __init__(self, sector: SymmetricSector, amplitudes: ComplexArray, share: float) -> None:
        """Start a state.

        Args:
            sector: where it is.
            amplitudes: (dimension,) one for each orbit.
            share: norm of the rest of a series that is allowed on each step.
        """
        self.sector, self._share, self._totals = sector, share, np.zeros(6)
        # rests, products, what left an orbit; rests of the diagonal part, squares of rounding, turn out of an orbit
        length = sector.entries.shape[1]
        self._psi = np.zeros(length)
        self.amplitudes = self._psi[: 2 * sector.dimension].view(np.complex128)
        self.amplitudes[:] = amplitudes
        self._rows, self._onward = np.empty((LARGEST_DEGREE + 1, length)), np.empty((2, length))
        self._pairs, self._flipped = self._onward.reshape(2, -1, 2), np.zeros(length)

    @property
    def arrays(self) -> list[NDArray[np.generic]]:
        return [self.amplitudes, self._totals]

    @property
    def error(self) -> float:
        """Bound of the norm of the error so far, apart from a phase and a factor, with an estimate of rounding."""
        return float(self._totals[0]) + self._share_that_moved * float(self._totals[3]) + self.rounding

    @property
    def rounding(self) -> float:
        """The part of it by rounding."""
        return self._share_that_moved * math.sqrt(float(self._totals[4]))

    @property
    def _share_that_moved(self) -> float:
        """Part of the state that diagonal errors change: in one orbit alone, they are a phase and a factor.

        It is known at the ends of steps; within one it grows by no more than what Sx can move.
        """
        return min(1.0, 2.0 * (math.sqrt(float(self._totals[2])) + float(self._totals[5])))

    @property
    def products(self) -> int:
        """Products with Sx so far."""
        return int(self._totals[1])

    @property
    def stage_seconds(self) -> float:
        return _PRODUCTS_PER_STEP * product_seconds(self.sector.dimension, self.sector.n_spins)

    def apply(self, stages: Polynomials) -> None:
        """Carry the state over steps."""
        self._totals[0] += stages.rests[:, 0].sum()
        self._totals[3] += stages.rests[:, 1].sum()
        for part in stages.parts(_STEPS_AT_ONCE):
            centres, norms = bounds(part.coefficients, self.sector.ising_extremes)
            self._totals[4] += squared_rounding(norms.sum(axis=1)).sum() + part.noise.sum()
            turns = self.sector.n_spins * np.abs(part.coefficients[:, 0]).sum(axis=1)
            self._totals[5] = max(float(self._totals[5]), float(turns.max()))
            next_powers = np.zeros_like(part.coefficients[:, :1])
            next_powers[:, 0, :-1] = part.coefficients[:, 0, 1:]
            polynomials = np.concatenate([part.coefficients, next_powers], axis=1)
            self._carry(polynomials, centres, norms, self._rows[: polynomials.shape[2]])

    def _carry(self, polynomials: FloatArray, centres: FloatArray, norms: FloatArray, rows: FloatArray) -> None:
        entries = self.sector.entries
        series_steps(
            self.sector.index, entries[2], entries[:2], polynomials, centres, norms, self._share, self._psi, rows,
            self._pairs, self._onward, self._flipped, np.empty((3, len(rows))), self._totals,
        )  # fmt: skip

    def probabilities(self) -> tuple[FloatArray, float]:
        """Normalised probability of each orbit (dimension,), and the squared norm before."""
        psi = self.amplitudes
        p = self.sector.sizes * (psi.real**2 + psi.imag**2)
        norm = float(p.sum())
        p /= norm
        return p, norm

    def populations(self) -> Populations:
        """P(Sz), the mean of the couplings and the squared norm."""
        return summed(*self.probabilities(), self.sector.magnetization, self.sector.ising)

    def transverse(self) -> float:
        """<Sx>, not normalised."""
        flipped = np.zeros_like(self.amplitudes)
        for column in self.sector.index.T:  # a kernel would have to be compiled for it
            flipped += self.amplitudes[column]
        return float((self.sector.sizes * (self.amplitudes.conj() * flipped).real).sum())


class SharedState(SeriesState):
    """For large sectors: threads share the rows of each term, and digits do not depend on their number."""

    def __init__(self, sector: SymmetricSector, amplitudes: ComplexArray, share: float, team: Team) -> None:
        super().__init__(sector, amplitudes, share)
        self._team = team
        n_blocks = -(-sector.dimension // ROWS_PER_BLOCK)
        n_parts = 1 if team.threads == 1 else min(n_blocks, _PARTS_PER_THREAD * team.threads)
        self._parts = list(pairwise(n_blocks * part // n_parts for part in range(n_parts + 1)))
        self._sums = np.empty(n_blocks)

    def _carry(self, polynomials: FloatArray, centres: FloatArray, norms: FloatArray, rows: FloatArray) -> None:
        entries, ring = self.sector.entries, len(rows)
        fixed = self.sector.index, entries[2], entries[:2]
        arrays, work = (rows, self._pairs, self._onward, self._flipped, self._psi), np.empty((3, ring))
        for polynomial, centre, of_step in zip(polynomials, centres, norms, strict=True):
            work[0] = of_step  # as in the kernel of small sectors
            degree, rest = int(np.flatnonzero(of_step).max(initial=0)), math.inf
            rows[0], work[1, 0] = self._psi, 1.0
            self._onward[0] = polynomial[0, 0] * self._psi
            for k in range(MOST_TERMS):
                rest = bound_rest(work, k, degree, self._share)
                if rest < math.inf:
                    self._totals[1] += k
                    break
                term = (*fixed, polynomial, degree, centre, k, *arrays)
                self._team.run(next_term, [(*term, first, last, self._sums) for first, last in self._parts])
                work[1, (k + 1) % ring] = math.sqrt(float(self._sums.sum()))
            self._totals[0] += rest
            weights = self.sector.sizes * (self.amplitudes.real**2 + self.amplitudes.imag**2)
            self._totals[2] = max(self._totals[2], float(weights.sum() - weights.max()))
            self.amplitudes *= np.exp(-1j * centre)


def states_at(
    problem: ChargingProblem, sector: SymmetricSector, times: FloatArray, tolerance: float
) -> list[ComplexArray]:
    """Amplitudes (dimension,) of the charging battery at some times in ns.

    Args:
        tolerance: of the norm of their error.

    Raises:
        EngineError: there would be too many steps.
        ToleranceError: the error may be larger than the tolerance.
    """
    plan = Refinement(problem, times, 10.0 * tolerance)  # which allows the state a tenth of the tolerance
    start = sector.product_amplitudes(problem.protocol.initial.spinors(sector.n_spins))
    for _ in range(MOST_PASSES):
        steps = plan.steps()
        state = SeriesState(sector, start, steps.scheme.share)
        found = _seen(state, Passage(problem, steps.scheme, steps, 1, times))
        if state.error <= tolerance:
            return found
        plan.learn(state.error, state.error)
    raise ToleranceError(
        f"the error of the state may amount to {state.error:.1e}, more than {tolerance:g}; use a shorter protocol."
    )


def _seen(state: SeriesState, passage: Passage) -> list[ComplexArray]:
    """Amplitudes of a state at the output times of a passage."""
    found: list[ComplexArray] = []
    passage.carry([state], lambda _: found.append(state.amplitudes.copy()))
    return found
