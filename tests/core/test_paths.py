"""A ~ in a path is the home folder, wherever a user names a file or a folder; no folder is ever named ~."""

import json
from pathlib import Path

import pytest

import spinbattery as sb
from charging_paper.build import build_report
from spinbattery.core.errors import InvalidParameterError
from spinbattery.core.paths import user_path
from spinbattery.figures.style import save_figure
from spinbattery.model.topology import WorkingGraph

FAST = sb.Statevector(1e-3)


@pytest.fixture
def properties(home):
    graph = WorkingGraph.pegasus(2)
    qubits, couplers = graph.qubits.tolist(), graph.couplers.tolist()
    data = {"topology": {"type": "pegasus", "shape": [2]}, "qubits": qubits, "couplers": couplers}
    (home / "solver.json").write_text(json.dumps(data))
    return home / "solver.json"


def test_the_home_folder_is_found(home):
    assert user_path("~/a.nc") == home / "a.nc"
    assert user_path(Path("~") / "a.nc") == home / "a.nc"
    assert user_path("~") == home
    assert user_path("a~/~b.nc") == Path("a~/~b.nc")
    assert user_path("/there/~/c") == Path("/there/~/c")


@pytest.mark.parametrize("path", [None, 3, b"a.nc", "", " ", "a\0b", Path, ["a.nc"]])
def test_what_is_no_path_is_refused(path):
    with pytest.raises(InvalidParameterError, match="a path must"):
        user_path(path)


def test_the_home_of_nobody_is_refused():
    with pytest.raises(InvalidParameterError, match=r"no home folder is known for the path '~nobody-there/a'"):
        user_path("~nobody-there/a")


def test_stores_and_records(home):
    record = sb.charge(sb.ring(2), sb.cooperative(5.0), engine=FAST, store="~/runs")
    store = sb.Store(Path("~/runs"))
    assert store.folder == home / "runs"
    assert store.get(record.key) == record
    assert sb.sweep(sb.ring(2), sb.cooperative(5.0), engines=FAST, store="~/runs", workers=1).reused == 1
    assert record.save("~/one.nc") == home / "one.nc"
    assert sb.read_record("~/one.nc") == record
    assert store.export("~/runs.csv") == 1
    assert (home / "runs.csv").is_file()


def test_figures(home):
    runs = sb.sweep([sb.ring(2), sb.ring(3)], sb.cooperative(5.0), engines=FAST, store="~/runs", workers=1)
    assert save_figure(sb.plot_runs(runs), "~/runs.png") == home / "runs.png"
    assert (home / "runs.png").is_file()


def test_network_files_and_solver_properties(home, properties):
    (home / "graph.edgelist").write_text("0 1 1.0\n1 2 -0.5\n")
    assert sb.parse_network("file:~/graph.edgelist").n_spins == 3
    assert sb.parse_network("solver:~/solver.json").n_spins == 40
    assert len(sb.read_solver_properties("~/solver.json")["qubits"]) == 40


def test_the_emulator_takes_saved_properties(home, properties):
    assert len(sb.EmulatedAnnealer(graph="~/solver.json").nodelist) == 40


def test_spreadsheets(home):
    (home / "scales.csv").write_text("s,A(s) (GHz),B(s) (GHz)\n0,9,0.2\n1,0,8\n")
    assert sb.from_spreadsheet("~/scales.csv").B(1.0) == 8.0


def test_experiment_files_and_the_files_they_name(home):
    (home / "graph.edgelist").write_text("0 1 1.0\n1 2 -0.5\n")
    (home / "scales.csv").write_text("s,A(s) (GHz),B(s) (GHz)\n0,9,0.2\n1,0,8\n")
    (home / "studies").mkdir()
    (home / "studies" / "study.toml").write_text(
        'networks = ["file:~/graph.edgelist"]\nenergy_scales = "~/scales.csv"\n'
        '[[protocols]]\nname = "cooperative"\nduration = "5ns"\n'
    )
    [task] = sb.read_experiment("~/studies/study.toml")
    assert task.problem.n_spins == 3
    assert task.problem.scales.B(1.0) == 8.0


def test_measurements(home):
    (home / "reads.csv").write_text("mu\n1.0\n0.5\n1.0\n")
    record = sb.read_measurement("~/reads.csv", sb.ring(4), sb.cooperative(60_000.0))
    assert record.n_reads == 3


def test_reports(home):
    assert build_report("~/report", ["formulas"]).report.is_relative_to(home / "report")
