"""The annealer engine: what it asks of any sampler, keeps of its answers, and refuses."""

from __future__ import annotations

import math
from dataclasses import replace

import dimod
import numpy as np
import pytest
from dimod import TrackingComposite
from dwave.preprocessing import ScaleComposite, SpinReversalTransformComposite
from dwave.system import FixedEmbeddingComposite, ReverseBatchStatesComposite
from random_annealer import RandomAnnealer

from spinbattery import (
    Annealer,
    EmulatedAnnealer,
    EnergyScales,
    ProductState,
    Protocol,
    Record,
    Store,
    Waveform,
    WorkingGraph,
    charge,
    cooperative,
    independence_ratio,
    parse_network,
    sweep,
    torus,
)
from spinbattery.core.errors import EngineError, LimitError
from spinbattery.engines.common.contract import derived_seed
from spinbattery.model.scales import LinearTable
from spinbattery.records.hashing import planned_key
from spinbattery.solver.limits import violations

CP = cooperative(60e3)
PLUS = ProductState((0.5 * math.pi,))


def test_a_store_tells_samplers_and_placements_apart(tmp_path):
    chip = WorkingGraph.pegasus(3)
    first, second = (region_at(chip, offset) for offset in (0, -1))
    assert first == second  # as problems
    cold, hot = (EmulatedAnnealer(graph=chip.network(), temperature=t, sweeps=200) for t in (18.0, 200.0))
    records = [
        charge(network, CP, engine=Annealer(sampler=sampler, reads=10, seed=1), store=tmp_path)
        for network in (first, second)
        for sampler in (cold, hot)
    ]
    assert len({record.key for record in records}) == 4
    assert records[1].magnetization < records[0].magnetization
    assert records[2].dataset["qubit"].to_numpy().tolist() == list(second.labels)


def region_at(chip, which):
    """P2 at one of the places it has within a chip."""
    import dwave.graphs

    small = dwave.graphs.pegasus_graph(2)
    mappings = list(dwave.graphs.pegasus_sublattice_mappings(small, dwave.graphs.pegasus_graph(chip.size)))
    return replace(WorkingGraph.pegasus(2).network(), labels=tuple(mappings[which](q) for q in sorted(small.nodes)))


def test_a_sampler_of_another_device_is_refused():
    sampler = EmulatedAnnealer(
        graph=torus(2, 2), scales=EnergyScales("other", LinearTable((0, 1), (3, 0)), LinearTable((0, 1), (0, 8)))
    )
    for given in (sampler, TrackingComposite(sampler), FixedEmbeddingComposite(sampler, {k: [k] for k in range(4)})):
        with pytest.raises(EngineError, match="energy scales other"):
            charge(torus(2, 2), CP, engine=Annealer(sampler=given, reads=10))


def test_any_sampler_with_the_parameters():
    sampler = RandomAnnealer(up=0.9, graph_id="abc")
    record = charge(torus(2, 3), CP, engine=Annealer(sampler=sampler, reads=500, seed=7))
    assert record.magnetization == pytest.approx(0.8, abs=0.03)
    assert independence_ratio(record) == pytest.approx(1.0, abs=0.25)
    assert sampler.given["auto_scale"] is False
    assert sampler.given["answer_mode"] == "raw"
    assert sampler.given["seed"] == derived_seed(record.problem, "annealer", 7)
    assert sampler.given["initial_state"] == dict.fromkeys(range(6), -1)
    assert record.sampler_info["solver"] == {"chip_id": "random", "graph_id": "abc"}
    assert record.execution_info == {"timing": {"seconds": 1.5}}  # objects are left out


def test_spins_are_the_qubits_that_labels_name():
    graph = WorkingGraph.pegasus(3).without(5, seed=1)
    region = graph.region(2)
    sampler = EmulatedAnnealer(graph=graph.network(), sweeps=50)
    record = charge(region, CP, engine=Annealer(sampler=sampler, reads=10, seed=1))
    assert record.dataset["qubit"].to_numpy().tolist() == list(region.labels)


