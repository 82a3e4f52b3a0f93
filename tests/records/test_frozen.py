"""What a hash covers cannot be changed from outside, and equal things have equal hashes."""

from __future__ import annotations

import math

import pytest

import spinbattery as sb


def _arrays():
    network = sb.torus(2, 3).with_crosstalk(-0.01)
    problem = sb.ChargingProblem(network, sb.cooperative(5.0))
    scales = sb.advantage_system6()
    return {
        "pairs": network.pairs,
        "weights": network.weights,
        "crosstalk": network.crosstalk,
        "positions": network.positions,
        "degrees": network.degrees,
        "waveform corners": problem.protocol.s.breakpoints,
        "waveform values": problem.protocol.s.values,
        "protocol corners": problem.protocol.breakpoints,
        "scale kinks": scales.kinks,
        "coupled pairs": problem.couplings[0],
        "couplings": problem.couplings[1],
    }


@pytest.mark.parametrize("name", _arrays())
def test_arrays_of_frozen_objects_are_closed_to_writing(name):
    with pytest.raises(ValueError, match="read-only"):
        _arrays()[name][...] = 0


def test_minus_zero_is_zero():
    lattice = sb.torus(2, 2)
    with_zero, with_minus = (sb.ChargingProblem(lattice, sb.cooperative(5.0, J=J)) for J in (0.0, -0.0))
    assert with_zero.content_hash == with_minus.content_hash


def test_one_angle_for_all_and_the_same_for_each_are_one_state():
    lattice = sb.torus(2, 2)
    states = (sb.ProductState((math.pi,)), sb.ProductState((math.pi,) * 4))
    one, each = (sb.ChargingProblem(lattice, sb.cooperative(5.0, initial=state)) for state in states)
    assert one == each
    other = sb.ChargingProblem(lattice, sb.cooperative(5.0, initial=sb.ProductState((math.pi, math.pi, math.pi, 0.0))))
    assert other != each
