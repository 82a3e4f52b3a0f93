"""Fits of a Dataset: its points, and refusal of what is no single curve."""

from __future__ import annotations

from dataclasses import replace

import networkx as nx
import numpy as np
import pytest
from run_datasets import SIDES, Result, charged, dataset, joined, recipe, with_seeds

from spinbattery import (
    Emulator,
    ProductState,
    SpinNetwork,
    Waveform,
    charge,
    complete,
    fit_both,
    fit_scaling,
    from_networkx,
    parse_network,
    ring,
    torus,
)
from spinbattery import cooperative as cp
from spinbattery.analysis.points import averages, check_one_curve, runs_of, seed_groups
from spinbattery.core.errors import FitError
from spinbattery.records.dataset import gather


@pytest.fixture(scope="module")
def records():
    return charged(recipe())


@pytest.fixture(scope="module")
def cooperative(records):
    return gather(records)


@pytest.fixture(scope="module")
def two():
    return dataset({"cooperative": recipe(), "local": recipe("local")})


def changed(data, **values):
    """The Dataset with other values of some variables or coordinates."""
    for name, value in values.items():
        data = data.assign_coords({name: ("run", np.asarray(value))}) if name in data.coords else data.assign(
            {name: ("run", np.asarray(value))}
        )  # fmt: skip
    return data


@pytest.mark.parametrize("method", ["loglog", "linear"])
def test_the_fit_of_a_dataset_is_that_of_its_records(records, cooperative, method):
    fit = fit_scaling(records, method=method, n_bootstrap=100)
    assert fit.n_spins == (2, 3, 4, 6)
    assert fit_scaling(cooperative, method=method, n_bootstrap=100) == fit
    assert fit_scaling(Result(cooperative), method=method, n_bootstrap=100) == fit
    assert fit_both(cooperative, n_bootstrap=100)[method] == fit


def test_repeated_seeds_are_points_of_their_own(cooperative):
    factors = (0.9, 1.0, 1.2)
    fit = fit_scaling(with_seeds(cooperative, factors))
    precision = cooperative["precision"].to_numpy()
    assert fit == fit_scaling([2, 3, 4, 6] * 3, np.concatenate([factor * precision for factor in factors]))


def test_a_mixture_of_protocols_is_refused_and_the_advice_works(records, two):
    with pytest.raises(FitError) as refused:
        fit_scaling(two)
    message = str(refused.value)
    assert "protocol (cooperative, local)" in message
    assert "J (-0.2, 0)" in message
    assert "data.groupby('protocol')" in message
    fits = {name: fit_scaling(group) for name, group in two.groupby("protocol")}
    assert list(fits) == ["cooperative", "local"]
    assert fits["cooperative"] == fit_scaling(records)
    assert fit_scaling(two.isel(run=two["protocol"] == "cooperative")) == fits["cooperative"]


@pytest.mark.parametrize(
    ("name", "values", "said"),
    [
        ("duration", [5.0, 5.0, 5.0, 20.0], r"duration \(5, 20\)"),
        ("s_hold", [0.35, 0.25, 0.35, 0.35], r"s_hold \(0.25, 0.35\)"),
        ("crosstalk", [0.0, 0.0, np.nan, -0.001], r"crosstalk \(-0.001, 0, nan\)"),
        ("scales_hash", ["a", "a", "b", "a"], r"scales_hash \(Advantage_system6 \(smooth model\): a, .*: b\)"),
    ],
)
def test_each_coordinate_of_a_curve_must_be_one_value(cooperative, name, values, said):
    with pytest.raises(FitError, match=f"differ in {said}; take each alone, .*groupby.'{name}'"):
        fit_scaling(changed(cooperative, **{name: values}))


def test_runs_of_engines_without_an_option_are_not_lost_by_the_advice(cooperative):
    engines = ["emulator", "emulator", "statevector", "statevector"]
    mixed = changed(cooperative, temperature=[18.0, 18.0, np.nan, np.nan], engine=engines)
    with pytest.raises(FitError, match=r"groupby\('engine'\)"):
        fit_scaling(mixed)
    assert sum(len(group.run) for _, group in mixed.groupby("engine")) == 4


