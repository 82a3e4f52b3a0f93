"""Rules for the problem that is programmed: qubits, couplers, h, J and the initial state.

They come from D-Wave's documentation of the properties ``qubits``, ``couplers``, ``h_range``,
``extended_j_range``, ``per_qubit_coupling_range`` and ``per_group_coupling_range`` and of the parameters ``auto_scale``
and ``initial_state``. Each function yields one sentence per broken rule, a MachineLimit where the request is well
formed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from ..core.checks import apart
from ..core.typing import FloatArray, IntArray
from .parsing import SPIN_VALUES, InitialState, IsingProblem, ParsedRequest
from .properties import MachineLimit, beyond, integers, interval, is_whole, shown

_UNUSED = 3
"""Entry of a qubit outside the problem in an initial state given as a list."""

_MODELS = {-1: " (0 and 1 belong to a QUBO)", 0: " in a QUBO (0 is down, and -1 and +1 belong to an Ising problem)"}
"""Explanation of the values of spins, by the value that is down."""

_NAMED = 4
"""Largest number of qubits or couplers that a message names."""


def graph_violations(properties: Mapping[str, Any], problem: IsingProblem) -> Iterator[str]:
    """Qubits and couplers that the solver does not have, and values that are not finite."""
    if problem.active.size == 0:
        yield "the problem has no qubits; give h, J or both."
    qubits = integers(properties, "qubits", 1)
    if qubits is not None and (missing := np.setdiff1d(problem.active, qubits)).size:
        yield f"the solver's working graph lacks {_qubits(missing)} of the problem; choose a region of it."
    couplers = integers(properties, "couplers", 2)
    if couplers is not None and (absent := problem.pairs[~contains(couplers, problem.pairs)]).size:
        yield f"the solver's working graph lacks {_couplers(absent)} of the problem; choose a region of it."
    if (infinite := problem.qubits[~np.isfinite(problem.fields)]).size:
        yield f"h must be finite, but is not on {_qubits(infinite)}."
    if (endless := problem.pairs[~np.isfinite(problem.couplings)]).size:
        yield f"J must be finite, but is not on {_couplers(endless)}."


def strength_violations(properties: Mapping[str, Any], problem: IsingProblem, request: ParsedRequest) -> Iterator[str]:
    """Values of g h and J outside the solver's ranges, where ``auto_scale=False`` sends them as they are."""
    if request.auto_scale:
        return
    if np.isfinite(problem.fields).all():
        yield from _fields(properties, problem, request)
    if np.isfinite(problem.couplings).all():
        yield from _couplings(properties, problem)
        yield from _totals(properties, problem)


def initial_state_violations(properties: Mapping[str, Any], request: ParsedRequest) -> Iterator[str]:
    """Broken rules of ``initial_state``."""
    if "initial_state" not in request.sent:
        if request.is_reverse:
            yield "a reverse anneal (anneal_schedule starts at s = 1) needs initial_state; send one."
        return
    if "anneal_schedule" not in request.faults and not request.is_reverse:
        yield (
            "initial_state means a reverse anneal; send an anneal_schedule that starts at s = 1, or leave "
            "initial_state out."
        )
    if request.initial_state is not None:
        yield from _state(properties, request, request.initial_state)


def contains(couplers: IntArray, pairs: IntArray) -> Any:
    """Which pairs, their smaller qubit first, are among the couplers, in either order of the ends."""
    if couplers.size == 0 or pairs.size == 0:
        return np.zeros(len(pairs), dtype=bool)
    base = max(int(couplers.max()), int(pairs.max())) + 1
    known = couplers.min(axis=1) * base + couplers.max(axis=1)
    return np.isin(pairs[:, 0] * base + pairs[:, 1], known) & (pairs >= 0).all(axis=1)


def _fields(properties: Mapping[str, Any], problem: IsingProblem, request: ParsedRequest) -> Iterator[str]:
    limits, gains = interval(properties, "h_range"), request.h_gain_schedule
    if limits is None or "h_gain_schedule" in request.faults:
        return
    g = np.ones(1) if gains is None else np.unique([gains[:, 1].min(), gains[:, 1].max()])
    products = problem.fields[:, None] * g
    outside = _outside(products, limits)
    if outside.any():
        worst = int(np.abs(products[outside]).argmax())
        rows, columns = np.nonzero(outside)
        qubit, field, gain = problem.qubits[rows[worst]], problem.fields[rows[worst]], g[columns[worst]]
        culprits = _qubits(problem.qubits[np.unique(rows)])
        low, high, product = apart(*limits, field * gain)
        yield MachineLimit(
            f"h g must stay within h_range [{low}, {high}], but does not on {culprits}: h = {field:.6g} on qubit "
            f"{qubit} with a gain of {gain:.6g} makes {product}; reduce h or the gain."
        )


def _couplings(properties: Mapping[str, Any], problem: IsingProblem) -> Iterator[str]:
    name = "extended_j_range" if properties.get("extended_j_range") is not None else "j_range"
    limits = interval(properties, name)
    if limits is None:
        return
    outside = _outside(problem.couplings, limits)
    if outside.any():
        values = problem.couplings[outside]
        culprits = _couplers(problem.pairs[outside])
        low, high, largest = apart(*limits, values[np.abs(values).argmax()])
        yield MachineLimit(
            f"J must stay within {name} [{low}, {high}], but reaches {largest} and is outside on {culprits}; "
            "reduce |J|."
        )


