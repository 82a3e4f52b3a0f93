"""Which energy scales are taken where none are given, and how scales are told apart: by content."""

from __future__ import annotations

import json
from dataclasses import replace

import dwave.graphs
import pytest
from random_annealer import RandomAnnealer
from typer.testing import CliRunner

from spinbattery import (
    Annealer,
    EmulatedAnnealer,
    Emulator,
    WorkingGraph,
    charge,
    cooperative,
    fit_scaling,
    parse_network,
    read_experiment,
    ring,
    sweep,
)
from spinbattery.cli.main import app
from spinbattery.core.errors import EnergyScalesError, FitError
from spinbattery.model.scales import EnergyScales, LinearTable, advantage_system6
from spinbattery.qpu.client import Solver
from spinbattery.qpu.planning import plan_jobs
from spinbattery.records.dataset import gather

CP = cooperative(60e3)
REMEDY = r"by scales=from_spreadsheet\(...\)"
OTHER = EnergyScales("same name", LinearTable((0.0, 1.0), (10.0, 0.0)), LinearTable((0.0, 1.0), (0.1, 13.9)))


def properties(family: str, chip: str) -> dict:
    graph = dwave.graphs.zephyr_graph(1) if family == "zephyr" else dwave.graphs.pegasus_graph(2)
    shape = [1, 4] if family == "zephyr" else [2]
    return {
        "chip_id": chip, "topology": {"type": family, "shape": shape}, "qubits": sorted(graph.nodes),
        "couplers": [list(edge) for edge in graph.edges],
    }  # fmt: skip


ZEPHYR = properties("zephyr", "Advantage2_system1")


@pytest.fixture
def solver(tmp_path):
    path = tmp_path / "solver.json"
    path.write_text(json.dumps(ZEPHYR), encoding="utf-8")
    return path


def test_a_network_of_a_zephyr_solver_does_not_take_those_of_system6(solver):
    network = parse_network(f"solver:{solver}")
    for attempt in (
        lambda: charge(network, CP, engine=Emulator(reads=10, sweeps=10)),
        lambda: charge(WorkingGraph.from_properties(ZEPHYR).scattered(3, 1), CP),
        lambda: sweep([f"solver:{solver}"], CP, engines=Emulator(reads=10, sweeps=10)),
        lambda: EmulatedAnnealer(graph=ZEPHYR),
        lambda: EmulatedAnnealer(graph=str(solver)),
    ):
        with pytest.raises(EnergyScalesError, match=REMEDY):
            attempt()
    record = charge(network, CP, scales=OTHER, engine=Emulator(reads=10, sweeps=10))
    assert record.problem.scales.content_hash == OTHER.content_hash
    EmulatedAnnealer(graph=ZEPHYR, scales=OTHER)


def test_an_advantage2_is_told_by_its_name_too():
    with pytest.raises(EnergyScalesError, match="Advantage2_prototype"):
        charge(WorkingGraph.from_properties(properties("pegasus", "Advantage2_prototype")).network(), CP)


@pytest.mark.parametrize("chip", ["Advantage_system6", "Advantage_system4.1", "another"])
def test_pegasus_solvers_may_have_them(chip):
    network = WorkingGraph.from_properties(properties("pegasus", chip)).network()
    record = charge(network, CP, engine=Emulator(reads=10, sweeps=10))
    assert record.problem.scales == advantage_system6()


def test_an_ideal_zephyr_graph_runs_and_the_command_says_with_what(tmp_path):
    assert charge(parse_network("zephyr:1"), CP, engine=Emulator(reads=10, sweeps=10)).n_spins == 48
    command = ["charge", "--network", "zephyr:1", "--duration", "60us", "--engine", "emulator", "--reads", "10",
               "--sweeps", "10", "--quiet"]  # fmt: skip
    found = CliRunner().invoke(app, command)
    assert found.exit_code == 0
    assert "note: zephyr:1: an ideal graph, charged with the A(s), B(s) of Advantage_system6" in found.stderr
    given = CliRunner().invoke(app, [*command[:2], "pegasus:2", *command[3:]])
    assert "ideal graph" not in given.stderr


