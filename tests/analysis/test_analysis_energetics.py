"""Stored energy, power, ergotropy and capacity."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import unitary_group

from spinbattery import Protocol, Waveform, charge, ring
from spinbattery.analysis.energetics import (
    capacity,
    ergotropy,
    mean_power,
    peak_power,
    peak_power_as_printed,
    ratio_and_difference,
    stored_energy,
    stored_energy_as_printed,
)
from spinbattery.core.errors import InvalidParameterError, RecordError

SX = np.array([[0.0, 1.0], [1.0, 0.0]])
SZ = np.diag([1.0, -1.0])


def close(value, relative):
    """A relative comparison alone: joules and watts lie far below pytest's default absolute tolerance."""
    return pytest.approx(value, rel=relative, abs=0.0)


def hermitian(dimension, seed):
    generator = np.random.default_rng(seed)
    matrix = generator.standard_normal((dimension, dimension)) + 1j * generator.standard_normal((dimension, dimension))
    return matrix + matrix.conj().T


def density(dimension, seed):
    generator = np.random.default_rng(seed)
    matrix = generator.standard_normal((dimension, dimension)) + 1j * generator.standard_normal((dimension, dimension))
    rho = matrix @ matrix.conj().T
    return rho / np.trace(rho).real


def amplitudes(dimension, seed):
    generator = np.random.default_rng(seed)
    psi = generator.standard_normal(dimension) + 1j * generator.standard_normal(dimension)
    return psi / np.linalg.norm(psi)


dimensions = st.integers(1, 6)
seeds = st.integers(0, 2**32 - 1)


# --- stored energy and power


@pytest.mark.parametrize(("mu", "holds", "printed"), [(0.999, 4.689e-16, 2.344e-16), (0.833, 4.300e-16, 2.151e-16)])
def test_powers_of_the_annealer(mu, holds, printed):
    # N = 5612 spins, 60 us, B(1) = 7.57 GHz = 5.016e-24 J; mu is printed to three digits, so the powers hold to 1e-3
    tau = 60e3
    assert mean_power(stored_energy(5612, -1.0, mu, 7.57), tau) == close(holds, 2e-4)
    assert mean_power(stored_energy_as_printed(5612, -1.0, mu, 7.57), tau) == close(printed, 1e-3)


def test_one_flip_stores_the_splitting():
    # one spin turned from down to up in 1 GHz: h times 1 GHz
    assert stored_energy(1, -1.0, 1.0, 1.0) == close(6.62607015e-25, 1e-14)


def test_the_printed_formula_loses_half():
    # E_0 = -N (B/2) h; the paper ends at (1 - f) E_0 with f = 1/4 flipped, so stores -f E_0
    n, field = 8, 2.0
    start = -n * 0.5 * field * 6.62607015e-25
    assert stored_energy_as_printed(n, -1.0, -0.5, field) == close(-0.25 * start, 1e-14)
    assert stored_energy(n, -1.0, -0.5, field) == close((1.0 - 0.5) * start - start, 1e-14)


def test_discharging_gives_energy_back():
    assert stored_energy(3, 0.5, -0.5, 4.0) == -stored_energy(3, -0.5, 0.5, 4.0) < 0.0


def test_mean_power_takes_nanoseconds():
    assert mean_power(3e-20, 60.0) == close(5e-13, 1e-14)


@pytest.mark.parametrize("formula", [stored_energy, stored_energy_as_printed])
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, -1.0, 1.0, 1.0), "n_spins"),
        ((2.5, -1.0, 1.0, 1.0), "n_spins"),
        ((2, -1.1, 1.0, 1.0), "mu_initial"),
        ((2, -1.0, 1.1, 1.0), "mu_final"),
        ((2, -1.0, math.nan, 1.0), "mu_final"),
        ((2, -1.0, 1.0, 0.0), "field_ghz"),
        ((2, -1.0, 1.0, math.inf), "field_ghz"),
    ],
)
def test_stored_energy_checks_its_arguments(formula, arguments, message):
    with pytest.raises(InvalidParameterError, match=message):
        formula(*arguments)


def test_mean_power_checks_its_arguments():
    with pytest.raises(InvalidParameterError, match="duration_ns"):
        mean_power(1e-20, 0.0)
    with pytest.raises(InvalidParameterError, match="energy_j"):
        mean_power(math.nan, 1.0)


def rabi(times):
    """One spin at constant s with g = 0, from down: mu(t) = -cos(2 pi A(s) t)."""
    level, zero = Waveform(((0.0, 0.5), (1.0, 0.5))), Waveform(((0.0, 0.0), (1.0, 0.0)))
    return charge(ring(1), Protocol(20.0, level, zero, -0.5, 0.0), times=times, tolerance=1e-9)


