"""The symmetric engine against the full state vector."""

from __future__ import annotations

import numpy as np
import pytest

from spinbattery import (
    ChargingProblem,
    EnergyScales,
    ProductState,
    SpinNetwork,
    Statevector,
    Symmetric,
    advantage_system6,
    complete,
    cooperative,
    polarised,
    ring,
    symmetry_group,
    torus,
)
from spinbattery.core.errors import EngineError
from spinbattery.engines.choice import choose_engine
from spinbattery.model.scales import LinearTable

NETWORKS = [torus(1, 2), torus(2, 2), torus(2, 3), torus(2, 4), torus(3, 3), torus(3, 4), ring(5), ring(7), complete(6)]
TIGHT = 1e-9


def both(network, protocol, times=None, scales=None, tolerance=TIGHT, **options):
    problem = ChargingProblem(network, protocol, scales or advantage_system6())
    return (
        Symmetric(tolerance, **options).run(problem, times),
        Statevector(tolerance, keep_state=options.get("keep_state", False)).run(problem, times),
    )


def assert_alike(symmetric, full, within=1e-8):
    assert abs(symmetric.magnetization - full.magnetization) < within
    assert abs(symmetric.precision / full.precision - 1.0) < within
    for name in ("distribution", "spin_magnetization", "magnetization_t", "std_t", "energy_t"):
        assert (name in symmetric.dataset) == (name in full.dataset)
        if name in full.dataset:
            difference = np.abs(symmetric.dataset[name] - full.dataset[name]).max()
            assert difference < within * (100.0 if name == "energy_t" else 1.0)


@pytest.mark.parametrize("network", NETWORKS, ids=str)
def test_same_record_as_the_state_vector(network):
    assert_alike(*both(network, cooperative(20.0), times=np.linspace(0.0, 20.0, 5)))


@pytest.mark.slow
def test_4x4_torus():
    symmetric, full = both(torus(4, 4), cooperative(20.0), tolerance=1e-8)
    assert symmetric.discretisation["dimension"] == 402
    assert symmetric.discretisation["group_order"] == 384
    assert_alike(symmetric, full)


def test_weights_crosstalk_and_starts_that_leave_some_symmetry():
    pairs = [(k, (k + 1) % 6) for k in range(6)]
    network = SpinNetwork(6, pairs, [1.0, 0.5] * 3).with_crosstalk(-0.01, "all")
    start = ProductState((2.5, 2.5, 2.0, 2.0, 2.5, 2.5), (0.3,) * 6)
    symmetric, full = both(network, cooperative(10.0, initial=start), times=[3.0, 7.0])
    assert symmetric.discretisation["group_order"] == 2
    assert_alike(symmetric, full)


def test_a_vendors_table_and_a_polarised_protocol():
    s = np.linspace(0.0, 1.0, 1001)
    smooth = advantage_system6()
    table = EnergyScales("table", LinearTable(tuple(s), tuple(smooth.A(s))), LinearTable(tuple(s), tuple(smooth.B(s))))
    assert_alike(*both(torus(2, 3), cooperative(20.0), scales=table, tolerance=1e-8))
    assert_alike(*both(torus(2, 3), cooperative(200.0), scales=table, tolerance=1e-8))
    symmetric, full = both(torus(2, 3), polarised(20.0))
    assert abs(symmetric.magnetization - full.magnetization) < 1e-8
    assert abs(symmetric.precision / full.precision - 1.0) < 1e-7


def test_no_step_crosses_a_corner_of_a_long_table():
    s = np.linspace(0.0, 1.0, 1001)
    smooth = advantage_system6()
    table = EnergyScales("table", LinearTable(tuple(s), tuple(smooth.A(s))), LinearTable(tuple(s), tuple(smooth.B(s))))
    symmetric, full = both(torus(2, 3), cooperative(20.0), scales=table, tolerance=1e-6)
    assert symmetric.discretisation["steps"] >= 2 * 650  # s passes 650 rows, there and back
    assert abs(symmetric.magnetization - full.magnetization) <= symmetric.magnetization_error
    assert abs(symmetric.precision / full.precision - 1.0) <= symmetric.precision_relative_error


def test_the_state_that_is_kept():
    symmetric, full = both(torus(2, 3), cooperative(10.0), keep_state=True)
    overlap = np.vdot(symmetric.state, full.state)
    assert abs(overlap) == pytest.approx(1.0, abs=1e-8)
    assert np.linalg.norm(symmetric.state) == pytest.approx(1.0, abs=1e-12)
    np.testing.assert_allclose(symmetric.state, full.state, atol=1e-6)


@pytest.mark.parametrize("tolerance", [1e-2, 1e-4, 1e-6, 1e-8])
def test_the_promise_is_kept(tolerance):
    for network in (torus(2, 2), torus(3, 3), ring(6)):
        problem = ChargingProblem(network, cooperative(30.0))
        found, reference = Symmetric(tolerance).run(problem), Symmetric(1e-11).run(problem)
        assert abs(found.magnetization - reference.magnetization) < tolerance
        assert abs(found.precision / reference.precision - 1.0) < tolerance
        assert found.error_estimate <= tolerance


def test_a_graph_without_symmetries(monkeypatch):
    """auto falls back on the state vector; the sector of the identity alone is that of all configurations."""
    weights = np.random.default_rng(5).uniform(0.5, 1.5, size=9)
    pairs = [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (5, 6), (6, 0), (0, 3), (2, 5)]
    problem = ChargingProblem(SpinNetwork(7, pairs, weights.tolist()), cooperative(20.0))
    assert symmetry_group(problem).is_trivial
    engine, reason = choose_engine(problem)
    assert engine.name == "statevector"
    assert "no symmetry" in reason
    with pytest.raises(EngineError, match="no symmetry keeps the network"):
        Symmetric(TIGHT).run(problem)
    monkeypatch.setattr(Symmetric, "refusal", lambda self, problem: None)
    symmetric = Symmetric(TIGHT).run(problem, [5.0, 15.0])
    assert symmetric.discretisation["dimension"] == 2**7
    assert symmetric.discretisation["group_order"] == 1
    assert_alike(symmetric, Statevector(TIGHT).run(problem, [5.0, 15.0]))


@pytest.mark.slow
@pytest.mark.parametrize(("size", "within"), [((3, 3), 2e-3), ((3, 4), 0.015)], ids=str)
def test_the_limit_at_the_duration_of_the_device(size, within):
    """60 us: half of the state has all spins up, half has one down."""
    network = torus(*size)
    record = Symmetric(1e-6).run(ChargingProblem(network, cooperative(60e3)))
    n = network.n_spins
    one_down, all_up = record.dataset["distribution"].to_numpy()[-2:]
    assert all_up == pytest.approx(0.5, abs=within)
    assert one_down == pytest.approx(0.5, abs=within)
    assert record.precision == pytest.approx({9: 81.00, 12: 144.02}[n], abs=0.05)
    assert record.error_estimate <= 1e-6
    assert float(record.dataset["norm_error"]) < 1e-7


def test_half_in_all_up_and_half_with_one_spin_down_when_charged_slowly():
    record = Symmetric(1e-6).run(ChargingProblem(torus(3, 3), cooperative(1e3)))
    one_down, all_up = record.dataset["distribution"].to_numpy()[-2:]
    assert one_down == pytest.approx(0.5, abs=0.02)
    assert all_up == pytest.approx(0.5, abs=0.02)
    assert one_down + all_up == pytest.approx(1.0, abs=1e-4)
    assert record.precision == pytest.approx(81.0, abs=0.05)