def test_commands_refuse_a_zephyr_solver_without_its_scales(solver):
    for command in (
        ["charge", "--network", f"solver:{solver}", "--duration", "60us", "--engine", "emulator"],
        ["import", "reads.csv", "--network", f"solver:{solver}", "--duration", "60us", "--out", "x.nc"],
    ):
        found = CliRunner().invoke(app, command)
        assert isinstance(found.exception, EnergyScalesError)
        assert "by --energy-scales FILE [--sheet NAME]" in str(found.exception)


def test_an_experiment_file_names_its_own_key(solver):
    experiment = solver.parent / "study.toml"
    experiment.write_text(
        'networks = ["solver:solver.json"]\n[[protocols]]\nname = "cooperative"\nduration = "60us"\n', encoding="utf-8"
    )
    with pytest.raises(EnergyScalesError, match=r"study\.toml'.*by energy_scales = FILE in the experiment file"):
        read_experiment(experiment)


def test_a_plan_for_a_zephyr_solver_needs_its_scales(tmp_path):
    experiment = tmp_path / "study.toml"
    text = 'networks = ["zephyr:1"]\n%s[[protocols]]\nname = "cooperative"\nduration = "60us"\n'
    experiment.write_text(text % "", encoding="utf-8")
    with pytest.raises(EnergyScalesError, match=r"Advantage2_system1 is a chip of zephyr topology.*energy_scales = "):
        plan_jobs(experiment, Solver("Advantage2_system1", None, ZEPHYR), reads=10)
    (tmp_path / "own.csv").write_text("s,A(s) (GHz),B(s) (GHz)\n0,10,0.1\n1,0,13.9\n", encoding="utf-8")
    experiment.write_text(text % 'energy_scales = "own.csv"\n', encoding="utf-8")
    timed = ZEPHYR | {"problem_timing_data": EmulatedAnnealer(graph=ring(3)).properties["problem_timing_data"]}
    plan = plan_jobs(experiment, Solver("Advantage2_system1", None, timed), reads=10)
    assert [float(job.problem.scales.B(1.0)) for job in plan.jobs] == [13.9]
    assert float(advantage_system6().B(1.0)) == pytest.approx(7.57, abs=0.005)


def test_a_sampler_of_a_zephyr_chip_needs_its_scales():
    sampler = RandomAnnealer(topology={"type": "zephyr", "shape": [1, 4]}, chip_id="Advantage2_system1")
    engine = Annealer(sampler=sampler, reads=10)
    network = parse_network("zephyr:1/scattered:3:seed:1")
    assert "by scales=from_spreadsheet(...)" in str(engine.refusal(charge(network, CP).problem))
    assert charge(network, CP, scales=OTHER, engine=engine).n_reads == 10


def test_fits_tell_scales_apart_by_content_and_not_by_name():
    named = replace(advantage_system6(), name="same name")
    records = [charge(ring(n), cooperative(1.0), scales=scales, tolerance=1e-3)
               for n, scales in ((2, named), (3, OTHER), (4, named))]  # fmt: skip
    data = gather(records)
    assert set(data["energy_scales"].to_numpy()) == {"same name"}
    assert data["scales_hash"].to_numpy().tolist() == [record.problem.scales.content_hash for record in records]
    with pytest.raises(FitError, match=r"differ in scales_hash \(same name: \w{8}, same name: \w{8}\)"):
        fit_scaling(data)
    renamed = [charge(ring(n), cooperative(1.0), scales=replace(named, name=f"name {n}"), tolerance=1e-3)
               for n in (2, 3, 4)]  # fmt: skip
    assert fit_scaling(gather(renamed)).c > 0.0
