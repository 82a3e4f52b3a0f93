"""What an emulator says of the machine it stands for: limits as notes or errors, and the times of a job."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pytest

from spinbattery.annealer.emulator import EmulatedAnnealer
from spinbattery.core.errors import InvalidParameterError, LimitError
from spinbattery.model import lattices

RING = lattices.ring(6)
H = dict.fromkeys(range(6), -0.5)
J = {(k, (k + 1) % 6): -0.2 for k in range(6)}
DOWN = dict.fromkeys(range(6), -1)
SCHEDULE = [[0, 1], [20, 0.35], [40, 0.35], [60, 1]]
REVERSE = {"auto_scale": False, "anneal_schedule": SCHEDULE, "initial_state": DOWN, "num_reads": 20}

QPU_KEYS = {
    "qpu_sampling_time", "qpu_anneal_time_per_sample", "qpu_readout_time_per_sample", "qpu_access_time",
    "qpu_access_overhead_time", "qpu_programming_time", "qpu_delay_time_per_sample", "total_post_processing_time",
    "post_processing_overhead_time",
}  # fmt: skip

MANY = [[t, 1.0 - 0.05 * (t % 2)] for t in range(15)]

BEYOND = {
    "reads": ({"num_reads": 10_001}, ["num_reads must be", "10001 reads of 134.96"]),
    "run time": ({"num_reads": 8000}, ["8000 reads of 134.96 us and 1000.00 us of thermalization make 1080683 us"]),
    "h": ({"h": dict.fromkeys(range(6), -5.0)}, ["h g must stay within h_range"]),
    "J": ({"J": dict.fromkeys(J, -3.0)}, ["J must stay within extended_j_range"]),
    "points": ({"anneal_schedule": MANY}, ["anneal_schedule may have 13 points, but has 15"]),
    "duration": ({"anneal_schedule": [[0, 1], [20, 0.35], [2001, 1]]}, ["takes 2001 us"]),
    "slope": ({"anneal_schedule": [[0, 1], [0.2, 0.35], [60, 1]]}, ["changes s too fast"]),
    "steps": ({"anneal_schedule": [[0, 1], [20.004, 0.35], [60, 1]]}, ["must be multiples of 0.01 us"]),
    "nanoseconds": (
        {"anneal_schedule": [[0, 1], [0.002, 0.35], [0.004, 1]]},
        ["must be multiples of 0.01 us", "must ascend strictly"],
    ),
    "gain": ({"h_gain_schedule": [[0, 0], [30, 5], [60, 0]]}, ["the gain must stay within h_gain_schedule_range"]),
    "gain slope": ({"h_gain_schedule": [[0, -4], [0.01, 4], [60, 0]]}, ["changes g too fast"]),
    "thermalization": ({"readout_thermalization": 10_001.0}, ["readout_thermalization must be"]),
    "label": ({"label": "⚡"}, ["label must be of characters"]),
}


def sampled(sampler, h=H, J=J, **parameters):
    return sampler.sample_ising(h, J, **REVERSE | parameters)


def annealer(**settings):
    return EmulatedAnnealer(**{"graph": RING, "sweeps": 20, "seed": 1, "threads": 1} | settings)


@pytest.mark.parametrize("name", BEYOND)
def test_limits_of_a_machine_are_notes_by_default_and_errors_where_asked_for(name):
    change, expected = BEYOND[name]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        answer = sampled(annealer(), **change)
    assert answer.record.num_occurrences.sum() == change.get("num_reads", 20)
    assert len(answer.info["limits"]) == len(expected)
    for part in expected:
        assert any(part in sentence for sentence in answer.info["limits"]), part
    assert json.loads(json.dumps(answer.info)) == answer.info
    with pytest.raises(LimitError) as refused:
        sampled(annealer(strict=True), **change)
    assert list(refused.value.violations) == answer.info["limits"]


def test_limits_do_not_enter_the_reads():
    within = sampled(annealer(), anneal_schedule=[[0, 1], [20, 0.35], [40, 0.35], [60, 1]])
    short = sampled(annealer(), anneal_schedule=[[0, 1], [2e-3, 0.35], [4e-3, 0.35], [6e-3, 1]])
    np.testing.assert_array_equal(within.record.sample, short.record.sample)


MALFORMED = {
    "no reads": ({"num_reads": 0}, "num_reads must be"),
    "half a read": ({"num_reads": 2.5}, "num_reads must be"),
    "no list": ({"anneal_schedule": "fast"}, "must be a list of pairs"),
    "one point": ({"anneal_schedule": [[0, 1]]}, "needs 2 points or more"),
    "falling times": ({"anneal_schedule": [[0, 1], [40, 0.35], [20, 0.4], [60, 1]]}, "must ascend strictly"),
    "equal times": ({"anneal_schedule": [[0, 1], [0.004, 0.35], [0.004, 0.4], [60, 1]]}, "must ascend strictly"),
    "a late start": ({"anneal_schedule": [[5, 1], [20, 0.35], [60, 1]]}, "must start at t = 0"),
    "s above 1": ({"anneal_schedule": [[0, 1], [20, 1.4], [60, 1]]}, r"within \[0, 1\]"),
    "NaN": ({"anneal_schedule": [[0, 1], [20, float("nan")], [60, 1]]}, "must be finite"),
    "no end": ({"anneal_schedule": [[0, 1], [60, 0.9]]}, "must end at s = 1"),
    "a gain of another duration": ({"h_gain_schedule": [[0, 0], [30, 1]]}, "must end when the anneal ends"),
    "a gain of another short duration": (
        {"anneal_schedule": [[0, 1], [0.002, 0.35], [0.004, 1]], "h_gain_schedule": [[0, 0], [0.006, 1]]},
        "must end when the anneal ends",
    ),
    "a spin 0": ({"initial_state": DOWN | {2: 0}}, "such as 0 on qubit 2"),
    "a missing spin": ({"initial_state": {0: -1}}, "initial_state lacks 5 qubits"),
    "a short list": ({"initial_state": [-1, -1]}, "but has 2"),
    "negative thermalization": ({"readout_thermalization": -1.0}, "readout_thermalization must be"),
    "infinite h": ({"h": H | {1: float("inf")}}, "h must be finite"),
    "an answer mode": ({"answer_mode": "all"}, "answer_mode must be"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_what_is_malformed_is_refused_whoever_asks(name):
    change, message = MALFORMED[name]
    for strict in (False, True):
        with pytest.raises(LimitError, match=message):
            sampled(annealer(strict=strict), **change)


def test_strict_is_true_or_false():
    with pytest.raises(InvalidParameterError, match="strict must be true or false, but is 'yes'"):
        annealer(strict="yes")


def test_the_times_of_a_job_have_the_names_of_a_qpu():
    """Figures of Advantage 4.1: 14072.88 + 1000 us of programming, and 20.54 - 4.5 us between reads that start anew."""
    timing = sampled(annealer(), num_reads=100).info["timing"]
    assert set(timing) == QPU_KEYS | {"emulation_time"}
    assert timing["emulation_time"] > 0.0
    assert timing["qpu_anneal_time_per_sample"] == 60.0
    assert timing["qpu_programming_time"] == pytest.approx(15072.88)
    assert timing["qpu_delay_time_per_sample"] == pytest.approx(16.04)
    assert timing["qpu_readout_time_per_sample"] == pytest.approx(74.96, abs=0.01)  # of 6 qubits
    assert timing["qpu_sampling_time"] == pytest.approx(100 * (60.0 + 16.04 + 74.96), abs=1.0)
    assert timing["qpu_access_time"] == pytest.approx(15072.88 + timing["qpu_sampling_time"])
    for name in ("qpu_access_overhead_time", "total_post_processing_time", "post_processing_overhead_time"):
        assert timing[name] == 0.0


@pytest.mark.parametrize("timing", [None, {"version": "1.0.0", "readout_time_model": "pwl_linear",
                                           "readout_time_model_parameters": [1, 100, 50.0, 50.0]}])  # fmt: skip
def test_a_solver_without_timing_data_has_none(timing):
    solver = {"qubits": [0, 1], "couplers": [[0, 1]], "num_qubits": 2}
    solver |= {} if timing is None else {"problem_timing_data": timing}
    answer = annealer(graph=solver).sample_ising({0: 1.0}, {}, num_reads=5)
    assert set(answer.info["timing"]) == {"emulation_time"}


def test_an_empty_problem_takes_no_machine():
    info = annealer().sample_ising({}, {}, num_reads=3).info
    assert set(info["timing"]) == {"emulation_time"}
    assert info["limits"] == []
