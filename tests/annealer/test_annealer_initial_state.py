"""Initial states in the variables of the model: spins of an Ising problem, bits of a QUBO, through composites too."""

from __future__ import annotations

import dimod
import networkx as nx
import numpy as np
import pytest
from dwave.system import EmbeddingComposite, FixedEmbeddingComposite

from spinbattery.annealer.emulator import EmulatedAnnealer
from spinbattery.core.errors import LimitError

FROZEN = {"anneal_schedule": [[0, 1], [10, 0.95], [20, 1]], "num_reads": 3, "auto_scale": False}
"""A reverse anneal so shallow that nothing moves: every read is the initial state."""

BITS = [0, 1, 1, 0, 1, 0]
LABELS = list("abcdef")
ISING = dimod.BQM.from_ising(dict.fromkeys(range(6), -0.5), {(k, k + 1): -0.2 for k in range(5)})
QUBO = ISING.change_vartype("BINARY", inplace=False)


def annealer(graph=None):
    return EmulatedAnnealer(graph=nx.path_graph(6) if graph is None else graph, sweeps=100, seed=1, threads=1)


def test_a_qubo_starts_from_bits():
    for state in (dict(enumerate(BITS)), BITS, np.array(BITS), dict(enumerate(map(float, BITS)))):
        answer = annealer().sample(QUBO, initial_state=state, **FROZEN)
        assert answer.vartype is dimod.BINARY
        np.testing.assert_array_equal(answer.record.sample, [BITS] * 3)


def test_bits_and_spins_give_the_same_reads():
    deep = FROZEN | {"anneal_schedule": [[0, 1], [20, 0.35], [60, 1]], "num_reads": 50}
    spins = annealer().sample(ISING, initial_state=dict.fromkeys(range(6), -1), **deep)
    bits = annealer().sample(QUBO, initial_state=dict.fromkeys(range(6), 0), **deep)
    np.testing.assert_array_equal(2 * bits.record.sample - 1, spins.record.sample)


def test_sample_qubo_takes_bits():
    matrix, _ = QUBO.to_qubo()
    answer = annealer().sample_qubo(matrix, initial_state=dict(enumerate(BITS)), **FROZEN)
    np.testing.assert_array_equal(answer.record.sample, [BITS] * 3)


def test_all_ones_are_all_up_under_both():
    ones = dict.fromkeys(range(6), 1)
    for model in (ISING, QUBO):
        assert (annealer().sample(model, initial_state=ones, **FROZEN).record.sample == 1).all()


@pytest.mark.parametrize("as_list", [False, True])
def test_the_values_of_the_other_kind_are_refused(as_list):
    spins = [2 * bit - 1 for bit in BITS]
    for model, values, message in (
        (QUBO, spins, r"must be 0 or 1 in a QUBO \(0 is down, .*such as -1 on qubit 0"),
        (ISING, BITS, r"must be -1 or \+1 \(0 and 1 belong to a QUBO\).*such as 0 on qubit 0"),
    ):
        state = values if as_list else dict(enumerate(values))
        with pytest.raises(LimitError, match=message):
            annealer().sample(model, initial_state=state, **FROZEN)


def test_unused_qubits_of_a_list_are_3():
    part = dimod.BQM.from_qubo({(1, 1): 1.0, (2, 2): -1.0})
    answer = annealer().sample(part, initial_state=[3, 1, 0, 3, 3, 3], **FROZEN)
    np.testing.assert_array_equal(answer.record.sample, [[1, 0]] * 3)
    with pytest.raises(LimitError, match=r"3 \(unused\) or absent on 1 qubit \(2\) of the problem; give each 0 or 1"):
        annealer().sample(part, initial_state=[3, 1, 3, 3, 3, 3], **FROZEN)
    with pytest.raises(LimitError, match=r"such as 3 on qubit 0; leave unused qubits out"):
        annealer().sample(part, initial_state={0: 3, 1: 1, 2: 0}, **FROZEN)
    with pytest.raises(LimitError, match=r"lacks 1 qubit \(2\) of the problem; give each 0 or 1"):
        annealer().sample(part, initial_state={1: 1}, **FROZEN)


def test_labels_that_are_no_numbers():
    sampler = annealer(nx.path_graph(LABELS))
    model = QUBO.relabel_variables(dict(enumerate(LABELS)), inplace=False)
    answer = sampler.sample(model, initial_state=dict(zip(LABELS, BITS, strict=True)), **FROZEN)
    np.testing.assert_array_equal(answer.record.sample, [BITS] * 3)


@pytest.mark.parametrize("kind", ["BINARY", "SPIN"])
@pytest.mark.parametrize("fixed", [False, True])
def test_through_an_embedding(kind, fixed):
    """A triangle on a path with chains: the state is spread over the chains, in the variables of the model."""
    triangle = dimod.BQM.from_ising(dict.fromkeys("abc", -0.5), dict.fromkeys(("ab", "bc", "ca"), -0.2))
    child = annealer(nx.cycle_graph(4))
    sampler = FixedEmbeddingComposite(child, {"a": [0, 1], "b": [2], "c": [3]}) if fixed else EmbeddingComposite(child)
    values = {"a": 1, "b": 0, "c": 0} if kind == "BINARY" else {"a": 1, "b": -1, "c": -1}
    answer = sampler.sample(triangle.change_vartype(kind, inplace=False), initial_state=values, **FROZEN)
    assert answer.vartype.name == kind
    assert [dict(sample) for sample in answer.samples(sorted_by=None)] == [values] * 3
    wrong = {"a": 1, "b": -1, "c": 1} if kind == "BINARY" else {"a": 1, "b": 0, "c": 1}
    with pytest.raises(LimitError, match="initial_state must be"):
        sampler.sample(triangle.change_vartype(kind, inplace=False), initial_state=wrong, **FROZEN)