def test_peak_power_of_rabi_oscillations():
    record = rabi(np.linspace(0.0, 20.0, 2001))
    frequency = 0.14448  # A(0.5) of the default scales, GHz
    expected = 0.5 * 3.0 * 6.62607015e-25 * 2.0 * math.pi * frequency * 1e9
    found = peak_power(record, 3.0)
    assert found == close(expected, 1e-5)
    assert found < expected


def test_peak_power_uses_uneven_times_and_all_spins():
    record = rabi([0.0, 1.0, 4.0, 4.5, 10.0])
    mu = record.dataset["magnetization_t"].to_numpy()
    slopes = [(mu[k + 1] - mu[k]) / dt for k, dt in enumerate((1.0, 3.0, 0.5, 5.5))]
    one = peak_power(record, 2.0)
    assert one == close(6.62607015e-25 * max(slopes) * 1e9, 1e-12)
    assert peak_power_as_printed(record, 2.0) == close(0.5 * one, 1e-15)
    level, zero = Waveform(((0.0, 0.5), (1.0, 0.5))), Waveform(((0.0, 0.0), (1.0, 0.0)))
    four = charge(ring(4), Protocol(20.0, level, zero, -0.5, 0.0), times=[0.0, 1.0, 4.0, 4.5, 10.0], tolerance=1e-9)
    assert peak_power(four, 2.0) == close(4.0 * one, 1e-6)


@pytest.mark.parametrize("times", [None, [1.0], [1.0, 2.0]])
def test_peak_power_needs_three_times(times):
    with pytest.raises(RecordError, match="three or more output times"):
        peak_power(rabi(times), 1.0)


def test_peak_power_checks_the_field():
    with pytest.raises(InvalidParameterError, match="field_ghz"):
        peak_power(rabi([0.0, 1.0, 2.0]), -1.0)


def test_the_factor_between_the_engines_of_the_paper_is_a_difference():
    ratio, difference = ratio_and_difference(6.894e5, 6.327e5)
    assert ratio == pytest.approx(1.0896, abs=1e-4)
    assert difference == pytest.approx(5.670e4, abs=1.0)


def test_there_is_no_ratio_to_zero():
    with pytest.raises(InvalidParameterError, match="b must not be zero"):
        ratio_and_difference(1.0, 0.0)


# --- ergotropy and capacity


@given(st.floats(0.0, 1.0), st.floats(0.1, 10.0))
def test_a_diagonal_qubit(up, splitting):
    # populations (up, 1 - up) on levels (+splitting/2, -splitting/2): a pulse swaps them where up > 1/2
    rho, hamiltonian = np.diag([up, 1.0 - up]), 0.5 * splitting * SZ
    assert ergotropy(rho, hamiltonian) == pytest.approx(max(0.0, 2.0 * up - 1.0) * splitting, abs=1e-12)
    assert capacity(rho, hamiltonian) == pytest.approx(abs(2.0 * up - 1.0) * splitting, abs=1e-12)


@given(st.floats(0.0, 1.0), st.floats(0.0, math.pi), st.floats(0.0, 2.0 * math.pi))
def test_a_qubit_with_coherence(length, theta, phi):
    # Bloch vector r at angle theta to the field: ergotropy r (1 + cos theta), capacity 2 r
    x, y, z = math.sin(theta) * math.cos(phi), math.sin(theta) * math.sin(phi), math.cos(theta)
    sy = np.array([[0.0, -1j], [1j, 0.0]])
    rho = 0.5 * (np.eye(2) + length * (x * SX + y * sy + z * SZ))
    assert ergotropy(rho, SZ) == pytest.approx(length * (1.0 + math.cos(theta)), abs=1e-12)
    assert capacity(rho, SZ) == pytest.approx(2.0 * length, abs=1e-12)


@given(dimensions, seeds)
def test_a_pure_state_gives_all_its_energy_above_the_ground_state(dimension, seed):
    psi, hamiltonian = amplitudes(dimension, seed), hermitian(dimension, seed + 1)
    levels = np.linalg.eigvalsh(hamiltonian)
    energy = np.vdot(psi, hamiltonian @ psi).real
    assert ergotropy(psi, hamiltonian) == pytest.approx(energy - levels[0], abs=1e-10)
    assert capacity(psi, hamiltonian) == pytest.approx(levels[-1] - levels[0], abs=1e-10)


@given(dimensions, seeds)
def test_a_state_vector_and_its_projector_agree(dimension, seed):
    psi, hamiltonian = amplitudes(dimension, seed), hermitian(dimension, seed + 1)
    projector = np.outer(psi, psi.conj())
    assert ergotropy(psi, hamiltonian) == pytest.approx(ergotropy(projector, hamiltonian), abs=1e-10)
    assert capacity(psi, hamiltonian) == pytest.approx(capacity(projector, hamiltonian), abs=1e-10)


@given(dimensions, seeds)
def test_the_maximally_mixed_state_gives_nothing(dimension, seed):
    rho, hamiltonian = np.eye(dimension) / dimension, hermitian(dimension, seed)
    assert ergotropy(rho, hamiltonian) == pytest.approx(0.0, abs=1e-12)
    assert capacity(rho, hamiltonian) == pytest.approx(0.0, abs=1e-12)


