"""Measured data become records."""

from __future__ import annotations

import json

import dimod
import numpy as np
import pytest

from spinbattery import (
    ChargingProblem,
    EmulatedAnnealer,
    SpinNetwork,
    cooperative,
    independence_ratio,
    parse_network,
    ring,
    sampler_request,
)
from spinbattery.core.errors import EngineError, InvalidParameterError, NetworkError, RecordError
from spinbattery.interop.measurement import read_measurement, record_from_magnetizations, record_from_samples

CP = cooperative(60e3)
SPINS = np.where(np.random.default_rng(3).random((30, 40)) < 0.95, 1, -1).astype(np.int8)


def answer(variables, network=None, **more):
    """Reads of these variables, with the energies of CP on the network and an offset; with none of it by default."""
    samples = (SPINS[:, : len(variables)], variables)
    if network is None:
        return dimod.SampleSet.from_samples(samples, vartype="SPIN", energy=7.0, **more)
    request = sampler_request(ChargingProblem(network.restricted_to(variables), CP), 2)
    bqm = dimod.BinaryQuadraticModel.from_ising(request.h, request.J, offset=7.0)
    return dimod.SampleSet.from_samples_bqm(samples, bqm, **more)


def test_a_sample_set_from_a_file(tmp_path):
    network = parse_network("pegasus:2")
    shuffled = np.random.default_rng(1).permutation(network.labels).tolist()
    path = tmp_path / "answer.json"
    path.write_text(json.dumps(answer(shuffled, network, info={"timing": {"qpu_access_time": 9.0}}).to_serializable()))
    record = read_measurement(path, network, CP)
    assert record.n_reads == 30
    assert np.array_equal(record.spins, SPINS[:, [shuffled.index(label) for label in network.labels]])
    assert record.engine == "imported"
    assert record.sampler_info == {"source": "answer.json"}
    assert record.execution_info == {"timing": {"qpu_access_time": 9.0}}
    assert (record.dataset["energy"] != 7.0).all()
    assert independence_ratio(record) is not None
    assert record.problem.network == network


def test_what_an_emulator_made_says_so():
    sampler = EmulatedAnnealer(graph=ring(5), sweeps=20)
    request = sampler_request(ChargingProblem(ring(5), CP), 10)
    record = record_from_samples(sampler.sample_ising(request.h, request.J, **request.parameters), ring(5), CP)
    assert record.sampler_info["emulator"]["model"] == "svmc-tf"
    assert "limits" not in record.sampler_info
    many = sampler.sample_ising(request.h, request.J, **{**request.parameters, "num_reads": 10_001})
    with_limits = record_from_samples(many, ring(5), CP)
    assert with_limits.sampler_info["limits"][0].startswith("num_reads must be a whole number from 1 to 10000")
    assert set(with_limits.execution_info) == set(record.execution_info)


def test_two_measurements_of_one_problem_are_two_runs():
    first = record_from_samples(answer(list(range(5)), ring(5)), ring(5), CP)
    second = record_from_samples(answer(list(range(5)), ring(5)).slice(20), ring(5), CP)
    assert first.problem.content_hash == second.problem.content_hash
    assert first.key != second.key
    assert record_from_samples(answer(list(range(5)), ring(5)), ring(5), CP).key == first.key


def test_a_part_of_the_working_graph_is_cut_out():
    network = parse_network("pegasus:2")
    some = list(network.labels[10:30])
    with pytest.warns(UserWarning, match="the energies of the answer do not belong to this problem"):
        record = record_from_samples(answer(some, network), network, CP.local_equivalent)
    assert record_from_samples(answer(some, network), network, CP).n_spins == 20
    cut = record.problem.network
    assert cut.n_spins == 20
    graph = network.to_networkx().subgraph(some)
    assert cut.n_pairs == graph.number_of_edges() > 0
    assert record.problem.protocol == CP.local_equivalent(cut)
    assert record.dataset["qubit"].to_numpy().tolist() == some


