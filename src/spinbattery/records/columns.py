"""Columns of a run in the index, in tables and in filters: its parameters, results and timings."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

import numpy as np

from ..core.typing import FloatArray
from ..model.families import family_of
from ..model.problem import ChargingProblem
from ..model.protocol import Protocol
from .charge_state import ChargeState
from .hashing import canonical_json
from .options import Column, option_columns
from .record import Record
from .schema import ATTRIBUTES

Row = dict[str, Any]
"""Values by column; None where not known."""

_RUN = {
    "key": Column("TEXT", "hash of problem, engine, options and output times"),
    "problem_hash": Column("TEXT", "hash of the physics"),
    "network": Column("TEXT", "name of the network"),
    "network_hash": Column("TEXT", "hash of its spins, pairs, weights and cross-talk"),
    "family": Column("TEXT", "family of graphs; unknown where the network belongs to none or to several"),
    "n_spins": Column("INTEGER", "N"),
    "n_pairs": Column("INTEGER", "n_C, coupled pairs without cross-talk"),
    "weight": Column("REAL", "weight of all bonds; unknown where they differ"),
    "crosstalk": Column("REAL", "J_CT in units of B(s)/2, 0 without cross-talk; unknown where pairs differ"),
    "noise": Column("TEXT", "rates of noise on the spins; unknown without noise"),
    "protocol": Column("TEXT", "name of the protocol"),
    "schedule": Column("TEXT", "hash of s(t/tau), g(t/tau), initial state; unknown where spins start differently"),
    "duration": Column("REAL", "tau", "ns"),
    "J": Column("REAL", "coupling in units of B(s)/2"),
    "field": Column("REAL", "h in units of B(s)/2"),
    "s_hold": Column("REAL", "smallest annealing fraction"),
    "energy_scales": Column("TEXT", "name of A(s), B(s)"),
    "scales_hash": Column("TEXT", "hash of A(s), B(s), without their name"),
    "engine": Column("TEXT", "name of the engine"),
    "engine_options": Column("TEXT", "options of the engine as JSON"),
}
"""Parameters of a run, without the options of its engine."""

_OUTPUT = {
    "n_times": Column("INTEGER", "output times"),
}

RESULTS = {
    name: Column("REAL", ATTRIBUTES[name]["long_name"], ATTRIBUTES[name]["units"])
    for name in (
        "magnetization",
        "variance",
        "std",
        "precision",
        "precision_bound",
        "magnetization_error",
        "precision_error",
        "precision_relative_error",
        "std_error",
        "norm_error",
        "magnetization_stderr",
        "variance_stderr",
        "precision_stderr",
        "purity",
        "hs_cost",
        "hs_cost_peak",
        "hs_cost_matched",
    )
}
"""Numbers of the record, by the same names."""

VERDICTS = {
    "no_precision": Column("TEXT", "why there is no precision, in words that follow sigma"),
    "charge_state": Column("TEXT", ", ".join(ChargeState)),
}
"""Verdicts of the record."""

TIMINGS = {
    "wall_time_s": Column("REAL", "run time", "s"),
    "created": Column("TEXT", "when it was finished, UTC"),
}

STATE = {
    "status": Column("TEXT", "done, failed or damaged"),
    "error": Column("TEXT", "why it failed, or what is damaged"),
    "size": Column("INTEGER", "bytes of the file"),
    "digest": Column("TEXT", "SHA-256 of the file"),
}


@cache
def engine_columns() -> Mapping[str, Column]:
    """Columns of the options of all engines; an option of a plug-in with the name of another column has none."""
    taken = {name.lower() for name in (*_RUN, *_OUTPUT, *RESULTS, *VERDICTS, *TIMINGS, *STATE)}
    found = {name: column for name, column in option_columns().items() if name.lower() not in taken}
    if left_out := option_columns().keys() - found.keys():
        warnings.warn(
            f"no column for the options {', '.join(sorted(left_out))}: runs have a column of that name.", stacklevel=2
        )
    return MappingProxyType(found)


@cache
def parameter_columns() -> Mapping[str, Column]:
    """Columns known before a run, with the options of its engine; also kept for a run that failed."""
    return MappingProxyType({**_RUN, **engine_columns(), **_OUTPUT})


@cache
def columns() -> Mapping[str, Column]:
    """All columns, in the order of tables."""
    return MappingProxyType({**parameter_columns(), **RESULTS, **VERDICTS, **TIMINGS, **STATE})


def parameters(problem: ChargingProblem, engine: str, options: Row, n_times: int, key: str) -> Row:
    """Values of :func:`parameter_columns`."""
    network, protocol = problem.network, problem.protocol
    values = np.unique(network.crosstalk)
    return {
        "key": key,
        "problem_hash": problem.content_hash,
        "network": network.name,
        "network_hash": network.content_hash,
        "family": family_of(network) or None,
        "n_spins": network.n_spins,
        "n_pairs": network.n_pairs,
        "weight": _common(network.weights),
        "crosstalk": 0.0 if not len(values) else float(values[0]) if len(values) == 1 else None,
        "noise": None if problem.noise is None else str(problem.noise),
        "protocol": protocol.name,
        "schedule": _schedule(protocol),
        "duration": protocol.duration,
        "J": protocol.J,
        "field": protocol.h,
        "s_hold": float(protocol.s.values.min()),
        "energy_scales": problem.scales.name,
        "scales_hash": problem.scales.content_hash,
        "engine": engine,
        "engine_options": canonical_json(options),
        **{name: _of_kind(column, options.get(name)) for name, column in engine_columns().items()},
        "n_times": n_times,
    }


def _common(weights: FloatArray) -> float | None:
    """The weight of all bonds, 1 without bonds; None where weights differ."""
    found = np.unique(weights)
    return 1.0 if not len(found) else float(found[0]) if len(found) == 1 else None


def record_row(record: Record) -> Row:
    """All columns of a finished run except size and digest of its file."""
    known = parameters(record.problem, record.engine, record.engine_options, len(record.times), record.key)
    found = record.variables
    results = {name: float(found[name].values) if name in found else None for name in RESULTS}
    results["precision_error"] = record.precision_error
    timings = {"wall_time_s": float(record.attributes["wall_time_s"]), "created": str(record.attributes["created"])}
    why = record.no_precision
    verdicts = {"no_precision": why and why.sentence(record.n_reads), "charge_state": str(record.charge_state)}
    return {**known, **results, **verdicts, **timings, "status": "done", "error": None}


def _schedule(protocol: Protocol) -> str | None:
    """Hash of a protocol in units of tau, without its name; None where the spins start differently."""
    if not protocol.initial.uniform:
        return None
    data = protocol.to_dict()
    initial = {name: angles[:1] for name, angles in data["initial"].items()}
    return hashlib.sha256(canonical_json([data["s"], data["g"], initial]).encode()).hexdigest()


def _of_kind(column: Column, value: Any) -> Any:
    """The value of an option in its column: numbers in a column of texts as text, lists joined by commas."""
    if value is None or column.kind != "TEXT":
        return value
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
