"""The tensor engine against exact engines."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import spinbattery as sb

PROTOCOL = sb.cooperative(20.0)


def exact(network, protocol=PROTOCOL):
    return sb.charge(network, protocol, tolerance=1e-8)


@pytest.mark.parametrize("shape", ["tree", "chain"])
def test_full_rank_is_exact(shape):
    network = sb.torus(2, 3)
    reference = exact(network)
    engine = sb.TensorNetwork(1e-7, 8, shape=shape, steps=600, single=False)
    found = engine.run(sb.ChargingProblem(network, PROTOCOL))
    assert abs(found.magnetization - reference.magnetization) < 1e-6
    assert abs(found.std - reference.std) < 1e-6
    assert np.abs(found.dataset["distribution"] - reference.dataset["distribution"]).max() < 1e-6


@pytest.mark.parametrize(("magnus", "order", "steps"), [("CF2", 2, (150, 300, 600)), ("CF4", 4, (170, 340))])
def test_order_in_the_step(magnus, order, steps):
    network = sb.torus(2, 3)
    reference = exact(network)
    errors = []
    for number in steps:
        engine = sb.TensorNetwork(1e-7, 8, magnus=magnus, steps=number, single=False)
        found = engine.run(sb.ChargingProblem(network, PROTOCOL))
        errors.append((abs(found.magnetization - reference.magnetization), abs(found.std - reference.std)))
    ratios = np.log2(np.array(errors[:-1]) / np.array(errors[1:]))
    assert ratios == pytest.approx(order, abs=0.35)


@settings(max_examples=8)
@given(st.integers(0, 10**6))
def test_any_weighted_graph(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 8))
    pairs = np.array([pair for pair in np.ndindex(n, n) if pair[0] < pair[1] and rng.random() < 0.7]).reshape(-1, 2)
    start = sb.ProductState(tuple(rng.uniform(0.0, 3.0, n)), tuple(rng.uniform(0.0, 6.0, n)))
    protocol = sb.Protocol(
        6.0,
        sb.Waveform(((0.0, 1.0), (0.5, 0.3), (1.0, 1.0))),
        sb.Waveform(((0.0, 1.0), (1.0, 1.0))),
        h=-0.4,
        J=-0.3,
        initial=start,
    )
    network = sb.SpinNetwork(n, pairs, rng.normal(size=len(pairs)))
    if not len(pairs):
        network = sb.SpinNetwork(n, [(0, 1)], [0.5])
    problem = sb.ChargingProblem(network, protocol)
    full = sb.Statevector(1e-8).run(problem, [2.0])
    engine = sb.TensorNetwork(1e-5, 16, shape=str(rng.choice(["tree", "chain"])), steps=60)
    found = engine.run(problem, [2.0])
    for name in ("magnetization", "std", "spin_magnetization", "magnetization_t", "std_t", "energy_t"):
        assert np.abs(found.dataset[name] - full.dataset[name]).max() < 2e-4, name


@pytest.mark.slow
def test_a_product_start_is_no_trap():
    """A tree that starts with links of dimension one cannot grow them: mu would be 0.689 and look converged."""
    network = sb.torus(4, 4)
    found = sb.TensorNetwork(bond_dimension=20).run(sb.ChargingProblem(network, PROTOCOL))
    assert abs(found.magnetization - exact(network).magnetization) < 5e-3
    grown = sb.TensorNetwork(bond_dimension=20, expansion=2, steps=75).run(sb.ChargingProblem(network, PROTOCOL))
    assert grown.discretisation["largest_dimension"] == 20
    assert abs(grown.magnetization - exact(network).magnetization) < 1e-2


def test_single_precision_agrees():
    problem = sb.ChargingProblem(sb.torus(3, 4), PROTOCOL)
    double, single = (sb.TensorNetwork(bond_dimension=16, single=single).run(problem) for single in (False, True))
    assert 0.0 < abs(double.magnetization - single.magnetization) < 1e-3


@pytest.mark.slow
@pytest.mark.parametrize(
    ("network", "s_hold", "duration", "bonds"),
    [
        (sb.torus(3, 4), 0.35, 6.0, (6, 8, 12)),
        (sb.torus(3, 4), 0.35, 6.0, (4, 6, 8)),
        (sb.torus(4, 4), 0.35, 5.0, (8, 12, 16)),
        (sb.torus(4, 4), 0.35, 10.0, (6, 8, 12)),
    ],
    ids=str,
)
def test_the_error_covers_the_true_one(network, s_hold, duration, bonds):
    protocol = sb.cooperative(duration, s_hold=s_hold)
    reference = exact(network, protocol)
    found = sb.TensorNetwork(bond_dimension=bonds).run(sb.ChargingProblem(network, protocol))
    assert abs(found.magnetization - reference.magnetization) < found.magnetization_error
    assert abs(found.std - reference.std) < found.std_error


@pytest.mark.slow
def test_a_deeper_hold_is_easier():
    protocol = sb.cooperative(60.0, s_hold=0.25)
    reference = exact(sb.torus(4, 4), protocol)
    found = sb.TensorNetwork(bond_dimension=20).run(sb.ChargingProblem(sb.torus(4, 4), protocol))
    assert abs(found.magnetization - reference.magnetization) < 1e-3
    assert abs(found.std / reference.std - 1.0) < 0.01
