"""What holds for every network, protocol and product start."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import spinbattery as sb
from spinbattery.model.scales import LinearTable

LOOSE, TIGHT = 1e-4, 1e-9

couplings = st.floats(-1.0, 1.0)


@st.composite
def networks(draw):
    """A torus, or a random weighted graph with or without cross-talk, of at most five spins."""
    if draw(st.booleans()):
        return sb.torus(*draw(st.sampled_from([(1, 1), (1, 2), (1, 3), (2, 2), (1, 5)])))
    n = draw(st.integers(1, 5))
    every = list(itertools.combinations(range(n), 2))
    pairs = [pair for pair in every if draw(st.booleans())]
    weights = [draw(st.floats(-2.0, 2.0)) for _ in pairs]
    network = sb.SpinNetwork(n, pairs, weights)
    return network.with_crosstalk(draw(st.floats(-0.1, 0.1)), "all") if draw(st.booleans()) else network


@st.composite
def starts(draw, n):
    angles = st.floats(0.0, math.pi)
    if draw(st.booleans()):
        return sb.ProductState.named(draw(st.sampled_from(["down", "up"])))
    azimuths = st.floats(-math.pi, math.pi)
    return sb.ProductState(tuple(draw(angles) for _ in range(n)), tuple(draw(azimuths) for _ in range(n)))


@st.composite
def cases(draw):
    """A network, and a protocol that fits it."""
    network = draw(networks())
    make = draw(st.sampled_from([sb.cooperative, sb.polarised]))
    protocol = make(
        draw(st.floats(0.5, 10.0)),
        draw(couplings),
        draw(couplings),
        draw(st.floats(0.0, 1.0)),
        initial=draw(starts(network.n_spins)),
    )
    return network, protocol


def measured_table():
    """Two hundred rows with one percent of noise on A."""
    rng = np.random.default_rng(3)
    s, smooth = np.linspace(0.0, 1.0, 201), sb.advantage_system6()
    measured = smooth.A(s) * (1.0 + 0.01 * rng.normal(size=s.size))
    return sb.EnergyScales(
        "measured", LinearTable(tuple(s), tuple(measured)), LinearTable(tuple(s), tuple(smooth.B(s)))
    )


@given(cases())
def test_every_run_is_a_normalised_state_with_possible_moments(case):
    network, protocol = case
    times = np.linspace(0.0, protocol.duration, 4)
    record = sb.charge(network, protocol, tolerance=1e-6, times=times)
    data, n = record.dataset, network.n_spins
    assert float(data["norm_error"]) < 2e-8  # series end at a hundredth of the tolerance
    p = data["distribution"].values
    assert p.shape == (n + 1,)
    assert (p >= 0.0).all()
    assert p.sum() == pytest.approx(1.0, abs=1e-12)
    mu = record.magnetization
    assert abs(mu) <= 1.0 + 1e-15
    assert 0.0 <= record.std <= 1.0 + 1e-12
    assert record.variance <= (1.0 - mu) * (1.0 + mu) + 1e-12  # Bhatia-Davis
    assert data["spin_magnetization"].values.mean() == pytest.approx(mu, abs=1e-12)
    assert p @ data["sz_total"].values / n == pytest.approx(mu, abs=1e-12)
    assert (np.abs(data["magnetization_t"]) <= 1.0 + 1e-12).all()
    assert data["magnetization_t"].values[-1] == pytest.approx(mu, abs=1e-14)
    start = np.cos(protocol.initial.angles(n)[0]).mean()
    assert data["magnetization_t"].values[0] == pytest.approx(start, abs=1e-12)
    assert record.error_estimate <= 1e-6


@pytest.mark.parametrize("scales", [sb.advantage_system6(), measured_table()], ids=["smooth", "table"])
@given(case=cases())
def test_the_promised_tolerance_is_kept(scales, case):
    network, protocol = case
    times = np.linspace(0.0, protocol.duration, 4)
    loose = sb.charge(network, protocol, scales=scales, tolerance=LOOSE, times=times)
    tight = sb.charge(network, protocol, scales=scales, tolerance=TIGHT, times=times)
    assert abs(loose.magnetization - tight.magnetization) < LOOSE
    np.testing.assert_allclose(loose.dataset["magnetization_t"], tight.dataset["magnetization_t"], rtol=0, atol=LOOSE)
    np.testing.assert_allclose(loose.dataset["std_t"] ** 2, tight.dataset["std_t"] ** 2, rtol=0, atol=LOOSE)
    if tight.precision is not None:
        assert loose.precision == pytest.approx(tight.precision, rel=LOOSE)
    assert loose.error_estimate <= LOOSE
    assert tight.error_estimate <= TIGHT


@given(cases())
def test_reversing_every_spin_and_the_field_reverses_the_magnetization(case):
    network, protocol = case
    theta, phi = protocol.initial.angles(network.n_spins)
    mirrored = sb.Protocol(
        protocol.duration,
        protocol.s,
        protocol.g,
        -protocol.h,
        protocol.J,
        sb.ProductState(tuple(math.pi - theta), tuple(-phi)),  # sx on every spin, up to a phase
    )
    one = sb.charge(network, protocol, tolerance=TIGHT)
    two = sb.charge(network, mirrored, tolerance=TIGHT)
    assert two.magnetization == pytest.approx(-one.magnetization, abs=1e-8)
    np.testing.assert_allclose(two.dataset["distribution"], one.dataset["distribution"][::-1], rtol=0, atol=1e-7)
    np.testing.assert_allclose(two.dataset["spin_magnetization"], -one.dataset["spin_magnetization"], atol=1e-7)


@given(st.floats(0.5, 10.0), couplings, couplings, st.floats(0.0, 1.0))
def test_the_charged_battery_discharges_as_the_discharged_one_charges(duration, J, h, s_hold):
    network = sb.torus(2, 2)
    down = sb.charge(network, sb.cooperative(duration, J, h, s_hold), tolerance=TIGHT)
    up = sb.charge(
        network, sb.cooperative(duration, J, -h, s_hold, initial=sb.ProductState.named("up")), tolerance=TIGHT
    )
    assert up.magnetization == pytest.approx(-down.magnetization, abs=1e-8)


@given(st.permutations(range(5)), st.floats(0.5, 5.0), couplings, couplings)
def test_renumbering_the_spins_renumbers_the_result(order, duration, J, h):
    pairs, weights = [(0, 1), (1, 2), (0, 3), (3, 4)], [1.0, -0.5, 2.0, 0.7]
    start = sb.ProductState((0.1, 0.8, 1.5, 2.2, 3.0), (0.0, 1.0, 2.0, 3.0, 4.0))
    renumbered_start = [0] * 5
    for k, new in enumerate(order):
        renumbered_start[new] = k
    moved = sb.ProductState(
        tuple(start.theta[k] for k in renumbered_start), tuple(start.phi[k] for k in renumbered_start)
    )
    one = sb.charge(sb.SpinNetwork(5, pairs, weights), sb.cooperative(duration, J, h, initial=start), tolerance=TIGHT)
    two = sb.charge(
        sb.SpinNetwork(5, [(order[j], order[k]) for j, k in pairs], weights),
        sb.cooperative(duration, J, h, initial=moved),
        tolerance=TIGHT,
    )
    np.testing.assert_allclose(
        two.dataset["spin_magnetization"].values[list(order)], one.dataset["spin_magnetization"], rtol=0, atol=1e-8
    )


@settings(max_examples=10)
@given(st.floats(-1.0, 1.0), st.floats(-1.0, 1.0))
def test_energy_is_conserved_while_the_fields_are_constant(J, h):
    constant = sb.Waveform(((0.0, 0.4), (1.0, 0.4)))
    protocol = sb.Protocol(3.0, constant, sb.Waveform(((0.0, 1.0), (1.0, 1.0))), h, J, sb.ProductState(0.7, 0.4))
    energy = sb.charge(sb.torus(2, 2), protocol, tolerance=TIGHT, times=np.linspace(0.0, 3.0, 7)).dataset["energy_t"]
    np.testing.assert_allclose(energy, energy[0], rtol=0, atol=1e-6)
