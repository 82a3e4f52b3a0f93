"""A sampler's request, read once: typed values, and a sentence for each malformed one.

Limit checks, the times of a job and the emulator take the parsed request, and none of them reads a parameter again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.checks import is_one_of, is_row
from ..core.typing import FloatArray, IntArray
from .properties import integer_array, is_real, is_whole, number, shown

SPIN_VALUES = {-1: "-1 or +1", 0: "0 or 1"}
"""Values of spins in an initial state, by the value that is down."""

LONGEST_LABEL = 1024
_SCHEDULES = ("anneal_schedule", "h_gain_schedule")


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _is_time(value: Any) -> bool:
    return is_real(value) and value >= 0.0


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value != ""


_SCALARS: dict[str, tuple[type, Callable[[Any], bool], str]] = {
    "annealing_time": (float, lambda time: is_real(time) and time > 0.0, "a finite number of us above 0"),
    "num_reads": (int, lambda count: is_whole(count) and count >= 1, "a whole number of 1 or more"),
    "programming_thermalization": (float, _is_time, "a time of 0 us or more"),
    "readout_thermalization": (float, _is_time, "a time of 0 us or more"),
    "answer_mode": (str, lambda mode: is_one_of(mode, ("raw", "histogram")), "'raw' or 'histogram'"),
    "label": (str, _is_text, f"a text of 1 to {LONGEST_LABEL} characters, or left out"),
    "auto_scale": (bool, _is_flag, "True or False"),
    "fast_anneal": (bool, _is_flag, "True or False"),
    "flux_drift_compensation": (bool, _is_flag, "True or False"),
    "reduce_intersample_correlation": (bool, _is_flag, "True or False"),
    "reinitialize_state": (bool, _is_flag, "True or False"),
}
"""Type of each parameter of one value, whether a value is well formed, and the description of a good one."""


@dataclass(frozen=True)
class IsingProblem:
    """h and J as arrays: the fields (n,) of the qubits, and the couplings (E,) of the pairs (E, 2).

    A pair is there once, its smaller qubit first.
    """

    qubits: IntArray
    fields: FloatArray
    pairs: IntArray
    couplings: FloatArray

    @classmethod
    def of(cls, h: Mapping[Any, Any], J: Mapping[Any, Any]) -> IsingProblem:
        """The problem as arrays; ValueError with a sentence where h or J has keys or values of the wrong kind."""
        qubits, pairs = _labels(h, "h", 1), np.sort(_labels(J, "J", 2), axis=1)
        fields, couplings = _reals(h, "h"), _reals(J, "J")
        merged, member = np.unique(pairs, axis=0, return_inverse=True)
        if len(merged) < len(pairs):  # dimod adds the values of (u, v) and (v, u)
            pairs, couplings = merged, np.bincount(member.ravel(), weights=couplings).astype(np.float64)
        return cls(qubits, fields, pairs, couplings)

    @cached_property
    def active(self) -> IntArray:
        """All qubits of the problem, ascending; the ends of a coupler are among them."""
        return np.unique(np.concatenate([self.qubits, self.pairs.ravel()]))


@dataclass(frozen=True)
class InitialState:
    """Start of a reverse anneal: the values (n,) of the qubits (n,) that have an entry, NaN if it is no number.

    ``given`` has the entries as the caller passed them, by qubit.
    """

    qubits: IntArray
    values: FloatArray
    given: Mapping[int, Any] | Sequence[Any]

    @property
    def is_list(self) -> bool:
        return not isinstance(self.given, Mapping)

    def spins(self, qubits: IntArray) -> NDArray[np.int8]:
        """(n,) of +-1: the spins of these qubits, all of which must have an entry."""
        return np.where(np.isin(qubits, self.qubits[self.values == 1.0]), np.int8(1), np.int8(-1))


@dataclass(frozen=True)
class ParsedRequest:
    """A typed request. A malformed parameter has its default, and a sentence in ``faults``.

    Attributes:
        problem: h and J, or None where they are malformed or not needed.
        sent: the parameters as they were passed.
        faults: one sentence per malformed parameter, by its name.
        down: value of a spin that is down in ``initial_state``: -1, or 0 where the problem was stated as a QUBO.
        anneal_schedule: (k, 2) times (us) and s.
        h_gain_schedule: (k, 2) times (us) and g.
    """

    problem: IsingProblem | None
    sent: Mapping[str, Any]
    faults: Mapping[str, str]
    down: int = -1
    anneal_schedule: FloatArray | None = None
    annealing_time: float | None = None
    h_gain_schedule: FloatArray | None = None
    initial_state: InitialState | None = None
    num_reads: int = 1
    programming_thermalization: float | None = None
    readout_thermalization: float | None = None
    answer_mode: str | None = None
    label: str | None = None
    auto_scale: bool = True
    fast_anneal: bool = False
    flux_drift_compensation: bool = True
    reduce_intersample_correlation: bool = False
    reinitialize_state: bool = True

    @property
    def is_reverse(self) -> bool:
        """Whether the anneal schedule starts at s = 1."""
        return self.anneal_schedule is not None and bool(self.anneal_schedule[0, 1] == 1.0)

    def anneal_time(self, properties: Mapping[str, Any]) -> float | None:
        """Duration of one anneal in us, by default the solver's; None where it is malformed or not known."""
        if "anneal_schedule" in self.sent:
            return None if self.anneal_schedule is None else float(self.anneal_schedule[-1, 0])
        return self.annealing_time if "annealing_time" in self.sent else number(properties, "default_annealing_time")