def test_what_is_not_on_the_chip_is_refused():
    engine = Annealer(sampler=EmulatedAnnealer(graph=parse_network("pegasus:2")), reads=10)
    with pytest.raises(EngineError, match="qubits"):
        charge(parse_network("pegasus:3"), CP, engine=engine)


def test_a_sampler_without_the_parameters_is_refused():
    with pytest.raises(EngineError, match="takes no anneal_schedule, h_gain_schedule, initial_state"):
        charge(torus(2, 2), CP, engine=Annealer(sampler=dimod.RandomSampler(), reads=10))
    with pytest.raises(EngineError, match="sampler must be a dimod sampler"):
        Annealer(sampler="DWaveSampler")


def test_crosstalk_on_a_real_chip_is_refused():
    with pytest.raises(EngineError, match="a sampler's cross-talk cannot be set"):
        charge(torus(2, 2).with_crosstalk(-0.1), CP, engine=Annealer(sampler=RandomAnnealer(), reads=10))


def test_a_sampler_without_seed_takes_none():
    sampler = RandomAnnealer()
    sampler.parameters = {name: [] for name in RandomAnnealer.parameters if name != "seed"}
    engine = Annealer(sampler=sampler, reads=10)
    assert not engine.takes_seed
    charge(torus(2, 2), CP, engine=engine)
    assert "seed" not in sampler.given
    with pytest.raises(EngineError, match="takes no seed"):
        engine.with_seed(1)


def test_limits_of_machines_bind_always():
    """Whatever is no emulator is a machine, and so is an emulator that is strict."""
    strict = EmulatedAnnealer(graph=torus(2, 2), sweeps=20, strict=True)
    machine = RandomAnnealer()
    machine.properties = {**machine.properties, "num_reads_range": [1, 50]}
    lenient = EmulatedAnnealer(graph=torus(2, 2), sweeps=20)
    composed = FixedEmbeddingComposite(lenient, {k: [k] for k in range(4)})
    assert charge(torus(2, 2), cooperative(5.0), engine=Annealer(sampler=composed, reads=10)).n_reads == 10
    for sampler in (strict, machine):
        with pytest.raises(EngineError, match="num_reads must be a whole number from 1"):
            charge(torus(2, 2), CP, engine=Annealer(sampler=sampler, reads=10_001))
        with pytest.raises(EngineError, match=r"steps of 0\.01 us"):
            charge(torus(2, 2), cooperative(5.0), engine=Annealer(sampler=sampler, reads=10))
    assert charge(torus(2, 2), CP, engine=Annealer(sampler=lenient, reads=10_001)).n_reads == 10_001


@pytest.mark.parametrize("forward", [False, True])
def test_spin_reversal_around_a_reverse_anneal_is_refused(forward):
    """It turns h and J over and leaves the initial state; a forward anneal has none."""
    sampler = TrackingComposite(SpinReversalTransformComposite(EmulatedAnnealer(graph=torus(2, 2), sweeps=500), seed=1))
    engine = Annealer(sampler=sampler, reads=200, seed=1)
    if not forward:
        with pytest.raises(EngineError, match="has a SpinReversalTransformComposite, which reverses h and J but not"):
            charge(torus(2, 2), CP, engine=engine)
        return
    ramp = Protocol(60e3, Waveform(((0, 0), (1, 1))), Waveform(((0, 1), (1, 1))), -0.5, -0.2, PLUS)
    assert charge(torus(2, 2), ramp, engine=engine).magnetization > 0.5


