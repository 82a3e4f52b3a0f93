"""Advantage at equal cost: which runs are paired, ratios, errors, refusals."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from run_datasets import Result, charged, dataset, joined, recipe, with_seeds

from spinbattery import advantage
from spinbattery.core.errors import FitError, InvalidParameterError
from spinbattery.records.dataset import gather

EQUAL = {
    "cooperative": recipe(),
    "local": recipe("local"),
    "local equal-cost": recipe("local", equal_cost=True),
    "polarised local equal-cost": recipe("polarised-local", s_hold=0.25, equal_cost=True),
}


@pytest.fixture(scope="module")
def data():
    return dataset(EQUAL, sides=[(1, 2), (2, 2)])


def value(data, name, protocol, network):
    """A variable or coordinate of the one run of a protocol on a network."""
    return data[name].to_numpy()[(data["protocol"] == protocol) & (data["network"] == network)].item()


def test_every_local_protocol_of_equal_integrated_cost_is_a_baseline(data):
    found = advantage(data)
    assert found.sizes == {"pair": 4}
    assert found["network"].values.tolist() == ["torus:1x2", "torus:1x2", "torus:2x2", "torus:2x2"]
    assert found["n_spins"].values.tolist() == [2, 2, 4, 4]
    assert found["baseline"].values.tolist() == ["local equal-cost", "polarised local equal-cost"] * 2
    assert set(found["of"].values) == {"cooperative"}
    assert found["s_hold"].values.tolist() == [0.35] * 4
    assert found["s_hold_baseline"].values.tolist() == [0.35, 0.25] * 2
    assert found["duration"].values.tolist() == [5.0] * 4
    assert (found["J_baseline"] == 0.0).all()
    assert found.attrs == {"of": "cooperative", "cost": "integral", "rtol": 1e-6}
    np.testing.assert_allclose(found["cost_ratio_integral"], 1.0, rtol=1e-9)


def test_ratios_are_those_of_the_runs(data):
    found = advantage(Result(data))
    for k in range(found.sizes["pair"]):
        pair = found.isel(pair=k)
        network, baseline = pair["network"].item(), pair["baseline"].item()
        for name in ("precision", "magnetization"):
            assert pair[name] == value(data, name, "cooperative", network)
            assert pair[f"{name}_baseline"] == value(data, name, baseline, network)
        assert pair["precision_ratio"] == pair["precision"] / pair["precision_baseline"]
        for cost, variable in (("integral", "hs_cost"), ("matched", "hs_cost_matched"), ("peak", "hs_cost_peak")):
            ratio = value(data, variable, baseline, network) / value(data, variable, "cooperative", network)
            assert pair[f"cost_ratio_{cost}"].item() == pytest.approx(ratio, rel=1e-14)
    assert (abs(found["cost_ratio_matched"] - 1.0) > 0.1).all()
    assert (abs(found["cost_ratio_peak"] - 1.0) > 0.05).all()


def test_a_list_of_records_is_compared_as_its_dataset():
    records = charged(EQUAL["cooperative"], [(2, 2)]) + charged(EQUAL["local"], [(2, 2)])
    found = advantage(iter(records), cost="matched")
    xr.testing.assert_identical(found, advantage(gather(records), cost="matched"))
    assert found["precision_ratio"].item() == records[0].precision / records[1].precision


def test_what_are_no_runs_is_refused_with_all_that_can_be_given(data):
    for wrong, named in ((None, "not NoneType"), ("runs", "not str"), ([1.0], "1.0 is not a record")):
        with pytest.raises(
            FitError, match="give records, a Dataset with dimension 'run', or the result of a sweep"
        ) as e:
            advantage(wrong)
        assert named in str(e.value)
    with pytest.raises(FitError, match="there are no runs"):
        advantage([])


def test_errors_of_both_sides_enter_the_ratio(data):
    relative = np.where(data["J"] == 0.0, 4e-3, 3e-3)
    found = advantage(data.assign(precision_error=relative * data["precision"]))
    np.testing.assert_allclose(found["precision_ratio_error"], 5e-3 * found["precision_ratio"])
    unknown = advantage(data.assign(precision_error=data["precision"] * np.where(data["J"] == 0.0, 4e-3, np.nan)))
    assert np.isnan(unknown["precision_ratio_error"]).all()


def test_the_local_protocol_of_the_paper_is_equal_where_the_gain_peaks(data):
    found = advantage(data, cost="matched")
    assert found["baseline"].values.tolist() == ["local", "local"]
    assert found.attrs["cost"] == "matched"
    np.testing.assert_allclose(found["cost_ratio_matched"], 1.0, rtol=1e-12)
    assert (found["cost_ratio_integral"] < 0.8).all()


def test_a_wider_tolerance_takes_more_baselines(data):
    found = advantage(data.isel(run=data["network"] == "torus:2x2"), rtol=0.5)
    assert set(found["baseline"].values) == {"local", "local equal-cost", "polarised local equal-cost"}
    assert found.attrs["rtol"] == 0.5


def test_the_known_figures_of_the_3x3_torus():
    data = dataset({name: replace(each, duration="20ns") for name, each in EQUAL.items()}, sides=[(3, 3)])
    found = advantage(data).set_xindex("baseline")
    assert found["precision"].values == pytest.approx([79.26217] * 2, rel=1e-5)
    local, polarised = (found.sel(baseline=f"{name} equal-cost") for name in ("local", "polarised local"))
    assert local["precision_baseline"].item() == pytest.approx(9.0, abs=0.05)
    assert local["precision_ratio"].item() == pytest.approx(79.26217 / 9.0, rel=6e-3)
    assert polarised["precision_baseline"].item() == pytest.approx(3.43e3, rel=3e-3)
    assert polarised["precision_ratio"].item() == pytest.approx(79.26217 / 3.43e3, rel=3e-3)
    assert abs(polarised["field_baseline"].item()) == pytest.approx(0.680, abs=5e-4)
    matched = advantage(data, cost="matched")
    assert matched["cost_ratio_integral"].item() == pytest.approx(0.529, abs=5e-4)


def test_seeds_are_averaged_on_each_side(data):
    seeded = with_seeds(data, (0.9, 1.0, 1.1))
    found, single = advantage(seeded), advantage(data)
    assert found.sizes == single.sizes
    assert found["n_seeds"].values.tolist() == [3] * 4
    assert found["n_seeds_baseline"].values.tolist() == [3] * 4
    np.testing.assert_allclose(found["precision"], single["precision"])
    np.testing.assert_allclose(found["precision_ratio"], single["precision_ratio"])
    # relative standard error 0.1/sqrt(3) of either mean
    np.testing.assert_allclose(found["precision_ratio_error"], found["precision_ratio"] * 0.1 * np.sqrt(2.0 / 3.0))


def test_a_baseline_with_no_spread_has_no_known_ratio(data):
    precision = xr.where(data["protocol"] == "local equal-cost", np.nan, data["precision"])
    found = advantage(data.assign(precision=precision))
    sure = found["baseline"] == "local equal-cost"
    assert np.isnan(found["precision_ratio"][sure]).all()
    assert np.isfinite(found["precision_ratio"][~sure]).all()


def test_locality_is_a_matter_of_the_coupling_and_not_of_the_name(data):
    renamed = {
        "cooperative": "local",
        "local equal-cost": "cooperative",
        "local": "a",
        "polarised local equal-cost": "b",
    }
    names = [renamed[name] for name in data["protocol"].values]
    found = advantage(data.assign_coords(protocol=("run", names)), of="local")
    assert found["baseline"].values.tolist() == ["cooperative", "b"] * 2


def test_a_local_protocol_with_crosstalk_is_a_baseline_of_the_same_crosstalk_only(data):
    parasitic = dataset(EQUAL, sides=[(2, 2)], crosstalk=-0.01)
    found = advantage(joined([data, parasitic]))
    assert found["crosstalk"].values.tolist() == [0.0] * 4 + [-0.01] * 2
    # one name and another cross-talk: only the value tells them apart
    named = parasitic.assign_coords(network=("run", ["torus:2x2"] * 4))
    found = advantage(joined([data, named]))
    assert found["crosstalk"].values.tolist() == [0.0] * 4 + [-0.01] * 2
    unequal = parasitic.assign_coords(crosstalk=("run", [np.nan] * 4))
    assert advantage(unequal).sizes["pair"] == 2


@pytest.mark.parametrize("name", ["duration", "scales_hash", "network", "n_pairs", "n_spins"])
def test_a_baseline_is_like_its_reference(data, name):
    column = data[name].values.astype(object)
    local = data["J"].values == 0.0
    column[local] = column[local] + column[local]
    with pytest.raises(FitError, match="no local baseline on the same network, with the same duration"):
        advantage(data.assign_coords({name: ("run", np.array(column.tolist()))}))


def test_another_local_protocol_can_be_the_reference(data):
    found = advantage(data, of="polarised local equal-cost")
    assert found["baseline"].values.tolist() == ["local equal-cost"] * 2
    assert (found["precision_ratio"] > 1.0).all()


def test_a_dearer_reference_is_named_as_having_no_baseline(data):
    dearer = dataset({"cooperative": recipe(s_hold=0.25)}, sides=[(2, 2)])
    found = advantage(joined([data, dearer]))
    assert found["s_hold"].values.tolist() == [0.35] * 4
    assert found.attrs["without_baseline"] == "torus:2x2, 5 ns, s_hold 0.25"


def test_no_baseline_of_equal_cost_is_refused_with_the_ratios_there_are(data):
    unequal = data.isel(run=(data["protocol"] == "cooperative") | (data["protocol"] == "local"))
    with pytest.raises(FitError) as refused:
        advantage(unequal)
    message = str(refused.value)
    ratio = value(data, "hs_cost", "local", "torus:2x2") / value(data, "hs_cost", "cooperative", "torus:2x2")
    assert f"torus:2x2, 5 ns, s_hold 0.35: local {ratio:.6g}" in message
    assert "integrated cost of cooperative within 1e-06" in message
    assert "cost='matched'" in message
    for advice in ("ProtocolRecipe(..., equal_cost=True)", "equal_cost = true"):
        assert advice in message
    assert "--" not in message
    with pytest.raises(FitError, match=r"peak cost .*; and 1 more.* equal integrated cost: cost='integral'"):
        advantage(joined([data, dataset({"local": recipe("local", field=-0.4)}, sides=[(2, 2)])]), cost="peak")


def test_no_local_run_at_all_is_said(data):
    with pytest.raises(FitError, match="no other protocol here has J = 0"):
        advantage(data.isel(run=data["protocol"] == "cooperative"))


def test_names_are_checked_and_the_nearest_one_named(data):
    with pytest.raises(
        InvalidParameterError, match=r"'cooperatve'; there are cooperative, local, .*mean 'cooperative'"
    ):
        advantage(data, of="cooperatve")
    with pytest.raises(InvalidParameterError, match=r"integral, matched, peak, but is 'integrl'.*mean 'integral'"):
        advantage(data, cost="integrl")
    with pytest.raises(InvalidParameterError, match="rtol must be above zero"):
        advantage(data, rtol=0.0)
    with pytest.raises(FitError, match="lacks hs_cost_peak"):
        advantage(data.drop_vars("hs_cost_peak"))
    with pytest.raises(FitError, match="dimension 'run'"):
        advantage([1, 2, 3])


def test_a_run_that_is_there_twice_is_refused(data):
    with pytest.raises(FitError, match="is there 2 times"):
        advantage(joined([data, data.isel(run=[0])]))


def test_the_result_can_be_written_and_read(data, tmp_path):
    found = advantage(data)
    found.to_netcdf(tmp_path / "advantage.nc", engine="netcdf4")
    with xr.open_dataset(tmp_path / "advantage.nc", engine="netcdf4") as opened:
        xr.testing.assert_equal(opened.load(), found)
        assert opened.attrs["cost"] == "integral"
    assert "over" in found["precision_ratio"].attrs["long_name"]
