"""Tables of runs that other programs read."""

from __future__ import annotations

import re

import pandas as pd
import pytest

from spinbattery import Product, Statevector, Store, charge, cooperative, ring
from spinbattery.core.errors import InvalidParameterError, MissingDependencyError, RecordError
from spinbattery.core.installing import install_extra_command
from spinbattery.records.columns import columns
from spinbattery.store.export import export, table
from spinbattery.sweeps.grid import Grid

READERS = {".csv": pd.read_csv, ".parquet": pd.read_parquet}


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    """A run, one whose sigma is zero to rounding, and one that failed."""
    store = Store(tmp_path_factory.mktemp("runs"))
    store.put(charge(ring(3), cooperative(1.5), engine=Statevector(1e-4)))
    store.put(charge(ring(2), cooperative(1e-3, J=0.0, h=0.0, s_hold=1.0), engine=Product()))
    [task] = Grid(ring(4), cooperative(2.0), engines=Statevector(1e-4)).plan()
    store.write_failure(task.parameters(), 'it broke,\nwith "quotes"')
    return store.rows()


def unit_free(name):
    """Columns by their name in the store."""
    units = {"duration_ns": "duration", "hs_cost_GHz_ns": "hs_cost", "hs_cost_peak_GHz": "hs_cost_peak",
             "hs_cost_matched_GHz": "hs_cost_matched", "temperature_mK": "temperature"}  # fmt: skip
    return units.get(name, name)


def read(rows, tmp_path, ending):
    path = tmp_path / f"runs{ending}"
    export(rows, path)
    return READERS[ending](path)


@pytest.mark.parametrize("ending", READERS)
def test_every_value_comes_back(rows, tmp_path, ending):
    frame = read(rows, tmp_path, ending)
    assert len(frame) == 3
    assert {unit_free(name) for name in frame} == set(columns()) - {"size", "digest"}
    for name in frame:
        for value, row in zip(frame[name], rows, strict=True):
            expected = row[unit_free(name)]
            if expected is None:
                assert pd.isna(value), name
            else:
                assert value == expected, name


def test_a_store_exports_what_fulfils_filters(tmp_path):
    store = Store(tmp_path / "runs")
    for n in (2, 3, 4):
        store.put(charge(ring(n), cooperative(1.0), engine=Statevector(1e-3)))
    assert store.export(tmp_path / "runs.csv", n_spins=slice(3, None)) == 2
    assert pd.read_csv(tmp_path / "runs.csv")["n_spins"].tolist() == [3, 4]
    with pytest.raises(RecordError, match="nothing to export"):
        store.export(tmp_path / "none.csv", n_spins=9)


@pytest.mark.parametrize("ending", READERS)
def test_units_stand_in_the_names_of_columns(rows, tmp_path, ending):
    frame = read(rows, tmp_path, ending)
    assert {"duration_ns", "hs_cost_GHz_ns", "hs_cost_peak_GHz", "wall_time_s", "J", "precision"} <= set(frame)
    assert not {"duration", "hs_cost", "wall_time_s_s", "precision_1"} & set(frame)
    assert sorted(frame["duration_ns"]) == [1e-3, 1.5, 2.0]


@pytest.mark.parametrize("ending", READERS)
def test_what_is_not_known_is_missing_and_not_zero(rows, tmp_path, ending):
    frame = read(rows, tmp_path, ending).set_index("n_spins")
    assert pd.isna(frame.loc[2, "precision"])
    assert frame.loc[2, "precision_bound"] == 1e20
    assert frame.loc[3, "precision"] > 0.0
    assert pd.isna(frame.loc[3, "precision_bound"])
    assert frame.loc[4, "status"] == "failed"
    assert frame.loc[4, "error"] == 'it broke,\nwith "quotes"'
    assert pd.isna(frame.loc[4, "magnetization"])
    assert pd.isna(frame.loc[3, "error"])
    assert frame["seed"].isna().all()


def test_a_csv_leaves_the_missing_empty(rows, tmp_path):
    export(rows, tmp_path / "runs.csv")
    text = (tmp_path / "runs.csv").read_text()
    assert ",," in text
    assert "NA" not in text
    assert "None" not in text


def test_kinds_of_columns(rows):
    frame = table(rows)
    kinds = {"TEXT": "string", "REAL": "Float64", "INTEGER": "Int64"}
    assert {unit_free(name): str(kind) for name, kind in frame.dtypes.items()} == {
        name: kinds[column.kind] for name, column in columns().items() if name not in ("size", "digest")
    }


@pytest.mark.parametrize("name", ["runs.xlsx", "runs", "runs.csv.gz", "runs.CSV"])
def test_another_ending_is_refused(rows, tmp_path, name):
    with pytest.raises(InvalidParameterError, match=r"must end in \.parquet or \.csv"):
        export(rows, tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_parquet_without_its_library_is_refused_with_the_remedy(rows, tmp_path, monkeypatch):
    monkeypatch.setattr("spinbattery.store.export.find_spec", lambda name: None)
    with pytest.raises(MissingDependencyError, match=rf"\.csv.*{re.escape(install_extra_command('parquet'))}"):
        export(rows, tmp_path / "runs.parquet")
    assert list(tmp_path.iterdir()) == []
    export(rows, tmp_path / "runs.csv")


@pytest.mark.parametrize("ending", READERS)
def test_no_rows_are_refused(tmp_path, ending):
    with pytest.raises(RecordError, match="nothing to export"):
        export([], tmp_path / f"runs{ending}")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("ending", READERS)
def test_a_folder_that_is_not_there(rows, tmp_path, ending):
    with pytest.raises(RecordError, match=r"cannot write .*missing.*: No such file"):
        export(rows, tmp_path / "missing" / f"runs{ending}")


@pytest.mark.parametrize("ending", READERS)
def test_a_table_is_replaced_whole_or_not_at_all(rows, tmp_path, ending, monkeypatch):
    path = tmp_path / f"runs{ending}"
    export(rows, path)
    before = path.read_bytes()

    def fail(frame, target, **options):
        target.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(pd.DataFrame, f"to_{ending[1:]}", fail)
        with pytest.raises(RecordError, match="No space left on device"):
            export(rows[:1], path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
    export(rows[:1], path)
    assert len(READERS[ending](path)) == 1
