"""The check of requests: every rule at its border and beyond, all at once, against no solver but its properties."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from solver_limits import CHARGING, DOWN, REVERSE, SOLVER, H, J, found

from spinbattery.core.errors import LimitError
from spinbattery.solver.limits import check_request, violations


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
    "a spin that is a truth value": ({**CHARGING, "initial_state": {**DOWN, 2: True}}, "such as True on qubit 2"),
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
    "text for reads": ({"num_reads": "10"}, "num_reads must be a whole number of 1 or more, but is '10'"),
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
    "negative thermalization": (
        {"readout_thermalization": -1.0},
        "readout_thermalization must be a time of 0 us or more",
    ),
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
