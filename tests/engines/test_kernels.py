"""Kernels against a brute-force state vector, and the state they act on."""

from __future__ import annotations

import numpy as np
import pytest

from spinbattery import ChargingProblem, ProductState, Statevector, cooperative, torus
from spinbattery.engines.common import propagation, stepping
from spinbattery.engines.dense import small_state as split_step
from spinbattery.engines.dense.small_state import SplitState
from spinbattery.engines.simd import kernels
from spinbattery.engines.simd.declared import evolve_tile, transverse_expectation
from spinbattery.engines.simd.sizes import TILE_BITS
from spinbattery.model.operators import magnetization_diagonal

SIZES = [1, 2, 3, 5, 6, 7, 9, 13]  # all ways in which bits are turned


def random_state(n, rng):
    psi = rng.normal(size=1 << n) + 1j * rng.normal(size=1 << n)
    return psi / np.linalg.norm(psi)


def gauge(n):
    """i to the number of down bits: from amplitudes to the representation the kernels use."""
    return np.array([1.0, 1j, -1.0, -1j])[((n - magnetization_diagonal(n).astype(int)) // 2) % 4]


def rotated(psi, n, theta):
    """exp(-i theta Sx) psi, spin by spin."""
    c, s = np.cos(theta), -1j * np.sin(theta)
    for k in range(n):
        parts = psi.reshape(1 << k, 2, -1)
        psi = np.stack([c * parts[:, 0] + s * parts[:, 1], s * parts[:, 0] + c * parts[:, 1]], axis=1).ravel()
    return psi


def sum_of_flips(psi, n):
    """<Sx> from the amplitudes of all pairs of neighbouring basis states."""
    index = np.arange(1 << n)
    return sum(float(np.vdot(psi, psi[index ^ (1 << k)]).real) for k in range(n))


@pytest.mark.parametrize("stages", [1, 4, 5])
@pytest.mark.parametrize("n", SIZES)
def test_evolve_against_brute_force(n, stages):
    rng = np.random.default_rng([n, stages])
    magnetization, ising = magnetization_diagonal(n), rng.normal(size=1 << n)
    theta = rng.uniform(-1.0, 1.0, stages)
    field, coupling = rng.normal(scale=5.0, size=(2, stages + 1))
    start = random_state(n, rng)
    expected = start
    for k in range(stages + 1):
        expected = expected * np.exp(-1j * (field[k] * magnetization + coupling[k] * ising))
        if k < stages:
            expected = rotated(expected, n, theta[k])
    found = start * gauge(n)
    re, im = found.real.copy(), found.imag.copy()
    evolve_tile(re, im, n, magnetization, ising, theta, field, coupling)
    np.testing.assert_allclose((re + 1j * im) / gauge(n), expected, rtol=0, atol=2e-14)
    assert np.sum(re**2 + im**2) == pytest.approx(1.0, abs=1e-13)


def test_a_whole_tile_is_among_the_sizes_tested():
    assert max(SIZES) == TILE_BITS


@pytest.mark.parametrize("n", [9, 13])
def test_stages_without_a_rotation_are_no_exception(n):
    rng = np.random.default_rng(n)
    magnetization, ising = magnetization_diagonal(n), rng.normal(size=1 << n)
    theta = np.array([0.0, 0.3, 0.0, 0.0])
    field, coupling = rng.normal(size=(2, 5))
    start = random_state(n, rng)
    phase = [np.exp(-1j * (f * magnetization + c * ising)) for f, c in zip(field, coupling, strict=True)]
    expected = phase[4] * phase[3] * phase[2] * rotated(phase[1] * phase[0] * start, n, 0.3)
    found = start * gauge(n)
    re, im = found.real.copy(), found.imag.copy()
    evolve_tile(re, im, n, magnetization, ising, theta, field, coupling)
    np.testing.assert_allclose((re + 1j * im) / gauge(n), expected, rtol=0, atol=2e-14)


def test_large_phases_keep_their_digits():
    # 60 us of coupling accumulate 1e6 rad in one stage only if someone asks for huge steps; the sine must still hold
    magnetization, ising = magnetization_diagonal(3), np.linspace(-1.0, 1.0, 8)
    psi = random_state(3, np.random.default_rng(0))
    found = psi * gauge(3)
    re, im = found.real.copy(), found.imag.copy()
    evolve_tile(re, im, 3, magnetization, ising, np.zeros(1), np.array([0.0, 0.0]), np.array([1e5, 0.0]))
    np.testing.assert_allclose((re + 1j * im) / gauge(3), psi * np.exp(-1j * 1e5 * ising), rtol=0, atol=1e-11)


@pytest.mark.parametrize("n", SIZES)
def test_thousands_of_stages_keep_the_norm(n):
    rng = np.random.default_rng(n)
    stages = 2000 if n < 13 else 200
    found = random_state(n, rng) * gauge(n)
    re, im = found.real.copy(), found.imag.copy()
    phases = rng.normal(size=(2, stages + 1))
    evolve_tile(re, im, n, magnetization_diagonal(n), rng.normal(size=1 << n), rng.uniform(-1, 1, stages), *phases)
    assert np.sum(re**2 + im**2) == pytest.approx(1.0, abs=1e-11)


@pytest.mark.parametrize("n", SIZES)
def test_transverse_expectation(n):
    psi = random_state(n, np.random.default_rng(n))
    found = psi * gauge(n)
    value = transverse_expectation(found.real.copy(), found.imag.copy(), n)
    assert value == pytest.approx(sum_of_flips(psi, n), abs=1e-12 * n)


def test_product_states_are_laid_out_with_spin_zero_first():
    spinors = ProductState((0.3, 1.1, 2.0), (0.5, -1.0, 2.5)).spinors(3)
    state = SplitState(spinors, np.zeros(8))
    expected = np.kron(np.kron(spinors[0], spinors[1]), spinors[2])
    np.testing.assert_allclose(state.amplitudes(), expected, atol=1e-15)
    p, norm = state.probabilities()
    assert norm == pytest.approx(1.0, abs=1e-15)
    np.testing.assert_allclose(p, np.abs(expected) ** 2, atol=1e-15)
    assert state.transverse() == pytest.approx(
        sum(np.sin(t) * np.cos(f) for t, f in ((0.3, 0.5), (1.1, -1.0), (2.0, 2.5)))
    )


def test_stages_may_be_applied_in_chunks_of_any_size(monkeypatch):
    problem = ChargingProblem(torus(2, 2), cooperative(3.0))
    engine = Statevector(1e-3, keep_state=True)
    whole = engine.run(problem, times=[0.5, 1.5]).dataset
    reports: list[float] = []
    monkeypatch.setattr(SplitState, "shortest_chunk", 1)
    monkeypatch.setattr(propagation, "_SECONDS_PER_CHUNK", 7.5 * 16 * split_step.SECONDS_PER_AMPLITUDE_STAGE)
    pieces = engine.run(problem, times=[0.5, 1.5], progress=lambda fraction, message: reports.append(fraction)).dataset
    assert len(reports) > 50
    assert all(0.0 < fraction <= 1.0 for fraction in reports)
    assert reports[-1] == 1.0
    assert_same(pieces, whole)


def test_fields_may_be_projected_in_blocks_of_any_size(monkeypatch):
    problem = ChargingProblem(torus(2, 2), cooperative(3.0))
    engine = Statevector(1e-3, keep_state=True)
    whole = engine.run(problem, times=[0.5, 1.5]).dataset
    monkeypatch.setattr(propagation, "STEPS_PER_BLOCK", 3)
    assert_same(engine.run(problem, times=[0.5, 1.5]).dataset, whole)
    monkeypatch.setattr(stepping, "STEPS_PER_BLOCK", 3)  # of all passes together
    assert_same(engine.run(problem, times=[0.5, 1.5]).dataset, whole)


def assert_same(one, other):
    for name in ("state", "magnetization_t", "energy_t", "distribution"):
        np.testing.assert_allclose(one[name], other[name], rtol=0, atol=1e-13)


@pytest.mark.parametrize("kernel", [kernels.evolve_tile, kernels.transverse_expectation])
def test_kernels_release_the_interpreter_lock_where_numba_calls_them(kernel):
    assert kernel.targetoptions["nogil"]