def test_restriction_keeps_weights_and_crosstalk():
    network = SpinNetwork(4, [[0, 1], [1, 2], [2, 3]], [1.0, 2.0, 3.0], labels=tuple("abcd")).with_crosstalk(-0.001)
    cut = network.restricted_to(["d", "c", "b"])
    assert cut.labels == ("b", "c", "d")
    assert cut.pairs.tolist() == [[0, 1], [1, 2]]
    assert cut.weights.tolist() == [2.0, 3.0]
    assert cut.crosstalk.tolist() == [-0.001, -0.001]
    assert network.restricted_to("abcd") is network


def test_variables_of_another_graph():
    with pytest.raises(NetworkError, match=r"2 of 5 labels \(.*\) are not spins of ring:3, which has 3"):
        record_from_samples(answer(list(range(5))), ring(3), CP)
    with pytest.raises(NetworkError, match="no spins of ring:3 are named"):
        ring(3).restricted_to([])


def test_one_read_is_too_few():
    with pytest.raises(EngineError, match="1 reads"):
        record_from_samples(answer(list(range(5))).truncate(1), ring(5), CP)


@pytest.mark.parametrize(
    "text",
    [
        "1\n0.6\n0.2\n",
        "magnetization\n1\n0.6\n0.2\n",
        "anything\n1\n0.6\n0.2\n",
        "a name with blanks\n1\n0.6\n0.2\n",
        ",mu,num_occurrences\n0,1,1\n1,0.6,1\n2,0.2,1\n",
        "\ufeffnum_occurrences, Magnetization\r\n\r\n1,1.0\r\n1, 6e-1\r\n1,0.2\r\n\r\n",
    ],
)
def test_magnetizations_from_a_table(tmp_path, text):
    path = tmp_path / "measured.csv"
    path.write_text(text, encoding="utf-8")
    record = read_measurement(path, ring(5), CP)
    assert record.read_magnetization.tolist() == [1.0, 0.6, 0.2]
    assert record.magnetization == pytest.approx(0.6)
    assert record.variance == pytest.approx(0.16)
    assert independence_ratio(record) is None


@pytest.mark.parametrize(
    "text, error, message",
    [
        ("", RecordError, "is empty"),
        ("a,b\n1,2\n", RecordError, "2 columns, none of them called magnetization or mu"),
        ("mu,b\n1,2\nx,2\n", RecordError, "line 3 of .* has 'x' where a magnetization is wanted"),
        ("b,mu\n1\n", RecordError, "line 2 of .* has 1 cells, but line 1 has 2"),
        ("1\n", InvalidParameterError, "two or more shots"),
        ("1\nnan\n", InvalidParameterError, "within"),
        ("1\n0.5\n", InvalidParameterError, "cannot have mu = 0.5"),
        ("1\n1.2\n", InvalidParameterError, "within"),
    ],
)
def test_tables_that_are_refused(tmp_path, text, error, message):
    path = tmp_path / "measured.csv"
    path.write_text(text)
    with pytest.raises(error, match=message):
        read_measurement(path, ring(5), CP)


def test_files_that_are_refused(tmp_path):
    for name, content, message in (
        ("a.xlsx", b"1", "must end in .json"),
        ("a.json", b"{}", "is not a SampleSet"),
        ("a.json", b"[1", "is not a SampleSet"),
        ("a.csv", b"\xff\xfe\x00", "is not text"),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(RecordError, match=message):
            read_measurement(tmp_path / name, ring(5), CP)
    with pytest.raises(RecordError, match="cannot read"):
        read_measurement(tmp_path / "none.csv", ring(5), CP)


def test_magnetizations_from_python():
    record = record_from_magnetizations([1.0, 0.6], ring(5), CP, source="paper, Fig. 2c")
    assert record.sampler_info == {"source": "paper, Fig. 2c"}
