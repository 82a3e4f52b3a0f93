"""Automorphisms of weighted graphs, and which of them are symmetries of a problem."""

from __future__ import annotations

import itertools
import math
import subprocess
import sys

import numpy as np
import pytest
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from spinbattery import (
    ChargingProblem,
    ProductState,
    SpinNetwork,
    automorphism_group,
    complete,
    cooperative,
    ring,
    symmetry_group,
    torus,
)
from spinbattery.core.errors import InvalidParameterError
from spinbattery.model.noise import Noise
from spinbattery.model.symmetry import AutomorphismGroup

X = Noise(x=1e-3)


def group_of(network, noise=None, **protocol):
    return symmetry_group(ChargingProblem(network, cooperative(10.0, **protocol), noise=noise))


def orbits(network, noise=X, **protocol):
    return group_of(network, noise, **protocol).site_orbits().tolist()


def all_symmetries(network, noise=X):
    """By trying all permutations."""
    problem = ChargingProblem(network, cooperative(10.0), noise=noise)
    n = problem.n_spins
    matrix = np.zeros((n, n))
    for (j, k), value in zip(*problem.couplings, strict=True):
        matrix[j, k] = matrix[k, j] = value
    rates = np.vstack([noise.pauli_rates(n), noise.relaxation_rates(n)])
    return {
        permutation
        for permutation in itertools.permutations(range(n))
        if np.array_equal(matrix[list(permutation)][:, list(permutation)], matrix)
        and np.array_equal(rates[:, list(permutation)], rates)
    }


def smallest_images(symmetries, n):
    return [min(permutation[k] for permutation in symmetries) for k in range(n)]


@pytest.mark.parametrize(
    ("network", "order"),
    [
        (ring(7), 14),
        (torus(2, 3), 12),
        (torus(3, 3), 72),
        (torus(3, 4), 48),
        (torus(4, 4), 384),
        (torus(4, 5), 80),
        (torus(5, 5), 200),
        (torus(5, 6), 120),
        (torus(6, 6), 288),
        (complete(30), math.factorial(30)),
        (SpinNetwork(3, []), 6),
        (SpinNetwork(1, []), 1),
    ],
)
def test_all_of_the_group_is_used(network, order):
    assert group_of(network).order == order


@pytest.mark.parametrize("network", [ring(7), torus(3, 4), torus(2, 3), complete(5)])
def test_vertex_transitive_networks_have_one_orbit(network):
    assert orbits(network) == [0] * network.n_spins


@pytest.mark.parametrize("seed", range(12))
def test_random_graphs_against_all_permutations(seed):
    rng = np.random.default_rng(seed)
    pairs = [pair for pair in itertools.combinations(range(6), 2) if rng.random() < 0.5] or [(0, 1)]
    weights = rng.choice([1.0, 2.0, -1.0], len(pairs)) if seed % 2 else 1.0
    noise = Noise(x=tuple(rng.choice([1e-3, 2e-3], 6))) if seed % 3 == 0 else X
    network = SpinNetwork(6, pairs, weights)
    group, expected = group_of(network, noise), all_symmetries(network, noise)
    assert group.order == len(expected)
    assert set(map(tuple, group.elements(1000).tolist())) == expected
    assert group.site_orbits().tolist() == smallest_images(expected, 6)


def test_a_regular_graph_whose_vertices_have_the_same_neighbourhoods():
    """Two triangles beside a hexagon: colour refinement alone would find all vertices alike."""
    pairs = [(0, 1), (1, 2), (0, 2), (3, 4), (4, 5), (3, 5), (6, 7), (7, 8), (8, 9), (9, 10), (10, 11), (6, 11)]
    assert orbits(SpinNetwork(12, pairs)) == [0] * 6 + [6] * 6


def test_rates_starts_weights_and_crosstalk_break_symmetry():
    assert orbits(ring(4), Noise(x=(1e-3, 1e-3, 1e-3, 2e-3))) == [0, 1, 0, 3]
    assert orbits(ring(4), initial=ProductState((0.1, 0.2, 0.2, 0.2))) == [0, 1, 2, 1]
    pairs = [(0, 1), (1, 2), (2, 3), (0, 3)]
    assert orbits(SpinNetwork(4, pairs, [1.0, 1.0, 1.0, 1.5])) == [0, 1, 1, 0]
    assert orbits(SpinNetwork(4, pairs, 1.0, [(0, 2)], [0.1])) == [0, 1, 0, 1]
    assert group_of(torus(3, 4).with_crosstalk(-0.01)).order == 48
    assert group_of(torus(3, 4).with_crosstalk(-0.01, spread=0.001, seed=1)).is_trivial


