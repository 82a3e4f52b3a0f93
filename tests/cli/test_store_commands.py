"""`spinbattery store` as a user runs it."""

from __future__ import annotations

import pandas as pd
import pytest
import xarray as xr

import spinbattery as sb
from spinbattery.cli.stores import parse_filters
from spinbattery.core.errors import InvalidParameterError
from spinbattery.sweeps.grid import Grid
from spinbattery.sweeps.run import run_plan

ENGINE = sb.Statevector(1e-3)


@pytest.fixture
def folder(tmp_path):
    """Six runs, and one that failed."""
    store = sb.Store(tmp_path / "runs")
    networks = [sb.ring(n) for n in (2, 3, 4)]
    run_plan(
        Grid(networks, [sb.cooperative(1.0), sb.cooperative(2.0, h=-0.3)], engines=ENGINE).plan(), store, workers=1
    )
    [task] = Grid(sb.ring(5), sb.cooperative(1.0), engines=ENGINE).plan()
    store.write_failure(task.parameters(), "Traceback:\n it broke")
    return str(store.folder)


@pytest.fixture
def listed(spinbattery, folder):
    def call(*where):
        got = spinbattery("store", "list", folder, "--json", *(part for text in where for part in ("--where", text)))
        assert got.code == 0, got.err
        return got.json

    return call


def test_list_as_a_table(spinbattery, folder):
    got = spinbattery("store", "list", folder)
    assert got.code == 0
    assert f"7 runs in {folder}" in got.out
    assert got.out.count("ring:3") == 2
    assert got.out.count(" done ") == 6
    [failure] = sb.Store(folder).rows(status="failed")
    assert f"failed: {failure['key'][:12]}:  it broke" in got.out
    assert "Traceback" not in got.out


def test_list_as_json(listed, folder):
    rows = listed()
    assert rows == sb.Store(folder).rows()
    assert [row["n_spins"] for row in rows] == [2, 2, 3, 3, 4, 4, 5]
    assert rows[-1]["status"] == "failed"
    assert rows[-1]["precision"] is None


@pytest.mark.parametrize(
    "where, sizes",
    [
        (["n_spins=3"], [3, 3]),
        (["n_spins=2,4"], [2, 2, 4, 4]),
        (["n_spins=3..4"], [3, 3, 4, 4]),
        (["n_spins=4.."], [4, 4, 5]),
        (["n_spins=..2"], [2, 2]),
        (["duration=2ns"], [2, 3, 4]),
        (["duration=1.5ns..1us"], [2, 3, 4]),
        (["field=-0.5..-0.4"], [2, 3, 4, 5]),
        (["field=-0.3", "n_spins=..3"], [2, 3]),
        (["network=ring:2,ring:4", "duration=1ns"], [2, 4]),
        (["status=failed"], [5]),
        (["status=done,failed", "n_spins=4..5", "duration=1ns"], [4, 5]),
        (["network=ring:9"], []),
        (["network=x' OR '1'='1"], []),
    ],
)
def test_where(listed, where, sizes):
    assert [row["n_spins"] for row in listed(*where)] == sizes


def test_where_as_filters():
    assert parse_filters(None) == {}
    assert parse_filters(["n_spins=3", "duration=1ns..", "protocol=a,b", "network=x=y"]) == {
        "n_spins": "3", "duration": slice("1ns", None), "protocol": ["a", "b"], "network": "x=y",
    }  # fmt: skip
    with pytest.raises(InvalidParameterError, match=r"names J twice; write J=a,b"):
        parse_filters(["J=1", "J=2"])


@pytest.mark.parametrize(
    "where, message",
    [
        (["n_spins"], "is not of the form column=value"),
        (["n_spins="], "is not of the form column=value"),
        (["=3"], "runs have no ''"),
        (["n_spin=3"], "Did you mean 'n_spins'?"),
        (["n_spins=three"], "n_spins is a number, but the filter asks for 'three'"),
        (["n_spins=nan"], "n_spins is a number"),
        (["n_spins=1,,2"], "n_spins is a number, but the filter asks for ''"),
        (["n_spins=.."], "a range of n_spins"),
        (["duration=2"], "'2' has no unit"),
        (["n_spins=3", "n_spins=4"], "--where names n_spins twice; write n_spins=a,b"),
    ],
)
@pytest.mark.parametrize("command", [["list"], ["select"], ["export", "--out", "x.csv"]], ids=lambda one: one[0])
def test_where_that_cannot_be_understood(spinbattery, folder, tmp_path, monkeypatch, command, where, message):
    monkeypatch.chdir(tmp_path)
    got = spinbattery("store", *command, folder, *(part for text in where for part in ("--where", text)))
    assert got.code == 2
    assert message in got.err
    assert got.err.startswith("error: ")
    assert not (tmp_path / "x.csv").exists()


def test_select_prints_a_dataset(spinbattery, folder):
    got = spinbattery("store", "select", folder, "--where", "n_spins=3")
    assert got.code == 0
    assert "<xarray.Dataset>" in got.out
    assert "run: 2" in got.out


