"""QuTiP's Schroedinger solver as a peer of the engines of pure states."""

from __future__ import annotations

import numpy as np
import qutip
from qutip.solver.integrator import IntegratorException

from spinbattery.core.units import TWO_PI
from spinbattery.model.problem import ChargingProblem

from .contestants import Outcome, Run, moments
from .search import Setting, Solver

FORMATS = {"csr": ("csr",) * 3, "dia": ("dia",) * 3, "csr+dia": ("csr", "dia", "dia"), "dense": ("dense",) * 3}
"""Formats of Sx, Sz and the couplings."""

SPLINE_POINTS = 2001
MOST_STEPS = 10**8

REFERENCE_TOLERANCES = 1e-13, 1e-11
"""Absolute and relative tolerance of the independent reference."""

METHODS = ("dop853", "vern7", "vern9", "adams", "lsoda", "tsit5")


def prepare(problem: ChargingProblem, setting: Setting) -> Run:
    """QuTiP run with stops at the protocol's corners; operators and coefficients are prepared here.

    Integrators carry on past the times of a tlist and interpolate back, so a tlist does not stop them
    at a corner: each stretch between corners gets a solver of its own.
    """
    corners = problem.protocol.breakpoints
    stretches = list(zip(corners[:-1].tolist(), corners[1:].tolist(), strict=True))
    hamiltonians = [_hamiltonian(problem, setting, start, end) for start, end in stretches]
    n = problem.n_spins
    initial = qutip.basis([2] * n, [1] * n)
    options = {
        "method": setting.method,
        "atol": setting.atol,
        "rtol": setting.rtol,
        "nsteps": MOST_STEPS,
        "progress_bar": "",
        "store_states": False,
    }

    def run() -> Outcome:
        state = initial
        for hamiltonian, (start, end) in zip(hamiltonians, stretches, strict=True):
            solver = qutip.SESolver(hamiltonian, options=options)
            solver.start(state, start)
            state = solver.step(end)
        return moments(state.full().ravel())

    return run


def _hamiltonian(problem: ChargingProblem, setting: Setting, start: float, end: float) -> qutip.QobjEvo:
    if setting.coefficients == "function":
        return problem.to_qobjevo()
    matrices = problem.to_scipy()
    dims = [[2] * problem.n_spins] * 2
    formats = FORMATS[setting.storage]
    operators = (matrices.sx, matrices.sz, matrices.zz)
    terms = [
        [qutip.Qobj(matrix, dims=dims).to(form), spline]
        for matrix, form, spline in zip(operators, formats, splines(problem, start, end), strict=True)
    ]
    return qutip.QobjEvo(terms)


def splines(problem: ChargingProblem, start: float, end: float) -> list[qutip.Coefficient]:
    """Compiled cubic splines of the fields between two times, in rad/ns."""
    t = np.linspace(start, end, SPLINE_POINTS)
    return [qutip.coefficient(TWO_PI * field, tlist=t, order=3) for field in problem.fields(t)]


def reference(problem: ChargingProblem) -> Outcome:
    """Independent reference: Verner's order 9 with exact coefficients and tight tolerances."""
    return prepare(problem, Setting("vern9", *REFERENCE_TOLERANCES, coefficients="function"))()


def layouts(method: str = "dop853", atol: float = 1e-10, rtol: float = 1e-8) -> list[Setting]:
    """Coefficient kinds and matrix formats, all at one method and tolerance."""
    compiled = [Setting(method, atol, rtol, "spline", storage) for storage in ("csr", "dia", "csr+dia")]
    return [Setting(method, atol, rtol, "function"), *compiled]


SESOLVE = Solver("QuTiP", layouts(), METHODS, prepare, reference, loosest_relative=1e-7, failure=IntegratorException)
