"""The basis of the symmetric sector, against the full space."""

from __future__ import annotations

import numpy as np
import pytest

from spinbattery import ChargingProblem, ProductState, SpinNetwork, complete, cooperative, ring, symmetry_group, torus
from spinbattery.engines.symmetric.basis import SymmetricSector, sector_dimension
from spinbattery.engines.symmetric.series_state import SeriesState
from spinbattery.model.operators import ising_diagonal, magnetization_diagonal, transverse_operator

WEIGHTED = SpinNetwork(6, [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (0, 5)], [1.0, 2.0, 1.0, 2.0, 1.0, 2.0])
NETWORKS = [ring(5), torus(2, 3), torus(3, 3), complete(6), WEIGHTED, ring(6).with_crosstalk(0.3, "all")]


def build(network, **protocol):
    problem = ChargingProblem(network, cooperative(10.0, **protocol))
    group = symmetry_group(problem)
    return problem, group, SymmetricSector.build(problem, group)


def orbits_of(group, n):
    """Orbit of each configuration, as the smallest of its images under all elements."""
    configurations = np.arange(1 << n)
    smallest = configurations.copy()
    for element in group.elements(10_000):
        image = np.zeros_like(configurations)
        for k in range(n):
            image |= ((configurations >> (n - 1 - k)) & 1) << (n - 1 - element[k])
        smallest = np.minimum(smallest, image)
    return smallest


@pytest.mark.parametrize("network", NETWORKS, ids=str)
def test_orbits_are_those_of_all_elements(network):
    _, group, sector = build(network)
    smallest = orbits_of(group, network.n_spins)
    expected, sizes = np.unique(smallest, return_counts=True)
    order = np.argsort(sector.representatives)
    assert sector.representatives[order].tolist() == expected.tolist()
    assert sector.sizes[order].tolist() == sizes.tolist()
    assert sector.dimension == sector_dimension(group)


@pytest.mark.parametrize("network", NETWORKS, ids=str)
def test_reduced_operators_are_those_of_the_full_space(network):
    problem, group, sector = build(network)
    n = network.n_spins
    rng = np.random.default_rng(1)
    amplitudes = rng.normal(size=sector.dimension) + 1j * rng.normal(size=sector.dimension)
    full = sector.expand(amplitudes, group)
    reduced = amplitudes[sector.index].sum(axis=1)
    np.testing.assert_allclose(sector.expand(reduced, group), transverse_operator(n) @ full, atol=1e-12)
    for reduced_diagonal, diagonal in (
        (sector.magnetization, magnetization_diagonal(n)),
        (sector.ising, ising_diagonal(n, *problem.couplings)),
    ):
        np.testing.assert_allclose(sector.expand(reduced_diagonal * amplitudes, group), diagonal * full, atol=1e-12)
    sx = np.vdot(full, transverse_operator(n) @ full).real
    assert SeriesState(sector, amplitudes, 1e-9).transverse() == pytest.approx(sx, rel=1e-12)
    assert sector.sizes @ np.abs(amplitudes) ** 2 == pytest.approx(np.vdot(full, full).real, rel=1e-12)


def test_rows_are_sorted_by_the_number_of_spins_down():
    _, _, sector = build(torus(3, 3))
    assert sector.magnetization[0] == 9
    assert sector.magnetization[-1] == -9
    assert (np.diff(sector.magnetization) <= 0).all()


@pytest.mark.parametrize(
    ("network", "dimension"),
    [(torus(3, 3), 26), (torus(3, 4), 158), (torus(4, 4), 402), (torus(4, 5), 14_676), (torus(5, 5), 172_112)],
    ids=str,
)
def test_dimensions_of_tori(network, dimension):
    group = symmetry_group(ChargingProblem(network, cooperative(10.0)))
    assert sector_dimension(group) == dimension
    assert sector_dimension(symmetry_group(ChargingProblem(torus(5, 6), cooperative(10.0)))) == 8_999_762


def test_the_dimension_of_a_group_too_large_to_be_listed_is_estimated():
    group = symmetry_group(ChargingProblem(complete(16), cooperative(10.0)))
    assert 15 <= sector_dimension(group) <= 20  # 17


@pytest.mark.parametrize("network", [ring(5), torus(2, 3)], ids=str)
@pytest.mark.parametrize("initial", [(0.3, 0.7), (2.0, -1.0)])
def test_product_states_that_symmetries_keep(network, initial):
    start = ProductState((initial[0],), (initial[1],))
    problem, group, sector = build(network, initial=start)
    spinors = problem.protocol.initial.spinors(network.n_spins)
    expected = np.ones(1, dtype=complex)
    for spinor in spinors:
        expected = np.kron(expected, spinor)
    np.testing.assert_allclose(sector.expand(sector.product_amplitudes(spinors), group), expected, atol=1e-15)


def test_spins_of_one_orbit_share_a_magnetization():
    star = SpinNetwork(5, [(0, 1), (0, 2), (0, 3), (0, 4)])
    _, group, sector = build(star)
    rng = np.random.default_rng(2)
    amplitudes = rng.normal(size=sector.dimension) + 0j
    full = np.abs(sector.expand(amplitudes, group)) ** 2
    full /= full.sum()
    p = sector.sizes * np.abs(amplitudes) ** 2
    spins = sector.spin_magnetization(p / p.sum(), group.site_orbits())
    bits = (np.arange(32)[:, None] >> np.arange(4, -1, -1)) & 1
    np.testing.assert_allclose(spins, full @ (1 - 2 * bits), atol=1e-14)


def test_kept_orbits_take_the_couplings_of_each_problem():
    weak, strong = (build(ring(5), J=J)[2] for J in (-0.1, -0.3))
    assert weak.index is strong.index
    np.testing.assert_allclose(strong.ising, 3.0 * weak.ising, rtol=1e-14)
    assert strong.ising.min() == pytest.approx(-0.3 * 5)
