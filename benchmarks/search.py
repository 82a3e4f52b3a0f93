"""The search for the best setting of a peer whose integrator is set by tolerances."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, Literal

from spinbattery.model.problem import ChargingProblem

from .contestants import Job, Outcome, Run, precision_error
from .pairing import paired

TOLERANCE = 1e-6
"""Relative error of the precision that a contestant may have."""

Coefficients = Literal["function", "spline"]
Storage = Literal["csr", "dia", "csr+dia", "dense"]
Say = Callable[[str], None]

_RATIOS = (1.0, 10.0, 100.0)
_NOTCH = 10.0**0.25
_MOST_NOTCHES = 16
_FINALISTS = 4
_RUN_OFF_ROUNDS = 2


@dataclass(frozen=True)
class Setting:
    """Setting of a peer.

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

    def __str__(self) -> str:
        """A setting, with a remark where it misses the tolerance."""
        return str(self.setting) + ("" if self.error <= TOLERANCE else " (most accurate; none reaches 1e-6)")


@dataclass(frozen=True)
class Solver:
    """A solver of a peer, ready for the search.

    Attributes:
        name: name of the peer.
        layouts: kinds of coefficients and matrices to choose from.
        methods: its integrators.
        prepare: makes a run of a problem and a setting.
        reference: independent reference of a problem.
        loosest_relative: relative tolerance that is too loose for the job, from which the search tightens.
        failure: the exception of an integrator that gives up.
    """

    name: str
    layouts: Sequence[Setting]
    methods: Sequence[str]
    prepare: Callable[[ChargingProblem, Any], Run]
    reference: Callable[[ChargingProblem], Outcome]
    loosest_relative: float
    failure: type[Exception]


def finalists(case: Job, truth: Outcome, solver: Solver, say: Say) -> list[Tried]:
    """Search layouts, methods and tolerances; the four fastest families at this size, the fastest first."""
    problem = case.problem()
    timings = paired({str(setting): solver.prepare(problem, setting) for setting in solver.layouts}, _RUN_OFF_ROUNDS)
    for name, timing in timings.items():
        say(f"{case.name} {solver.name} layout {name}: {min(timing.cpu):.3f} s")
    layout = min(solver.layouts, key=lambda setting: min(timings[str(setting)].cpu))
    tried = [loosest(solver, problem, start, truth) for start in families(solver, layout)]
    return _run_off(case, solver, tried, say)[:_FINALISTS]


def search_again(case: Job, truth: Outcome, solver: Solver, found: Sequence[Tried], say: Say) -> list[Tried]:
    """Search the tolerances of another size's settings again at this size; the fastest first."""
    starts = [loosened(one.setting) for one in found]
    return _run_off(case, solver, [loosest(solver, case.problem(), start, truth) for start in starts], say)


def _run_off(case: Job, solver: Solver, tried: list[Tried], say: Say) -> list[Tried]:
    """Settings within the tolerance by CPU seconds, timed in rounds; the most accurate alone if there is none."""
    field = [found for found in tried if found.error <= TOLERANCE] or [min(tried, key=lambda found: found.error)]
    if len(field) == 1:
        return field
    problem = case.problem()
    timings = paired({str(t.setting): solver.prepare(problem, t.setting) for t in field}, _RUN_OFF_ROUNDS)
    ranked = sorted(field, key=lambda found: min(timings[str(found.setting)].cpu))
    for found in ranked:
        seconds = min(timings[str(found.setting)].cpu)
        say(f"{case.name} {solver.name} {found.setting}: {seconds:.3f} s, error {found.error:.1e}")
    return ranked


def families(solver: Solver, layout: Setting) -> list[Setting]:
    """Every method with every ratio rtol/atol in one layout, at tolerances too loose for the job."""
    rtol = solver.loosest_relative
    return [
        replace(layout, method=method, atol=rtol / ratio, rtol=rtol)
        for method, ratio in product(solver.methods, _RATIOS)
    ]


def loosest(
    solver: Solver, problem: ChargingProblem, start: Setting, truth: Outcome, tolerance: float = TOLERANCE
) -> Tried:
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
    except solver.failure:
        return float("inf")
