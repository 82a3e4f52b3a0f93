"""Noise in numbers: figures computed independently of this package, and decays known in closed form."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pytest

import spinbattery as sb
from spinbattery.core.units import BOLTZMANN_GHZ_PER_KELVIN
from spinbattery.engines.dense.lindblad import Lindblad
from spinbattery.model.noise import Noise
from spinbattery.model.scales import LinearTable
from spinbattery.model.thermal import thermal_magnetization

TIMES = np.linspace(0.0, 3.0, 7)


@cache
def ring(n, rate_times_duration, duration=60.0):
    problem = sb.ChargingProblem(sb.ring(n), sb.cooperative(duration), noise=Noise(x=rate_times_duration / duration))
    return Lindblad(1e-6).run(problem)


def exponent(rate_times_duration):
    """alpha of 1/sigma^2 on the rings of 2 to 5 spins, by least squares of the logarithms."""
    sizes = np.arange(2, 6)
    precisions = [ring(n, rate_times_duration).precision for n in sizes.tolist()]
    return float(np.polyfit(np.log(sizes), np.log(precisions), 1)[0])


# converged to 1e-3 where they come from: Strang splitting of the density matrix
@pytest.mark.parametrize(
    ("rate", "precisions", "magnetization"),
    [(0.02, (3.736, 7.400, 11.546, 16.50), 0.757), (0.06, (3.345, 5.652, 7.864, 10.456), 0.694)],
)
def test_precision_of_rings_under_bit_flips(rate, precisions, magnetization):
    found = [ring(n, rate).precision for n in range(2, 6)]
    np.testing.assert_allclose(found, precisions, rtol=2e-3)
    assert ring(5, rate).magnetization == pytest.approx(magnetization, abs=2e-3)


@pytest.mark.parametrize(("rate", "alpha"), [(0.02, 1.617), (0.06, 1.236)])
def test_exponent_of_rings_under_bit_flips(rate, alpha):
    """Fits to the precisions above."""
    assert exponent(rate) == pytest.approx(alpha, abs=2e-3)


def test_the_exponent_of_the_device_means_a_rate_of_four_hundredths_over_the_duration():
    assert exponent(0.044) < 1.39 < exponent(0.036)
    assert exponent(0.040) == pytest.approx(1.39, abs=2e-3)


@pytest.mark.slow
def test_the_estimate_hangs_on_the_range_of_n():
    # a point beside each of the four values, so that nothing hangs on the interpolation
    products = (0.0, 0.0217, 0.0277, 0.037, 0.04, 0.044)
    runs = [ring(n, product) for product in products for n in range(2, 9)]
    found = sb.estimate(sb.calibration_curve(runs, "gamma_tau", "alpha", n_replicates=400), 1.39)
    values = {one.n_spins[-1]: one.value for one in found.by_range}
    assert [values[n] for n in (5, 6, 7, 8)] == pytest.approx([0.0400, 0.0369, 0.0277, 0.0217], abs=6e-5)
    assert found.value == values[8]
    low, high = found.covering
    assert low <= 0.0217 < 0.0400 < high
    assert (found.n_spins, found.simulated_duration, found.noise_kind) == (tuple(range(2, 9)), 60.0, "x")


@pytest.mark.parametrize(("largest", "alpha"), [(5, 1.99), (8, 1.80), (12, 1.55)])
def test_alpha_without_noise_falls_with_the_largest_ring(largest, alpha):
    """Log-log fits from N = 2, at the duration of the estimate: why it hangs on the range of N."""
    records = [sb.charge(sb.ring(n), sb.cooperative(60.0), tolerance=1e-6) for n in range(2, largest + 1)]
    assert sb.fit_scaling(records, n_bootstrap=100).alpha == pytest.approx(alpha, abs=5e-3)


def held(bx, bz, noise, *, theta=math.pi, n=1, duration=3.0):
    """Spins apart in fields that stay, from the tilt theta in the plane of x and z."""
    scales = sb.EnergyScales(
        "held", LinearTable((0.0, 1.0), (-2.0 * bx, -2.0 * bx)), LinearTable((0.0, 1.0), (2.0, 2.0))
    )
    constant = sb.Waveform(((0.0, 0.5), (1.0, 0.5)))
    start = sb.ProductState((theta,))
    protocol = sb.Protocol(duration, constant, sb.Waveform(((0.0, 1.0), (1.0, 1.0))), h=bz, J=0.0, initial=start)
    return sb.ChargingProblem(sb.SpinNetwork(n, []), protocol, scales, noise)


def both(problem, times=TIMES):
    """Data of both engines, which must agree: spins apart, and together in one matrix."""
    product, full = (engine(1e-9).run(problem, times).dataset for engine in (sb.Product, Lindblad))
    for name in ("magnetization_t", "std_t", "energy_t", "purity_t"):
        np.testing.assert_allclose(product[name], full[name], rtol=0, atol=1e-9, err_msg=name)
    return full


@pytest.mark.parametrize(("bx", "bz"), [(-0.7, -0.3), (-0.2, 0.5), (-1.0, 0.0)])
def test_relaxation_ends_in_thermal_equilibrium(bx, bz):
    problem = held(bx, bz, Noise(relaxation=2.0, temperature=25.0), duration=40.0, theta=0.4)
    kt = 0.025 * BOLTZMANN_GHZ_PER_KELVIN
    record = Lindblad(1e-9).run(problem)
    assert record.magnetization == pytest.approx(thermal_magnetization(bx, bz, kt), abs=1e-9)
    energy = math.hypot(bx, bz)
    assert float(record.dataset["purity"]) == pytest.approx(0.5 * (1.0 + math.tanh(energy / kt) ** 2), abs=1e-9)


def test_relaxation_has_t2_twice_t1():
    """Along the field the distance to equilibrium decays with the rate, across it with half of it."""
    rate, theta, kt = 0.4, 1.1, 0.05 * BOLTZMANN_GHZ_PER_KELVIN
    data = both(held(0.0, -0.6, Noise(relaxation=rate, temperature=50.0), theta=theta, n=2))
    equilibrium = math.tanh(0.6 / kt)
    z = equilibrium + (math.cos(theta) - equilibrium) * np.exp(-rate * TIMES)
    across = math.sin(theta) * np.exp(-0.5 * rate * TIMES)
    np.testing.assert_allclose(data["magnetization_t"], z, atol=1e-9)
    np.testing.assert_allclose(data["purity_t"], (0.5 * (1.0 + z**2 + across**2)) ** 2, atol=1e-9)


def test_dephasing_leaves_populations_and_takes_coherence_at_twice_its_rate():
    rate, theta = 0.3, 0.9
    data = both(held(0.0, -0.6, Noise(z=rate), theta=theta, n=2))
    np.testing.assert_allclose(data["magnetization_t"], math.cos(theta), atol=1e-12)
    across = math.sin(theta) * np.exp(-2.0 * rate * TIMES)
    np.testing.assert_allclose(data["purity_t"], (0.5 * (1.0 + math.cos(theta) ** 2 + across**2)) ** 2, atol=1e-12)


@pytest.mark.parametrize(("noise", "decay"), [(Noise(x=0.2), 0.4), (Noise(depolarising=0.2), 0.2)])
def test_a_turning_spin_decays(noise, decay):
    bx = -0.4
    data = both(held(bx, 0.0, noise, n=2))
    z = -np.cos(4.0 * math.pi * bx * TIMES) * np.exp(-decay * TIMES)
    np.testing.assert_allclose(data["magnetization_t"], z, atol=1e-9)
    np.testing.assert_allclose(data["std_t"] ** 2, (1.0 - z**2) / 2.0, atol=1e-9)


@pytest.mark.parametrize("kind", ["x", "y"])
def test_flips_empty_a_charged_battery_at_twice_their_rate(kind):
    data = both(held(0.0, -0.6, Noise(**{kind: 0.25}), theta=0.0, n=3))
    np.testing.assert_allclose(data["magnetization_t"], np.exp(-0.5 * TIMES), atol=1e-12)


def test_each_spin_has_the_rate_it_was_given():
    rates = (0.0, 0.1, 0.5)
    record = Lindblad(1e-9).run(held(0.0, -0.6, Noise(x=rates), theta=0.0, n=3))
    np.testing.assert_allclose(record.dataset["spin_magnetization"], np.exp(-2.0 * 3.0 * np.array(rates)), atol=1e-12)
