"""Density-matrix kernels against dense matrices, and the state they act on."""

from __future__ import annotations

import math
from functools import reduce

import numpy as np
import pytest
from scipy.linalg import expm

from spinbattery import ChargingProblem, Product, ProductState, cooperative, polarised, ring, torus
from spinbattery.core.errors import EngineError, InsufficientMemoryError, ToleranceError
from spinbattery.engines.common.mesh import initial_steps
from spinbattery.engines.common.splitting import Stages
from spinbattery.engines.dense import density, density_kernels
from spinbattery.engines.dense.declared import TILE_DIGITS
from spinbattery.engines.dense.density import DensityState, smallest_eigenvalue
from spinbattery.engines.dense.lindblad import Lindblad
from spinbattery.engines.dense.noise_maps import decays, relaxation_maps
from spinbattery.model.noise import Noise
from spinbattery.model.operators import ising_diagonal, magnetization_diagonal

X, Y, Z = np.array([[0, 1], [1, 0]]), np.array([[0, -1j], [1j, 0]]), np.diag([1, -1])
PAULI = (X, Y, Z)
SIZES = [1, 2, 3, 6, 7]  # 6 spins fill a tile, and 7 exceed it, so that the sweeps of the high digits act


def superoperator(left, right):
    """rho -> left rho right on the rows of rho in sequence."""
    return np.kron(left, right.T)


def dissipator(jump):
    """D[jump]."""
    square = jump.conj().T @ jump
    one = np.eye(2)
    return superoperator(jump, jump.conj().T) - 0.5 * (superoperator(square, one) + superoperator(one, square))


def transverse_generator(theta, time, pauli, relaxation, nx, q):
    """What one spin is under in a T stage of that turn and duration, with a steady axis; shape (4, 4)."""
    one, nz = np.eye(2), math.sqrt(1.0 - nx**2)
    axis = nx * X + nz * Z
    across = nz * X - nx * Z
    lower, raise_ = 0.5 * (across - 1j * Y), 0.5 * (across + 1j * Y)
    np.testing.assert_allclose(axis @ lower, -lower, atol=1e-15)  # it ends in the state of energy -E
    noise = sum(rate * dissipator(op) for rate, op in zip(pauli, PAULI, strict=True))
    noise = noise + relaxation * (0.5 * (1.0 + q) * dissipator(lower) + 0.5 * (1.0 - q) * dissipator(raise_))
    return -1j * theta * (superoperator(X, one) - superoperator(one, X)) + time * noise


def apply_to_spin(rho, n, k, map_):
    """A single-spin map, (4, 4), on spin k of rho."""
    tensor = np.moveaxis(rho.reshape((2,) * (2 * n)), (k, n + k), (0, 1))
    done = (map_ @ tensor.reshape(4, -1)).reshape(tensor.shape)
    return np.moveaxis(done, (0, 1), (k, n + k)).reshape(rho.shape)


def random_stages(rng, count, nx, q):
    """Stages as a splitting makes them, some backwards, with a steady axis of relaxation."""
    times = rng.uniform(-0.3, 1.0, count)
    nz = math.sqrt(1.0 - nx**2)
    relaxing = np.outer([q * nx, q * nz, nx * nx, nx * nz], times)
    return Stages(rng.normal(size=count), *rng.normal(size=(2, count + 1)), times, relaxing)


def brute_force(rho, n, stages, magnetization, ising, pauli, relaxation, nx, q):
    for k in range(len(stages.field)):
        phase = np.exp(-1j * (stages.field[k] * magnetization + stages.ising[k] * ising))
        rho = phase[:, None] * rho * phase.conj()
        if k < len(stages.theta):
            for spin in range(n):
                generator = transverse_generator(
                    stages.theta[k], stages.times[k], pauli[:, spin], relaxation[spin], nx, q
                )
                rho = apply_to_spin(rho, n, spin, expm(generator))
    return rho


