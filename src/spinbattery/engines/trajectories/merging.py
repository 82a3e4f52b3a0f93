"""Merging records of trajectories, and extending a record by more trajectories."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ...core.checks import several, whole_number
from ...core.errors import RecordError
from ...core.progress import Progress, Rising, checked_progress, silent
from ...core.typing import FloatArray
from ...model.problem import ChargingProblem
from ...records.building import build_record
from ...records.ensemble import Ensemble
from ...records.record import Record, as_record
from ..common.clock import Clock
from .engine import Trajectories, ensemble_solution

if TYPE_CHECKING:
    from .jump_runs import Unravelling

_WHICH = ("trajectories", "seed", "first", "parts")
"""Options that tell which trajectories a record has."""

Part = tuple[int, int, int]
"""Seed, number of the first trajectory, number of trajectories."""


def merge_records(records: Sequence[Record]) -> Record:
    """One record of all trajectories of several records, with the standard errors of all of them together.

    The records must be of one problem, by the ``trajectories`` engine with equal options but ``seed``, ``trajectories``
    and ``first``. Records of one seed must have different trajectories: number them on with ``first``. Two merged
    halves of a run equal that run, with its key, if all three treat the time of one jump alike: set ``one_jump``,
    because ``auto`` may sample in the halves where it integrates in the whole. With several seeds, or with gaps, the
    option ``parts`` lists seed, first and number of each part.

    Raises:
        RecordError: no records, records of another engine, of different problems, options or output times, or records
            with common trajectories.
    """
    records = [as_record(record) for record in several("records", records)]
    if not records:
        raise RecordError("there is no record to merge.")
    first = records[0]
    ensembles = [_ensemble(record) for record in records]
    for position, record in enumerate(records[1:], start=2):
        _check_alike(first, record, position)
    parts = _joined([part for record in records for part in _parts(record)])
    sums = ensembles[0].sums
    for ensemble in ensembles[1:]:
        sums += ensemble.sums
    wall_time = sum(float(record.attributes["wall_time_s"]) for record in records)
    options = _options(first, parts)
    if any(record.engine_options["one_jump"] != options["one_jump"] for record in records):
        options["one_jump"] = first.discretisation["one_jump"]  # the choice of `auto` in one of them
    merged = replace(ensembles[0], sums=sums)
    return _rebuilt(first, merged, options, f"merged from {len(records)} records", wall_time)


def extend_record(record: Record, trajectories: int, progress: Progress = silent) -> Record:
    """The record of a run with more trajectories, of which only the missing ones are run.

    It equals the run of all trajectories from the start up to rounding, and has its key. If that run would integrate
    over the time of one jump, which may not have been worth it in a shorter one, all of it is run.

    Args:
        record: of the trajectories engine, with the trajectories of one seed, without gaps.
        trajectories: total number of trajectories of the result.
        progress: called as the work advances.

    Raises:
        RecordError: not such a record, or it has more trajectories than that, or a version with other steps made it.
        InvalidParameterError: not a whole number.
        InsufficientMemoryError: there is too little memory.
    """
    record, progress = as_record(record), checked_progress(progress)
    ensemble, parts = _ensemble(record), _parts(record)
    total = whole_number("trajectories", trajectories, least=2)
    if len(parts) > 1:
        raise RecordError(
            "the record is merged from trajectories of several seeds, or with gaps; run more trajectories with another "
            "seed, and merge the records."
        )
    seed, first, count = parts[0]
    if total < count:
        raise RecordError(f"the record has {count} trajectories already, more than {total}; ask for more.")
    if total == count:
        return record
    engine = Trajectories(**_options(record, [(seed, first, total)]))
    problem, times, steps = record.problem, record.times, record.discretisation
    sampled = steps["one_jump"] == "sampled"
    if sampled and engine.may_integrate(problem, times):
        return engine.run(problem, times, progress, _reason(record))
    engine.check(problem)
    unravelling = engine.unravelling(problem, times, steps["mesh_steps"])
    numbers = range(first + count, first + total)
    with Clock() as clock:
        _check_steps(record, unravelling)
        more = engine.sample(unravelling, numbers, ensemble.exact, 1 if sampled else 2, Rising(progress))
        seconds = float(record.attributes["wall_time_s"]) + clock.seconds
    extended = replace(ensemble, sums=ensemble.sums + more.sums)
    return _rebuilt(record, extended, engine.options(), _reason(record), seconds)


def _ensemble(record: Record) -> Ensemble:
    if record.engine != Trajectories.name:
        raise RecordError(
            f"a record of the {record.engine} engine has no trajectories; only records of {Trajectories.name} can be "
            "merged or extended."
        )
    return Ensemble.from_variables(record.variables)


def _reason(record: Record) -> str:
    return str(record.attributes["engine_reason"])


def _parts(record: Record) -> list[Part]:
    options = record.engine_options
    if "parts" in options:
        return [(seed, first, count) for seed, first, count in options["parts"]]
    return [(options["seed"], options["first"], options["trajectories"])]


def _check_alike(first: Record, other: Record, position: int) -> None:
    """Raise :class:`RecordError` unless the first record and another one, at a position from 1, sample the same."""
    if other.problem != first.problem:
        one, two = first.problem, other.problem
        parts = [f.name for f in fields(ChargingProblem) if getattr(one, f.name) != getattr(two, f.name)]
        raise RecordError(
            f"the records are of different problems: the first is of {_described(first)}, number {position} of "
            f"{_described(other)}; they differ in {', '.join(parts)}. Merge records of one problem: for a store, "
            "store.records(network=..., protocol=..., noise=...) gives them."
        )
    if not np.array_equal(other.times, first.times):
        raise RecordError("the records have different output times; run them with the same times.")
    options, others = first.engine_options, other.engine_options
    for name in sorted({*options, *others}.difference(_WHICH)):
        # the choice of `auto` is compared below
        if name != "one_jump" and options.get(name) != others.get(name):
            raise RecordError(
                f"the records have different {name}, {options.get(name)!r} and {others.get(name)!r}; run them with the "
                "same."
            )
    if first.discretisation.get("one_jump") != other.discretisation.get("one_jump"):
        raise RecordError(
            "in one record the time of one jump is integrated, in another sampled; run them with the same one_jump."
        )
    same = "exact_weight", "exact_moments", "sampled_weight"
    pairs = [(first.variables[name].values, other.variables[name].values) for name in same]
    if not all(_agree(one, two) for one, two in pairs):
        raise RecordError("the records were made with different steps; run them again with one version.")


def _check_steps(record: Record, unravelling: Unravelling) -> None:
    """Raise :class:`RecordError` unless the record was made with the steps of an unravelling."""
    known = record.discretisation.get("no_jump_moments")  # which older records do not have
    if known is None or not _agree(known, unravelling.no_jump().moments[-1]):
        raise RecordError(
            "another version of spinbattery made the record, with other steps, so that its trajectories and new ones "
            "would not be of one run; run all of them again with one version."
        )


def _agree(one: Any, other: Any) -> bool:
    """Whether numbers are the same up to the rounding of different machines."""
    return np.allclose(one, other, rtol=1e-9, atol=1e-12)


def _described(record: Record) -> str:
    problem = record.problem
    protocol = problem.protocol
    noise = f"noise {problem.noise}" if problem.noise else "no noise"
    return f"network {problem.network.name!r}, protocol {protocol.name!r} of {protocol.duration:g} ns and {noise}"


def _joined(parts: list[Part]) -> list[Part]:
    """Parts in order, adjacent ones joined.

    Raises:
        RecordError: some trajectories are in two of them.
    """
    found: list[Part] = []
    for seed, first, count in sorted(parts):
        if found and found[-1][0] == seed:
            end = found[-1][1] + found[-1][2]
            if first < end:
                raise RecordError(
                    f"the records have trajectories {first} to {min(end, first + count) - 1} of seed {seed} in common; "
                    "give each run a different seed, or a different first."
                )
            if first == end:
                found[-1] = (seed, found[-1][1], found[-1][2] + count)
                continue
        found.append((seed, first, count))
    return found


def _options(record: Record, parts: list[Part]) -> dict[str, Any]:
    """Options of the run that has these trajectories."""
    options = {name: value for name, value in record.engine_options.items() if name != "parts"}
    options["trajectories"] = sum(count for *_, count in parts)
    if len(parts) == 1:
        return {**options, "seed": parts[0][0], "first": parts[0][1]}
    return {**options, "seed": None, "first": 0, "parts": [list(part) for part in parts]}


def _rebuilt(record: Record, ensemble: Ensemble, options: dict[str, Any], reason: str, wall_time: float) -> Record:
    """Record of another sample of the same run, with the same discretisation error."""
    data, discretisation = record.variables, record.discretisation
    if discretisation["one_jump"] == "sampled" and options["one_jump"] == "auto":
        single = Trajectories(**{name: value for name, value in options.items() if name != "parts"})
        if single.may_integrate(record.problem, record.times):
            options = {**options, "one_jump": "sampled"}  # which `auto` would not be with so many
    variance_error = (record.precision_relative_error or math.nan) * record.variance

    def errors(name: str, final: float) -> FloatArray:
        return np.append(data[name].values if len(record.times) else np.empty(0), final)

    solution = ensemble_solution(
        ensemble,
        record.times,
        errors("magnetization_t_error", float(data["magnetization_error"].values)),
        errors("variance_t_error", variance_error),
        float(data["norm_error"].values) if "norm_error" in data else None,
        discretisation,
    )
    return build_record(record.problem, record.engine, options, reason, solution, wall_time)
