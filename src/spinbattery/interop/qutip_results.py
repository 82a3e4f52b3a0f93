"""Results of QuTiP's solvers as records."""

from __future__ import annotations

import hashlib
import math
import warnings
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..core.checks import instance
from ..core.errors import RecordError
from ..core.typing import FloatArray
from ..engines.common.contract import output_times
from ..model.operators import ising_diagonal, magnetization_diagonal, transverse_operator
from ..model.problem import ChargingProblem, as_problem
from ..records.building import build_record
from ..records.readout import plain_data
from ..records.record import Record
from ..records.solution import FinalState, Solution, StandardErrors, TimeTraces
from .qutip_checks import check_purity, check_result
from .qutip_operators import import_qutip

if TYPE_CHECKING:
    from qutip import Qobj
    from qutip.solver.multitrajresult import McResult
    from qutip.solver.result import Result

QUTIP = "qutip"
"""Name of the engine of records that QuTiP computed."""

_WITHOUT_EFFECT = frozenset({"progress_bar", "progress_kwargs", "map", "num_cpus", "mpi_options"})
"""Options of its solvers that decide no result."""


def record_from_qutip(result: Result | McResult, problem: ChargingProblem, *, source: str = "") -> Record:
    """Record of a result of ``sesolve``, ``mesolve`` or ``mcsolve`` with :meth:`ChargingProblem.to_qutip`.

    Moments come from the states, not from expectation values. The solver's option ``store_final_state`` gives
    those at the end; ``store_states``, which is its default without ``e_ops``, gives mu, sigma, the energy and
    the purity in time as well. From ``mcsolve`` with ``keep_runs_results`` come standard errors, and sigma^2 without
    the bias of finitely many trajectories, which is minus the squared standard error of mu; without it
    only their average is known, and a UserWarning says so.

    QuTiP does not estimate its errors, so that the record has no ``magnetization_error`` nor
    ``precision_relative_error``. The engine of the record is ``qutip``, and its engine options are the solver with its
    options, QuTiP's version and a hash of the moments.

    A result that contradicts the problem is refused. The initial state is only checked where states are stored in time.
    A result keeps neither H nor the rates of its collapse operators, so that these cannot be compared with the problem.

    Args:
        result: of the solver.
        problem: that was solved.
        source: where the result comes from, for the record.

    Raises:
        MissingDependencyError: qutip is not installed.
        RecordError: the result is another solver's, keeps no states, is of another number of spins, does not begin
            at 0 or end with the protocol, starts from another state, has states that are not normalised, has another
            number of collapse operators than the noise of the problem, is mixed where there is no noise, or
            pure where noise would have mixed it.
        InvalidParameterError: states at times that do not ascend.
    """
    runs = _runs(result)
    problem = as_problem(problem)
    instance("source", source, str)
    check_result(result, runs.states, problem)
    times = output_times(problem, result.times) if len(runs.states[0]) > 1 else np.empty(0)
    solution = _solution(problem, runs, times)
    if not (runs.are_trajectories or runs.states[0][-1].isket):
        solution = _with_mixedness(solution, runs.states[0])
        check_purity(result, runs.states[0][-1], float(solution.traces.purity[-1]), problem)  # type: ignore[index]
    options: dict[str, Any] = {
        "solver": result.solver,
        "qutip": version("qutip"),
        "data": _digest(solution),
        **{key: value for key, value in plain_data(dict(result.options)).items() if key not in _WITHOUT_EFFECT},
    }
    if runs.are_trajectories:
        options["trajectories"] = result.num_trajectories
    if source:
        options["source"] = source
    seconds = float(result.stats.get("run time", 0.0))
    return build_record(problem, QUTIP, options, f"solved by QuTiP's {result.solver}", solution, seconds)


@dataclass(frozen=True)
class _WeightedRuns:
    """Weighted runs of a solver, each with its states at the output times, where it kept them, and at the end.

    The first runs have exact weights; the mean of the others, which were drawn at random, counts.
    """

    states: list[list[Qobj]]
    exact: FloatArray
    drawn: FloatArray
    are_trajectories: bool = True

    def mean(self, values: FloatArray) -> tuple[FloatArray, FloatArray | None]:
        """Mean of values (runs, ...) and its standard error, or None where fewer than two runs were drawn."""
        first = len(self.exact)
        mean = np.tensordot(self.exact, values[:first], axes=1)
        if not len(self.drawn):
            return mean, None
        weighted = (self.drawn * values[first:].T).T
        mean = mean + weighted.mean(axis=0)
        if len(weighted) < 2:
            return mean, None
        return mean, np.asarray(weighted.std(axis=0, ddof=1) / math.sqrt(len(weighted)))


def _runs(result: Any) -> _WeightedRuns:
    import_qutip("record_from_qutip")
    from qutip.solver.multitrajresult import McResult
    from qutip.solver.result import Result

    if isinstance(result, McResult):
        return _runs_of_trajectories(result)
    if isinstance(result, Result):
        return _WeightedRuns([_states(result)], np.ones(1), np.empty(0), are_trajectories=False)
    raise RecordError(f"the result must be one of sesolve, mesolve or mcsolve, but is {type(result).__name__}.")


def _states(run: Result) -> list[Qobj]:
    """States of one run, the last of them at the end."""
    if run.final_state is None:
        raise RecordError(
            f"the result of {run.solver} keeps no states; run it with options={{'store_final_state': True}} for the "
            "moments at the end, or {'store_states': True} for those in time as well."
        )
    return [*run.states, run.final_state]