@given(dimensions, seeds, st.floats(0.05, 5.0))
def test_a_thermal_state_is_passive_and_its_inversion_gives_the_capacity(dimension, seed, beta):
    levels, vectors = np.linalg.eigh(hermitian(dimension, seed))
    hamiltonian = (vectors * levels) @ vectors.conj().T
    populations = np.exp(-beta * (levels - levels[0]))
    populations /= populations.sum()
    thermal = (vectors * populations) @ vectors.conj().T
    inverted = (vectors * populations[::-1]) @ vectors.conj().T
    assert ergotropy(thermal, hamiltonian) == pytest.approx(0.0, abs=1e-10)
    assert ergotropy(inverted, hamiltonian) == pytest.approx(capacity(thermal, hamiltonian), abs=1e-10)


@given(dimensions, seeds)
def test_no_unitary_extracts_more_and_capacity_is_invariant(dimension, seed):
    rho, hamiltonian = density(dimension, seed), hermitian(dimension, seed + 1)
    unitary = np.atleast_2d(unitary_group.rvs(dimension, random_state=seed)) if dimension > 1 else np.eye(1)
    turned = unitary @ rho @ unitary.conj().T
    extracted = np.trace((rho - turned) @ hamiltonian).real
    most = ergotropy(rho, hamiltonian)
    assert extracted <= most + 1e-10
    assert capacity(turned, hamiltonian) == pytest.approx(capacity(rho, hamiltonian), abs=1e-10)
    assert ergotropy(turned, hamiltonian) == pytest.approx(most - extracted, abs=1e-10)
    assert 0.0 <= most <= capacity(rho, hamiltonian) + 1e-10


@given(dimensions, seeds)
def test_a_diagonal_hamiltonian_may_be_given_as_its_diagonal(dimension, seed):
    levels = np.random.default_rng(seed).standard_normal(dimension)
    for state in (density(dimension, seed), amplitudes(dimension, seed)):
        assert ergotropy(state, levels) == pytest.approx(ergotropy(state, np.diag(levels)), abs=1e-12)
        assert capacity(state, levels) == pytest.approx(capacity(state, np.diag(levels)), abs=1e-12)


def test_complex_coherences_enter_with_the_right_sign():
    # <H> = Tr(rho H), not Tr(rho H^T): |+y> is the upper level of sy, so all of the splitting comes out
    sy = np.array([[0.0, -1j], [1j, 0.0]])
    plus = np.array([1.0, 1j]) / math.sqrt(2.0)
    assert ergotropy(plus, sy) == pytest.approx(2.0)
    assert ergotropy(np.outer(plus, plus.conj()), sy) == pytest.approx(2.0)


@pytest.mark.parametrize("measure", [ergotropy, capacity])
@pytest.mark.parametrize(
    ("state", "hamiltonian", "message"),
    [
        ([1.0, 1.0], SZ, "squared norm 2"),
        (np.eye(2), SZ, "trace 2"),
        (np.diag([1.5, -0.5]), SZ, "negative eigenvalue -0.5"),
        (np.array([[0.5, 0.3], [0.0, 0.5]]), SZ, "state is a matrix that is not Hermitian"),
        ([1.0, 0.0], np.array([[0.0, 1.0], [0.0, 0.0]]), "hamiltonian is a matrix that is not Hermitian"),
        ([1.0, 0.0], np.array([1.0, 1j]), "not real"),
        ([1.0, 0.0, 0.0], SZ, "dimension 3, but the Hamiltonian has 2"),
        (np.eye(3) / 3.0, [1.0, -1.0], "dimension 3, but the Hamiltonian has 2"),
        ([1.0, math.nan], SZ, "state has entries that are not finite"),
        ([1.0, 0.0], np.diag([math.inf, 0.0]), "hamiltonian has entries that are not finite"),
        (np.ones((2, 3)), SZ, r"state must be of shape \(d,\) or \(d, d\)"),
        ([1.0, 0.0], np.ones((2, 2, 2)), "hamiltonian must be of shape"),
        ([], [], "hamiltonian must be of shape"),
        (1.0, SZ, "state must be of shape"),
        (["up", "down"], SZ, "array of numbers"),
        (np.ones(4097) / math.sqrt(4097.0), np.ones(4097), "at most 4096"),
    ],
)
def test_bad_input_is_refused(measure, state, hamiltonian, message):
    with pytest.raises(InvalidParameterError, match=message):
        measure(state, hamiltonian)


def test_twelve_spins_are_allowed():
    diagonal = np.arange(4096.0)
    excited = np.zeros(4096)
    excited[-1] = 1.0
    assert ergotropy(excited, diagonal) == 4095.0
    assert capacity(excited, diagonal) == 4095.0
