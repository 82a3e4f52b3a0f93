"""QuTiP's Schroedinger solver, and the search for its best setting."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import product
from typing import Literal

import numpy as np
import qutip

from spinbattery.problem import ChargingProblem
from spinbattery.units import TWO_PI

from .contestants import Outcome, Run, moments, precision_error

Coefficients = Literal["function", "spline"]
Storage = Literal["csr", "dia", "csr+dia"]

_SPLINE_POINTS = 2001
_MOST_STEPS = 10**8

REFERENCE_TOLERANCES = 1e-13, 1e-11
"""Absolute and relative tolerance of the independent reference."""

_METHODS = ("dop853", "vern7", "vern9", "adams", "lsoda", "tsit5")
_ABSOLUTE = (3e-9, 1e-9, 3e-10, 1e-10, 3e-11, 1e-11)
_RATIOS = (100.0, 10.0)
_NEARBY = tuple(10.0 ** (k / 4) for k in range(-3, 4))


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
class Scanned:
    """What a setting gave: CPU seconds and relative error of the precision; both infinite where it failed."""

    setting: Setting
    seconds: float
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
        "nsteps": _MOST_STEPS,
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
    formats = {"csr": ("csr",) * 3, "dia": ("dia",) * 3, "csr+dia": ("csr", "dia", "dia")}[setting.storage]
    t = np.linspace(start, end, _SPLINE_POINTS)
    terms = [
        [qutip.Qobj(matrix, dims=dims).to(form), qutip.coefficient(TWO_PI * field, tlist=t, order=3)]
        for matrix, form, field in zip((matrices.sx, matrices.sz, matrices.zz), formats, problem.fields(t), strict=True)
    ]
    return qutip.QobjEvo(terms)


def reference(problem: ChargingProblem) -> Outcome:
    """Independent reference: Verner's order 9 with exact coefficients and tight tolerances."""
    return prepare(problem, Setting("vern9", *REFERENCE_TOLERANCES, coefficients="function"))()


def scan(problem: ChargingProblem, settings: Iterable[Setting], truth: Outcome, repeats: int) -> list[Scanned]:
    """Run every setting ``repeats`` times and keep its best CPU time."""
    return [_scan_one(problem, setting, truth, repeats) for setting in settings]


def _scan_one(problem: ChargingProblem, setting: Setting, truth: Outcome, repeats: int) -> Scanned:
    run = prepare(problem, setting)
    seconds = []
    for _ in range(repeats):
        start = time.process_time()
        try:
            outcome = run()
        except qutip.solver.integrator.IntegratorException:
            return Scanned(setting, np.inf, np.inf)
        seconds.append(time.process_time() - start)
    return Scanned(setting, min(seconds), precision_error(outcome, truth))


def layouts(method: str = "dop853", atol: float = 1e-10, rtol: float = 1e-8) -> list[Setting]:
    """First part of the scan: coefficient kinds and matrix formats, at one method and tolerance."""
    splines = [Setting(method, atol, rtol, "spline", storage) for storage in ("csr", "dia", "csr+dia")]
    return [Setting(method, atol, rtol, "function"), *splines]


def tolerances(layout: Setting) -> list[Setting]:
    """Second part: methods and tolerances, in the layout that was fastest."""
    return [
        replace(layout, method=method, atol=atol, rtol=atol * ratio)
        for method, atol, ratio in product(_METHODS, _ABSOLUTE, _RATIOS)
    ]


def nearby(settings: Iterable[Setting]) -> list[Setting]:
    """Last part: finer tolerances around the finalists, for the size that is timed."""
    return [
        replace(setting, atol=factor * setting.atol, rtol=factor * setting.rtol)
        for setting, factor in product(settings, _NEARBY)
    ]


def best(scanned: list[Scanned], tolerance: float) -> Scanned:
    """Fastest setting within the tolerance; the most accurate if there is none."""
    sufficient = [found for found in scanned if found.error <= tolerance]
    if sufficient:
        return min(sufficient, key=lambda found: found.seconds)
    return min(scanned, key=lambda found: found.error)


def finalists(scanned: list[Scanned], tolerance: float, count: int) -> list[Setting]:
    """Best setting of each method, and of those the ``count`` fastest that are within the tolerance."""
    methods = sorted({found.setting.method for found in scanned})
    winners = [best([found for found in scanned if found.setting.method == method], tolerance) for method in methods]
    sufficient = [found for found in winners if found.error <= tolerance] or [best(winners, tolerance)]
    return [found.setting for found in sorted(sufficient, key=lambda found: found.seconds)[:count]]
