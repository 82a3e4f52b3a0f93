"""Text forms of networks."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

import networkx as nx
import pytest

from spinbattery import (
    ChargingProblem,
    SpinNetwork,
    complete,
    cooperative,
    parse_network,
    ring,
    tilted_torus,
    torus,
)
from spinbattery.core.errors import NetworkError
from spinbattery.model.network import LatticeCut
from spinbattery.model.topology import WorkingGraph


@pytest.mark.parametrize(
    ("text", "network"),
    [
        ("torus:3x4", torus(3, 4)),
        (" torus:1x2 ", torus(1, 2)),
        ("ring:5", ring(5)),
        ("complete:6", complete(6)),
        ("tilted-torus:3x1", tilted_torus(3, 1)),
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
        ("lattice:3x3", r"pegasus:16/missing:28:seed:7/region:4, zephyr:6/scattered.*, solver:qpu.json/region:4"),
        ("torsu:3x3", "Did you mean 'torus'"),
        ("torus", "there are torus:3x4"),
        ("", "unknown network"),
        ("torus:3", "write it like torus:3x4"),
        ("torus:3x", "write it like torus:3x4"),
        ("torus:-3x4", "write it like torus:3x4"),
        ("torus:3x4x5", "write it like torus:3x4"),
        ("torus:0x4", "1 or more"),
        ("tilted-torus:3", "write it like tilted-torus:3x1"),
        ("tilted-torus:3x0", "b must be a whole number of 1 or more"),
        ("tilted-tours:3x1", "Did you mean 'tilted-torus'"),
        ("ring:", "write it like ring:5"),
        ("ring:five", "write it like ring:5"),
        ("ring:2.5", "write it like ring:5"),
        ("ring:0", "1 or more"),
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


@pytest.mark.parametrize("suffix", ["graphml", "gml"])
def test_unreadable_files_are_named(tmp_path, suffix):
    path = tmp_path / f"broken.{suffix}"
    path.write_text("a b c d e\n{{{")
    with pytest.raises(NetworkError, match=rf"broken.{suffix}' is not readable as {suffix}"):
        parse_network(f"file:{path}")


def test_a_directed_graph_in_a_file_is_refused(tmp_path):
    path = tmp_path / "arrows.graphml"
    nx.write_graphml(nx.DiGraph([("a", "b")]), path)
    with pytest.raises(NetworkError, match='edgedefault="undirected"'):
        parse_network(f"file:{path}")
    path.write_text(path.read_text().replace('edgedefault="directed"', 'edgedefault="undirected"'))
    assert parse_network(f"file:{path}").n_pairs == 1


def test_an_edge_list_with_a_pair_twice_is_refused(tmp_path):
    path = tmp_path / "twice.edgelist"
    path.write_text("0 1 1.0\n1 2 1.0\n1 0 2.0\n")
    with pytest.raises(NetworkError, match="more than once"):
        parse_network(f"file:{path}")
    path.write_text("0 1 1.0\n1 2 2.0\n")
    network = parse_network(f"file:{path}")
    assert network.weights.tolist() == [1.0, 2.0]


CHIP = WorkingGraph.pegasus(4).without(5, seed=3)


@pytest.mark.parametrize(
    ("text", "network"),
    [
        ("pegasus:4", WorkingGraph.pegasus(4).network()),
        ("zephyr:2", WorkingGraph.zephyr(2).network()),
        ("pegasus:4/missing:5:seed:3", CHIP.network()),
        ("pegasus:4/missing:5:seed:3/missing:2:seed:0", CHIP.without(2, seed=0).network()),
        ("pegasus:4/missing:5:seed:3/region:2", CHIP.region(2)),
        ("pegasus:4/region:3", WorkingGraph.pegasus(4).region(3)),
        ("pegasus:4/missing:5:seed:3/scattered:20:seed:1", CHIP.scattered(20, seed=1)),
        ("zephyr:2/scattered:20:seed:1", WorkingGraph.zephyr(2).scattered(20, seed=1)),
    ],
)
def test_texts_of_annealers(text, network):
    parsed = parse_network(text)
    assert parsed == network
    assert parsed.labels == network.labels
    assert parsed.name == network.name == text


def test_solvers_from_their_saved_properties(tmp_path, monkeypatch):
    folder = tmp_path / "saved.json"  # a folder that looks like the file
    folder.mkdir()
    properties = {
        "chip_id": "Advantage_system6",
        "topology": {"type": "pegasus", "shape": [4]},
        "qubits": CHIP.qubits.tolist(),
        "couplers": CHIP.couplers.tolist(),
    }
    (folder / "qpu.json").write_text(json.dumps(properties))
    monkeypatch.chdir(tmp_path)
    for path in ("saved.json/qpu.json", folder / "qpu.json"):
        whole, region = parse_network(f"solver:{path}"), parse_network(f"solver:{path}/missing:1:seed:0/region:2")
        assert whole == CHIP.network()
        assert whole.name == "solver:qpu.json"
        assert region.labels == CHIP.without(1, seed=0).region(2).labels
        assert region.name == "solver:qpu.json/missing:1:seed:0/region:2"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("pegasus:", "pegasus:.*malformed; write it like pegasus:4"),
        ("pegasus:four", "write it like pegasus:4"),
        ("pegasus:-4", "write it like pegasus:4"),
        ("pegasus:" + 5000 * "9", "write it like pegasus:4"),
        ("zephyr:2.5/region:1", r"zephyr:2\.5.*malformed; write it like zephyr:4"),
        ("pegasus:1", "2 or more, but is 1"),
        ("zephyr:0", "1 or more, but is 0"),
        ("pegasus:33", "far larger than any device .* sizes go to 32"),
        ("zephyr:1000000000000", "sizes go to 32"),
        ("pegasus:4/", "unknown step '' in 'pegasus:4/'; there are missing:28:seed:7, region:4, scattered:400:seed:1"),
        ("pegasus:4/regoin:2", "unknown step 'regoin:2' .* Did you mean 'region'"),
        ("pegasus:4/missing:3", "'missing:3' is malformed; write it like missing:28:seed:7"),
        ("pegasus:4/missing:3:seed", "write it like missing:28:seed:7"),
        ("pegasus:4/missing:3:seed:-1", "write it like missing:28:seed:7"),
        ("pegasus:4/missing:all:seed:1", "write it like missing:28:seed:7"),
        ("pegasus:4/scattered:3", "write it like scattered:400:seed:1"),
        ("pegasus:4/region:", "write it like region:4"),
        ("pegasus:4/region:2:seed:1", "write it like region:4"),
        ("pegasus:4/missing:264:seed:1", "has 264 qubits, so at most 263 can be missing, not 264"),
        ("pegasus:4/region:5", "region:5 does not fit into pegasus:4.*at most 4"),
        ("pegasus:4/region:1", "2 or more, but is 1"),
        ("pegasus:4/scattered:0:seed:1", "1 or more, but is 0"),
        ("pegasus:4/scattered:265:seed:1", "has 264 qubits; choose at most as many, not 265"),
        ("pegasus:4/missing:5:seed:3/scattered:260:seed:1", "has 259 qubits"),
        ("pegasus:4/region:2/missing:3:seed:1", "'region:2' must be the last step"),
        ("pegasus:4/region:3/region:2", "'region:3' must be the last step"),
        ("pegasus:4/scattered:9:seed:1/region:2", "'scattered:9:seed:1' must be the last step"),
        ("solver:", r"names no \.json file of saved properties; write solver:qpu\.json/region:4"),
        ("solver:region:4", r"names no \.json file"),
        ("solver:qpu.jsonx", r"names no \.json file"),
        ("solver:nowhere.json/region:4", "cannot read 'nowhere.json': No such file"),
    ],
)
def test_texts_of_annealers_that_are_refused(text, message):
    with pytest.raises(NetworkError, match=message):
        parse_network(text)


def test_a_torus_loads_no_library_of_graphs():
    code = (
        "import sys, spinbattery\n"
        "spinbattery.parse_network('torus:3x4')\n"
        "print(*[name for name in ('networkx', 'dwave.graphs') if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("pegasus:3", LatticeCut("pegasus", 3, missing=0)),
        ("zephyr:2/region:1", LatticeCut("zephyr", 2, missing=0, region=1)),
        ("pegasus:3/scattered:20:seed:4", LatticeCut("pegasus", 3, missing=0, scattered=(20, 4))),
        ("pegasus:3/missing:2:seed:1", LatticeCut("pegasus", 3, missing=2)),
        ("torus:3x4", None),
    ],
)
def test_a_network_knows_its_cut_of_a_lattice_and_so_does_its_record(text, cut):
    network = parse_network(text)
    assert network.cut == cut
    problem = ChargingProblem(network, cooperative(10.0))
    assert ChargingProblem.from_dict(problem.to_dict()).network.cut == cut


def test_a_cut_is_no_matter_of_the_name():
    whole = parse_network("pegasus:2")
    assert replace(whole, name="custom").cut == whole.cut
    assert replace(torus(3, 4), name="pegasus:2").cut is None
    assert whole.restricted_to(whole.names[:5]).cut == replace(whole.cut, missing=None)
    region = parse_network("pegasus:3/region:2")
    assert region.restricted_to(region.names[:5]).cut == LatticeCut("pegasus", 3, missing=None, region=2)
