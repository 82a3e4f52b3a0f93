"""Noise: rates, their text form and identity, and what engines are given."""

from __future__ import annotations

import math
import pickle
import re

import numpy as np
import pytest

from spinbattery import (
    ChargingProblem,
    EnergyScales,
    Lindblad,
    ProductState,
    Protocol,
    Waveform,
    cooperative,
    ring,
    thermal_magnetization,
)
from spinbattery.core.errors import EngineError, InvalidParameterError
from spinbattery.core.units import BOLTZMANN_GHZ_PER_KELVIN
from spinbattery.engines.dense.statevector import Statevector
from spinbattery.model.noise import Noise, as_noise, parse_noise
from spinbattery.model.scales import Polynomial

FLAT = Waveform(((0.0, 1.0), (1.0, 1.0)))
EVERY = Noise(x=1e-3, y=(0.0, 2e-3), z=3e-3, depolarising=4e-3, relaxation=(5e-3, 6e-3), temperature=16.5)


@pytest.mark.parametrize(
    ("text", "noise"),
    [
        ("x:1e-3/ns", Noise(x=1e-3)),
        ("3.5kHz", Noise(x=3.5e-6)),
        ("1.3/us", Noise(x=1.3e-3)),
        (" y : 2.6 /µs ", Noise(y=2.6e-3)),
        ("z:4.2/μs", Noise(z=4.2e-3)),
        ("z:0.9MHz", Noise(z=0.9e-3)),
        ("x:1e+3/s+z:5e-2GHz", Noise(x=1e-6, z=0.05)),
        ("x:1e-2/ps", Noise(x=10.0)),
        ("x:700Hz + y:2/ms", Noise(x=7e-7, y=2e-6)),
        ("depolarising:1e-3/ns", Noise(depolarising=1e-3)),
        ("relaxation:1e-4/ns@16mK", Noise(relaxation=1e-4, temperature=16.0)),
        ("relaxation:1e-4/ns@0.0161K+x:1/us", Noise(x=1e-3, relaxation=1e-4, temperature=16.1)),
        ("x:1e-3/ns;2e-3/ns;0/ns", Noise(x=(1e-3, 2e-3, 0.0))),
        ("x:2/us;2e-3/ns", Noise(x=2e-3)),
    ],
)
def test_text_forms(text, noise):
    assert parse_noise(text) == noise
    assert as_noise(text) == noise
    assert parse_noise(str(noise)) == noise


def test_the_text_form_keeps_every_digit():
    rates = tuple(np.random.default_rng(1).random(5) * 10.0 ** np.arange(-30, 20, 10))
    noise = Noise(x=rates, relaxation=1e22 / 3.0, temperature=1.0 / 3.0)
    assert parse_noise(str(noise)) == noise
    assert str(EVERY) == (
        "x:0.001/ns+y:0/ns;0.002/ns+z:0.003/ns+depolarising:0.004/ns+relaxation:0.005/ns;0.006/ns@16.5mK"
    )


def test_no_noise():
    assert not Noise()
    assert not Noise(x=[0.0, 0.0])
    assert Noise(z=(0.0, 1e-9))
    assert str(Noise()) == "none"
    assert as_noise("none") is None
    assert as_noise(None) is None
    assert as_noise(EVERY) is EVERY


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x:1e-3", "has no unit; write it as 1e-3/ns or 3.5kHz"),
        ("x:1e-3ns", "the unit 'ns', which does not fit"),
        ("x:3mK", "the unit 'mK'"),
        ("x:1e-3/ns/2", "the unit '/ns/2'"),
        ("x:1e-3/ns,z:1e-3/ns", r"joined by \+, rates of single spins by a semicolon"),
        ("x:1e-3/ns;", "must be a number with a unit"),
        ("x:fast", "must be a number with a unit"),
        ("x:", "must be a number with a unit"),
        ("", "noise must be text such as x:1e-3/ns, z:3.5kHz, .* but is ''"),
        ("  ", "noise must be text such as x:1e-3/ns"),
        ("banana", "noise must be text such as x:1e-3/ns, .* but is 'banana'"),
        ("x:1e-3/ns+fast", r"noise must be text such as .* but has 'fast' in 'x:1e-3/ns\+fast'"),
        ("-fast", "x must be a number with a unit"),
        ("x:1.2.3/ns", "does not begin with a number"),
        ("x:1e400/ns", "finite"),
        ("x:1e99999999999999999999/ns", "number"),
        ("x:-1e-3/ns", "must not be negative"),
        ("x:1e-3/ns;-1kHz", "must not be negative"),
        ("w:1e-3/ns", "unknown noise 'w'; there are x, y, z, depolarising, relaxation"),
        ("depolarizing:1e-3/ns", "Did you mean 'depolarising'"),
        ("x:1e-3/ns+x:1e-3/ns", "gives x twice"),
        ("x:1e-3/ns@16mK", "only relaxation has a temperature"),
        ("relaxation:1e-4/ns", "relaxation needs a temperature"),
        ("relaxation:1e-4/ns@", "temperature must be a number with a unit"),
        ("relaxation:1e-4/ns@16", "has no unit; write it as 16mK or 0.016K"),
        ("relaxation:1e-4/ns@16kHz", "the unit 'kHz'"),
        ("relaxation:1e-4/ns@0mK", "temperature must be above zero"),
        ("relaxation:1e-4/ns@-1K", "temperature must be above zero"),
    ],
)
def test_texts_that_are_no_noise(text, message):
    with pytest.raises(InvalidParameterError, match=message):
        parse_noise(text)


