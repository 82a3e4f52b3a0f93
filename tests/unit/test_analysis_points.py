"""Fits of a Dataset: its points, and refusal of what is no single curve."""

from __future__ import annotations

import numpy as np
import pytest
from run_datasets import SIDES, Result, charged, dataset, joined, recipe, with_seeds

from spinbattery import fit_both, fit_scaling
from spinbattery.analysis.points import averages, check_one_curve, runs_of, seed_groups
from spinbattery.errors import FitError
from spinbattery.store.gather import gather


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
        ("energy_scales", ["a", "a", "b", "a"], r"energy_scales \(a, b\)"),
    ],
)
def test_each_coordinate_of_a_curve_must_be_one_value(cooperative, name, values, said):
    with pytest.raises(FitError, match=f"differ in {said}; take each alone, .*groupby.'{name}'"):
        fit_scaling(changed(cooperative, **{name: values}))


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
    with pytest.raises(FitError, match=r"of torus:2x3 differ in engine \(statevector, tensor\)"):
        fit_scaling(joined([cooperative, again]))


def test_one_run_counted_twice_is_refused(cooperative):
    with pytest.raises(FitError, match="cooperative on torus:1x3 was run 2 times by statevector, as"):
        fit_scaling(joined([cooperative, cooperative.isel(run=[1])]))
    seeded = with_seeds(cooperative, (1.0, 1.1))
    with pytest.raises(FitError, match="torus:1x2 was run 2 times by statevector with seed 1"):
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
