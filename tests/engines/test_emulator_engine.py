"""The emulator engine: its records, seeds, limits and options."""

from __future__ import annotations

import json
import re
import warnings
from dataclasses import replace

import numpy as np
import pytest

from spinbattery import (
    ChargingProblem,
    Emulator,
    Statevector,
    charge,
    cooperative,
    from_networkx,
    parse_network,
    sweep,
    torus,
)
from spinbattery.core.errors import EngineError, InsufficientMemoryError, InvalidParameterError
from spinbattery.engines.common.contract import derived_seed

CP = cooperative(60e3)
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


def test_output_times_are_refused():
    with pytest.raises(EngineError, match="reads spins only at the end"):
        charge(torus(2, 2), CP, engine=QUICK, times=[1.0])


def test_more_reads_than_memory_are_refused(monkeypatch):
    monkeypatch.setattr("spinbattery.engines.common.contract.available_memory", lambda: 10**6)
    with pytest.raises(InsufficientMemoryError, match="the emulator engine needs"):
        charge(parse_network("pegasus:4"), CP, engine=Emulator(reads=200_000, sweeps=1))


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
