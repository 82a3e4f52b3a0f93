"""Cost of a job in QPU access time, by the documented timing model 1.0.x; all times in microseconds.

The model and its fields are defined in D-Wave's documentation, "Estimating Access Time" in the chapter on the operation
and timing of a QPU. The solver publishes the figures as the property ``problem_timing_data``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..core.checks import check_choice, instance
from ..core.errors import InvalidParameterError
from .parsing import ParsedRequest, parse_parameters
from .properties import interval, is_real, is_whole

_MODELS = ("pwl_log_log", "pwl_linear")


_USED = (
    "anneal_schedule",
    "annealing_time",
    "num_reads",
    "programming_thermalization",
    "readout_thermalization",
    "reduce_intersample_correlation",
    "reinitialize_state",
)
"""Parameters that the model uses."""


@dataclass(frozen=True)
class QpuTiming:
    """Times for which a job occupies the QPU, in us: per read, except for programming.

    The delay after a read, and the programming, include thermalization.
    """

    n_reads: int
    anneal: float
    readout: float
    delay: float
    programming: float

    @property
    def sampling(self) -> float:
        """All reads together."""
        return self.n_reads * (self.anneal + self.readout + self.delay)

    @property
    def access(self) -> float:
        """The time that is charged."""
        return self.programming + self.sampling

    def to_info(self) -> dict[str, float]:
        """The parts by their names in the ``info["timing"]`` of an answer, in us; times of the server are 0."""
        return {
            "qpu_sampling_time": self.sampling,
            "qpu_anneal_time_per_sample": self.anneal,
            "qpu_readout_time_per_sample": self.readout,
            "qpu_access_time": self.access,
            "qpu_access_overhead_time": 0.0,
            "qpu_programming_time": self.programming,
            "qpu_delay_time_per_sample": self.delay,
            "total_post_processing_time": 0.0,
            "post_processing_overhead_time": 0.0,
        }


def qpu_access_time(properties: Mapping[str, Any], n_qubits: int, parameters: Mapping[str, Any]) -> float:
    """QPU access time of a job in us: the time that is charged, where ``quota_conversion_rate`` is 1.

    A reverse anneal (a schedule that starts at s = 1) reinitializes its state before each read unless
    ``reinitialize_state`` is False, as on the QPU. A thermalization of 0 us is 0 us: the default of the solver is taken
    only where the parameter is absent. (``estimate_qpu_access_time`` of the SDK differs in both.)

    Args:
        properties: of the solver, with ``problem_timing_data``.
        n_qubits: number of qubits of the problem.
        parameters: sent with the problem; times in us.

    Raises:
        InvalidParameterError: a property is missing or malformed, the timing model is another one, or a parameter
            that the model uses is malformed.
    """
    parameters = instance("parameters", parameters, Mapping, "of a job")  # type: ignore[type-abstract]
    return qpu_timing(properties, n_qubits, parse_parameters(parameters)).access


def qpu_timing(properties: Mapping[str, Any], n_qubits: int, request: ParsedRequest) -> QpuTiming:
    """The parts of a job's QPU access time; see :func:`qpu_access_time` for the arguments and errors."""
    data = _timing_data(properties)
    if not is_whole(n_qubits) or n_qubits < 1:
        raise InvalidParameterError(f"the number of qubits must be a positive integer, but is {n_qubits!r}.")
    for name in _USED:
        if name in request.faults:
            raise InvalidParameterError(request.faults[name])
    anneal = _anneal(data, request)
    thermalization = _or_field(request.readout_thermalization, data, "default_readout_thermalization")
    programming = _field(data, "typical_programming_time")
    programming += _or_field(request.programming_thermalization, data, "default_programming_thermalization")
    if request.reduce_intersample_correlation:
        thermalization = max(thermalization, _decorrelation(data, anneal))
    delay = _field(data, "qpu_delay_time_per_sample") + thermalization
    if request.is_reverse:
        how = "with" if request.reinitialize_state else "without"
        programming += _field(data, f"reverse_annealing_{how}_reinit_prog_time_delta")
        delay += _field(data, f"reverse_annealing_{how}_reinit_delay_time_delta")
    return QpuTiming(request.num_reads, anneal, _readout(data, n_qubits), delay, programming)


def readout_time(properties: Mapping[str, Any], n_qubits: int) -> float | None:
    """Time to read this many qubits once, in us; None where the solver publishes no timing data."""
    return None if properties.get("problem_timing_data") is None else _readout(_timing_data(properties), n_qubits)


def _timing_data(properties: Mapping[str, Any]) -> Mapping[str, Any]:
    data = instance("properties", properties, Mapping, "of a solver").get("problem_timing_data")  # type: ignore[type-abstract]
    if data is None:
        raise InvalidParameterError(
            "the solver publishes no property 'problem_timing_data', so its QPU access time cannot be predicted; "
            "save the properties of a solver that does."
        )
    data = instance("the solver's property 'problem_timing_data'", data, Mapping)  # type: ignore[type-abstract]
    version = data.get("version")
    if version is None:
        raise _missing("version")
    if not isinstance(version, str) or not version.startswith("1.0."):
        raise InvalidParameterError(f"the timing model must be of version 1.0.x, but this solver's is {version!r}.")
    return data


def _missing(name: str) -> InvalidParameterError:
    return InvalidParameterError(
        f"the solver's property 'problem_timing_data' lacks {name!r}, which the timing model needs; read the "
        f"properties from the solver again."
    )


def _field(data: Mapping[str, Any], name: str) -> float:
    if data.get(name) is None:
        raise _missing(name)
    if not is_real(data[name]):
        raise InvalidParameterError(f"problem_timing_data[{name!r}] must be a finite number, but is {data[name]!r}.")
    return float(data[name])


def _or_field(time: float | None, data: Mapping[str, Any], default: str) -> float:
    return _field(data, default) if time is None else time


def _anneal(data: Mapping[str, Any], request: ParsedRequest) -> float:
    if "anneal_schedule" in request.sent and "annealing_time" in request.sent:
        raise InvalidParameterError("anneal_schedule and annealing_time exclude each other; send one of them.")
    time = request.anneal_time(data)
    if time is None:
        raise _missing("default_annealing_time")
    return time


def _decorrelation(data: Mapping[str, Any], anneal: float) -> float:
    bounds = interval(data, "decorrelation_time_range")
    if bounds is None:
        raise _missing("decorrelation_time_range")
    longest = _field(data, "decorrelation_max_nominal_anneal_time")
    return bounds[0] + anneal / longest * (bounds[1] - bounds[0])


def _readout(data: Mapping[str, Any], n_qubits: int) -> float:
    """Piecewise-linear in the number of qubits, on linear or logarithmic axes."""
    for name in ("readout_time_model", "readout_time_model_parameters"):
        if data.get(name) is None:
            raise _missing(name)
    model = data["readout_time_model"]
    check_choice("the readout time model", model, _MODELS)
    curve = np.asarray(data["readout_time_model_parameters"])
    if curve.ndim != 1 or curve.size < 2 or curve.size % 2 or curve.dtype.kind not in "iuf":
        raise InvalidParameterError(
            "problem_timing_data['readout_time_model_parameters'] must be an even number of numbers (qubits, then "
            f"times), but is {data['readout_time_model_parameters']!r}."
        )
    qubits, times = np.split(curve.astype(np.float64), 2)
    if model == "pwl_linear":
        return float(np.interp(n_qubits, qubits, times))
    return float(10.0 ** np.interp(math.log10(n_qubits), qubits, times))
