"""Trajectories against the density matrix: moments within their standard errors, and those errors right."""

from __future__ import annotations

import numpy as np
import pytest

from spinbattery import ChargingProblem, ProductState, SpinNetwork, cooperative, ring, torus
from spinbattery.core.progress import silent
from spinbattery.engines.common.contract import derived_seed
from spinbattery.engines.dense.lindblad import Lindblad
from spinbattery.engines.trajectories.engine import Trajectories
from spinbattery.engines.trajectories.strata import no_jump_part, sample, sampled_weight
from spinbattery.model.noise import Noise
from spinbattery.records.ensemble import Ensemble

SIX = {
    "x": Noise(x=1e-2),
    "y": Noise(y=1e-2),
    "z": Noise(z=2e-2),
    "depolarising": Noise(depolarising=2e-2),
    "relaxation": Noise(relaxation=3e-2, temperature=20.0),
    "every kind, per spin": Noise(
        x=(5e-3, 0.0, 1e-2, 0.0, 0.0, 2e-3), y=2e-3, depolarising=3e-3,
        relaxation=(1e-2, 0.0, 0.0, 3e-2, 1e-2, 2e-2), temperature=50.0,
    ),
}  # fmt: skip
TIMES = (4.0, 8.0, 12.0)
VARIABLES = ("magnetization", "variance", "magnetization_t", "energy_t", "distribution", "spin_magnetization")


@pytest.mark.parametrize("kind", SIX)
@pytest.mark.parametrize("one_jump", ["auto", "sampled"])
def test_six_spins_agree_with_the_density_matrix(kind, one_jump):
    problem = ChargingProblem(torus(2, 3), cooperative(12.0), noise=SIX[kind])
    exact = Lindblad(1e-6).run(problem, TIMES).dataset
    found = Trajectories(500, seed=2, one_jump=one_jump).run(problem, TIMES).dataset
    for name in VARIABLES:
        difference = np.abs(found[name].to_numpy() - exact[name].to_numpy())
        # of some thirty values that are not independent one in a few hundred is beyond three
        limit = 3.0 if difference.ndim == 0 else 4.0
        assert (difference <= limit * found[f"{name}_stderr"].to_numpy() + 2e-4).all(), name
    difference = abs(float(found["precision"]) - float(exact["precision"]))
    assert difference <= 3.0 * float(found["precision_stderr"]) + 2e-4 * float(exact["precision"])


FEW = {
    "x": Noise(x=0.08),
    "y": Noise(y=0.08),
    "z": Noise(z=0.15),
    "depolarising": Noise(depolarising=0.2),
    "relaxation": Noise(relaxation=0.2, temperature=20.0),
    "every kind, per spin": Noise(x=(0.05, 0.0), z=0.03, relaxation=(0.05, 0.15), temperature=50.0),
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", FEW)
def test_bars_of_95_percent_cover_the_truth_in_95_percent(kind):
    """200 seeds, of which 90 to 99 percent must cover: 95 percent has a scatter of 1.5."""
    problem = ChargingProblem(ring(2), cooperative(4.0), noise=FEW[kind])
    exact = Lindblad(1e-6).run(problem)
    engine, none = Trajectories(), np.empty(0)
    unravelling = engine.unravelling(problem, none, 40)
    least = 1 if unravelling.damped else 2
    known = no_jump_part(unravelling)
    if least == 2:
        rule = engine.one_jump_rule(problem, none)
        known += rule.integrate(unravelling, known, 1e-3, None, silent).part
    weight = sampled_weight(unravelling, least)
    covered = np.zeros(2)
    for number in range(200):
        seed = derived_seed(problem, "trajectories", number)
        sums = sample(unravelling, seed, range(100), least, known, silent)
        ensemble = Ensemble(known, weight, sums)
        mean_error, variance_error = ensemble.moment_errors[-1, 0], ensemble.variance_error[-1]
        precision, relative = 1.0 / ensemble.variance[-1], variance_error / ensemble.variance[-1]
        covered[0] += abs(ensemble.moments[-1, 0] - exact.magnetization) < 1.96 * mean_error
        covered[1] += abs(precision - exact.precision) < 1.96 * relative * precision
    assert (covered >= 180).all(), covered
    assert (covered <= 198).all(), covered


def test_a_random_graph_with_crosstalk_agrees():
    rng = np.random.default_rng(4)
    pairs = [(0, 1), (1, 2), (2, 3), (0, 3), (1, 3)]
    network = SpinNetwork(4, pairs, rng.normal(1.0, 0.3, 5), [(0, 2)], [0.05])
    problem = ChargingProblem(network, cooperative(10.0), noise=Noise(x=1e-2, y=(0.0, 1e-2, 2e-2, 0.0)))
    exact = Lindblad(1e-6).run(problem)
    found = Trajectories(1500, seed=3).run(problem)
    assert found.discretisation["one_jump"] == "quadrature"
    assert abs(found.magnetization - exact.magnetization) < 3.0 * found.magnetization_stderr
    assert abs(found.precision - exact.precision) < 3.0 * found.precision_stderr


def test_weak_noise_is_exact_to_first_order():
    """The strata that are known leave an error of second order in gamma tau N."""
    problem = ChargingProblem(ring(4), cooperative(20.0), noise=Noise(x=1e-6))
    exact = Lindblad(1e-8).run(problem)
    found = Trajectories(2, seed=0, one_jump="quadrature", tolerance=3e-7).run(problem)
    assert found.magnetization == pytest.approx(exact.magnetization, abs=3e-7)
    assert found.precision == pytest.approx(exact.precision, rel=3e-6)


def test_a_relaxed_ensemble_forgets_its_start():
    noise = Noise(relaxation=1.0, temperature=30.0)
    ends = []
    for start in ("up", "down"):
        protocol = cooperative(30.0, initial=ProductState.named(start))
        record = Trajectories(200, seed=1).run(ChargingProblem(ring(2), protocol, noise=noise))
        ends.append((record.magnetization, record.magnetization_stderr))
    (up, up_error), (down, down_error) = ends
    assert abs(up - down) < 3.0 * np.hypot(up_error, down_error) + 1e-3
