"""Spins go by the labels of the user's graph, in every bridge and in records."""

from __future__ import annotations

import dimod
import networkx as nx
import numpy as np
import pytest

import spinbattery as sb
from spinbattery.core.errors import NetworkError, RecordError

CHARGING = sb.cooperative(60e3)


@pytest.fixture
def path() -> sb.SpinNetwork:
    """Nodes in the order 2, 0, 1."""
    graph = nx.Graph()
    graph.add_edge(2, 0, weight=1.0)
    graph.add_edge(0, 1, weight=0.5)
    return sb.from_networkx(graph)


def reads_of(model: dimod.BQM) -> dimod.SampleSet:
    """Ten reads of a model, in which 0 and 1 are up and 2 is down in six."""
    reads = [{0: 1, 1: 1, 2: -1 if k < 6 else 1} for k in range(10)]
    return dimod.SampleSet.from_samples_bqm(reads, model)


def test_an_answer_to_the_model_comes_back_by_label(path):
    model = sb.ChargingProblem(path, CHARGING).to_bqm()
    assert list(model.variables) == [2, 0, 1]
    assert (model.get_quadratic(0, 2), model.get_quadratic(0, 1)) == (-0.2, -0.1)
    record = sb.record_from_samples(reads_of(model), path, CHARGING)  # energies agree, or there is a warning
    assert record.labels == (2, 0, 1)
    assert record.dataset["spin_magnetization"].to_numpy().tolist() == pytest.approx([-0.2, 1.0, 1.0])
    by_label = record.spin_magnetization
    assert [by_label[label] for label in (0, 1, 2)] == pytest.approx([1.0, 1.0, -0.2])


def test_models_of_networks_without_labels_are_numbered():
    model = sb.ChargingProblem(sb.ring(3), CHARGING).to_bqm()
    assert list(model.variables) == [0, 1, 2]


@pytest.mark.parametrize("ending", ["graphml", "gml"])
def test_whole_numbers_that_a_file_made_texts_of_are_matched(tmp_path, path, ending):
    file = tmp_path / f"path.{ending}"
    {"graphml": nx.write_graphml, "gml": nx.write_gml}[ending](path.to_networkx(), file)
    network = sb.parse_network(f"file:{file}")
    assert network.labels == ("2", "0", "1")
    answer = reads_of(sb.ChargingProblem(path, CHARGING).to_bqm())
    assert sb.record_from_samples(answer, network, CHARGING).spin_magnetization == pytest.approx(
        {"2": -0.2, "0": 1.0, "1": 1.0}
    )
    texts = answer.relabel_variables({0: "0", 1: "1", 2: "2"}, inplace=False)
    assert sb.record_from_samples(texts, path, CHARGING).spin_magnetization == pytest.approx({2: -0.2, 0: 1, 1: 1})


@pytest.mark.parametrize(
    ("labels", "names", "message"),
    [
        (
            ("a", "b", "c"),
            [0, 1, 2],
            r"3 of 3 labels \(0, 1, 2\) .* they are whole numbers, and its own labels are texts",
        ),
        ((5, 6, 7), ["0", "1", "2"], r"they are texts, and its own labels are whole numbers"),
        ((0, "0", 1), ["0", "1"], r"0 and '0', which are written alike"),
        ((0, 1, 2), [0, 1, 3], r"1 of 3 labels \(3\) are not spins of custom, which has 3 \(0, 1, 2\); give"),
        ((0, 1, 2), [0, "0"], r"1 of 2 labels \('0'\)"),
        (((0, 0), (0, 1), (1, 0)), ["(0, 0)"], r"1 of 1 labels"),
    ],
)
def test_what_does_not_match_is_said_with_both_sides(labels, names, message):
    network = sb.SpinNetwork(3, [(0, 1), (1, 2)], labels=labels)
    with pytest.raises(NetworkError, match=message):
        network.own_labels(names)


def test_names_that_are_equal_to_a_label_become_it():
    assert [repr(name) for name in sb.ring(3).own_labels([1.0, np.int64(2), 0])] == ["1", "2", "0"]


