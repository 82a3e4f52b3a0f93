"""The paper's own method: scipy's ``expm_multiply`` at every midpoint, in full, or timed on some of its steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, identity
from scipy.sparse.linalg import expm_multiply

from spinbattery.core.units import TWO_PI
from spinbattery.engines.symmetric.basis import SymmetricSector
from spinbattery.engines.symmetric.series_state import states_at
from spinbattery.model.problem import ChargingProblem
from spinbattery.model.symmetry import symmetry_group

from .contestants import Outcome, Run, discharged, moments
from .pairing import Timing

PAPER_STEP = 0.01
"""Step of the paper's method in ns."""

SAMPLED_STEPS = 24

Step = Callable[[int, NDArray[np.complex128]], NDArray[np.complex128]]
"""The state after a step, from its number and the state before."""

_TOLERANCE = 1e-8


def paper_method(problem: ChargingProblem, step: float = PAPER_STEP) -> Run:
    """The paper's integrator in its plain form: H summed at each midpoint, ``expm_multiply``.

    Args:
        problem: what to solve; its sparse matrices are prepared here.
        step: in ns.
    """
    hamiltonian = problem.to_scipy()
    middles = _midpoints(problem, step)
    return _whole(problem, len(middles), lambda k, psi: expm_multiply(-1j * step * hamiltonian(middles[k]), psi))


def paper_method_assembled(problem: ChargingProblem, step: float = PAPER_STEP) -> Run:
    """The same integrator at its fastest: one sparsity pattern, fields tabulated before, values refilled.

    This is faster than the method as the paper describes it; only ``expm_multiply`` costs time.
    """
    return _whole(problem, len(_midpoints(problem, step)), _assembled(problem, step))


@dataclass(frozen=True)
class Sample:
    """Some steps of the paper's method, assembled, on the states that it meets there.

    Attributes:
        run: makes these steps.
        taken: their number; they are spread over the whole protocol.
        total: number of steps of the whole method.
    """

    run: Run
    taken: int
    total: int

    def extrapolated(self, timing: Timing[Outcome]) -> Timing[Outcome]:
        """Estimated time of the whole method."""
        factor = self.total / self.taken
        return replace(timing, cpu=[factor * s for s in timing.cpu], wall=[factor * s for s in timing.wall])

    def __str__(self) -> str:
        return f"extrapolated from {self.taken} of its {self.total} steps, dt {PAPER_STEP:g} ns"


def sampled_method(problem: ChargingProblem, taken: int = SAMPLED_STEPS, step: float = PAPER_STEP) -> Sample:
    """Prepare a sample of steps: 24 by default, a third of them in each third of the protocol.

    Our engine computes the states before them, because the number of products in ``expm_multiply`` depends on
    the state. The outcome of a run is not a number.
    """
    middles = _midpoints(problem, step)
    chosen = ((np.arange(taken) + 0.5) / taken * len(middles)).astype(int)
    advance = _assembled(problem, step)
    states = _states_at(problem, middles[chosen] - 0.5 * step)

    def run() -> Outcome:
        for k, psi in zip(chosen.tolist(), states, strict=True):
            advance(k, psi)
        return Outcome(float("nan"), float("nan"))

    return Sample(run, taken, len(middles))


def _whole(problem: ChargingProblem, steps: int, advance: Step) -> Run:
    def run() -> Outcome:
        psi = discharged(problem.n_spins)
        for k in range(steps):
            psi = advance(k, psi)
        return moments(psi)

    return run


def _assembled(problem: ChargingProblem, step: float) -> Step:
    hamiltonian = problem.to_scipy()
    dimension = 1 << problem.n_spins
    pattern = (hamiltonian.sx + identity(dimension)).tocsr()
    pattern.sort_indices()
    rows = np.repeat(np.arange(dimension), np.diff(pattern.indptr))
    terms = [
        np.asarray(term[rows, pattern.indices]).ravel() for term in (hamiltonian.sx, hamiltonian.sz, hamiltonian.zz)
    ]
    transverse, field, ising = (-1j * step * TWO_PI * term for term in terms)
    fields = np.column_stack(problem.fields(_midpoints(problem, step)))

    def advance(k: int, psi: NDArray[np.complex128]) -> NDArray[np.complex128]:
        bx, bz, half_b = fields[k]
        values = bx * transverse + bz * field + half_b * ising
        return expm_multiply(csr_matrix((values, pattern.indices, pattern.indptr), shape=pattern.shape), psi)

    return advance


def _midpoints(problem: ChargingProblem, step: float) -> NDArray[np.float64]:
    return np.asarray((np.arange(round(problem.protocol.duration / step)) + 0.5) * step, dtype=np.float64)


def _states_at(problem: ChargingProblem, times: NDArray[np.float64]) -> list[NDArray[np.complex128]]:
    """States (2^N,) at some times, in ns."""
    group = symmetry_group(problem)
    sector = SymmetricSector.build(problem, group)
    return [sector.expand(amplitudes, group) for amplitudes in states_at(problem, sector, times, _TOLERANCE)]
