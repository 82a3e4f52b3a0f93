"""QuTiP's Schroedinger solver, and the search for its best setting."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, Literal

import numpy as np
import qutip

from spinbattery.problem import ChargingProblem
from spinbattery.units import TWO_PI

from .contestants import Outcome, Run, moments, precision_error

Coefficients = Literal["function", "spline"]
Storage = Literal["csr", "dia", "csr+dia", "dense"]

FORMATS = {"csr": ("csr",) * 3, "dia": ("dia",) * 3, "csr+dia": ("csr", "dia", "dia"), "dense": ("dense",) * 3}
"""Formats of Sx, Sz and the couplings."""

SPLINE_POINTS = 2001
MOST_STEPS = 10**8

REFERENCE_TOLERANCES = 1e-13, 1e-11
"""Absolute and relative tolerance of the independent reference."""

_METHODS = ("dop853", "vern7", "vern9", "adams", "lsoda", "tsit5")
_RATIOS = (1.0, 10.0, 100.0)
_NOTCH = 10.0**0.25
_MOST_NOTCHES = 16


@dataclass(frozen=True)
class Setting:
    """How QuTiP is run.

    Attributes:
        method: name of the integrator.
        atol, rtol: its tolerances.
        coefficients: ``function`` for Python functions of t, exact; ``spline`` for QuTiP's compiled
            cubic splines through 2001 points on each third of the protocol.
        storage: sparse format of the matrices; ``csr+dia`` keeps Sx in csr and the diagonal terms in dia.
    """

    method: str
    atol: float
    rtol: float
    coefficients: Coefficients = "spline"
    storage: Storage = "csr"

    def __str__(self) -> str:
        return f"{self.method}, atol {self.atol:.0e}, rtol {self.rtol:.0e}, {self.coefficients}, {self.storage}"


@dataclass(frozen=True)
class Tried:
    """A setting and the relative error of its precision, infinite where the integrator gave up."""

    setting: Setting
    error: float


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
    t = np.linspace(start, end, SPLINE_POINTS)
    terms = [
        [qutip.Qobj(matrix, dims=dims).to(form), qutip.coefficient(TWO_PI * field, tlist=t, order=3)]
        for matrix, form, field in zip((matrices.sx, matrices.sz, matrices.zz), formats, problem.fields(t), strict=True)
    ]
    return qutip.QobjEvo(terms)


def reference(problem: ChargingProblem) -> Outcome:
    """Independent reference: Verner's order 9 with exact coefficients and tight tolerances."""
    return prepare(problem, Setting("vern9", *REFERENCE_TOLERANCES, coefficients="function"))()


@dataclass(frozen=True)
class Solver:
    """One of QuTiP's solvers, ready for the search.

    Attributes:
        layouts: kinds of coefficients and matrices to choose from.
        prepare: makes a run of a problem and a setting.
        reference: independent reference of a problem.
        loosest_relative: relative tolerance that is too loose for the job, from which the search tightens.
    """

    layouts: Sequence[Setting]
    prepare: Callable[[ChargingProblem, Any], Run]
    reference: Callable[[ChargingProblem], Outcome]
    loosest_relative: float


def layouts(method: str = "dop853", atol: float = 1e-10, rtol: float = 1e-8) -> list[Setting]:
    """Coefficient kinds and matrix formats, all at one method and tolerance."""
    splines = [Setting(method, atol, rtol, "spline", storage) for storage in ("csr", "dia", "csr+dia")]
    return [Setting(method, atol, rtol, "function"), *splines]


SESOLVE = Solver(layouts(), prepare, reference, loosest_relative=1e-7)


def families(layout: Setting, rtol: float) -> list[Setting]:
    """Every method with every ratio rtol/atol in one layout, at tolerances too loose for the job."""
    return [
        replace(layout, method=method, atol=rtol / ratio, rtol=rtol) for method, ratio in product(_METHODS, _RATIOS)
    ]


def loosest(solver: Solver, problem: ChargingProblem, start: Setting, truth: Outcome, tolerance: float) -> Tried:
    """Tighten both tolerances from ``start``, four notches a decade, until the precision is within the tolerance.

    An integrator's work grows as its tolerances tighten, so this is the fastest sufficient setting of
    its family. Where none suffices it is the most accurate.
    """
    tried = []
    for notch in range(_MOST_NOTCHES + 1):
        setting = _tightened(start, notch)
        tried.append(Tried(setting, _error(solver, problem, setting, truth)))
        if tried[-1].error <= tolerance:
            return tried[-1]
    return min(tried, key=lambda found: found.error)


def loosened(setting: Setting) -> Setting:
    """Where the search starts again at another size: half a decade looser."""
    return _tightened(setting, -2)


def _tightened(setting: Setting, notches: int) -> Setting:
    factor = _NOTCH**-notches
    return replace(setting, atol=setting.atol * factor, rtol=setting.rtol * factor)


def _error(solver: Solver, problem: ChargingProblem, setting: Setting, truth: Outcome) -> float:
    try:
        return precision_error(solver.prepare(problem, setting)(), truth)
    except qutip.solver.integrator.IntegratorException:
        return float("inf")
