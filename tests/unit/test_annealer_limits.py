"""The check of requests: every rule at its border and beyond, all at once, against no solver but its properties."""

from __future__ import annotations

import math
import pickle
from itertools import accumulate
from typing import Any

import dwave.graphs
import numpy as np
import pytest
from dwave.system.coupling_groups import coupling_groups
from hypothesis import given
from hypothesis import strategies as st

from spinbattery.annealer.limits import check_request, violations
from spinbattery.errors import InvalidParameterError, LimitError

NAMES = (
    "anneal_schedule annealing_time answer_mode auto_scale fast_anneal flux_drift_compensation h_gain_schedule "
    "initial_state num_reads programming_thermalization readout_thermalization reduce_intersample_correlation "
    "reinitialize_state"
)
# a ring of ten qubits, of which number 5 is missing
QUBITS = [q for q in range(10) if q != 5]
SOLVER: dict[str, Any] = {
    "chip_id": "Advantage_test",
    "num_qubits": 10,
    "qubits": QUBITS,
    "couplers": [[u, v] for u, v in zip(range(9), range(1, 10), strict=True) if 5 not in (u, v)] + [[0, 9]],
    "parameters": dict.fromkeys(NAMES.split(), "..."),
    "h_range": [-4.0, 4.0],
    "extended_j_range": [-2.0, 1.0],
    "per_qubit_coupling_range": [-3.0, 1.5],
    "num_reads_range": [1, 10000],
    "annealing_time_range": [0.5, 2000.0],
    "fast_anneal_time_range": [0.005, 2000.0],
    "default_annealing_time": 20.0,
    "max_anneal_schedule_points": 4,
    "h_gain_schedule_range": [-3.0, 3.0],
    "max_h_gain_schedule_points": 5,
    "default_programming_thermalization": 1000.0,
    "programming_thermalization_range": [0.0, 10000.0],
    "default_readout_thermalization": 0.0,
    "readout_thermalization_range": [0.0, 10000.0],
    "problem_run_duration_range": [0.0, 1000000.0],
}
H = {0: -0.5, 1: -0.5, 2: -0.5}
J = {(0, 1): -0.2, (1, 2): -0.2}
DOWN = dict.fromkeys(H, -1)
REVERSE = [[0, 1], [20, 0.35], [40, 0.35], [60, 1]]
CHARGING: dict[str, Any] = {
    "num_reads": 1000,
    "answer_mode": "raw",
    "auto_scale": False,
    "label": "run 1",
    "anneal_schedule": REVERSE,
    "h_gain_schedule": [[0, 0], [20, 0], [40, 1], [60, 0]],
    "initial_state": DOWN,
    "reinitialize_state": True,
}


def found(parameters: dict[str, Any], h: Any = H, J: Any = J, **properties: Any) -> list[str]:
    solver = {name: value for name, value in {**SOLVER, **properties}.items() if value is not None}
    return violations(solver, h, J, parameters)


def reverse(*points: tuple[float, float]) -> dict[str, Any]:
    return {"anneal_schedule": list(points), "initial_state": DOWN}


def gain(*points: tuple[float, float]) -> dict[str, Any]:
    return {"anneal_schedule": REVERSE, "initial_state": DOWN, "h_gain_schedule": list(points)}


def state_list(**changes: Any) -> dict[str, Any]:
    state = [-1, -1, -1] + [3] * 7
    for name, value in changes.items():
        state[int(name.removeprefix("q"))] = value
    return {"anneal_schedule": REVERSE, "initial_state": state}