@pytest.mark.parametrize("weight", [0.1, -1.0])
def test_rings_of_other_weights_are_another_curve(weight):
    other = SpinNetwork(7, ring(7).pairs, [weight] * 7)
    records = [charge(network, cp(20.0), tolerance=1e-3) for network in (ring(5), ring(6), other)]
    for points in (records, gather(records)):
        with pytest.raises(FitError, match=rf"differ in weight \({min(weight, 1.0):g}, 1\)"):
            fit_scaling(points)
    assert fit_scaling(records, mixed=True).n_spins == (5, 6, 7)


def test_crosstalk_that_differs_between_pairs_everywhere_is_one_curve(cooperative):
    assert fit_scaling(changed(cooperative, crosstalk=[np.nan] * 4)) == fit_scaling(cooperative)


def test_the_field_may_follow_the_network():
    local = dataset({"local": recipe("local")})
    assert len(np.unique(local["field"])) > 1
    assert fit_scaling(local).n_spins == (2, 3, 4, 6)


def test_two_problems_on_one_network_are_refused(cooperative):
    stronger = gather(charged(recipe(field=-0.6), sides=[(2, 2)]))
    mixed = joined([cooperative, stronger])
    with pytest.raises(FitError, match=r"of torus:2x2 differ in field \(-0.6, -0.5\) and problem_hash"):
        fit_scaling(mixed)


def test_two_engines_on_one_network_are_refused(cooperative):
    again = changed(cooperative.isel(run=[3]), engine=["tensor"])
    with pytest.raises(FitError, match=r"of torus:2x3 differ in engine \(symmetric, tensor\)"):
        fit_scaling(joined([cooperative, again]))


def test_one_run_counted_twice_is_refused(cooperative):
    with pytest.raises(
        FitError, match="cooperative on torus:1x3 is there 2 times by symmetric: twice the same run, or"
    ):
        fit_scaling(joined([cooperative, cooperative.isel(run=[1])]))
    seeded = with_seeds(cooperative, (1.0, 1.1))
    with pytest.raises(FitError, match="torus:1x2 is there 2 times by symmetric with seed 1"):
        fit_scaling(joined([seeded, seeded.isel(run=[4])]))


def test_a_run_with_no_spread_is_refused_by_its_network_and_the_advice_works(cooperative):
    precision = cooperative["precision"].to_numpy().copy()
    precision[2] = np.nan
    data = changed(cooperative, precision=precision)
    with pytest.raises(
        FitError, match=r"torus:2x2 \(N = 4\) has no precision, as its sigma is zero to rounding, and a lower bound"
    ):
        fit_scaling(data)
    assert fit_scaling(data.dropna("run", subset=["precision"])).n_spins == (2, 3, 6)


def test_too_few_sizes_are_refused_as_for_records(cooperative):
    with pytest.raises(FitError, match="three or more different N, but there are 2"):
        fit_scaling(cooperative.isel(run=[0, 1]))


def test_what_is_no_dataset_of_runs_is_refused(records, cooperative):
    for single in (records[0], records[0].dataset):
        with pytest.raises(FitError, match="single run and so a single point"):
            fit_scaling(single)
    with pytest.raises(FitError, match="not a Dataset with a precision"):
        fit_scaling(cooperative, [1.0, 2.0, 3.0, 4.0])
    with pytest.raises(FitError, match="lacks s_hold, precision"):
        fit_scaling(cooperative.drop_vars(["s_hold", "precision"]))
    with pytest.raises(FitError, match="has no runs"):
        fit_scaling(cooperative.isel(run=[]))
    with pytest.raises(FitError, match="not Result"):
        fit_scaling(Result(None))
    with pytest.raises(FitError, match="not int"):
        runs_of(3)


def test_the_check_names_what_it_looked_at(two):
    with pytest.raises(FitError, match="the runs of today are not one curve"):
        check_one_curve(two, "the runs of today")


def test_many_values_are_cut_short(cooperative):
    many = joined([changed(cooperative, duration=[k] * 4) for k in range(1, 10)])
    with pytest.raises(FitError, match=r"duration \(1, 2, 3, 4, 5, 6, and 3 more\)"):
        fit_scaling(many)


def test_groups_are_the_runs_of_a_problem_by_an_engine(cooperative):
    seeded = with_seeds(cooperative, (1.0, 1.1))
    other = changed(seeded, engine=["statevector"] * 4 + ["tensor"] * 4)
    assert [group.tolist() for group in seed_groups(seeded)] == [[k, k + len(SIDES)] for k in range(4)]
    assert [group.tolist() for group in seed_groups(other)] == [[k] for k in range(8)]


