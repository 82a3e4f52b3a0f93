"""Records made of what engines and annealers found."""

from __future__ import annotations

import json
import math
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.typing import ComplexArray, FloatArray, IntArray
from ..model.problem import ChargingProblem
from .ensemble import Ensemble
from .hashing import canonical_json, measurement_key, run_key
from .moments import Moments, precision_bound
from .record import Record
from .schema import LONG_NAMES, SCHEMA, SCHEMA_VERSION, UNITS, VARIANCE_FLOOR

_LIBRARIES = ("spinbattery", "numpy", "numba", "scipy", "xarray")
_BLOCK = 1 << 22
"""Products of spins that are held at once, in bytes, where energies are summed."""

_NO_TIMES = np.empty(0)

_STDERR_DIMS: dict[str, Any] = {
    "magnetization": (), "variance": (), "distribution": "sz_total", "spin_magnetization": "spin",
    "magnetization_t": "time", "variance_t": "time", "energy_t": "time",
}  # fmt: skip
"""Dimensions of what can have a standard error."""


@dataclass(frozen=True)
class Solution:
    """What an engine found, before it becomes a record.

    Attributes:
        mean, variance: final mu and sigma^2.
        spin_magnetization: (N,) final <sz_k>.
        distribution: (N + 1,) final P(Sz), Sz = -N, -N + 2, ... N.
        times: (T,) output times in ns; may be empty, as then are the trajectories.
        trajectory_mean, trajectory_variance, trajectory_energy: (T,) mu, sigma^2, <H> in GHz.
        trajectory_mean_error, trajectory_variance_error: (T,) absolute error estimates, or None where there are none.
        mean_error: absolute error estimate of mu, or None.
        precision_relative_error: relative error estimate of 1/sigma^2, or None.
        norm_error: |norm - 1| at the end, before normalisation, or None where the norm means something else.
        state: final amplitudes, or None where they are not kept.
        discretisation: what the error came from (splitting, steps, ...).
        purity: Tr rho^2 at the end, and ``trajectory_purity`` (T,) at the output times; None of pure states.
        smallest_eigenvalue: of the final density matrix, or None.
        standard_errors: where runs were drawn at random: of mu, sigma^2, P(Sz), <sz_k> and the trajectories, by the
            names that these have in a record.
        ensemble: sums over trajectories, from which runs are merged and extended, or None.
        trajectory_spins: (T, N) <sz_k> at the output times, or None.
        std_error: absolute error estimate of sigma, or None.
        extrapolated: other estimates of mu and sigma by the names that these have in a record, where there are any.
        converged: verdict on mu and the precision, where there is one: None where no error is known. A precision
            that has not converged is not shown.
        execution: what differs between two runs of the same: plain data.
    """

    mean: float
    variance: float
    spin_magnetization: FloatArray
    distribution: FloatArray
    times: FloatArray
    trajectory_mean: FloatArray
    trajectory_variance: FloatArray
    trajectory_energy: FloatArray
    trajectory_mean_error: FloatArray | None
    trajectory_variance_error: FloatArray | None
    mean_error: float | None
    precision_relative_error: float | None
    norm_error: float | None
    state: ComplexArray | None
    discretisation: dict[str, Any]
    purity: float | None = None
    trajectory_purity: FloatArray | None = None
    smallest_eigenvalue: float | None = None
    standard_errors: Mapping[str, Any] = field(default_factory=dict)
    ensemble: Ensemble | None = None
    trajectory_spins: FloatArray | None = None
    std_error: float | None = None
    extrapolated: Mapping[str, float] = field(default_factory=dict)
    converged: Mapping[str, bool | None] = field(default_factory=dict)
    execution: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Readout:
    """Reads of an annealer, before they become a record.

    Attributes:
        magnetizations: (reads,) mu of each read; two or more reads.
        spins: (reads, N) of +1 and -1 in the order of the network's spins, or None where they are not known.
        qubits: (N,) numbers of the qubits that were the spins, or None.
        sampler: what was asked of which sampler, and what it said: plain data.
        execution: what differs between two runs of the same (times, job numbers): plain data.
        job: what tells this measurement from others of the same run, for its key; None where a seed or a hash of the
            reads in the options does.
    """

    magnetizations: FloatArray
    spins: NDArray[np.int8] | None = None
    qubits: IntArray | None = None
    sampler: dict[str, Any] = field(default_factory=dict)
    execution: dict[str, Any] = field(default_factory=dict)
    job: str | None = None

    @property
    def times(self) -> FloatArray:
        """None: an annealer is read at the end alone."""
        return _NO_TIMES


