"""Contents of records as plain arrays: what needs xarray, and that nothing else imports it."""

from __future__ import annotations

import pickle
import subprocess
import sys

import numpy as np
import pytest
import xarray as xr

import spinbattery as sb
from spinbattery.records.contents import Contents, Variable

HEAVY = ("xarray", "netCDF4", "pandas", "networkx", "matplotlib", "dask")

CHARGE = """
import sys
import spinbattery as sb

def imported(step):
    print(step, *(name for name in {heavy!r} if name in sys.modules))

record = sb.charge(sb.torus(2, 2), sb.cooperative(2.0), times=[1.0])
record.magnetization, record.precision, record.charge_state, record.times, record.content_hash, repr(record)
sb.uncharged_probability(record), sb.independence_ratio(record)
imported("charge")
store = sb.Store({folder!r})
store.put(record)
sb.charge(sb.torus(2, 2), sb.cooperative(2.0), times=[1.0], store=store).precision
store.rows()
imported("store")
assert record == record and record != sb.charge(sb.torus(2, 2), sb.cooperative(2.5), times=[1.0])
imported("equal")
record.dataset
imported("dataset")
"""


def run(code: str, *arguments: str) -> list[str]:
    found = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True)
    return found.stdout.splitlines()


def test_xarray_comes_with_the_dataset_and_netcdf_with_the_file(tmp_path):
    lines = run(CHARGE.format(heavy=HEAVY, folder=str(tmp_path)))
    charged, stored, compared, asked = (line.split() for line in lines)
    assert charged == ["charge"]
    assert stored == ["store", "netCDF4"]
    assert compared == ["equal", "netCDF4"]
    assert asked[:3] == ["dataset", "xarray", "netCDF4"]


def test_the_command_prints_json_without_them():
    code = (
        "import sys\nfrom spinbattery.cli.main import run\ntry:\n    run()\nfinally:\n"
        f"    print(*[name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    )
    command = ("charge", "--network", "torus:2x2", "--duration", "2ns", "--json")
    found = subprocess.run([sys.executable, "-c", code, *command], capture_output=True, text=True, check=True)
    assert '"magnetization"' in found.stdout
    assert found.stderr.split() == []


@pytest.fixture(scope="module")
def record() -> sb.Record:
    return sb.charge(sb.torus(1, 2), sb.cooperative(2.0), engine=sb.Statevector(1e-6, keep_state=True), times=[1.0])


def test_contents_survive_a_dataset(record):
    dataset = Contents.of(record.dataset).to_dataset()
    assert dataset.identical(record.dataset)
    assert list(dataset.coords) == ["spin", "sz_total", "time", "part"]
    assert dataset["energy_t"].attrs["units"] == "GHz"
    assert Contents.of(dataset).sizes == dict(dataset.sizes)


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data.assign(std=data["std"] + 1e-15),
        lambda data: data.assign(std=data["std"] + np.nan),
        lambda data: data.assign(std=data["std"].assign_attrs(units="GHz")),
        lambda data: data.assign(problem=((), "{}")),
        lambda data: data.assign_coords(time=[1.5]),
        lambda data: data.drop_vars("state"),
        lambda data: data.assign(distribution=("spin_or_none", data["distribution"].values)),
        lambda data: data.isel(sz_total=slice(1, None)),
        lambda data: data.assign_attrs(network="other"),
        lambda data: data.assign_attrs(wall_time_s=np.nan),
        lambda data: data.assign_attrs(added=1),
    ],
)
def test_records_are_equal_where_xarray_calls_their_datasets_identical(record, change):
    with xr.set_options(keep_attrs=True):
        data = change(record.dataset)
    other = sb.Record(data)
    assert other == sb.Record(data)
    assert data.identical(data.copy(deep=True))
    assert other != record
    assert not data.identical(record.dataset)


def test_a_record_of_its_own_dataset_is_the_same(record):
    again = sb.Record(record.dataset)
    assert again == record
    assert (again.content_hash, again.magnetization, again.times.tolist()) == (
        record.content_hash, record.magnetization, [1.0],
    )  # fmt: skip
    assert again.to_bytes()[:8] == record.to_bytes()[:8]


def test_a_record_stays_as_it_is_whatever_is_done_to_its_dataset(record):
    digest, text = record.content_hash, repr(record)
    with pytest.raises(ValueError, match="copy"):  # which xarray advises
        record.dataset["magnetization"][...] = 0.0
    with pytest.raises(ValueError, match="read-only"):
        record.variables["distribution"].values[...] = 0.0
    dataset = record.dataset
    dataset.attrs["network"] = "renamed"
    dataset["std"].attrs["units"] = "GHz"
    dataset["magnetization"] = xr.Variable((), 0.5)
    with pytest.raises(TypeError, match="item assignment"):
        record.attributes["network"] = "renamed"
    with pytest.raises(TypeError, match="item assignment"):
        record.variables["std"] = record.variables["variance"]
    assert (record.content_hash, repr(record)) == (digest, text)
    assert record.dataset["std"].attrs["units"] == "1"


def test_a_copy_of_the_dataset_may_be_changed_and_be_another_record(record, tmp_path):
    changed = record.dataset.copy(deep=True)
    changed["magnetization"][...] = 0.5
    changed.attrs["network"] = "renamed"
    other = sb.Record(changed)
    changed["magnetization"][...] = 0.25
    changed.attrs["network"] = "renamed again"
    again = sb.read_record(other.save(tmp_path / "run.nc"))
    assert (again.attributes["network"], again.magnetization, again.key) == ("renamed", 0.5, record.key)
    assert record.magnetization != 0.5


def test_values_are_made_when_they_are_first_needed_and_once():
    made = []
    variable = Variable(("x",), lambda: made.append(1) or [1.0, 2.0], {"units": "1"})
    assert made == []
    assert variable.values.tolist() == variable.values.tolist() == [1.0, 2.0]
    assert made == [1]


def test_a_record_goes_through_pickle_with_all_its_values():
    record = sb.charge(sb.torus(1, 2), sb.cooperative(2.0))
    again = pickle.loads(pickle.dumps(record))
    assert again == record
    assert np.array_equal(again.variables["distribution"].values, record.variables["distribution"].values)
    assert again.hs_cost == record.hs_cost


def test_changed_contents_leave_the_others_as_they_were(record):
    contents = Contents.of(record.dataset)
    other = contents.changed({"std": 0.5}, without=("state",), attrs={"run_key": "k"})
    assert (float(other.variables["std"].values), other.attrs["run_key"]) == (0.5, "k")
    assert other.variables["std"].attrs == contents.variables["std"].attrs
    assert contents.variables.keys() - other.variables.keys() == {"state"}
    assert contents.attrs["run_key"] == record.key
    assert float(contents.variables["std"].values) == record.std
