"""Many records as one Dataset: nothing lost, nothing invented."""

from __future__ import annotations

import numpy as np
import pytest

from spinbattery import Product, Statevector, charge, cooperative, ring, torus
from spinbattery.core.errors import RecordError
from spinbattery.records.columns import RESULTS, columns
from spinbattery.records.dataset import gather
from spinbattery.records.schema import ATTRIBUTES

TRAJECTORIES = ("time", "magnetization_t", "std_t", "energy_t", "magnetization_t_error", "variance_t_error")
TINY = cooperative(1e-3, J=0.0, h=0.0, s_hold=1.0)
"""Nothing acts for a picosecond: sigma is zero to rounding."""


@pytest.fixture(scope="module")
def records():
    engine = Statevector(1e-4)
    return [
        charge(ring(3), cooperative(1.0), engine=engine),
        charge(torus(2, 2), cooperative(2.0), engine=engine, times=[0.0, 0.5, 2.0]),
        charge(ring(2), cooperative(1.0, J=0.0), engine=Product(1e-3), times=[1.0]),
        charge(ring(4).with_crosstalk(-0.01), cooperative(1.0), engine=engine),
        charge(ring(2), TINY, engine=engine),
    ]


@pytest.fixture(scope="module")
def data(records):
    return gather(records)


def column(name):
    """What a variable of the record becomes along runs; NaN where the record has none."""
    return lambda one: one.dataset[name].item() if name in one.dataset else np.nan


def test_one_run_for_each_record_in_their_order(records, data):
    assert data.sizes == {"run": 5, "spin": 4, "sz_total": 9, "point": 3}
    assert data.key.to_numpy().tolist() == [one.key for one in records]
    assert data.n_spins.to_numpy().tolist() == [3, 4, 2, 4, 2]
    assert data.n_pairs.to_numpy().tolist() == [3, 4, 1, 4, 1]
    assert data.network.to_numpy().tolist()[:3] == ["ring:3", "torus:2x2", "ring:2"]
    assert data.engine.to_numpy().tolist() == ["statevector"] * 2 + ["product"] + ["statevector"] * 2
    assert data.duration.to_numpy().tolist() == [1.0, 2.0, 1.0, 1.0, 1e-3]
    assert data.J.to_numpy().tolist() == [-0.2, -0.2, 0.0, -0.2, 0.0]
    assert data.field.to_numpy().tolist() == [-0.5, -0.5, -0.5, -0.5, 0.0]
    assert data.s_hold.to_numpy().tolist() == [0.35] * 4 + [1.0]
    assert data.crosstalk.to_numpy().tolist() == [0.0, 0.0, 0.0, -0.01, 0.0]
    assert set(data.energy_scales.to_numpy()) == {records[0].problem.scales.name}


def test_hashes_tell_networks_and_problems_apart(records, data):
    assert data.problem_hash.to_numpy().tolist() == [one.problem.content_hash for one in records]
    assert data.network_hash.to_numpy().tolist() == [one.problem.network.content_hash for one in records]
    assert len(set(data.network_hash.to_numpy())) == 4
    assert data.network_hash[2] == data.network_hash[4]


@pytest.mark.parametrize("name", [*RESULTS])
def test_results_are_the_records_values_exactly(records, data, name):
    expected = [column(name)(one) for one in records]
    if name == "precision_error":  # the one result that a record computes: from its relative error
        expected = [np.nan if one.precision_error is None else one.precision_error for one in records]
    np.testing.assert_array_equal(data[name], expected)


def test_run_times(records, data):
    assert data.wall_time_s.to_numpy().tolist() == [one.dataset.attrs["wall_time_s"] for one in records]


def test_where_sigma_is_zero_the_precision_is_not_known(records, data):
    assert records[4].precision is None
    assert np.isnan(data.precision).to_numpy().tolist() == [False] * 4 + [True]
    assert np.isnan(data.precision_error).to_numpy().tolist() == [False] * 4 + [True]
    assert np.isnan(data.precision_bound).to_numpy().tolist() == [True] * 4 + [False]


