"""Where a tree need not be carried through."""

from __future__ import annotations

import numpy as np
import pytest

import spinbattery as sb
from spinbattery.engines.common.window import moving_window

PROTOCOL = sb.cooperative(20.0)


@pytest.mark.parametrize("allowed", [1e-3, 1e-5])
def test_the_bound_holds(allowed):
    problem = sb.ChargingProblem(sb.torus(3, 3), PROTOCOL)
    window = moving_window(problem, allowed)
    assert 0.0 < window.start < window.end < 20.0
    assert window.bound <= 2.0 * allowed
    record = sb.charge(sb.torus(3, 3), PROTOCOL, times=[window.start, window.end])
    mean, std = (record.dataset[name].to_numpy() for name in ("magnetization_t", "std_t"))
    assert abs(mean[0] + 1.0) <= allowed
    assert abs(mean[1] - record.magnetization) <= allowed
    assert abs(std[1] - record.std) <= allowed


def test_the_bound_holds_at_the_end():
    """What is left out at the beginning acts through all that follows."""
    problem = sb.ChargingProblem(sb.torus(2, 4), PROTOCOL)
    exact = sb.charge(sb.torus(2, 4), PROTOCOL)
    for tolerance in (1e-1, 1e-2):
        found = sb.TensorNetwork(tolerance, 16, steps=400, single=False).run(problem)
        assert 0.0 < found.discretisation["neglected"] <= tolerance / 4.0
        assert abs(found.magnetization - exact.magnetization) < found.discretisation["neglected"]
        assert abs(found.std - exact.std) < found.discretisation["neglected"]


def test_less_may_be_left_out_where_less_is_allowed():
    problem = sb.ChargingProblem(sb.torus(3, 3), PROTOCOL)
    wide, narrow = moving_window(problem, 1e-6), moving_window(problem, 1e-3)
    assert wide.start < narrow.start < narrow.end < wide.end


def test_a_start_that_is_no_basis_state_is_followed_from_the_beginning():
    tilted = sb.Protocol(20.0, PROTOCOL.s, PROTOCOL.g, h=-0.5, J=-0.2, initial=sb.ProductState((1.0,)))
    window = moving_window(sb.ChargingProblem(sb.torus(3, 3), tilted), 1e-3)
    assert window.start == 0.0
    assert window.end < 20.0


def test_output_times_outside_of_the_window():
    times = [0.5, 10.0, 19.5]
    problem = sb.ChargingProblem(sb.torus(2, 4), PROTOCOL)
    exact = sb.charge(sb.torus(2, 4), PROTOCOL, times=times)
    found = sb.TensorNetwork(bond_dimension=16, steps=200).run(problem, times)
    assert np.array_equal(found.times, times)
    for name in ("magnetization_t", "std_t", "energy_t"):
        assert np.abs(found.dataset[name] - exact.dataset[name]).max() < 5e-3, name
