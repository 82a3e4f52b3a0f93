"""Spins that never move: mu and sigma are exactly those of the start, and no engine claims a precision."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import spinbattery as sb
from spinbattery.engines.dense.density_kernels import flip_map
from spinbattery.engines.dense.noise_maps import decays
from spinbattery.model.scales import EnergyScales, Polynomial
from spinbattery.records.no_precision import NoPrecision

NO_TRANSVERSE_FIELD = EnergyScales("no A(s)", Polynomial((0.0,)), Polynomial((0.0, 1.0)))
DEPHASING = sb.Noise(z=1e-2)
TRAJECTORIES = sb.Trajectories(20, seed=1)


def assert_still(record):
    assert (record.magnetization, record.variance, record.std) == (-1.0, 0.0, 0.0)
    assert record.precision is None
    assert record.precision_relative_error is None
    assert record.no_precision is NoPrecision.ZERO_TO_ROUNDING
    assert record.magnetization_error <= 1e-6
    np.testing.assert_allclose(record.variables["distribution"].values[1:], 0.0, atol=1e-13)


@pytest.mark.parametrize("noise", [None, DEPHASING])
@pytest.mark.parametrize("duration", [1e-9, 5.0, 300.0])
@pytest.mark.parametrize("J", [None, 0.0])
@pytest.mark.parametrize(
    "engine", [sb.Statevector(), sb.Symmetric(), sb.Product(), sb.Lindblad(), TRAJECTORIES], ids=lambda one: one.name
)
def test_spins_in_no_transverse_field_stay(engine, J, duration, noise):
    protocol = sb.cooperative(duration)
    protocol = protocol if J is None else replace(protocol, J=J)
    problem = sb.ChargingProblem(sb.torus(2, 3), protocol, NO_TRANSVERSE_FIELD, noise)
    if engine.refusal(problem) is None and (engine.takes_noise or noise is None):
        assert_still(engine.run(problem))


def test_of_what_a_density_matrix_does_not_see_it_gives_no_false_bound():
    """After an attosecond N sigma^2 is 4e-18, which amplitudes hold, and entries of a matrix near one do not."""
    problem = sb.ChargingProblem(sb.torus(2, 3), replace(sb.cooperative(1e-9), J=0.0))
    pure, mixed = sb.Product().run(problem), sb.Lindblad().run(problem)
    assert 1e17 < pure.precision < 1e19
    assert mixed.precision is None
    assert 1e12 < mixed.precision_bound < pure.precision


def test_without_a_turn_dephasing_leaves_populations_to_the_last_bit():
    (x, y, z), left = 0.3 * decays(np.array([0.0, 0.0, 0.7])), 0.5 * np.exp(-2.0 * 0.7 * 0.3)  # of x and y
    assert flip_map.py_func(0.0, x, y, z) == (0.5, 0.0, 0.0, left, left)
    assert flip_map.py_func(0.1, x, y, z)[0] < 0.5


def test_of_trajectories_that_are_all_alike_no_bound_is_claimed():
    problem = sb.ChargingProblem(sb.torus(2, 3), sb.cooperative(5.0), NO_TRANSVERSE_FIELD, DEPHASING)
    assert TRAJECTORIES.run(problem).precision_bound is None
