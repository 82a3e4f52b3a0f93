"""Spin networks: pairs, weights, cross-talk, and graphs that are none."""

from __future__ import annotations

import math

import networkx as nx
import numpy as np
import pytest

from spinbattery import SpinNetwork, complete, from_networkx, ring, tilted_torus, torus
from spinbattery.core.errors import InsufficientMemoryError, InvalidParameterError, NetworkError


@pytest.mark.parametrize(
    ("sides", "n_pairs"),
    [((1, 1), 0), ((1, 2), 1), ((2, 2), 4), ((1, 3), 3), ((2, 3), 9), ((2, 4), 12), ((3, 3), 18), ((3, 4), 24)],
)
def test_pairs_of_a_torus_are_unique(sides, n_pairs):
    network = torus(*sides)
    assert network.n_spins == sides[0] * sides[1]
    assert network.n_pairs == n_pairs
    assert network.pairs_per_spin == n_pairs / network.n_spins
    assert len({tuple(pair) for pair in network.pairs.tolist()}) == n_pairs


@pytest.mark.parametrize("sides", [(3, 3), (3, 4), (4, 5)])
def test_a_torus_is_the_periodic_grid_graph(sides):
    grid = nx.grid_2d_graph(*sides, periodic=True)
    wanted = {tuple(sorted((x * sides[1] + y, v * sides[1] + w))) for (x, y), (v, w) in grid.edges}
    assert {tuple(pair) for pair in torus(*sides).pairs.tolist()} == wanted
    assert (torus(*sides).degrees == 4).all()


@pytest.mark.parametrize(
    ("sides", "n", "n_pairs"),
    [
        ((1, 1), 2, 1),
        ((2, 1), 5, 10),
        ((2, 2), 8, 16),
        ((3, 1), 10, 20),
        ((3, 2), 13, 26),
        ((4, 1), 17, 34),
        ((4, 2), 20, 40),
    ],
)
def test_tilted_tori_are_the_square_lattice_folded_along_their_sides(sides, n, n_pairs):
    a, b = sides
    network = tilted_torus(a, b)
    assert (network.n_spins, network.n_pairs) == (n, n_pairs)
    assert set(network.degrees.tolist()) == ({1} if n == 2 else {4})
    folded = {  # two points are one spin where a whole number of both sides leads from one to the other
        tuple(sorted((j, k)))
        for j, (x, y) in enumerate(network.positions.tolist())
        for k, (v, w) in enumerate(network.positions.tolist())
        for step in ((1, 0), (0, 1))
        for dx, dy in [(v - x - step[0], w - y - step[1])]
        if (a * dx + b * dy) % n == 0 and (a * dy - b * dx) % n == 0
    }
    assert {tuple(pair) for pair in network.pairs.tolist()} == folded
    assert nx.is_isomorphic(network.to_networkx(), tilted_torus(b, a).to_networkx())


def test_large_tilted_tori_are_built_at_once_and_larger_ones_refused():
    assert set(tilted_torus(300, 200).degrees.tolist()) == {4}
    with pytest.raises(InsufficientMemoryError, match="tilted-torus:90000x1 has"):
        tilted_torus(90_000, 1)
    with pytest.raises(NetworkError, match="tilted-torus: a must be a whole number"):
        tilted_torus(2.5, 1)


@pytest.mark.parametrize(("n", "pairs"), [(1, []), (2, [[0, 1]]), (3, [[0, 1], [0, 2], [1, 2]])])
def test_small_rings_do_not_double_their_pairs(n, pairs):
    assert ring(n).pairs.tolist() == pairs


def test_rings_and_complete_networks():
    assert ring(6).n_pairs == 6
    assert ring(6).degrees.tolist() == [2] * 6
    assert complete(6).n_pairs == 15
    assert complete(1).n_pairs == 0
    assert complete(2) == ring(2) == torus(1, 2)
    assert ring(6).positions.shape == (6, 2)


def test_pairs_are_ordered_and_carry_their_weights_along():
    network = SpinNetwork(4, [(3, 1), (0, 2), (1, 0)], [3.0, 2.0, 1.0])
    assert network.pairs.tolist() == [[0, 1], [0, 2], [1, 3]]
    assert network.weights.tolist() == [1.0, 2.0, 3.0]
    assert network.coupling_norm_squared == 14.0
    assert network.degrees.tolist() == [2, 2, 1, 1]
    assert network == SpinNetwork(4, [(0, 1), (0, 2), (1, 3)], [1.0, 2.0, 3.0])


def test_a_spin_without_pairs_is_counted():
    assert SpinNetwork(3, [(0, 1)]).degrees.tolist() == [1, 1, 0]
    assert SpinNetwork(2, []).n_pairs == 0