def test_composites_that_sample_another_protocol_are_refused():
    """ScaleComposite makes h = -1, J = -0.4 of h = -0.5, J = -0.2, and TruncateComposite drops reads."""
    sampler = EmulatedAnnealer(graph=torus(2, 2), sweeps=20)
    for composed, message in (
        (ScaleComposite(sampler), "ScaleComposite, which scales h and J"),
        (dimod.TruncateComposite(sampler, 5), "TruncateComposite, which keeps only the reads of low energy"),
        (ReverseBatchStatesComposite(sampler), "ReverseBatchStatesComposite, which starts from states of its own"),
    ):
        with pytest.raises(EngineError, match=message):
            charge(torus(2, 2), CP, engine=Annealer(sampler=composed, reads=10))
    embedded = FixedEmbeddingComposite(sampler, {k: [k] for k in range(4)})
    assert charge(torus(2, 2), CP, engine=Annealer(sampler=embedded, reads=10)).n_reads == 10


def test_limit_errors_are_errors_of_the_package():
    sampler = EmulatedAnnealer(graph=torus(2, 2), strict=True)
    with pytest.raises(LimitError):
        sampler.sample_ising({0: -9.0}, {}, auto_scale=False)
    assert violations(sampler.properties, {0: -9.0}, {}, {"auto_scale": False})


class UnseededAnnealer(RandomAnnealer):
    """As a real annealer: no seed repeats its reads, and every answer has the number of its job."""

    parameters = {name: [] for name in RandomAnnealer.parameters if name != "seed"}
    jobs = 0

    def sample(self, bqm, **parameters):
        answer = super().sample(bqm, **parameters)
        UnseededAnnealer.jobs += 1
        answer.info["problem_id"] = f"job-{UnseededAnnealer.jobs}"
        return answer


class NumberlessAnnealer(UnseededAnnealer):
    """One whose jobs have no numbers."""

    def sample(self, bqm, **parameters):
        answer = super().sample(bqm, **parameters)
        del answer.info["problem_id"]
        return answer


@pytest.mark.parametrize("kind", [UnseededAnnealer, NumberlessAnnealer])
def test_measurements_of_one_run_in_two_stores_have_their_own_keys(tmp_path, kind):
    engine = Annealer(sampler=kind(up=0.6), reads=50)
    stores = [Store(tmp_path / name) for name in ("one", "two")]
    first, second = (charge(torus(2, 3), CP, engine=engine, store=store) for store in stores)
    assert not np.array_equal(first.spins, second.spins)
    assert first.key != second.key
    assert planned_key(first.key) == planned_key(second.key)
    assert charge(torus(2, 3), CP, engine=engine, store=stores[0]) == first  # measured once, and found
    assert Store(tmp_path / "one").merge(stores[1].folder).copied == [second.key]
    assert len(stores[0].rows(engine="annealer")) == 2


def test_a_measurement_is_found_by_sweeps_and_repeated_only_where_asked(tmp_path):
    engine = Annealer(sampler=UnseededAnnealer(up=0.6), reads=50)
    first = sweep(torus(2, 3), CP, engines=engine, store=tmp_path, workers=1)
    again = sweep(torus(2, 3), CP, engines=engine, store=tmp_path, workers=1)
    assert (first.computed, again.computed, again.reused) == (1, 0, 1)
    assert [record.key for record in again.records()] == [record.key for record in first.records()]
    assert again.dataset.sizes["run"] == 1
    more = charge(torus(2, 3), CP, engine=engine, store=tmp_path, recompute=True)
    assert len(Store(tmp_path).rows()) == 2
    assert more.key in Store(tmp_path)


def test_a_measurement_of_an_older_version_is_found(tmp_path):
    engine = Annealer(sampler=UnseededAnnealer(up=0.6), reads=50)
    record = charge(torus(2, 3), CP, engine=engine)
    store = Store(tmp_path)
    older = Record(record.dataset.assign_attrs(run_key=planned_key(record.key)))
    store.put(older)
    assert charge(torus(2, 3), CP, engine=engine, store=store) == older


def test_emulated_reads_have_the_key_of_their_seed(tmp_path):
    sampler = EmulatedAnnealer(graph=torus(2, 2), sweeps=20)
    records = [charge(torus(2, 2), CP, engine=Annealer(sampler=sampler, reads=10)) for _ in range(2)]
    assert records[0].key == records[1].key
    assert "-" not in records[0].key
    assert records[0].job is None
