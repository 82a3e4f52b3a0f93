"""What the command line says of a record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..analysis.bounds import bhatia_davis_precision
from ..analysis.samples import Independence, charged, flip_statistics, uncharged_probability
from ..analysis.statistics import independence_ratio
from ..core.arrays import distinct
from ..core.typing import FloatArray
from ..records.columns import engine_columns
from ..records.record import Record


def summary(record: Record) -> dict[str, Any]:
    """Figures of a record as plain data; what is not known is None.

    ``error_estimate`` is the larger of the absolute error of mu and the relative error of the
    precision; ``precision_stderr`` is absolute, and ``independence_ratio_stderr`` that of independent
    spins; ``hs_cost`` is int ||H||_HS dt / 2^(N/2) in GHz ns.
    """
    problem, attributes = record.problem, record.attributes
    cost = problem.cost
    return {
        "network": attributes["network"],
        "n_spins": record.n_spins,
        "n_pairs": problem.network.n_pairs,
        "pairs_per_spin": problem.network.pairs_per_spin,
        "protocol": attributes["protocol"],
        "duration_ns": record.duration,
        "J": problem.protocol.J,
        "field": problem.protocol.h,
        "s_hold": float(problem.protocol.s.values.min()),
        "energy_scales": attributes["scales"],
        "crosstalk": _uniform(problem.network.crosstalk),
        "noise": None if problem.noise is None else str(problem.noise),
        "engine": record.engine,
        "engine_reason": attributes["engine_reason"],
        **({"approximation": record.approximation} if record.approximation else {}),
        **_options(record),
        "magnetization": record.magnetization,
        "charge_state": str(record.charge_state),
        "charged": charged(record),
        "uncharged_probability": uncharged_probability(record),
        "std": record.std,
        "precision": record.precision,
        "precision_bound": record.precision_bound,
        "bhatia_davis_precision": bhatia_davis_precision(record.magnetization)
        if abs(record.magnetization) < 1 and not record.approximation
        else None,
        "independence_ratio": independence_ratio(record),
        "purity": record.purity,
        **(_of_reads(record) if record.n_reads else _of_discretisation(record)),
        "hs_cost": record.hs_cost,
        "hs_cost_peak": cost.peak,
        "hs_cost_matched": cost.matched,
        "wall_time_s": float(attributes["wall_time_s"]),
        "problem_hash": attributes["problem_hash"],
        "run_key": record.key,
    }


def _options(record: Record) -> dict[str, Any]:
    """Options of the engine that are columns, where they are set."""
    options = record.engine_options
    return {name: options[name] for name in engine_columns() if options.get(name) is not None}


def _uniform(crosstalk: FloatArray) -> float | str:
    """J_CT of all pairs that have it, in units of B(s)/2, or that it varies."""
    values = distinct(crosstalk)
    return "varies" if len(values) > 1 else float(values.sum())


def _of_discretisation(record: Record) -> dict[str, Any]:
    sampled = {
        "one_jump": record.discretisation.get("one_jump"),
        "magnetization_stderr": record.magnetization_stderr,
        "precision_stderr": record.precision_stderr,
    }
    return {
        **(sampled if record.magnetization_stderr is not None else {}),
        "error_estimate": record.error_estimate,
        "magnetization_error": record.magnetization_error,
        "precision_error": record.precision_error,
        "precision_relative_error": record.precision_relative_error,
        **(_of_convergence(record) if record.converged else {}),
        **{name: record.discretisation[name] for name in _KEPT if name in record.discretisation},
    }


_KEPT = (
    "steps", "dimension", "group_order", "bond_dimension", "expansion", "discarded_weight",
)  # fmt: skip
"""Values of the discretisation that are shown where a record has them."""


def _of_convergence(record: Record) -> dict[str, Any]:
    """Errors and verdicts of a tensor network that was checked by other runs."""
    return {
        "std_error": record.std_error,
        "magnetization_extrapolated": record.magnetization_extrapolated,
        "std_extrapolated": record.std_extrapolated,
        "converged": record.converged,
        "seconds_per_step": record.execution_info.get("seconds_per_step"),
    }


def _of_reads(record: Record) -> dict[str, Any]:
    flips, spins = flip_statistics(record), record.spins
    independence = None if spins is None else Independence.from_spins(spins)
    options = record.engine_options
    return {
        "reads": record.n_reads,
        **({"solver": options["solver"]} if "solver" in options else {}),
        "magnetization_stderr": record.magnetization_stderr,
        "precision_stderr": record.precision_stderr,
        "independence_ratio_stderr": None if independence is None else independence.error_if_independent,
        "flips_mean": flips.mean,
        "flips_variance": flips.variance,
        "reads_not_charged": flips.n_uncharged,
    }


_DISTINGUISHING = ("duration", "J", "field", "s_hold", "crosstalk", "noise", "energy_scales", "engine")
"""Parameters that a table shows where they differ, beside options of engines."""


def number(value: float | str | bool | Mapping[str, bool | None] | None, digits: int = 6) -> str:
    """A figure for a table; a text or a whole number as it is; a dash where it is not known."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {number(verdict)}" for name, verdict in value.items())
    if isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
        return str(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "-" if value is None else f"{value:.{digits}g}"


def shown_columns(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Columns of a table of runs: what they are, the parameters in which they differ, and what came out."""
    varying = [name for name in (*_DISTINGUISHING, *engine_columns()) if len({row[name] for row in rows}) > 1]
    return ["network", "n_spins", "protocol", *varying, "magnetization", "charge_state", "precision"]


def heading(name: str) -> str:
    """Name of a column with its unit."""
    return f"{name} (ns)" if name == "duration" else name
