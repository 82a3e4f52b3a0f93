"""Rules for what is programmed into a solver: qubits, couplers, h, J and the initial state.

The rules are those of D-Wave's documentation of the properties ``qubits``, ``couplers``, ``h_range``,
``extended_j_range``, ``per_qubit_coupling_range`` and ``per_group_coupling_range`` and of the parameters ``auto_scale``
and ``initial_state``. Each function yields one sentence per broken rule, a MachineLimit where the request is well
formed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ..core.checks import apart
from ..core.typing import FloatArray, IntArray
from .properties import MachineLimit, integers, interval, is_real, is_whole
from .schedule_limits import is_reverse, schedule_points

UNUSED = 3
"""Entry of an initial state given as a list for a qubit that is not in the problem."""

_VALUES = {-1: "-1 or +1", 0: "0 or 1"}
_MODELS = {-1: " (0 and 1 belong to a QUBO)", 0: " in a QUBO (0 is down, and -1 and +1 belong to an Ising problem)"}
"""Values of spins in an initial state, and whose they are, by the value that is down."""

_NAMED = 4
"""How many culprits a message names."""


@dataclass(frozen=True)
class IsingProblem:
    """h and J as arrays.

    Attributes:
        qubits: (n,) those with an entry in h.
        fields: (n,) their h.
        pairs: (E, 2) couplers with an entry in J, each once, the smaller qubit first.
        couplings: (E,) their J.
    """

    qubits: IntArray
    fields: FloatArray
    pairs: IntArray
    couplings: FloatArray

    @cached_property
    def active(self) -> IntArray:
        """All qubits of the problem, ascending: a coupler brings its ends along."""
        return np.unique(np.concatenate([self.qubits, self.pairs.ravel()]))

    @property
    def has_fields(self) -> bool:
        return bool((self.fields != 0.0).any())


def read_problem(h: Mapping[Any, Any], J: Mapping[Any, Any]) -> IsingProblem:
    """The problem as arrays; ValueError with a sentence where h or J has other keys or values than it should."""
    qubits, pairs = _labels(h, "h", 1), np.sort(_labels(J, "J", 2), axis=1)
    fields, couplings = _values(h, "h"), _values(J, "J")
    merged, member = np.unique(pairs, axis=0, return_inverse=True)
    if len(merged) < len(pairs):  # dimod adds up what is given for (u, v) and for (v, u)
        pairs, couplings = merged, np.bincount(member.ravel(), weights=couplings).astype(np.float64)
    return IsingProblem(qubits, fields, pairs, couplings)


def graph_violations(properties: Mapping[str, Any], problem: IsingProblem) -> Iterator[str]:
    """Qubits and couplers that the solver does not have, and values that are no numbers."""
    if problem.active.size == 0:
        yield "the problem has no qubits; give h, J or both."
    qubits = integers(properties, "qubits", 1)
    missing = problem.active[:0] if qubits is None else np.setdiff1d(problem.active, qubits)
    if missing.size:
        yield f"the solver's working graph lacks {_qubits(missing)} of the problem; choose a region of it."
    couplers = integers(properties, "couplers", 2)
    if couplers is not None:
        absent = problem.pairs[~_contains(couplers, problem.pairs)]
        if absent.size:
            yield f"the solver's working graph lacks {_couplers(absent)} of the problem; choose a region of it."
    infinite = problem.qubits[~np.isfinite(problem.fields)]
    if infinite.size:
        yield f"h must be finite, but is not on {_qubits(infinite)}."
    endless = problem.pairs[~np.isfinite(problem.couplings)]
    if endless.size:
        yield f"J must be finite, but is not on {_couplers(endless)}."


def strength_violations(
    properties: Mapping[str, Any], problem: IsingProblem, parameters: Mapping[str, Any]
) -> Iterator[str]:
    """h g and J outside the solver's ranges, where ``auto_scale=False`` sends them as they are."""
    if parameters.get("auto_scale") is not False:
        return
    if np.isfinite(problem.fields).all():
        yield from _fields(properties, problem, parameters)
    if np.isfinite(problem.couplings).all():
        yield from _couplings(properties, problem)
        yield from _totals(properties, problem)


