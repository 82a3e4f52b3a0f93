"""Charging protocols: fields, corners, cost, and the protocols derived at equal cost."""

from __future__ import annotations

import itertools
import json
import math

import numpy as np
import pytest
from scipy.integrate import quad

from spinbattery import (
    EnergyScales,
    ProductState,
    Protocol,
    SpinNetwork,
    Waveform,
    advantage_system6,
    complete,
    cooperative,
    polarised,
    ring,
    torus,
)
from spinbattery.core.errors import CostError, InvalidParameterError, SpinBatteryError, WaveformError
from spinbattery.model.scales import LinearTable, Polynomial

FLAT = EnergyScales("flat", Polynomial((3.0,)), Polynomial((8.0,)))
HOLD = Waveform(((0.0, 0.5), (1.0, 0.5)))
FULL = Waveform(((0.0, 1.0), (1.0, 1.0)))
ZERO = Waveform(((0.0, 0.0), (1.0, 0.0)))
KINKED = EnergyScales(
    "table",
    LinearTable((0.0, 0.4, 0.45, 0.7, 1.0), (9.0, 0.9, 0.8, 0.01, 0.0)),
    LinearTable((0.0, 0.41, 1.0), (0.2, 2.0, 7.5)),
)


def test_the_cooperative_schedule_follows_the_paper():
    protocol = cooperative(60.0)
    t = np.array([0.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0])
    np.testing.assert_allclose(protocol.s(t / 60.0), [1.0, 0.675, 0.35, 0.35, 0.35, 0.675, 1.0], rtol=1e-14)
    np.testing.assert_allclose(protocol.g(t / 60.0), [0.0, 0.0, 0.0, 0.5, 1.0, 0.5, 0.0], atol=1e-15)
    np.testing.assert_allclose(protocol.breakpoints, [0.0, 20.0, 40.0, 60.0], rtol=1e-15)
    assert (protocol.J, protocol.h) == (-0.2, -0.5)
    assert protocol.initial == ProductState.named("down")


def test_the_polarised_schedule_sweeps_the_field_through_zero():
    protocol = polarised(60.0, s_hold=0.25)
    t = np.array([0.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0])
    np.testing.assert_allclose(protocol.g(t / 60.0), [0.0, -0.5, -1.0, 0.0, 1.0, 0.5, 0.0], atol=1e-15)
    np.testing.assert_array_equal(protocol.s.values, cooperative(1.0, s_hold=0.25).s.values)
    assert polarised(60.0).name == "polarised"
    assert polarised(60.0, J=0.0).name == "polarised local"


def test_fields_carry_the_signs_and_halves_of_the_hamiltonian():
    protocol = Protocol(10.0, HOLD, Waveform(((0.0, 0.0), (1.0, 1.0))), h=-0.5, J=-0.2)
    bx, bz, half_b = protocol.fields(np.array([0.0, 5.0, 10.0]), FLAT)
    np.testing.assert_array_equal(bx, [-1.5, -1.5, -1.5])
    np.testing.assert_array_equal(bz, [0.0, -1.0, -2.0])
    np.testing.assert_array_equal(half_b, [4.0, 4.0, 4.0])


def test_corners_of_both_waveforms_and_passages_of_the_scales_are_kinks():
    s = Waveform(((0.0, 1.0), (0.5, 0.0), (1.0, 0.0)))
    g = Waveform(((0.0, 0.0), (0.25, 1.0), (1.0, 0.0)))
    protocol = Protocol(8.0, s, g, h=-0.5, J=-0.2)
    np.testing.assert_array_equal(protocol.breakpoints, [0.0, 2.0, 4.0, 8.0])
    np.testing.assert_array_equal(protocol.kinks(FLAT), protocol.breakpoints)
    table = EnergyScales("table", LinearTable((0.0, 0.75, 1.0), (1.0, 0.5, 0.0)), Polynomial((1.0,)))
    np.testing.assert_allclose(protocol.kinks(table), [0.0, 1.0, 2.0, 4.0, 8.0], rtol=1e-15)


