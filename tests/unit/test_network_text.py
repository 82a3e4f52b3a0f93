"""Text forms of networks."""

from __future__ import annotations

import networkx as nx
import pytest

from spinbattery import SpinNetwork, complete, parse_network, ring, torus
from spinbattery.errors import NetworkError


@pytest.mark.parametrize(
    ("text", "network"),
    [
        ("torus:3x4", torus(3, 4)),
        (" torus:1x2 ", torus(1, 2)),
        ("ring:5", ring(5)),
        ("complete:6", complete(6)),
    ],
)
def test_text_forms_and_names_agree(text, network):
    parsed = parse_network(text)
    assert parsed == network
    assert parsed.name == network.name == text.strip()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("lattice:3x3", r"unknown network 'lattice:3x3'; there are torus:3x4, ring:5, complete:6, file:graph.graphml"),
        ("torsu:3x3", "Did you mean 'torus'"),
        ("torus", "there are torus:3x4"),
        ("", "unknown network"),
        ("torus:3", "write torus:3x4"),
        ("torus:3x", "write torus:3x4"),
        ("torus:-3x4", "write torus:3x4"),
        ("torus:3x4x5", "write torus:3x4"),
        ("torus:0x4", "at least 1"),
        ("ring:", "write ring:6"),
        ("ring:five", "write ring:6"),
        ("ring:2.5", "write ring:6"),
        ("ring:0", "at least 1"),
        ("file:network.xyz", r"\.graphml, \.gml, \.edgelist"),
        ("file:nowhere.graphml", "there is no file 'nowhere.graphml'"),
    ],
)
def test_texts_that_are_refused(text, message):
    with pytest.raises(NetworkError, match=message):
        parse_network(text)


def test_hints_are_given_only_where_they_help():
    with pytest.raises(NetworkError) as caught:
        parse_network("torus")
    assert "Did you mean" not in str(caught.value)


@pytest.mark.parametrize(
    ("suffix", "write"),
    [("graphml", nx.write_graphml), ("gml", nx.write_gml), ("edgelist", nx.write_weighted_edgelist)],
)
def test_files_of_every_format(tmp_path, suffix, write):
    graph = nx.Graph()
    graph.add_weighted_edges_from([("a", "b", 1.0), ("b", "c", -0.5)])
    path = tmp_path / f"chain.{suffix}"
    write(graph, path)
    network = parse_network(f"file:{path}")
    assert network == SpinNetwork(3, [(0, 1), (1, 2)], [1.0, -0.5])
    assert network.labels == ("a", "b", "c")
    assert network.name == f"file:chain.{suffix}"


@pytest.mark.parametrize("suffix", ["graphml", "gml", "edgelist"])
def test_unreadable_files_are_named(tmp_path, suffix):
    path = tmp_path / f"broken.{suffix}"
    path.write_text("a b c d e\n{{{")
    with pytest.raises(NetworkError, match=rf"broken.{suffix}' is not readable as {suffix}"):
        parse_network(f"file:{path}")


def test_a_directed_graph_in_a_file_is_refused(tmp_path):
    path = tmp_path / "arrows.graphml"
    nx.write_graphml(nx.DiGraph([("a", "b")]), path)
    with pytest.raises(NetworkError, match="directed"):
        parse_network(f"file:{path}")


def test_an_edge_list_with_a_pair_twice_is_refused(tmp_path):
    path = tmp_path / "twice.edgelist"
    path.write_text("0 1 1.0\n1 2 1.0\n1 0 2.0\n")
    with pytest.raises(NetworkError, match="more than once"):
        parse_network(f"file:{path}")
    path.write_text("0 1 1.0\n1 2 2.0\n")
    network = parse_network(f"file:{path}")
    assert network.weights.tolist() == [1.0, 2.0]
