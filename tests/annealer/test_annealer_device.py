"""Graphs and solver properties of the emulator."""

from __future__ import annotations

import json

import dwave.graphs
import networkx as nx
import numpy as np
import pytest

from spinbattery.annealer.device import device_of
from spinbattery.core.errors import InvalidParameterError, NetworkError
from spinbattery.model import lattices, network, topology
from spinbattery.solver.limits import violations
from spinbattery.solver.timing import qpu_access_time


def test_the_default_is_a_whole_pegasus_16():
    device = device_of(None)
    assert len(device.labels) == 5640
    properties = device.properties()
    assert properties["topology"] == {"type": "pegasus", "shape": [16]}
    assert properties["num_qubits"] == 5760


def test_a_torus_is_its_own_working_graph():
    properties = device_of(lattices.torus(3, 4)).properties()
    assert properties["topology"]["type"] == "custom"
    assert properties["qubits"] == list(range(12))
    assert len(properties["couplers"]) == 24
    assert properties["num_qubits"] == 12


@pytest.mark.parametrize(
    ("graph", "kind", "shape", "num_qubits"),
    [
        (dwave.graphs.pegasus_graph(2), "pegasus", [2], 48),
        (dwave.graphs.zephyr_graph(1), "zephyr", [1, 4], 48),
        (topology.WorkingGraph.zephyr(2).network(), "zephyr", [2, 4], 160),
        (topology.WorkingGraph.pegasus(4).without(5, 1).region(2), "pegasus", [4], 288),
        (dwave.graphs.pegasus_graph(2, coordinates=True), "custom", [40], 40),
    ],
)
def test_the_topology_of_known_graphs(graph, kind, shape, num_qubits):
    device = device_of(graph)
    properties = device.properties()
    assert properties["topology"] == {"type": kind, "shape": shape}
    assert properties["num_qubits"] == num_qubits
    assert max(device.numbers) < num_qubits


def test_labels_of_a_graph_are_kept():
    device = device_of(nx.path_graph(["b", ("a", 1), 7]))
    assert device.labels == ("b", ("a", 1), 7)
    assert device.numbers == (0, 1, 2)
    assert device.couplers(device.labels) == [("b", ("a", 1)), (("a", 1), 7)]


def test_the_properties_are_complete_and_claim_no_chip():
    properties = device_of(lattices.ring(5)).properties()
    assert properties["chip_id"] == "EmulatedAnnealer"
    assert properties["category"] == "software"
    assert "typical" in properties["problem_timing_data"]["source"]
    assert json.loads(json.dumps(properties)) == properties
    request = {"num_reads": 10, "anneal_schedule": [[0, 0], [20, 1]], "label": "x"}
    assert violations(properties, {0: 1.0}, {(0, 1): -1.0}, request) == []
    assert qpu_access_time(properties, 5, request) > 0.0


def test_properties_of_a_solver_set_graph_and_limits():
    solver = device_of(dwave.graphs.pegasus_graph(2)).properties()
    solver |= {"chip_id": "Advantage_x", "h_range": [-1.0, 1.0], "graph_id": "01d"}
    solver["qubits"], missing = solver["qubits"][1:], solver["qubits"][0]
    solver["couplers"] = [pair for pair in solver["couplers"] if missing not in pair]
    device = device_of(solver)
    properties = device.properties()
    assert len(device.labels) == 39
    assert properties["h_range"] == [-1.0, 1.0]
    assert (properties["chip_id"], properties["emulated_chip_id"]) == ("EmulatedAnnealer", "Advantage_x")
    assert sorted(map(tuple, properties["couplers"])) == sorted(map(tuple, solver["couplers"]))
    properties["h_range"][0] = 5.0
    assert solver["h_range"] == [-1.0, 1.0]


@pytest.mark.parametrize(
    ("graph", "error", "message"),
    [
        ("pegasus", NetworkError, "cannot read"),
        (7, InvalidParameterError, "SpinNetwork"),
        ({"qubits": [0, 1]}, InvalidParameterError, "qubits and couplers"),
        ({"qubits": [0, 1], "couplers": [[0, 2]]}, InvalidParameterError, "does not list"),
        ({"qubits": [0, "a"], "couplers": []}, InvalidParameterError, "qubit numbers"),
        (nx.DiGraph([(0, 1)]), NetworkError, "directed"),
        (nx.Graph(), NetworkError, "empty"),
    ],
)
def test_what_is_no_graph_is_refused(graph, error, message):
    with pytest.raises(error, match=message):
        device_of(graph)


def test_a_network_with_numpy_labels_has_numbers():
    labelled = network.SpinNetwork(2, np.array([[0, 1]]), labels=(4, 9))
    assert device_of(labelled).properties()["num_qubits"] == 10
