"""Estimates from calibration curves: values, coverage, several crossings, and data outside the curve."""

from __future__ import annotations

import json
import math
import warnings
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from spinbattery.analysis.calibration import CalibrationCurve
from spinbattery.analysis.estimation import RangeEstimate, estimate
from spinbattery.core.errors import FitError, InvalidParameterError, OutsideCurveWarning

X = np.array([0.0, 0.01, 0.02, 0.04, 0.06, 0.1, 0.2])
ALPHA = np.array([2.0, 1.79, 1.6, 1.38, 1.23, 1.12, 1.05])


def falling(replicates=()):
    return CalibrationCurve("gamma_tau", "alpha", X, ALPHA, np.array(replicates))


def line(slope=-2.0, n_replicates=4000, error=0.0, seed=1):
    """alpha = 2 + slope gamma tau from 0 to 1, replicates shifted by a normal deviate."""
    x = np.linspace(0.0, 1.0, 5)
    y = 2.0 + slope * x
    shifts = error * np.random.default_rng(seed).standard_normal((n_replicates, 1))
    return CalibrationCurve("gamma_tau", "alpha", x, y, y + shifts)


@given(value=st.floats(0.0, 0.2))
def test_the_estimate_is_where_the_curve_has_the_measured_value(value):
    curve = falling()
    found = estimate(curve, float(curve(value)))
    assert found.value == pytest.approx(value, abs=1e-12)
    assert found.interval == pytest.approx((value, value), abs=1e-12)


@pytest.mark.parametrize("k", range(len(X)))
def test_points_of_the_curve_come_back(k):
    found = estimate(falling(), ALPHA[k])
    assert found.value == X[k]
    assert found.interval == (X[k], X[k])


def test_the_error_of_the_measured_value_is_propagated():
    found = estimate(line(), 1.0, 0.05)
    assert found.value == pytest.approx(0.5)
    half = norm.ppf(0.975) * 0.05 / 2.0
    assert found.interval == pytest.approx((0.5 - half, 0.5 + half), abs=0.05 * half)
    narrower = estimate(line(), 1.0, 0.05, confidence=0.68)
    half = norm.ppf(0.84) * 0.05 / 2.0
    assert narrower.interval == pytest.approx((0.5 - half, 0.5 + half), abs=0.06 * half)


def test_the_uncertainty_of_the_curve_is_propagated_and_both_add_in_squares():
    both = math.hypot(0.03, 0.04)
    for curve, error, std in [(line(error=0.03), 0.0, 0.03), (line(error=0.03), 0.04, both)]:
        found = estimate(curve, 1.0, error)
        half = norm.ppf(0.975) * std / 2.0
        assert found.interval == pytest.approx((0.5 - half, 0.5 + half), abs=0.06 * half)


@pytest.mark.parametrize("slope", [-2.0, 2.0])
def test_intervals_cover_the_truth_as_often_as_they_say(slope):
    """A curve that errs as its replicates say, and a measured value that errs as it says, 300 times."""
    generator = np.random.default_rng(5)
    truth, error = 0.4, 0.05
    curve = line(slope, n_replicates=200, error=0.04)
    hits = 0
    for trial in range(300):
        # the curve that was found is off by one deviate, its replicates scatter about it
        offset = 0.04 * generator.standard_normal()
        found = CalibrationCurve("gamma_tau", "alpha", curve.x, curve.y + offset, curve.replicates + offset)
        measured = 2.0 + slope * truth + error * generator.standard_normal()
        low, high = estimate(found, measured, error, seed=trial).interval
        hits += low <= truth <= high
    assert 0.91 <= hits / 300 <= 0.985


def test_a_value_outside_the_curve_gives_no_number():
    with pytest.warns(OutsideCurveWarning, match=r"from 2 to 1.05 as gamma_tau goes from 0 to 0.2, .* no estimate"):
        found = estimate(falling(), 2.3)
    assert found.value is None
    assert found.interval == (None, None)
    assert found.outside == (1.0, 0.0)
    with pytest.warns(OutsideCurveWarning):
        assert estimate(falling(), 1.0).outside == (0.0, 1.0)


def test_an_error_bar_that_leaves_the_curve_opens_one_end():
    with pytest.warns(OutsideCurveWarning, match="no bound from below"):
        found = estimate(line(), 1.95, 0.1)
    assert found.value == pytest.approx(0.025)
    assert found.interval[0] is None
    assert found.interval[1] == pytest.approx(0.025 + norm.ppf(0.975) * 0.05, abs=0.01)
    assert found.outside[0] == pytest.approx(norm.cdf(-0.5), abs=0.03)
    with pytest.warns(OutsideCurveWarning, match="no bound from above"):
        found = estimate(line(), 0.05, 0.1)
    assert found.interval[1] is None
    assert found.interval[0] == pytest.approx(0.975 - norm.ppf(0.975) * 0.05, abs=0.01)


