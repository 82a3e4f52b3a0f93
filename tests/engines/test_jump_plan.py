"""Numbers and times of jumps of Pauli noise, and the quadrature over the time of one."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import chisquare, kstest, poisson

from spinbattery import ChargingProblem, cooperative, ring
from spinbattery.engines.trajectories.jump_plan import Panel, PoissonJumps, one_jump_panels, site_jumps
from spinbattery.model.noise import Noise

PROBLEM = ChargingProblem(ring(3), cooperative(10.0), noise=Noise(x=(0.01, 0.02, 0.0), z=0.03))


@pytest.mark.parametrize("least", [1, 2])
def test_numbers_of_jumps_follow_the_conditional_poisson_law(least):
    jumps = PoissonJumps(PROBLEM)
    assert jumps.expected == pytest.approx(1.2)
    drawn = jumps.numbers(np.random.default_rng(1).random(40_000), least)
    assert drawn.min() == least
    k = np.arange(least, least + 5)
    expected = poisson.pmf(k, 1.2) / poisson.sf(least - 1, 1.2)
    counts = np.append([(drawn == value).sum() for value in k], (drawn > k[-1]).sum())
    assert chisquare(counts, 40_000 * np.append(expected, 1.0 - expected.sum())).pvalue > 1e-3
    assert jumps.weight(least) == pytest.approx(poisson.sf(least - 1, 1.2))


@pytest.mark.parametrize("scale", [1e-9, 1e4])
def test_extreme_rates_give_numbers_too(scale):
    noise = Noise(x=scale)
    jumps = PoissonJumps(ChargingProblem(ring(3), cooperative(10.0), noise=noise))
    drawn = jumps.numbers(np.array([1e-12, 0.5, 1.0 - 1e-12]), 2)
    if scale < 1.0:
        assert drawn.tolist()[:2] == [2, 2]
        assert jumps.weight(2) == pytest.approx(0.5 * (30.0 * scale) ** 2, rel=1e-6)
    else:
        assert np.all(np.abs(drawn - 3e5) < 10.0 * math.sqrt(3e5))
        assert jumps.weight(2) == 1.0


def test_times_are_uniform_and_choices_follow_the_rates():
    jumps = PoissonJumps(PROBLEM)
    scripts = [jumps.script(np.random.default_rng([2, i]), 1) for i in range(8000)]
    times = np.concatenate([script.times for script in scripts])
    assert kstest(times / 10.0, "uniform").pvalue > 1e-3
    assert all((np.diff(script.times) >= 0.0).all() for script in scripts)
    counts = np.bincount(np.concatenate([script.choices for script in scripts]), minlength=15)
    rates = np.zeros(15)
    rates[[0, 1, 6, 7, 8]] = 0.01, 0.02, 0.03, 0.03, 0.03
    assert not counts[rates == 0.0].any()
    assert chisquare(counts[rates > 0.0], counts.sum() * rates[rates > 0.0] / rates.sum()).pvalue > 1e-3


def test_the_quadrature_is_exact_for_polynomials_and_nested():
    panel = Panel(1.0, 4.0, 8)
    assert panel.weights.sum() == pytest.approx(1.0, abs=1e-14)
    for power in range(7):
        mean = (4.0 ** (power + 1) - 1.0) / (3.0 * (power + 1))
        assert panel.weights @ panel.nodes**power == pytest.approx(mean, rel=1e-12)
    assert np.allclose(panel.nodes[1::2], replace(panel, intervals=panel.intervals // 2).nodes)
    assert np.allclose(panel.doubled().nodes[1::2], panel.nodes)
    assert np.allclose(panel.doubled().nodes[1::2], panel.nodes)
    assert not np.isclose(panel.doubled().nodes[::2, None], panel.nodes).any()
    assert panel.nodes.min() > 1.0
    assert panel.nodes.max() < 4.0


def test_the_error_of_an_oscillation_is_not_underestimated():
    for frequency in (0.5, 2.0, 5.0, 9.0):
        for intervals in (8, 16, 32, 64):
            panel = Panel(0.0, 6.0, intervals)
            values = np.cos(frequency * panel.nodes + 0.3)[:, None]
            true = (math.sin(6.0 * frequency + 0.3) - math.sin(0.3)) / (6.0 * frequency)
            error = abs(float(panel.weights @ values[:, 0]) - true)
            assert error <= 3.0 * float(panel.error(values)[0]) + 1e-12


def test_panels_end_at_every_stop_and_are_not_too_long():
    stops = np.array([0.0, 0.1, 20.0, 40.0])
    panels = one_jump_panels(stops)
    edges = [panels[0].start, *(panel.end for panel in panels)]
    assert set(stops) <= set(edges)
    assert edges == sorted(edges)
    assert max(panel.end - panel.start for panel in panels) <= 10.0
    assert all(panel.intervals % 2 == 0 for panel in panels)


def test_shares_of_the_jumps_sum_to_one():
    found, orbits = site_jumps(PROBLEM)
    assert sum(jump.share for jump in found) == pytest.approx(1.0)
    assert orbits.tolist() == [0, 1, 2]
    uniform, _ = site_jumps(ChargingProblem(ring(3), cooperative(10.0), noise=Noise(depolarising=1e-3)))
    assert [(jump.choice, jump.share) for jump in uniform] == [(kind * 3, pytest.approx(1 / 3)) for kind in range(3)]
