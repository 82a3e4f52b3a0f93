"""The job, the paper's own method, and the two ways to run spinbattery's state vector."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, identity
from scipy.sparse.linalg import expm_multiply

from spinbattery.charging import charge
from spinbattery.engines.checkpoint import Checkpoint
from spinbattery.engines.schedule import Mesh
from spinbattery.engines.split_step import SplitStepEngine
from spinbattery.engines.splitting import SPLITTINGS
from spinbattery.engines.statevector import Statevector
from spinbattery.network import SpinNetwork, torus
from spinbattery.operators import magnetization_diagonal
from spinbattery.problem import ChargingProblem
from spinbattery.progress import silent
from spinbattery.protocol import Protocol as ChargingProtocol
from spinbattery.protocol import cooperative
from spinbattery.units import TWO_PI

DURATION, COUPLING, FIELD, HOLD = 20.0, -0.2, -0.5, 0.35
"""The cooperative protocol that is timed: tau in ns, J and h in units of B(s)/2, s in the hold."""

PAPER_STEP = 0.01
"""Step of the paper's method in ns."""

REFERENCE_TOLERANCE = 1e-11
_NO_TIMES = np.empty(0)


@dataclass(frozen=True)
class Outcome:
    """Final mu = <Sz>/N and precision 1/sigma^2."""

    magnetization: float
    precision: float


Run = Callable[[], Outcome]
"""One complete run of a contestant; whatever it does not do itself was prepared and is not timed."""


@dataclass(frozen=True)
class Case:
    """One size of the job: a torus of lx x ly spins."""

    lx: int
    ly: int

    @property
    def name(self) -> str:
        return f"{self.lx}x{self.ly}"

    @property
    def title(self) -> str:
        return f"{self.name} torus, {DURATION:g} ns"

    def network(self) -> SpinNetwork:
        return torus(self.lx, self.ly)

    def protocol(self) -> ChargingProtocol:
        return cooperative(DURATION, J=COUPLING, h=FIELD, s_hold=HOLD)

    def problem(self) -> ChargingProblem:
        """A new problem: what a problem caches is not carried from one repeat to the next."""
        return ChargingProblem(self.network(), self.protocol())


class Job(Protocol):
    """What is solved: a name, a title for tables, and a new problem at each call."""

    @property
    def name(self) -> str: ...

    @property
    def title(self) -> str: ...

    def problem(self) -> ChargingProblem: ...


def discharged(n_spins: int) -> NDArray[np.complex128]:
    """Amplitudes of the state with every spin down, shape (2^N,)."""
    psi = np.zeros(1 << n_spins, dtype=np.complex128)
    psi[-1] = 1.0
    return psi


def moments(psi: NDArray[np.complex128]) -> Outcome:
    """Moments of a peer's final state, normalised first.

    1/sigma^2 magnifies a drift of the norm some hundred times; without this, peers would need two
    digits more than the job does.
    """
    return moments_of_populations(np.abs(psi) ** 2)


def moments_of_populations(populations: NDArray[np.float64]) -> Outcome:
    """Moments of the populations (2^N,) of a peer's final state, normalised first."""
    n_spins = populations.size.bit_length() - 1
    p = populations / populations.sum()
    values = magnetization_diagonal(n_spins) / n_spins
    mean = float(p @ values)
    return Outcome(mean, 1.0 / float(p @ (values - mean) ** 2))


def paper_method(problem: ChargingProblem, step: float = PAPER_STEP) -> Run:
    """The paper's integrator as one writes it down: H summed at each midpoint, ``expm_multiply``.

    Args:
        problem: what to solve; its sparse matrices are prepared here.
        step: in ns.
    """
    hamiltonian = problem.to_scipy()
    middles = _midpoints(problem, step)

    def run() -> Outcome:
        psi = discharged(problem.n_spins)
        for t in middles:
            psi = expm_multiply(-1j * step * hamiltonian(t), psi)
        return moments(psi)

    return run


