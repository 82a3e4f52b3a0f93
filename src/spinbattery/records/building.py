"""Records made of solutions and readouts."""

from __future__ import annotations

import platform
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

from ..model.problem import ChargingProblem
from .contents import Contents, Variable
from .hashing import canonical_json, measurement_key, run_key
from .readout import Readout
from .record import Record
from .schema import ATTRIBUTES, SCHEMA, SCHEMA_VERSION, Variables
from .solution import Solution

_LIBRARIES = ("spinbattery", "numpy", "numba", "scipy", "xarray")


def build_record(
    problem: ChargingProblem,
    engine: str,
    options: dict[str, Any],
    reason: str,
    found: Solution | Readout,
    wall_time: float,
    approximation: str = "",
) -> Record:
    """Assemble the record of one run.

    Args:
        reason: why this engine was used.
        wall_time: run time in s.
        approximation: effects that the engine neglects; a record with them keeps no precision and no errors.
    """
    key = run_key(problem, engine, options, found.times)
    if isinstance(found, Readout) and found.job is not None:
        key = measurement_key(key, found.job)
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
        **found.attributes(),
    }
    if approximation:
        attributes["approximation"] = approximation
    values = _given(problem) | found.variables(problem, bool(approximation))
    variables = {name: _variable(name, dims, data) for name, (dims, data) in values.items()}
    return Record(Contents(variables, attributes), problem)


def _variable(name: str, dims: str | tuple[str, ...], data: Any) -> Variable:
    """A variable with the unit and the meaning of its name."""
    return Variable((dims,) if isinstance(dims, str) else dims, data, ATTRIBUTES.get(name, {}))


def _given(problem: ChargingProblem) -> Variables:
    """Variables that follow from the problem; the cost and the text of the problem are made when they are needed."""
    n = problem.n_spins
    return {
        "duration": ((), problem.protocol.duration),
        "hs_cost": ((), lambda: problem.cost.integral),
        "hs_cost_peak": ((), lambda: problem.cost.peak),
        "hs_cost_matched": ((), lambda: problem.cost.matched),
        "problem": ((), lambda: canonical_json(problem.to_dict())),
        "spin": ("spin", np.arange(n)),
        "sz_total": ("sz_total", np.arange(-n, n + 1, 2)),
    }


@cache  # finding the versions takes longer than the rest of a record
def _versions() -> str:
    """Versions of Python and the libraries, as JSON."""
    found = {"python": platform.python_version()}
    for library in _LIBRARIES:
        try:
            found[library] = version(library)
        except PackageNotFoundError:
            continue
    return canonical_json(found)
