"""Checks of a QuTiP result against a charging problem: times, states, noise and purity."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from ..core.checks import apart
from ..core.errors import RecordError
from ..model.noise import Noise
from ..model.problem import ChargingProblem
from ..model.protocol import SAME_TIME
from .qutip_operators import collapse_operators, product_ket

if TYPE_CHECKING:
    from qutip import Qobj
    from qutip.solver.multitrajresult import McResult
    from qutip.solver.result import Result

Runs: TypeAlias = "list[list[Qobj]]"
"""States of each run of a solver: at the output times, where it kept them, and at the end."""

_SAME_STATE = 1e-6
"""Largest distance from 1 of the overlap of two states that are meant to be one."""

_DRIFT_PER_RTOL = 1e4
_LEAST_DRIFT, _MOST_DRIFT = 1e-6, 0.1
"""Drift of norms and purities that a relative tolerance explains; up to 5e3 times the tolerance was seen."""

_CLEARLY_MIXED = 10.0
"""A state that noise made less pure by less than this many drifts may look pure."""


def check_result(result: Result | McResult, runs: Runs, problem: ChargingProblem) -> None:
    """Compare times, states, the initial state where it is known, and the number of collapse operators."""
    _check_span(result, problem)
    _check_states(result, runs, problem)
    if len(runs[0]) > 1:
        _check_start(runs, problem)
    _check_noise(result, problem)


def _check_noise(result: Result | McResult, problem: ChargingProblem) -> None:
    jumps = int(result.stats.get("num_collapse", 0))
    if problem.noise is None:
        if jumps:
            raise RecordError(
                f"the result of {result.solver} has {jumps} collapse operators, but the problem has no noise; give the "
                "problem that was solved, ChargingProblem(..., noise=...)."
            )
        return
    if not jumps:
        raise RecordError(
            f"the result of {result.solver} has no collapse operators, but the problem has noise ({problem.noise}); "
            "pass to_qutip().collapse_operators to mesolve or mcsolve."
        )
    wanted = len(collapse_operators(problem.noise, problem.n_spins, problem.fields))
    if jumps != wanted:
        raise RecordError(
            f"the result of {result.solver} has {jumps} collapse operators, but the noise of the problem "
            f"({problem.noise}) has {wanted}; pass all of to_qutip().collapse_operators, or give the problem that was "
            "solved."
        )


def _check_span(result: Result | McResult, problem: ChargingProblem) -> None:
    """Refuse a result that does not run over the whole protocol."""
    duration, begin, end = problem.protocol.duration, result.times[0], result.times[-1]
    if abs(begin) > SAME_TIME * duration:
        raise RecordError(
            f"the result begins at {begin:g} ns, but the protocol at 0; let the times of the solver, in ns, run from 0 "
            f"to {duration:g}."
        )
    if abs(end - duration) > SAME_TIME * duration:
        ended, lasts = apart(end, duration)
        raise RecordError(
            f"the result ends at {ended} ns, but the protocol at {lasts} ns; let the times of the solver, in ns, end "
            "there."
        )


def _check_states(result: Result | McResult, runs: Runs, problem: ChargingProblem) -> None:
    """Refuse states of another size or order, propagators, and what is not normalised."""
    n, final = problem.n_spins, runs[0][-1]
    if final.shape[0] != 1 << n:
        raise RecordError(
            f"the result has states of dimension {final.shape[0]}, but the states of {n} spins have {1 << n}; give the "
            "problem that was solved."
        )
    if final.dims[0] not in ([2] * n, [1 << n]):
        raise RecordError(
            f"the result has states of subsystems with the dimensions {final.dims[0]}, but {n} spins have {[2] * n}; "
            "start from to_qutip().initial."
        )
    drift = _drift(result)
    for state in (state for states in runs for state in states):
        norm, matrix = float(state.norm()) ** 2 if state.isket else complex(state.tr()), state.full()
        is_hermitian = state.isket or np.abs(matrix - matrix.conj().T).max() <= drift
        if not (abs(norm - 1.0) <= drift and is_hermitian):
            raise RecordError(
                f"the result has states that are not normalised (their norm or trace is {norm:.6g}), or operators "
                "that are not states; start from to_qutip().initial, and let the solver normalise."
            )


def _check_start(runs: Runs, problem: ChargingProblem) -> None:
    """Refuse runs that start from another state than the problem."""
    start = product_ket(problem.protocol.initial.spinors(problem.n_spins)).full().ravel()
    for states in runs:
        first = states[0].full()
        overlap = np.vdot(start, first @ start).real if first.shape[1] > 1 else abs(np.vdot(start, first)) ** 2
        if abs(overlap - 1.0) > _SAME_STATE:
            raise RecordError(
                "the result starts from a state whose overlap with the problem's initial state is "
                f"{apart(overlap, 1.0)[0]}; start from to_qutip().initial, or give the problem that was solved."
            )


def check_purity(result: Result, final: Qobj, purity: float, problem: ChargingProblem) -> None:
    """Refuse a density matrix that ends mixed without noise, or pure in spite of noise."""
    drift = _drift(result)
    if problem.noise is None and purity < 1.0 - drift:
        raise RecordError(
            f"the result ends in a mixed state, of purity {apart(purity, 1.0)[0]}, but the problem has no noise, and "
            "without noise states stay pure; give the problem that was solved, ChargingProblem(..., noise=...), and "
            "pass noise to the solver as collapse operators, not in a Liouvillian."
        )
    if problem.noise is None or purity < 1.0 - drift:
        return
    # a state that noise changes at this rate at the end cannot have been pure until then
    lost = problem.protocol.duration * _purity_loss(final, problem, problem.noise)
    if lost > _CLEARLY_MIXED * drift:
        raise RecordError(
            f"the result ends in a pure state, but the noise of the problem ({problem.noise}) would have mixed it; "
            "pass to_qutip().collapse_operators as they are, or give the problem that was solved."
        )


def _purity_loss(state: Qobj, problem: ChargingProblem, noise: Noise) -> float:
    """Rate, 1/ns, at which Tr rho^2 of a pure state falls at the end: 2 sum (<L^+ L> - |<L>|^2) over all jumps."""
    rho, loss = state.full() / state.tr(), 0.0
    for operator in collapse_operators(noise, problem.n_spins, problem.fields):
        jump = operator(problem.protocol.duration) if hasattr(operator, "to_list") else operator
        moved = jump.full() @ rho
        loss += np.vdot(jump.full(), moved).real - abs(np.trace(moved)) ** 2
    return 2.0 * float(loss)


def _drift(result: Result | McResult) -> float:
    """Largest distance of norms and purities from 1 that the solver's tolerance explains."""
    rtol = float(result.options.get("rtol") or 1e-6)
    return min(_MOST_DRIFT, max(_LEAST_DRIFT, _DRIFT_PER_RTOL * rtol))