def paper_method_assembled(problem: ChargingProblem, step: float = PAPER_STEP) -> Run:
    """The same integrator at its fastest: one sparsity pattern, fields tabulated before, values refilled.

    This is kinder to the method than the paper's text is; nothing but ``expm_multiply`` costs time.
    """
    hamiltonian = problem.to_scipy()
    dimension = 1 << problem.n_spins
    pattern = (hamiltonian.sx + identity(dimension)).tocsr()
    pattern.sort_indices()
    rows = np.repeat(np.arange(dimension), np.diff(pattern.indptr))
    terms = [
        np.asarray(term[rows, pattern.indices]).ravel() for term in (hamiltonian.sx, hamiltonian.sz, hamiltonian.zz)
    ]
    transverse, field, ising = (-1j * step * TWO_PI * term for term in terms)
    middles = _midpoints(problem, step)

    def run() -> Outcome:
        psi = discharged(problem.n_spins)
        for bx, bz, half_b in np.column_stack(problem.fields(middles)):
            values = bx * transverse + bz * field + half_b * ising
            psi = expm_multiply(csr_matrix((values, pattern.indices, pattern.indptr), shape=pattern.shape), psi)
        return moments(psi)

    return run


def _midpoints(problem: ChargingProblem, step: float) -> NDArray[np.float64]:
    return np.asarray((np.arange(round(problem.protocol.duration / step)) + 0.5) * step, dtype=np.float64)


def statevector_promise(case: Case, tolerance: float) -> Run:
    """What a user gets: from network and protocol to the record, error estimate and all coarser passes included."""

    def run() -> Outcome:
        record = charge(case.network(), case.protocol(), engine=Statevector(tolerance))
        if record.precision is None:
            raise ArithmeticError(f"{case.name} ends without fluctuations, so its precision cannot be compared.")
        return Outcome(record.magnetization, record.precision)

    return run


@dataclass(frozen=True)
class Pass:
    """A single pass at a fixed step: a splitting, and the number of steps."""

    splitting: str
    steps: int

    def __str__(self) -> str:
        return f"{self.splitting}, {self.steps} steps"


def single_pass(case: Job, setting: Pass, kind: type[SplitStepEngine] = Statevector) -> Run:
    """One pass with no error estimate, set-up included: for those who fix the step, as the peers do."""

    def run() -> Outcome:
        problem = case.problem()
        engine = kind(splitting=setting.splitting)
        mesh = Mesh(problem, problem.protocol.breakpoints, setting.steps)
        evolution = engine.stepper(problem, mesh, _NO_TIMES, silent)(0, Checkpoint().level(0), silent)
        return Outcome(float(evolution.mean[-1]), 1.0 / float(evolution.variance[-1]))

    return run


def sufficient_passes(
    case: Job, reference: Outcome, tolerance: float, kind: type[SplitStepEngine] = Statevector
) -> list[Pass]:
    """For each splitting, the fewest steps from which on the precision stays within the tolerance."""
    return [_coarsest_pass(case, splitting, reference, tolerance, kind) for splitting in SPLITTINGS]


_FEWEST_STEPS, _MOST_STEPS, _STEP_RATIO = 100, 1600, 1.1


def _coarsest_pass(
    case: Job, splitting: str, reference: Outcome, tolerance: float, kind: type[SplitStepEngine]
) -> Pass:
    """Scanned from the finest down, so that an error that passes through zero by accident does not count."""
    steps, found = _MOST_STEPS, None
    while steps >= _FEWEST_STEPS:
        setting = Pass(splitting, steps)
        if precision_error(single_pass(case, setting, kind)(), reference) > tolerance:
            break
        found, steps = setting, int(steps / _STEP_RATIO)
    if found is None:
        raise ArithmeticError(f"{splitting} does not reach {tolerance:g} on {case.name} with {_MOST_STEPS} steps.")
    return found


def precision_error(outcome: Outcome, reference: Outcome) -> float:
    """Relative error of the precision."""
    return abs(outcome.precision / reference.precision - 1.0)