def test_a_bar_from_outside_into_the_curve_bounds_the_other_side():
    with pytest.warns(OutsideCurveWarning, match="no estimate"):
        found = estimate(line(), 2.1, 0.1)
    assert found.value is None
    assert found.interval[0] is None
    assert found.interval[1] == pytest.approx(-0.05 + norm.ppf(0.975) * 0.05, abs=0.01)


def test_several_crossings_are_named_and_a_range_chooses_one():
    curve = CalibrationCurve("crosstalk", "magnetization", [0.0, 1.0, 2.0, 3.0], [0.0, 1.0, 0.0, 1.0])
    with pytest.raises(FitError, match=r"occurs at crosstalk = 0\.29\d+, 1\.5, 2\.70\d .*within=\(low, high\)"):
        estimate(curve, 0.5)
    for low, high in [(0.0, 1.0), (1.0, 2.0), (2.1, 9.0)]:
        found = estimate(curve, 0.5, within=(low, high))
        assert low < found.value < high
        assert curve(found.value) == pytest.approx(0.5)


def test_beyond_a_turning_point_both_ends_are_open():
    curve = CalibrationCurve("crosstalk", "magnetization", [0.0, 1.0, 2.0], [0.0, 1.0, 0.2])
    with pytest.warns(OutsideCurveWarning):
        found = estimate(curve, 1.4)
    assert found.interval == (None, None)
    assert found.outside == (1.0, 1.0)


def test_replicates_that_cross_twice_count_where_they_are_nearest():
    x, y = np.arange(4.0), np.array([0.0, 1.0, 2.0, 3.0])
    wiggling = np.array([0.0, 1.0, 0.2, 3.0])  # has 0.5 three times
    curve = CalibrationCurve("temperature", "precision", x, y, np.stack([wiggling] * 100))
    found = estimate(curve, 0.5)
    assert found.value == pytest.approx(0.5)
    assert found.interval[0] == found.interval[1] < 1.0


def test_the_interpolation_error_is_the_distance_to_the_chord():
    assert estimate(line(), 1.3).interpolation_error == pytest.approx(0.0, abs=1e-12)
    found = estimate(falling(), 1.17)
    assert found.interpolation_error == pytest.approx(abs(found.value - (0.06 + 0.04 * 0.06 / 0.11)))
    assert found.interpolation_error > 1e-3
    assert estimate(falling(), 1.38).interpolation_error == pytest.approx(0.0, abs=1e-12)
    with pytest.warns(OutsideCurveWarning):
        assert estimate(falling(), 3.0).interpolation_error is None


def test_products_with_the_duration_become_rates():
    product = estimate(falling(), 1.38)
    rate = product.at_duration(60e3)
    assert (rate.parameter, rate.unit) == ("gamma", "1/ns")
    assert rate.value == pytest.approx(0.04 / 60e3)
    assert rate.interval == pytest.approx((0.04 / 60e3,) * 2)
    between = estimate(falling(), 1.17)
    assert between.at_duration(60e3).interpolation_error == pytest.approx(between.interpolation_error / 60e3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OutsideCurveWarning)
        assert estimate(falling(), 3.0).at_duration(60e3).value is None
    with pytest.raises(InvalidParameterError, match="gamma does not depend on a duration"):
        rate.at_duration(60e3)
    with pytest.raises(InvalidParameterError, match="duration"):
        product.at_duration(0.0)


def test_text_and_plain_data():
    found = estimate(falling(), 1.38)
    assert str(found) == "gamma_tau = 0.04 (95 %: 0.04 to 0.04) from alpha = 1.38 +- 0"
    with pytest.warns(OutsideCurveWarning):
        outside = estimate(falling(), 3.0, 0.1)
    assert "outside the curve (95 %: open to open)" in str(outside)
    data = json.loads(json.dumps(outside.to_dict(), allow_nan=False))
    assert (data["value"], data["interval"], data["unit"]) == (None, [None, None], "1")


def test_equal_seeds_give_equal_intervals_and_others_do_not():
    found = [estimate(line(n_replicates=200), 1.0, 0.1, seed=seed).interval for seed in (0, 0, 1)]
    assert found[0] == found[1]
    assert found[0] != found[2]


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"measured": math.nan}, "measured value"),
        ({"measured": 1.5, "error": -0.1}, "must not be negative"),
        ({"measured": 1.5, "confidence": 1.0}, "confidence"),
        ({"measured": 1.5, "within": (0.3, 0.4)}, "within must be a range of the curve"),
        ({"measured": 1.5, "within": (0.1, 0.05)}, "within must be a range of the curve"),
        ({"measured": 1.5, "seed": -1}, "seed"),
    ],
)
def test_bad_numbers_are_refused(arguments, message):
    with pytest.raises(InvalidParameterError, match=message):
        estimate(falling(), **arguments)