def build_record(
    problem: ChargingProblem,
    engine: str,
    options: dict[str, Any],
    reason: str,
    solution: Solution | Readout,
    wall_time: float,
    approximation: str = "",
) -> Record:
    """Assemble the dataset of one run.

    Args:
        problem: what was solved.
        engine, options: by what.
        reason: why by that.
        solution: what was found.
        wall_time: how long it took, s.
        approximation: what the engine neglects, where no effort makes its error small; then no precision is kept.
    """
    import xarray as xr

    n, cost = problem.n_spins, problem.cost
    key = run_key(problem, engine, options, solution.times)
    if isinstance(solution, Readout) and solution.job is not None:
        key = measurement_key(key, solution.job)
    values: dict[str, Any] = {
        "duration": ((), problem.protocol.duration),
        "hs_cost": ((), cost.integral),
        "hs_cost_peak": ((), cost.peak),
        "hs_cost_matched": ((), cost.matched),
        "problem": ((), canonical_json(problem.to_dict())),
        "spin": ("spin", np.arange(n)),
        "sz_total": ("sz_total", np.arange(-n, n + 1, 2)),
    }
    attributes = {
        "schema": SCHEMA,
        "schema_version": SCHEMA_VERSION,
        "problem_hash": problem.content_hash,
        "run_key": key,
        "network": problem.network.name,
        "protocol": problem.protocol.name,
        "scales": problem.scales.name,
        "engine": engine,
        "engine_options": canonical_json(options),
        "engine_reason": reason,
        "versions": _versions(),
        "wall_time_s": wall_time,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    if isinstance(solution, Readout):
        values |= _sampled_values(problem, solution)
        attributes |= {"sampler": canonical_json(solution.sampler), "execution": canonical_json(solution.execution)}
    else:
        values |= _computed_values(solution, bool(approximation))
        attributes["discretisation"] = canonical_json(solution.discretisation)
        if solution.converged:
            attributes["converged"] = canonical_json(solution.converged)
        if solution.execution:
            attributes["execution"] = canonical_json(solution.execution)
    if approximation:
        attributes["approximation"] = approximation
    variables = {name: xr.Variable(dims, data, _described(name)) for name, (dims, data) in values.items()}
    return Record(xr.Dataset(variables, attrs=attributes), problem)


def _computed_values(solution: Solution, is_approximate: bool) -> dict[str, Any]:
    """Moments and trajectories with the estimates of their discretisation errors."""
    values: dict[str, Any] = {
        "magnetization": ((), solution.mean),
        "variance": ((), solution.variance),
        "std": ((), math.sqrt(solution.variance)),
        "spin_magnetization": ("spin", solution.spin_magnetization),
        "distribution": ("sz_total", solution.distribution),
    }
    known = {
        "magnetization_error": solution.mean_error,
        "norm_error": solution.norm_error,
        "purity": solution.purity,
        "smallest_eigenvalue": solution.smallest_eigenvalue,
    }
    known |= {f"{name}_extrapolated": value for name, value in solution.extrapolated.items()}
    if is_approximate:
        del known["magnetization_error"]  # that of the step says nothing of the truth
    elif not solution.converged.get("precision", True):
        known["std_error"] = solution.std_error
        if solution.mean_error is not None:  # else a bound may be false: seen at small bond dimensions
            known["precision_bound"] = _least_precision(solution.mean, solution.mean_error)
    elif solution.variance > VARIANCE_FLOOR:
        known |= {"precision": 1.0 / solution.variance, "precision_relative_error": solution.precision_relative_error}
        known["std_error"] = solution.std_error
    else:
        known["precision_bound"] = 1.0 / VARIANCE_FLOOR
    values |= {name: ((), value) for name, value in known.items() if value is not None}
    if len(solution.times):
        in_time = {
            "time": solution.times,
            "magnetization_t": solution.trajectory_mean,
            "std_t": np.sqrt(np.maximum(solution.trajectory_variance, 0.0)),
            "energy_t": solution.trajectory_energy,
            "magnetization_t_error": None if is_approximate else solution.trajectory_mean_error,
            "variance_t_error": None if is_approximate else solution.trajectory_variance_error,
            "purity_t": solution.trajectory_purity,
        }
        values |= {name: ("time", value) for name, value in in_time.items() if value is not None}
        if solution.trajectory_spins is not None:
            values["spin_magnetization_t"] = (("time", "spin"), solution.trajectory_spins)
    if solution.standard_errors and "precision" in values:
        values["precision_stderr"] = ((), solution.standard_errors["variance"] / solution.variance**2)
    values |= {f"{name}_stderr": (_STDERR_DIMS[name], x) for name, x in solution.standard_errors.items() if np.size(x)}
    if solution.ensemble is not None:
        values |= solution.ensemble.values()
    if solution.state is not None:
        values["state"] = (("amplitude", "part"), np.column_stack([solution.state.real, solution.state.imag]))
        values["part"] = ("part", ["real", "imag"])
    return values


def _least_precision(mean: float, error: float) -> float:
    """Lower bound 1/(1 - mu^2) of Bhatia and Davis on 1/sigma^2, at the end of mu's error bar that makes it least."""
    least = max(abs(mean) - error, 0.0)
    return 1.0 / max(1.0 - least**2, VARIANCE_FLOOR)


def _sampled_values(problem: ChargingProblem, readout: Readout) -> dict[str, Any]:
    """Moments with their standard errors, and the reads, their spins packed into bits."""
    n, magnetizations = problem.n_spins, readout.magnetizations
    down = np.rint(0.5 * n * (1.0 - magnetizations)).astype(np.int64)
    flips = Moments.of(down)  # whole numbers: reads that are alike have a variance of exactly zero
    mean, variance = 1.0 - 2.0 * flips.mean / n, 4.0 * flips.variance / n**2
    values: dict[str, Any] = {
        "magnetization": ((), mean),
        "variance": ((), variance),
        "std": ((), math.sqrt(variance)),
        "distribution": ("sz_total", np.bincount(n - down, minlength=n + 1) / len(down)),
        "degree": ("spin", problem.network.degrees),
    }
    if variance > 0.0:
        values["precision"] = ((), 1.0 / variance)
        values["magnetization_stderr"] = ((), 2.0 * flips.mean_error / n)
        values["variance_stderr"] = ((), 4.0 * flips.variance_error / n**2)
        values["precision_stderr"] = ((), flips.variance_error / flips.variance / variance)
    else:
        values["precision_bound"] = ((), precision_bound(len(down), n))
    if readout.qubits is not None:
        values["qubit"] = ("spin", readout.qubits)
    if readout.spins is None:
        values["read_magnetization"] = ("read", magnetizations)
        return values
    up = readout.spins > 0
    values["spin_magnetization"] = ("spin", 2.0 * up.mean(axis=0) - 1.0)
    values["spins_packed"] = (("read", "byte"), np.packbits(up, axis=1))
    values["energy"] = ("read", ising_energies(problem, readout.spins))
    return values


def ising_energies(problem: ChargingProblem, spins: NDArray[np.int8]) -> FloatArray:
    """h sum s_k + J sum w_jk s_j s_k of each read (reads, N), in units of B(s)/2, at gain g = 1, shape (reads,).

    Cross-talk is no part of what was programmed, and left out.
    """
    network, protocol = problem.network, problem.protocol
    first, second = network.pairs.T
    energies: FloatArray = protocol.h * spins.sum(axis=1, dtype=np.float64)
    if protocol.J == 0.0 or not network.n_pairs:
        return energies
    step = max(1, _BLOCK // network.n_pairs)
    for start in range(0, len(spins), step):
        block = spins[start : start + step]
        energies[start : start + step] += protocol.J * ((block[:, first] * block[:, second]) @ network.weights)
    return energies


def plain_data(info: Mapping[str, Any]) -> dict[str, Any]:
    """What of a sampler's information can be kept: numbers, texts, lists; the rest is left out."""
    found = {}
    for name, value in info.items():
        try:
            found[str(name)] = json.loads(json.dumps(value, allow_nan=False, default=_listed))
        except (TypeError, ValueError):  # objects of a sampler, or numbers that JSON has not
            continue
    return found


def of_emulation(info: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """A sampler's information as plain data: what an emulator says of its model, and what differs from run to run.

    The first holds the model and, where there are any, the limits of the machine that the request is beyond.
    """
    told = plain_data(info)
    model = {name: told.pop(name) for name in ("emulator", "limits") if name in told}
    return {name: value for name, value in model.items() if value}, told


def _listed(value: Any) -> Any:
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    raise TypeError


@cache  # looking a version up takes longer than all else that is done for a record
def _versions() -> str:
    """Versions of Python and the libraries, as JSON."""
    found = {"python": platform.python_version()}
    for library in _LIBRARIES:
        try:
            found[library] = version(library)
        except PackageNotFoundError:
            continue
    return canonical_json(found)


def _described(name: str) -> dict[str, str]:
    """Unit and meaning of a variable, where it has them."""
    attributes = {"units": UNITS.get(name), "long_name": LONG_NAMES.get(name)}
    return {key: value for key, value in attributes.items() if value is not None}
