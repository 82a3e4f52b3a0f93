"""A ~ that the shell left alone is the home folder for every option and argument that names a file or a folder."""

from __future__ import annotations

import json

import pytest

from spinbattery.model.topology import WorkingGraph

CHARGE = ("charge", "--network", "ring:2", "--duration", "5ns", "--engine", "statevector", "--tolerance", "1e-3")
STUDY = 'networks = ["ring:2", "ring:3", "ring:4"]\nengines = "statevector"\ntolerance = 1e-3\n'
PROTOCOL = '[[protocols]]\nname = "cooperative"\nduration = "5ns"\n'


@pytest.fixture
def run(spinbattery, home):
    def call(*arguments):
        got = spinbattery(*arguments)
        assert got.code == 0, got.err
        return got

    return call


def test_charge_show_and_store(run, home):
    run(*CHARGE, "--out", "~/one.nc", "--plot", "~/one.png", "--points", "3", "--store", "~/runs", "--quiet")
    assert {path.name for path in home.iterdir()} >= {"one.nc", "one.png", "runs"}
    run("show", "~/one.nc", "--plot", "~/two.png")
    run("store", "select", "~/runs", "--out", "~/runs.nc")
    run("store", "export", "~/runs", "--out", "~/runs.csv")
    run("store", "rebuild", "~/runs")
    assert len(run("store", "list", "~/runs", "--json").json) == 1
    assert {path.name for path in home.iterdir()} >= {"two.png", "runs.nc", "runs.csv"}


def test_files_of_networks_scales_and_reads(run, home):
    (home / "graph.edgelist").write_text("0 1 1.0\n1 2 -0.5\n")
    (home / "scales.csv").write_text("s,A(s) (GHz),B(s) (GHz)\n0,9,0.2\n1,0,8\n")
    (home / "reads.csv").write_text("mu\n1.0\n0.5\n1.0\n")
    network = ("--network", "file:~/graph.edgelist", "--duration", "5ns", "--energy-scales", "~/scales.csv")
    assert run("charge", *network, "--json", "--quiet").json["n_spins"] == 3
    run("import", "~/reads.csv", "--network", "ring:4", "--duration", "60us", "--out", "~/measured.nc")
    assert (home / "measured.nc").is_file()


def test_sweep_scaling_and_estimate(run, home):
    (home / "study.toml").write_text(STUDY + PROTOCOL)
    run("sweep", "~/study.toml", "--store", "~/new", "--dry-run")
    assert not (home / "new").exists()
    run("sweep", "~/study.toml", "--store", "~/runs", "--workers", "1", "--quiet")
    assert run("sweep", "~/study.toml", "--store", "~/runs", "--quiet", "--json").json["reused"] == 3
    run("scaling", "--networks", "ring:2,ring:3,ring:4", "--duration", "5ns", "--plot", "~/fit.png",
        "--store", "~/runs", "--workers", "1", "--quiet")  # fmt: skip
    (home / "curve.toml").write_text('crosstalk = [0.0, -0.01, -0.02]\n' + STUDY.replace(", \"ring:3\", \"ring:4\"", "")
                                     + PROTOCOL)  # fmt: skip
    run("estimate", "~/curve.toml", "--parameter", "crosstalk", "--quantity", "magnetization", "--measured", "0.15",
        "--plot", "~/curve.png", "--store", "~/runs", "--workers", "1", "--quiet")  # fmt: skip
    assert (home / "fit.png").is_file()
    assert (home / "curve.png").is_file()


def test_merge_and_extend(run, home):
    noisy = (*CHARGE[:5], "--noise", "x:1e-3/ns", "--engine", "trajectories", "--trajectories", "4", "--quiet")
    for seed in ("1", "2"):
        run(*noisy, "--seed", seed, "--one-jump", "sampled", "--out", f"~/{seed}.nc")
    run("merge", "~/1.nc", "~/2.nc", "--out", "~/both.nc")
    run("extend", "~/1.nc", "--trajectories", "8", "--out", "~/more.nc", "--quiet")
    assert {path.name for path in home.iterdir()} == {"1.nc", "2.nc", "both.nc", "more.nc"}


def test_a_report(run, home):
    run("reproduce", "--only", "formulas", "--out", "~/report", "--quiet")
    assert list((home / "report").glob("*.html"))


def test_a_plan_for_saved_properties(run, home):
    graph = WorkingGraph.pegasus(2)
    data = {"topology": {"type": "pegasus", "shape": [2]}, "chip_id": "Advantage_system6.4",
            "qubits": graph.qubits.tolist(), "couplers": graph.couplers.tolist()}  # fmt: skip
    (home / "solver.json").write_text(json.dumps(data))
    assert run("charge", "--network", "solver:~/solver.json", "--duration", "60us", "--engine", "emulator",
               "--sweeps", "10", "--reads", "4", "--json", "--quiet").json["n_spins"] == 40  # fmt: skip


def test_ledgers_are_looked_for_at_home(spinbattery, home):
    got = spinbattery("qpu", "status", "--store", "~/jobs")
    assert (got.code, "there is no ledger of jobs" in got.err) == (2, True)