def test_one_run_has_its_own_error(cooperative):
    groups = seed_groups(cooperative)
    for quantity in ("precision", "magnetization", "std"):
        np.testing.assert_array_equal(averages(cooperative, quantity, groups)[0], cooperative[quantity])
    relative = np.array([1e-3, 2e-3, np.nan, 4e-3])
    data = changed(
        cooperative, precision_error=relative * cooperative["precision"], magnetization_error=[1e-4, 2e-4, 3e-4, 4e-4]
    )
    np.testing.assert_allclose(averages(data, "precision", groups)[1], relative * data["precision"])
    np.testing.assert_allclose(averages(data, "magnetization", groups)[1], [1e-4, 2e-4, 3e-4, 4e-4])
    # sigma = precision^(-1/2)
    step = (data["precision"] * (1.0 + relative)) ** -0.5
    np.testing.assert_allclose(averages(data, "std", groups)[1], abs(step - data["std"]), rtol=1e-2)


def test_a_standard_error_comes_before_an_error_estimate(cooperative):
    groups = seed_groups(cooperative)
    stderr = np.array([0.1, 0.2, np.nan, 0.4])
    data = changed(cooperative, precision_stderr=stderr, magnetization_stderr=stderr)
    estimate = data["precision_error"].to_numpy()[2]
    np.testing.assert_allclose(averages(data, "precision", groups)[1], [0.1, 0.2, estimate, 0.4])
    found = averages(data, "magnetization", groups)[1]
    np.testing.assert_allclose(found, [0.1, 0.2, data["magnetization_error"][2], 0.4])


def test_a_dataset_of_an_older_version_had_the_relative_error(cooperative):
    groups = seed_groups(cooperative)
    older = cooperative.drop_vars(["precision_error"]).rename(precision_relative_error="precision_error")
    np.testing.assert_allclose(
        averages(older, "precision", groups)[1], averages(cooperative, "precision", groups)[1], rtol=1e-12
    )


def test_an_error_that_nothing_tells_is_nan(cooperative):
    data = cooperative.drop_vars(["precision_error", "magnetization_error"])
    for quantity in ("precision", "magnetization", "std"):
        assert np.isnan(averages(data, quantity, seed_groups(data))[1]).all()


def test_several_seeds_give_their_mean_and_its_standard_error(cooperative):
    factors = np.array([0.9, 1.0, 1.2, 1.3])
    seeded = with_seeds(cooperative, factors)
    means, errors = averages(seeded, "precision", seed_groups(seeded))
    precision = cooperative["precision"].to_numpy()
    np.testing.assert_allclose(means, 1.1 * precision)
    np.testing.assert_allclose(errors, precision * np.sqrt((0.04 + 0.01 + 0.01 + 0.04) / 3.0 / 4.0))


# Lists of records: the same check


def charge_all(networks, name="cooperative", duration="20ns", engine="auto", **options):
    tolerance = 1e-6 if engine == "auto" else None
    return [
        charge(network, recipe(name, duration, **options).build(network), tolerance=tolerance, engine=engine)
        for network in networks
    ]


RINGS = [ring(n) for n in (2, 3, 5)]
TORI = [torus(2, 2), torus(2, 3), torus(3, 3)]


def refused(points, said, fit=fit_scaling):
    """The message is that of the list and of its Dataset."""
    messages = []
    for given in (points, gather(points)):
        with pytest.raises(FitError) as error:
            fit(given)
        messages.append(str(error.value))
    assert messages[0] == messages[1]
    assert said in messages[0]
    assert "spinbattery.gather(records)" in messages[0]
    assert "mixed=True fits them as one all the same" in messages[0]


@pytest.mark.parametrize("fit", [fit_scaling, fit_both])
def test_a_list_of_cp_and_lp_is_refused(fit):
    mixed = charge_all(RINGS) + charge_all(TORI[:1], "local")
    refused(mixed, "they differ in protocol (cooperative, local)", fit)
    assert fit(mixed, mixed=True) is not None


def test_a_list_of_60_and_80_us_is_refused():
    engine = Emulator(reads=50, sweeps=200, seed=1)
    networks = [parse_network(f"pegasus:{m}") for m in (2, 3, 4)]
    records = charge_all(networks[:2], "local", "60us", engine) + charge_all(networks[2:], "local", "80us", engine)
    refused(records, "they differ in duration (60000, 80000)")