def test_select_as_json_has_null_where_a_number_is_not_known(spinbattery, folder):
    got = spinbattery("store", "select", folder, "--json", "--where", "n_spins=..3")
    assert got.code == 0, got.err
    data = sb.Store(folder).select(n_spins=[2, 3])
    assert [run["n_spins"] for run in got.json] == [2, 2, 3, 3]
    assert [run["precision"] for run in got.json] == data.precision.to_numpy().tolist()
    assert [run["key"] for run in got.json] == data.key.to_numpy().tolist()
    assert {run["seed"] for run in got.json} == {None}
    assert {run["precision_bound"] for run in got.json} == {None}
    assert "distribution" not in got.json[0]


def test_select_writes_netcdf(spinbattery, folder, tmp_path):
    out = tmp_path / "all.nc"
    assert spinbattery("store", "select", folder, "--out", str(out)).code == 0
    with xr.open_dataset(out, engine="netcdf4", decode_times=False) as data:
        xr.testing.assert_equal(data.load(), sb.Store(folder).select())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["all.nc", "runs"]


@pytest.mark.parametrize(
    "name, message", [("all.csv", "must end in .nc"), ("no/all.nc", "its folder does not exist"), (".", "must end in")]
)
def test_select_says_early_where_it_cannot_write(spinbattery, folder, tmp_path, monkeypatch, name, message):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sb.Store, "select", lambda *arguments, **filters: pytest.fail("work before the check"))
    got = spinbattery("store", "select", folder, "--out", name)
    assert got.code == 2
    assert message in got.err


@pytest.mark.parametrize("where", ["n_spins=9", "status=failed"])
def test_select_of_nothing(spinbattery, folder, where):
    got = spinbattery("store", "select", folder, "--where", where)
    assert got.code == 2
    assert "no finished run in" in got.err


@pytest.mark.parametrize("ending, read", [("csv", pd.read_csv), ("parquet", pd.read_parquet)])
def test_export(spinbattery, folder, tmp_path, ending, read):
    out = tmp_path / f"runs.{ending}"
    got = spinbattery("store", "export", folder, "--out", str(out), "--where", "n_spins=3..")
    assert (got.code, got.out) == (0, f"5 runs written to {out}\n")
    frame = read(out)
    assert frame["n_spins"].tolist() == [3, 3, 4, 4, 5]
    assert frame["duration_ns"].tolist() == [1.0, 2.0, 1.0, 2.0, 1.0]
    assert frame["precision"].isna().tolist() == [False] * 4 + [True]


@pytest.mark.parametrize(
    "out, where, message",
    [
        ("runs.xlsx", "n_spins=3", "must end in .parquet or .csv"),
        ("no/runs.csv", "n_spins=3", "its folder does not exist"),
        ("runs.csv", "n_spins=9", "nothing to export"),
    ],
)
def test_export_that_cannot_be(spinbattery, folder, tmp_path, monkeypatch, out, where, message):
    monkeypatch.chdir(tmp_path)
    got = spinbattery("store", "export", folder, "--out", out, "--where", where)
    assert got.code == 2
    assert message in got.err
    assert [path.name for path in tmp_path.iterdir()] == ["runs"]


def test_rebuild(spinbattery, folder):
    victim = sb.Store(folder).path(sb.Store(folder).rows(n_spins=3)[0]["key"])
    content = bytearray(victim.read_bytes())
    content[-1] ^= 0xFF
    victim.write_bytes(content)
    assert sum(row["status"] == "done" for row in spinbattery("store", "list", folder, "--json").json) == 6
    got = spinbattery("store", "rebuild", folder, "--quiet")
    assert got.code == 1
    assert got.err == ""
    first, second = got.out.splitlines()
    assert first == "5 done, 1 failed, 1 damaged"
    assert victim.name in second
    data = spinbattery("store", "rebuild", folder, "--quiet", "--json").json
    assert {name: data[name] for name in ("done", "failed", "damaged")} == {"done": 5, "failed": 1, "damaged": 1}
    assert [victim.name in text for text in data["damaged_files"]] == [True]


@pytest.mark.parametrize(
    "command", [["list"], ["select"], ["export", "--out", "x.csv"], ["rebuild"], ["merge", "target"]]
)
def test_a_folder_that_is_not_there_is_not_made(spinbattery, tmp_path, monkeypatch, command):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("no folder")
    for name in ("missing", "file"):
        got = spinbattery("store", *command, name)
        assert got.code == 2
        assert f"there is no store '{name}'; a sweep or --store makes one" in got.err
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_an_empty_store(spinbattery, tmp_path):
    got = spinbattery("store", "list", str(tmp_path), "--json")
    assert (got.code, got.json) == (0, [])
    assert "0 runs in" in spinbattery("store", "list", str(tmp_path)).out
    assert spinbattery("store", "rebuild", str(tmp_path), "--quiet").out == "0 done, 0 failed, 0 damaged\n"