def initial_state_violations(
    properties: Mapping[str, Any], problem: IsingProblem | None, parameters: Mapping[str, Any], down: int = -1
) -> Iterator[str]:
    """Broken rules of ``initial_state``; without the problem only those that do not depend on it.

    ``down`` is the value of a spin that is down: -1, or 0 where the problem was stated as a QUBO.
    """
    if "initial_state" not in parameters:
        if is_reverse(parameters):
            yield "a reverse anneal (anneal_schedule starts at s = 1) needs initial_state; send one."
        return
    well_formed = "anneal_schedule" not in parameters or schedule_points(parameters, "anneal_schedule") is not None
    if well_formed and not is_reverse(parameters):
        yield (
            "initial_state means a reverse anneal; send an anneal_schedule that starts at s = 1, or leave "
            "initial_state out."
        )
    state = parameters["initial_state"]
    if isinstance(state, Mapping):
        yield from _state_by_qubit(properties, problem, state, down)
    elif isinstance(state, Sequence | np.ndarray) and not isinstance(state, str):
        yield from _state_list(properties, problem, state, down)
    else:
        yield (
            f"initial_state must map qubits to {_VALUES[down]}, or list an entry for each of num_qubits qubits, but "
            f"is {_short(state)}."
        )


def _labels(values: Mapping[Any, Any], name: str, ndim: int) -> IntArray:
    keys = list(values)
    try:
        array = np.asarray(keys) if keys else np.empty((0, 2)[:ndim], dtype=np.int64)
    except ValueError:
        array = np.empty(0)
    if array.ndim != ndim or (ndim == 2 and array.shape[1] != 2) or array.dtype.kind not in "iu":
        what = "qubits, which are integers" if ndim == 1 else "pairs of qubits, which are integers"
        odd = next((key for key in keys if not _is_label(key, ndim)), keys[0])
        raise ValueError(f"the keys of {name} must be {what}, but one is {_short(odd)}; map the spins to qubits first.")
    return array.astype(np.int64, copy=False)


def _is_label(key: Any, ndim: int) -> bool:
    return is_whole(key) if ndim == 1 else isinstance(key, tuple) and len(key) == 2 and all(map(is_whole, key))


def _values(values: Mapping[Any, Any], name: str) -> FloatArray:
    try:
        array = np.asarray(list(values.values())) if values else np.empty(0)
    except ValueError:
        array = np.empty((0, 0))
    if array.ndim != 1 or array.dtype.kind not in "iuf":
        raise ValueError(f"the values of {name} must be real numbers, but some are not.")
    return array.astype(np.float64)


def _contains(couplers: IntArray, pairs: IntArray) -> Any:
    """Which pairs, their smaller qubit first, are among the couplers, whichever end comes first there."""
    if couplers.size == 0 or pairs.size == 0:
        return np.zeros(len(pairs), dtype=bool)
    base = max(int(couplers.max()), int(pairs.max())) + 1
    known = couplers.min(axis=1) * base + couplers.max(axis=1)
    return np.isin(pairs[:, 0] * base + pairs[:, 1], known) & (pairs >= 0).all(axis=1)


def _fields(properties: Mapping[str, Any], problem: IsingProblem, parameters: Mapping[str, Any]) -> Iterator[str]:
    limits = interval(properties, "h_range")
    gains = schedule_points(parameters, "h_gain_schedule")
    if limits is None or (gains is None and "h_gain_schedule" in parameters):
        return
    g = np.array([1.0]) if gains is None else np.unique(gains[:, 1][[gains[:, 1].argmin(), gains[:, 1].argmax()]])
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
            f"{qubit} with a gain of {gain:.6g} makes {product}; lower h or the gain."
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
            f"J must stay within {name} [{low}, {high}], but reaches {largest} and is outside on {culprits}; lower |J|."
        )


def _totals(properties: Mapping[str, Any], problem: IsingProblem) -> Iterator[str]:
    """Sums of J over the couplers of each qubit (Advantage) or of each half of them (Advantage2)."""
    if problem.pairs.size == 0:
        return
    ends, others = np.concatenate([problem.pairs, problem.pairs[:, ::-1]]).T
    both = np.concatenate([problem.couplings, problem.couplings])
    for name, groups, what in (
        ("per_qubit_coupling_range", ends, "qubit"),
        ("per_group_coupling_range", _coupling_groups(properties, ends, others), "coupler group"),
    ):
        limits = interval(properties, name)
        if limits is None or groups is None:
            continue
        labels, member = np.unique(groups, return_inverse=True)
        totals = np.bincount(member, weights=both).astype(np.float64)
        outside = _outside(totals, limits)
        if outside.any():
            worst = int(np.abs(np.where(outside, totals, 0.0)).argmax())
            of = int(labels[worst]) if what == "qubit" else int(labels[worst]) // 2
            low, high, total = apart(*limits, totals[worst])
            yield MachineLimit(
                f"the sum of J over each {what} must stay within {name} [{low}, {high}], but does not on "
                f"{int(outside.sum())}, and is {total} on qubit {of}; lower |J|, or leave couplers out."
            )


