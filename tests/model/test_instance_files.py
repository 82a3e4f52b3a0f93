"""Networks from files and graphs: what the weights are is read or refused, never guessed."""

from __future__ import annotations

from pathlib import Path

import dimod
import igraph
import networkx as nx
import pytest

import spinbattery as sb
from spinbattery.core.errors import NetworkError

CHARGING = sb.cooperative(20.0)
TRIANGLE = "0 1 1.0\n1 2 -0.5\n2 0 1.0\n"
BONDS = "1 2 1.0\n2 3 -0.5\n3 4 0.25\n4 1 2.0\n1 3 1.0\n"
RUDY = "4 5\n" + BONDS


def write(folder: Path, text: str, ending: str = "edgelist") -> str:
    path = folder / f"bonds.{ending}"
    path.write_bytes(text.encode("utf-8"))
    return f"file:{path}"


def figures(network: sb.SpinNetwork) -> tuple[float, float]:
    record = sb.charge(network, CHARGING)
    assert record.precision is not None
    return round(record.magnetization, 5), round(record.precision, 4)


@pytest.fixture
def pairs() -> nx.Graph:
    graph = nx.Graph()
    graph.add_edge(11, 12, J=1.0)
    graph.add_edge(12, 13, J=-0.5)
    return graph


# weights under other names


def test_weights_under_another_name_are_refused_and_can_be_chosen(pairs):
    with pytest.raises(NetworkError, match=r"no attribute 'weight', but 'J'; choose .* weight='J' .*\?weight=J"):
        sb.from_networkx(pairs)
    assert figures(sb.from_networkx(pairs, weight="J")) == (0.05713, 6.8757)
    assert sb.from_networkx(pairs, weight=False).weights.tolist() == [1.0, 1.0]


@pytest.mark.parametrize("name", ["Weight", "J"])
def test_files_name_the_attribute_in_their_text(tmp_path, pairs, name):
    renamed = nx.Graph([(u, v, {name: data["J"]}) for u, v, data in pairs.edges(data=True)])
    for ending, save in (("graphml", nx.write_graphml), ("gml", nx.write_gml)):
        path = tmp_path / f"pairs.{ending}"
        save(renamed, path)
        with pytest.raises(NetworkError, match=rf"'{name}'"):
            sb.parse_network(f"file:{path}")
        network = sb.parse_network(f"file:{path}?weight={name}")
        assert figures(network) == (0.05713, 6.8757)
        assert network.name == f"file:pairs.{ending}?weight={name}"
        assert sb.parse_network(f"file:{path}?weight=none").weights.tolist() == [1.0, 1.0]
        with pytest.raises(NetworkError, match=rf"no attribute 'K'.*attributes found: {name}"):
            sb.parse_network(f"file:{path}?weight=K")
        with pytest.raises(NetworkError, match="after the question mark"):
            sb.parse_network(f"file:{path}?wight={name}")


def test_files_of_igraph_are_read_by_their_ids(tmp_path):
    graph = igraph.Graph(3, edges=[(0, 1), (1, 2)], edge_attrs={"J": [1.0, -0.5]})
    for ending, save in (("gml", graph.write_gml), ("graphml", graph.write_graphml)):
        path = tmp_path / f"igraph.{ending}"
        save(str(path))
        assert figures(sb.parse_network(f"file:{path}?weight=J")) == (0.05713, 6.8757)
    assert sb.parse_network(f"file:{tmp_path / 'igraph.gml'}?weight=J").labels == (0, 1, 2)
    (tmp_path / "twice.gml").write_text(
        'graph [ node [ id 0 label "a" ] node [ id 1 label "a" ] edge [ source 0 target 1 ] ]'
    )
    with pytest.raises(NetworkError, match="not distinct"):
        sb.parse_network(f"file:{tmp_path / 'twice.gml'}")