@pytest.mark.parametrize("relaxes", [False, True], ids=["flips", "relaxation"])
@pytest.mark.parametrize("n", SIZES)
def test_stages_against_dense_matrices(n, relaxes):
    rng = np.random.default_rng([n, relaxes])
    pauli = rng.uniform(0.0, 0.3, (3, n))
    relaxation = rng.uniform(0.0, 0.4, n) * relaxes
    ising, magnetization = rng.normal(size=1 << n), magnetization_diagonal(n)
    stages = random_stages(rng, 3, nx=-0.6, q=0.7)
    spinors = ProductState(tuple(rng.uniform(0, 3, n)), tuple(rng.uniform(0, 6, n))).spinors(n)
    state = DensityState(spinors, ising, pauli, relaxation)
    psi = reduce(np.kron, spinors)
    start = np.outer(psi, psi.conj())
    np.testing.assert_allclose(state.matrix(), start, atol=1e-14)
    state.apply(stages)
    expected = brute_force(start, n, stages, magnetization, ising, pauli, relaxation, -0.6, 0.7)
    np.testing.assert_allclose(state.matrix(), expected, rtol=0, atol=1e-13)
    p, trace = state.probabilities()
    assert trace == pytest.approx(1.0, abs=1e-13)
    np.testing.assert_allclose(p, np.diag(expected).real, atol=1e-13)
    assert state.purity() == pytest.approx(np.vdot(expected, expected).real, rel=1e-12)
    flips = np.arange(1 << n) ^ (1 << np.arange(n))[:, None]
    transverse = sum(np.trace(expected[flip]).real for flip in flips)  # <Sx> = sum of tr(X_k rho)
    assert state.transverse() == pytest.approx(transverse, abs=1e-12)
    assert smallest_eigenvalue(state.arrays[0]) == pytest.approx(np.linalg.eigvalsh(expected)[0], abs=1e-13)


def test_the_sweeps_of_high_digits_are_among_the_sizes_tested():
    assert sorted(SIZES)[-2:] == [TILE_DIGITS, TILE_DIGITS + 1]


@pytest.mark.parametrize("n", [8, 9, 10])  # from 10 on fewer columns are gathered at once
@pytest.mark.parametrize("relaxes", [False, True], ids=["flips", "relaxation"])
def test_spins_apart_evolve_alone_whatever_their_place(n, relaxes):
    """Several high digits: a product of different spins stays one, and each spin is what it is alone."""
    rng = np.random.default_rng([n, relaxes, 1])
    pauli, relaxation = rng.uniform(0.0, 0.3, (3, n)), rng.uniform(0.0, 0.4, n) * relaxes
    spinors = ProductState(tuple(rng.uniform(0, 3, n)), tuple(rng.uniform(0, 6, n))).spinors(n)
    stages = random_stages(rng, 2, nx=0.3, q=0.9)
    whole = DensityState(spinors, np.zeros(1 << n), pauli, relaxation)
    whole.apply(stages)
    alone = [DensityState(spinors[[k]], np.zeros(2), pauli[:, [k]], relaxation[[k]]) for k in range(n)]
    for one in alone:
        one.apply(stages)
    np.testing.assert_allclose(whole.matrix(), reduce(np.kron, [one.matrix() for one in alone]), rtol=0, atol=1e-14)


def test_turns_faster_and_slower_than_the_decays_are_in_closed_form():
    theta, times = np.array([0.0, 0.2, 1.0, 3.0, -0.4, 0.25]), np.array([1.0, 1.0, 2.0, 0.0, -0.3, 1.0])
    pauli = np.array([[0.0, 0.1, 0.0], [0.0, 0.7, 0.0], [0.0, 0.2, 0.5]])  # none, overdamped, and critical at 0.25
    for turn, time in zip(theta, times, strict=True):
        for x, y, z in (time * decays(pauli)).T:
            *found, scale = 2.0 * np.array(density_kernels.flip_map.py_func(turn, x, y, z))
            exact = expm(np.array([[-z, -2.0 * turn], [2.0 * turn, -y]]))
            np.testing.assert_allclose(np.reshape(found, (2, 2)), exact, rtol=1e-12, atol=1e-13)
            assert scale == pytest.approx(math.exp(-x))


def test_relaxation_without_rates_is_a_turn_and_strong_relaxation_ends_in_equilibrium():
    theta, times = np.array([0.3, 0.0]), np.array([0.5, 200.0])
    nx, q = 0.8, 0.6
    relaxing = np.outer([q * nx, q * 0.6, nx * nx, nx * 0.6], times)
    turn, equilibrium = relaxation_maps(theta, times, relaxing, np.zeros((3, 2)), np.array([0.0, 1.0]))
    c, s = math.cos(0.6), math.sin(0.6)
    np.testing.assert_allclose(turn[0].reshape(3, 4), [[0, c, 0, s], [0, 0, 1, 0], [0, -s, 0, c]], atol=1e-14)
    expected = np.zeros((3, 4))
    expected[:, 0] = 0.0, -q * nx, -q * 0.6
    np.testing.assert_allclose(equilibrium[1].reshape(3, 4), expected, atol=1e-12)