def test_spins_of_smaller_networks_are_nan(records, data):
    for one, values in zip(records, data.spin_magnetization.to_numpy(), strict=True):
        n = one.n_spins
        np.testing.assert_array_equal(values[:n], one.dataset.spin_magnetization)
        assert np.isnan(values[n:]).all()


def test_distributions_of_odd_and_even_networks_share_an_axis(records, data):
    assert data.sz_total.to_numpy().tolist() == [-4, -3, -2, -1, 0, 1, 2, 3, 4]
    for one, run in zip(records, range(5), strict=True):
        own = one.dataset.sz_total.to_numpy()
        np.testing.assert_array_equal(data.distribution.isel(run=run).sel(sz_total=own), one.dataset.distribution)
        others = np.setdiff1d(data.sz_total, own)
        assert np.isnan(data.distribution.isel(run=run).sel(sz_total=others)).all()


@pytest.mark.parametrize("name", TRAJECTORIES)
def test_trajectories_are_padded(records, data, name):
    for one, values in zip(records, data[name].to_numpy(), strict=True):
        kept = len(one.times)
        if kept:
            np.testing.assert_array_equal(values[:kept], one.dataset[name])
        assert np.isnan(values[kept:]).all()


def test_without_output_times_there_are_no_trajectories(records):
    data = gather([records[0], records[3]])
    assert not set(TRAJECTORIES) & set(data.variables)
    assert "point" not in data.sizes


def test_one_record_alone(records):
    data = gather(records[1:2])
    assert data.sizes == {"run": 1, "spin": 4, "sz_total": 5, "point": 3}
    assert data.magnetization.item() == records[1].magnetization


def test_final_states_are_left_out():
    data = gather([charge(ring(2), cooperative(1.0), engine=Statevector(1e-3, keep_state=True))])
    assert "state" not in data.variables
    assert "amplitude" not in data.sizes


def test_kinds_of_numbers(data):
    kinds = {name: variable.dtype.kind for name, variable in data.variables.items()}
    texts = {"key", "problem_hash", "network", "network_hash", "protocol", "energy_scales", "engine", "model", "noise"}
    texts |= {"bond_dimension", "expansion", "no_precision", "charge_state", "family", "schedule", "scales_hash"}
    whole = {"n_spins", "n_pairs", "spin", "sz_total"}
    assert {name for name, kind in kinds.items() if kind == "U"} == texts
    assert {name for name, kind in kinds.items() if kind == "i"} == whole
    assert {name for name, kind in kinds.items() if kind == "f"} == set(kinds) - texts - whole
    assert np.isnan(data.seed).all()


def test_units_and_meanings(data):
    assert data.duration.attrs["units"] == "ns"
    assert data.time.attrs["units"] == "ns"
    assert data.energy_t.attrs["units"] == "GHz"
    assert data.hs_cost.attrs["units"] == "GHz ns"
    assert data.wall_time_s.attrs["units"] == "s"
    assert data.precision.attrs == {"units": "1", "long_name": "1/sigma^2"}
    for name, variable in data.variables.items():
        if name in columns():
            assert variable.attrs == {"units": columns()[name].unit, "long_name": columns()[name].meaning}
        else:
            assert variable.attrs == ATTRIBUTES.get(name, {})


def test_labels_replace_the_names_of_protocols(records):
    labels = ["a", "b", "a", "c", "b"]
    data = gather(records, [{"protocol": label} for label in labels])
    assert data.protocol.to_numpy().tolist() == labels
    assert gather(records).protocol.to_numpy().tolist() == ["cooperative"] * 5


def test_there_is_a_label_for_every_record(records):
    with pytest.raises(RecordError, match="names must be as many as the"):
        gather(records, [{"protocol": "a"}, {"protocol": "b"}])


def test_no_record_is_refused():
    with pytest.raises(RecordError, match="no record"):
        gather([])


def test_a_dataset_can_be_written_and_read_again(data, tmp_path):
    import xarray as xr

    data.to_netcdf(tmp_path / "all.nc", engine="netcdf4")
    with xr.open_dataset(tmp_path / "all.nc", engine="netcdf4", decode_times=False) as read:
        xr.testing.assert_equal(read.load(), data)
