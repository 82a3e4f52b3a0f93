"""Stores merged into one: each run once, none overwritten, none lost, and again the same where it was stopped."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from spinbattery import Record, Store, charge, cooperative, read_record, torus
from spinbattery.cli.main import app
from spinbattery.core.errors import RecordError, SpinBatteryError

DURATIONS = (1.0, 2.0, 3.0, 4.0)


@pytest.fixture
def source(tmp_path):
    """Four runs."""
    store = Store(tmp_path / "source")
    for duration in DURATIONS:
        charge(torus(1, 2), cooperative(duration), engine="statevector", tolerance=1e-3, store=store)
    return store


@pytest.fixture
def target(tmp_path, source):
    """One of them, and another."""
    store = Store(tmp_path / "target")
    for duration in (1.0, 5.0):
        charge(torus(1, 2), cooperative(duration), engine="statevector", tolerance=1e-3, store=store)
    return store


def key_of(store, duration):
    [row] = store.rows(duration=duration, status="done")
    return row["key"]


def files(store):
    return {path.name: path.read_bytes() for path in store.folder.glob("*.nc")}


def test_runs_are_copied_once_and_bit_for_bit(source, target):
    before = files(target)
    found = target.merge(source.folder)
    assert sorted(found.copied) == sorted(key_of(source, duration) for duration in (2.0, 3.0, 4.0))
    assert (found.same, found.left, found.complete) == (1, {}, True)
    assert files(target) == files(source) | before
    assert len(target.rows(status="done")) == 5
    again = target.merge(source.folder)
    assert (again.copied, again.same) == ([], 4)


def test_the_sources_stay_as_they_are(source, target):
    before = files(source)
    target.merge(source.folder)
    assert files(source) == before


def test_several_sources_at_once(source, target, tmp_path):
    found = Store(tmp_path / "all").merge(source.folder, target.folder)
    assert (len(found.copied), found.same) == (5, 1)


def test_what_differs_under_one_key_is_left_and_said(source, target):
    key = key_of(target, 1.0)
    record = read_record(target.path(key))
    changed = Record(record.dataset.assign(magnetization=record.dataset["magnetization"] + 1e-3))
    changed.save(target.path(key))
    before = target.path(key).read_bytes()
    found = target.merge(source.folder)
    assert list(found.left) == [str(source.path(key))]
    assert "another record of this run" in found.left[str(source.path(key))]
    assert len(found.copied) == 3
    assert target.path(key).read_bytes() == before

    shown = CliRunner().invoke(app, ["store", "merge", str(target.folder), str(source.folder), "--quiet"])
    assert shown.exit_code == 2
    assert shown.stdout == "0 runs copied, 3 known before, 1 left\n"
    assert f"left: {source.path(key)}: the target has another record" in shown.stderr


def test_when_and_how_fast_it_was_computed_makes_no_difference(source, target):
    key = key_of(target, 1.0)
    record = read_record(target.path(key))
    Record(record.dataset.assign_attrs(created="2000-01-01T00:00:00+00:00", wall_time_s=1e6)).save(target.path(key))
    assert target.merge(source.folder).same == 1


def test_damaged_files_are_said_and_not_copied(source, target):
    key = key_of(source, 2.0)
    path = source.path(key)
    path.write_bytes(path.read_bytes()[:-100])
    found = target.merge(source.folder)
    assert list(found.left) == [str(path)]
    assert "readable netCDF record" in found.left[str(path)]
    assert key not in target
    assert len(found.copied) == 2


def test_a_damaged_file_of_the_target_is_left_for_its_owner(source, target):
    key = key_of(target, 1.0)
    target.path(key).write_bytes(b"damaged")
    found = target.merge(source.folder)
    assert list(found.left) == [str(source.path(key))]
    assert target.path(key).read_bytes() == b"damaged"


def test_a_file_under_another_name_is_not_copied(source, target):
    wrong = source.folder / f"{'0' * 32}.nc"
    source.path(key_of(source, 2.0)).rename(wrong)
    found = target.merge(source.folder)
    assert "another run than its name says" in found.left[str(wrong)]


def test_failures_come_along_where_nothing_is_known(source, target):
    known, failed = key_of(target, 5.0), "f" * 64
    for key in (known, failed):
        source.write_failure({"key": key}, "EngineError: no")
    found = target.merge(source.folder)
    assert failed in found.copied
    assert target.failure(failed) == "EngineError: no"
    assert target.failure(known) is None
    assert target.merge(source.folder).same == 6


def test_a_record_takes_the_place_of_a_failure(source, target):
    key = key_of(source, 2.0)
    target.write_failure({"key": key}, "EngineError: no")
    target.merge(source.folder)
    assert target.failure(key) is None
    assert target.statuses([key]) == {key: "done"}


def test_a_run_that_is_being_computed_is_left(source, target):
    key = key_of(source, 2.0)
    with target.claim(key) as ours:
        assert ours
        found = Store(target.folder).merge(source.folder)
    assert list(found.left) == [str(source.path(key))]
    assert "another process is computing this run" in found.left[str(source.path(key))]
    assert target.merge(source.folder).copied == [key]


@pytest.mark.parametrize("name", ["target", "target/../target", "absent", "empty"])
def test_what_is_no_other_store_is_refused(target, tmp_path, name):
    (tmp_path / "empty").mkdir()
    with pytest.raises(RecordError, match=r"target itself|no store"):
        target.merge(tmp_path / name)
    assert not (tmp_path / "absent").exists()


def test_a_link_to_the_target_is_the_target(target, tmp_path):
    (tmp_path / "link").symlink_to(target.folder)
    with pytest.raises(RecordError, match="the target itself"):
        target.merge(tmp_path / "link")


def test_a_path_of_a_source_may_begin_with_a_tilde(source, target, home):
    shutil.copytree(source.folder, home / "runs")
    assert target.merge("~/runs").complete


@pytest.mark.parametrize("wrong", [5, None, "", ["runs"]])
def test_a_source_that_is_no_path_is_refused(target, wrong):
    with pytest.raises(SpinBatteryError):
        target.merge(wrong)


def test_a_source_that_is_not_there_makes_no_target(source, tmp_path):
    refused = CliRunner().invoke(app, ["store", "merge", str(tmp_path / "new"), str(tmp_path / "nowhere")])
    assert isinstance(refused.exception, RecordError)
    assert not (tmp_path / "new").exists()


def test_no_source_is_refused(target):
    with pytest.raises(RecordError, match="no store to merge"):
        target.merge()


_KILLED = """
import os, sys
from spinbattery import Store
seen = []
def progress(fraction, message):
    seen.append(fraction)
    if len(seen) == 3:
        os._exit(9)
