"""Engines that draw reads: what they ask of samplers, keep of answers, and refuse."""

from __future__ import annotations

import json
import math
import re
import warnings
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
    ChargingProblem,
    EmulatedAnnealer,
    Emulator,
    EnergyScales,
    ProductState,
    Protocol,
    Record,
    Statevector,
    Store,
    Waveform,
    WorkingGraph,
    charge,
    cooperative,
    from_networkx,
    independence_ratio,
    parse_network,
    sweep,
    torus,
)
from spinbattery.core.errors import EngineError, InsufficientMemoryError, InvalidParameterError, LimitError
from spinbattery.engines.common.contract import derived_seed
from spinbattery.model.scales import LinearTable
from spinbattery.records.hashing import planned_key
from spinbattery.solver.limits import violations

CP = cooperative(60e3)
PLUS = ProductState((0.5 * math.pi,))
QUICK = Emulator(reads=40, sweeps=300, seed=3)


def test_the_record_says_what_was_asked_of_what():
    network = parse_network("pegasus:2")
    record = charge(network, CP, engine=QUICK)
    told = record.sampler_info
    assert told["solver"]["chip_id"] == "EmulatedAnnealer"
    assert told["parameters"]["anneal_schedule"] == [[0.0, 1.0], [20.0, 0.35], [40.0, 0.35], [60.0, 1.0]]
    assert told["parameters"]["initial_state"] == -1
    assert told["emulator"]["seed"] == derived_seed(record.problem, "emulator", 3)
    assert "emulation_time" in record.execution_info["timing"]
    assert record.dataset["qubit"].to_numpy().tolist() == list(network.labels)
    assert record.n_reads == 40


def test_equal_seeds_give_equal_records_and_others_do_not():
    network = parse_network("pegasus:2")
    first, again = (charge(network, CP, engine=QUICK) for _ in range(2))
    assert first.content_hash == again.content_hash
    other = charge(network, CP, engine=QUICK.with_seed(4))
    assert not np.array_equal(first.spins, other.spins)
    assert first.key != other.key


def test_a_seed_is_derived_from_the_problem(tmp_path):
    network, unseeded = torus(2, 2), Emulator(reads=20, sweeps=100)
    first = charge(network, CP, engine=unseeded, store=tmp_path)
    again = charge(network, CP, engine=unseeded, store=tmp_path)
    assert first.key == again.key
    assert json.loads(first.dataset.attrs["engine_options"])["seed"] == derived_seed(first.problem, "emulator")
    assert (
        charge(network, CP.local_equivalent(network), engine=unseeded).sampler_info["emulator"]["seed"]
        != (first.sampler_info["emulator"]["seed"])
    )
    assert unseeded.run(ChargingProblem(network, CP)).key == first.key


def test_equal_seeds_do_not_couple_problems():
    network = parse_network("pegasus:2")
    local = CP.local_equivalent(network)
    stronger = replace(local, h=1.05 * local.h)
    means = [
        [charge(network, protocol, engine=Emulator(reads=20, sweeps=60, seed=seed)).magnetization for seed in range(24)]
        for protocol in (local, stronger)
    ]
    assert abs(np.corrcoef(means)[0, 1]) < 0.6  # 0.95 were the streams the same


def test_stuck_qubits_are_named_by_their_labels():
    network = parse_network("pegasus:2")
    stuck = network.labels[7]
    record = charge(network, CP, engine=Emulator(reads=10, sweeps=100, seed=1, stuck=(stuck,)))
    assert (record.spins[:, 7] == -1).all()
    with pytest.raises(InvalidParameterError, match="stuck names qubits"):
        charge(network, CP, engine=Emulator(reads=10, sweeps=100, stuck=(10**6,)))
    with pytest.raises(InvalidParameterError, match="stuck lists the qubits"):
        Emulator(stuck={stuck: 1})


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


def test_a_sweep_of_seeds(tmp_path):
    result = sweep([torus(2, 2)], CP, store=tmp_path, engines=Emulator(reads=20, sweeps=50), seeds=range(3), workers=1)
    assert result.computed == 3
    assert len({record.sampler_info["emulator"]["seed"] for record in result.records()}) == 3


def test_threads_and_processes_do_not_enter_the_result(tmp_path):
    networks = [torus(2, 2), torus(2, 3)]
    engine = Emulator(reads=150, sweeps=60)
    here = sweep(networks, CP, store=tmp_path / "here", engines=engine, workers=1)
    there = sweep(networks, CP, store=tmp_path / "there", engines=engine, workers=2)
    for one, two in zip(here.records(), there.records(), strict=True):
        assert one.content_hash == two.content_hash


def test_crosstalk_acts_and_is_not_programmed():
    network = parse_network("pegasus:2")
    local = CP.local_equivalent(network)
    plain = charge(network, local, engine=Emulator(reads=400, sweeps=300, seed=1))
    strong = charge(network.with_crosstalk(-0.05), local, engine=Emulator(reads=400, sweeps=300, seed=1))
    assert strong.magnetization > plain.magnetization + 0.05
    assert strong.sampler_info["parameters"] == plain.sampler_info["parameters"]


@pytest.mark.parametrize("model", ["closed-form", "pimc"])
def test_other_models(model):
    record = charge(torus(2, 2), CP, engine=Emulator(reads=20, sweeps=30, seed=1, model=model))
    assert record.sampler_info["emulator"]["model"] == model
    assert record.n_reads == 20


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


