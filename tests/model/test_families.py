"""Families of networks, recognised by their pairs."""

from __future__ import annotations

import networkx as nx
import pytest

from spinbattery import (
    ChargingProblem,
    SpinNetwork,
    complete,
    cooperative,
    from_networkx,
    parse_network,
    ring,
    tilted_torus,
    torus,
)
from spinbattery.model.families import distinct, family_of


@pytest.mark.parametrize(
    ("network", "family"),
    [
        (ring(5), "ring"),
        (ring(40), "ring"),
        (torus(1, 5), "ring"),
        (torus(2, 3), "torus"),
        (torus(3, 2), "torus"),
        (torus(2, 6), "torus"),
        (torus(3, 4), "torus"),
        (torus(10, 10), "torus"),
        (complete(4), "complete"),
        (complete(12), "complete"),
        (parse_network("pegasus:2"), "pegasus"),
        (parse_network("zephyr:2/missing:3:seed:1/region:1"), "zephyr"),
        (from_networkx(nx.star_graph(4)), "irregular"),
        (from_networkx(nx.path_graph(7)), "irregular"),
        (from_networkx(nx.petersen_graph()), ""),
        (tilted_torus(3, 1), ""),
        (from_networkx(nx.relabel_nodes(nx.cycle_graph(6), {0: 3, 3: 0})), "ring"),
        (SpinNetwork(3, []), ""),
    ],
)
def test_families(network, family):
    assert family_of(network) == family


def test_small_rings_are_of_several_families():
    small = [ring(n) for n in (1, 2, 3, 4)] + [torus(1, 2), torus(1, 3), torus(2, 2), complete(2), complete(3)]
    assert {family_of(network) for network in small} == {""}


def test_names_crosstalk_and_weights_do_not_matter():
    for network in (torus(3, 3), ring(6)):
        renamed = SpinNetwork(network.n_spins, network.pairs, 0.5 * network.weights, name="complete:9")
        assert family_of(renamed) == family_of(network) == family_of(network.with_crosstalk(1e-3))


def test_a_part_of_a_working_graph_and_its_problem_know_the_lattice():
    network = parse_network("pegasus:2")
    part = network.restricted_to(network.labels[:20])
    assert family_of(part) == family_of(part.with_crosstalk(1e-3)) == "pegasus"
    problem = ChargingProblem(part, cooperative(20.0))
    again = ChargingProblem.from_dict(problem.to_dict())
    assert family_of(again.network) == "pegasus"
    # a record written before says nothing of it, and is the same problem
    data = problem.to_dict()
    assert data["network"].pop("cut") == {"family": "pegasus", "size": 2, "tile": 4}
    old = ChargingProblem.from_dict(data)
    assert family_of(old.network) == ""
    assert distinct(["pegasus", "irregular", ""]) == ["pegasus"]
    assert old.content_hash == problem.content_hash
    data["network"]["lattice"] = "pegasus"  # the next version said the family alone
    assert family_of(ChargingProblem.from_dict(data).network) == "pegasus"