GOOD: dict[str, dict[str, Any]] = {
    "nothing sent": {},
    "the cooperative protocol": CHARGING,
    "tuples": {**CHARGING, "anneal_schedule": [tuple(point) for point in REVERSE]},
    "an array": {**CHARGING, "anneal_schedule": np.array(REVERSE)},
    "all points of a forward anneal": {"anneal_schedule": [[0, 0], [1, 0.2], [2, 0.3], [3, 1]]},
    "one more point of a reverse anneal": reverse((0, 1), (1, 0.5), (2, 0.4), (3, 0.5), (4, 1)),
    "times a tick apart": reverse((0, 1), (10, 0.5), (10.01, 0.51), (20, 1)),
    "the longest schedule": {"anneal_schedule": [[0, 0], [2000, 1]]},
    "the steepest slope": {"anneal_schedule": [[0, 0], [0.5, 1]]},
    "the steepest slope that does not round to 0.01": reverse((0, 1), (0.3, 0.4), (1, 1)),
    "the shortest time": {"annealing_time": 0.5},
    "the longest time": {"annealing_time": 2000},
    "a time of numpy": {"annealing_time": np.float32(20)},
    "the highest gain": gain((0, 0), (30, 3), (60, -3)),
    "all points of the gain": gain((0, 0), (1, 0), (2, 0), (3, 0), (60, 0)),
    "the fastest gain": gain((0, -3), (0.02, 3), (60, 0)),
    "a gain for a time": {"annealing_time": 33.33, "h_gain_schedule": [[0, 1], [33.33, 0]]},
    "a gain for the default time": {"h_gain_schedule": [[0, 1], [20, 0]]},
    "a state as a list": state_list(),
    "a state with a qubit that is not in the problem": {**CHARGING, "initial_state": {**DOWN, 9: 1}},
    "a state of floats": {**CHARGING, "initial_state": {0: -1.0, 1: 1.0, 2: np.int8(1)}},
    "a fast anneal": {"fast_anneal": True, "annealing_time": 0.0071},
    "a fast schedule": {"fast_anneal": True, "anneal_schedule": [[0, 0], [0.005, 1]]},
    "no fast anneal": {**CHARGING, "fast_anneal": False},
    "one read": {"num_reads": 1},
    "most reads": {"num_reads": np.int64(10000)},
    "a histogram": {"answer_mode": "histogram"},
    "the longest label": {"label": "é" * 1024},
    "no thermalization": {"programming_thermalization": 0, "readout_thermalization": 0.0},
    "the longest thermalization": {"programming_thermalization": 10000.0, "readout_thermalization": 10000},
    "the longest run": {"num_reads": 9990, "annealing_time": 100.0},
}


