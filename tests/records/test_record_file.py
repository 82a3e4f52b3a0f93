"""Record files: how they are written, read back, and what happens to a damaged one."""

from __future__ import annotations

import errno
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from spinbattery import Statevector, charge, cooperative, read_record, ring, torus
from spinbattery.core.errors import RecordError
from spinbattery.records.record import Record

TIMES = [0.0, 1.0, 2.0]


@pytest.fixture(scope="module")
def record():
    return charge(torus(1, 2), cooperative(2.0), engine=Statevector(1e-6, keep_state=True), times=TIMES)


@pytest.fixture
def saved(record, tmp_path):
    return record.save(tmp_path / "run.nc")


def rewrite(path, change):
    """Rewrite a saved record with ``change(dataset)`` applied and the old checksum kept, as xarray writes it."""
    with xr.open_dataset(path, engine="netcdf4") as opened:
        dataset = opened.load()
    changed = change(dataset)
    path.unlink()
    changed.to_netcdf(path, engine="netcdf4")


def test_a_record_reads_back_equal(record, saved):
    back = read_record(saved)
    assert back == record
    assert back.key == record.key
    assert back.content_hash == record.content_hash
    assert back.problem == record.problem
    np.testing.assert_array_equal(back.state, record.state)
    assert repr(back) == repr(record)


def test_saving_a_record_that_was_read_keeps_it_equal(record, saved, tmp_path):
    again = read_record(saved).save(tmp_path / "again.nc")
    assert read_record(again) == record


def test_records_of_one_spin_and_of_many_networks_read_back(tmp_path):
    for network in (ring(1), torus(2, 2).with_crosstalk(-0.01, "all")):
        found = charge(network, cooperative(1.0))
        assert read_record(found.save(tmp_path / "run.nc")) == found


def test_only_the_named_file_is_left_after_saving(saved):
    assert [path.name for path in saved.parent.iterdir()] == ["run.nc"]


