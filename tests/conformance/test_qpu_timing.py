"""The QPU access time against the SDK's own estimate, on random requests and timing data."""

from __future__ import annotations

import random
from types import SimpleNamespace
from typing import Any

import pytest

from spinbattery.core.errors import InvalidParameterError
from spinbattery.solver.parsing import parse_parameters
from spinbattery.solver.timing import qpu_access_time, qpu_timing, readout_time

solver = pytest.importorskip("dwave.cloud.solver", reason="the extra [qpu] is not installed")
mocks = pytest.importorskip("dwave.cloud.testing.mocks")

CHARGING = [[0.0, 1.0], [20.0, 0.35], [40.0, 0.35], [60.0, 1.0]]


def _sdk(properties: dict[str, Any], n_qubits: int, parameters: dict[str, Any]) -> float:
    estimate = solver.StructuredSolver.estimate_qpu_access_time
    return float(estimate(SimpleNamespace(properties=properties), n_qubits, **parameters))


def _random_data(rng: random.Random) -> dict[str, Any]:
    data = dict(mocks.qpu_problem_timing_data(rng.choice(["advantage", "2000q"])))
    for name, value in data.items():
        if isinstance(value, float):
            data[name] = value * rng.uniform(0.5, 2.0)
    data["version"] = f"1.0.{rng.randrange(10)}"
    if rng.random() < 0.5:
        knots = sorted(rng.uniform(0.0, 6000.0) for _ in range(5))
        times = sorted(rng.uniform(10.0, 250.0) for _ in range(5))
        data["readout_time_model"], data["readout_time_model_parameters"] = "pwl_linear", knots + times
    return data


def _random_parameters(rng: random.Random) -> dict[str, Any]:
    parameters: dict[str, Any] = {}
    kind = rng.choice(["default", "time", "forward", "reverse", "reverse"])
    duration = round(rng.uniform(1.0, 2000.0), 2)
    if kind == "time":
        parameters["annealing_time"] = duration
    elif kind == "forward":
        parameters["anneal_schedule"] = [[0.0, 0.0], [duration / 2, 0.4], [duration, 1.0]]
    elif kind == "reverse":
        parameters["anneal_schedule"] = [[0.0, 1.0], [duration / 2, 0.4], [duration, 1.0]]
        parameters["initial_state"] = [1, -1]
        parameters["reinitialize_state"] = rng.random() < 0.5
    for name, highest in (("programming_thermalization", 1e4), ("readout_thermalization", 1e3)):
        if rng.random() < 0.5:
            parameters[name] = rng.uniform(0.1, highest)
    if rng.random() < 0.5:
        parameters["num_reads"] = rng.randrange(1, 10_001)
    if rng.random() < 0.5:
        parameters["reduce_intersample_correlation"] = rng.random() < 0.7
    return parameters


def test_the_sdk_agrees_on_random_requests() -> None:
    rng = random.Random(4)
    for _ in range(500):
        properties = {"problem_timing_data": _random_data(rng)}
        parameters, n_qubits = _random_parameters(rng), rng.randrange(1, 6000)
        expected = _sdk(properties, n_qubits, parameters)
        assert qpu_access_time(properties, n_qubits, parameters) == pytest.approx(expected, rel=1e-12), parameters


@pytest.mark.parametrize("n_qubits, milliseconds", [(40, 215), (128, 252), (680, 311), (5612, 326)])
def test_the_cooperative_protocol_on_an_advantage_of_2022(n_qubits: int, milliseconds: int) -> None:
    properties = {"problem_timing_data": mocks.qpu_problem_timing_data()}
    parameters = {"anneal_schedule": CHARGING, "initial_state": {0: -1}, "num_reads": 1000}
    assert qpu_access_time(properties, n_qubits, parameters) / 1000 == pytest.approx(milliseconds, abs=0.5)


def test_the_parts_make_the_whole() -> None:
    properties = {"problem_timing_data": mocks.qpu_problem_timing_data()}
    sent = {"annealing_time": 50.0, "readout_thermalization": 3.0, "num_reads": 7}
    parts = qpu_timing(properties, 40, parse_parameters(sent))
    assert (parts.n_reads, parts.anneal, parts.delay) == (7, 50.0, pytest.approx(20.54 + 3.0))
    assert parts.readout == readout_time(properties, 40)
    assert parts.programming == pytest.approx(14072.88 + 1000.0)
    assert parts.access == pytest.approx(15072.88 + 7 * (50.0 + parts.readout + 23.54))