@pytest.mark.parametrize("make", [cooperative, polarised])
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"duration": 0.0}, "duration must be above zero"),
        ({"duration": -1.0}, "duration must be above zero"),
        ({"duration": math.nan}, "duration must be finite"),
        ({"duration": "20ns"}, "duration must be a real number"),
        ({"duration": 1.0, "J": math.inf}, "J must be finite"),
        ({"duration": 1.0, "h": None}, "h must be a real number"),
        ({"duration": 1.0, "s_hold": -0.1}, "s_hold must lie within"),
        ({"duration": 1.0, "s_hold": 1.1}, "s_hold must lie within"),
        ({"duration": 1.0, "s_hold": math.nan}, "s_hold must be finite"),
    ],
)
def test_protocols_that_are_refused(make, arguments, message):
    with pytest.raises(SpinBatteryError, match=message):
        make(**arguments)


@pytest.mark.parametrize("reached", [-0.01, 1.01])
def test_s_must_stay_within_its_range(reached):
    s = Waveform(((0.0, 1.0), (0.5, reached), (1.0, 1.0)))
    with pytest.raises(WaveformError, match=f"reaches {reached:g}"):
        Protocol(1.0, s, ZERO, -0.5, -0.2)


def test_protocols_round_trip_through_json():
    start = ProductState((0.1, 0.2), (0.3, 0.4))
    for protocol in (cooperative(20.0, initial=start), polarised(0.1, J=0.0, s_hold=1.0 / 7.0)):
        assert Protocol.from_dict(json.loads(json.dumps(protocol.to_dict()))) == protocol


def test_cost_of_constant_fields():
    network = SpinNetwork(3, [(0, 1), (1, 2)], [2.0, -1.0])
    protocol = Protocol(7.0, HOLD, FULL, h=-0.5, J=-0.25)
    cost = protocol.cost(network, FLAT)
    norm = math.sqrt(3 * (1.5**2 + 2.0**2) + (4.0 + 1.0) * 1.0**2)
    assert cost.integral == pytest.approx(7.0 * norm, rel=1e-14)
    assert cost.peak == pytest.approx(norm, rel=1e-14)
    assert cost.matched == pytest.approx(norm, rel=1e-14)
    assert cost.log_scale == pytest.approx(math.log(2.0**1.5), rel=1e-15)


def test_cost_is_the_norm_of_the_matrix():
    from spinbattery import ChargingProblem

    network = SpinNetwork(4, [(0, 1), (1, 2), (0, 3)], [0.5, -1.0, 2.0])
    protocol = cooperative(9.0)
    matrix = ChargingProblem(network, protocol).to_scipy()(6.0).toarray() / (2.0 * math.pi)  # GHz, where g = 1
    cost = protocol.cost(network)
    assert np.linalg.norm(matrix) == pytest.approx(math.exp(cost.log_scale) * cost.matched, rel=1e-13)


@pytest.mark.parametrize("scales", [advantage_system6(), KINKED])
@pytest.mark.parametrize("protocol", [cooperative(20.0), polarised(20.0, J=0.0, s_hold=0.25)])
def test_integrated_cost_against_adaptive_quadrature(protocol, scales):
    network = torus(3, 3)

    def norm(t):
        bx, bz, half_b = (float(c) for c in protocol.fields(t, scales))
        return math.sqrt(9 * (bx**2 + bz**2) + 18 * (protocol.J * half_b) ** 2)

    kinks = np.unique([*protocol.kinks(scales), *(protocol.g.crossings([0.0]) * protocol.duration)])
    integral = sum(quad(norm, a, b, epsabs=0.0, epsrel=1e-11, limit=200)[0] for a, b in itertools.pairwise(kinks))
    cost = protocol.cost(network, scales)
    assert cost.integral == pytest.approx(integral, rel=1e-9)
    sampled = max(norm(t) for t in np.linspace(0.0, 20.0, 4001))
    assert sampled * (1.0 - 1e-12) <= cost.peak <= sampled * (1.0 + 1e-3)


def test_crosstalk_costs_nothing():
    assert cooperative(20.0).cost(ring(5).with_crosstalk(-0.3)) == cooperative(20.0).cost(ring(5))


def test_cost_is_proportional_to_the_duration():
    network = torus(2, 3)
    assert cooperative(60e3).cost(network).integral == pytest.approx(3e3 * cooperative(20.0).cost(network).integral)


