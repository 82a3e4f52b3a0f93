"""Working graphs of annealers and the networks cut from them."""

from __future__ import annotations

import json
from dataclasses import replace

import dwave.graphs
import networkx as nx
import numpy as np
import pytest

from spinbattery.core.errors import NetworkError
from spinbattery.model.topology import WorkingGraph, read_solver_properties

# N and n_C of P_m
PEGASUS = {
    2: (40, 164), 3: (128, 704), 4: (264, 1604), 5: (448, 2864), 6: (680, 4484), 7: (960, 6464), 8: (1288, 8804),
    9: (1664, 11504), 10: (2088, 14564), 11: (2560, 17984), 12: (3080, 21764), 13: (3648, 25904), 14: (4264, 30404),
    15: (4928, 35264), 16: (5640, 40484),
}  # fmt: skip
PAIRS_PER_SPIN = [
    4.1, 5.5, 6.0758, 6.3929, 6.5941, 6.7333, 6.8354, 6.9135, 6.9751, 7.0250, 7.0662, 7.1009, 7.1304, 7.1558, 7.1780,
]  # fmt: skip

MISSING_28_SEED_7 = [
    67, 644, 895, 1237, 1550, 1615, 2079, 2574, 2672, 2779, 2833, 3202, 3332, 3487, 3500, 3514, 4018, 4144, 4324, 4336,
    4444, 4449, 4854, 4964, 5050, 5439, 5556, 5693,
]  # fmt: skip
SCATTERED_400_SEED_1 = (35, 44, 45, 51, 66)  # the first five


def graph_of(family, m):
    return WorkingGraph.pegasus(m) if family == "pegasus" else WorkingGraph.zephyr(m)


def reference(family, m):
    return dwave.graphs.pegasus_graph(m) if family == "pegasus" else dwave.graphs.zephyr_graph(m)


def mappings(family, region, m):
    function = {"pegasus": dwave.graphs.pegasus_sublattice_mappings, "zephyr": dwave.graphs.zephyr_sublattice_mappings}
    return function[family](reference(family, region), reference(family, m))


def labelled_couplers(network):
    return {frozenset((network.labels[j], network.labels[k])) for j, k in network.pairs.tolist()}


def cut(working, qubits):
    """The working graph with these qubits only."""
    qubits = np.array(sorted(qubits))
    return replace(working, qubits=qubits, couplers=working.couplers[np.isin(working.couplers, qubits).all(axis=1)])


def properties_of(working, **changes):
    shape = [working.size] if working.family == "pegasus" else [working.size, working.tile]
    return {
        "chip_id": "Advantage_system6",
        "topology": {"type": working.family, "shape": shape},
        "qubits": working.qubits.tolist(),
        "couplers": working.couplers.tolist(),
        "h_range": [-4.0, 4.0],
    } | changes


def test_sizes_of_pegasus():
    networks = {m: WorkingGraph.pegasus(m).network() for m in PEGASUS}
    assert {m: (network.n_spins, network.n_pairs) for m, network in networks.items()} == PEGASUS
    assert all(network.n_spins == 8 * (3 * m - 1) * (m - 1) for m, network in networks.items())
    assert [round(network.pairs_per_spin, 4) for network in networks.values()] == PAIRS_PER_SPIN
    assert networks[16].degrees.max() == 15


def test_sizes_of_zephyr():
    for m in (1, 2, 3, 6, 12):
        network, t = WorkingGraph.zephyr(m).network(), 4
        assert network.n_spins == 4 * t * m * (2 * m + 1)
        # the generator's documentation
        assert network.n_pairs == (2 * t * (8 * t + 3) if m == 1 else 2 * t * ((8 * t + 8) * m**2 - 2 * m - 3))
        assert network.name == f"zephyr:{m}"
    assert network.degrees.max() == 20


@pytest.mark.parametrize(("family", "m"), [("pegasus", 3), ("zephyr", 2)])
def test_labels_are_the_qubit_numbers_of_the_device(family, m):
    network, graph = graph_of(family, m).network(), reference(family, m)
    assert network.labels == tuple(sorted(graph.nodes))
    assert all(type(label) is int for label in network.labels)
    assert labelled_couplers(network) == {frozenset(edge) for edge in graph.edges}
    layout = (dwave.graphs.pegasus_layout if family == "pegasus" else dwave.graphs.zephyr_layout)(graph)
    np.testing.assert_array_equal(network.positions, [layout[qubit] for qubit in network.labels])


def test_arrays_cannot_be_written_to():
    working = WorkingGraph.pegasus(2)
    for array in (working.qubits, working.couplers, working.placement(2).qubits):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1


