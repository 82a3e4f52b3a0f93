"""Two packages of tensor networks against exact engines and ours: the paper's as an engine, TeNPy as an oracle."""

from __future__ import annotations

import logging
import re
import sys
from pathlib import Path

import numpy as np
import pytest

import spinbattery as sb
from spinbattery.core.errors import EngineError, InvalidParameterError, MissingDependencyError
from spinbattery.core.installing import install_extra_command
from spinbattery.engines.common.window import moving_window

PROTOCOL = sb.cooperative(3.0)
SMALL = sb.ChargingProblem(sb.torus(2, 3), PROTOCOL)
EIGHT = sb.ChargingProblem(sb.torus(2, 4), PROTOCOL)


@pytest.fixture
def tenpy_run(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).resolve().parents[2]))
    from benchmarks.tenpy_peer import tenpy_run

    return tenpy_run


def difference(one, other, name):
    return float(np.abs(one.dataset[name] - other.dataset[name]).max())


@pytest.mark.slow
def test_qtealeaves_is_near_the_exact_state_and_ours():
    times = [0.1, 1.5, 2.95]  # before, in and after the part in which populations move
    exact = sb.Statevector(1e-8).run(SMALL, times)
    found = sb.QTeaLeaves(8, steps=20).run(SMALL, times)
    ours = sb.TensorNetwork(bond_dimension=8, steps=20, magnus="CF2", single=False).run(SMALL, times)
    for name in ("magnetization", "std", "distribution", "spin_magnetization", "magnetization_t", "std_t"):
        assert difference(found, exact, name) < 3e-2, name
        assert difference(found, ours, name) < 3e-2, name
    assert difference(found, ours, "energy_t") < 5e-2
    assert difference(found, ours, "spin_magnetization_t") < 2e-2
    assert found.dataset["norm_error"] < 1e-6
    assert found.converged == {"magnetization": None, "precision": None}
    assert found.precision is None
    assert found.magnetization_error is None
    assert found.discretisation["method"] == "one-tensor TDVP, second order"


@pytest.mark.slow
@pytest.mark.parametrize("mode", [3, 4])
def test_qtealeaves_takes_any_weighted_graph_and_product_start(mode):
    """What is left of errors of second order by halving the step is small, of five spins and at full rank."""
    rng = np.random.default_rng(1)
    start = sb.ProductState(tuple(rng.uniform(0.0, 3.0, 5)), tuple(rng.uniform(0.0, 6.0, 5)))
    s = sb.Waveform(((0.0, 1.0), (0.5, 0.3), (1.0, 1.0)))
    protocol = sb.Protocol(1.0, s, sb.Waveform(((0.0, 1.0), (1.0, 1.0))), h=-0.4, J=-0.3, initial=start)
    network = sb.SpinNetwork(5, [(0, 3), (1, 4), (2, 3), (0, 4)], [0.3, -1.0, 0.7, 1.2])
    problem = sb.ChargingProblem(network, protocol)
    exact = sb.Statevector(1e-8).run(problem, [0.5])
    coarse, fine = (sb.QTeaLeaves(4, steps=steps, mode=mode).run(problem, [0.5]) for steps in (8, 16))
    for name in ("magnetization", "std", "spin_magnetization", "distribution", "magnetization_t", "energy_t"):
        better = (4.0 * fine.dataset[name] - coarse.dataset[name]) / 3.0
        assert np.abs(better - exact.dataset[name]).max() < 1e-3, name
        assert difference(fine, exact, name) < 0.4 * difference(coarse, exact, name) + 1e-5, name


@pytest.mark.slow
def test_a_product_start_is_no_trap_for_qtealeaves():
    """With its own settings the package leaves links of dimension one, and mu is 0.72 instead of 0.59."""
    problem = sb.ChargingProblem(sb.torus(2, 4), sb.cooperative(6.0))
    exact = sb.Symmetric(1e-8).run(problem)
    found = sb.QTeaLeaves(8, steps=18).run(problem)
    assert found.discretisation["largest_dimension"] == 8
    assert difference(found, exact, "magnetization") < 0.05


def test_progress_comes_with_every_few_steps_and_can_stop_the_run():
    said = []

    def stop(fraction, message):
        said.append((fraction, message))
        if fraction > 0.4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sb.QTeaLeaves(4, steps=10).run(SMALL, progress=stop)
    assert 2 <= len(said) <= 5
    assert said[0][1].endswith("steps, bond dimension 4")
    assert logging.getLogger("qtealeaves").level == logging.NOTSET


def test_what_qtealeaves_refuses():
    with pytest.raises(EngineError, match="fewer than 5 spins, and there are 4"):
        sb.QTeaLeaves().run(sb.ChargingProblem(sb.ring(4), PROTOCOL))
    noisy = sb.ChargingProblem(sb.ring(5), PROTOCOL, noise=sb.parse_noise("x:1e-3/ns"))
    with pytest.raises(EngineError, match="does not support noise"):
        sb.QTeaLeaves().run(noisy)
    for bad, message in (
        ({"bond_dimension": 1}, "bond_dimension must be a whole number of 2 or more"),
        ({"bond_dimension": (4, 8)}, "bond_dimension must be a whole number"),
        ({"steps": 0}, "steps must be"),
        ({"mode": 5}, r"mode must be one of 1 \(one-tensor"),
        ({"padding": 1e-13}, "padding must be above 1e-12"),
        ({"padding": 1e-3}, "up to 0.0001"),
    ):
        with pytest.raises(InvalidParameterError, match=message):
            sb.QTeaLeaves(**bad)


def test_the_package_is_an_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "qtealeaves.emulator", None)
    with pytest.raises(MissingDependencyError, match=re.escape(install_extra_command("qtea"))):
        sb.QTeaLeaves(4).run(SMALL)


def test_predictions_of_qtealeaves_grow_with_the_problem():
    engine, none = sb.QTeaLeaves(), np.empty(0)
    seconds = [engine.predicted_seconds(sb.ChargingProblem(sb.torus(n, n), PROTOCOL), none) for n in (3, 4, 8)]
    assert seconds[0] < seconds[1] < seconds[2]
    assert 1e8 < engine.required_bytes(SMALL) < sb.QTeaLeaves(64).required_bytes(SMALL) < 2e9


@pytest.mark.slow
def test_tenpy_agrees_with_our_chain(tenpy_run):
    chain = tenpy_run(EIGHT, 16, 12, moving_window(EIGHT, 2.5e-4))
    moments = chain.moments()
    assert chain.largest_dimension == 16
    engine = sb.TensorNetwork(bond_dimension=16, steps=12, magnus="CF2", single=False, shape="chain", expansion="all")
    ours = engine.run(EIGHT)
    assert moments.mean == pytest.approx(ours.magnetization, abs=5e-5)
    assert np.sqrt(moments.variance) == pytest.approx(ours.std, abs=5e-5)
    exact = sb.Symmetric(1e-8).run(EIGHT)
    assert moments.mean == pytest.approx(exact.magnetization, abs=5e-2)
    assert np.sqrt(moments.variance) == pytest.approx(exact.std, abs=5e-2)