def test_stages_may_be_applied_in_parts(monkeypatch):
    rng = np.random.default_rng(8)
    stages = random_stages(rng, 23, nx=0.5, q=0.2)
    ising = ising_diagonal(3, np.array([[0, 1], [1, 2]]), np.array([0.3, -0.7]))

    def run():
        state = DensityState(ProductState((1.0,)).spinors(3), ising, np.full((3, 3), 0.01), np.full(3, 0.02))
        state.apply(stages)
        return state.matrix()

    whole = run()
    monkeypatch.setattr(density, "_STAGES_AT_ONCE", 5)
    np.testing.assert_allclose(run(), whole, rtol=0, atol=1e-14)


def test_the_kernel_releases_the_interpreter_lock():
    for kernel in (density_kernels.evolve_flipping, density_kernels.evolve_relaxing):
        assert kernel.targetoptions["nogil"]


NOISES = {
    "x": Noise(x=1e-3),
    "strong": Noise(z=0.2, depolarising=0.3),
    "relaxation": Noise(relaxation=0.01, temperature=16.0),
}


@pytest.mark.parametrize("tolerance", [1e-4, 1e-7])
@pytest.mark.parametrize("protocol", [cooperative(20.0), polarised(5.0, J=0.0)], ids=["coupled", "alone"])
@pytest.mark.parametrize("noise", NOISES.values(), ids=NOISES)
def test_steps_are_predicted_within_a_factor_of_four(noise, protocol, tolerance):
    problem = ChargingProblem(torus(2, 2), protocol, noise=noise)
    engine = (Product if problem.is_local else Lindblad)(tolerance)
    predicted = engine.plan(problem, np.empty(0))
    needed = engine.run(problem).discretisation["steps"]
    assert needed / 4.0 <= predicted.finest <= needed * 4.0


def test_stages_resolve_fast_decays():
    slow, fast = (ChargingProblem(torus(2, 2), cooperative(20.0), noise=Noise(x=rate)) for rate in (1e-9, 50.0))
    assert initial_steps(fast) > 3 * initial_steps(slow)
    record = Lindblad(1e-6).run(fast)
    assert record.magnetization == pytest.approx(0.0, abs=1e-6)
    assert float(record.dataset["purity"]) == pytest.approx(2.0**-4, rel=1e-3)


def test_larger_matrices_and_relaxation_take_longer():
    def seconds(n, noise):
        return Lindblad().predicted_seconds(ChargingProblem(torus(1, n), cooperative(20.0), noise=noise), np.empty(0))

    found = [[seconds(n, noise) for n in (2, 5, 8, 12)] for noise in (NOISES["x"], NOISES["relaxation"])]
    assert all((np.diff(row) > 0.0).all() for row in found)
    assert (np.array(found[1]) > np.array(found[0])).all()


def test_thirteen_spins_are_refused_and_what_can_take_them_is_named():
    problem = ChargingProblem(torus(1, 13), cooperative(5.0), noise=Noise(x=1e-3))
    with pytest.raises(EngineError, match="trajectories"):
        Lindblad().check(problem)


def test_memory_is_refused_beforehand():
    problem = ChargingProblem(torus(3, 4), cooperative(5.0), noise=Noise(x=1e-3))
    with pytest.raises(InsufficientMemoryError, match=r"1\.51 GB"):
        Lindblad().check(problem, available=500_000_000)
    Lindblad().check(problem, available=2_000_000_000)


def test_a_matrix_below_zero_keeps_the_passes_going(monkeypatch):
    """A combination of passes need not be positive, though mu and sigma^2 are within the tolerance."""
    problem = ChargingProblem(torus(1, 2), cooperative(1.0), noise=Noise(x=1e-3))
    once, found = Lindblad(1e-6).run(problem), []

    def smallest(entries):
        found.append(-2e-6 if len(found) < 2 else -1e-7)
        return found[-1]

    monkeypatch.setattr("spinbattery.engines.dense.density.smallest_eigenvalue", smallest)
    longer = Lindblad(1e-6).run(problem)
    assert float(longer.dataset["smallest_eigenvalue"]) == -1e-7
    assert longer.discretisation["passes"] == once.discretisation["passes"] + 2
    monkeypatch.setattr("spinbattery.engines.dense.density.smallest_eigenvalue", lambda entries: -2e-6)
    with pytest.raises(ToleranceError, match=r"estimate is 2\.0e-06.*loosen the tolerance"):
        Lindblad(1e-6, max_levels=4).run(problem)


@pytest.mark.parametrize("n", [2, 3, 4])
def test_a_state_that_stays_pure_is_positive_within_the_tolerance(n):
    record = Lindblad(1e-6).run(ChargingProblem(ring(n), cooperative(60.0)))
    assert -1e-6 <= float(record.dataset["smallest_eigenvalue"]) <= 1e-6
    assert float(record.dataset["purity"]) == pytest.approx(1.0, abs=2e-6)