@pytest.mark.parametrize("name", GOOD)
def test_what_the_solver_takes_passes(name: str) -> None:
    h = {0: 0.0} if "fast" in name else H
    assert found(GOOD[name], h, J if h is H else {}) == []
    check_request(SOLVER, h, J if h is H else {}, GOOD[name])


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "no list": ({"anneal_schedule": "fast"}, "anneal_schedule must be a list of pairs"),
    "no points": ({"anneal_schedule": []}, "must be a list of pairs"),
    "triples": ({"anneal_schedule": [[0, 0, 0], [1, 1, 1]]}, "must be a list of pairs"),
    "ragged pairs": ({"anneal_schedule": [[0, 0], [1]]}, "must be a list of pairs"),
    "pairs of text": ({"anneal_schedule": [["0", "0"], ["1", "1"]]}, "must be a list of pairs"),
    "None": ({"anneal_schedule": None}, "must be a list of pairs .* but is None"),
    "one point": ({"anneal_schedule": [[0, 1]], "initial_state": DOWN}, "needs 2 points or more, but has 1"),
    "too many points": (
        {"anneal_schedule": [[0, 0], [1, 0.2], [2, 0.3], [3, 0.4], [4, 1]]},
        "may have 4 points, but has 5",
    ),
    "too many points of a reverse anneal": (
        reverse((0, 1), (1, 0.5), (2, 0.4), (3, 0.5), (4, 0.6), (5, 1)),
        "may have 5 points, but has 6",
    ),
    "NaN": (reverse((0, 1), (20, math.nan), (60, 1)), r"must be finite, but point 2 is \(20, nan\)"),
    "infinite": (reverse((0, 1), (math.inf, 1)), "must be finite"),
    "a late start": (reverse((5, 1), (20, 0.35), (60, 1)), "must start at t = 0 us, but starts at 5 us"),
    "equal times": (reverse((0, 1), (20, 0.35), (20, 0.4), (60, 1)), "ascend strictly.* point 2 at 20 us"),
    "falling times": (reverse((0, 1), (40, 0.35), (20, 0.4), (60, 1)), "point 2 at 40 us is followed by 20 us"),
    "times equal once rounded": (reverse((0, 1), (20, 0.5), (20.004, 0.5), (60, 1)), "ascend strictly"),
    "times that are rounded": (
        reverse((0, 1), (20.004, 0.35), (60, 1)),
        "multiples of 0.01 us.*change 20.004 to 20 us",
    ),
    "s above 1": (reverse((0, 1), (20, 1.4), (60, 1)), r"within \[0, 1\], but anneal_schedule has s = 1.4"),
    "s below 0": (reverse((0, 1), (20, -0.1), (60, 1)), "s = -0.1"),
    "a start in between": ({"anneal_schedule": [[0, 0.3], [20, 1]]}, "must start at s = 0 .* starts at s = 0.3"),
    "a forward anneal that does not end": ({"anneal_schedule": [[0, 0], [20, 0.9]]}, "must end at s = 1"),
    "a reverse anneal that does not end": (reverse((0, 1), (20, 0.9)), "must end at s = 1, but ends at s = 0.9"),
    "a long schedule": ({"anneal_schedule": [[0, 0], [2000.01, 1]]}, "allows at most 2000 us"),
    "a steep slope": ({"anneal_schedule": [[0, 0], [0.49, 1]]}, "at most 2 per us; give this change 0.5 us or more"),
    "a steep way back": (reverse((0, 1), (0.2, 0.35), (20, 1)), "3.25 per us from 0 to 0.2 us.*0.33 us or more"),
    "a schedule and a time": ({"annealing_time": 60, **reverse((0, 1), (60, 1))}, "exclude each other"),
    "a time of text": ({"annealing_time": "20"}, "must be a finite number of us"),
    "an infinite time": ({"annealing_time": math.inf}, "must be a finite number of us"),
    "a short time": ({"annealing_time": 0.49}, "must be 0.5 to 2000 us"),
    "a long time": ({"annealing_time": 2000.01}, "must be 0.5 to 2000 us"),
    "a time that is rounded": ({"annealing_time": 20.005}, "multiples of 0.01 us"),
    "no gain schedule": ({"h_gain_schedule": 3}, "h_gain_schedule must be a list of pairs"),
    "NaN in the gain": (gain((0, 0), (20, math.nan), (60, 1)), "h_gain_schedule must be finite"),
    "one point of the gain": ({"annealing_time": 20, "h_gain_schedule": [[0, 1]]}, "needs 2 points or more"),
    "too many points of the gain": (
        gain((0, 0), (1, 0), (2, 0), (3, 0), (4, 0), (60, 0)),
        "h_gain_schedule may have 5 points",
    ),
    "a late start of the gain": (gain((1, 0), (60, 1)), "h_gain_schedule must start at t = 0"),
    "falling times of the gain": (gain((0, 0), (20, 0), (10, 1), (60, 0)), "h_gain_schedule must ascend"),
    "times of the gain that are rounded": (gain((0, 0), (20.001, 0), (60, 0)), "h_gain_schedule must be multiples"),
    "an early end of the gain": (gain((0, 0), (59.99, 1)), "at 60 us, but ends at 59.99 us"),
    "an end of the gain after the time": (
        {"annealing_time": 30, "h_gain_schedule": [[0, 1], [60, 1]]},
        "at 30 us, but ends at 60 us",
    ),
    "an end of the gain after the default time": ({"h_gain_schedule": [[0, 1], [60, 1]]}, "at 20 us, but ends at 60"),
    "a high gain": (gain((0, 0), (30, 3.1), (60, 0)), r"h_gain_schedule_range \[-3, 3\], but reaches 3.1"),
    "a low gain": (gain((0, 0), (30, -3.1), (60, 0)), "but reaches -3.1"),
    "a fast gain": (gain((0, -3), (0.01, 3), (60, 0)), "g too fast: 600 per us.*at most 300 per us.*0.02 us or more"),
    "no state": ({"anneal_schedule": REVERSE}, "needs initial_state"),
    "a state of a forward anneal": (
        {"anneal_schedule": [[0, 0], [20, 1]], "initial_state": DOWN},
        "initial_state means a reverse anneal",
    ),
    "a state without a schedule": ({"initial_state": DOWN}, "initial_state means a reverse anneal"),
    "a state of text": ({**CHARGING, "initial_state": "down"}, "must map qubits"),
    "no state at all": ({**CHARGING, "initial_state": None}, "must map qubits"),
    "a missing spin": ({**CHARGING, "initial_state": {0: -1, 2: -1}}, r"lacks 1 qubit \(1\) of the problem"),
    "a spin 0": ({**CHARGING, "initial_state": {**DOWN, 1: 0}}, r"not on 1 qubit \(1\), such as 0 on qubit 1"),
    "a spin 0.3": ({**CHARGING, "initial_state": {**DOWN, 2: 0.3}}, "such as 0.3 on qubit 2"),
    "a spin NaN": ({**CHARGING, "initial_state": {**DOWN, 2: math.nan}}, "such as nan on qubit 2"),
    "a spin of text": ({**CHARGING, "initial_state": {**DOWN, 2: "up"}}, "such as 'up' on qubit 2"),
    "a spin that is a list": ({**CHARGING, "initial_state": {**DOWN, 2: [1]}}, r"such as \[1\] on qubit 2"),
    "a spin 3 by name": (
        {**CHARGING, "initial_state": {**DOWN, 9: 3}},
        "such as 3 on qubit 9; leave unused qubits out",
    ),
    "a spin of a missing qubit": ({**CHARGING, "initial_state": {**DOWN, 5: 1}}, r"names 1 qubit \(5\)"),
    "a spin of a spin": ({**CHARGING, "initial_state": {**DOWN, "a": 1}}, "keys of initial_state must be qubits.*'a'"),
    "a short list": ({**CHARGING, "initial_state": [-1, -1, -1]}, "each of the solver's 10 qubits .* but has 3"),
    "an unused qubit that is used": (state_list(q1=3), r"3 \(unused\) or absent on 1 qubit \(1\)"),
    "a 0 in a list": (state_list(q2=0), "such as 0 on qubit 2"),
    "a missing qubit in a list": (state_list(q5=1), r"set on 1 qubit \(5\)"),
    "text for reads": ({"num_reads": "10"}, "num_reads must be a whole number from 1 to 10000, but is '10'"),
    "reads of a float": ({"num_reads": 10.0}, "num_reads must be a whole number"),
    "reads of a bool": ({"num_reads": True}, "num_reads must be a whole number"),
    "no reads": ({"num_reads": 0}, "num_reads must be a whole number"),
    "too many reads": ({"num_reads": 10001}, "from 1 to 10000, but is 10001"),
    "another answer mode": ({"answer_mode": "rwa"}, "'raw' or 'histogram', but is 'rwa'"),
    "an empty label": ({"label": ""}, "label must be a text of 1 to 1024"),
    "no text for a label": ({"label": 7}, "label must be a text"),
    "a long label": ({"label": "x" * 1025}, "has 1025; shorten it"),
    "a foreign label": ({"label": "charge ⚡"}, "Windows-1252, but has '⚡'"),
    "an unknown parameter": ({"anneal_shedule": 1}, "no parameter 'anneal_shedule'.*Did you mean 'anneal_schedule'"),
    "an unlisted experimental parameter": ({"x_polarization": 1}, "no parameter 'x_polarization'"),
    "max_answers": ({"max_answers": 3}, "max_answers is obsolete"),
    "spin reversals": ({"num_spin_reversal_transforms": 3}, "num_spin_reversal_transforms is obsolete"),
    "a flag of text": ({"auto_scale": "no"}, "auto_scale must be True or False"),
    "a flag of a number": ({**CHARGING, "reinitialize_state": 1}, "reinitialize_state must be True or False"),
    "negative thermalization": ({"readout_thermalization": -1.0}, "readout_thermalization must be a time from 0 to"),
    "long thermalization": ({"programming_thermalization": 10000.01}, "programming_thermalization must be a time"),
    "thermalization NaN": ({"programming_thermalization": math.nan}, "programming_thermalization must be a time"),
    "thermalization that is rounded": ({"readout_thermalization": 1.005}, "readout_thermalization must be multiples"),
    "a long run": (
        {"num_reads": 9991, "annealing_time": 100.0},
        "make 1000100 us, but a job may take 1000000 us .*; send at most 9990 reads",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_what_the_solver_does_not_take_is_said(name: str) -> None:
    parameters, message = BAD[name]
    sentences = found(parameters)
    with pytest.raises(LimitError, match=message) as caught:
        check_request(SOLVER, H, J, parameters)
    assert caught.value.violations == tuple(sentences)
    assert all(sentence.endswith((".", "?")) and "\n" not in sentence for sentence in sentences)
    # a fault is not blamed on its neighbours: falling times may well be steep, or of the wrong number
    assert len(sentences) <= 2, sentences


@pytest.mark.parametrize("name", ["h_gain_schedule", "initial_state", "reinitialize_state"])
def test_a_fast_anneal_excludes(name: str) -> None:
    parameters = {**CHARGING, "fast_anneal": True}
    assert f"fast_anneal=True excludes {name}; leave one of them out." in found(parameters)
    assert not any(f"excludes {name}" in sentence for sentence in found({**parameters, "fast_anneal": False}))


def test_a_fast_anneal_has_two_points_and_no_fields() -> None:
    parameters = {"fast_anneal": True, "anneal_schedule": [[0, 0], [0.004, 0.2], [1, 1]]}
    sentences = found(parameters)
    assert any("needs h = 0" in sentence for sentence in sentences)
    assert any("of 2 points, but it has 3" in sentence for sentence in sentences)
    assert found({"fast_anneal": True, "annealing_time": 0.0049}, {0: 0.0}, {}) != []


STRENGTHS: dict[str, tuple[dict[int, float], dict[tuple[int, int], float], list[Any], str]] = {
    "h": ({0: 4.1}, {}, [[0, 1], [20, 1]], r"h_range \[-4, 4\].*h = 4.1 on qubit 0 with a gain of 1 makes 4.1"),
    "h below": ({0: -4.1}, {}, [[0, 1], [20, 1]], "makes -4.1"),
    "h at the highest gain": ({0: 2.0, 1: 2.1}, {}, [[0, 0], [20, 2]], r"1 qubit \(1\): h = 2.1.*makes 4.2"),
    "h at the lowest gain": ({0: 2.1}, {}, [[0, -2], [20, 1]], "h = 2.1 on qubit 0 with a gain of -2 makes -4.2"),
    "J": ({}, {(0, 1): 1.1}, [[0, 1], [20, 1]], r"extended_j_range \[-2, 1\], but reaches 1.1 .*1 coupler \(0-1\)"),
    "J below": ({}, {(0, 1): -2.1}, [[0, 1], [20, 1]], "reaches -2.1"),
    "J in two parts": ({}, {(0, 1): 0.6, (1, 0): 0.5}, [[0, 1], [20, 1]], "reaches 1.1"),
    "the sum": ({}, {(0, 1): 0.8, (2, 1): 0.8}, [[0, 1], [20, 1]], "each qubit.*per_qubit_.*is 1.6 on qubit 1"),
    "the sum below": ({}, {(0, 1): -1.6, (1, 2): -1.6}, [[0, 1], [20, 1]], "does not on 1, and is -3.2 on qubit 1"),
}


@pytest.mark.parametrize("name", STRENGTHS)
def test_strengths_are_checked_where_they_are_sent_as_they_are(name: str) -> None:
    h, couplings, gains, message = STRENGTHS[name]
    parameters = {"auto_scale": False, "annealing_time": 20, "h_gain_schedule": gains}
    assert found({**parameters, "auto_scale": True}, h, couplings) == []
    assert found({"annealing_time": 20, "h_gain_schedule": gains}, h, couplings) == []  # True is the default
    with pytest.raises(LimitError, match=message):
        check_request(SOLVER, h, couplings, parameters)
    assert len(found(parameters, h, couplings)) == 1


def test_strengths_at_their_limits_pass() -> None:
    parameters = {"auto_scale": False, "annealing_time": 20, "h_gain_schedule": [[0, -2], [20, 2]]}
    assert found(parameters, {0: 2.0, 1: -2.0}, {(0, 1): 1.0, (1, 2): 0.5, (3, 4): -2.0}) == []
    assert found(parameters, {}, {(0, 1): -1.5, (1, 2): -1.5}) == []
    assert found({"auto_scale": False}, {}, {(0, 1): 0.1, (1, 2): 0.2}, per_qubit_coupling_range=[-1.0, 0.3]) == []


def test_without_an_extended_range_the_range_of_j_holds() -> None:
    parameters = {"auto_scale": False}
    assert found(parameters, {}, {(0, 1): -1.5}, extended_j_range=None, j_range=[-1.0, 1.0]) != []
    assert found(parameters, {}, {(0, 1): -1.5}, extended_j_range=None) == []


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("auto_scale", [True, False])
def test_numbers_that_are_none_are_refused_whatever_is_scaled(value: float, auto_scale: bool) -> None:
    parameters = {"auto_scale": auto_scale}
    assert found(parameters, {0: value, 1: 1.0}, {}) == ["h must be finite, but is not on 1 qubit (0)."]
    assert found(parameters, {}, {(0, 1): value}) == ["J must be finite, but is not on 1 coupler (0-1)."]


def test_what_is_not_in_the_working_graph_is_counted_and_named() -> None:
    h = dict.fromkeys([0, 5, *range(100, 110)], 1.0)
    [sentence] = found({}, h, {})
    assert "lacks 11 qubits (5, 100, 101, 102, ...)" in sentence
    [sentence] = found({}, {}, {(0, 1): 1.0, (1, 0): 1.0, (3, 1): 1.0, (0, 0): 1.0})
    assert "lacks 2 couplers (0-0, 1-3)" in sentence
    assert len(found({}, {-1: 1.0}, {(-1, 9): 1.0})) == 2
    assert found({}, {}, {(9, 0): 1.0}) == []


@pytest.mark.parametrize(
    "h, couplings, message",
    [
        ({}, {}, "no qubits"),
        ({"a": 1.0}, {}, "keys of h must be qubits.*'a'"),
        ({0.5: 1.0}, {}, "keys of h must be qubits.*0.5"),
        ({(0, 1): 1.0}, {}, "keys of h must be qubits"),
        ({}, {0: 1.0}, "keys of J must be pairs"),
        ({}, {(0, 1): 1.0, (0, 1, 2): 1.0}, r"keys of J must be pairs.*\(0, 1, 2\)"),
        ({0: "1"}, {}, "values of h must be real"),
        ({0: None}, {}, "values of h must be real"),
        ({0: [1.0], 1: [1.0, 2.0]}, {}, "values of h must be real"),
        ({}, {(0, 1): 1j}, "values of J must be real"),
    ],
)
def test_problems_that_are_none_are_refused(h: Any, couplings: Any, message: str) -> None:
    with pytest.raises(LimitError, match=message):
        check_request(SOLVER, h, couplings, {})


def test_everything_is_reported_at_once() -> None:
    parameters = {
        **CHARGING,
        "anneal_schedule": [[0, 1], [0.1, 0.35], [40.004, 1.2], [60, 0.9]],
        "initial_state": {0: 0, 5: 1},
        "num_reads": 10**6,
        "answer_mode": "all",
        "label": "",
        "max_answers": 1,
    }
    h = {0: math.nan, 77: 1.0}
    with pytest.raises(LimitError) as caught:
        check_request(SOLVER, h, {(0, 1): 9.0}, parameters)
    message = str(caught.value)
    assert message.startswith(f"the request breaks {len(caught.value.violations)} rules of solver Advantage_test:\n")
    parts = (
        "h must be finite",
        "lacks 1 qubit (77)",
        "extended_j_range",
        "multiples of 0.01",
        "[0, 1]",
        "end at s = 1",
    )
    more = ("too fast", "lacks 2 qubits (1, 77)", "not on 1 qubit (0)", "(5)", "num_reads", "answer_mode", "label")
    for part in (*parts, *more, "max_answers", "problem_run_duration_range"):
        assert sum(part in sentence for sentence in caught.value.violations) >= 1, part
    assert all(f"\n  - {sentence}" in message for sentence in caught.value.violations)


def test_one_violation_is_one_rule_and_the_error_survives_pickling() -> None:
    with pytest.raises(LimitError, match="breaks 1 rule of the solver:") as caught:
        check_request({}, H, J, {"num_reads": 0})
    again = pickle.loads(pickle.dumps(caught.value))
    assert (str(again), again.violations) == (str(caught.value), caught.value.violations)


NEEDS_A_PROPERTY = {
    "too many points",
    "too many points of a reverse anneal",
    "a long schedule",
    "a steep slope",
    "a steep way back",
    "a short time",
    "a long time",
    "too many points of the gain",
    "an end of the gain after the default time",
    "a high gain",
    "a low gain",
    "a fast gain",
    "a spin of a missing qubit",
    "a short list",
    "a missing qubit in a list",
    "too many reads",
    "an unknown parameter",
    "an unlisted experimental parameter",
    "long thermalization",
    "a long run",
}


@pytest.mark.parametrize("name", BAD)
def test_what_a_solver_does_not_publish_is_not_checked_and_the_rest_is(name: str) -> None:
    assert (violations({}, H, J, BAD[name][0]) == []) == (name in NEEDS_A_PROPERTY)


def test_a_solver_without_properties_takes_any_strength() -> None:
    assert violations({}, {0: 1e9}, {(0, 77): -1e9}, {"auto_scale": False, "num_reads": 10**9, "foo": 1}) == []


def test_the_run_time_counts_readout_and_thermalization() -> None:
    timing = {
        "version": "1.0.0",
        "readout_time_model": "pwl_linear",
        "readout_time_model_parameters": [1, 100, 50.0, 50.0],
    }
    parameters = {"num_reads": 1000, "annealing_time": 100.0}
    limit = {"problem_run_duration_range": [0.0, 101_000.0]}
    assert found(parameters, **limit) == []
    [sentence] = found(parameters, **limit, problem_timing_data=timing)
    assert "1000 reads of 150.00 us" in sentence
    assert "send at most 666 reads per job" in sentence
    assert found({**parameters, "num_reads": 666}, **limit, problem_timing_data=timing) == []
    [sentence] = found({**parameters, "readout_thermalization": 25.0}, **limit)
    assert "at most 800 reads" in sentence
    assert found({**parameters, "programming_thermalization": 1000.01}, **limit) != []
    [sentence] = found({"num_reads": 1, "annealing_time": 100.0}, problem_run_duration_range=[0.0, 1000.0])
    assert sentence.endswith("shorten the anneal.")


@pytest.mark.parametrize(
    "name, value",
    [
        ("qubits", [0, 1.5]),
        ("qubits", 7),
        ("couplers", [[0, 1], [2]]),
        ("couplers", [[0, 1, 2]]),
        ("h_range", [4.0]),
        ("h_range", [4.0, -4.0]),
        ("extended_j_range", "wide"),
        ("per_qubit_coupling_range", [-math.inf, 1.0]),
        ("num_reads_range", 5),
        ("max_anneal_schedule_points", "12"),
        ("max_h_gain_schedule_points", math.nan),
        ("h_gain_schedule_range", [0.0, None]),
        ("annealing_time_range", [1.0, 2.0, 3.0]),
        ("problem_run_duration_range", {"max": 1}),
        ("default_readout_thermalization", "0"),
        ("problem_timing_data", {"version": "2.0.0"}),
    ],
)
def test_malformed_properties_are_named(name: str, value: Any) -> None:
    with pytest.raises(InvalidParameterError, match="version 1.0.x" if name == "problem_timing_data" else repr(name)):
        found(CHARGING, **{name: value})


def test_groups_of_couplers_are_those_of_ocean() -> None:
    """On Zephyr the sum over each group of couplers is limited; on a solver of another topology no group is known."""
    m = 3
    graph = dwave.graphs.zephyr_graph(m)
    rng = np.random.default_rng(1)
    couplings = {tuple(sorted(pair)): rng.normal() for pair in graph.edges}
    sums = sorted(sum(couplings[tuple(sorted(pair))] for pair in group) for group in coupling_groups(graph))
    solver = {"topology": {"type": "zephyr", "shape": [m, 4]}}
    parameters = {"auto_scale": False}
    for rank in (1, 5, 20):
        limits = {"per_group_coupling_range": [-1e9, (sums[-rank] + sums[-rank - 1]) / 2]}
        [sentence] = violations({**solver, **limits}, {}, couplings, parameters)
        assert f"does not on {rank}, and is {sums[-1]:.6g} on qubit" in sentence
        assert violations({**limits, "topology": {"type": "pegasus", "shape": [3]}}, {}, couplings, parameters) == []
        assert violations({**limits, "topology": {"type": "zephyr"}}, {}, couplings, parameters) == []
    limits = {"per_group_coupling_range": [sums[0] - 1e-6, sums[-1] + 1e-6]}
    assert violations({**solver, **limits}, {}, couplings, parameters) == []


TIMES = st.one_of(st.integers(0, 6000).map(lambda ticks: ticks / 100), st.floats(0, 60), st.just(math.nan))
FRACTIONS = st.one_of(st.sampled_from([0.0, 0.35, 1.0]), st.floats(-0.5, 1.5))


@st.composite
def schedules(draw: st.DrawFn) -> list[tuple[float, float]]:
    """Half of them obey all rules but those of slope and number, half none on purpose."""
    if draw(st.booleans()):
        gaps = draw(st.lists(st.integers(30, 2000), min_size=1, max_size=5))
        inner = [draw(st.floats(0, 1)) for _ in gaps[1:]]
        values = [draw(st.sampled_from([0.0, 1.0])), *inner, 1.0]
        return [(ticks / 100, s) for ticks, s in zip(accumulate(gaps, initial=0), values, strict=True)]
    return draw(st.lists(st.tuples(TIMES, FRACTIONS), max_size=5))


@given(schedules())
def test_an_accepted_schedule_obeys_all_rules(schedule: list[tuple[float, float]]) -> None:
    starts_reverse = bool(schedule) and schedule[0][1] == 1.0
    parameters: dict[str, Any] = {"anneal_schedule": schedule}
    if starts_reverse:
        parameters["initial_state"] = DOWN
    accepted = found(parameters) == []
    times, values = [t for t, _ in schedule], [s for _, s in schedule]
    ticks = [round(t * 100) if math.isfinite(t) else 0 for t in times]
    steps = list(zip(ticks, values, ticks[1:], values[1:], strict=False))
    rules = [
        2 <= len(schedule) <= 4 + starts_reverse,
        bool(times) and times[0] == 0.0 and all(math.isfinite(t) for t in times),
        all(math.isclose(t * 100, tick, abs_tol=1e-6) for t, tick in zip(times, ticks, strict=True)),
        all(early < late for early, _, late, _ in steps),
        bool(values) and values[0] in (0.0, 1.0) and values[-1] == 1.0,
        all(0.0 <= s <= 1.0 for s in values),
        bool(times) and times[-1] <= 2000.0,
        all(abs(after - before) * 100 <= 2.0 * (late - early) + 1e-6 for early, before, late, after in steps),
    ]
    assert accepted == all(rules)
