"""Plans: networks on the working graph of the solver, limits and QPU time."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pytest
from dwave.cloud.solver import StructuredSolver
from qpu_desk import write_experiment
from solvers import advantage

from spinbattery.core.errors import LimitError, NetworkError, SpinBatteryError
from spinbattery.model.lattices import torus
from spinbattery.model.network_text import parse_network
from spinbattery.model.problem import ChargingProblem
from spinbattery.model.protocol import cooperative
from spinbattery.model.topology import WorkingGraph
from spinbattery.qpu.client import Solver
from spinbattery.qpu.placement import placed
from spinbattery.qpu.planning import QpuPlan, plan_jobs

MISSING = (30, 35)


@pytest.fixture(scope="module")
def properties() -> dict[str, Any]:
    """Pegasus P3 with two qubits missing."""
    found: dict[str, Any] = advantage(3, missing=MISSING)["properties"]
    return found


@pytest.fixture(scope="module")
def graph(properties: dict[str, Any]) -> WorkingGraph:
    return WorkingGraph.from_properties(properties)


def plan(experiment: Path, properties: dict[str, Any], **options: Any) -> QpuPlan:
    given = {"name": "Advantage_system6", "graph_id": "a", "reads": 100, **options}
    solver = Solver(given.pop("name"), given.pop("graph_id"), properties)
    return plan_jobs(experiment, solver, **given)


def test_lattices_are_placed_where_the_fewest_qubits_are_missing(graph: WorkingGraph) -> None:
    whole = placed(parse_network("pegasus:3"), graph)
    assert (whole.n_spins, whole.name) == (126, "pegasus:3")
    assert set(whole.labels or ()) == set(graph.qubits.tolist())
    small = placed(parse_network("pegasus:2"), graph)
    expected = graph.region(2)
    assert (small.labels, small.name) == (expected.labels, "pegasus:2")
    assert np.array_equal(small.pairs, expected.pairs)
    assert placed(parse_network("pegasus:3/region:2"), graph).labels == expected.labels
    scattered = placed(parse_network("pegasus:3/scattered:20:seed:4"), graph)
    assert scattered.labels == graph.scattered(20, 4).labels


def test_networks_of_qubits_stay_as_they_are(graph: WorkingGraph, properties: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "qpu.json").write_text(json.dumps(properties))
    network = parse_network(f"solver:{tmp_path / 'qpu.json'}/region:2")
    assert placed(network, graph) == network
    assert placed(network, graph).labels == network.labels

    pair = graph.couplers[0].tolist()
    of_hand = WorkingGraph("pegasus", 3, graph.qubits, graph.couplers, "by hand").region(2)
    part = parse_network("pegasus:3").restricted_to(pair)
    again = ChargingProblem.from_dict(ChargingProblem(network, cooperative(60e3)).to_dict()).network
    for one in (of_hand, part, again):
        assert placed(one, graph).labels == one.labels

    nx.write_weighted_edgelist(nx.Graph([(*pair, {"weight": 1.0})]), tmp_path / "pair.edgelist")
    assert placed(parse_network(f"file:{tmp_path / 'pair.edgelist'}"), graph).labels == tuple(pair)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("torus:3x3", "does not say which qubits are its spins"),
        ("pegasus:3/missing:2:seed:1", r"leave missing:\.\.\. out"),
        ("zephyr:2", "cannot be placed on .* which is pegasus:3"),
        ("pegasus:4", "region:4 does not fit"),
        ("pegasus:4/scattered:9:seed:1", "is cut from pegasus:4, but .* is pegasus:3"),
    ],
)
def test_networks_without_a_place_are_refused(graph: WorkingGraph, text: str, message: str) -> None:
    with pytest.raises(NetworkError, match=message):
        placed(parse_network(text), graph)


def test_what_is_no_sub_graph_is_refused_with_counts(graph: WorkingGraph) -> None:
    whole = WorkingGraph.pegasus(3).region(3)
    foreign = type(whole)(whole.n_spins, whole.pairs, labels=whole.labels, name="custom")
    with pytest.raises(
        NetworkError, match=r"2 of its 128 qubits and \d\d of its 704 pairs do not work there.*qubit 30"
    ):
        placed(foreign, graph)
    with pytest.raises(NetworkError, match="leave crosstalk out"):
        placed(torus(3, 3).with_crosstalk(0.01), graph)


def test_the_protocol_is_that_of_the_qubits_there_are(properties: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "study.toml"
    path.write_text('networks = ["pegasus:3"]\n[[protocols]]\nname = "local"\nduration = "60us"')
    [job] = plan(path, properties).jobs
    network = job.problem.network
    assert job.problem.protocol.h == pytest.approx(-np.sqrt(0.25 + network.pairs_per_spin * 0.04))
    assert network.pairs_per_spin < 5.5
    assert set(job.request.h) == set(properties["qubits"])


def test_time_is_that_of_the_client(properties: dict[str, Any], tmp_path: Path) -> None:
    import types

    planned = plan(write_experiment(tmp_path / "study.toml", 2), properties, repetitions=3)
    assert len(planned.jobs) == 6
    client = types.SimpleNamespace(properties=properties)
    expected = [
        StructuredSolver.estimate_qpu_access_time(
            client,
            num_qubits=40,
            num_reads=100,
            anneal_schedule=job.request.parameters["anneal_schedule"],
            initial_state=[1],
            reinitialize_state=True,
        )
        for job in planned.jobs
    ]
    assert [job.estimated_us for job in planned.jobs] == pytest.approx(expected)
    assert planned.estimated_us == pytest.approx(sum(expected))
    assert len({job.key for job in planned.jobs}) == 6


def test_engines_of_the_file_do_not_matter(properties: dict[str, Any], tmp_path: Path) -> None:
    path = write_experiment(tmp_path / "study.toml", 1)
    path.write_text('engines = ["statevector", "product"]\n' + path.read_text())
    assert len(plan(path, properties).jobs) == 1


def test_keys_tell_solver_graph_reads_and_qubits_apart(properties: dict[str, Any], tmp_path: Path) -> None:
    path = write_experiment(
        tmp_path / "study.toml", 1, ["pegasus:3/scattered:3:seed:1", "pegasus:3/scattered:3:seed:2"]
    )
    jobs = [
        job
        for options in ({}, {"name": "Another"}, {"graph_id": "b"}, {"reads": 101})
        for job in plan(path, properties, **options).jobs
    ]
    assert len({job.key for job in jobs}) == 8
    assert jobs[0].item == jobs[4].item  # another graph is no other wish


def test_a_field_that_follows_from_the_network_is_no_part_of_what_was_asked(
    properties: dict[str, Any], tmp_path: Path
) -> None:
    protocols = (("cooperative", False), ("polarised", True), ("local", False), ("local", True))
    recipes = (
        f'[[protocols]]\nname = "{name}"\nduration = "60us"\nequal_cost = {str(equal).lower()}\n'
        for name, equal in protocols
    )
    path = tmp_path / "study.toml"
    path.write_text('networks = ["pegasus:2"]\n' + "".join(recipes))
    for job in plan(path, properties).jobs:
        protocol = job.problem.protocol
        other = replace(job, problem=replace(job.problem, protocol=replace(protocol, h=2.0 * protocol.h)))
        assert (other.item == job.item) == protocol.field_is_matched
        renamed = replace(job, problem=replace(job.problem, protocol=replace(protocol, name="another")))
        assert renamed.problem.protocol.field_is_matched == protocol.field_is_matched


def test_all_limits_are_told_at_once(properties: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "study.toml"
    path.write_text(
        'networks = ["pegasus:2"]\n[[protocols]]\nname = "cooperative"\nduration = "60us"\nJ = -3.0\nfield = -9.0'
    )
    with pytest.raises(LimitError, match=r"h_range|extended_j_range") as caught:
        plan(path, properties).check()
    assert len(caught.value.violations) >= 2
    with pytest.raises(SpinBatteryError, match=r"pegasus:2, cooperative, 20 ns, .*: .*steps of 0\.01 us"):
        plan(write_short(tmp_path / "short.toml"), properties)


def write_short(path: Path) -> Path:
    path.write_text('networks = ["pegasus:2"]\n[[protocols]]\nname = "cooperative"\nduration = "20ns"')
    return path