def test_arrays_are_private_and_read_only():
    pairs = np.array([[0, 1]])
    network = SpinNetwork(2, pairs, np.array([1.0]))
    pairs[0, 1] = 0
    assert network.pairs.tolist() == [[0, 1]]
    for array in (network.pairs, network.weights, network.crosstalk, torus(2, 2).positions):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, []), "1 or more"),
        ((-3, []), "1 or more"),
        ((2.0, []), "whole number"),
        ((True, []), "whole number"),
        (("2", []), "whole number"),
        ((3, [(0, 3)]), "spins 0 to 2, but range from 0 to 3"),
        ((3, [(-1, 0)]), "range from -1"),
        ((3, [(1, 1)]), "couple spin 1 to itself"),
        ((3, [(0, 1), (1, 0)]), r"list \[0, 1\] more than once"),
        ((3, [0, 1]), r"\(E, 2\)"),
        ((3, [(0, 1, 2)]), r"\(E, 2\)"),
        ((3, [(0, 1), (2,)]), r"\(E, 2\)"),
        ((3, [(0.0, 1.0)]), "integers"),
        ((3, [("a", "b")]), "integers"),
        ((3, [(0, 1)], [1.0, 2.0]), "one entry per pair"),
        ((3, [(0, 1)], [math.nan]), "weights must be finite"),
        ((3, [(0, 1)], [math.inf]), "weights must be finite"),
        ((3, [(0, 1)], ["strong"]), "weights must be"),
        ((3, [], 1.0, [(0, 5)], [0.1]), "crosstalk_pairs must name spins"),
        ((3, [], 1.0, [(0, 1)], [math.nan]), "crosstalk must be finite"),
        ((3, [], 1.0, [(0, 1)], []), "crosstalk must have one entry per pair"),
    ],
)
def test_what_is_no_network_is_refused(arguments, message):
    with pytest.raises(NetworkError, match=message):
        SpinNetwork(*arguments)


@pytest.mark.parametrize(
    ("extras", "message"),
    [
        ({"positions": [[0.0, 0.0]]}, r"shape \(2, d\)"),
        ({"positions": [0.0, 1.0]}, r"shape \(2, d\)"),
        ({"labels": ("a",)}, "labels must be 2"),
        ({"labels": ("a", "a")}, "labels"),
    ],
)
def test_drawing_data_must_fit(extras, message):
    with pytest.raises(NetworkError, match=message):
        SpinNetwork(2, [(0, 1)], **extras)


@pytest.mark.parametrize("build", [lambda: torus(0, 3), lambda: torus(3, 2.5), lambda: ring(0), lambda: complete(-1)])
def test_sizes_must_be_whole_and_positive(build):
    with pytest.raises(NetworkError, match="1 or more"):
        build()


def test_names_positions_and_labels_are_no_physics():
    plain = SpinNetwork(2, [(0, 1)])
    dressed = SpinNetwork(2, [(0, 1)], name="pair", positions=[[0.0], [1.0]], labels=("a", "b"))
    assert plain == dressed
    assert hash(plain) == hash(dressed)


@pytest.mark.parametrize(
    "other",
    [
        SpinNetwork(3, [(0, 1)]),
        SpinNetwork(2, []),
        SpinNetwork(2, [(0, 1)], [2.0]),
        SpinNetwork(2, [(0, 1)]).with_crosstalk(0.1),
        SpinNetwork(2, [], 1.0, [(0, 1)], [1.0]),
        "network",
    ],
)
def test_physics_makes_networks_differ(other):
    assert SpinNetwork(2, [(0, 1)]) != other


def test_the_hash_is_the_same_on_every_machine():
    assert torus(2, 2).content_hash == "de71abce1ea2a2d6c1c674656e3474f31785bc819fee3af4fa9094afd38c06d9"


def test_crosstalk_on_neighbours_and_on_all_pairs():
    network = torus(2, 3)
    near = network.with_crosstalk(-0.01)
    assert near.crosstalk_pairs.tolist() == network.pairs.tolist()
    assert near.crosstalk.tolist() == [-0.01] * 9
    every = near.with_crosstalk(0.02, "all")
    assert len(every.crosstalk) == 15
    assert set(every.crosstalk.tolist()) == {0.02}
    assert near.n_pairs == every.n_pairs == 9
    assert near.coupling_norm_squared == 9.0
    assert "cross-talk" in repr(near)
    assert "cross-talk" not in repr(network)


def test_random_crosstalk_is_drawn_from_its_seed():
    network = torus(3, 4)
    drawn = network.with_crosstalk(-0.01, "all", spread=0.004, seed=3)
    assert drawn == network.with_crosstalk(-0.01, "all", spread=0.004, seed=3)
    assert drawn != network.with_crosstalk(-0.01, "all", spread=0.004, seed=4)
    values = drawn.crosstalk
    assert len(np.unique(values)) == 66
    assert values.mean() == pytest.approx(-0.01, abs=4.0 * 0.004 / math.sqrt(66))
    assert values.std() == pytest.approx(0.004, rel=4.0 / math.sqrt(132))
    assert drawn.name == "torus:3x4+crosstalk:-0.01:all:spread:0.004:seed:3"
    # spread and mean scale and shift one draw, and cross-talk that was there is replaced
    other = drawn.with_crosstalk(0.5, "all", spread=0.008, seed=3)
    np.testing.assert_allclose(other.crosstalk - 0.5, 2.0 * (values + 0.01), rtol=1e-12)