def test_couplings_that_do_not_act_are_no_edges():
    assert group_of(ring(4), J=0.0).order == 24
    assert group_of(SpinNetwork(3, [(0, 1), (1, 2)], [1.0, 0.0])).order == 2


def test_a_group_that_is_too_large_is_not_listed_but_sampled():
    group = group_of(complete(12))
    assert group.elements(1000) is None
    sample = group.sample(500, np.random.default_rng(1))
    assert sample.shape == (500, 12)
    assert (np.sort(sample, axis=1) == np.arange(12)).all()
    fixed_points = (sample == np.arange(12)).sum(axis=1)
    assert abs(fixed_points.mean() - 1.0) < 0.25  # one on average, in any group with one orbit


def test_weights_are_told_apart_to_the_last_bit():
    pairs = np.array([(0, 1), (1, 2)])
    alike = automorphism_group(3, pairs, np.array([0.3, 0.3]), np.zeros(3, dtype=np.int64))
    assert alike.order == 2
    assert alike.generators.tolist() == [[2, 1, 0]]
    other = automorphism_group(3, pairs, np.array([0.3, np.nextafter(0.3, 1.0)]), np.zeros(3, dtype=np.int64))
    assert other.is_trivial


def test_the_trivial_group_can_be_sampled_and_nothing_is_no_sample():
    group = group_of(SpinNetwork(3, [(0, 1), (1, 2)], [1.0, 0.5]))
    assert group.is_trivial
    assert group.sample(2, np.random.default_rng(0)).tolist() == [[0, 1, 2]] * 2
    assert group_of(complete(5)).sample(0, np.random.default_rng(0)).shape == (0, 5)


@pytest.mark.parametrize(
    ("pairs", "weights", "colours", "message"),
    [
        ([(0, 1)], [1.0, 2.0], [0, 0, 0], r"one entry per pair \(1\), but has shape \(2,\)"),
        ([(0, 1)], [1.0], [0, 0], "colours must be 3 integers"),
        ([(0, 3)], [1.0], [0, 0, 0], "must name spins 0 to 2"),
        ([(1, 1)], [1.0], [0, 0, 0], "couple spin 1 to itself"),
        ([(0, 1), (1, 0)], [1.0, 1.0], [0, 0, 0], r"list \[0, 1\] more than once"),
    ],
)
def test_graphs_that_are_none_are_refused(pairs, weights, colours, message):
    with pytest.raises(InvalidParameterError, match=message):
        automorphism_group(3, np.array(pairs), np.array(weights), np.array(colours))


def test_the_search_imports_nothing_of_igraph_but_its_core_and_igraph_still_works_afterwards():
    code = (
        "import sys; import spinbattery as sb\n"
        "problem = sb.ChargingProblem(sb.torus(3, 3), sb.cooperative(20.0))\n"
        "assert sb.symmetry_group(problem).order == 72\n"
        "assert not [name for name in ('igraph', 'matplotlib', 'scipy', 'networkx') if name in sys.modules]\n"
        "import igraph; assert igraph.Graph.Ring(5).count_automorphisms() == 10\n"
        "print(sb.symmetry_group(sb.ChargingProblem(sb.complete(5), sb.cooperative(20.0))).order)\n"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["120"]


def test_orbits_are_the_connected_parts_of_all_generators():
    random = np.random.default_rng(3)
    for n in range(1, 20):
        generators = np.tile(np.arange(n), (3, 1))
        for generator in generators:  # three transpositions move few spins, so that there are several orbits
            for j, k in random.integers(n, size=(3, 2)):
                generator[[j, k]] = generator[[k, j]]
        links = coo_array((np.ones(3 * n), (np.tile(np.arange(n), 3), generators.ravel())), shape=(n, n))
        _, labels = connected_components(links, directed=False)
        expected = [int(np.flatnonzero(labels == label)[0]) for label in labels]
        assert AutomorphismGroup(generators, 0).site_orbits().tolist() == expected


def test_protocols_of_other_durations_have_the_same_group_and_other_couplings_their_own():
    def group(duration, **protocol):
        return symmetry_group(ChargingProblem(ring(4), cooperative(duration, **protocol)))

    assert group(10.0) is group(20.0, h=-0.7, s_hold=0.4)
    assert (group(10.0).order, group(10.0, J=0.0).order) == (8, 24)
    assert group(10.0, initial=[1, -1, -1, -1]).order == 2