def test_only_text_is_parsed():
    with pytest.raises(InvalidParameterError, match="must be text such as x:1e-3/ns"):
        as_noise(1e-3)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"x": -1e-3}, "the rate of x is -0.001/ns; rates must not be negative"),
        ({"y": (1e-3, -1e-3)}, "the rate of y is -0.001/ns"),
        ({"z": math.nan}, "the rate of z must be finite"),
        ({"z": math.inf}, "the rate of z must be finite"),
        ({"x": "1e-3/ns"}, "texts with units are read by parse_noise"),
        ({"x": ("1e-3/ns",)}, "texts with units are read by parse_noise"),
        ({"x": None}, "must be a real number"),
        ({"x": True}, "must be a real number"),
        ({"x": ()}, "the rates of x are empty"),
        ({"x": np.ones((2, 2))}, "must be a real number"),
        ({"x": [[1.0], [1.0, 2.0]]}, "must be a real number"),
        ({"relaxation": 1e-3}, "relaxation needs a temperature"),
        ({"temperature": 16.0}, "a temperature belongs to relaxation"),
        ({"x": 1e-3, "temperature": 16.0}, "a temperature belongs to relaxation"),
        ({"relaxation": 1e-3, "temperature": 0.0}, "temperature must be above zero"),
        ({"relaxation": 1e-3, "temperature": "cold"}, "temperature must be a real number"),
    ],
)
def test_rates_that_are_refused(given, message):
    with pytest.raises(InvalidParameterError, match=message):
        Noise(**given)


def test_equal_rates_are_one_noise_however_they_were_given():
    for given in (1e-3, np.float64(1e-3), np.array(1e-3), [1e-3] * 3, np.full(3, 1e-3), (1e-3,)):
        noise = Noise(x=given)
        assert noise == Noise(x=1e-3)
        assert hash(noise) == hash(Noise(x=1e-3))
        assert not noise.per_spin
    assert Noise(x=(0.0, 1e-3)).per_spin


@pytest.mark.parametrize("kind", ["x", "y", "z", "depolarising", "relaxation"])
@pytest.mark.parametrize("rates", [(1e-3, 2e-3), (1e-3, 1e-3), (0.0, 0.0)])
def test_rates_for_another_number_of_spins(kind, rates):
    given = {kind: rates} | ({"temperature": 16.0} if kind == "relaxation" and any(rates) else {})
    with pytest.raises(InvalidParameterError, match=rf"2 rates of {kind} but the network has 3 spins; give one rate"):
        ChargingProblem(ring(3), cooperative(10.0), noise=Noise(**given))
    assert ChargingProblem(ring(2), cooperative(10.0), noise=Noise(**given)).n_spins == 2


def test_noise_goes_through_plain_data_and_to_workers():
    for noise in (EVERY, Noise(), Noise(x=1e-3), Noise(relaxation=1e-3, temperature=1.0)):
        assert Noise.from_dict(noise.to_dict()) == noise
        assert pickle.loads(pickle.dumps(noise)) == noise
    assert Noise(x=1e-3).to_dict() == {"x": 1e-3}
    assert EVERY.to_dict()["y"] == [0.0, 2e-3]


def test_depolarising_noise_is_a_quarter_of_each_pauli():
    np.testing.assert_allclose(EVERY.pauli_rates(2), [[2e-3, 2e-3], [1e-3, 3e-3], [4e-3, 4e-3]], rtol=1e-14)
    np.testing.assert_allclose(EVERY.relaxation_rates(2), [5e-3, 6e-3])
    assert Noise(z=1e-3).pauli_rates(3).tolist() == [[0.0] * 3, [0.0] * 3, [1e-3] * 3]
    assert not Noise(z=1e-3).relaxation_rates(3).any()
    with pytest.raises(ValueError, match="read-only"):
        EVERY.pauli_rates(2)[0, 0] = 1.0


