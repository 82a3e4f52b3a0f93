"""What a solver accepts: one check of a whole request against the solver's properties, all violations at once.

The cloud client checks parameter names and the graph, and nothing else; the solver refuses the first thing it dislikes
after the request was sent. The rules are those of D-Wave's documentation of QPU solver parameters and properties.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..core.errors import LimitError, did_you_mean
from .problem_limits import IsingProblem, graph_violations, initial_state_violations, read_problem, strength_violations
from .properties import MachineLimit, interval, is_real, is_whole, number
from .schedule_limits import (
    TICK,
    anneal_time,
    beyond,
    fast_anneal_violations,
    gain_violations,
    resolution,
    time_violations,
)
from .timing import readout_time

_FLAGS = (
    "auto_scale",
    "fast_anneal",
    "flux_drift_compensation",
    "reduce_intersample_correlation",
    "reinitialize_state",
)
_OBSOLETE = {
    "max_answers": "is obsolete; leave it out and send num_reads alone",
    "num_spin_reversal_transforms": "is obsolete; leave it out and transform the problem itself",
}
_LONGEST_LABEL = 1024


def violations(
    properties: Mapping[str, Any],
    h: Mapping[int, float],
    J: Mapping[tuple[int, int], float],
    parameters: Mapping[str, Any],
    *,
    down: int = -1,
) -> list[str]:
    """Everything in a request that the solver would refuse, round or misread.

    What a solver does not publish is not checked. With ``auto_scale`` absent or True the solver scales h and J, so
    their ranges are not checked. A parameter with the value None counts as sent.

    Args:
        properties: of the solver.
        h: field of each qubit, in units of B(s)/2.
        J: coupling of each pair of qubits, in units of B(s)/2.
        parameters: what is to be sent with the problem, such as ``anneal_schedule``; times in us.
        down: value in ``initial_state`` of a spin that is down: -1, or 0 where the problem is sent as a QUBO.

    Returns:
        One sentence per broken rule, which says what must change; empty where the request is good. Those of a
        request that is well formed, but beyond what the machine does, are of the type
        :class:`~spinbattery.solver.properties.MachineLimit`.

    Raises:
        InvalidParameterError: a property of the solver is malformed.
    """
    return list(_violations(properties, h, J, parameters, down))


def malformed(found: Iterable[str]) -> list[str]:
    """Those violations that no emulation can do without, either: all but the limits of a machine."""
    return [violation for violation in found if not isinstance(violation, MachineLimit)]


def check_request(
    properties: Mapping[str, Any],
    h: Mapping[int, float],
    J: Mapping[tuple[int, int], float],
    parameters: Mapping[str, Any],
    *,
    down: int = -1,
    strict: bool = True,
) -> list[str]:
    """Refuse a request that breaks any rule; arguments are those of `violations`.

    Args:
        strict: whether the limits of the machine bind; where they do not, those that are broken are returned.

    Raises:
        LimitError: with all violations in its message and as its attribute.
        InvalidParameterError: a property of the solver is malformed.
    """
    found = violations(properties, h, J, parameters, down=down)
    if found and (strict or malformed(found)):
        name = properties.get("chip_id")
        solver = f"solver {name}" if isinstance(name, str) and name else "the solver"
        rules = "1 rule" if len(found) == 1 else f"{len(found)} rules"
        lines = "".join(f"\n  - {violation}" for violation in found)
        raise LimitError(f"the request breaks {rules} of {solver}:{lines}", found)
    return found


def _violations(
    properties: Mapping[str, Any],
    h: Mapping[Any, Any],
    J: Mapping[Any, Any],
    parameters: Mapping[str, Any],
    down: int,
) -> Iterator[str]:
    yield from _names(properties, parameters)
    problem: IsingProblem | None = None
    try:
        problem = read_problem(h, J)
    except ValueError as malformed:
        yield str(malformed)
    else:
        yield from graph_violations(properties, problem)
        yield from strength_violations(properties, problem, parameters)
    yield from time_violations(properties, parameters)
    yield from gain_violations(properties, parameters)
    yield from fast_anneal_violations(parameters, problem is not None and problem.has_fields)
    yield from initial_state_violations(properties, problem, parameters, down)
    yield from _reads(properties, parameters)
    yield from _thermalizations(properties, parameters)
    yield from _others(parameters)
    yield from _label(parameters)
    yield from _run_time(properties, 0 if problem is None else problem.active.size, parameters)


def _names(properties: Mapping[str, Any], parameters: Mapping[str, Any]) -> Iterator[str]:
    """Parameters the solver does not know; ``label`` belongs to the service and needs no mention."""
    known = properties.get("parameters")
    for name in parameters:
        if name in _OBSOLETE:
            yield f"{name} {_OBSOLETE[name]}."
        elif known is not None and name != "label" and name not in known:
            yield f"the solver has no parameter {name!r}; leave it out.{did_you_mean(str(name), map(str, known))}"


def _reads(properties: Mapping[str, Any], parameters: Mapping[str, Any]) -> Iterator[str]:
    if "num_reads" not in parameters:
        return
    reads = parameters["num_reads"]
    low, high = interval(properties, "num_reads_range") or (1.0, math.inf)
    if not is_whole(reads) or not low <= reads <= high:
        allowed = (
            f"a whole number of {low:g} or more" if math.isinf(high) else f"a whole number from {low:g} to {high:g}"
        )
        sentence = f"num_reads must be {allowed}, but is {reads!r}."
        yield MachineLimit(sentence) if is_whole(reads) and reads >= 1 else sentence


def _thermalizations(properties: Mapping[str, Any], parameters: Mapping[str, Any]) -> Iterator[str]:
    for name in ("programming_thermalization", "readout_thermalization"):
        if name not in parameters:
            continue
        time = parameters[name]
        low, high = interval(properties, f"{name}_range") or (0.0, math.inf)
        if not is_real(time) or not low <= time <= high:
            allowed = f"{low:g} us or more" if math.isinf(high) else f"a time from {low:g} to {high:g} us"
            sentence = f"{name} must be {allowed}, but is {time!r}."
            yield MachineLimit(sentence) if is_real(time) and time >= 0.0 else sentence
        else:
            yield from resolution(name, [float(time)], TICK)


def _others(parameters: Mapping[str, Any]) -> Iterator[str]:
    for name in _FLAGS:
        if name in parameters and not isinstance(parameters[name], bool):
            yield f"{name} must be True or False, but is {parameters[name]!r}."
    if "answer_mode" in parameters and parameters["answer_mode"] not in ("raw", "histogram"):
        yield f"answer_mode must be 'raw' or 'histogram', but is {parameters['answer_mode']!r}."


def _label(parameters: Mapping[str, Any]) -> Iterator[str]:
    label = parameters.get("label")
    if "label" not in parameters:
        return
    if not isinstance(label, str) or not label:
        yield f"label must be a text of 1 to {_LONGEST_LABEL} characters, but is {label!r}; leave it out for none."
        return
    if len(label) > _LONGEST_LABEL:
        yield MachineLimit(f"label must have at most {_LONGEST_LABEL} characters, but has {len(label)}; shorten it.")
    foreign = sorted({character for character in label if not _is_windows_1252(character)})
    if foreign:
        shown = ", ".join(repr(character) for character in foreign[:4])
        yield MachineLimit(f"label must be of characters of Windows-1252, but has {shown}; write them otherwise.")


def _is_windows_1252(character: str) -> bool:
    try:
        character.encode("cp1252")
    except UnicodeEncodeError:
        return False
    return True


def _run_time(properties: Mapping[str, Any], n_qubits: int, parameters: Mapping[str, Any]) -> Iterator[str]:
    """The limit of one job: (anneal + readout thermalization + readout) reads + programming thermalization."""
    limits = interval(properties, "problem_run_duration_range")
    anneal = anneal_time(properties, parameters)
    reads = parameters.get("num_reads", 1)
    thermalization = _thermalization(properties, parameters, "readout_thermalization")
    programming = _thermalization(properties, parameters, "programming_thermalization")
    if limits is None or anneal is None or not is_whole(reads) or thermalization is None or programming is None:
        return
    readout = readout_time(properties, n_qubits) if n_qubits else None
    read = anneal + thermalization + (readout or 0.0)
    total = read * reads + programming
    if reads > 0 and read > 0.0 and beyond(total, limits[1]):
        fitting = math.floor((limits[1] - programming) / read)
        change = f"send at most {fitting} reads per job" if fitting >= 1 else "shorten the anneal"
        yield MachineLimit(
            f"{reads} reads of {read:.2f} us and {programming:.2f} us of thermalization make {total:.0f} us, but a job "
            f"may take {limits[1]:.0f} us (problem_run_duration_range); {change}."
        )


def _thermalization(properties: Mapping[str, Any], parameters: Mapping[str, Any], name: str) -> float | None:
    """Time in us; None where what is to be sent is no time."""
    if name not in parameters:
        return number(properties, f"default_{name}") or 0.0
    return float(parameters[name]) if is_real(parameters[name]) and parameters[name] >= 0.0 else None
