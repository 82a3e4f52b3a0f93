"""The check of requests: strengths, graph, initial state, run time, what is not published, all at once."""

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
from solver_limits import CHARGING, DOWN, SOLVER, H, J, found

from spinbattery.core.errors import InvalidParameterError, LimitError
from spinbattery.solver.limits import check_request, violations

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
