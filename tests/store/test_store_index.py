"""The index of a store follows its files, whatever becomes of either."""

from __future__ import annotations

import json
import os
import pickle
import sqlite3
import time

import pytest

from spinbattery import Record, Statevector, Store, charge, cooperative, ring
from spinbattery.core.claims import claim
from spinbattery.core.errors import RecordError
from spinbattery.records.columns import columns
from spinbattery.sweeps.grid import Grid

ENGINE = Statevector(1e-4)


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "runs")


def record(n, duration=1.0):
    return charge(ring(n), cooperative(duration), engine=ENGINE)


def fill(store, sizes=(2, 3, 4)):
    records = [record(n) for n in sizes]
    for one in records:
        store.put(one)
    return records


def statuses(store):
    return {row["n_spins"]: row["status"] for row in store.rows()}


def fail(store, n, error="it broke"):
    [task] = Grid(ring(n), cooperative(1.0), engines=ENGINE).plan()
    store.index([store.write_failure(task.parameters(), error)])
    return task.key


def damage(path):
    """Another content of the same size."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)


def index_of(store):
    return sqlite3.connect(store.folder / "index.sqlite")


def test_rows_hold_parameters_results_and_file(store):
    [one] = fill(store, [3])
    [row] = store.rows()
    assert list(row) == list(columns())
    content = store.path(one.key).read_bytes()
    expected = {
        "key": one.key, "problem_hash": one.problem.content_hash, "network": "ring:3", "n_spins": 3, "n_pairs": 3,
        "network_hash": ring(3).content_hash, "crosstalk": 0.0, "protocol": "cooperative", "duration": 1.0, "J": -0.2,
        "field": -0.5, "s_hold": 0.35, "engine": "statevector", "n_times": 0, "seed": None, "error": None,
        "magnetization": one.magnetization, "variance": one.variance, "std": one.std, "precision": one.precision,
        "precision_error": one.precision_relative_error * one.precision,
        "precision_bound": None, "hs_cost": one.hs_cost, "status": "done",
        "size": len(content), "created": one.dataset.attrs["created"],
    }  # fmt: skip
    assert {name: row[name] for name in expected} == expected
    assert json.loads(row["engine_options"]) == ENGINE.options()


def test_rows_are_sorted_by_size(store):
    fill(store, (4, 2, 3))
    assert [row["n_spins"] for row in store.rows()] == [2, 3, 4]


def test_crosstalk_is_a_number_only_where_it_is_uniform(store):
    from dataclasses import replace

    uniform = ring(3).with_crosstalk(-0.01)
    store.put(charge(uniform, cooperative(1.0), engine=ENGINE))
    store.put(charge(replace(uniform, crosstalk=[-0.01, -0.02, -0.03]), cooperative(1.0), engine=ENGINE))
    assert sorted((row["crosstalk"] for row in store.rows()), key=str) == [-0.01, None]


def test_files_that_appear_are_found(store):
    one, two = record(2), record(3)
    store.put(one)
    two.save(store.path(two.key))
    assert statuses(store) == {2: "done", 3: "done"}


def test_files_that_vanish_are_forgotten(store):
    one, *_ = fill(store)
    store.path(one.key).unlink()
    assert statuses(store) == {3: "done", 4: "done"}


def test_a_failure_is_kept_with_its_parameters(store):
    key = fail(store, 3, "a reason")
    [row] = store.rows(status="failed")
    assert (row["key"], row["n_spins"], row["duration"], row["error"]) == (key, 3, 1.0, "a reason")
    assert row["magnetization"] is None
    assert store.failure(key) == "a reason"
    assert store.errors([key, "0" * 64]) == {key: "a reason"}
    assert key not in store
    assert store.failure("0" * 64) is None


def test_a_run_that_succeeds_replaces_its_failure(store):
    key = fail(store, 3)
    store.write(record(3))  # not entered: the index finds it by itself
    assert statuses(store) == {3: "done"}
    assert store.failure(key) is None
    assert store.errors([key]) == {}
    assert list(store.folder.glob("*.failed.json")) == []


def test_a_record_counts_before_a_failure(store):
    one = record(3)
    key = fail(store, 3)
    one.save(store.path(key))  # as if its writer had died before it removed the failure
    assert statuses(store) == {3: "done"}


def test_a_failure_where_a_record_was(store):
    [one] = fill(store, [3])
    store.path(one.key).unlink()
    fail(store, 3)
    (store.folder / "index.sqlite").unlink()
    assert statuses(store) == {3: "failed"}


@pytest.mark.parametrize(
    "text",
    [
        "garbage", "[]", '"text"', "{}", "", "\x00", '{"key":"KEY","status":"failed"}',
        '{"key":"KEY","status":"failed","error":null}', '{"key":"KEY","status":"done","error":"e"}',
        '{"key":"0000","status":"failed","error":"e"}', '{"key":"KEY","status":"failed","error":"e","n_spins":[3]}',
    ],
)  # fmt: skip
def test_a_damaged_note_of_a_failure_is_named_and_harms_no_other_run(store, text):
    fill(store)
    key = fail(store, 5)
    path = store.folder / f"{key[:32]}.failed.json"
    path.write_text(text.replace("KEY", key))
    (store.folder / "index.sqlite").unlink()
    assert sorted(row["status"] for row in store.rows()) == ["damaged", "done", "done", "done"]
    assert store.statuses([key]) == {key: "damaged"}
    assert path.name in store.errors([key])[key]
    assert path.name in store.failure(key)
    fail(store, 5, "anew")
    assert store.statuses([key]) == {key: "failed"}


@pytest.mark.parametrize("content", [b"", b"garbage", b"\x89HDF\r\n\x1a\n" + bytes(200)])
def test_a_damaged_record_is_in_the_index_and_comes_back_when_it_is_mended(store, content):
    one, *_ = fill(store)
    path = store.path(one.key)
    whole = path.read_bytes()
    path.write_bytes(content)
    assert store.rebuild() == {"done": 2, "failed": 0, "damaged": 1}
    [row] = store.rows(status="damaged")
    assert path.name in row["error"]
    assert row["key"] == one.key[:32]
    assert store.errors([one.key]) == {one.key: row["error"]}
    assert [kept.n_spins for kept in store.records()] == [3, 4]
    path.write_bytes(whole)
    assert statuses(store) == {2: "done", 3: "done", 4: "done"}


def test_statuses_see_a_change_that_kept_the_size(store):
    one, two, three = fill(store)
    size = store.path(one.key).stat().st_size
    damage(store.path(one.key))
    assert store.path(one.key).stat().st_size == size
    keys = [one.key, two.key, three.key, "0" * 64]
    assert statuses(store) == {2: "done", 3: "done", 4: "done"}  # nothing that a look at the folder shows
    assert store.statuses(keys) == {one.key: "damaged", two.key: "done", three.key: "done"}
    assert [(row["key"], row["n_spins"]) for row in store.rows(status="damaged")] == [(one.key, 2)]  # still known


def test_statuses_accept_the_same_run_made_again(store):
    [one] = fill(store, [3])
    dataset = record(3).dataset
    dataset.attrs["wall_time_s"] = 12.5
    again = Record(dataset)
    again.save(store.path(one.key))
    assert store.statuses([one.key]) == {one.key: "done"}
    assert store.rows()[0]["wall_time_s"] == 12.5


def test_a_file_under_the_name_of_another_run_is_damaged(store):
    one, two = fill(store, (2, 3))
    store.path(one.key).write_bytes(store.path(two.key).read_bytes())
    assert store.statuses([one.key, two.key]) == {one.key: "damaged", two.key: "done"}
    assert "another run" in store.errors([one.key])[one.key]


def test_rebuild_counts_what_it_reads(store):
    one, *_ = fill(store)
    fail(store, 5)
    damage(store.path(one.key))
    seen = []
    assert store.rebuild(lambda fraction, message: seen.append((fraction, message))) == {
        "done": 2, "failed": 1, "damaged": 1,
    }  # fmt: skip
    assert seen[-1] == (1.0, "reading 4 records")


def test_rebuild_corrects_what_the_index_says(store):
    fill(store)
    with index_of(store) as connection:
        connection.execute("UPDATE runs SET n_spins = 99, status = 'done'")
    connection.close()
    assert statuses(store) == {99: "done"}
    store.rebuild()
    assert statuses(store) == {2: "done", 3: "done", 4: "done"}


def spoil_version(path):
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 77")
    connection.close()


def spoil_columns(path):
    connection = sqlite3.connect(path)
    connection.executescript("PRAGMA user_version = 0; DROP TABLE runs; CREATE TABLE runs (stem TEXT, other REAL)")
    connection.close()


def spoil_pages(path):
    content = bytearray(path.read_bytes())
    content[4096:] = os.urandom(len(content) - 4096)
    path.write_bytes(content)


SPOILED = {
    "garbage": lambda path: path.write_bytes(b"no database" * 1000),
    "empty": lambda path: path.write_bytes(b""),
    "truncated": lambda path: path.write_bytes(path.read_bytes()[:5000]),
    "pages": spoil_pages,
    "removed": lambda path: path.unlink(),
    "other version": spoil_version,
    "other columns": spoil_columns,
}


@pytest.mark.parametrize("spoil", SPOILED.values(), ids=SPOILED)
def test_a_spoiled_index_is_made_again(store, spoil):
    records = fill(store)
    fail(store, 5)
    spoil(store.folder / "index.sqlite")
    assert statuses(store) == {2: "done", 3: "done", 4: "done", 5: "failed"}
    assert set(store.statuses(one.key for one in records).values()) == {"done"}
    spoil(store.folder / "index.sqlite")
    assert store.rebuild() == {"done": 3, "failed": 1, "damaged": 0}


def test_an_index_that_cannot_be_a_file_is_made_in_memory(store):
    fill(store, [2])
    (store.folder / "index.sqlite").unlink()
    (store.folder / "index.sqlite").mkdir()
    assert statuses(store) == {2: "done"}
    fill(store, [3])
    assert statuses(store) == {2: "done", 3: "done"}
    assert store.rebuild() == {"done": 2, "failed": 0, "damaged": 0}


def test_two_stores_on_one_folder_see_each_other(store):
    other = Store(store.folder)
    one, two = record(2), record(3)
    store.put(one)
    assert statuses(other) == {2: "done"}
    other.put(two)
    assert statuses(store) == {2: "done", 3: "done"}
    store.path(one.key).unlink()
    assert statuses(other) == statuses(store) == {3: "done"}
    other.rebuild()
    assert statuses(store) == {3: "done"}


def test_what_cannot_be_indexed_now_is_found_later(store):
    one, two = record(2), record(3)
    store.put(one)
    store._index.path.unlink()
    store._index.path.mkdir()
    store.put(two)  # no error: its file is what counts
    store._index.path.rmdir()
    assert statuses(store) == {2: "done", 3: "done"}


def test_a_folder_that_cannot_be_written_has_its_index_in_memory(store, monkeypatch):
    fill(store)
    (store.folder / "index.sqlite").unlink()
    monkeypatch.setattr(os, "access", lambda *arguments: False)
    other = Store(store.folder)
    assert statuses(other) == {2: "done", 3: "done", 4: "done"}
    assert [one.n_spins for one in other.records(n_spins=slice(3, None))] == [3, 4]
    assert not (store.folder / "index.sqlite").exists()


def test_a_store_can_be_sent_to_another_process(store):
    fill(store)
    sent = pickle.loads(pickle.dumps(store))
    assert sent.folder == store.folder
    assert statuses(sent) == statuses(store)


def test_files_of_dead_writers_are_removed_and_those_of_living_ones_kept(store):
    fill(store, [2])
    old, new, foreign = store.folder / ".a.nc.x.part", store.folder / ".b.nc.x.part", store.folder / "notes.txt"
    for path in (old, new, foreign):
        path.write_bytes(b"half")
        long_ago = time.time() - 2 * 3600.0
        os.utime(path, (long_ago, long_ago) if path != new else None)
    store.sync()
    assert not old.exists()
    assert new.exists()
    assert foreign.exists()
    assert len(store.rows()) == 1


def test_checkpoints_that_nobody_goes_on_from_are_removed(store):
    fill(store, [2])
    (record,) = store.folder.glob("*.nc")
    folder = store.folder / ".checkpoints"
    folder.mkdir()
    names = [f".{record.stem}.0.npz.x.part", f"{record.stem}.0.npz", "unfinished.0.npz", f"{record.stem}.1.npz"]
    for name in names:
        (folder / name).write_bytes(b"state")
        long_ago = time.time() - 2 * 3600.0
        os.utime(folder / name, None if name == names[-1] else (long_ago, long_ago))
    store.sync()
    assert sorted(path.name for path in folder.iterdir()) == sorted(names[2:])


def test_claims_of_the_dead_are_removed_and_those_of_the_living_kept(store):
    folder = store.folder / ".claims"
    folder.mkdir()
    (folder / "dead").touch()
    with claim(folder / "living") as ours:
        assert ours
        store.sync()
        assert [path.name for path in folder.iterdir()] == ["living"]


def test_select_names_what_it_did_not_find(store):
    with pytest.raises(RecordError, match=r"no finished run in .*runs.*; list what there is"):
        store.select()
    fill(store)
    with pytest.raises(RecordError, match=r"no finished run in .* fulfils \{'n_spins': 9\}"):
        store.select(n_spins=9)
    assert store.select(n_spins=[2, 4]).n_spins.to_numpy().tolist() == [2, 4]


def test_select_leaves_failures_out_and_names_damage(store):
    one, *_ = fill(store)
    fail(store, 5)
    assert store.select().sizes["run"] == 3
    damage(store.path(one.key))
    with pytest.raises(RecordError, match=store.path(one.key).name):
        store.select()
