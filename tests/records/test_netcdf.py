"""Files made in memory: what any netCDF reader finds in them, and what damage does."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import netCDF4
import numpy as np
import pytest
import xarray as xr

from spinbattery.records.contents import Contents
from spinbattery.records.netcdf import decode as decoded
from spinbattery.records.netcdf import encode as encoded

DIGEST = 32  # bytes of SHA-256 after the HDF5 file
ATTRIBUTES = {"name": "µ, σ²", "empty": "", "long": "x" * 70000, "version": 2**40, "seconds": 0.1, "count": np.int64(3)}


def encode(dataset, attributes):
    return encoded(Contents.of(dataset), attributes)


def decode(content):
    return decoded(content).to_dataset()


@pytest.fixture
def dataset():
    return xr.Dataset(
        {
            "mean": ((), 0.1, {"units": "1", "long_name": "⟨Sz⟩/N"}),
            "odd": ("x", np.array([np.nan, -0.0, np.inf, 5e-324]), {"units": "GHz"}),
            "table": (("row", "part"), np.arange(6.0).reshape(2, 3).T[:, ::-1]),
            "single": ("row", np.arange(3, dtype=np.float32)),
            "none": ("nothing", np.empty(0)),
            "problem": ((), '{"µ": "text"}'),
        },
        {"x": np.array([-3, -1, 1, 3]), "part": ["real", "imagé"]},
        ATTRIBUTES,
    )


@pytest.fixture
def content(dataset):
    return encode(dataset, ATTRIBUTES)


def assert_same(found, expected):
    """The same to the last bit, in values, types, dimensions, units and attributes."""
    assert found.identical(expected)
    assert dict(found.sizes) == dict(expected.sizes)
    assert set(found.coords) == set(expected.coords)
    for name, variable in expected.variables.items():
        assert found[name].dtype == variable.dtype
        if variable.dtype.kind == "f":
            assert found[name].values.tobytes() == variable.values.tobytes()


def test_a_dataset_comes_back_to_the_last_bit(dataset, content):
    assert_same(decode(content), dataset)


@pytest.mark.parametrize("engine", ["netcdf4", "h5netcdf"])
def test_xarray_opens_the_file_with_either_engine(dataset, content, engine, tmp_path):
    pytest.importorskip(engine.replace("netcdf4", "netCDF4"))
    path = tmp_path / "run.nc"
    path.write_bytes(content)
    with xr.open_dataset(path, engine=engine) as opened:
        assert_same(opened.load(), dataset)


def test_the_file_holds_no_fill_values_and_no_attributes_of_its_own(dataset, content, tmp_path):
    path = tmp_path / "run.nc"
    path.write_bytes(content)
    with netCDF4.Dataset(path) as file:
        assert set(file.ncattrs()) == set(ATTRIBUTES)
        assert file.data_model == "NETCDF4"
        assert {name: v.ncattrs() for name, v in file.variables.items()} == {
            name: list(v.attrs) for name, v in dataset.variables.items()
        }


def test_the_file_is_no_longer_than_its_content(content):
    assert 70000 < len(content) < 90000  # and not a multiple of a buffer's 64 KiB


def test_nothing_is_written_or_read_on_disk(dataset, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "record.nc").write_text("a file of the user")
    assert_same(decode(encode(dataset, ATTRIBUTES)), dataset)
    assert (tmp_path / "record.nc").read_text() == "a file of the user"
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize(
    ("attributes", "kind", "message"),
    [
        ({"name": "a\0b"}, ValueError, "'name' holds a NUL"),
        ({"name": "\udcff"}, ValueError, "surrogates"),
        ({"a/b": 1}, ValueError, "illegal characters"),
        ({"flag": True}, TypeError, "'flag' is neither text nor a number"),
        ({"list": [1.0, 2.0]}, TypeError, "'list' is neither"),
        ({"none": None}, TypeError, "'none' is neither"),
        ({"whole": 2**70}, ValueError, "illegal data type"),
    ],
)
def test_attributes_that_would_not_come_back_are_refused(dataset, attributes, kind, message):
    with pytest.raises(kind, match=message):
        encode(dataset, attributes)
    described = dataset.copy()
    described["mean"].attrs = attributes
    with pytest.raises(kind, match=message):
        encode(described, {})


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"a/b": 1.0}, "'a/b' holds a slash"),
        ({"": 1.0}, "illegal characters"),
        ({"text": ("x", np.array(["fine", "a\0b"], dtype=object))}, "'text' holds a NUL"),
        ({"flag": True}, "Illegal primitive data type"),
        ({"amplitude": 1j}, "complex"),
    ],
)
def test_variables_that_would_not_come_back_are_refused(variables, message):
    with pytest.raises(ValueError, match=message):
        encode(xr.Dataset(variables), {})


def test_a_refusal_leaves_the_next_file_whole(dataset):
    with pytest.raises(ValueError, match="complex"):
        encode(xr.Dataset({"amplitude": 1j}), {})
    assert_same(decode(encode(dataset, ATTRIBUTES)), dataset)


@pytest.mark.parametrize(
    "other", [b"", b"\x89HDF\r\n\x1a\n", b"CDF\x01" + bytes(64), b"mu,sigma\n0.5,0.1\n" * 9, bytes(4096)]
)
def test_other_content_is_refused(other):
    with pytest.raises(ValueError, match="it is not netCDF 4"):
        decode(other)


def test_random_bytes_after_the_signature_are_refused():
    random = np.random.default_rng(1)
    for version in (0, 2, 3):
        for _ in range(50):
            with pytest.raises(ValueError, match=r"it should have|has changed"):
                decode(b"\x89HDF\r\n\x1a\n" + bytes([version, 8, 8, 0]) + random.bytes(500))


def test_no_changed_byte_goes_unseen():
    content = encode(xr.Dataset({"x": ("x", np.arange(3.0)), "problem": "text"}), {"engine": "product"})
    for offset in range(len(content)):
        for mask in (0x01, 0xFF):
            damaged = bytearray(content)
            damaged[offset] ^= mask
            with pytest.raises(ValueError, match="it "):
                decode(bytes(damaged))


def test_no_truncation_goes_unseen():
    dataset = xr.Dataset({"x": ("x", np.arange(3.0)), "problem": "text"})
    content = encode(dataset, {})
    whole = len(content) - DIGEST
    for length in (*range(whole), *range(whole + 1, len(content))):
        with pytest.raises(ValueError, match="it "):
            decode(content[:length])
    assert_same(decode(content[:whole]), dataset)  # the digest alone is gone, as in other writers' files


def test_bytes_lost_to_zeros_are_seen(content):
    for start in (600, 4096, len(content) - DIGEST, len(content) - 1):
        with pytest.raises(ValueError, match="has changed"):
            decode(content[:start] + bytes(len(content) - start))


def test_bytes_added_at_the_end_are_seen(content):
    for extra in (b"\0", content[-DIGEST:]):
        with pytest.raises(ValueError, match="has changed"):
            decode(content + extra)


def test_damage_without_a_digest_is_refused_in_silence(content, capfd):
    file = bytearray(content[:-DIGEST])
    file[60] ^= 0xFF  # the header of the root group
    errors = []

    def read():
        try:
            decode(bytes(file))
        except ValueError as error:
            errors.append(str(error))

    thread = threading.Thread(target=read)  # HDF5 silences its own messages thread by thread
    thread.start()
    thread.join()
    read()
    assert len(errors) == 2
    assert "HDF error" in errors[0]
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("engine", ["netcdf4", "h5netcdf"])
def test_files_of_other_writers_are_read(dataset, engine, tmp_path):
    pytest.importorskip(engine.replace("netcdf4", "netCDF4"))
    kept = dataset.assign_attrs(empty="not empty")  # an empty text is not the same to every writer
    kept.to_netcdf(tmp_path / "run.nc", engine=engine)
    assert_same(decode((tmp_path / "run.nc").read_bytes()), kept)


def test_threads_do_not_disturb_one_another(dataset):
    def there_and_back(_):
        return decode(encode(dataset, ATTRIBUTES)).identical(dataset)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(there_and_back, range(48)))