def test_a_list_of_rings_and_tori_is_refused_and_each_alone_is_fitted():
    records = charge_all([*RINGS, *TORI])
    refused(records, "they differ in family (ring, torus)")
    families = [row for row, _ in gather(records).groupby("family")]
    assert families == ["", "ring", "torus"]
    assert fit_scaling(records, mixed=True).n_spins == (2, 3, 5, 4, 6, 9)
    # ring:2, ring:3 and torus:2x2 are of both families
    assert fit_scaling([*records[:2], *records[3:]]).n_spins == (2, 3, 4, 6, 9)
    assert fit_scaling(records[:4]).n_spins == (2, 3, 5, 4)


def test_families_that_differ_are_refused_of_other_kinds_too():
    refused(charge_all([complete(4), ring(5), ring(6)]), "they differ in family (complete, ring)")
    engine = Emulator(reads=50, sweeps=200, seed=1)
    chips = [parse_network(text) for text in ("pegasus:2", "pegasus:3", "zephyr:1")]
    refused(charge_all(chips, "local", "60us", engine), "they differ in family (pegasus, zephyr)")


def test_what_may_be_of_any_family_fits_with_all():
    bipartite = from_networkx(nx.complete_bipartite_graph(3, 3))
    assert fit_scaling(charge_all([*RINGS[:2], bipartite, ring(5)])).n_spins == (2, 3, 6, 5)


@pytest.mark.parametrize("graph", [nx.star_graph(4), nx.path_graph(5)])
def test_what_is_certainly_no_ring_is_refused_with_rings(graph):
    refused(charge_all([*RINGS[:2], from_networkx(graph), ring(6)]), "differ in family (irregular, ring)")


def test_protocols_of_one_name_that_are_not_one_are_refused():
    records = charge_all(RINGS)
    with_the_start = [
        charge(ring(6), cp(20.0, initial=ProductState.named("up")), tolerance=1e-6),
        charge(ring(6), replace(cp(20.0), g=Waveform(((0.0, 0.0), (0.5, 1.0), (1.0, 0.0)))), tolerance=1e-6),
    ]
    for other in with_the_start:
        assert other.charge_state.is_charge
        refused([*records, other], "they differ in schedule (")


def test_emulators_that_misread_differently_are_refused():
    networks = [parse_network(f"pegasus:{m}") for m in (2, 3, 4)]
    engines = [Emulator(reads=50, sweeps=200, seed=1, readout_error=error) for error in (0.0, 0.0, 0.01)]
    records = [
        charge(network, recipe("local", "60us").build(network), engine=engine)
        for network, engine in zip(networks, engines, strict=True)
    ]
    refused(records, "they differ in readout_error (0, 0.01)")


def test_a_list_refuses_what_a_dataset_does_within_one_network(records):
    stronger = charged(recipe(field=-0.6), sides=[(2, 2)])
    refused([*records, *stronger], "of torus:2x2 differ in field (-0.6, -0.5) and problem_hash")
    noisy = charge(torus(2, 2), cp(5.0), noise="x:1e-3/ns", tolerance=1e-6)
    refused([*records[:2], noisy, records[3]], "they differ in noise (none, x:0.001/ns)")


@pytest.mark.parametrize("mixed", [False, True])
def test_a_record_that_is_there_twice_is_refused(records, mixed):
    tighter = charge(torus(2, 2), recipe().build(torus(2, 2)), tolerance=1e-8)
    for again in (records[2], tighter):
        for points in ([*records, again], gather([*records, again])):
            with pytest.raises(
                FitError, match="cooperative on torus:2x2 is there 2 times by symmetric: twice the same run, or"
            ):
                fit_scaling(points, mixed=mixed)


def test_seeds_of_a_list_are_points_of_their_own():
    networks = [parse_network(f"pegasus:{m}") for m in (2, 3, 4)]
    records = [
        charge(network, recipe("local", "60us").build(network), engine=Emulator(reads=50, sweeps=200, seed=seed))
        for network in networks
        for seed in (1, 2)
    ]
    assert fit_scaling(records).n_spins == (40, 40, 128, 128, 264, 264)


def test_what_was_selected_before_there_were_these_coordinates_is_fitted(cooperative):
    old = cooperative.drop_vars(["family", "schedule", "readout_error", "charge_state"])
    assert fit_scaling(old) == fit_scaling(cooperative)