def test_names_of_igraph_are_labels(tmp_path):
    graph = igraph.Graph(
        3, edges=[(0, 1), (1, 2)], edge_attrs={"J": [1.0, -0.5]}, vertex_attrs={"name": ["z", "x", "y"]}
    )
    for ending, save in (("gml", graph.write_gml), ("graphml", graph.write_graphml)):
        path = tmp_path / f"named.{ending}"
        save(str(path))
        assert sb.parse_network(f"file:{path}?weight=J").labels == ("z", "x", "y")
    graph.vs["name"] = ["z", "z", "y"]
    graph.write_graphml(str(tmp_path / "twice.graphml"))
    assert sb.parse_network(f"file:{tmp_path / 'twice.graphml'}?weight=J").labels == ("n0", "n1", "n2")


def test_models_of_dimod_name_their_biases():
    bonds = {(11, 12): 1.0, (12, 13): -0.5}
    with pytest.raises(NetworkError, match="no attribute 'weight', but 'bias'"):
        sb.from_networkx(dimod.to_networkx_graph(dimod.BQM.from_ising({}, bonds)))
    with_fields = dimod.to_networkx_graph(dimod.BQM.from_ising({11: -0.5}, bonds))
    for weight in (None, "bias"):
        with pytest.raises(NetworkError, match=r"node 11 has bias = -0\.5, a field; fields belong to the protocol"):
            sb.from_networkx(with_fields, weight=weight)
    without = dimod.to_networkx_graph(dimod.BQM.from_ising({11: 0.0}, bonds))
    assert figures(sb.from_networkx(without, weight="bias")) == (0.05713, 6.8757)
    bits = dimod.to_networkx_graph(dimod.BQM.from_qubo(bonds))
    with pytest.raises(NetworkError, match="of a BINARY model"):
        sb.from_networkx(bits, weight="bias")


@pytest.mark.parametrize(
    ("edges", "message"),
    [
        ([(0, 1, {"weight": 1.0}), (1, 2, {})], r"edge \(1, 2\) has no attribute 'weight', which 1 of 2 edges have"),
        ([(0, 1, {"weight": 1.0}), (1, 2, {"J": 2.0})], r"edge \(1, 2\) has no attribute 'weight'.* found: J, weight"),
        ([(0, 1, {"weight": 1 + 1j})], "not a number"),
        ([(0, 1, {"weight": True})], "not a number"),
        ([(0, 1, {"weight": "nan"})], "not a number"),
        ([(0, 1, {"weight": "1_0"})], "not a number"),
        ([(0, 1, {"Weight": "1,5"})], "no attribute 'weight', but 'Weight'"),
        ([(0, 1, {"J": [2.0]})], "no attribute 'weight', but 'J'"),
        ([(0, 1, {"length": 2.0, "J": 1.0})], "no attribute 'weight', but 'J', 'length'"),
    ],
)
def test_weights_are_never_guessed(edges, message):
    with pytest.raises(NetworkError, match=message):
        sb.from_networkx(nx.Graph(edges))


def test_what_is_no_number_is_no_weight():
    named = nx.Graph([(0, 1, {"id": "7", "colour": "red"}), (1, 2, {"id": "second", "_igraph_index": 1})])
    assert sb.from_networkx(named).weights.tolist() == [1.0, 1.0]
    for wrong in (True, 1, "", ["J"], "crosstalk"):
        with pytest.raises(NetworkError, match="weight must name an edge attribute"):
            sb.from_networkx(named, weight=wrong)


# instance files


@pytest.mark.parametrize(
    "text", [TRIANGLE, "\ufeff" + TRIANGLE, TRIANGLE.replace("\n", "\r\n"), "# three\n\n" + TRIANGLE]
)
@pytest.mark.parametrize("separator", [" ", "\t", ",", ";", "  ", ", "])
def test_a_triangle_is_a_triangle(tmp_path, text, separator):
    text = "\n".join(line if line.startswith("#") else line.replace(" ", separator) for line in text.split("\n"))
    network = sb.parse_network(write(tmp_path, text))
    assert (network.n_spins, network.labels) == (3, (0, 1, 2))
    assert figures(network) == (0.58436, 4.9280)