Store(sys.argv[1]).merge(sys.argv[2], progress=progress)
"""


def test_a_merge_that_was_killed_goes_on(source, target):
    command = [sys.executable, "-c", _KILLED, str(target.folder), str(source.folder)]
    killed = subprocess.run(command, env={**os.environ}, check=False, capture_output=True)
    assert killed.returncode == 9
    present = set(files(target))
    assert len(present) < 5
    found = target.merge(source.folder)
    assert found.complete
    assert len(found.copied) == 5 - len(present)
    assert set(files(target)) == present | set(files(source))
    assert target.rebuild() == {"done": 5, "failed": 0, "damaged": 0}


def test_a_full_disk_stops_the_merge_and_leaves_no_part(source, target, monkeypatch):
    def full(self: Path, content: bytes) -> int:
        raise OSError(28, "No space left on device")

    before = files(target)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        with pytest.raises(RecordError, match="No space left on device"):
            target.merge(source.folder)
    assert files(target) == before
    assert not list(target.folder.glob(".*.part"))


def test_progress_rises_to_one(source, target):
    seen: list[float] = []
    target.merge(source.folder, progress=lambda fraction, _: seen.append(fraction))
    assert seen == sorted(seen)
    assert (seen[0], seen[-1]) == (0.0, 1.0)
