"""Orbits of spins under the symmetries of a noisy problem."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from spinbattery import ChargingProblem, ProductState, SpinNetwork, complete, cooperative, ring, torus
from spinbattery.engines.unravelling.orbits import site_orbits
from spinbattery.noise import Noise

X = Noise(x=1e-3)


def orbits(network, noise=X, **protocol):
    return site_orbits(ChargingProblem(network, cooperative(10.0, **protocol), noise=noise)).tolist()


def brute_force(network, noise=X):
    """By all permutations."""
    problem = ChargingProblem(network, cooperative(10.0), noise=noise)
    n = problem.n_spins
    matrix = np.zeros((n, n))
    for (j, k), value in zip(*problem.couplings, strict=True):
        matrix[j, k] = matrix[k, j] = value
    rates = np.vstack([noise.pauli_rates(n), noise.relaxation_rates(n)])
    smallest = list(range(n))
    for permutation in map(list, itertools.permutations(range(n))):
        if np.array_equal(matrix[permutation][:, permutation], matrix) and np.array_equal(rates[:, permutation], rates):
            for k, image in enumerate(permutation):
                smallest[image] = min(smallest[image], k)
    return smallest


@pytest.mark.parametrize("network", [ring(7), torus(3, 4), torus(2, 3), complete(5)])
def test_vertex_transitive_networks_have_one_orbit(network):
    assert orbits(network) == [0] * network.n_spins


@pytest.mark.parametrize("seed", range(12))
def test_random_graphs_against_all_permutations(seed):
    rng = np.random.default_rng(seed)
    pairs = [pair for pair in itertools.combinations(range(6), 2) if rng.random() < 0.5] or [(0, 1)]
    weights = rng.choice([1.0, 2.0], len(pairs)) if seed % 2 else 1.0
    network = SpinNetwork(6, pairs, weights)
    assert orbits(network) == brute_force(network)


def test_a_regular_graph_that_refinement_cannot_split():
    """Two triangles beside a hexagon would all be of one colour; the marked spin tells them apart."""
    pairs = [(0, 1), (1, 2), (0, 2), (3, 4), (4, 5), (3, 5), (6, 7), (7, 8), (8, 9), (9, 10), (10, 11), (6, 11)]
    assert orbits(SpinNetwork(12, pairs)) == [0] * 6 + [6] * 6


def test_rates_starts_weights_and_crosstalk_break_symmetry():
    assert orbits(ring(4), Noise(x=(1e-3, 1e-3, 1e-3, 2e-3))) == [0, 1, 0, 3]
    assert orbits(ring(4), initial=ProductState((0.1, 0.2, 0.2, 0.2))) == [0, 1, 2, 1]
    pairs = [(0, 1), (1, 2), (2, 3), (0, 3)]
    assert orbits(SpinNetwork(4, pairs, [1.0, 1.0, 1.0, 1.5])) == [0, 1, 1, 0]
    assert orbits(SpinNetwork(4, pairs, 1.0, [(0, 2)], [0.1])) == [0, 1, 0, 1]
