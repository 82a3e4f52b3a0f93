"""The state vector against QuTiP and SciPy, and the product engine against the state vector.

The peers integrate the problem's exported Hamiltonian with methods of their own; the exports
themselves are checked against Kronecker products of Pauli matrices among the unit tests.
"""

from __future__ import annotations

import itertools
import math
from functools import reduce

import numpy as np
import pytest
import qutip
from scipy.sparse.linalg import expm_multiply

from spinbattery import (
    ChargingProblem,
    EnergyScales,
    Product,
    ProductState,
    Protocol,
    SpinNetwork,
    Statevector,
    Waveform,
    advantage_system6,
    cooperative,
    polarised,
    torus,
)
from spinbattery.model.operators import magnetization_diagonal
from spinbattery.model.scales import LinearTable

AGREEMENT = 1e-6


def random_network(n, seed):
    """Random graph with random weights, and random cross-talk on pairs coupled or not."""
    rng = np.random.default_rng(seed)
    every = list(itertools.combinations(range(n), 2))
    pairs = [pair for pair in every if rng.random() < 0.6]
    parasitic = [pair for pair in every if rng.random() < 0.4]
    return SpinNetwork(
        n, pairs, rng.normal(size=len(pairs)), parasitic, 0.1 * rng.normal(size=len(parasitic)), name=f"random:{n}"
    )


def random_start(n, seed):
    rng = np.random.default_rng(seed)
    return ProductState(tuple(rng.uniform(0.0, math.pi, n)), tuple(rng.uniform(0.0, 2.0 * math.pi, n)))


def noisy_table():
    """Forty linear pieces with one percent of noise on A, as a measured table has."""
    rng = np.random.default_rng(11)
    s, smooth = np.linspace(0.0, 1.0, 41), advantage_system6()
    measured = smooth.A(s) * (1.0 + 0.01 * rng.normal(size=41))
    return EnergyScales("noisy", LinearTable(tuple(s), tuple(measured)), LinearTable(tuple(s), tuple(smooth.B(s))))


def asymmetric(initial):
    """Corners of s and g at different times, values of g beyond one, and an uncharged end."""
    s = Waveform(((0.0, 0.8), (0.15, 0.3), (0.7, 0.45), (1.0, 0.9)))
    g = Waveform(((0.0, 0.4), (0.35, -1.3), (0.8, 1.1), (1.0, 0.2)))
    return Protocol(4.0, s, g, h=-0.6, J=0.3, initial=initial)


PROBLEMS = {
    "torus:2x2": ChargingProblem(torus(2, 2), cooperative(6.0)),
    "torus:2x3": ChargingProblem(torus(2, 3), polarised(6.0, s_hold=0.25)),
    "random:4": ChargingProblem(random_network(4, 1), cooperative(5.0, initial=random_start(4, 2))),
    "random:6": ChargingProblem(random_network(6, 3), asymmetric(random_start(6, 4))),
    "table:4": ChargingProblem(torus(2, 2), cooperative(5.0, initial=random_start(4, 5)), noisy_table()),
}


def start_vector(problem):
    """Initial amplitudes as a Kronecker product of Bloch spinors, spin 0 first."""
    initial, n = problem.protocol.initial, problem.n_spins
    theta, phi = (np.resize(angles, n) for angles in (initial.theta, initial.phi))
    spinors = [[np.cos(t / 2), np.exp(1j * p) * np.sin(t / 2)] for t, p in zip(theta, phi, strict=True)]
    return reduce(np.kron, spinors)


def moments(psi, n):
    """mu and sigma^2 of a vector that need not be normalised."""
    p = np.abs(psi) ** 2 / np.linalg.norm(psi) ** 2
    m = magnetization_diagonal(n) / n
    mu = float(p @ m)
    return mu, float(p @ (m - mu) ** 2)


@pytest.fixture(scope="module", params=PROBLEMS, ids=list(PROBLEMS))
def case(request):
    """A problem and its record, with the moments at every corner."""
    problem = PROBLEMS[request.param]
    return problem, Statevector(1e-8, keep_state=True).run(problem, times=problem.protocol.breakpoints)


def assert_same_end(record, psi):
    mu, variance = moments(psi, record.n_spins)
    assert record.magnetization == pytest.approx(mu, abs=AGREEMENT)
    assert record.precision == pytest.approx(1.0 / variance, rel=AGREEMENT)
    overlap = abs(np.vdot(record.state, psi)) / np.linalg.norm(psi)
    assert overlap == pytest.approx(1.0, abs=1e-10)


