"""A request is read once: typed values, and one sentence for each malformed parameter."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import numpy as np
import pytest
from solver_limits import CHARGING, REVERSE, H, J

from spinbattery import EmulatedAnnealer, ring
from spinbattery.solver import parsing
from spinbattery.solver.parsing import IsingProblem, parse_parameters, parse_request


def test_a_good_request_is_typed() -> None:
    found = parse_request(H, J, CHARGING)
    assert found.faults == {}
    assert found.sent is CHARGING
    assert (found.num_reads, found.answer_mode, found.label) == (1000, "raw", "run 1")
    assert (found.auto_scale, found.reinitialize_state, found.fast_anneal) == (False, True, False)
    assert found.is_reverse
    assert found.anneal_time({}) == 60.0
    np.testing.assert_array_equal(found.anneal_schedule, REVERSE)
    assert found.problem is not None
    assert found.initial_state is not None
    np.testing.assert_array_equal(found.problem.active, [0, 1, 2])
    np.testing.assert_array_equal(found.initial_state.spins(found.problem.qubits), [-1, -1, -1])


def test_absent_parameters_have_the_defaults_of_a_qpu() -> None:
    found = parse_parameters({})
    assert (found.num_reads, found.auto_scale, found.reinitialize_state, found.faults) == (1, True, True, {})
    assert (found.anneal_schedule, found.initial_state, found.readout_thermalization) == (None, None, None)
    assert not found.is_reverse
    assert found.anneal_time({"default_annealing_time": 20.0}) == 20.0
    assert found.anneal_time({}) is None


def test_every_malformed_parameter_has_its_sentence() -> None:
    bad: dict[str, Any] = {
        "anneal_schedule": "fast",
        "h_gain_schedule": [[0, math.nan]],
        "annealing_time": -1.0,
        "initial_state": 7,
        "num_reads": 0,
        "programming_thermalization": math.inf,
        "readout_thermalization": "0",
        "answer_mode": ["raw"],
        "label": "",
        "auto_scale": 1,
        "fast_anneal": None,
        "flux_drift_compensation": np.True_,
        "reduce_intersample_correlation": "yes",
        "reinitialize_state": 0,
    }
    found = parse_request({"a": 1.0}, {}, bad)
    assert found.problem is None
    assert set(found.faults) == {"problem", *bad}
    assert all(sentence.startswith(name) for name, sentence in found.faults.items() if name != "problem")
    assert found.anneal_time({"default_annealing_time": 20.0}) is None  # a malformed time is not the default


def test_numbers_of_numpy_become_those_of_python() -> None:
    found = parse_parameters({"num_reads": np.int64(5), "annealing_time": np.float32(2.0), "readout_thermalization": 1})
    values = found.num_reads, found.annealing_time, found.readout_thermalization
    assert (values, [type(value) for value in values]) == ((5, 2.0, 1.0), [int, float, float])


@pytest.mark.parametrize("state", [{4: 1, 9: -1, 2: 1.0}, [3, 3, 1, 3, 1, 3, 3, 3, 3, -1], {4: 1, 9: 0, 2: 1}])
def test_spins_of_an_initial_state_follow_the_qubits(state: Any) -> None:
    initial = parse_parameters({"initial_state": state})
    assert initial.initial_state is not None
    np.testing.assert_array_equal(initial.initial_state.spins(np.array([2, 4, 9])), [1, 1, -1])


def test_a_coupler_that_is_named_twice_is_one() -> None:
    problem = IsingProblem.of({5: 0.0}, {(3, 1): 0.5, (1, 3): 0.25, (2, 1): 1.0})
    assert problem.pairs.tolist() == [[1, 2], [1, 3]]
    assert problem.couplings.tolist() == [1.0, 0.75]
    assert problem.active.tolist() == [1, 2, 3, 5]


@pytest.mark.parametrize("strict", [False, True])
def test_a_sampler_reads_each_schedule_once(strict: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    read: Counter[str] = Counter()
    points = parsing._points

    def counted(name: str, schedule: Any) -> Any:
        read[name] += 1
        return points(name, schedule)

    monkeypatch.setattr(parsing, "_points", counted)
    sampler = EmulatedAnnealer(graph=ring(3), sweeps=5, seed=1, strict=strict)
    sampler.sample_ising(H, J, **{name: value for name, value in CHARGING.items() if name != "label"})
    assert read == {"anneal_schedule": 1, "h_gain_schedule": 1}
