"""QuTiP's master-equation solver as a peer of the density-matrix engine."""

from __future__ import annotations

from dataclasses import dataclass

import qutip
from qutip.solver.integrator import IntegratorException

from spinbattery.model.problem import ChargingProblem

from .contestants import Outcome, Run, moments_of_populations
from .qutip_peer import FORMATS, METHODS, MOST_STEPS, REFERENCE_TOLERANCES, splines
from .search import Setting, Solver


@dataclass(frozen=True)
class OpenSetting(Setting):
    """How ``mesolve`` is run.

    Attributes:
        matrix_form: products with the density matrix from both sides instead of a superoperator on it as a vector;
            the storage is then the one of the Hamiltonian.
    """

    matrix_form: bool = False

    def __str__(self) -> str:
        return f"{super().__str__()}, {'matrix form' if self.matrix_form else 'superoperator'}"


def prepare(problem: ChargingProblem, setting: OpenSetting) -> Run:
    """QuTiP run with stops at the protocol's corners; operators and coefficients are prepared here.

    As a superoperator, all collapse operators are one constant term: QuTiP would add them up at each step. They
    must be constant, so relaxation cannot be included.
    """
    corners = problem.protocol.breakpoints
    stretches = list(zip(corners[:-1].tolist(), corners[1:].tolist(), strict=True))
    initial = problem.to_qutip().initial.proj()
    options = {
        "method": setting.method,
        "atol": setting.atol,
        "rtol": setting.rtol,
        "nsteps": MOST_STEPS,
        "progress_bar": "",
        "store_states": False,
        "matrix_form": setting.matrix_form,
    }
    generators = [_generator(problem, setting, start, end) for start, end in stretches]

    def run() -> Outcome:
        state = initial
        for (hamiltonian, jumps), (start, end) in zip(generators, stretches, strict=True):
            solver = qutip.MESolver(hamiltonian, jumps, options=options)
            solver.start(state, start)
            state = solver.step(end)
        return moments_of_populations(state.diag().real)

    return run


def _generator(
    problem: ChargingProblem, setting: OpenSetting, start: float, end: float
) -> tuple[qutip.QobjEvo, list[qutip.Qobj]]:
    """Input of ``MESolver`` on one stretch: H and collapse operators, or a superoperator and none.

    With function coefficients it is what ``to_qutip`` gives.
    """
    jumps = problem.to_qutip().collapse_operators
    if any(isinstance(jump, qutip.QobjEvo) for jump in jumps):
        raise ValueError("collapse operators that depend on time are not prepared; leave relaxation out.")
    if setting.coefficients == "function":
        return problem.to_qobjevo(), jumps
    formats = FORMATS[setting.storage]
    matrices = problem.to_scipy()
    dims = [[2] * problem.n_spins] * 2
    operators = [qutip.Qobj(matrix, dims=dims) for matrix in (matrices.sx, matrices.sz, matrices.zz)]
    coefficients = splines(problem, start, end)
    if setting.matrix_form:
        terms = [operator.to(form) for operator, form in zip(operators, formats, strict=True)]
        return qutip.QobjEvo(_paired(terms, coefficients)), [jump.to(formats[0]) for jump in jumps]
    terms = [qutip.liouvillian(operator).to(form) for operator, form in zip(operators, formats, strict=True)]
    dissipator = sum(qutip.lindblad_dissipator(jump) for jump in jumps).to(formats[0])
    return qutip.QobjEvo([dissipator, *_paired(terms, coefficients)]), []


def _paired(terms: list[qutip.Qobj], coefficients: list[qutip.Coefficient]) -> list[list[object]]:
    return [[term, coefficient] for term, coefficient in zip(terms, coefficients, strict=True)]


def reference(problem: ChargingProblem) -> Outcome:
    """Independent reference: Verner's order 9 with exact coefficients and tight tolerances."""
    return prepare(problem, OpenSetting("vern9", *REFERENCE_TOLERANCES, coefficients="function"))()


def layouts(method: str = "adams", atol: float = 1e-10, rtol: float = 1e-8) -> list[OpenSetting]:
    """Superoperators and matrix forms with their kinds of coefficients and matrix formats, at one tolerance."""
    superoperators = [OpenSetting(method, atol, rtol, "spline", storage) for storage in ("csr", "dia", "csr+dia")]
    matrices = [
        OpenSetting(method, atol, rtol, "spline", storage, matrix_form=True)
        for storage in ("csr", "dia", "csr+dia", "dense")
    ]
    return [OpenSetting(method, atol, rtol, "function"), *superoperators, *matrices]


MESOLVE = Solver("QuTiP", layouts(), METHODS, prepare, reference, loosest_relative=1e-5, failure=IntegratorException)