def test_statevector_against_qutip(case):
    problem, record = case
    n, hamiltonian = problem.n_spins, problem.to_qobjevo()
    start = qutip.Qobj(start_vector(problem), dims=[[2] * n, [1] * n])
    solved = qutip.sesolve(
        hamiltonian,
        start,
        problem.protocol.breakpoints,
        options={"method": "vern9", "atol": 1e-12, "rtol": 1e-10, "nsteps": 10**7, "store_states": True},
    )
    assert_same_end(record, solved.states[-1].full().ravel())
    found = [moments(state.full().ravel(), n) for state in solved.states]
    np.testing.assert_allclose(record.dataset["magnetization_t"], [mu for mu, _ in found], atol=AGREEMENT)
    np.testing.assert_allclose(record.dataset["std_t"] ** 2, [variance for _, variance in found], atol=AGREEMENT)
    energy = [
        qutip.expect(hamiltonian(t), state.unit()) / (2.0 * math.pi)
        for t, state in zip(problem.protocol.breakpoints, solved.states, strict=True)
    ]
    np.testing.assert_allclose(record.dataset["energy_t"], energy, atol=10.0 * AGREEMENT)


@pytest.mark.slow
def test_statevector_against_expm_multiply(case):
    """Commutator-free Magnus steps of order 4 (two exponentials, two Gauss nodes) that end at every kink."""
    problem, record = case
    hamiltonian = problem.to_scipy()
    kinks = problem.protocol.kinks(problem.scales)
    longest = 0.02
    node, inner, outer = math.sqrt(3.0) / 6.0, 0.25 - math.sqrt(3.0) / 6.0, 0.25 + math.sqrt(3.0) / 6.0
    psi = start_vector(problem)
    for begin, end in itertools.pairwise(kinks):
        edges = np.linspace(begin, end, 1 + math.ceil((end - begin) / longest))
        for a, b in itertools.pairwise(edges):
            step, middle = b - a, 0.5 * (a + b)
            first, last = hamiltonian(middle - node * step), hamiltonian(middle + node * step)
            psi = expm_multiply(-1j * step * (outer * first + inner * last), psi, traceA=0.0)
            psi = expm_multiply(-1j * step * (inner * first + outer * last), psi, traceA=0.0)
    assert_same_end(record, psi)


def test_both_splittings_agree(case):
    problem, record = case
    other = Statevector(1e-8, splitting="BM4").run(problem)
    assert other.magnetization == pytest.approx(record.magnetization, abs=2e-8)
    assert other.precision == pytest.approx(record.precision, rel=2e-8)


@pytest.mark.parametrize("scales", [advantage_system6(), noisy_table()], ids=["smooth", "table"])
@pytest.mark.parametrize(
    "start",
    [None, ProductState.named("up"), random_start(5, 7), ProductState((0.2, 1.1, 0.2, 1.1, 1.1), (0.3,))],
    ids=["down", "up", "all different", "two kinds"],
)
def test_product_against_statevector(start, scales):
    problem = ChargingProblem(torus(1, 5), polarised(5.0, J=0.0, s_hold=0.25, initial=start), scales)
    times = np.linspace(0.0, 5.0, 8)
    product, full = Product(1e-9).run(problem, times), Statevector(1e-9).run(problem, times)
    assert product.magnetization == pytest.approx(full.magnetization, abs=2e-9)
    assert product.precision == pytest.approx(full.precision, rel=2e-9)
    for name in ("distribution", "spin_magnetization", "magnetization_t", "energy_t", "std_t"):
        np.testing.assert_allclose(product.dataset[name], full.dataset[name], rtol=0, atol=2e-8, err_msg=name)


def test_product_against_the_closed_form_of_one_spin():
    """Constant fields: Rabi rotation about (Bx, 0, Bz) by 4 pi |B| t."""
    flat = EnergyScales("flat", LinearTable((0.0, 1.0), (1.4, 1.4)), LinearTable((0.0, 1.0), (3.0, 3.0)))
    constant = Waveform(((0.0, 0.5), (1.0, 0.5)))
    protocol = Protocol(3.0, constant, Waveform(((0.0, 1.0), (1.0, 1.0))), h=-0.5, J=0.0)
    times = np.linspace(0.0, 3.0, 13)
    record = Product(1e-10).run(ChargingProblem(SpinNetwork(7, []), protocol, flat), times)
    bx, bz = -0.7, -0.75
    b = math.hypot(bx, bz)
    flipped = (bx / b) ** 2 * np.sin(2.0 * math.pi * b * times) ** 2
    np.testing.assert_allclose(record.dataset["magnetization_t"], 2.0 * flipped - 1.0, rtol=0, atol=1e-10)
    np.testing.assert_allclose(record.dataset["energy_t"], 7.0 * 0.75, rtol=0, atol=1e-8)  # conserved
    p = flipped[-1]
    assert record.variance == pytest.approx(4.0 * p * (1.0 - p) / 7.0, rel=1e-9)
    binomial = [math.comb(7, k) * p**k * (1.0 - p) ** (7 - k) for k in range(8)]
    np.testing.assert_allclose(record.dataset["distribution"], binomial, rtol=0, atol=1e-9)