def test_equilibrium_is_that_of_a_spin_in_its_field():
    noise = Noise(relaxation=1e-3, temperature=50.0)
    kt = 0.05 * BOLTZMANN_GHZ_PER_KELVIN
    bx, bz = np.array([0.0, -1.0, 0.5, 0.0, 0.0]), np.array([1.0, 0.0, -0.3, -2.0, 0.0])
    nx, nz, q = noise.equilibrium(bx, bz)
    np.testing.assert_allclose(nx**2 + nz**2, 1.0)
    np.testing.assert_allclose(np.hypot(bx, bz) * nx, bx, atol=1e-15)
    expected = [thermal_magnetization(x, z, kt) for x, z in zip(bx, bz, strict=True)]
    np.testing.assert_allclose(-q * nz, expected, rtol=1e-13, atol=1e-16)
    # populations of two levels 2 E apart: detailed balance
    energy = math.hypot(0.5, 0.3)
    assert (1.0 - q[2]) / (1.0 + q[2]) == pytest.approx(math.exp(-2.0 * energy / kt))
    assert [float(value) for value in noise.equilibrium(0.0, 0.0)] == [0.0, 1.0, 0.0]


def test_an_engine_without_noise_names_those_that_take_it():
    problem = ChargingProblem(ring(3), cooperative(10.0), noise=Noise(x=1e-3))
    with pytest.raises(EngineError, match=r"not support noise \(x:0.001/ns\); engines with noise: lindblad"):
        Statevector().run(problem)


@pytest.mark.parametrize(
    ("names", "remedy"),
    [
        (
            ("dephasing", "pure-dephasing", "Tphi", "T_phi", "phase damping"),
            r"Dephasing is z: .*1/\(2 T_phi\), as in z:5e-4/ns for T_phi = 1 us",
        ),
        (("T1", "thermal", "amplitude-damping", "decay", "relax"), r"has the rate 1/T1 .*in relaxation:5e-5/ns@16mK"),
        (("T2", "t2*", "decoherence"), r"1/T2 = 1/\(2 T1\) \+ 1/T_phi"),
        (("bit-flip", "spin_flip", "sx"), "Flips by sx are x"),
        (("phase-flip", "sz"), "by sz, are z"),
        (("xy", "yx"), r"as in x:1e-3/ns\+y:1e-3/ns\."),
        (("XYZ",), r"as in x:1e-3/ns\+y:1e-3/ns\+z:1e-3/ns\."),
        (("bit-phase-flip",), "by sy, are y"),
        (("X", "Relaxation", "depolarising noise"), "Did you mean '(x|relaxation|depolarising)'"),
    ],
)  # fmt: skip
def test_other_names_of_noise_are_explained_and_not_mistaken(names, remedy):
    for name in names:
        message = f"{re.escape(repr(name))}; .*{remedy}"
        with pytest.raises(InvalidParameterError, match=message) as caught:
            parse_noise(f"{name}:1e-3/ns")
        if "Did you mean" not in remedy:
            assert "Did you mean" not in str(caught.value)


def test_the_rates_that_the_hints_name_are_right():
    """Coherences of z:5e-4/ns live T_phi = 1 us, and relaxation:5e-5/ns has T1 = 20 us."""
    no_field = Protocol(1000.0, FLAT, FLAT, 0.0, 0.0, initial=ProductState((0.5 * np.pi,)))
    scales = EnergyScales("off", Polynomial((0.0,)), Polynomial((0.0,)))
    problem = ChargingProblem(ring(1), no_field, scales, parse_noise("z:5e-4/ns"))
    assert 2.0 * Lindblad().run(problem).purity - 1.0 == pytest.approx(np.exp(-2.0), rel=1e-6)
    held = Protocol(1000.0, FLAT, FLAT, 1.0, 0.0, initial="up")
    strong = EnergyScales("field", Polynomial((0.0,)), Polynomial((10.0,)))
    problem = ChargingProblem(ring(1), held, strong, parse_noise("relaxation:5e-5/ns@16mK"))
    mu = Lindblad().run(problem).magnetization
    assert mu == pytest.approx(2.0 * np.exp(-1000.0 / 20_000.0) - 1.0, abs=1e-6)