def _totals(properties: Mapping[str, Any], problem: IsingProblem) -> Iterator[str]:
    """Sums of J over the couplers of each qubit (Advantage) or of each half of them (Advantage2)."""
    if problem.pairs.size == 0:
        return
    ends, others = np.concatenate([problem.pairs, problem.pairs[:, ::-1]]).T
    both = np.concatenate([problem.couplings, problem.couplings])
    for name, what, groups, groups_per_qubit in (
        ("per_qubit_coupling_range", "qubit", ends, 1),
        ("per_group_coupling_range", "coupler group", _coupling_groups(properties, ends, others), 2),
    ):
        limits = interval(properties, name)
        if limits is None or groups is None:
            continue
        labels, member = np.unique(groups, return_inverse=True)
        totals = np.bincount(member, weights=both).astype(np.float64)
        outside = _outside(totals, limits)
        if outside.any():
            worst = int(np.abs(np.where(outside, totals, 0.0)).argmax())
            low, high, total = apart(*limits, totals[worst])
            yield MachineLimit(
                f"the sum of J over each {what} must stay within {name} [{low}, {high}], but does not on "
                f"{int(outside.sum())}, and is {total} on qubit "
                f"{labels[worst] // groups_per_qubit}; reduce |J|, or leave couplers out."
            )


def _coupling_groups(properties: Mapping[str, Any], qubits: IntArray, others: IntArray) -> IntArray | None:
    """Twice the qubit, plus 0 or 1 for the group of its couplers; None where the groups are not known.

    The groups are defined in ``dwave.system.coupling_groups``: on a Zephyr graph, a qubit (u, w, k, j, z) has one group
    towards each of its two ends. A number is z + m (j + 2 (k + t (w + (2 m + 1) u))) on Z(m, t).
    """
    topology = properties.get("topology")
    if not isinstance(topology, Mapping) or topology.get("type") != "zephyr":
        return None
    shape = topology.get("shape")
    if not (isinstance(shape, Sequence) and len(shape) in (1, 2) and all(is_whole(n) and n > 0 for n in shape)):
        return None
    m, t = shape[0], shape[1] if len(shape) == 2 else 4

    def coordinates(numbers: IntArray) -> tuple[IntArray, IntArray, IntArray, IntArray]:
        rest, z = np.divmod(numbers, m)
        rest, j = np.divmod(rest, 2)
        u, w = np.divmod(rest // t, 2 * m + 1)
        return u, w, j, z

    (u0, _, j0, z0), (u1, w1, j1, z1) = coordinates(qubits), coordinates(others)
    crossing, odd = 2 * z0 + j0 + 1 - w1, z0 + j0 - z1
    group: IntArray = np.where(u0 != u1, crossing, np.where(j0 != j1, odd, (z1 - z0) // 2))
    groups: IntArray = 2 * qubits + group % 2
    return groups


def _outside(values: FloatArray, limits: tuple[float, float]) -> Any:
    return beyond(values, limits[1]) | beyond(-values, -limits[0])


def _state(properties: Mapping[str, Any], request: ParsedRequest, state: InitialState) -> Iterator[str]:
    n_qubits, spins = properties.get("num_qubits"), SPIN_VALUES[request.down]
    if state.is_list and is_whole(n_qubits) and len(state.qubits) != n_qubits:
        yield (
            f"initial_state as a list needs an entry for each of the solver's {n_qubits} qubits ({_UNUSED} where "
            f"unused), but has {len(state.qubits)}."
        )
        return
    used = (state.values != _UNUSED) if state.is_list else np.ones(len(state.values), dtype=bool)
    wrong = state.qubits[used & (state.values != request.down) & (state.values != 1.0)]
    if wrong.size:
        kind, remedy = (f", or {_UNUSED} on unused qubits", "") if state.is_list else ("", "; leave unused qubits out")
        yield (
            f"initial_state must be {spins}{_MODELS[request.down]}{kind}, but is not on {_qubits(wrong)}, such as "
            f"{shown(state.given[int(wrong[0])])} on qubit {wrong[0]}{remedy}."
        )
    if request.problem is not None and (missing := np.setdiff1d(request.problem.active, state.qubits[used])).size:
        lacks = f"is {_UNUSED} (unused) or absent on" if state.is_list else "lacks"
        yield f"initial_state {lacks} {_qubits(missing)} of the problem; give each {spins}."
    qubits = integers(properties, "qubits", 1)
    if qubits is not None and (unknown := np.setdiff1d(state.qubits[used], qubits)).size:
        names, remedy = ("is set on", f"use {_UNUSED}") if state.is_list else ("names", "leave them out")
        yield f"initial_state {names} {_qubits(unknown)} that the solver does not have; {remedy}."


def _qubits(numbers: IntArray) -> str:
    """Such as ``6 qubits (30, 31, 32, 33, ...)``."""
    return _counted("qubit", [str(number) for number in numbers[:_NAMED].tolist()], len(numbers))


def _couplers(pairs: IntArray) -> str:
    """Such as ``2 couplers (30-31, 30-2940)``."""
    return _counted("coupler", [f"{u}-{v}" for u, v in pairs[:_NAMED].tolist()], len(pairs))


def _counted(what: str, names: list[str], count: int) -> str:
    more = ", ..." if count > _NAMED else ""
    return f"{count} {what}{'s' if count != 1 else ''} ({', '.join(names)}{more})"
