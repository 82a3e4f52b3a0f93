"""Charging problems: identity, plain-data form, and Hamiltonians in other libraries' terms."""

from __future__ import annotations

import json
import math
import pickle
import re
import sys
from dataclasses import replace
from functools import reduce

import dimod
import numpy as np
import pytest
import qutip

from spinbattery import (
    ChargingProblem,
    EnergyScales,
    ProductState,
    Protocol,
    SpinNetwork,
    Waveform,
    advantage_system6,
    cooperative,
    polarised,
    ring,
    thermal_magnetization,
    torus,
)
from spinbattery.core.errors import InvalidParameterError, MissingDependencyError
from spinbattery.core.installing import install_extra_command
from spinbattery.core.units import BOLTZMANN_GHZ_PER_KELVIN
from spinbattery.model.noise import Noise
from spinbattery.model.operators import ising_diagonal, magnetization_diagonal
from spinbattery.model.scales import Polynomial

X = np.array([[0.0, 1.0], [1.0, 0.0]])
Z = np.diag([1.0, -1.0])


def weighted(name="weighted"):
    """Four spins with unequal weights and cross-talk on and off the coupled pairs."""
    pairs, weights = [(0, 1), (1, 2), (0, 3)], [1.0, -0.5, 2.0]
    return SpinNetwork(4, pairs, weights, [(0, 1), (2, 3)], [0.05, -0.02], name=name)


def dense_hamiltonian(problem, t):
    """H(t) in GHz from Kronecker products and the equations of the model, pair by pair."""
    network, protocol, n = problem.network, problem.protocol, problem.n_spins
    s, g = float(protocol.s(t / protocol.duration)), float(protocol.g(t / protocol.duration))
    half_a, half_b = 0.5 * float(problem.scales.A(s)), 0.5 * float(problem.scales.B(s))

    def on(placed):
        return reduce(np.kron, [placed.get(k, np.eye(2)) for k in range(n)])

    total = sum(-half_a * on({k: X}) + g * protocol.h * half_b * on({k: Z}) for k in range(n))
    for (j, k), weight in zip(network.pairs, network.weights, strict=True):
        total = total + protocol.J * weight * half_b * on({j: Z, k: Z})
    for (j, k), parasitic in zip(network.crosstalk_pairs, network.crosstalk, strict=True):
        total = total + parasitic * half_b * on({j: Z, k: Z})
    return total


def test_the_hash_is_the_same_on_every_machine():
    assert (
        ChargingProblem(torus(2, 2), cooperative(20.0)).content_hash
        == "ab78fd4436085279be7a9c5a822fe284376f4ea70cb155fc8b45cc7053e75d36"
    )


def test_names_and_drawing_data_do_not_enter_the_hash():
    plain = ChargingProblem(torus(1, 2), cooperative(20.0))
    network = SpinNetwork(2, [(1, 0)], name="pair", positions=[[5.0], [6.0]], labels=("a", "b"))
    scales = EnergyScales("mine", advantage_system6().transverse, advantage_system6().ising)
    dressed = ChargingProblem(network, replace(cooperative(20.0), name="renamed"), scales)
    assert dressed.content_hash == plain.content_hash
    assert dressed == plain
    assert hash(dressed) == hash(plain)


def test_the_order_of_pairs_and_weights_does_not_enter_the_hash():
    one = SpinNetwork(3, [(0, 1), (1, 2)], [1.0, 2.0])
    two = SpinNetwork(3, [(2, 1), (1, 0)], [2.0, 1.0])
    swapped = SpinNetwork(3, [(0, 1), (1, 2)], [2.0, 1.0])
    protocol = cooperative(20.0)
    assert ChargingProblem(one, protocol) == ChargingProblem(two, protocol)
    assert ChargingProblem(one, protocol) != ChargingProblem(swapped, protocol)


