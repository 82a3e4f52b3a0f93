"""Charging problems: identity, plain-data form, and Hamiltonians in other libraries' terms."""

from __future__ import annotations

import json
import math
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
    SpinNetwork,
    advantage_system6,
    cooperative,
    polarised,
    ring,
    torus,
)
from spinbattery.errors import InvalidParameterError, MissingDependencyError
from spinbattery.operators import ising_diagonal, magnetization_diagonal
from spinbattery.scales import Polynomial

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


def test_large_matrices_are_refused_before_they_are_built():
    problem = ChargingProblem(ring(21), cooperative(20.0))
    for build in (problem.to_scipy, problem.to_qobjevo):
        with pytest.raises(InvalidParameterError, match="limited to N = 20, but N is 21"):
            build()


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
    with pytest.raises(MissingDependencyError, match=r"install spinbattery\[qutip\]"):
        ChargingProblem(torus(1, 2), cooperative(20.0)).to_qobjevo()