def test_missing_qubits_are_the_same_for_all_time():
    whole = WorkingGraph.pegasus(16)
    working = whole.without(28, seed=7)
    assert sorted(set(whole.qubits.tolist()) - set(working.qubits.tolist())) == MISSING_28_SEED_7
    assert working.name == "pegasus:16/missing:28:seed:7"
    network = working.network()
    assert (network.n_spins, network.n_pairs) == (5612, 40094)
    assert labelled_couplers(network) == {
        frozenset(edge) for edge in reference("pegasus", 16).subgraph(working.qubits.tolist()).edges
    }


def test_choices_of_one_seed_are_nested_and_those_of_others_differ():
    whole = WorkingGraph.pegasus(4)
    kept = {n: set(whole.without(n, seed=1).qubits.tolist()) for n in (0, 10, 50)}
    assert kept[50] < kept[10] < kept[0] == set(whole.qubits.tolist())
    assert kept[10] != set(whole.without(10, seed=2).qubits.tolist())


@pytest.mark.parametrize("family", ["pegasus", "zephyr"])
@pytest.mark.parametrize("region", [2, 3])
def test_the_placement_with_the_fewest_missing_qubits(family, region):
    """Against the definition, tried one mapping after the other."""
    working = graph_of(family, 4).without(12, seed=5)
    there = set(working.qubits.tolist())
    source = reference(family, region)
    images = [[mapping(qubit) for qubit in source] for mapping in mappings(family, region, 4)]
    missing = [sum(qubit not in there for qubit in image) for image in images]
    best = sorted(set(images[missing.index(min(missing))]) & there)
    graph = nx.Graph(working.couplers.tolist()).subgraph(best)

    network, placement = working.region(region), working.placement(region)
    assert network.labels == tuple(best)
    assert labelled_couplers(network) == {frozenset(edge) for edge in graph.edges}
    assert placement.qubits.tolist() == best
    assert placement.missing_qubits == min(missing) == source.number_of_nodes() - network.n_spins
    assert placement.missing_couplers == source.number_of_edges() - network.n_pairs
    assert network.name == f"{working.name}/region:{region}"


def test_regions_are_not_intact_by_accident():
    """With these missing qubits the smallest region of the test above finds an intact place, the larger does not."""
    working = WorkingGraph.pegasus(4).without(12, seed=5)
    assert working.placement(2).missing_qubits == 0
    assert working.placement(3).missing_qubits > 0


@pytest.mark.parametrize(("family", "region", "m"), [("pegasus", 2, 5), ("zephyr", 1, 4), ("zephyr", 2, 3)])
def test_every_placement_is_found_and_whole(family, region, m):
    whole, size = graph_of(family, m), reference(family, region).number_of_nodes()
    offsets = []
    for mapping in mappings(family, region, m):
        image = [mapping(qubit) for qubit in reference(family, region)]
        placement = cut(whole, image).placement(region)
        assert placement.qubits.tolist() == sorted(image)
        assert (placement.missing_qubits, placement.missing_couplers, len(image)) == (0, 0, size)
        offsets.append(placement.offset)
    assert len(set(offsets)) == len(offsets) > 1


@pytest.fixture(scope="module")
def working():
    return WorkingGraph.pegasus(16).without(28, seed=7)


@pytest.mark.parametrize("m", [2, 3, 6, 7, 11, 16])
def test_regions_of_a_chip_with_28_missing_qubits(working, m):
    network, placement = working.region(m), working.placement(m)
    n, n_pairs = PEGASUS[m]
    assert network.n_spins == n - placement.missing_qubits
    assert network.n_pairs == n_pairs - placement.missing_couplers
    assert 0 <= placement.missing_qubits <= 28
    assert (placement.missing_qubits == 0) == (m <= 6)
    assert nx.is_connected(network.to_networkx())


def test_broken_couplers_are_left_out():
    whole = WorkingGraph.pegasus(2)
    working = replace(whole, couplers=whole.couplers[1:])
    lost = frozenset(whole.couplers[0].tolist())
    for network in (working.network(), working.region(2), working.scattered(40, seed=1)):
        assert labelled_couplers(whole.network()) - labelled_couplers(network) == {lost}
    assert working.placement(2).missing_couplers == 1
    assert working.placement(2).missing_qubits == 0


def test_a_region_may_fall_apart_but_not_vanish():
    whole = WorkingGraph.pegasus(3)
    apart = cut(whole, [whole.qubits[0], whole.qubits[-1]])
    assert (apart.region(3).n_spins, apart.region(3).n_pairs) == (2, 0)
    # each qubit lies in some placement, so that a region always has one
    for qubit in whole.qubits.tolist():
        assert cut(whole, [qubit]).region(2).labels == (qubit,)


