"""Limits of a solver: one check of a whole request against the solver's properties, all violations at once.

The cloud client checks only parameter names and the graph. The solver stops at the first violation, after the request
was sent. The rules come from D-Wave's documentation of QPU solver parameters and properties.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..core.errors import LimitError, did_you_mean
from .parsing import LONGEST_LABEL, ParsedRequest, parse_request
from .problem_limits import graph_violations, initial_state_violations, strength_violations
from .properties import MachineLimit, beyond, interval, number
from .schedule_limits import fast_anneal_violations, gain_violations, resolution, schedule_violations
from .timing import readout_time

_OBSOLETE = {
    "max_answers": "is obsolete; leave it out and send only num_reads",
    "num_spin_reversal_transforms": "is obsolete; leave it out and transform the problem itself",
}


def violations(
    properties: Mapping[str, Any],
    h: Mapping[Any, float],
    J: Mapping[Any, float],
    parameters: Mapping[str, Any],
    *,
    down: int = -1,
) -> list[str]:
    """List everything in a request that the solver would refuse, round or misread.

    Limits that a solver does not publish are not checked, nor are the ranges of h and J where ``auto_scale`` is absent
    or True, as the solver then scales them. A parameter with the value None counts as sent.

    Args:
        properties: of the solver.
        h: field of each qubit, in units of B(s)/2.
        J: coupling of each pair of qubits, in units of B(s)/2.
        parameters: sent with the problem, such as ``anneal_schedule``; times in us.
        down: value in ``initial_state`` of a spin that is down: -1, or 0 where the problem is sent as a QUBO.

    Returns:
        One sentence per broken rule, which says what must change; empty where the request is good. The sentence is a
        :class:`~spinbattery.solver.properties.MachineLimit` where the request is well formed, but beyond what the
        machine does.

    Raises:
        InvalidParameterError: a property of the solver is malformed.
    """
    return broken_rules(properties, parse_request(h, J, parameters, down))


def check_request(
    properties: Mapping[str, Any],
    h: Mapping[Any, float],
    J: Mapping[Any, float],
    parameters: Mapping[str, Any],
    *,
    down: int = -1,
    strict: bool = True,
) -> list[str]:
    """Refuse a request that breaks any rule; see :func:`violations` for the arguments.

    Args:
        strict: whether the limits of the machine bind; if not, those that are broken are returned.

    Raises:
        LimitError: with all violations in its message and as its attribute.
        InvalidParameterError: a property of the solver is malformed.
    """
    return check(properties, parse_request(h, J, parameters, down), strict)


def check(properties: Mapping[str, Any], request: ParsedRequest, strict: bool) -> list[str]:
    """Refuse a request as :func:`check_request` does."""
    found = broken_rules(properties, request)
    if found and (strict or malformed(found)):
        name = properties.get("chip_id")
        solver = f"solver {name}" if isinstance(name, str) and name else "the solver"
        rules = "1 rule" if len(found) == 1 else f"{len(found)} rules"
        lines = "".join(f"\n  - {violation}" for violation in found)
        raise LimitError(f"the request breaks {rules} of {solver}:{lines}", found)
    return found


def malformed(found: Iterable[str]) -> list[str]:
    """The violations that an emulation refuses as well: all but the limits of a machine."""
    return [violation for violation in found if not isinstance(violation, MachineLimit)]


def broken_rules(properties: Mapping[str, Any], request: ParsedRequest) -> list[str]:
    """All violations of a request; see :func:`violations`."""
    found = [*_names(properties, request.sent), *request.faults.values()]
    if request.problem is not None:
        found += graph_violations(properties, request.problem)
        found += strength_violations(properties, request.problem, request)
    found += schedule_violations(properties, request)
    found += gain_violations(properties, request)
    found += fast_anneal_violations(request)
    found += initial_state_violations(properties, request)
    found += _reads(properties, request)
    found += _thermalizations(properties, request)
    found += _label(request.label)
    found += _run_time(properties, request)
    return found


def _names(properties: Mapping[str, Any], sent: Mapping[str, Any]) -> Iterator[str]:
    """Parameters the solver does not know; ``label`` belongs to the service and needs no mention."""
    known = properties.get("parameters")
    for name in sent:
        if name in _OBSOLETE:
            yield f"{name} {_OBSOLETE[name]}."
        elif known is not None and name != "label" and name not in known:
            yield f"the solver has no parameter {name!r}; leave it out.{did_you_mean(str(name), map(str, known))}"


def _reads(properties: Mapping[str, Any], request: ParsedRequest) -> Iterator[str]:
    limits, reads = interval(properties, "num_reads_range"), request.num_reads
    if "num_reads" in request.sent and limits is not None and not limits[0] <= reads <= limits[1]:
        low, high = limits
        yield MachineLimit(f"num_reads must be a whole number from {low:g} to {high:g}, but is {reads}.")


def _thermalizations(properties: Mapping[str, Any], request: ParsedRequest) -> Iterator[str]:
    for name, time in (
        ("programming_thermalization", request.programming_thermalization),
        ("readout_thermalization", request.readout_thermalization),
    ):
        if time is None:
            continue
        limits = interval(properties, f"{name}_range")
        if limits is not None and not limits[0] <= time <= limits[1]:
            yield MachineLimit(f"{name} must be a time from {limits[0]:g} to {limits[1]:g} us, but is {time!r}.")
        else:
            yield from resolution(name, [time])


def _label(label: str | None) -> Iterator[str]:
    if label is None:
        return
    if len(label) > LONGEST_LABEL:
        yield MachineLimit(f"label must have at most {LONGEST_LABEL} characters, but has {len(label)}; shorten it.")
    foreign = sorted(character for character in set(label) if not character.encode("cp1252", "ignore"))
    if foreign:
        shown = ", ".join(map(repr, foreign[:4]))
        yield MachineLimit(f"label must be of characters of Windows-1252, but has {shown}; replace them.")


def _run_time(properties: Mapping[str, Any], request: ParsedRequest) -> Iterator[str]:
    """The limit of one job: (anneal + readout thermalization + readout) reads + programming thermalization."""
    limits, anneal = interval(properties, "problem_run_duration_range"), request.anneal_time(properties)
    unread = {"num_reads", "readout_thermalization", "programming_thermalization"} & request.faults.keys()
    if limits is None or anneal is None or unread:
        return
    n_qubits = 0 if request.problem is None else request.problem.active.size
    readout = readout_time(properties, n_qubits) if n_qubits else None
    thermalization = _or_default(properties, request.readout_thermalization, "default_readout_thermalization")
    programming = _or_default(properties, request.programming_thermalization, "default_programming_thermalization")
    read = anneal + thermalization + (readout or 0.0)
    total = read * request.num_reads + programming
    if read > 0.0 and beyond(total, limits[1]):
        fitting = math.floor((limits[1] - programming) / read)
        change = f"send at most {fitting} reads per job" if fitting >= 1 else "shorten the anneal"
        yield MachineLimit(
            f"{request.num_reads} reads of {read:.2f} us and {programming:.2f} us of thermalization make {total:.0f} "
            f"us, but a job may take {limits[1]:.0f} us (problem_run_duration_range); {change}."
        )


def _or_default(properties: Mapping[str, Any], time: float | None, default: str) -> float:
    return (number(properties, default) or 0.0) if time is None else time
