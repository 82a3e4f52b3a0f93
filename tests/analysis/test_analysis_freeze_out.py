"""Independent spins frozen at one point of the schedule, and the scatter of fits from counting alone."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache
from itertools import product

import numpy as np
import pytest
from scipy.stats import binom, poisson

from spinbattery import ChargingProblem, Protocol, Waveform, cooperative, parse_network, ring, thermal_magnetization
from spinbattery.analysis.counting_noise import counting_noise
from spinbattery.analysis.freeze_out import effective_temperature, freeze_out, poisson_binomial
from spinbattery.core.errors import FitError, InvalidParameterError
from spinbattery.core.units import BOLTZMANN_GHZ_PER_KELVIN
from spinbattery.model.thermal import down_probability

CHARGING = cooperative(60_000.0)


@cache
def pegasus(m, local=False):
    network = parse_network(f"pegasus:{m}")
    return ChargingProblem(network, CHARGING.local_equivalent(network) if local else CHARGING)


# Values of an independent implementation: a sum over 20000 angles, and the Boltzmann factor of two levels
@pytest.mark.parametrize(
    ("form", "temperature", "m", "local", "variance"),
    [
        ("rotor", 18.0, 2, 0.785, 0.056),
        ("rotor", 18.0, 16, 0.834, 0.225),
        ("rotor", 16.0, 2, 0.829, 0.029),
        ("rotor", 16.0, 16, 0.873, 0.097),
        ("rotor", 12.0, 2, 0.914, 0.0043),
        ("rotor", 12.0, 16, 0.943, 0.0089),
        ("two-level", 29.5, 2, 0.782, 0.046),
        ("two-level", 29.5, 16, 0.833, 0.152),
    ],
)
def test_charge_and_flips_of_pegasus(form, temperature, m, local, variance):
    found = freeze_out(pegasus(m, local=True), temperature, form=form)
    assert found.magnetization == pytest.approx(local, abs=6e-4)
    assert freeze_out(pegasus(m), temperature, form=form).flips_variance == pytest.approx(variance, rel=0.02)


def test_spins_of_few_neighbours_flip_most():
    # values of the same independent implementation
    for m, degree, expected in ((2, 5, 3.4e-3), (4, 6, 1.6e-3), (4, 7, 7.3e-4), (4, 10, 7.9e-5)):
        down = freeze_out(pegasus(m), 18.0).down_probability[pegasus(m).network.degrees == degree]
        assert len(down)
        np.testing.assert_allclose(down, expected, rtol=0.03)


def test_the_field_of_a_spin_is_that_of_all_neighbours_up():
    # ring of 3 with cross-talk: e = [g h + 2 (J + J_CT)] B/2 at s = 0.6 of the ramp from 0.35, where g = 1 - 0.25/0.65
    problem = ChargingProblem(ring(3).with_crosstalk(-0.01), CHARGING)
    found = freeze_out(problem, 20.0, form="two-level", s=0.6)
    assert found.gain == pytest.approx(1.0 - 0.25 / 0.65)
    e = (found.gain * -0.5 - 2.0 * 0.21) * float(problem.scales.B(0.6)) / 2.0
    kt = 0.020 * BOLTZMANN_GHZ_PER_KELVIN
    assert found.down_probability == pytest.approx(1.0 / (1.0 + math.exp(-2.0 * e / kt)), rel=1e-9)
    rotor = freeze_out(problem, 20.0, s=0.6).down_probability
    np.testing.assert_allclose(rotor, down_probability(-float(problem.scales.A(0.6)) / 2.0, e, kt), rtol=1e-9)


def test_two_levels_without_transverse_field_are_a_qubit_in_equilibrium():
    problem = ChargingProblem(ring(4), replace(CHARGING, J=0.0))
    found = freeze_out(problem, 25.0, form="two-level", s=0.7)
    bz = found.gain * -0.5 * float(problem.scales.B(0.7)) / 2.0
    assert found.magnetization == pytest.approx(thermal_magnetization(0.0, bz, 0.025 * BOLTZMANN_GHZ_PER_KELVIN))


def test_moments_are_those_of_the_distribution():
    found = freeze_out(pegasus(2, local=True), 18.0)
    p, k = found.flip_probabilities(), np.arange(41)
    assert p @ k == pytest.approx(found.flips_mean, rel=1e-12)
    variance = p @ (k - found.flips_mean) ** 2
    assert variance == pytest.approx(found.flips_variance, rel=1e-12)
    mu = 1.0 - 2.0 * k / 40.0
    assert p @ mu == pytest.approx(found.magnetization, rel=1e-12)
    assert found.precision == pytest.approx(1.0 / (p @ (mu - found.magnetization) ** 2), rel=1e-12)


def test_wrong_reads_add_their_rate_to_every_spin():
    exact, read = (freeze_out(pegasus(2), 18.0, readout_error=r).down_probability for r in (0.0, 0.01))
    np.testing.assert_allclose(read, 0.99 * exact + 0.01 * (1.0 - exact), rtol=1e-12)
    blind = freeze_out(pegasus(2), 18.0, readout_error=0.5)
    assert blind.magnetization == pytest.approx(0.0, abs=1e-12)


def test_the_last_passage_of_s_counts():
    g = Waveform(((0.0, 0.0), (1.0, 1.0)))
    s = Waveform(((0.0, 1.0), (0.2, 0.2), (0.4, 0.9), (0.5, 0.3), (0.6, 0.3), (1.0, 0.7)))
    problem = ChargingProblem(ring(3), Protocol(100.0, s, g, -0.5, 0.0))
    assert freeze_out(problem, 20.0, s=0.5).gain == pytest.approx(0.8)
    assert freeze_out(problem, 20.0, s=0.3).gain == pytest.approx(0.6)  # where the hold ends
    assert freeze_out(problem, 20.0, s=0.7).gain == 1.0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"s": 0.3}, "does not freeze at s = 0.3: its s has a minimum of 0.35"),
        ({"s": 1.2}, "choose s between these two"),
        ({"s": math.nan}, "finite"),
        ({"form": "ising"}, "one of rotor, two-level"),
        ({"readout_error": 0.6}, "readout_error"),
        ({"temperature": 0.0}, "above zero"),
    ],
)
def test_what_cannot_freeze_is_refused(options, said):
    with pytest.raises(InvalidParameterError, match=said):
        freeze_out(ChargingProblem(ring(3), CHARGING), **{"temperature": 18.0, **options})


def test_a_schedule_that_ends_before_s_does_not_freeze():
    s = Waveform(((0.0, 1.0), (1.0, 0.3)))
    problem = ChargingProblem(ring(3), Protocol(100.0, s, s, -0.5, 0.0))
    with pytest.raises(InvalidParameterError, match=r"ends at 0.3"):
        freeze_out(problem, 18.0)


# Temperature that a charge implies


@pytest.mark.parametrize("form", ["rotor", "two-level"])
@pytest.mark.parametrize("temperature", [3.0, 18.0, 200.0])
def test_the_temperature_comes_back(form, temperature):
    problem = ChargingProblem(ring(3), replace(CHARGING, J=0.0, h=-0.3))
    mu = freeze_out(problem, temperature, form=form).magnetization
    assert effective_temperature(problem, mu, form=form) == pytest.approx(temperature, rel=1e-6)


def test_temperatures_of_the_papers_local_protocol():
    problem = pegasus(16, local=True)
    assert effective_temperature(problem, 0.833) == pytest.approx(18.0, abs=0.2)
    assert effective_temperature(problem, 0.833, form="two-level") == pytest.approx(29.5, abs=0.05)


@pytest.mark.parametrize("mu", [-0.5, 1.0, 0.0])
def test_a_charge_that_no_temperature_gives_is_refused(mu):
    with pytest.raises(InvalidParameterError, match=r"no temperature from 1 to 10000 mK gives mu"):
        effective_temperature(ChargingProblem(ring(3), CHARGING), mu)


# Number of successes among unequal trials


def test_a_sum_of_unequal_trials_by_enumeration():
    p = [0.0, 0.2, 0.7, 0.2, 1.0]
    expected = np.zeros(6)
    for outcome in product((0, 1), repeat=5):
        expected[sum(outcome)] += math.prod(q if bit else 1.0 - q for q, bit in zip(p, outcome, strict=True))
    np.testing.assert_allclose(poisson_binomial(p), expected, atol=1e-15)


def test_equal_trials_are_binomial_down_to_the_tail():
    np.testing.assert_allclose(poisson_binomial(np.full(300, 0.01)), binom(300, 0.01).pmf(np.arange(301)), rtol=1e-9)


@pytest.mark.parametrize("bad", [[], [[0.1]], [1.1], [-0.1], [math.nan]])
def test_probabilities_are_checked(bad):
    with pytest.raises(InvalidParameterError, match="probabilities must be"):
        poisson_binomial(bad)


# Scatter of fits from counting alone


@pytest.fixture(scope="module")
def noise():
    found = [freeze_out(pegasus(m), 16.0, readout_error=1.5e-5) for m in range(2, 17)]
    return counting_noise([each.n_spins for each in found], [each.flip_probabilities() for each in found], 1000)


def test_scatter_of_a_thousand_reads(noise):
    # means from an independent implementation with Poisson flips: alpha 1.35 +- 0.10 and 1.57 +- 0.03
    assert noise.linear.alpha == pytest.approx(1.35, abs=0.02)
    assert noise.linear.alpha_std == pytest.approx(0.10, abs=0.015)
    assert noise.loglog.alpha == pytest.approx(1.57, abs=0.01)
    assert noise.loglog.alpha_std == pytest.approx(0.03, abs=0.004)
    assert (noise.n_experiments, noise.n_without_precision, noise.n_reads) == (400, 0, 1000)
    assert noise.linear.n_fitted == noise.loglog.n_fitted == 400
    assert noise.n_spins[0] == 40
    assert noise.n_spins[-1] == 5640
    low, high = noise.loglog.alpha_interval
    assert low < noise.loglog.alpha < high
    assert noise.to_dict()["linear"]["alpha"] == noise.linear.alpha


def test_two_reads_have_a_single_variance():
    # where both reads differ Var k = 0.5, and the precision N^2/2 at every N
    found = counting_noise([10, 20, 40], [[0.5, 0.5]] * 3, 2, n_experiments=100)
    for scatter in (found.loglog, found.linear):
        assert (scatter.c, scatter.alpha) == (pytest.approx(0.5), pytest.approx(2.0))
        assert scatter.c_std == pytest.approx(0.0, abs=1e-9)
    # seven of eight have reads alike at some N; 4 sigma
    assert abs(found.n_without_precision - 87.5) < 4.0 * math.sqrt(100 * 7 / 64)


def test_many_reads_leave_the_fit_of_the_law_itself():
    sizes, laws = [40, 400, 4000], [poisson(v).pmf(np.arange(30)) for v in (0.1, 0.3, 1.0)]
    found = counting_noise(sizes, laws, 10_000_000, n_experiments=20)
    slope, intercept = np.polyfit(np.log(sizes), np.log(np.square(sizes) / 4.0 / np.array([0.1, 0.3, 1.0])), 1)
    assert found.loglog.alpha == pytest.approx(slope, abs=2e-3)
    assert found.loglog.c == pytest.approx(math.exp(intercept), rel=1e-2)
    assert found.loglog.alpha_std < 1e-3


def test_scatter_falls_as_the_root_of_the_reads():
    sizes, laws = [10, 100, 1000], [poisson(v).pmf(np.arange(11)) for v in (0.2, 0.3, 0.4)]
    few, many = (counting_noise(sizes, laws, n, n_experiments=2000).loglog.alpha_std for n in (1000, 16_000))
    assert few / many == pytest.approx(4.0, rel=0.12)


def test_experiments_without_a_flip_are_counted():
    # exp(-1) of the experiments have no flip among 1000 reads at N = 40
    laws = [poisson(v).pmf(np.arange(12)) for v in (1e-3, 0.1, 0.1)]
    found = counting_noise([40, 400, 4000], laws, 1000, n_experiments=2000)
    share, expected = found.n_without_precision / 2000, math.exp(-1.0)
    assert abs(share - expected) < 4.0 * math.sqrt(expected * (1.0 - expected) / 2000)
    assert found.loglog.n_fitted + found.loglog.n_unfitted == 2000 - found.n_without_precision


def test_equal_seeds_give_equal_scatter():
    laws = [poisson(0.2).pmf(np.arange(10))] * 3
    first = counting_noise([10, 20, 40], laws, 500, n_experiments=20)
    assert counting_noise([10, 20, 40], laws, 500, n_experiments=20) == first
    assert counting_noise([10, 20, 40], laws, 500, n_experiments=20, seed=1) != first


def test_without_any_flip_there_is_nothing_to_fit():
    with pytest.raises(FitError, match=r"10 of 10 experiments all reads are equal at some N, mostly at N = 20"):
        counting_noise([10, 20, 40], [[0.5, 0.5], [1.0], [0.5, 0.5]], 100, n_experiments=10)


def test_two_sizes_are_no_scaling():
    with pytest.raises(FitError, match="three or more different N"):
        counting_noise([10, 20, 20], [[0.5, 0.5]] * 3, 100)


@pytest.mark.parametrize(
    ("laws", "said"),
    [
        ([[0.5, 0.5]] * 2, "3 values of N need as many"),
        ([[0.5, 0.4]] * 3, "sum to one"),
        ([[1.5, -0.5]] * 3, "sum to one"),
        ([[0.25] * 4] * 3, "up to 3 entries"),
    ],
)
def test_distributions_are_checked(laws, said):
    with pytest.raises(InvalidParameterError, match=said):
        counting_noise([2, 3, 4], laws, 100)
