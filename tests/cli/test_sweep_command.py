"""`spinbattery sweep` as a user runs it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import spinbattery as sb
from spinbattery.cli import console

EXPERIMENT = """
networks = ["ring:2", "ring:3"]
tolerance = 1e-3

[[protocols]]
name = "cooperative"
duration = ["1ns", "2ns"]

[[protocols]]
name = "local"
duration = "1ns"
"""

HOPELESS = """
[[engines]]
name = "statevector"
tolerance = 1e-10
max_levels = 2

[[engines]]
name = "statevector"
"""


@pytest.fixture
def experiment(tmp_path):
    path = tmp_path / "experiment.toml"
    path.write_text(EXPERIMENT)
    return str(path)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "runs"


@pytest.fixture
def sweep(spinbattery, experiment, folder):
    def call(*arguments):
        return spinbattery("sweep", experiment, "--store", str(folder), *arguments)

    return call


def stamps(folder):
    return {path.name: (path.stat().st_ino, path.stat().st_mtime_ns) for path in folder.glob("*.nc")}


def test_json(sweep, folder, experiment):
    got = sweep("--workers", "1", "--json", "--quiet")
    assert got.code == 0
    assert got.err == ""
    data = got.json
    assert list(data) == ["store", "problems", "computed", "reused", "failed", "failures", "runs"]
    counts = {name: data[name] for name in ("store", "problems", "computed", "reused", "failed", "failures")}
    assert counts == {
        "store": str(folder), "problems": 6, "computed": 6, "reused": 0, "failed": 0, "failures": {},
    }  # fmt: skip
    runs = data["runs"]
    assert [(run["network"], run["protocol"], run["duration"]) for run in runs] == [
        (network, protocol, duration)
        for network in ("ring:2", "ring:3")
        for protocol, duration in (("cooperative", 1.0), ("cooperative", 2.0), ("local", 1.0))
    ]
    store = sb.Store(folder)
    for run in runs:
        record = store.get(run["key"])
        assert (run["magnetization"], run["precision"]) == (record.magnetization, record.precision)
        assert run["seed"] is None
        assert run["status"] == "done"


def test_a_second_call_computes_nothing(sweep, folder):
    sweep("--workers", "1", "--quiet")
    before = stamps(folder)
    got = sweep("--json", "--quiet")
    assert (got.code, got.json["computed"], got.json["reused"]) == (0, 0, 6)
    assert stamps(folder) == before


def test_a_table_and_counts(sweep, folder):
    got = sweep("--workers", "1")
    assert got.code == 0
    assert f"6 runs in {folder}" in got.out
    assert got.out.count("ring:3") == 3
    assert "6 runs computed, 0 found finished, 0 failed or damaged" in got.out
    assert got.err.startswith("6 problems, 0 finished, 6 to run: about ")
    assert "0 to run\n" in sweep("--workers", "1").err


def test_a_dry_run_runs_nothing(sweep, folder):
    got = sweep("--dry-run", "--workers", "3")
    assert got.code == 0
    assert got.out == ""
    assert "6 problems, 0 finished, 6 to run: about" in got.err
    assert "on 3 workers" in got.err
    assert "for the largest" in got.err
    assert stamps(folder) == {}
    assert sweep("--dry-run", "--quiet").err == sweep("--dry-run").err != ""


def test_a_dry_run_says_what_cannot_be_run(spinbattery, tmp_path):
    path = tmp_path / "large.toml"
    path.write_text(EXPERIMENT.replace('"ring:3"', '"ring:60"'))
    for more in (["--dry-run"], ["--workers", "1"]):
        got = spinbattery("sweep", str(path), "--store", str(tmp_path / "runs"), *more)
        assert got.code == 2
        assert "error: 2 of 6 problems cannot be run; nothing was started: ring:60, cooperative" in got.err
        assert stamps(tmp_path / "runs") == {}


def test_shards_together_make_all(sweep, folder):
    first = sweep("--shard", "1/2", "--workers", "1", "--json", "--quiet").json
    between = stamps(folder)
    second = sweep("--shard", "2/2", "--workers", "1", "--json", "--quiet").json
    assert first["computed"] + second["computed"] == 6
    assert 0 < first["computed"] == first["problems"] < 6
    assert between.items() <= stamps(folder).items()
    assert sweep("--shard", "1/2", "--workers", "1", "--json", "--quiet").json["computed"] == 0
    whole = sweep("--json", "--quiet").json
    assert (whole["computed"], whole["reused"]) == (0, 6)
    assert {run["key"] for run in whole["runs"]} == {run["key"] for run in first["runs"] + second["runs"]}


@pytest.mark.parametrize("text", ["", "1", "1/", "/2", "a/2", "1/b", "-1/2", "1.5/2", "1/2/3", "1:2"])
def test_shards_that_are_no_shards(sweep, folder, text):
    got = sweep("--shard", text)
    assert got.code == 2
    assert "is not of the form i/n; write 1/8 for the first of eight" in got.err
    assert not folder.exists()


@pytest.mark.parametrize("text", ["0/2", "3/2", "0/0"])
def test_shards_that_do_not_exist(sweep, folder, text):
    got = sweep("--shard", text)
    assert got.code == 2
    assert "shard" in got.err
    assert not folder.exists()


def test_a_scheduler_has_its_own_workers(sweep, folder):
    got = sweep("--scheduler", "tcp://127.0.0.1:1", "--workers", "2")
    assert got.code == 2
    assert "give --scheduler or --workers, not both" in got.err
    assert not folder.exists()


@pytest.mark.parametrize(
    "arguments, message",
    [(["missing.toml", "--store", "x"], "cannot read 'missing.toml': No such file"), ([], "Missing argument"),
     (["missing.toml"], "Missing option"), (["missing.toml", "--store", "x", "--workers", "0"], "--workers")],
)  # fmt: skip
def test_what_must_be_given(spinbattery, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    got = spinbattery("sweep", *arguments)
    assert got.code == 2
    assert message in got.err
    assert list(Path(tmp_path).iterdir()) == []


def test_an_unknown_key_is_refused_with_the_nearest(sweep, experiment, folder):
    Path(experiment).write_text("tolernce = 1e-3\n" + EXPERIMENT)
    got = sweep()
    assert got.code == 2
    assert "unknown key tolernce" in got.err
    assert "Did you mean 'tolerance'?" in got.err
    assert not folder.exists()


@pytest.fixture
def hopeless(experiment):
    """Two problems of each engine, of which one engine cannot keep its promise."""
    text = EXPERIMENT.split('[[protocols]]\nname = "local"')[0].replace('["1ns", "2ns"]', '"1ns"')
    Path(experiment).write_text(text + HOPELESS)


def test_failures_are_named_and_the_exit_code_is_one(sweep, hopeless, folder):
    got = sweep("--workers", "1")
    assert got.code == 1
    assert "2 runs computed, 0 found finished, 2 failed or damaged" in got.out
    assert "failed: ring:2, cooperative, 1 ns, statevector" in got.err
    assert "failed: ring:3, cooperative, 1 ns, statevector" in got.err
    assert "ToleranceError" in got.err
    assert "--retry-failed will run them again" in got.err
    assert "--recompute-damaged" not in got.err


def test_failures_are_retried_only_when_asked(sweep, hopeless, folder):
    first = sweep("--workers", "1", "--json", "--quiet")
    assert first.code == 1
    assert (first.json["computed"], first.json["failed"], len(first.json["runs"])) == (2, 2, 2)
    assert all(error.startswith("ToleranceError") for error in first.json["failures"].values())
    notes = {path.name: path.stat().st_mtime_ns for path in folder.glob("*.failed.json")}
    assert len(notes) == 2
    again = sweep("--workers", "1", "--json", "--quiet")
    assert (again.code, again.json["computed"], again.json["reused"], again.json["failed"]) == (1, 0, 2, 2)
    assert {path.name: path.stat().st_mtime_ns for path in folder.glob("*.failed.json")} == notes
    assert sweep("--workers", "1", "--retry-failed", "--quiet").code == 1
    after = {path.name: path.stat().st_mtime_ns for path in folder.glob("*.failed.json")}
    assert set(after) == set(notes)
    assert all(after[name] > notes[name] for name in notes)


def test_damage_is_recomputed_only_when_asked(sweep, folder):
    sweep("--workers", "1", "--quiet")
    victim = sorted(folder.glob("*.nc"))[0]
    victim.write_bytes(victim.read_bytes()[:100])
    got = sweep("--workers", "1")
    assert got.code == 1
    assert "0 runs computed, 5 found finished, 1 failed or damaged" in got.out
    assert "damaged: " in got.err
    assert victim.name in got.err
    assert "--recompute-damaged will run them again" in got.err
    assert "--retry-failed" not in got.err
    mended = sweep("--workers", "1", "--recompute-damaged", "--json", "--quiet")
    assert (mended.code, mended.json["computed"], mended.json["reused"]) == (0, 1, 5)


def test_lines_where_there_is_no_terminal(sweep, monkeypatch):
    monkeypatch.setattr(console, "_SECONDS_BETWEEN_LINES", 0.0)
    text = sweep("--workers", "1").err
    assert "\x1b" not in text
    assert "\r" not in text
    lines = text.splitlines()
    assert lines[0].startswith("6 problems")
    assert all(re.match(r"( |\d)( |\d)\d%  \d of 6 done, ", line) for line in lines[1:])
    assert any("3 of 6 done" in line for line in lines)
    assert lines[-1].startswith("100%  6 of 6 done, 0 running")


def test_no_lines_for_what_is_done_at_once(sweep, monkeypatch):
    monkeypatch.setattr(console, "_SECONDS_BETWEEN_LINES", 1e9)
    assert len(sweep("--workers", "1").err.splitlines()) == 1


def test_quiet_is_quiet(sweep, monkeypatch):
    monkeypatch.setattr(console, "_SECONDS_BETWEEN_LINES", 0.0)
    assert sweep("--workers", "1", "--quiet").err == ""


def test_an_interruption_ends_with_the_number_of_its_signal(sweep, folder, monkeypatch):
    import signal

    from spinbattery.sweeps.tally import Tally

    real = Tally.note

    def note(self, outcome, seconds):
        real(self, outcome, seconds)
        signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(Tally, "note", note)
    got = sweep("--workers", "1", "--quiet")
    assert got.code == 128 + signal.SIGTERM
    assert "interrupted; 1 of 6 problems are finished and kept, 5 are left; run the same again to go on." in got.err
    assert len(stamps(folder)) == 1
    monkeypatch.undo()


def test_json_has_null_where_a_number_is_not_known(spinbattery, tmp_path):
    path = tmp_path / "still.toml"
    path.write_text(
        'networks = ["ring:2"]\n[[protocols]]\nname = "cooperative"\nduration = "1ps"\nJ = 0\nfield = 0\ns_hold = 1\n'
    )
    got = spinbattery("sweep", str(path), "--store", str(tmp_path / "runs"), "--workers", "1", "--json", "--quiet")
    [run] = json.loads(got.out)["runs"]
    assert run["precision"] is None
    assert run["precision_bound"] == 1e20