def _runs_of_trajectories(result: McResult) -> _WeightedRuns:
    if result.runs_final_states is not None:
        trajectories = [*result.deterministic_trajectories, *result.trajectories]
        drawn = result.num_trajectories * np.array(result.runs_weights)
        return _WeightedRuns([_states(run) for run in trajectories], np.array(result.deterministic_weights), drawn)
    final = result.average_final_state
    if final is None:
        raise RecordError(
            f"the result of {result.solver} keeps no states; run it with options={{'store_final_state': True, "
            "'keep_runs_results': True}: the first keeps the states at the end, the second the states of each "
            "trajectory, which standard errors come from. 'store_states' keeps the states in time as well."
        )
    warnings.warn(
        f"the result of {result.solver} keeps the average over its {result.num_trajectories} trajectories alone, so "
        "that the record has no standard errors; run it with options={'keep_runs_results': True} for them.",
        stacklevel=4,
    )
    return _WeightedRuns([[*(result.average_states or []), final]], np.ones(1), np.empty(0))


class _Observables:
    """Diagonals and the transverse operator of a problem, and their expectation values in a state."""

    def __init__(self, problem: ChargingProblem) -> None:
        n = problem.n_spins
        self.problem, self.n_spins = problem, n
        self.n_up = (n + magnetization_diagonal(n).astype(np.int64)) // 2
        self.ising = ising_diagonal(n, *problem.couplings)
        self.transverse = transverse_operator(n).tocoo()

    def probabilities(self, state: Qobj) -> tuple[FloatArray, float]:
        """Normalised populations (2^N,) of a ket or a density matrix, and its squared norm or trace."""
        p = np.abs(state.full().ravel()) ** 2 if state.isket else state.diag().real
        return p / p.sum(), float(p.sum())

    def distribution(self, p: FloatArray) -> FloatArray:
        """P(Sz), shape (N + 1,)."""
        return np.asarray(np.bincount(self.n_up, weights=p, minlength=self.n_spins + 1), dtype=np.float64)

    def energy(self, state: Qobj, p: FloatArray, norm: float, time: float) -> float:
        """<H> in GHz."""
        matrix, sx = state.full(), self.transverse
        transverse = np.vdot(matrix, sx @ matrix).real if state.isket else matrix[sx.row, sx.col].real.sum()
        bx, bz, half_b = (float(field) for field in self.problem.fields(time))
        magnetization = float(p @ (2.0 * self.n_up - self.n_spins))
        return bx * float(transverse) / norm + bz * magnetization + half_b * float(p @ self.ising)

    def spins(self, p: FloatArray) -> FloatArray:
        """<sz_k>, shape (N,)."""
        cube = p.reshape((2,) * self.n_spins)
        up = [float(np.take(cube, 0, axis=k).sum()) for k in range(self.n_spins)]
        return 2.0 * np.array(up) - 1.0


class _Observed(NamedTuple):
    """P(Sz) (R, T + 1, N + 1), <H> (R, T + 1) and final <sz_k> (R, N) of R runs, and the drift of norms."""

    distributions: FloatArray
    energies: FloatArray
    spins: FloatArray
    drift: float


def _observed(problem: ChargingProblem, runs: _WeightedRuns, times: FloatArray) -> _Observed:
    observables = _Observables(problem)
    instants = [*times.tolist(), problem.protocol.duration]
    distributions, energies, spins, drift = [], [], [], 0.0
    for states in runs.states:
        for state, time in zip(states, instants, strict=True):
            p, norm = observables.probabilities(state)
            distributions.append(observables.distribution(p))
            energies.append(observables.energy(state, p, norm, time))
            drift = max(drift, abs(norm - 1.0))
        spins.append(observables.spins(p))
    shape = (len(runs.states), len(instants))
    return _Observed(np.array(distributions).reshape(*shape, -1), np.reshape(energies, shape), np.array(spins), drift)


def _solution(problem: ChargingProblem, runs: _WeightedRuns, times: FloatArray) -> Solution:
    """Moments of all runs together.

    As sigma^2 is stationary in mu, its standard error is the one of squares about the common mu.
    """
    n, found = problem.n_spins, _observed(problem, runs, times)
    values = np.arange(-n, n + 1, 2) / n
    distribution, distribution_stderr = runs.mean(found.distributions[:, -1])
    spins, spins_stderr = runs.mean(found.spins)
    energy, energy_stderr = runs.mean(found.energies)
    mean, mean_stderr = runs.mean(found.distributions @ values)
    squares = np.einsum("rtm,tm->rt", found.distributions, (values - mean[:, None]) ** 2)
    variance, variance_stderr = runs.mean(squares)
    errors = None
    if mean_stderr is not None and variance_stderr is not None and energy_stderr is not None:
        variance = variance + mean_stderr**2  # the mean of the same runs is nearer to them than the true one
        errors = StandardErrors(mean_stderr, variance_stderr, energy_stderr, distribution_stderr, spins_stderr)
    return Solution(
        FinalState(distribution, spins, found.drift), TimeTraces(times, mean, variance, energy), standard_errors=errors
    )


def _with_mixedness(solution: Solution, states: list[Qobj]) -> Solution:
    """The solution with the purity of each density matrix and the smallest eigenvalue of the last one."""
    matrices = [state.full() / state.tr() for state in states]
    purities = np.array([float(np.vdot(rho, rho).real) for rho in matrices])
    final = replace(solution.final, smallest_eigenvalue=float(np.linalg.eigvalsh(matrices[-1])[0]))
    return replace(solution, final=final, traces=replace(solution.traces, purity=purities))


def _digest(solution: Solution) -> str:
    """Hash of the moments, which differ from result to result."""
    final, traces = solution.final, solution.traces
    in_time = [values[:-1] for values in (traces.mean, traces.variance, traces.energy)]
    return hashlib.sha256(b"".join(v.tobytes() for v in (final.distribution, final.spins, *in_time))).hexdigest()