def test_a_reverse_anneal_reinitializes_unless_told_otherwise() -> None:
    properties = {"problem_timing_data": mocks.qpu_problem_timing_data()}
    reverse = {"anneal_schedule": CHARGING, "initial_state": [1], "num_reads": 100}
    unsaid = qpu_access_time(properties, 40, reverse)
    assert unsaid == qpu_access_time(properties, 40, {**reverse, "reinitialize_state": True})
    assert unsaid != qpu_access_time(properties, 40, {**reverse, "reinitialize_state": False})
    assert unsaid != _sdk(properties, 40, reverse)  # whose default is False, unlike the QPU's


@pytest.mark.parametrize("name", ["programming_thermalization", "readout_thermalization"])
def test_no_thermalization_is_none(name: str) -> None:
    data = {**mocks.qpu_problem_timing_data(), f"default_{name}": 25.0}
    unsaid = qpu_access_time({"problem_timing_data": data}, 40, {})
    assert unsaid - qpu_access_time({"problem_timing_data": data}, 40, {name: 0.0}) == pytest.approx(25.0)


_NEEDED = [name for name in mocks.qpu_problem_timing_data() if name != "default_annealing_time"]


@pytest.mark.parametrize("name", _NEEDED)
def test_a_missing_field_is_named(name: str) -> None:
    data = mocks.qpu_problem_timing_data()
    del data[name]
    parameters = {
        "anneal_schedule": CHARGING,
        "reinitialize_state": "without_reinit" not in name,
        "reduce_intersample_correlation": True,
    }
    with pytest.raises(InvalidParameterError, match=name):
        qpu_access_time({"problem_timing_data": data}, 40, parameters)


@pytest.mark.parametrize(
    "change, message",
    [
        ({"version": "2.0.0"}, "version 1.0.x"),
        ({"version": 1.0}, "version 1.0.x"),
        ({"readout_time_model": "cubic"}, "pwl_log_log, pwl_linear"),
        ({"readout_time_model_parameters": [1.0, 2.0, 3.0]}, "even number"),
        ({"readout_time_model_parameters": ["1", "2"]}, "even number"),
        ({"typical_programming_time": float("nan")}, "typical_programming_time"),
        ({"decorrelation_time_range": [10.0]}, "decorrelation_time_range"),
        ({"default_annealing_time": None}, "default_annealing_time"),
    ],
)
def test_malformed_timing_data_are_refused(change: dict[str, Any], message: str) -> None:
    data = {**mocks.qpu_problem_timing_data(), **change}
    with pytest.raises(InvalidParameterError, match=message):
        qpu_access_time({"problem_timing_data": data}, 40, {"reduce_intersample_correlation": True})


@pytest.mark.parametrize("data", [None, "fast"])
def test_absent_timing_data_are_named(data: Any) -> None:
    with pytest.raises(InvalidParameterError, match="problem_timing_data"):
        qpu_access_time({"problem_timing_data": data}, 40, {})
    with pytest.raises(InvalidParameterError, match="problem_timing_data"):
        qpu_access_time({}, 40, {})


@pytest.mark.parametrize(
    "n_qubits, parameters, message",
    [
        (0, {}, "number of qubits"),
        (40, {"num_reads": 0}, "num_reads"),
        (40, {"num_reads": 2.5}, "num_reads"),
        (40, {"anneal_schedule": "fast"}, "anneal_schedule must be a list of pairs .* but is 'fast'"),
        (40, {"annealing_time": float("nan")}, "annealing_time must be a finite number of us above 0, but is nan"),
        (40, {"annealing_time": 1.0, "anneal_schedule": CHARGING}, "exclude each other"),
        (40, {"readout_thermalization": -1.0}, "readout_thermalization"),
    ],
)
def test_malformed_parameters_are_refused(n_qubits: int, parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidParameterError, match=message):
        qpu_access_time({"problem_timing_data": mocks.qpu_problem_timing_data()}, n_qubits, parameters)