@pytest.mark.parametrize(
    "other",
    [
        ChargingProblem(torus(2, 2), cooperative(20.000000000000004)),
        ChargingProblem(torus(2, 2), cooperative(20.0, J=-0.21)),
        ChargingProblem(torus(2, 2), cooperative(20.0, h=0.5)),
        ChargingProblem(torus(2, 2), cooperative(20.0, s_hold=0.36)),
        ChargingProblem(torus(2, 2), polarised(20.0)),
        ChargingProblem(torus(2, 2), cooperative(20.0, initial=ProductState.named("up"))),
        ChargingProblem(torus(1, 4), cooperative(20.0).local_equivalent(torus(1, 4))),
        ChargingProblem(torus(2, 2).with_crosstalk(1e-9), cooperative(20.0)),
        ChargingProblem(torus(2, 2), cooperative(20.0), noise=Noise(x=1e-9)),
        ChargingProblem(
            torus(2, 2), cooperative(20.0), EnergyScales("flat", Polynomial((1.0,)), advantage_system6().ising)
        ),
    ],
)
def test_physics_enters_the_hash(other):
    assert other != ChargingProblem(torus(2, 2), cooperative(20.0))
    assert other.content_hash != ChargingProblem(torus(2, 2), cooperative(20.0)).content_hash


@pytest.mark.parametrize("network", [torus(2, 3), ring(1), weighted(), torus(2, 2).with_crosstalk(-0.01, "all")])
def test_problems_round_trip_through_json(network):
    start = ProductState((0.1,) * network.n_spins, tuple(0.2 * k for k in range(network.n_spins)))
    problem = ChargingProblem(network, polarised(12.5, initial=start))
    back = ChargingProblem.from_dict(json.loads(json.dumps(problem.to_dict())))
    assert back == problem
    assert back.network.name == network.name
    assert back.protocol == problem.protocol
    assert back.scales == problem.scales


@pytest.mark.parametrize(
    "noise",
    [
        Noise(x=(1e-3, 2e-3, 0.0)),
        Noise(y=1e-3, z=2e-3, depolarising=(0.0, 0.0, 1e-3), relaxation=(1e-4, 2e-4, 3e-4), temperature=16.1),
    ],
)
def test_noise_is_part_of_the_problem(noise):
    silent, problem = (
        ChargingProblem(ring(3), cooperative(20.0)),
        ChargingProblem(ring(3), cooperative(20.0), noise=noise),
    )
    assert problem != silent
    assert ChargingProblem.from_dict(json.loads(json.dumps(problem.to_dict()))) == problem
    assert pickle.loads(pickle.dumps(problem)).content_hash == problem.content_hash
    changed = ChargingProblem(ring(3), cooperative(20.0), noise=replace(noise, z=3e-3))
    assert changed != problem


def test_noise_without_rates_is_none():
    silent = ChargingProblem(ring(3), cooperative(20.0))
    assert "noise" not in silent.to_dict()
    for noise in (Noise(), Noise(x=(0.0, 0.0, 0.0))):
        problem = ChargingProblem(ring(3), cooperative(20.0), noise=noise)
        assert problem.noise is None
        assert problem == silent


def test_the_hash_with_noise_is_the_same_on_every_machine():
    problem = ChargingProblem(torus(2, 2), cooperative(20.0), noise=Noise(x=1e-3, relaxation=1e-4, temperature=16.0))
    assert problem.content_hash == "8ccfbbdcb526d2b2ba8c57f95a68c333573c6be4552dc03cf6ab20f98021c2e9"


def test_noise_may_be_its_text_form():
    named, given = (ChargingProblem(ring(3), cooperative(20.0), noise=noise) for noise in ("x:1e-3/ns", Noise(x=1e-3)))
    assert named == given
    assert ChargingProblem(ring(3), cooperative(20.0), noise="none").noise is None


def test_noise_must_be_noise():
    with pytest.raises(InvalidParameterError, match="noise must be text such as x:1e-3/ns"):
        ChargingProblem(ring(3), cooperative(20.0), noise=1e-3)
    with pytest.raises(InvalidParameterError, match="2 rates of y but the network has 3 spins"):
        ChargingProblem(ring(3), cooperative(20.0), noise=Noise(y=(1e-3, 2e-3)))