def test_scattered_qubits():
    working = WorkingGraph.pegasus(16).without(28, seed=7)
    network = working.scattered(400, seed=1)
    assert network.n_spins == 400
    assert set(network.labels) < set(working.qubits.tolist())
    graph = nx.Graph(working.couplers.tolist()).subgraph(network.labels)
    assert labelled_couplers(network) == {frozenset(edge) for edge in graph.edges}
    assert network.labels[:5] == SCATTERED_400_SEED_1
    assert network.labels != working.scattered(400, seed=2).labels
    assert network.name == "pegasus:16/missing:28:seed:7/scattered:400:seed:1"
    assert working.scattered(5612, seed=3) == working.network()


def test_scattered_qubits_are_uniform():
    """Each of 40 qubits is among 10 chosen with probability 1/4: chi-square of 400 choices, 39 degrees of freedom."""
    working = WorkingGraph.pegasus(2)
    counts = dict.fromkeys(working.qubits.tolist(), 0)
    for seed in range(400):
        for qubit in working.scattered(10, seed).labels:
            counts[qubit] += 1
    # without replacement the counts of one choice are anticorrelated: (n - 1) / n of the variance p (1 - p)
    chi_square = sum((count - 100) ** 2 for count in counts.values()) / (400 * 0.25 * 0.75) * 39 / 40
    assert 15 < chi_square < 75


def test_the_scattered_choice_is_not_that_of_the_missing_qubits():
    whole = WorkingGraph.pegasus(4)
    missing = set(whole.qubits.tolist()) - set(whole.without(60, seed=1).qubits.tolist())
    assert len(missing & set(whole.scattered(60, seed=1).labels)) < 30


@pytest.mark.parametrize("working", [WorkingGraph.pegasus(3).without(4, seed=2), WorkingGraph.zephyr(2)])
def test_properties_of_a_solver_and_back(working, tmp_path):
    path = tmp_path / "qpu.json"
    path.write_text(json.dumps(properties_of(working)))
    properties = read_solver_properties(path)
    assert properties == properties_of(working)
    found = WorkingGraph.from_properties(properties)
    assert (found.family, found.size, found.name) == (working.family, working.size, "Advantage_system6")
    assert found.network() == working.network()
    assert found.region(2).name == "Advantage_system6/region:2"


def test_order_within_the_properties_does_not_matter():
    working = WorkingGraph.pegasus(2)
    shuffled = properties_of(
        working,
        qubits=tuple(working.qubits[::-1].tolist()),
        couplers=[tuple(pair[::-1]) for pair in working.couplers[::-1].tolist()],
    )
    found = WorkingGraph.from_properties(shuffled)
    assert found.network() == working.network()
    assert found.network().labels == working.network().labels


def test_zephyr_with_another_tile():
    graph = dwave.graphs.zephyr_graph(2, 3)
    working = WorkingGraph.from_properties(
        {"topology": {"type": "zephyr", "shape": [2, 3]}, "qubits": list(graph), "couplers": list(graph.edges)}
    )
    assert working.name == "solver"
    assert working.network().n_spins == 4 * 3 * 2 * 5
    assert working.region(1).n_spins == 4 * 3 * 1 * 3