def test_values_by_label_become_values_by_spin(path):
    assert path.per_spin({0: 1e-3, 1: 2e-3, 2: 3e-3}) == (3e-3, 1e-3, 2e-3)
    assert path.per_spin({"0": 1, "1": 2, "2": 3}) == (3, 1, 2)
    with pytest.raises(NetworkError, match="1 spins of custom have no value, such as 1"):
        path.per_spin({0: 1.0, 2: 1.0})
    with pytest.raises(NetworkError, match=r"1 of 4 labels \(7\)"):
        path.per_spin({0: 1.0, 1: 1.0, 2: 1.0, 7: 1.0})
    slow = sb.cooperative(20.0, initial=path.per_spin({2: -1, 0: 1, 1: -1}))
    noisy = sb.Noise(x=path.per_spin({2: 0.0, 0: 0.0, 1: 5.0}))  # a spin that is mixed at once
    found = sb.charge(path, slow, noise=noisy, engine=sb.Lindblad(1e-3)).spin_magnetization
    assert abs(found[1]) < 0.01 < min(abs(found[0]), abs(found[2]))


def test_a_run_with_stuck_qubits_is_not_another_one(tmp_path):
    engine = sb.Emulator(reads=4, sweeps=5, seed=1, stuck=(5,))
    first, other = (sb.SpinNetwork(3, [(0, 1), (1, 2)], labels=labels) for labels in ((5, 6, 7), (6, 5, 7)))
    sb.charge(first, CHARGING, engine=engine, store=tmp_path)
    with pytest.raises(RecordError, match="stuck qubits of a network with other labels"):
        sb.charge(other, CHARGING, engine=engine, store=tmp_path)
    assert sb.charge(other, CHARGING, engine=engine, store=tmp_path, recompute=True).spin_magnetization[5] == -1.0


LABELS = [
    ("a", "b", "c"),
    (2, 0, 1),
    ((0, 0), (0, 1), (1, (2, "x"))),
    (1.5, None, True),
    (np.int64(7), np.int64(8), np.int64(9)),
]


@pytest.mark.parametrize("labels", LABELS)
def test_records_keep_the_labels(tmp_path, labels):
    network = sb.SpinNetwork(3, [(0, 1), (1, 2)], labels=labels)
    record = sb.charge(network, sb.cooperative(5.0))
    assert sb.read_record(record.save(tmp_path / "run.nc")).labels == record.labels == labels
    assert list(record.spin_magnetization) == list(labels)


def test_labels_that_json_has_not_are_kept_as_texts(tmp_path):
    network = sb.SpinNetwork(2, [(0, 1)], labels=(frozenset("a"), frozenset("b")))
    record = sb.charge(network, sb.cooperative(5.0))
    assert sb.read_record(record.save(tmp_path / "run.nc")).labels == ("frozenset({'a'})", "frozenset({'b'})")


def test_labels_that_are_no_finite_number_are_kept_as_texts():
    network = sb.SpinNetwork(2, [(0, 1)], labels=(float("inf"), 1))
    assert sb.charge(network, sb.cooperative(5.0)).labels == (float("inf"), 1)


def test_the_content_of_a_record_is_the_same_with_other_labels():
    one, other = (
        sb.charge(sb.SpinNetwork(2, [(0, 1)], labels=labels), sb.cooperative(5.0)) for labels in (None, ("a", "b"))
    )
    assert one.content_hash == other.content_hash


def test_labels_are_no_part_of_the_physics():
    plain, labelled = (
        sb.ChargingProblem(sb.SpinNetwork(3, [(0, 1), (1, 2)], labels=labels), sb.cooperative(5.0))
        for labels in (None, ("a", "b", "c"))
    )
    assert plain.content_hash == labelled.content_hash
    assert sb.charge(plain.network, plain.protocol).key == sb.charge(labelled.network, labelled.protocol).key
    assert "labels" not in plain.to_dict()["network"]
    numbered = sb.ChargingProblem(sb.SpinNetwork(3, [(0, 1)], labels=(0, 1, 2)), sb.cooperative(5.0))
    assert "labels" not in numbered.to_dict()["network"]


@pytest.mark.parametrize("labels", [None, ("x", "y", "z")])
def test_a_run_that_is_found_speaks_the_labels_of_who_asks(tmp_path, labels):
    first = sb.SpinNetwork(3, [(0, 1), (1, 2)], [1.0, 0.5], labels=("a", "b", "c"))
    other = sb.SpinNetwork(3, [(0, 1), (1, 2)], [1.0, 0.5], labels=labels)
    kept = sb.charge(first, sb.cooperative(5.0), store=tmp_path)
    found = sb.charge(other, sb.cooperative(5.0), store=tmp_path)
    assert (kept.labels, found.labels) == (first.names, other.names)
    assert list(found.spin_magnetization.values()) == list(kept.spin_magnetization.values())
    assert sb.charge(first, sb.cooperative(5.0), store=tmp_path).labels == first.names
    study = sb.sweep(other, sb.cooperative(5.0), store=tmp_path)
    assert study.reused == 1
    assert [record.labels for record in study.records()] == [other.names]