def test_the_paper_size_does_not_overflow():
    small, large = ring(10), ring(5612)
    cost = cooperative(20.0).cost(large)
    assert cost.integral / math.sqrt(5612) == pytest.approx(cooperative(20.0).cost(small).integral / math.sqrt(10))
    assert cost.log_scale == pytest.approx(2806 * math.log(2.0))
    assert all(map(math.isfinite, (cost.integral, cost.peak, cost.matched, cost.log_scale)))
    assert cooperative(20.0).local_equivalent(large).h == pytest.approx(-math.sqrt(0.29), rel=1e-14)


@pytest.mark.parametrize(
    ("network", "field"),
    [(torus(3, 3), math.sqrt(0.33)), (ring(2), math.sqrt(0.27)), (complete(15), math.sqrt(0.25 + 7 * 0.04))],
)
def test_the_local_equivalent_matches_the_cost_at_full_gain(network, field):
    protocol = cooperative(20.0)
    local = protocol.local_equivalent(network)
    assert local.J == 0.0
    assert local.h == pytest.approx(-field, rel=1e-14)
    assert (local.s, local.g, local.duration) == (protocol.s, protocol.g, protocol.duration)
    assert local.cost(network).matched == pytest.approx(protocol.cost(network).matched, rel=1e-13)
    assert local.cost(network).integral < 0.9 * protocol.cost(network).integral


def test_the_local_field_on_seven_pairs_a_spin_is_that_of_the_paper():
    assert cooperative(20.0).local_equivalent(complete(15)).h == pytest.approx(-0.73, abs=0.005)


def test_the_local_equivalent_uses_the_largest_gain_and_the_squared_weights():
    network = SpinNetwork(2, [(0, 1)], [3.0])
    g = Waveform(((0.0, 0.0), (0.5, -0.5), (1.0, 0.25)))
    protocol = Protocol(10.0, HOLD, g, h=0.4, J=0.2)
    local = protocol.local_equivalent(network)
    assert local.h == pytest.approx(math.sqrt(0.16 + 4.5 * 0.04 / 0.25), rel=1e-14)
    assert local.cost(network, FLAT).matched == pytest.approx(protocol.cost(network, FLAT).matched, rel=1e-13)


def test_without_gain_there_is_no_local_equivalent():
    with pytest.raises(CostError, match="g is zero throughout"):
        Protocol(10.0, HOLD, ZERO, -0.5, -0.2).local_equivalent(ring(3))


@pytest.mark.parametrize("scales", [None, KINKED])
@pytest.mark.parametrize("h", [-0.5, 0.5, 0.0])
def test_scaling_to_a_cost_changes_the_field_alone(h, scales):
    network, reference = torus(2, 3), cooperative(20.0)
    protocol = polarised(20.0, J=0.0, h=h)
    scaled = protocol.scaled_to_cost(reference, network, scales)
    assert scaled.cost(network, scales).integral == pytest.approx(reference.cost(network, scales).integral, rel=1e-11)
    assert math.copysign(1.0, scaled.h) == (1.0 if h > 0 else -1.0)
    assert (scaled.s, scaled.g, scaled.J, scaled.duration) == (protocol.s, protocol.g, 0.0, 20.0)


def test_scaling_finds_the_field_it_started_from():
    network, protocol = torus(3, 3), cooperative(20.0, h=-3.7)
    assert protocol.scaled_to_cost(protocol, network).h == pytest.approx(-3.7, rel=1e-10)


def test_a_reference_that_is_too_cheap_is_refused_with_the_reason():
    with pytest.raises(CostError, match=r"costs 1\.\d+ times the reference cooperative even at h = 0"):
        polarised(20.0, s_hold=0.25).scaled_to_cost(cooperative(20.0), torus(3, 3))


def test_a_field_that_never_acts_cannot_be_scaled():
    idle = Protocol(20.0, HOLD, ZERO, -0.5, 0.0, name="idle")
    with pytest.raises(CostError, match="idle has g = 0 throughout"):
        idle.scaled_to_cost(cooperative(20.0), torus(3, 3))


def test_the_initial_state_must_fit_the_network():
    from spinbattery import ChargingProblem

    with pytest.raises(InvalidParameterError, match="cooperative: the initial state has 2 angles"):
        ChargingProblem(ring(3), cooperative(20.0, initial=ProductState((0.1, 0.2))))