def of_rings(slopes=((4, -4.0), (5, -2.0)), error=0.0):
    """alpha = 2 + slope gamma tau from 0 to 1 on rings up to each N, as curves of runs are."""
    curves = [
        replace(
            line(slope, n_replicates=400, error=error),
            n_spins=tuple(range(2, n + 1)),
            networks=tuple(f"ring:{k}" for k in range(2, n + 1)),
            duration=60.0,
            noise_kind="x",
        )
        for n, slope in slopes
    ]
    return replace(curves[-1], shorter=tuple(curves[:-1]))


def test_an_estimate_says_of_which_runs_it_is_and_how_it_hangs_on_the_range_of_n():
    found = estimate(of_rings(), 1.0)
    assert (found.n_spins, found.networks[-1], found.simulated_duration, found.noise_kind) == (
        (2, 3, 4, 5),
        "ring:5",
        60.0,
        "x",
    )
    assert found.by_range == (RangeEstimate((2, 3, 4), 0.25), RangeEstimate((2, 3, 4, 5), 0.5))
    assert (found.interval, found.range_of_n, found.covering) == ((0.5, 0.5), (0.25, 0.5), (0.25, 0.5))
    assert str(found) == (
        "gamma_tau = 0.5 (95 %: 0.5 to 0.5; 0.25 to 0.5 as the largest N goes from 4 to 5) from alpha = 1 +- 0; "
        "ring, N = 2 to 5, 60 ns, x noise"
    )


def test_the_covering_interval_holds_the_scatter_and_the_ranges():
    found = estimate(of_rings(error=0.05), 1.0, 0.04)
    low, high = found.interval
    assert low < 0.5 < high
    assert low > found.range_of_n[0]
    assert found.covering == (found.range_of_n[0], high)


def test_products_with_the_duration_take_their_ranges_along():
    rate = estimate(of_rings(), 1.0).at_duration(100.0)
    assert rate.range_of_n == pytest.approx((0.0025, 0.005))
    assert [one.value for one in rate.by_range] == pytest.approx([0.0025, 0.005])
    assert rate.covering == pytest.approx((0.0025, 0.005))
    assert rate.simulated_duration == 60.0


def test_one_range_of_n_alone_is_said_to_be_one():
    found = estimate(of_rings(slopes=((4, -2.0),)), 1.0)
    assert (found.by_range, found.range_of_n, found.covering) == ((), None, None)
    assert "(95 %: 0.5 to 0.5; dependence on the range of N not known) from" in str(found)
    # of one network there is no range to hang on, and of bare numbers nothing is known
    one = replace(of_rings(), quantity="precision", n_spins=(4,), networks=("ring:4",), shorter=())
    assert str(estimate(one, 1.0)) == (
        "gamma_tau = 0.5 (95 %: 0.5 to 0.5) from precision = 1 +- 0; ring:4, N = 4, 60 ns, x noise"
    )


def test_a_range_of_n_whose_curve_lacks_the_value_opens_that_end():
    found = estimate(of_rings(slopes=((4, -0.5), (5, -2.0))), 1.0)
    assert found.by_range[0] == RangeEstimate((2, 3, 4), None)
    assert (found.range_of_n, found.covering) == ((0.5, None), (0.5, None))
    assert "0.5 to open as the largest N goes from 4 to 5" in str(found)
    below = estimate(of_rings(slopes=((4, -4.0), (5, -2.0))), 1.9, within=(0.04, 1.0))
    assert (below.by_range[0].value, below.range_of_n) == (None, (None, pytest.approx(0.05)))
    assert below.at_duration(10.0).range_of_n == (None, pytest.approx(0.005))


def test_ranges_are_plain_data():
    data = json.loads(json.dumps(estimate(of_rings(), 1.0).to_dict(), allow_nan=False))
    assert data["by_range"] == [{"n_spins": [2, 3, 4], "value": 0.25}, {"n_spins": [2, 3, 4, 5], "value": 0.5}]
    assert (data["range_of_n"], data["covering"], data["n_spins"]) == ([0.25, 0.5], [0.25, 0.5], [2, 3, 4, 5])
    assert (data["networks"][0], data["simulated_duration"], data["noise_kind"]) == ("ring:2", 60.0, "x")
    alone = estimate(falling(), 1.38).to_dict()
    assert (alone["by_range"], alone["range_of_n"], alone["covering"], alone["networks"]) == ([], None, None, [])
