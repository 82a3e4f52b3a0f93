"""Figures of runs: what is drawn, where, with which error bars and labels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from run_datasets import Result, dataset, joined, recipe, with_seeds

from spinbattery import advantage, charge, complete, cooperative, fit_scaling, plot_advantage, plot_runs
from spinbattery.core.errors import FitError, InvalidParameterError
from spinbattery.figures.axes import power_law
from spinbattery.figures.marked import MarkedRuns, plot_marked
from spinbattery.figures.style import COLOURS, colours_of, save_figure
from spinbattery.model.recipe import ProtocolRecipe
from spinbattery.records.dataset import gather

SIZES = [2, 3, 4, 6]
RECIPES = {
    "cooperative": recipe(),
    "local equal-cost": recipe("local", equal_cost=True),
    "polarised local equal-cost": recipe("polarised-local", s_hold=0.25, equal_cost=True),
}


@pytest.fixture(scope="module")
def data():
    """Runs whose error estimates are large enough to be seen, and differ."""
    found = dataset(RECIPES)
    relative = np.linspace(0.01, 0.12, found.sizes["run"])
    return found.assign(precision_error=relative * found["precision"], magnetization_error=("run", 0.1 * relative))


def curves(figure):
    """Label, sizes, values and half-lengths of the error bars of each curve with bars."""
    found = {}
    for container in figure.axes[0].containers:
        points, _, (bars,) = container.lines
        lengths = [0.5 * np.ptp(segment[:, 1]) if len(segment) else np.nan for segment in bars.get_segments()]
        found[container.get_label()] = (*points.get_data(), np.array(lengths), to_hex(points.get_color()))
    return found


def plain_lines(figure):
    """Lines that belong to no curve with bars."""
    axis = figure.axes[0]
    barred = {id(line) for container in axis.containers for line in (container.lines[0], *container.lines[1])}
    return [line for line in axis.get_lines() if id(line) not in barred]


def legend(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def part(data, protocol):
    return data.isel(run=data["protocol"] == protocol)


def test_precision_of_each_protocol_with_its_error_bars_and_fit(data):
    figure = plot_runs(data)
    assert isinstance(figure, Figure)
    axis, found = figure.axes[0], curves(figure)
    assert (axis.get_xscale(), axis.get_yscale()) == ("log", "log")
    assert axis.get_xlabel() == "number of spins $N$"
    assert axis.get_ylabel() == "precision $1/\\sigma^2$"
    assert [label.split(":")[0] for label in found] == list(RECIPES)
    for (label, (sizes, values, bars, colour)), name in zip(found.items(), RECIPES, strict=True):
        runs, fit = part(data, name), fit_scaling(part(data, name))
        assert label == f"{name}: {power_law(fit.c, fit.alpha)}"
        np.testing.assert_array_equal(sizes, SIZES)
        np.testing.assert_array_equal(values, runs["precision"])
        np.testing.assert_allclose(bars, runs["precision_error"])
        assert colour == COLOURS[name]
    heisenberg, quantum, *fits = plain_lines(figure)
    np.testing.assert_allclose(heisenberg.get_ydata(), heisenberg.get_xdata() ** 2)
    np.testing.assert_allclose(quantum.get_ydata(), quantum.get_xdata())
    for line, name in zip(fits, RECIPES, strict=True):
        np.testing.assert_allclose(line.get_ydata(), fit_scaling(part(data, name))(line.get_xdata()))
        assert to_hex(line.get_color()) == COLOURS[name]
    assert legend(figure) == ["$N^2$ (Heisenberg scaling)", "$N$ (standard quantum limit)", *found]


def test_magnetization_on_a_linear_axis(data):
    figure = plot_runs(Result(data), "magnetization")
    axis, found = figure.axes[0], curves(figure)
    assert (axis.get_xscale(), axis.get_yscale()) == ("log", "linear")
    assert axis.get_ylabel() == "magnetization $\\mu$"
    assert list(found) == list(RECIPES)
    for name, (sizes, values, bars, _) in found.items():
        np.testing.assert_array_equal(sizes, SIZES)
        np.testing.assert_array_equal(values, part(data, name)["magnetization"])
        np.testing.assert_allclose(bars, part(data, name)["magnetization_error"])
    (limit,) = plain_lines(figure)
    np.testing.assert_allclose(limit.get_ydata(), 1.0 - 1.0 / limit.get_xdata())


def test_fluctuation_with_the_fit_and_limits_of_the_precision(data):
    figure = plot_runs(data, "std")
    found = curves(figure)
    assert figure.axes[0].get_yscale() == "log"
    for label, name in zip(found, RECIPES, strict=True):
        runs, fit = part(data, name), fit_scaling(part(data, name))
        assert label == f"{name}: {power_law(fit.c**-0.5, -0.5 * fit.alpha)}"
        np.testing.assert_array_equal(found[label][1], runs["std"])
        np.testing.assert_allclose(found[label][2], 0.5 * runs["std"] * runs["precision_error"] / runs["precision"])
    heisenberg, quantum, *fits = plain_lines(figure)
    np.testing.assert_allclose(heisenberg.get_ydata(), 1.0 / heisenberg.get_xdata())
    np.testing.assert_allclose(quantum.get_ydata(), quantum.get_xdata() ** -0.5)
    for line, name in zip(fits, RECIPES, strict=True):
        np.testing.assert_allclose(line.get_ydata(), fit_scaling(part(data, name))(line.get_xdata()) ** -0.5)


def test_points_are_in_the_order_of_their_sizes(data):
    found = curves(plot_runs(data.isel(run=[2, 0, 3, 1])))
    ((sizes, values, bars, _),) = found.values()
    runs = part(data, "cooperative")
    np.testing.assert_array_equal(sizes, SIZES)
    np.testing.assert_array_equal(values, runs["precision"])
    np.testing.assert_allclose(bars, runs["precision_error"])


def test_two_sizes_are_joined_and_not_fitted(data):
    figure = plot_runs(part(data, "cooperative").isel(run=[0, 3]))
    assert list(curves(figure)) == ["cooperative"]
    assert len(plain_lines(figure)) == 2
    assert figure.axes[0].containers[0].lines[0].get_linestyle() == "-"
    assert plot_runs(part(data, "cooperative")).axes[0].containers[0].lines[0].get_linestyle() == "None"


def test_standard_errors_come_before_error_estimates(data):
    runs = part(data, "cooperative")
    found = curves(plot_runs(runs.assign(magnetization_stderr=("run", [0.1, 0.2, np.nan, 0.4])), "magnetization"))
    expected = [0.1, 0.2, runs["magnetization_error"].values[2], 0.4]
    np.testing.assert_allclose(found["cooperative"][2], expected)


def test_seeds_become_their_mean_with_its_standard_error(data):
    runs = part(data, "cooperative")
    ((sizes, values, bars, _),) = curves(plot_runs(with_seeds(runs, (0.8, 1.2)))).values()
    np.testing.assert_array_equal(sizes, SIZES)
    np.testing.assert_allclose(values, runs["precision"])
    np.testing.assert_allclose(bars, 0.2 * runs["precision"])


def test_errors_that_are_not_known_leave_the_points(data):
    runs = part(data, "cooperative").drop_vars("precision_error")
    ((_, values, bars, _),) = curves(plot_runs(runs)).values()
    np.testing.assert_array_equal(values, runs["precision"])
    assert not np.nansum(bars)


def test_records_in_a_list_are_drawn_as_their_dataset():
    records = [charge(complete(n), cooperative(20.0), tolerance=1e-6) for n in (3, 4, 5)]
    ((label, (sizes, values, *_)),) = curves(plot_runs(records)).items()
    ((expected, (_, known, *_)),) = curves(plot_runs(gather(records))).items()
    assert label == expected
    np.testing.assert_array_equal(sizes, [3, 4, 5])
    np.testing.assert_array_equal(values, known)


@pytest.mark.parametrize("quantity", ["precision", "std"])
def test_runs_with_no_spread_are_named_and_not_drawn(data, quantity):
    runs = part(data, "cooperative")
    for certain, said in (([2], "4"), ([1, 2], "3, 4"), ([0, 1, 2, 3], "2, 3, 4, 6")):
        precision = runs["precision"].values.copy()
        precision[certain] = np.nan
        figure = plot_runs(runs.assign(precision=("run", precision)), quantity)
        ((label, (sizes, *_)),) = curves(figure).items()
        assert label.startswith(f"cooperative ($\\sigma$ is zero to rounding at N = {said})")
        np.testing.assert_array_equal(sizes, np.delete(SIZES, certain))
        assert len(plain_lines(figure)) == (3 if len(certain) == 1 else 2)
    assert list(curves(plot_runs(runs.assign(precision=("run", precision)), "magnetization"))) == ["cooperative"]


def test_curves_by_another_coordinate(data):
    both = joined([dataset({"cooperative": recipe(duration=f"{duration}ns")}) for duration in (8, 5)])
    found = curves(plot_runs(both, "magnetization", group="duration"))
    assert list(found) == ["duration = 8 ns", "duration = 5 ns"]
    assert len({colour for *_, colour in found.values()}) == 2
    single = curves(plot_runs(part(data, "cooperative"), "magnetization", group="s_hold"))
    assert list(single) == ["s_hold = 0.35"]


def test_a_group_that_is_no_single_curve_is_refused(data):
    both = joined([dataset({"cooperative": recipe(duration=f"{duration}ns")}) for duration in (8, 5)])
    with pytest.raises(FitError, match=r"the runs of cooperative are not one curve: .*duration \(5, 8\)"):
        plot_runs(both)
    with pytest.raises(FitError, match=r"the runs of duration = 5 ns are not one curve: .*protocol"):
        plot_runs(data, group="duration")


def test_choices_are_checked_and_the_nearest_named(data):
    with pytest.raises(InvalidParameterError, match=r"quantity must be one of precision, .*mean 'precision'"):
        plot_runs(data, "precison")
    with pytest.raises(InvalidParameterError, match=r"group must be one of .*mean 'duration'"):
        plot_runs(data, group="durations")
    with pytest.raises(InvalidParameterError, match="group must be one of"):
        plot_runs(data, group="spin")
    with pytest.raises(FitError, match="not int"):
        plot_runs(3)


def test_advantage_against_each_baseline(data):
    found = advantage(data)
    figure = plot_advantage(found)
    axis, drawn = figure.axes[0], curves(figure)
    assert (axis.get_xscale(), axis.get_yscale()) == ("log", "log")
    assert axis.get_ylabel() == "precision of cooperative / baseline"
    assert list(drawn) == ["over local equal-cost", "over polarised local equal-cost"]
    for label, (sizes, values, bars, colour) in drawn.items():
        pairs = found.isel(pair=found["baseline"] == label.removeprefix("over "))
        np.testing.assert_array_equal(sizes, SIZES)
        np.testing.assert_array_equal(values, pairs["precision_ratio"])
        np.testing.assert_allclose(bars, pairs["precision_ratio_error"])
        assert (bars > 0.0).all()
        assert colour == COLOURS[label.removeprefix("over ")]
    (one,) = plain_lines(figure)
    np.testing.assert_array_equal(one.get_ydata(), [1.0, 1.0])
    assert figure.legends[0].get_title().get_text() == "equal integrated cost"
    assert legend(figure) == list(drawn)


def test_the_legend_says_which_cost_is_equal(data):
    matched = advantage(dataset({"cooperative": recipe(), "local": recipe("local")}), cost="matched")
    title = plot_advantage(matched).legends[0].get_title().get_text()
    assert title == "equal cost at the instant of largest |g|"


def test_durations_of_one_baseline_are_curves_of_their_own(data):
    slower = {name: replace(each, duration="8ns") for name, each in RECIPES.items()}
    found = advantage(joined([data, dataset(slower, sides=[(1, 2), (2, 2)])]))
    drawn = curves(plot_advantage(found))
    assert list(drawn) == [
        f"over {name}, duration = {duration} ns" for duration in (5, 8) for name in list(RECIPES)[1:]
    ]  # fmt: skip
    np.testing.assert_array_equal(drawn["over local equal-cost, duration = 8 ns"][0], [2, 4])


def test_what_advantage_did_not_return_is_refused(data):
    with pytest.raises(InvalidParameterError, match="what advantage"):
        plot_advantage(data)
    with pytest.raises(InvalidParameterError, match="no pair to draw"):
        plot_advantage(advantage(data).isel(pair=[]))


def test_figures_can_be_written(data, tmp_path):
    for name, figure in (("runs", plot_runs(data)), ("advantage", plot_advantage(advantage(data)))):
        assert save_figure(figure, tmp_path / f"{name}.svg").stat().st_size > 1000


def test_colours_differ_between_names_and_stay_with_known_ones():
    names = ["cooperative", "a", "local", "b", "c", "d", "e", "f", "g", "h", "i", "j"]
    found = colours_of(names)
    assert list(found) == names
    assert len(set(found.values())) == len(names)
    assert found["local"] == COLOURS["local"]


def test_a_power_law_is_spelled_with_digits_that_say_something():
    assert power_law(0.8787, 2.1438) == r"$0.88\,N^{2.14}$"
    assert power_law(1976.36, 0.651) == r"$1980\,N^{0.65}$"
    assert power_law(0.004321, -0.5) == r"$0.00432\,N^{-0.50}$"


# Points that are no charge


@pytest.fixture(scope="module")
def complete_networks():
    """Complete networks of 3 to 5 spins charge, those of 8 all or nothing, those of 12 not."""
    records = [charge(complete(n), cooperative(20.0), tolerance=1e-6) for n in (3, 4, 5, 8, 12)]
    return gather(records)


def hollow(figure):
    """N and values of hollow points."""
    lines = [line for line in figure.axes[0].get_lines() if line.get_markerfacecolor() == "white"]
    return [line.get_data() for line in lines]


@pytest.mark.parametrize("quantity", ["precision", "std", "magnetization"])
def test_points_that_are_no_charge_are_hollow_and_not_fitted(complete_networks, quantity):
    figure = plot_runs(complete_networks, quantity)
    ((label, (sizes, values, _, _)),) = curves(figure).items()
    assert "(hollow: no charge at N = 8, 12)" in label
    np.testing.assert_array_equal(sizes, [3, 4, 5, 8, 12])
    ((at, drawn),) = hollow(figure)
    np.testing.assert_array_equal(at, [8, 12])
    np.testing.assert_array_equal(drawn, values[3:])
    assert figure.axes[0].containers[0].lines[0].get_markevery() == [0, 1, 2]
    if quantity == "precision":
        fit = fit_scaling(complete_networks.isel(run=[0, 1, 2]))
        assert power_law(fit.c, fit.alpha) in label
        all_of_them = fit_scaling(complete_networks, include_uncharged=True)
        every = plot_runs(complete_networks, include_uncharged=True)
        assert power_law(all_of_them.c, all_of_them.alpha) in next(iter(curves(every)))
        ((at, _),) = hollow(every)
        np.testing.assert_array_equal(at, [8, 12])


def test_a_curve_that_is_all_charge_has_no_hollow_points(data):
    assert hollow(plot_runs(data)) == []
    assert hollow(plot_advantage(advantage(data))) == []


def test_a_curve_without_any_charge_is_drawn_hollow_without_a_fit(complete_networks):
    networks = [charge(complete(n), cooperative(20.0), tolerance=1e-6) for n in (10, 11, 12)]
    figure = plot_runs(gather(networks))
    assert list(curves(figure)) == ["cooperative (hollow: no charge at N = 10, 11, 12)"]
    assert len(hollow(figure)[0][0]) == 3


def test_an_advantage_over_no_charge_is_hollow():
    protocols = {"cooperative": ProtocolRecipe("cooperative", "20ns"), "local": ProtocolRecipe("local", "20ns")}
    records = [
        charge(complete(n), recipe.build(complete(n)), tolerance=1e-6) for n in (5, 8) for recipe in protocols.values()
    ]
    runs = gather(records)
    with pytest.raises(FitError, match=r"^cooperative on complete:8 \(mu = -0.2079\) is charged all or nothing"):
        advantage(runs, cost="matched")
    pairs = advantage(runs, cost="matched", include_uncharged=True)
    assert pairs["charge_state"].to_numpy().tolist() == ["partly charged", "all or nothing"]
    assert pairs["charge_state_baseline"].to_numpy().tolist() == ["partly charged"] * 2
    ((at, values),) = hollow(plot_advantage(pairs))
    assert at.tolist() == [8]
    assert values.tolist() == pairs["precision_ratio"].to_numpy()[1:].tolist()
    # runs that are in no pair may be what they are
    alone = charge(complete(12), cooperative(20.0), tolerance=1e-6)
    assert advantage(gather([*records[:2], alone]), cost="matched").sizes["pair"] == 1


def test_marked_runs_that_are_no_charge_are_hollow():
    records = [charge(complete(n), cooperative(20.0), tolerance=1e-6) for n in (4, 5, 12)]
    figure = plot_marked([MarkedRuns(records, "complete")])
    found = {container.get_label(): container.lines[0] for container in figure.axes[0].containers}
    assert list(found) == ["complete", "complete (hollow: no charge)"]
    assert [line.get_xdata().tolist() for line in found.values()] == [[4, 5], [12]]
    assert found["complete (hollow: no charge)"].get_markerfacecolor() == "none"
