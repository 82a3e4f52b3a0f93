"""The Lindblad engine against QuTiP, against the other engines, and against itself at shorter steps.

QuTiP is given the noise as the definition in :class:`spinbattery.Noise` says it, jump by jump.
"""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import qutip

from spinbattery import (
    ChargingProblem,
    Product,
    ProductState,
    Protocol,
    SpinNetwork,
    Statevector,
    Waveform,
    cooperative,
    polarised,
    ring,
)
from spinbattery.core.progress import silent
from spinbattery.engines.common.mesh import Mesh
from spinbattery.engines.common.propagation import Passage
from spinbattery.engines.dense.density import matrix_of
from spinbattery.engines.dense.lindblad import Lindblad
from spinbattery.model.noise import Noise
from spinbattery.model.operators import magnetization_diagonal


def random_network(n, seed):
    """Random weights on all pairs, and cross-talk on some."""
    rng = np.random.default_rng(seed)
    pairs = list(itertools.combinations(range(n), 2))
    return SpinNetwork(n, pairs, rng.normal(size=len(pairs)), pairs[::2], 0.1 * rng.normal(size=len(pairs[::2])))


def random_start(n, seed):
    rng = np.random.default_rng(seed)
    return ProductState(tuple(rng.uniform(0.0, math.pi, n)), tuple(rng.uniform(0.0, 2.0 * math.pi, n)))


def every_kind(n, seed):
    """All kinds of noise at once, every spin with rates of its own."""
    rng = np.random.default_rng(seed)
    return Noise(*(tuple(rng.uniform(0.0, 0.08, n)) for _ in range(5)), temperature=12.0)


KINDS = {
    "x": Noise(x=0.05),
    "y": Noise(y=0.05),
    "z": Noise(z=(0.05, 0.0, 0.02)),
    "depolarising": Noise(depolarising=0.1),
    "relaxation": Noise(relaxation=0.1, temperature=16.0),
    "every kind": every_kind(3, 4),
}


def on_spin(operator, k, n):
    operators = [qutip.qeye(2)] * n
    operators[k] = operator
    return qutip.tensor(operators)


def relaxation_terms(problem):
    """Relaxation as superoperators with factors of time.

    The jumps are sums of Pauli matrices with factors nz/2, -nx/2 and 1/2; the rates (1 +- q)/2 multiply every
    product of two of them, summed over the spins.
    """
    n, noise = problem.n_spins, problem.noise

    def factor(t, sign, i, j):
        nx, nz, q = (float(value) for value in noise.equilibrium(*problem.fields(t)[:2]))
        parts = 0.5 * nz, -0.5 * nx, 0.5
        return 0.5 * (1.0 + sign * q) * parts[i] * parts[j]

    terms = []
    for sign, i, j in itertools.product((1, -1), range(3), range(3)):
        matrices = qutip.sigmax(), qutip.sigmaz(), -1j * sign * qutip.sigmay()
        superoperator = sum(
            rate * qutip.lindblad_dissipator(on_spin(matrices[i], k, n), on_spin(matrices[j], k, n))
            for k, rate in enumerate(noise.relaxation_rates(n))
        )
        terms.append([superoperator, lambda t, sign=sign, i=i, j=j: factor(t, sign, i, j)])
    return terms


def liouvillian(problem):
    n, noise = problem.n_spins, problem.noise
    static = 0.0 * qutip.spre(on_spin(qutip.qeye(2), 0, n))
    for rates, matrix in zip(noise.pauli_rates(n), (qutip.sigmax(), qutip.sigmay(), qutip.sigmaz()), strict=True):
        for k, rate in enumerate(rates):
            static += rate * qutip.lindblad_dissipator(on_spin(matrix, k, n))
    total = qutip.liouvillian(problem.to_qobjevo()) + static
    return total + qutip.QobjEvo(relaxation_terms(problem)) if np.any(noise.relaxation) else total


def solved_by_qutip(problem, times):
    """Density matrices at the times, the first of which is zero."""
    spinors = problem.protocol.initial.spinors(problem.n_spins)
    psi = qutip.tensor([qutip.Qobj(spinor.reshape(2, 1)) for spinor in spinors])
    options = {"method": "vern7", "atol": 1e-11, "rtol": 1e-9, "nsteps": 10**7, "store_states": True}
    return [state.full() for state in qutip.mesolve(liouvillian(problem), psi.proj(), times, options=options).states]


def moments(rho, n):
    p, m = np.diag(rho).real, magnetization_diagonal(n) / n
    mu = float(p @ m)
    return mu, float(p @ (m - mu) ** 2)