def _coupling_groups(properties: Mapping[str, Any], qubits: IntArray, others: IntArray) -> IntArray | None:
    """Twice the qubit, plus which of the two groups of its couplers a coupler is in; None where that is not known.

    The groups are those of ``dwave.system.coupling_groups``: on a Zephyr graph, a qubit (u, w, k, j, z) has one group
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
    low, high = limits
    return (values > high + 1e-9 * max(1.0, abs(high))) | (values < low - 1e-9 * max(1.0, abs(low)))


def _state_by_qubit(
    properties: Mapping[str, Any], problem: IsingProblem | None, state: Mapping[Any, Any], down: int
) -> Iterator[str]:
    try:
        named = _labels(state, "initial_state", 1)
    except ValueError as malformed:
        yield str(malformed)
        return
    values = _spins(list(state.values()))
    wrong = named[~_is_spin(values, down)]
    if wrong.size:
        yield (
            f"initial_state must be {_VALUES[down]}{_MODELS[down]}, but is not on {_qubits(wrong)}, such as "
            f"{_short(state[int(wrong[0])])} on qubit {wrong[0]}; leave unused qubits out."
        )
    if problem is not None and (missing := np.setdiff1d(problem.active, named)).size:
        yield f"initial_state lacks {_qubits(missing)} of the problem; give each {_VALUES[down]}."
    qubits = integers(properties, "qubits", 1)
    if qubits is not None and (unknown := np.setdiff1d(named, qubits)).size:
        yield f"initial_state names {_qubits(unknown)} that the solver does not have; leave them out."


def _state_list(
    properties: Mapping[str, Any],
    problem: IsingProblem | None,
    state: Sequence[Any] | np.ndarray[Any, Any],
    down: int,
) -> Iterator[str]:
    n_qubits = properties.get("num_qubits")
    if is_whole(n_qubits) and len(state) != n_qubits:
        yield (
            f"initial_state as a list needs an entry for each of the solver's {n_qubits} qubits ({UNUSED} where "
            f"unused), but has {len(state)}."
        )
        return
    values = _spins(list(state))
    used = _is_spin(values, down)
    wrong = np.flatnonzero(~used & (values != UNUSED))
    if wrong.size:
        yield (
            f"initial_state must be {_VALUES[down]}{_MODELS[down]}, or {UNUSED} on unused qubits, but is not on "
            f"{_qubits(wrong)}, such as {_short(state[wrong[0]])} on qubit {wrong[0]}."
        )
    if problem is not None:
        missing = np.setdiff1d(problem.active, np.flatnonzero(values != UNUSED))
        if missing.size:
            yield (
                f"initial_state is {UNUSED} (unused) or absent on {_qubits(missing)} of the problem; use "
                f"{_VALUES[down]}."
            )
    qubits = integers(properties, "qubits", 1)
    if qubits is not None and (unknown := np.setdiff1d(np.flatnonzero(used), qubits)).size:
        yield f"initial_state is set on {_qubits(unknown)} that the solver does not have; use {UNUSED}."


def _is_spin(values: FloatArray, down: int) -> Any:
    """Which values are those of a spin, down or up."""
    return (values == down) | (values == 1.0)


def _spins(values: list[Any]) -> FloatArray:
    """Values as numbers, NaN for what is none."""
    with suppress(ValueError):
        array = np.asarray(values)
        if array.ndim == 1 and array.dtype.kind in "iuf" and bool not in set(map(type, values)):
            return array.astype(np.float64)
    return np.array([float(value) if is_real(value) else np.nan for value in values])


def _qubits(numbers: IntArray) -> str:
    """Such as ``6 qubits (30, 31, 32, 33, ...)``."""
    return _counted("qubit", [str(number) for number in numbers[:_NAMED].tolist()], len(numbers))


def _couplers(pairs: IntArray) -> str:
    """Such as ``2 couplers (30-31, 30-2940)``."""
    return _counted("coupler", [f"{u}-{v}" for u, v in pairs[:_NAMED].tolist()], len(pairs))


def _counted(what: str, names: list[str], count: int) -> str:
    more = ", ..." if count > _NAMED else ""
    return f"{count} {what}{'s' if count != 1 else ''} ({', '.join(names[:_NAMED])}{more})"


def _short(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else f"{shown[:57]}..."
