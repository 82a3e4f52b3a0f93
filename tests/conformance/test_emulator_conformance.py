"""The emulator against dimod's own checks, and in the place of a QPU."""

from __future__ import annotations

import unittest

import dimod
import dimod.testing
import dwave.graphs
import networkx as nx
import numpy as np
import pytest
from dwave.cloud.solver import StructuredSolver
from dwave.system import EmbeddingComposite, FixedEmbeddingComposite
from dwave.system.testing import MockDWaveSampler

from spinbattery.annealer.emulator import EmulatedAnnealer
from spinbattery.model import lattices
from spinbattery.model.scales import advantage_system6
from spinbattery.solver.timing import qpu_access_time

REVERSE = {
    "num_reads": 20,
    "auto_scale": False,
    "anneal_schedule": [[0, 1], [20, 0.35], [40, 0.35], [60, 1]],
    "h_gain_schedule": [[0, 0], [20, 0], [40, 1], [60, 0]],
    "reinitialize_state": True,
    "label": "charge",
}


def _sampler(model="svmc-tf"):
    # the labels of dimod's tests, coupled as they are there
    return EmulatedAnnealer(graph=nx.path_graph([(("a",),), 0, "c"]), sweeps=50, seed=1, model=model, threads=1)


@dimod.testing.load_sampler_bqm_tests(_sampler)
class TestEmulatedAnnealer(unittest.TestCase):
    pass


@pytest.mark.parametrize("graph", [lattices.torus(3, 3), dwave.graphs.pegasus_graph(2)])
def test_the_interfaces_of_dimod(graph):
    sampler = EmulatedAnnealer(graph=graph)
    dimod.testing.assert_sampler_api(sampler)
    dimod.testing.assert_structured_api(sampler)
    assert isinstance(sampler, dimod.Scoped)
    assert sampler.to_networkx_graph().number_of_edges() == len(sampler.edgelist)


def _mock(**settings):
    graph = dwave.graphs.pegasus_graph(2)
    return MockDWaveSampler(
        topology_type="pegasus", topology_shape=[2], parameter_warnings=False,
        substitute_sampler=EmulatedAnnealer(graph=graph, seed=3, sweeps=300, **settings),
    )  # fmt: skip


def test_it_is_the_substitute_inside_the_mock_of_a_qpu():
    mock = _mock()
    h, J = dict.fromkeys(mock.nodelist, -0.5), dict.fromkeys(mock.edgelist, -0.2)
    state = dict.fromkeys(mock.nodelist, -1)
    answer = mock.sample_ising(h, J, **REVERSE, initial_state=state, answer_mode="raw")
    direct = mock.substitute_sampler.sample_ising(
        h, J, **REVERSE, initial_state=state, answer_mode="raw", seed=answer.info["emulator"]["seed"]
    )
    np.testing.assert_array_equal(answer.record.sample, direct.record.sample)
    assert answer.info["problem_label"] == "charge"


def test_all_the_parameters_of_the_mock_that_it_has_are_taken():
    mock = _mock()
    idle = {
        "programming_thermalization": 1000.0, "readout_thermalization": 0.0,
        "reduce_intersample_correlation": False, "flux_drift_compensation": True,
    }  # fmt: skip
    assert len(mock.sample_ising({mock.nodelist[0]: -1.0}, {}, annealing_time=20.0, **idle)) == 1


def test_a_mock_can_be_made_from_it():
    sampler = EmulatedAnnealer(graph=dwave.graphs.pegasus_graph(2))
    mock = MockDWaveSampler.from_qpu_sampler(sampler)
    assert (mock.nodelist, set(mock.edgelist)) == (sampler.nodelist, set(sampler.edgelist))


def test_it_can_be_made_from_a_mock():
    mock = MockDWaveSampler(topology_type="zephyr", topology_shape=[1, 4])
    # a Zephyr chip has scales of its own, which a mock has not
    sampler = EmulatedAnnealer(graph=mock.properties, scales=advantage_system6(), sweeps=50)
    assert set(sampler.nodelist) == set(mock.nodelist)
    assert sampler.properties["h_gain_schedule_range"] == [-3.0, 3.0]
    assert len(sampler.sample_ising({0: 1.0}, {})) == 1


def test_embedding_composites_take_it():
    sampler = EmulatedAnnealer(graph=dwave.graphs.pegasus_graph(2), sweeps=500, seed=1)
    triangle = {("x", "y"): -1.0, ("y", "z"): -1.0, ("x", "z"): -1.0}
    ends = sampler.edgelist[0]
    fixed = FixedEmbeddingComposite(sampler, {"x": (ends[0],), "y": (ends[1],)})
    assert fixed.sample_ising({}, {("x", "y"): -1.0}, num_reads=20).first.energy == -1.0
    assert EmbeddingComposite(sampler).sample_ising({}, triangle, num_reads=50).first.energy == -3.0


def test_its_typical_timing_data_are_readable_by_the_sdk():
    sampler = EmulatedAnnealer(graph=dwave.graphs.pegasus_graph(2))
    solver = type("Solver", (), {"properties": sampler.properties})()
    schedule = REVERSE["anneal_schedule"]
    theirs = StructuredSolver.estimate_qpu_access_time(
        solver, num_qubits=40, num_reads=20, anneal_schedule=schedule, initial_state=[1], reinitialize_state=True
    )
    request = {"num_reads": 20, "anneal_schedule": schedule, "reinitialize_state": True}
    assert qpu_access_time(sampler.properties, 40, request) == pytest.approx(theirs)