def assert_agrees(problem):
    n, times = problem.n_spins, problem.protocol.breakpoints
    record = Lindblad(1e-8).run(problem, times)
    states = solved_by_qutip(problem, times)
    mu, variance = moments(states[-1], n)
    assert record.magnetization == pytest.approx(mu, abs=1e-7)
    assert record.precision == pytest.approx(1.0 / variance, rel=1e-6)
    data = record.dataset
    np.testing.assert_allclose(data["magnetization_t"], [moments(rho, n)[0] for rho in states], atol=1e-7)
    np.testing.assert_allclose(data["std_t"] ** 2, [moments(rho, n)[1] for rho in states], atol=1e-7)
    np.testing.assert_allclose(data["purity_t"], [np.vdot(rho, rho).real for rho in states], atol=1e-7)
    hamiltonian = problem.to_qobjevo()
    energy = [
        np.trace(hamiltonian(t).full() @ rho).real / (2.0 * math.pi) for t, rho in zip(times, states, strict=True)
    ]
    np.testing.assert_allclose(data["energy_t"], energy, atol=1e-6)
    spins = [np.trace(on_spin(qutip.sigmaz(), k, n).full() @ states[-1]).real for k in range(n)]
    np.testing.assert_allclose(data["spin_magnetization"], spins, atol=1e-7)
    assert float(data["smallest_eigenvalue"]) == pytest.approx(np.linalg.eigvalsh(states[-1])[0], abs=1e-7)
    assert float(data["norm_error"]) < 1e-12


@pytest.mark.slow
def test_mixed_noise_on_a_random_weighted_graph_against_qutip():
    network, start = random_network(4, 1), random_start(4, 2)
    assert_agrees(ChargingProblem(network, polarised(2.0, initial=start), noise=every_kind(4, 3)))


@pytest.mark.parametrize("noise", KINDS.values(), ids=KINDS)
def test_each_kind_of_noise_against_qutip(noise):
    assert_agrees(ChargingProblem(random_network(3, 5), cooperative(1.0, initial=random_start(3, 6)), noise=noise))


@pytest.mark.parametrize("splitting", ["BM4", "BM6"])
@pytest.mark.parametrize("noise", KINDS.values(), ids=KINDS)
def test_the_order_is_kept_with_every_kind_of_noise(noise, splitting):
    """Errors of the whole final density matrix between successive halvings of a fixed mesh.

    The fields do not vanish at the ends: where both do, the axis of relaxation swings round within less than any
    step, which leaves an error of some 1e-11 that falls slowly.
    """
    s = Waveform(((0.0, 0.8), (0.15, 0.3), (0.7, 0.45), (1.0, 0.9)))
    g = Waveform(((0.0, 0.4), (0.35, 1.3), (0.8, 1.1), (1.0, 0.2)))
    protocol = Protocol(6.0, s, g, h=-0.6, J=0.3, initial=random_start(3, 7))
    problem = ChargingProblem(random_network(3, 8), protocol, noise=noise)
    mesh = Mesh(problem, problem.protocol.breakpoints, 60)

    def final(name, halvings):
        engine = Lindblad(splitting=name)
        evolution = engine.stepper(problem, silent)(Passage(problem, engine.scheme, mesh, 1 << halvings))
        return matrix_of(evolution.entries)

    reference = final("BM6", 6)
    errors = np.array([np.linalg.norm(final(splitting, halvings) - reference) for halvings in range(1, 5)])
    orders = np.log2(errors[:-1] / errors[1:])
    assert errors[0] < 1e-2
    assert (orders > {"BM4": 3.8, "BM6": 5.6}[splitting]).all(), orders


@pytest.mark.parametrize("n", [1, 3, 7])
def test_without_noise_it_is_the_state_vector(n):
    network = random_network(n, 9) if n > 1 else SpinNetwork(1, [])
    problem = ChargingProblem(network, cooperative(3.0, initial=random_start(n, 10)))
    times = [0.0, 0.7, 2.0]
    pure, mixed = Statevector(1e-8).run(problem, times), Lindblad(1e-8).run(problem, times)
    assert mixed.discretisation["steps"] == pure.discretisation["steps"]
    for name in ("magnetization", "std", "distribution", "spin_magnetization", "magnetization_t", "std_t", "energy_t"):
        np.testing.assert_allclose(mixed.dataset[name], pure.dataset[name], rtol=0, atol=1e-12, err_msg=name)
    assert float(mixed.dataset["purity"]) == pytest.approx(1.0, abs=1e-12)
    finer = Lindblad(1e-10).run(problem, times)  # a matrix far below the tolerance from a pure one
    assert abs(float(finer.dataset["smallest_eigenvalue"])) < 1e-12


@pytest.mark.parametrize("noise", [None, *KINDS.values()], ids=["none", *KINDS])
def test_product_against_lindblad(noise):
    start = ProductState((0.2, 1.1, 1.1), (0.3,))  # with uniform noise two kinds of spin
    problem = ChargingProblem(ring(3), polarised(5.0, J=0.0, s_hold=0.25, initial=start), noise=noise)
    times = np.linspace(0.0, 5.0, 8)
    product, full = Product(1e-9).run(problem, times), Lindblad(1e-9).run(problem, times)
    names = ["magnetization", "std", "distribution", "spin_magnetization", "magnetization_t", "energy_t", "std_t"]
    for name in names + ([] if noise is None else ["purity", "purity_t"]):
        np.testing.assert_allclose(product.dataset[name], full.dataset[name], rtol=0, atol=2e-8, err_msg=name)


def test_the_purity_of_very_many_spins_is_zero_and_no_error():
    problem = ChargingProblem(ring(5612), cooperative(5.0, J=0.0), noise=Noise(depolarising=1.0))
    record = Product(1e-4).run(problem)
    assert float(record.dataset["purity"]) == 0.0
    assert math.isfinite(record.precision)