@pytest.mark.parametrize(
    "protocol, message",
    [
        (cooperative(60.0), "slope|slow|us"),
        (cooperative(60e3, J=-3.0), "J"),
        (cooperative(60e3, h=-9.0), "h"),
        (cooperative(9e6), "us"),
    ],
)
def test_what_no_annealer_does_is_refused_with_the_limits(protocol, message):
    with pytest.raises(EngineError, match=message):
        charge(torus(2, 2), protocol, engine=replace(QUICK, strict=True))
    record = charge(torus(2, 2), protocol, engine=QUICK)  # a simulation is bound by none of it
    assert record.n_reads == 40
    assert any(re.search(message, limit) for limit in record.sampler_info["limits"])


def test_all_violations_are_listed_at_once():
    problem = ChargingProblem(torus(2, 2), cooperative(9e6, J=-3.0, h=-9.0))
    assert len(Emulator(reads=100_000, strict=True).refusal(problem).splitlines()) >= 3
    assert Emulator(reads=100_000).refusal(problem) is None


def test_more_reads_than_a_job_has_time_for():
    """8000 reads of 60 us take more than the second that a job may take on the chip."""
    network = parse_network("pegasus:2")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        record = charge(network, CP, engine=Emulator(reads=8000, sweeps=20, seed=1))
    assert record.n_reads == 8000
    [limit] = record.sampler_info["limits"]
    assert limit.startswith("8000 reads of 183.95 us and 1000.00 us of thermalization make 1472573 us")
    assert limit.endswith("(problem_run_duration_range); send at most 5430 reads per job.")
    with pytest.raises(EngineError, match="send at most 5430 reads per job"):
        charge(network, CP, engine=Emulator(reads=8000, sweeps=20, seed=1, strict=True))


def test_runs_within_the_limits_are_what_they_were():
    """Neither the key nor the content says anything of limits that do not matter."""
    problem = ChargingProblem(torus(2, 2), CP)
    lenient, strict = QUICK.run(problem), replace(QUICK, strict=True).run(problem)
    assert set(QUICK.options()) == {"reads", "seed", "temperature", "sweeps", "model", "readout_error", "stuck"}
    assert replace(QUICK, strict=True).options()["strict"] is True
    assert "limits" not in lenient.sampler_info
    assert "limits" not in lenient.execution_info
    assert np.array_equal(lenient.spins, strict.spins)
    assert lenient.sampler_info == strict.sampler_info
    with pytest.raises(InvalidParameterError, match="strict must be true or false"):
        Emulator(strict=1)


def test_corners_between_the_steps_of_an_annealer():
    """They are rounded where that changes nothing, as always, and kept in an emulation where it would."""
    short = Emulator(reads=10, sweeps=50, seed=1).run(ChargingProblem(torus(2, 2), cooperative(5.0)))
    times = [t for t, _ in short.sampler_info["parameters"]["anneal_schedule"]]
    assert times == pytest.approx([0.0, 0.005 / 3, 0.01 / 3, 0.005], abs=1e-12)
    long = Emulator(reads=10, sweeps=50, seed=1).run(ChargingProblem(torus(2, 2), cooperative(50e3)))
    assert [t for t, _ in long.sampler_info["parameters"]["anneal_schedule"]] == [0.0, 16.67, 33.33, 50.0]
    assert "limits" not in long.sampler_info


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


def test_output_times_are_refused():
    with pytest.raises(EngineError, match="reads spins only at the end"):
        charge(torus(2, 2), CP, engine=QUICK, times=[1.0])


def test_more_reads_than_memory_are_refused(monkeypatch):
    monkeypatch.setattr("spinbattery.engines.common.contract.available_memory", lambda: 10**6)
    with pytest.raises(InsufficientMemoryError, match="the emulator engine needs"):
        charge(parse_network("pegasus:4"), CP, engine=QUICK)


@pytest.mark.parametrize(
    "options",
    [
        {"reads": 1}, {"reads": 2.5}, {"seed": -1}, {"temperature": 0.0}, {"sweeps": 0}, {"model": "svmc"},
        {"readout_error": 0.7},
    ],
)  # fmt: skip
def test_bad_options(options):
    with pytest.raises(InvalidParameterError):
        Emulator(**options)


def test_a_tolerance_is_none_of_its_options():
    with pytest.raises(InvalidParameterError, match="has no tolerance"):
        charge(torus(2, 2), CP, engine="emulator", tolerance=1e-6)
    mixed = sweep([torus(2, 2)], CP, engines=["statevector", Emulator(reads=4, sweeps=9)], tolerance=1e-3, workers=1)
    assert next(iter(mixed.plan)).engine == Statevector(1e-3)


def test_the_request_of_the_paper_is_within_the_limits_of_the_emulator():
    network = parse_network("pegasus:16/missing:28:seed:7")
    for protocol in (CP, CP.local_equivalent(network)):
        assert Emulator().refusal(ChargingProblem(network, protocol)) is None


def test_limit_errors_are_errors_of_the_package():
    sampler = EmulatedAnnealer(graph=torus(2, 2), strict=True)
    with pytest.raises(LimitError):
        sampler.sample_ising({0: -9.0}, {}, auto_scale=False)
    assert violations(sampler.properties, {0: -9.0}, {}, {"auto_scale": False})


def test_predictions_rise_with_the_work():
    small, large = (ChargingProblem(parse_network(f"pegasus:{m}"), CP) for m in (2, 4))
    assert Emulator().predicted_seconds(small, np.empty(0)) < Emulator().predicted_seconds(large, np.empty(0))
    assert Emulator().required_bytes(small) < Emulator().required_bytes(large)
    assert Emulator(reads=100).predicted_seconds(large, np.empty(0)) < Emulator().predicted_seconds(large, np.empty(0))


def test_labels_of_a_graph_need_not_be_numbers():
    import networkx as nx

    network = from_networkx(nx.relabel_nodes(nx.cycle_graph(4), dict(enumerate("abcd"))))
    record = charge(network, CP, engine=QUICK)
    assert "qubit" not in record.dataset
    assert record.n_spins == 4


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