def parse_request(
    h: Mapping[Any, float], J: Mapping[Any, float], parameters: Mapping[str, Any], down: int = -1
) -> ParsedRequest:
    """Read a whole request; whatever is malformed is among the ``faults``."""
    try:
        return parse_parameters(parameters, IsingProblem.of(h, J), down)
    except ValueError as malformed:
        return parse_parameters(parameters, None, down, {"problem": str(malformed)})


def parse_parameters(
    parameters: Mapping[str, Any],
    problem: IsingProblem | None = None,
    down: int = -1,
    faults: Mapping[str, str] | None = None,
) -> ParsedRequest:
    """Read the parameters that go with a problem; ``faults`` are those found before."""
    found, values = dict(faults or {}), dict[str, Any]()
    for name, value in parameters.items():
        try:
            if name in _SCHEDULES:
                values[name] = _points(name, value)
            elif name == "initial_state":
                values[name] = _initial_state(value, down)
            elif name in _SCALARS:
                values[name] = _scalar(name, value)
        except ValueError as malformed:
            found[name] = str(malformed)
    return ParsedRequest(problem, parameters, found, down, **values)


def _scalar(name: str, value: Any) -> Any:
    kind, fits, what = _SCALARS[name]
    if not fits(value):
        raise ValueError(f"{name} must be {what}, but is {value!r}.")
    return kind(value)


def _labels(values: Mapping[Any, Any], name: str, ndim: int) -> IntArray:
    keys = list(values)
    array = integer_array(keys, ndim)
    if array is None:
        what = "qubits, which are integers" if ndim == 1 else "pairs of qubits, which are integers"
        odd = next((key for key in keys if not _is_label(key, ndim)), keys[0])
        raise ValueError(f"the keys of {name} must be {what}, but one is {shown(odd)}; map the spins to qubits first.")
    return array


def _is_label(key: Any, ndim: int) -> bool:
    return is_whole(key) if ndim == 1 else isinstance(key, tuple) and len(key) == 2 and all(map(is_whole, key))


def _reals(values: Mapping[Any, Any], name: str) -> FloatArray:
    try:
        array = np.asarray(list(values.values())) if values else np.empty(0)
    except ValueError:  # rows of unequal lengths
        array = np.empty((0, 0))
    if array.ndim != 1 or array.dtype.kind not in "iuf":
        raise ValueError(f"the values of {name} must be real numbers, but some are not.")
    return array.astype(np.float64)


def _points(name: str, schedule: Any) -> FloatArray:
    try:
        array = np.asarray(schedule)
    except ValueError:  # pairs and others mixed
        array = np.empty(0)
    if array.ndim != 2 or array.shape[1] != 2 or array.dtype.kind not in "iuf" or len(array) == 0:
        raise ValueError(f"{name} must be a list of pairs (time in us, value) of numbers, but is {shown(schedule)}.")
    points = array.astype(np.float64)
    bad = np.flatnonzero(~np.isfinite(points).all(axis=1))
    if bad.size:
        t, value = points[bad[0]]
        raise ValueError(f"{name} must be finite, but point {bad[0] + 1} is ({t:.10g}, {value:.10g}).")
    return points


def _initial_state(state: Any, down: int) -> InitialState:
    if isinstance(state, Mapping):
        return InitialState(_labels(state, "initial_state", 1), _numbers_or_nan(list(state.values())), state)
    if is_row(state):
        return InitialState(np.arange(len(state)), _numbers_or_nan(list(state)), list(state))
    raise ValueError(
        f"initial_state must map qubits to {SPIN_VALUES[down]}, or list an entry for each of num_qubits qubits, but is "
        f"{shown(state)}."
    )


def _numbers_or_nan(values: list[Any]) -> FloatArray:
    with suppress(ValueError):
        array = np.asarray(values)
        if array.ndim == 1 and array.dtype.kind in "iuf" and bool not in set(map(type, values)):
            return array.astype(np.float64)
    return np.array([float(value) if is_real(value) else np.nan for value in values])