QUBITS, COUPLERS = WorkingGraph.pegasus(2).qubits.tolist(), WorkingGraph.pegasus(2).couplers.tolist()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"topology": None}, "topology must have a type and a shape"),
        ({"topology": {"type": "pegasus"}}, "topology must have a type and a shape"),
        ({"topology": {"type": "chimera", "shape": [16, 16, 4]}}, "'chimera' is not supported; use a pegasus"),
        ({"topology": {"type": ["pegasus"], "shape": [2]}}, "is not supported"),
        ({"topology": {"type": "pegasus", "shape": []}}, r"must be \[m\], such as \[16\], but is \[\]"),
        ({"topology": {"type": "pegasus", "shape": [2, 4]}}, r"must be \[m\], such as \[16\]"),
        ({"topology": {"type": "pegasus", "shape": 2}}, r"must be \[m\], such as \[16\]"),
        ({"topology": {"type": "zephyr", "shape": [2, 4, 4]}}, r"must be \[m\] or \[m, t\], such as \[12, 4\]"),
        ({"topology": {"type": "zephyr", "shape": [2, 0]}}, "tile parameter must be .* 1 or more, but is 0"),
        ({"topology": {"type": "zephyr", "shape": [2, 9]}}, "4 on all devices and at most 8"),
        ({"topology": {"type": "pegasus", "shape": [2.0]}}, r"whole number of 2 or more, but is 2\.0"),
        ({"topology": {"type": "pegasus", "shape": ["2"]}}, "whole number of 2 or more, but is '2'"),
        ({"topology": {"type": "pegasus", "shape": [True]}}, "whole number of 2 or more, but is True"),
        ({"topology": {"type": "pegasus", "shape": [1]}}, "2 or more, but is 1"),
        ({"topology": {"type": "pegasus", "shape": [99]}}, "sizes go to 32"),
        ({"qubits": [], "couplers": []}, "has no qubits"),
        ({"qubits": "4, 5"}, "qubits must be a list of whole numbers; save"),
        ({"qubits": None}, "qubits must be a list of whole numbers"),
        ({"qubits": [4.0, 5.0]}, "qubits must be a list of whole numbers"),
        ({"qubits": [4, [5]]}, "qubits must be a list of whole numbers"),
        ({"qubits": [*QUBITS, 0]}, "lists qubit 0, which pegasus:2 does not have"),
        ({"qubits": [*QUBITS, -4]}, "lists qubit -4, which"),
        ({"qubits": [*QUBITS, 10**30]}, "qubits must be a list of whole numbers"),
        ({"qubits": [*QUBITS, QUBITS[3]]}, f"lists qubit {QUBITS[3]} more than once"),
        ({"couplers": COUPLERS[0]}, "couplers must be a list of pairs of whole numbers; save"),
        ({"couplers": [[4, 5, 6]]}, "couplers must be a list of pairs"),
        ({"couplers": [[4, 5], [6]]}, "couplers must be a list of pairs"),
        ({"qubits": QUBITS[1:]}, r"lists coupler \[2, 3\], but not both of its qubits"),
        ({"couplers": [*COUPLERS, [2, 5]]}, r"lists coupler \[2, 5\], which pegasus:2 does not have"),
        ({"couplers": [*COUPLERS, [5, 5]]}, r"lists coupler \[5, 5\], which pegasus:2 does not have"),
        ({"couplers": [*COUPLERS, COUPLERS[0][::-1]]}, r"lists coupler \[2, 3\] more than once"),
    ],
)
def test_properties_that_are_refused(changes, message, tmp_path):
    properties = properties_of(WorkingGraph.pegasus(2), **changes)
    with pytest.raises(NetworkError, match=message):
        WorkingGraph.from_properties(properties)
    path = tmp_path / "qpu.json"
    path.write_text(json.dumps(properties))
    with pytest.raises(NetworkError, match=message) as caught:
        read_solver_properties(path)
    assert "qpu.json" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "No such file or directory; save the solver's properties as JSON, json.dump"),
        ("", "is not JSON"),
        ("{'qubits': []}", "is not JSON"),
        (100_000 * "[", "is not JSON"),
        ("[1, 2]", "holds no JSON object"),
        ("{}", "hold topology, qubits, couplers, but these do not; save the solver's properties as JSON"),
        ('{"qubits": [], "topology": {}}', "hold couplers, but these do not"),
    ],
)
def test_files_that_are_refused(text, message, tmp_path):
    path = tmp_path / "qpu.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(NetworkError, match=message):
        read_solver_properties(path)
    path.unlink(missing_ok=True)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(NetworkError, match="is not text; save it as UTF-8"):
        read_solver_properties(path)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: WorkingGraph.pegasus(1), "2 or more, but is 1"),
        (lambda: WorkingGraph.pegasus(2.0), "whole number"),
        (lambda: WorkingGraph.pegasus(True), "whole number"),
        (lambda: WorkingGraph.zephyr(0), "1 or more, but is 0"),
        (lambda: WorkingGraph.zephyr(33), "sizes go to 32"),
        (lambda: WorkingGraph("chimera", 2, [0], [], "c"), "'chimera' is not supported"),
        (lambda: WorkingGraph.pegasus(2).without(40, 1), "at most 39 can be missing, not 40"),
        (lambda: WorkingGraph.pegasus(2).without(-1, 1), "number of missing qubits must be .* but is -1"),
        (lambda: WorkingGraph.pegasus(2).without(1, -1), "seed must be .* but is -1"),
        (lambda: WorkingGraph.pegasus(2).without(1, None), "seed must be .* but is None"),
        (lambda: WorkingGraph.pegasus(2).scattered(0, 1), "scattered qubits must be .* 1 or more, but is 0"),
        (lambda: WorkingGraph.pegasus(2).scattered(41, 1), "choose at most as many, not 41"),
        (lambda: WorkingGraph.pegasus(2).scattered(4, 1.5), r"seed must be .* but is 1\.5"),
        (lambda: WorkingGraph.pegasus(2).region(3), "region:3 does not fit into pegasus:2"),
        (lambda: WorkingGraph.zephyr(2).region(0), "1 or more, but is 0"),
    ],
)
def test_calls_that_are_refused(call, message):
    with pytest.raises(NetworkError, match=message):
        call()