def test_couplings_merge_weights_and_crosstalk():
    pairs, values = ChargingProblem(weighted(), cooperative(1.0, J=-0.2)).couplings
    assert pairs.tolist() == [[0, 1], [0, 3], [1, 2], [2, 3]]
    np.testing.assert_allclose(values, [-0.2 + 0.05, -0.4, 0.1, -0.02], rtol=1e-14)


def test_a_problem_is_local_only_where_nothing_couples():
    local = cooperative(20.0, J=0.0)
    assert ChargingProblem(torus(3, 3), local).is_local
    assert ChargingProblem(ring(1), cooperative(20.0)).is_local
    assert ChargingProblem(SpinNetwork(2, [(0, 1)], [0.0]), cooperative(20.0)).is_local
    assert not ChargingProblem(torus(3, 3), cooperative(20.0)).is_local
    assert not ChargingProblem(torus(3, 3).with_crosstalk(1e-6), local).is_local


@pytest.mark.parametrize("t", [0.0, 2.0, 3.3, 4.0, 5.1, 6.0])
def test_scipy_hamiltonian_against_kronecker_products(t):
    problem = ChargingProblem(weighted(), polarised(6.0))
    np.testing.assert_allclose(
        problem.to_scipy()(t).toarray(), 2.0 * math.pi * dense_hamiltonian(problem, t), rtol=0, atol=1e-12
    )


@pytest.mark.parametrize("t", [0.0, 3.3, 5.1, 6.0])
def test_qutip_hamiltonian_against_tensor_products_of_paulis(t):
    problem = ChargingProblem(weighted(), cooperative(6.0))
    n, protocol = 4, problem.protocol
    s, g = float(protocol.s(t / 6.0)), float(protocol.g(t / 6.0))
    half_a, half_b = 0.5 * float(problem.scales.A(s)), 0.5 * float(problem.scales.B(s))

    def on(operator, *spins):
        return qutip.tensor([operator if k in spins else qutip.qeye(2) for k in range(n)])

    expected = sum(-half_a * on(qutip.sigmax(), k) + g * protocol.h * half_b * on(qutip.sigmaz(), k) for k in range(n))
    couplings = {(0, 1): -0.2 + 0.05, (1, 2): 0.1, (0, 3): -0.4, (2, 3): -0.02}
    expected += sum(c * half_b * on(qutip.sigmaz(), *pair) for pair, c in couplings.items())
    hamiltonian = problem.to_qobjevo()(t)
    assert hamiltonian.dims == expected.dims
    np.testing.assert_allclose(hamiltonian.full(), 2.0 * math.pi * expected.full(), rtol=0, atol=1e-12)


def held(duration, theta, noise, *, s=1.0, h=-0.5):
    """One spin in constant fields, from an angle theta in the plane of x and z."""
    flat = Waveform(((0.0, s), (1.0, s)))
    protocol = Protocol(duration, flat, Waveform(((0.0, 1.0), (1.0, 1.0))), h, 0.0, ProductState(theta, 0.0))
    return ChargingProblem(ring(1), protocol, noise=noise)


def bloch(problem, times):
    """<sx>, <sy>, <sz> in time from what to_qutip gives, shape (3, T)."""
    hamiltonian, jumps, initial = problem.to_qutip()
    pauli = [qutip.sigmax(), qutip.sigmay(), qutip.sigmaz()]
    options = {"method": "vern9", "atol": 1e-12, "rtol": 1e-10, "progress_bar": ""}
    return np.array(qutip.mesolve(hamiltonian, initial, times, jumps, e_ops=pauli, options=options).expect)