def test_random_crosstalk_of_either_sign_on_the_neighbours():
    network = ring(200).with_crosstalk(0.0, spread=0.01, seed=1)
    assert network.crosstalk_pairs.tolist() == network.pairs.tolist()
    assert (network.crosstalk < 0.0).any()
    assert (network.crosstalk > 0.0).any()


def test_crosstalk_without_a_spread_draws_nothing():
    assert torus(2, 3).with_crosstalk(-0.01, spread=0.0, seed=5).name == torus(2, 3).with_crosstalk(-0.01).name
    assert torus(2, 3).with_crosstalk(-0.01, spread=0.0, seed=5) == torus(2, 3).with_crosstalk(-0.01)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"spread": 0.1}, "give a seed"),
        ({"spread": -0.1, "seed": 1}, "spread of the cross-talk must not be negative, but is -0.1"),
        ({"spread": math.nan, "seed": 1}, "spread of the cross-talk must be finite"),
        ({"spread": 0.1, "seed": -1}, "whole number of 0 or more"),
        ({"spread": 0.1, "seed": 1.5}, "whole number of 0 or more"),
    ],
)
def test_random_crosstalk_refusals(more, message):
    with pytest.raises(InvalidParameterError, match=message):
        torus(2, 2).with_crosstalk(0.1, **more)


def test_crosstalk_refusals():
    with pytest.raises(InvalidParameterError, match="one of neighbours, all"):
        torus(2, 2).with_crosstalk(0.1, "some")
    with pytest.raises(InvalidParameterError, match="finite"):
        torus(2, 2).with_crosstalk(math.nan)


def test_graphs_keep_order_labels_weights_and_positions():
    graph = nx.Graph(name="triangle")
    graph.add_nodes_from([("c", {"pos": (0, 0)}), ("a", {"pos": (1, 0)}), ("b", {"pos": (0, 1)})])
    graph.add_edge("a", "b", weight=2.5)
    graph.add_edge("b", "c", weight=1.0)
    graph.add_edge("c", "a", weight=0.0, crosstalk=-0.1)
    network = from_networkx(graph)
    assert network.labels == ("c", "a", "b")
    assert network.pairs.tolist() == [[0, 2], [1, 2]]
    assert network.weights.tolist() == [1.0, 2.5]
    assert network.crosstalk_pairs.tolist() == [[0, 1]]
    assert network.crosstalk.tolist() == [-0.1]
    assert network.positions.tolist() == [[0, 0], [1, 0], [0, 1]]
    assert network.name == "triangle"
    assert from_networkx(graph, name="mine").name == "mine"


@pytest.mark.parametrize(
    "network",
    [
        torus(2, 3),
        ring(1),
        SpinNetwork(4, [(0, 1), (2, 3)], [1.5, -2.0], labels=("w", "x", "y", "z")),
        torus(3, 3).with_crosstalk(-0.01),
        ring(5).with_crosstalk(0.02, "all"),
    ],
)
def test_graphs_and_networks_round_trip(network):
    back = from_networkx(network.to_networkx())
    assert back == network
    assert back.name == network.name
    assert back.labels == (network.labels or tuple(range(network.n_spins)))


def test_positions_of_unequal_dimension_are_left_out():
    graph = nx.Graph()
    graph.add_nodes_from([(0, {"pos": (0, 0)}), (1, {"pos": (0, 0, 0)})])
    assert from_networkx(graph).positions is None
    del graph.nodes[1]["pos"]
    assert from_networkx(graph).positions is None


@pytest.mark.parametrize(
    ("graph", "message"),
    [
        (nx.DiGraph([(0, 1)]), "to_undirected"),
        (nx.MultiGraph([(0, 1)]), "merge parallel edges"),
        (nx.Graph(), "at least one spin"),
        (nx.Graph([(0, 0)]), "to itself"),
        (nx.Graph([(0, 1, {"weight": "heavy"})]), "not a number"),
        (nx.Graph([(0, 1, {"weight": None})]), "not a number"),
        (nx.Graph([(0, 1, {"crosstalk": "loud"})]), "not a number"),
        (nx.Graph([(0, 1, {"weight": math.nan})]), "finite"),
    ],
)
def test_graphs_that_are_no_networks_are_refused(graph, message):
    with pytest.raises(NetworkError, match=message):
        from_networkx(graph)


def test_weights_whose_products_would_overflow_are_refused():
    with pytest.raises(NetworkError, match="not exceed 1e"):
        SpinNetwork(2, np.array([[0, 1]]), np.array([1e308]))