@pytest.mark.parametrize("ending", ["edgelist", "txt", "rud", "rudy", "gset", "coo"])
def test_the_numbers_of_spins_and_bonds_are_no_bond(tmp_path, ending):
    network = sb.parse_network(write(tmp_path, RUDY, ending))
    assert (network.n_spins, network.n_pairs, network.labels) == (4, 5, (1, 2, 3, 4))
    assert figures(network) == (0.77720, 11.2388)
    assert network == sb.parse_network(write(tmp_path, BONDS, ending))


def test_spins_without_a_bond_are_there_where_their_number_is_announced(tmp_path):
    assert sb.parse_network(write(tmp_path, "4 1\n1 2 1.0\n")).labels == (1, 2, 3, 4)
    assert sb.parse_network(write(tmp_path, "4 1\n0 2 1.0\n")).labels == (0, 1, 2, 3)


@pytest.mark.parametrize(
    "head",
    ["i,j,w", "i,j,J", "source,target,weight", "u,v,coupling", "Source,Target,Weight", "w,i,j"],
)
def test_columns_with_heads(tmp_path, head):
    rows = [line.split() for line in BONDS.splitlines()]
    if head == "w,i,j":
        rows = [[weight, first, second] for first, second, weight in rows]
    text = "\n".join([head, *(",".join(row) for row in rows)])
    assert figures(sb.parse_network(write(tmp_path, text, "csv"))) == (0.77720, 11.2388)


def test_a_column_can_be_chosen(tmp_path):
    text = "source,target,distance,strength\n11,12,3.0,1.0\n12,13,4.0,-0.5\n"
    with pytest.raises(NetworkError, match="line 1: names the columns 'distance', 'strength' beside the spins"):
        sb.parse_network(write(tmp_path, text, "csv"))
    assert figures(sb.parse_network(write(tmp_path, text, "csv") + "?weight=strength")) == (0.05713, 6.8757)
    with pytest.raises(NetworkError, match="names no column 'J'"):
        sb.parse_network(write(tmp_path, text, "csv") + "?weight=J")
    lost = text.replace("distance", "crosstalk")
    with pytest.raises(NetworkError, match="names the column 'crosstalk', which a list of bonds cannot have"):
        sb.parse_network(write(tmp_path, lost, "csv") + "?weight=strength")
    assert sb.parse_network(write(tmp_path, text, "csv") + "?weight=none").weights.tolist() == [1.0, 1.0]


def test_weights_with_an_exponent_are_numbers(tmp_path):
    assert sb.parse_network(write(tmp_path, "0 1 1e-05\n1 2 0.5\n", "coo")).weights.tolist() == [1e-05, 0.5]