def half_written(error):
    """A Path.write_bytes that stops half-way."""

    def write_bytes(path, content):
        with path.open("wb") as stream:
            stream.write(content[: len(content) // 2])
        raise error

    return write_bytes


def test_a_failed_write_leaves_nothing_and_spares_the_old_file(record, saved, monkeypatch):
    before = saved.read_bytes()
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    monkeypatch.setattr(Path, "write_bytes", half_written(full))
    with pytest.raises(RecordError, match=r"run\.nc': No space left on device; .* have room") as caught:
        record.save(saved)
    assert caught.value.__cause__ is full
    assert [path.name for path in saved.parent.iterdir()] == ["run.nc"]
    assert saved.read_bytes() == before


def test_an_interrupted_write_leaves_nothing(record, tmp_path, monkeypatch):
    monkeypatch.setattr(Path, "write_bytes", half_written(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        record.save(tmp_path / "run.nc")
    assert list(tmp_path.iterdir()) == []


def test_the_bytes_are_those_of_the_file(record, tmp_path):
    content = record.to_bytes()
    path = record.save(tmp_path / "run.nc", content)
    assert path.read_bytes() == content
    assert read_record(path) == record


@pytest.mark.parametrize(("name", "message"), [("a\0b", "NUL"), ("\udcff", "surrogates")])
def test_names_that_netcdf_cannot_hold_are_refused(record, tmp_path, name, message):
    named = Record(record.dataset.assign_attrs(network=name))
    with pytest.raises(RecordError, match=f"cannot be written as netCDF: .*{message}"):
        named.save(tmp_path / "run.nc")
    assert list(tmp_path.iterdir()) == []


def test_a_path_that_no_file_can_have_is_named(record, tmp_path):
    with pytest.raises(RecordError, match=r"cannot write .*null byte"):
        record.save(tmp_path / "a\0b.nc")


def test_a_folder_that_is_not_there_is_named(record, tmp_path):
    with pytest.raises(RecordError, match=r"cannot write .*nowhere.*the folder must exist"):
        record.save(tmp_path / "nowhere" / "run.nc")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(RecordError, match=r"there is no record file .*run\.nc"):
        read_record(tmp_path / "run.nc")


def test_a_file_that_cannot_be_read_is_not_called_damaged(saved, monkeypatch):
    def refused(path):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(Path, "read_bytes", refused)
    with pytest.raises(RecordError, match=r"cannot read .*run\.nc': Permission denied\.") as caught:
        read_record(saved)
    assert caught.value.__cause__.errno == errno.EACCES


@pytest.mark.parametrize("content", [b"", b"mu,sigma\n0.5,0.1\n", b"\x89HDF\r\n\x1a\n", b"CDF\x01" + bytes(64)])
def test_other_files_are_refused(tmp_path, content):
    path = tmp_path / "run.nc"
    path.write_bytes(content)
    with pytest.raises(RecordError, match=r"run\.nc' is not a readable netCDF record"):
        read_record(path)


def test_damaged_files_are_refused_in_silence(saved, capfd):
    whole = saved.read_bytes()
    offsets = range(5, len(whole), len(whole) // 50)
    truncated = [whole[:offset] for offset in offsets]
    flipped = [whole[:offset] + bytes([whole[offset] ^ 0xFF]) + whole[offset + 1 :] for offset in offsets]
    for content in (b"", *truncated, *flipped):
        saved.write_bytes(content)
        with pytest.raises(RecordError, match=r"run\.nc' is not a readable netCDF record: it .*compute it again"):
            read_record(saved)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", ["magnetization", "distribution", "state", "spin_magnetization", "energy_t", "time"])
def test_one_changed_bit_in_a_rewritten_file_is_found(saved, name):
    def change(dataset):
        values = dataset[name].values.copy()
        values.reshape(-1).view(np.uint64)[-1] ^= 1
        return dataset.assign({name: dataset[name].copy(data=values)})

    rewrite(saved, change)
    with pytest.raises(RecordError, match="checksum does not match"):
        read_record(saved)


@pytest.mark.parametrize("engine", ["netcdf4", "h5netcdf"])
def test_xarray_reads_a_record_and_may_write_it_again(record, saved, engine):
    pytest.importorskip(engine.replace("netcdf4", "netCDF4"))
    with xr.open_dataset(saved, engine=engine) as opened:
        dataset = opened.load()
    assert dataset.identical(record.dataset.assign_attrs(checksum=dataset.attrs["checksum"]))
    saved.unlink()
    dataset.to_netcdf(saved, engine=engine)  # as earlier versions of spinbattery wrote it
    assert read_record(saved) == record


@pytest.mark.parametrize("name", ["magnetization", "distribution", "problem", "duration"])
def test_a_missing_variable_is_named(saved, name):
    rewrite(saved, lambda dataset: dataset.drop_vars(name))
    with pytest.raises(RecordError, match=f"is damaged: it lacks {name}"):
        read_record(saved)


def test_an_optional_variable_taken_out_is_found(saved):
    rewrite(saved, lambda dataset: dataset.drop_vars("state"))
    with pytest.raises(RecordError, match="checksum"):
        read_record(saved)


@pytest.mark.parametrize(("name", "value"), [("engine", "other"), ("wall_time_s", 1.0), ("added", 1)])
def test_a_changed_attribute_is_found(saved, name, value):
    rewrite(saved, lambda dataset: dataset.assign_attrs({name: value}))
    with pytest.raises(RecordError, match="checksum"):
        read_record(saved)


def test_a_changed_unit_is_found(saved):
    def change(dataset):
        dataset["duration"].attrs["units"] = "us"
        return dataset

    rewrite(saved, change)
    with pytest.raises(RecordError, match="checksum"):
        read_record(saved)


@pytest.mark.parametrize("engine", ["netcdf4", "h5netcdf"])
def test_what_xarray_writes_of_a_dataset_is_a_record(record, tmp_path, engine):
    pytest.importorskip(engine.replace("netcdf4", "netCDF4"))
    path = tmp_path / "run.nc"
    record.dataset.to_netcdf(path, engine=engine)
    found = read_record(path)
    assert found == record
    assert found.content_hash == record.content_hash
    assert read_record(found.save(tmp_path / "again.nc")) == record


def test_a_wrong_checksum_is_refused(saved):
    for wrong in ("", "0" * 64):
        rewrite(saved, lambda dataset, wrong=wrong: dataset.assign_attrs(checksum=wrong))
        with pytest.raises(RecordError, match="checksum"):
            read_record(saved)


def test_without_a_checksum_attributes_of_strange_types_are_refused(record, tmp_path):
    path = tmp_path / "run.nc"
    record.dataset.assign_attrs(odd=np.array([1.0, 2.0])).to_netcdf(path)
    with pytest.raises(RecordError, match="damaged"):
        read_record(path)


def test_other_netcdf_is_refused(tmp_path):
    path = tmp_path / "weather.nc"
    xr.Dataset({"temperature": ("x", [280.0, 281.0])}).to_netcdf(path, engine="netcdf4")
    with pytest.raises(RecordError, match="netCDF but no spinbattery record"):
        read_record(path)


def test_another_schema_version_is_refused_with_both_numbers(saved):
    rewrite(saved, lambda dataset: dataset.assign_attrs(schema_version=2))
    with pytest.raises(RecordError, match="schema version 2, but this spinbattery reads version 1"):
        read_record(saved)


def test_attributes_of_strange_types_are_refused(saved):
    rewrite(saved, lambda dataset: dataset.assign_attrs(odd=np.array([1.0, 2.0])))
    with pytest.raises(RecordError, match="damaged"):
        read_record(saved)


def test_pickle_is_never_used(record, tmp_path, monkeypatch):
    def forbidden(*arguments, **options):
        raise AssertionError("a record went through pickle")

    for name in ("dump", "dumps", "load", "loads"):
        monkeypatch.setattr(pickle, name, forbidden)
    assert read_record(record.save(tmp_path / "run.nc")) == record


def test_a_pickle_under_the_name_of_a_record_is_not_executed(tmp_path):
    class Bomb:
        def __reduce__(self):
            return (pytest.fail, ("the pickle was executed",))

    path = tmp_path / "run.nc"
    path.write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(RecordError, match="not a readable"):
        read_record(path)


def test_a_record_of_an_older_version_is_read_as_it_was_meant(tmp_path):
    record = charge(torus(1, 2), cooperative(2.0), tolerance=1e-4, engine="statevector")
    dataset = record.dataset.rename(precision_relative_error="precision_error")
    dataset["precision_error"].attrs["long_name"] = "whatever it said"
    Record(dataset).save(tmp_path / "older.nc")
    found = read_record(tmp_path / "older.nc")
    assert found.precision_relative_error == record.precision_relative_error
    assert found.precision_error == record.precision_error
    assert (found.content_hash, found.key) == (record.content_hash, record.key)
    found.save(tmp_path / "again.nc")
    assert read_record(tmp_path / "again.nc") == found
