"""From models to dense problems."""

from __future__ import annotations

import dimod
import networkx as nx
import numpy as np
import pytest

from spinbattery.annealer.device import device_of
from spinbattery.annealer.programming import Program, dense_problem, scale_factor

LIMITS = {"h_range": [-4, 4], "j_range": [-1, 1], "extended_j_range": [-2, 1], "per_qubit_coupling_range": [-18, 15]}
PATH = device_of(nx.path_graph(["d", "b", "c", "a"]))


def _program(h, J, device=PATH):
    return Program.of(dimod.BQM(h, J, 0.5, "SPIN"), device)


def test_the_order_is_that_of_the_device():
    program = _program({"c": 3.0, "b": 2.0}, {("c", "a"): -1.0, ("c", "b"): 1.5})
    assert program.variables == ("b", "c", "a")
    np.testing.assert_array_equal(program.places, [1, 2, 3])
    np.testing.assert_array_equal(program.h, [2.0, 3.0, 0.0])
    np.testing.assert_array_equal(program.pairs, [[0, 1], [1, 2]])
    np.testing.assert_array_equal(program.J, [1.5, -1.0])


def test_a_binary_model_is_the_same_problem():
    bqm = dimod.BQM({"b": 2.0, "c": 1.0}, {("b", "c"): -1.5}, 0.0, "SPIN")
    binary = Program.of(bqm.change_vartype("BINARY", inplace=False), PATH)
    np.testing.assert_allclose(binary.h, [2.0, 1.0])
    np.testing.assert_allclose(binary.J, [-1.5])


@pytest.mark.parametrize(
    ("h", "J", "factor"),
    [
        ({"d": 2.0}, {}, 0.5),
        ({"d": -6.0, "b": 2.0}, {}, 1.5),
        ({"d": 2.0}, {("d", "b"): 0.5}, 0.5),
        ({"d": 2.0}, {("d", "b"): 0.8}, 0.8),
        ({"d": 2.0}, {("d", "b"): -1.6}, 0.8),
        ({"d": 0.0}, {}, 1.0),
    ],
)
def test_auto_scaling_uses_the_full_range(h, J, factor):
    assert scale_factor(LIMITS, _program(h, J)) == pytest.approx(factor)


def test_auto_scaling_minds_the_sum_over_couplers_and_solvers_without_extended_range():
    star = device_of(nx.star_graph(20))
    program = _program({}, {(0, k): -1.0 for k in range(1, 21)}, star)
    assert scale_factor(LIMITS, program) == pytest.approx(20.0 / 18.0)
    assert scale_factor({"j_range": [-1, 1]}, program) == pytest.approx(1.0)
    assert scale_factor({}, program) == 1.0


def test_crosstalk_adds_to_what_is_programmed_and_is_not_scaled():
    program = _program({"d": 1.0, "b": 1.0, "a": 0.0}, {("d", "b"): -0.8})
    crosstalk = {(0, 1): 0.1, (0, 3): -0.2, (2, 3): 5.0}  # place 2 is not in the problem
    problem = dense_problem(program, 2.0, crosstalk, {}, PATH)
    np.testing.assert_allclose(problem.fields, [0.5, 0.5, 0.0])
    assert {tuple(p): j for p, j in zip(problem.pairs.tolist(), problem.couplings, strict=True)} == {
        (0, 1): pytest.approx(-0.3), (0, 2): pytest.approx(-0.2),
    }  # fmt: skip


def test_couplings_that_cancel_are_none():
    problem = dense_problem(_program({}, {("d", "b"): 0.5, ("b", "c"): 0.0}), 1.0, {(0, 1): -0.5}, {}, PATH)
    assert problem.pairs.shape == (0, 2)
    assert problem.adjacency.nnz == 0


def test_stuck_qubits_outside_the_problem_do_not_matter():
    problem = dense_problem(_program({"b": 1.0, "c": 1.0}, {}), 1.0, {}, {"c": 1, "a": -1}, PATH)
    np.testing.assert_array_equal(problem.stuck, [0, 1])


def test_initial_states_as_mapping_and_as_list():
    device = device_of({"qubits": [2, 5, 6], "couplers": [[2, 5]]})
    program = _program({6: 1.0, 2: 1.0}, {}, device)
    for state in ({2: 1, 5: 1, 6: -1}, [3, 3, 1, 3, 3, 3, -1]):
        request = program.request(device, {"initial_state": state})
        np.testing.assert_array_equal(request.initial_state.spins(request.problem.qubits), [1, -1])