@pytest.mark.parametrize(
    ("noise", "transverse", "longitudinal"),
    [
        (Noise(z=0.05), 0.1, 0.0),
        (Noise(depolarising=0.05), 0.05, 0.05),
        (Noise(x=0.02, y=0.02), 0.04, 0.08),
        (Noise(x=0.01, y=0.01, z=0.02, depolarising=0.03), 0.09, 0.07),
    ],
)
def test_bloch_vectors_of_a_noisy_spin_decay_and_turn(noise, transverse, longitudinal):
    times = np.linspace(0.0, 10.0, 6)
    problem = held(10.0, 1.0, noise)
    bx, bz, _ = (float(field) for field in problem.fields(0.0))
    assert abs(bx) < 1e-8  # s = 1: the field is along z
    x, y, z = bloch(problem, times)
    turn, decay = 4.0 * math.pi * bz * times, np.exp(-transverse * times)
    np.testing.assert_allclose(x, math.sin(1.0) * decay * np.cos(turn), atol=1e-6)
    np.testing.assert_allclose(y, math.sin(1.0) * decay * np.sin(turn), atol=1e-6)
    np.testing.assert_allclose(z, math.cos(1.0) * np.exp(-longitudinal * times), atol=1e-6)


@pytest.mark.parametrize(("kind", "kept"), [("x", 0), ("y", 1), ("z", 2)])
def test_each_pauli_keeps_its_own_axis(kind, kept):
    jumps = ChargingProblem(ring(1), cooperative(1.0), noise=Noise(**{kind: 0.25})).to_qutip().collapse_operators
    assert len(jumps) == 1
    pauli = (qutip.sigmax(), qutip.sigmay(), qutip.sigmaz())[kept]
    np.testing.assert_allclose(jumps[0].full(), 0.5 * pauli.full(), atol=1e-15)


@pytest.mark.parametrize(("s", "h"), [(0.35, -0.5), (0.3, 0.8), (1.0, -0.2)])
def test_relaxation_leads_to_thermal_equilibrium_at_t1_and_t2(s, h):
    rate, temperature = 1.2, 100.0
    problem = held(20.0, 0.7, Noise(relaxation=rate, temperature=temperature), s=s, h=h)
    bx, bz, _ = (float(field) for field in problem.fields(0.0))
    kt = 1e-3 * temperature * BOLTZMANN_GHZ_PER_KELVIN
    energy, times = math.hypot(bx, bz), np.linspace(0.0, 20.0, 7)
    r = bloch(problem, times)
    axis = np.array([bx, 0.0, bz]) / energy
    along, end = axis @ r, -math.tanh(energy / kt)
    np.testing.assert_allclose(along, end + (along[0] - end) * np.exp(-rate * times), atol=1e-6)
    across = np.linalg.norm(r - np.outer(axis, along), axis=0)
    np.testing.assert_allclose(across, across[0] * np.exp(-0.5 * rate * times), atol=1e-6)
    assert r[2, -1] == pytest.approx(thermal_magnetization(bx, bz, kt), abs=1e-5)


def test_collapse_operators_stand_on_their_own_spins():
    noise = Noise(x=(0.0, 0.04, 0.0), z=(0.09, 0.0, 0.0), relaxation=(0.0, 0.0, 0.5), temperature=20.0)
    problem = ChargingProblem(ring(3), cooperative(9.0), noise=noise)
    jumps = problem.to_qutip().collapse_operators
    one = qutip.qeye(2)
    assert len(jumps) == 4
    np.testing.assert_allclose(jumps[0].full(), 0.2 * qutip.tensor(one, qutip.sigmax(), one).full(), atol=1e-15)
    np.testing.assert_allclose(jumps[1].full(), 0.3 * qutip.tensor(qutip.sigmaz(), one, one).full(), atol=1e-15)
    for t in (0.5, 4.0, 7.7):
        bx, bz, _ = (float(field) for field in problem.fields(t))
        energy, states = (bx * qutip.sigmax() + bz * qutip.sigmaz()).eigenstates()
        q = math.tanh(energy[1] / (0.02 * BOLTZMANN_GHZ_PER_KELVIN))
        low, high = states
        for jump, rate, (to, before) in zip(
            jumps[2:], (0.25 * (1 + q), 0.25 * (1 - q)), ((low, high), (high, low)), strict=True
        ):
            expected = math.sqrt(rate) * qutip.tensor(one, one, to * before.dag()).full()
            found = jump(t).full()  # up to a phase, which no density matrix knows
            phase = np.vdot(expected, found)
            np.testing.assert_allclose(found * abs(phase), expected * phase, atol=1e-12)


