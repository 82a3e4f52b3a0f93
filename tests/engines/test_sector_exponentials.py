"""Exponentials in the symmetric sector, and the Magnus steps made of them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import eigh, expm
from threadpoolctl import threadpool_limits

from spinbattery import ChargingProblem, cooperative, ring, symmetry_group, torus
from spinbattery.core.errors import EngineError
from spinbattery.core.progress import silent
from spinbattery.core.threads import Team
from spinbattery.engines.common.magnus import COMMUTATOR_FREE, Exponents
from spinbattery.engines.common.mesh import Mesh
from spinbattery.engines.common.propagation import Passage
from spinbattery.engines.symmetric import chebyshev, lanczos, sector_kernels, sector_state
from spinbattery.engines.symmetric.basis import SymmetricSector
from spinbattery.engines.symmetric.engine import Symmetric
from spinbattery.engines.symmetric.sector_state import ChebyshevState, LanczosState

ROWS = np.array([[-0.3, 0.2, 0.7], [0.9, -1.3, 0.1], [0.0, 0.5, -0.4], [2.0, 0.0, 0.0], [-1.7, 0.3, 4.0]])


def sector_of(network):
    problem = ChargingProblem(network, cooperative(10.0))
    return SymmetricSector.build(problem, symmetry_group(problem))


def dense(sector, row):
    """x Sx + z Sz + c ZZ on amplitudes, and the square roots of the sizes that make it symmetric."""
    sx = np.zeros((sector.dimension, sector.dimension))
    np.add.at(sx, (np.arange(sector.dimension)[:, None], sector.index), 1.0)
    return row[0] * sx + np.diag(row[1] * sector.magnetization + row[2] * sector.ising)


def random_amplitudes(sector, seed=0):
    rng = np.random.default_rng(seed)
    amplitudes = rng.normal(size=sector.dimension) + 1j * rng.normal(size=sector.dimension)
    return amplitudes / np.sqrt(sector.sizes @ np.abs(amplitudes) ** 2)


@pytest.mark.parametrize("kind", [ChebyshevState, LanczosState])
@pytest.mark.parametrize("network", [torus(2, 2), torus(3, 3), ring(8)], ids=str)
def test_exponentials_are_those_of_dense_matrices(kind, network):
    sector = sector_of(network)
    start = random_amplitudes(sector)
    expected = start
    for row in ROWS:
        expected = expm(-1j * dense(sector, row)) @ expected
    with Team(1) as team:
        state = kind(sector, start.copy(), 1e-13, team)
        state.apply(Exponents(ROWS))
    np.testing.assert_allclose(state.amplitudes, expected, atol=2e-12)
    assert state.probabilities()[1] == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize("tolerance", [1e-4, 1e-7, 1e-10])
@pytest.mark.parametrize("kind", [ChebyshevState, LanczosState])
def test_their_tolerance_is_kept(kind, tolerance):
    sector = sector_of(torus(3, 4))
    start = random_amplitudes(sector, 3)
    for row in 0.5 * ROWS:
        with Team(1) as team:
            state = kind(sector, start.copy(), tolerance, team)
            state.apply(Exponents(row[None]))
        error = state.amplitudes - expm(-1j * dense(sector, row)) @ start
        assert np.sqrt(sector.sizes @ np.abs(error) ** 2) < 5.0 * tolerance


def test_exponentials_of_a_step_take_as_many_products_as_each_alone():
    """They differ in length, so that what the last one took says little of the next."""
    sector = sector_of(torus(3, 4))
    start = random_amplitudes(sector, 8)
    rows = np.array([factor * np.array([0.4, -0.3, 0.5]) for factor in (0.8, 0.1, 0.4, 1.0, 0.2)])
    with Team(1) as team:
        together = LanczosState(sector, start.copy(), 1e-9, team)
        together.apply(Exponents(rows))
        alone = LanczosState(sector, start.copy(), 1e-9, team)
        for row in rows:
            alone.apply(Exponents(row[None]))
    assert together.products <= alone.products + 1
    np.testing.assert_allclose(together.amplitudes, alone.amplitudes, atol=1e-8)


def test_an_eigenstate_closes_the_basis():
    sector = sector_of(torus(2, 3))
    down = np.zeros(sector.dimension, dtype=complex)
    down[-1] = 1.0
    with Team(1) as team:
        state = LanczosState(sector, down, 1e-12, team)
        state.apply(Exponents(np.array([[0.0, 0.4, 0.3]])))
    expected = np.exp(-1j * (0.4 * -6 + 0.3 * sector.ising[-1]))
    assert state.amplitudes[-1] == pytest.approx(expected, abs=1e-13)
    assert np.abs(state.amplitudes[:-1]).max() == 0.0


def test_long_exponentials_are_taken_in_parts():
    sector = sector_of(torus(3, 4))
    start = random_amplitudes(sector, 4)
    row = np.array([-6.0, 3.0, 9.0])
    with Team(1) as team:
        state = LanczosState(sector, start.copy(), 1e-10, team)
        state.apply(Exponents(row[None]))
    np.testing.assert_allclose(state.amplitudes, expm(-1j * dense(sector, row)) @ start, atol=1e-8)


def test_a_basis_that_no_part_fits_is_reported():
    spectrum = lanczos._Tridiagonal([0.0, 1.0], [1.0, 1e12])
    with pytest.raises(EngineError, match="Chebyshev"):
        spectrum.longest(1.0, 1e-15)


@pytest.mark.parametrize("network", [torus(2, 2), torus(3, 3), ring(7)], ids=str)
def test_bounds_hold_the_spectrum(network):
    sector = sector_of(network)
    up = (sector.magnetization.astype(int) + network.n_spins) // 2
    lowest, highest = np.full(network.n_spins + 1, np.inf), np.full(network.n_spins + 1, -np.inf)
    np.minimum.at(lowest, up, sector.ising)
    np.maximum.at(highest, up, sector.ising)
    scale = np.sqrt(sector.sizes)
    for row in np.random.default_rng(5).normal(size=(40, 3)):
        values = eigh(scale[:, None] * dense(sector, row) / scale, eigvals_only=True)
        top = chebyshev._largest_eigenvalue.py_func(*row, lowest, highest, sector_state._TILTS)
        bottom = -chebyshev._largest_eigenvalue.py_func(row[0], -row[1], -row[2], lowest, highest, sector_state._TILTS)
        assert top >= values[-1] - 1e-12
        assert bottom <= values[0] + 1e-12
        assert top - bottom < 1.8 * (values[-1] - values[0])


def test_bessel_functions():
    from scipy.special import jv

    for x in (1e-10, 0.3, 5.0, 40.0, 300.0):
        values = np.empty(int(x + 60))
        chebyshev._bessel.py_func(x, values.size, values)
        np.testing.assert_allclose(values, jv(np.arange(values.size), x), atol=1e-14)


def test_digits_do_not_depend_on_threads(monkeypatch):
    sector = sector_of(ring(16))
    assert sector.dimension > sector_kernels.ROWS_PER_BLOCK
    start = random_amplitudes(sector, 6)
    found = []
    for threads in (1, 2, 3):
        with Team(threads) as team:
            state = LanczosState(sector, start.copy(), 1e-10, team)
            state.apply(Exponents(ROWS))
        found.append(state.amplitudes.copy())
    assert all(np.array_equal(found[0], other) for other in found[1:])


def test_digits_do_not_depend_on_the_threads_of_blas():
    """Which shares a dot product of more than 10 000 numbers among its threads."""
    sector = sector_of(torus(4, 5))
    assert sector.dimension > 10_000
    start = random_amplitudes(sector, 7)
    found = []
    for threads in (1, 2):
        with threadpool_limits(threads), Team(1) as team:
            state = LanczosState(sector, start.copy(), 1e-10, team)
            state.apply(Exponents(ROWS[:1]))
            p, _ = state.probabilities()
            spins = sector.spin_magnetization(p, np.zeros(sector.n_spins, dtype=int))
            found.append((state.amplitudes.copy(), state.populations().ising, spins))
    for one, other in zip(*found, strict=True):
        assert np.array_equal(one, other)


@pytest.mark.parametrize("name", list(COMMUTATOR_FREE))
def test_schemes_have_their_order(name):
    """In a protocol that is fast, so that the error is that of the steps and shrinks as their order says."""
    problem = ChargingProblem(torus(2, 3), cooperative(4.0))
    engine = Symmetric(1e-10, magnus=name)

    def final(steps):
        mesh = Mesh(problem, problem.protocol.breakpoints, steps)
        found = engine.stepper(problem, silent)(Passage(problem, COMMUTATOR_FREE[name], mesh, 1))
        return found.mean[-1]

    order = COMMUTATOR_FREE[name].order
    steps = {4: 150, 6: 60}[order]
    reference = final(8 * steps)
    errors = [abs(final(factor * steps) - reference) for factor in (1, 2)]
    assert 2.0 ** (order - 0.7) < errors[0] / errors[1] < 2.0 ** (order + 1.5)


def test_factors_add_up_to_the_step():
    for scheme in COMMUTATOR_FREE.values():
        factors = np.array(scheme.factors)
        np.testing.assert_allclose(factors.sum(axis=0), [1.0] + [0.0] * scheme.legendre_degree, atol=1e-15)
        signs = (-1.0) ** np.arange(factors.shape[1])
        np.testing.assert_allclose(factors[::-1] * signs, factors, atol=1e-15)  # time-symmetric
