"""Which spins stand where in a tree, and how couplings run across its links."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spinbattery import SpinNetwork, complete, from_networkx, ring, torus
from spinbattery.engines.common.ordering import Halves, chained, halved, lattice_sides
from spinbattery.engines.tensor.channels import Channels
from spinbattery.engines.tensor.layout import Layout

PETERSEN = from_networkx(nx.petersen_graph())
NETWORKS = [torus(4, 4), torus(3, 5), torus(5, 5), ring(7), complete(6), PETERSEN]
KINDS = {"tree": halved, "chain": chained}


def blocks_of(part):
    return [*blocks_of(part.first), *blocks_of(part.second)] if isinstance(part, Halves) else [part]


def layout_of(network, kind="tree", largest=2):
    return Layout.of(KINDS[kind](network.n_spins, network.pairs, largest))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("network", NETWORKS, ids=str)
@pytest.mark.parametrize("largest", [1, 2, 4])
def test_every_spin_stands_in_one_block(network, kind, largest):
    blocks = blocks_of(KINDS[kind](network.n_spins, network.pairs, largest))
    assert sorted(spin for block in blocks for spin in block) == list(range(network.n_spins))
    assert max(map(len, blocks)) <= largest


def cut_pairs(network, some):
    inside = np.isin(network.pairs, list(some))
    return int((inside[:, 0] != inside[:, 1]).sum())


@pytest.mark.parametrize(
    ("network", "fewest"), [(torus(4, 4), 8), (torus(8, 8), 16), (torus(2, 8), 4), (ring(12), 2), (torus(5, 5), 10)]
)
def test_lattices_are_cut_where_the_fewest_pairs_are(network, fewest):
    first, second = halved(network.n_spins, network.pairs, 1)
    assert cut_pairs(network, {spin for block in blocks_of(first) for spin in block}) == fewest
    assert abs(len(blocks_of(first)) - len(blocks_of(second))) <= min(lattice_sides(network.n_spins, network.pairs))


def test_two_clusters_are_told_apart():
    graph = nx.disjoint_union(nx.complete_graph(5), nx.complete_graph(5))
    graph.add_edge(0, 7)
    network = from_networkx(nx.relabel_nodes(graph, dict(zip(range(10), [3, 8, 1, 9, 0, 2, 4, 5, 6, 7], strict=True))))
    first, _ = halved(10, network.pairs, 1)
    assert cut_pairs(network, {spin for block in blocks_of(first) for spin in block}) == 1


def test_the_order_does_not_depend_on_names_or_positions():
    grid = torus(3, 4)
    bare = SpinNetwork(12, grid.pairs)
    assert halved(12, grid.pairs, 2) == halved(12, bare.pairs, 2)
    assert lattice_sides(12, grid.pairs) == (3, 4)
    assert lattice_sides(12, grid.pairs[:-3]) == (3, 4)  # an open lattice
    assert lattice_sides(6, complete(6).pairs) is None


def test_neighbours_of_a_chain_are_near_along_it():
    network = torus(2, 8)
    order = [spin for block in blocks_of(chained(16, network.pairs, 1)) for spin in block]
    place = np.argsort(order)
    assert np.abs(place[network.pairs[:, 0]] - place[network.pairs[:, 1]]).max() <= 16
    path = from_networkx(nx.path_graph(9))
    (first, second) = chained(9, path.pairs, 1)
    row = [block[0] for block in blocks_of(first)] + [block[0] for block in reversed(blocks_of(second))]
    assert row in (list(range(9)), list(reversed(range(9))))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("network", [*NETWORKS, ring(2), ring(3)], ids=str)
@pytest.mark.parametrize("largest", [1, 2])
def test_layouts_are_trees(network, kind, largest):
    layout = layout_of(network, kind, min(largest, network.n_spins // 2))
    assert sorted(layout.below[layout.root]) == list(range(network.n_spins))
    links = {frozenset((node, other)) for node in range(layout.root + 1) for other in layout.neighbours(node)}
    links -= {frozenset((layout.root, layout.root + 1))}
    assert len(links) == len(layout.children) + len(layout.blocks) - 1
    assert all(parent > child for child, parent in layout.parents.items())
    assert len(layout.children) == max(1, len(layout.blocks) - 2)


def test_dimensions_where_nothing_is_cut_off():
    layout = layout_of(torus(2, 4))
    assert layout.full_dimensions[:-1] == (16.0,) * (len(layout.children) - 1)
    assert max(layout_of(torus(40, 40), largest=4).full_dimensions[:-1]) == 2.0**800


def weighted(network, seed):
    return np.random.default_rng(seed).normal(size=network.n_pairs)


def signs_of(channels, layout, n):
    """(blocks, spins, 2^N) of sz of every spin of the whole network."""
    return 1.0 - 2.0 * ((np.arange(1 << n) >> np.arange(n - 1, -1, -1)[:, None]) & 1)


def assembled(channels, layout, node, onward, values):
    """Diagonals of the channels of a link on configurations with these sz (N, m)."""
    if node < 0:
        spins = list(layout.blocks[-1 - node])
        index = ((1 - values[spins]) / 2 * (1 << np.arange(len(spins) - 1, -1, -1))[:, None]).sum(axis=0).astype(int)
        return channels.of_block[-1 - node][:, index]
    route = channels.route(node, onward)
    return route.of_first @ assembled(channels, layout, route.first, node, values) + route.of_second @ assembled(
        channels, layout, route.second, node, values
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("network", NETWORKS, ids=str)
def test_channels_add_up_to_all_couplings(network, kind):
    weights = weighted(network, 1)
    layout = layout_of(network, kind)
    channels = Channels(layout, network.pairs, weights)
    values = np.random.default_rng(2).choice([-1.0, 1.0], size=(network.n_spins, 40))
    total = np.zeros(40)
    for k, spins in enumerate(layout.blocks):
        index = ((1 - values[list(spins)]) / 2 * (1 << np.arange(len(spins) - 1, -1, -1))[:, None]).sum(axis=0)
        total += channels.inside[k][1][index.astype(int)]
    for node in range(layout.root + 1):
        others = [other for other in layout.neighbours(node) if other <= layout.root]
        pairs = [(others[0], others[1])] if node != layout.root or len(others) == 2 else [
            (others[0], others[1]), (others[0], others[2]), (others[1], others[2])
        ]  # fmt: skip
        for a, b in pairs:
            x, y = channels.products((a, node), (b, node))
            total += np.sum(
                (x @ assembled(channels, layout, a, node, values)) * (y @ assembled(channels, layout, b, node, values)),
                axis=0,
            )
    expected = (values[network.pairs[:, 0]] * values[network.pairs[:, 1]] * weights[:, None]).sum(axis=0)
    assert np.abs(total - expected).max() < 1e-12 * network.n_pairs


@given(st.integers(0, 10**6))
def test_channels_of_either_side_of_a_link_couple_it(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(3, 9))
    pairs = np.array([pair for pair in np.ndindex(n, n) if pair[0] < pair[1] and rng.random() < 0.6]).reshape(-1, 2)
    weights = rng.normal(size=len(pairs))
    network = SpinNetwork(n, pairs)
    layout = layout_of(network, str(rng.choice(["tree", "chain"])), 1)
    channels = Channels(layout, network.pairs, weights)
    values = rng.choice([-1.0, 1.0], size=(n, 10))
    for node, parent in layout.parents.items():
        inside = np.isin(network.pairs, layout.below[node])
        crossing = inside[:, 0] != inside[:, 1]
        expected = (values[network.pairs[:, 0]] * values[network.pairs[:, 1]] * weights[:, None])[crossing].sum(axis=0)
        x, y = channels.products((node, parent), (parent, node))
        ours = assembled(channels, layout, node, parent, values)
        theirs = assembled(channels, layout, parent, node, values)
        assert np.abs(((x @ ours) * (y @ theirs)).sum(axis=0) - expected).max(initial=0.0) < 1e-10


def test_one_channel_is_enough_for_a_complete_graph():
    layout = layout_of(complete(8))
    channels = Channels(layout, complete(8).pairs, np.full(28, 0.3))
    assert {channels.number(node, parent) for node, parent in layout.parents.items()} == {1}
    assert {channels.number(parent, node) for node, parent in layout.parents.items()} == {1}


def test_spins_that_are_coupled_to_nothing_have_no_channels():
    layout = layout_of(SpinNetwork(4, [(0, 1), (2, 3)]))
    channels = Channels(layout, np.array([(0, 1), (2, 3)]), np.ones(2))
    assert channels.number(*next(iter(layout.parents.items()))) == 0