def test_lists_without_weights(tmp_path):
    assert sb.parse_network(write(tmp_path, "0 1\n1 2\n")) == sb.SpinNetwork(3, [(0, 1), (1, 2)])
    assert sb.parse_network(write(tmp_path, "source,target\n0,1\n1,2\n", "csv")).weights.tolist() == [1.0, 1.0]
    assert sb.parse_network(write(tmp_path, "a b\nb c\n")).labels == ("a", "b", "c")
    assert sb.parse_network(write(tmp_path, "07 7\n7 8\n")).labels == ("07", "7", "8")
    assert sb.parse_network(write(tmp_path, TRIANGLE) + "?weight=none").weights.tolist() == [1.0, 1.0, 1.0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "holds no bonds"),
        ("# nothing\n", "holds no bonds"),
        ("i,j,w\n", "line 1: names columns, but no bonds follow"),
        ("4 6\n" + BONDS, "line 1: .*6 bonds are announced, but 5 lines follow"),
        ("3 5\n" + BONDS, "line 1: .*3 spins are announced, but they are numbered 1 to 4"),
        ("a b\n" + BONDS, "line 1: .*are not a bond, nor known names of columns"),
        ("4 1\na b 1.0\n", "line 1: .*the spins are not whole numbers"),
        ("3 2\n1 2\n2 3\n", "line 1: '3 2' may be a bond, or the numbers of spins and bonds"),
        ("0 1 1.0\n1 2\n", "line 2: has 2 columns, but line 1 has 3"),
        ("0 1\n1 2\n2 3 1.0\n", "line 3: has 3 columns, but line 1 has 2"),
        ("0 1 1.0\n7\n", "line 2: has 1 columns, but line 1 has 3"),
        ("0 1 1.0 2.0\n", "line 1: has 4 columns; a bond has two spins and at most a weight"),
        ("a b c d\n", "line 1: .*nor known names of columns"),
        ("0 1 1,5\n", "line 1: '0 1 1,5' is not separated by commas alone"),
        ("0 1 1.0\n1 2 -0,5\n", "line 2: the weight '-0,5' is not a finite number; write it with a decimal point"),
        ("0 1 1.0\n1,2,-0.5\n", "line 2: '1,2,-0.5' is not separated by blanks alone, as line 1 is"),
        ("0,1,1.0\n1 2 -0.5\n", "line 2: '1 2 -0.5' is not separated by commas alone, as line 1 is"),
        ("0,1,\n", "line 1: .*no empty columns"),
        ("0 1 heavy\n", "line 1: the weight 'heavy' is not a finite number"),
        ("0 1 nan\n", "line 1: the weight 'nan' is not a finite number"),
        ("0 1 1e999\n", "line 1: the weight '1e999' is not a finite number"),
        ("0 1 1_0\n", "line 1: the weight '1_0' is not a finite number"),
        ("0 1 1.0\n2 2 0.5\n", "line 2: couples spin 2 to itself; a field is not a bond"),
        ("0 1 1.0\n\n# again\n1 0 2.0\n", "line 4: the pair 1, 0 is in line 1 already"),
        ("c a comment\np edge 2 1\n", "line 2: .*DIMACS, which is not read"),
        ("i j 1.0\nj k 2.0\n3 4 heavy\n", "line 3: the weight 'heavy'"),
        (
            "%%MatrixMarket matrix coordinate real symmetric\n3 3 1\n1 2 1.0\n",
            "line 1: .*MatrixMarket, which is not read",
        ),
        ("p 3 2\ne 1 2\n", "line 1: .*DIMACS, which is not read"),
        ("# vartype=BINARY\n0 1 1.0\n", "line 1: .*BINARY model, which is not read"),
        ("a,b\n0,1\n1,2\n", "line 1: .*nor known names of columns"),
        ("here,there\nx,y\ny,z\n", "line 1: .*nor known names of columns"),
        ("0 1 1.0#x\n", "line 1: the weight '1.0#x' is not a finite number"),
        ("3 0\n", "line 1: '3 0' may be a bond, or a number of spins without bonds"),
        ("2000000 1\n1 2 1.0\n", "line 1: .*networks of up to 1000000 are read"),
        ('"i","j","w"\n1,2,1.0\n3,3,1.0\n', "line 3: couples spin 3 to itself"),
        ("i,j\ni,k\n", "line 1: .*may name columns or spins"),
        ("strong,weak,force\n1,2,1.0\n", "line 1: .*nor known names of columns; call the columns i,j,w"),
    ],
)
def test_a_line_is_understood_or_refused(tmp_path, text, message):
    with pytest.raises(NetworkError, match=rf"'bonds.csv'(, )?.*{message}"):
        sb.parse_network(write(tmp_path, text, "csv"))


def test_files_that_are_no_text_are_refused(tmp_path):
    (tmp_path / "bonds.txt").write_bytes("0 1 1.0\n".encode("utf-16"))
    with pytest.raises(NetworkError, match="save it as UTF-8"):
        sb.parse_network(f"file:{tmp_path / 'bonds.txt'}")