def test_what_qutip_is_given_starts_in_the_product_state_and_can_be_sent_to_workers():
    start = ProductState((0.3, 1.0), (0.2, 2.0))
    noise = Noise(y=0.1, relaxation=0.1, temperature=50.0)
    given = ChargingProblem(ring(2), cooperative(6.0, initial=start), noise=noise).to_qutip()
    sent = pickle.loads(pickle.dumps(given))
    for theirs, ours in zip(sent.collapse_operators, given.collapse_operators, strict=True):
        np.testing.assert_allclose(qutip.QobjEvo(theirs)(3.3).full(), qutip.QobjEvo(ours)(3.3).full())
    np.testing.assert_allclose(sent.hamiltonian(3.3).full(), given.hamiltonian(3.3).full())
    expected = [math.cos(0.15), np.exp(0.2j) * math.sin(0.15)], [math.cos(0.5), np.exp(2.0j) * math.sin(0.5)]
    np.testing.assert_allclose(given.initial.full().ravel(), np.kron(*expected), atol=1e-15)
    assert given.initial.dims == qutip.basis([2, 2], [0, 0]).dims


def test_without_noise_there_is_nothing_to_collapse():
    given = ChargingProblem(ring(2), cooperative(6.0)).to_qutip()
    assert given.collapse_operators == []
    assert given.initial == qutip.basis([2, 2], [1, 1])


def test_large_matrices_are_refused_before_they_are_built():
    problem = ChargingProblem(ring(21), cooperative(20.0))
    for build in (problem.to_scipy, problem.to_qobjevo):
        with pytest.raises(InvalidParameterError, match="limited to N = 20, but N is 21"):
            build()
    with pytest.raises(InvalidParameterError, match=r"to_qutip builds .* limited to N = 16, but N is 17"):
        ChargingProblem(ring(17), cooperative(20.0)).to_qutip()


def test_bqm_energies_of_every_state():
    problem = ChargingProblem(weighted(), cooperative(20.0, J=-0.3, h=-0.7))
    bqm = problem.to_bqm()
    assert bqm.vartype is dimod.SPIN
    network = problem.network
    diagonal = ising_diagonal(4, network.pairs, -0.3 * network.weights) - 0.7 * magnetization_diagonal(4)
    index = np.arange(16)
    spins = 1 - 2 * ((index[:, None] >> np.arange(3, -1, -1)) & 1)  # spin 0 is the most significant bit, 0 is up
    np.testing.assert_allclose(bqm.energies((spins, range(4))), diagonal, rtol=0, atol=1e-14)


def test_bqm_ground_state_is_the_charged_battery():
    bqm = ChargingProblem(torus(2, 3), cooperative(20.0)).to_bqm()
    best = dimod.ExactSolver().sample(bqm).first
    assert set(best.sample.values()) == {1}
    assert best.energy == pytest.approx(-0.5 * 6 - 0.2 * 9)


def test_crosstalk_is_not_programmed():
    protocol = cooperative(20.0)
    near = ChargingProblem(torus(2, 2).with_crosstalk(-0.1), protocol).to_bqm()
    assert near == ChargingProblem(torus(2, 2), protocol).to_bqm()


def test_a_missing_library_is_named_with_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "qutip", None)  # makes the import fail
    with pytest.raises(MissingDependencyError, match=re.escape(install_extra_command("qutip"))):
        ChargingProblem(torus(1, 2), cooperative(20.0)).to_qobjevo()
    with pytest.raises(MissingDependencyError, match="to_qutip needs QuTiP"):
        ChargingProblem(torus(1, 2), cooperative(20.0)).to_qutip()
