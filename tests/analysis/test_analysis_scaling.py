"""Fits of c N^alpha: values, errors, intervals, refusals."""

from __future__ import annotations

import itertools
import json
import math
from dataclasses import replace
from statistics import NormalDist

import matplotlib.pyplot as plt
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import curve_fit, minimize
from scipy.stats import linregress

from spinbattery import Protocol, Waveform, charge, cooperative, ring, torus
from spinbattery.analysis.scaling import fit_both, fit_rows, fit_scaling
from spinbattery.core.errors import FitError, InvalidParameterError

METHODS = ["loglog", "linear"]
N = (2, 4, 6, 8, 9, 10, 12)
# the cooperative protocol of the paper on tori, s = 0.35 in the hold, 60 ns
PRECISION = (3.99657, 15.91166, 39.50671, 69.82902, 146.96921, 104.76541, 165.42094)


def scattered(n_points, seed=1):
    """Sizes and a power law 0.8 N^1.7 with 5 % of scatter."""
    generator = np.random.default_rng(seed)
    sizes = np.arange(2, 2 + n_points)
    return sizes, 0.8 * sizes**1.7 * (1.0 + 0.05 * generator.standard_normal(n_points))


def records(*sides, protocol=None):
    return [charge(torus(*side), protocol or cooperative(5.0), tolerance=1e-6) for side in sides]


@pytest.fixture(scope="module")
def charged():
    return records((1, 1), (1, 2), (1, 3), (2, 2))


@pytest.mark.parametrize("method", METHODS)
@given(c=st.floats(1e-6, 1e6), alpha=st.floats(-1.0, 4.0), start=st.integers(1, 200))
def test_a_power_law_is_found_exactly_and_with_no_error(method, c, alpha, start):
    sizes = np.array([start, start + 1, start + 4, 3 * start + 5, 10 * start])
    fit = fit_scaling(sizes, c * sizes.astype(float) ** alpha, method=method, n_bootstrap=100)
    assert fit.c == pytest.approx(c, rel=1e-7)
    assert fit.alpha == pytest.approx(alpha, abs=1e-8)
    assert fit.c_err < 1e-7 * c
    assert fit.alpha_err < 1e-8
    assert fit.c_interval == pytest.approx((c, c), rel=1e-7)
    assert fit.alpha_interval == pytest.approx((alpha, alpha), abs=1e-8)
    assert fit.bootstrap.n_failed == 0


def test_loglog_agrees_with_a_textbook_regression():
    fit = fit_scaling(N, PRECISION)
    line = linregress(np.log(N), np.log(PRECISION))
    assert fit.method == "loglog"
    assert fit.alpha == pytest.approx(line.slope, rel=1e-12)
    assert fit.alpha_err == pytest.approx(line.stderr, rel=1e-10)
    assert fit.c == pytest.approx(math.exp(line.intercept), rel=1e-12)
    assert fit.c_err == pytest.approx(fit.c * line.intercept_stderr, rel=1e-10)
    correlation = -np.log(N).mean() / math.sqrt(np.mean(np.log(N) ** 2))
    assert fit.covariance[0, 1] / (fit.c_err * fit.alpha_err) == pytest.approx(correlation, rel=1e-10)


def test_loglog_of_the_cooperative_tori():
    fit = fit_scaling(N, PRECISION)
    assert (fit.c, fit.c_err) == pytest.approx((0.8787, 0.2302), abs=1e-4)
    assert (fit.alpha, fit.alpha_err) == pytest.approx((2.1438, 0.1353), abs=1e-4)


def test_linear_minimises_the_unweighted_squares():
    fit = fit_scaling(N, PRECISION, method="linear")

    def squares(parameters):
        return float(np.sum((parameters[0] * np.array(N) ** parameters[1] - PRECISION) ** 2))

    found = minimize(squares, (1.0, 2.0), method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-9, "maxiter": 5000})
    assert (fit.c, fit.alpha) == pytest.approx(tuple(found.x), rel=1e-6)
    assert squares((fit.c, fit.alpha)) < squares((fit_scaling(N, PRECISION).c, fit_scaling(N, PRECISION).alpha))


def test_linear_errors_are_those_of_curve_fit_in_c_and_alpha():
    fit = fit_scaling(N, PRECISION, method="linear")
    found, covariance = curve_fit(
        lambda n, c, alpha: c * n**alpha, np.array(N, float), PRECISION, p0=(1.0, 2.0), ftol=1e-14, xtol=1e-14
    )
    assert (fit.c, fit.alpha) == pytest.approx(tuple(found), rel=1e-6)
    np.testing.assert_allclose(fit.covariance, covariance, rtol=1e-4)
    assert (fit.c_err, fit.alpha_err) == pytest.approx(tuple(np.sqrt(np.diag(fit.covariance))), rel=1e-12)


def test_linear_fits_of_many_rows_are_those_of_curve_fit():
    sizes, generator = np.array(N, float), np.random.default_rng(3)
    rows = sizes ** generator.normal(1.5, 0.2, (50, 1)) + 5.0 * generator.standard_normal((50, len(N)))
    assert (rows < 0.0).any()  # as resampled residuals may be
    about = sizes**1.5
    for row, (c, alpha) in zip(rows, fit_rows(sizes, rows, "linear", about=about), strict=True):
        found, _ = curve_fit(lambda n, c, alpha: c * n**alpha, sizes, row, p0=(c, alpha), ftol=1e-13, xtol=1e-13)
        assert (c, alpha) == pytest.approx(tuple(found), rel=1e-5)


def test_a_row_that_no_power_law_fits_is_no_number():
    sizes, one_point = np.array(N, float), np.zeros(len(N))
    one_point[-1] = 1.0  # the steeper the better
    found = fit_rows(sizes, np.stack([one_point, 2.0 * sizes]), "linear", about=sizes)
    assert np.isnan(found[0]).all()
    assert found[1] == pytest.approx([2.0, 1.0])


def test_the_errors_of_c_and_alpha_are_tied_by_the_sizes():
    for method, weights in (("loglog", np.ones(len(N))), ("linear", None)):
        fit = fit_scaling(N, PRECISION, method=method)
        weights = fit(N) ** 2 if weights is None else weights
        tie = math.sqrt(np.average(np.log(N) ** 2, weights=weights))
        assert fit.c_err / fit.c / fit.alpha_err == pytest.approx(tie, rel=1e-6)


def test_the_two_methods_differ_where_the_data_are_no_power_law():
    fits = fit_both(N, PRECISION)
    assert list(fits) == METHODS
    assert abs(fits["linear"].alpha - fits["loglog"].alpha) > 0.1
    for method in METHODS:
        assert fits[method] == fit_scaling(N, PRECISION, method=method)


def test_fit_both_passes_its_options_on():
    fits = fit_both(N, PRECISION, n_bootstrap=150, seed=3)
    for method in METHODS:
        assert fits[method] == fit_scaling(N, PRECISION, method=method, n_bootstrap=150, seed=3)


@pytest.mark.parametrize("method", METHODS)
@settings(max_examples=10)
@given(factor=st.floats(1e-8, 1e8))
def test_scaling_the_precision_scales_c_alone(method, factor):
    fit = fit_scaling(N, PRECISION, method=method, n_bootstrap=100)
    scaled = fit_scaling(N, factor * np.array(PRECISION), method=method, n_bootstrap=100)
    assert (scaled.c / factor, scaled.c_err / factor) == pytest.approx((fit.c, fit.c_err), rel=1e-6)
    assert (scaled.alpha, scaled.alpha_err) == pytest.approx((fit.alpha, fit.alpha_err), rel=1e-6)
    assert tuple(end / factor for end in scaled.c_interval) == pytest.approx(fit.c_interval, rel=1e-5)


def test_the_order_of_the_points_does_not_enter_the_fit():
    order = [3, 0, 6, 2, 5, 1, 4]
    for method in METHODS:
        fit = fit_scaling(N, PRECISION, method=method)
        other = fit_scaling([N[k] for k in order], [PRECISION[k] for k in order], method=method)
        assert (other.c, other.alpha, other.c_err) == pytest.approx((fit.c, fit.alpha, fit.c_err), rel=1e-7)
        assert other.n_spins == tuple(N[k] for k in order)


def widened(refits, fit):
    """Extremes of the refits, farther from the fit by Student's quantile for one degree of freedom."""
    factor = math.tan(0.475 * math.pi) / NormalDist().inv_cdf(0.975)  # Student with one degree is Cauchy
    return fit + factor * (refits.min() - fit), fit + factor * (refits.max() - fit)


def test_the_bootstrap_of_three_points_is_the_one_that_can_be_enumerated():
    # 27 equally likely resamples: each extreme has more than 2.5 %, so the interval ends are the extremes
    sizes, values = (2, 5, 11), (3.0, 30.0, 90.0)
    fit = fit_scaling(sizes, values, n_bootstrap=4000)
    x = np.log(sizes) - np.log(sizes).mean()
    pool = (np.log(values) - np.log(fit(sizes))) * math.sqrt(3.0 / (3.0 - 2.0))
    draws = np.array(list(itertools.product(pool, repeat=3)))
    alphas = fit.alpha + draws @ x / (x @ x)
    log_c = math.log(fit.c) + draws.mean(axis=1) - (draws @ x / (x @ x)) * np.log(sizes).mean()
    assert fit.alpha_interval == pytest.approx(widened(alphas, fit.alpha), rel=1e-12)
    assert fit.c_interval == pytest.approx(np.exp(widened(log_c, math.log(fit.c))), rel=1e-12)


def test_the_linear_bootstrap_of_three_points_is_the_one_that_can_be_enumerated():
    sizes, values = np.array([2.0, 5.0, 11.0]), np.array([6.0, 20.0, 90.0])

    def fitted(draw):
        return curve_fit(lambda n, c, alpha: c * n**alpha, sizes, draw, p0=(0.7, 2.0), ftol=1e-13, xtol=1e-13)[0]

    fit = fit_scaling(sizes, values, method="linear", n_bootstrap=4000)
    residuals = values - fit(sizes)
    assert abs(residuals.mean()) > 0.1  # else centring them would go untested
    pool = (residuals - residuals.mean()) * math.sqrt(3.0)
    refits = np.array([fitted(fit(sizes) + np.array(draw)) for draw in itertools.product(pool, repeat=3)])
    assert fit.bootstrap.n_failed == 0
    assert np.log(fit.c_interval) == pytest.approx(widened(np.log(refits[:, 0]), math.log(fit.c)), rel=1e-5)
    assert fit.alpha_interval == pytest.approx(widened(refits[:, 1], fit.alpha), rel=1e-5)


@pytest.mark.parametrize("sizes", [(2, 3, 4), (2, 3, 4, 5), (2, 4, 6, 8, 9, 10, 12)])
def test_intervals_of_few_points_cover_the_truth(sizes):
    """300 experiments of points that scatter by 3 %: intervals of 95 % hold the true exponent in 92 to 98 % of them."""
    generator = np.random.default_rng(8)
    n = np.array(sizes, dtype=float)
    hits = 0
    for trial in range(300):
        values = n**1.4 * np.exp(0.03 * generator.standard_normal(n.size))
        low, high = fit_scaling(n, values, n_bootstrap=300, seed=trial).alpha_interval
        hits += low <= 1.4 <= high
    assert 0.92 <= hits / 300 <= 0.98


@pytest.mark.parametrize("method", METHODS)
def test_intervals_of_many_points_are_those_of_the_standard_errors(method):
    fit = fit_scaling(*scattered(60), method=method, n_bootstrap=3000)
    half_width = 0.5 * (fit.alpha_interval[1] - fit.alpha_interval[0])
    assert half_width == pytest.approx(1.96 * fit.alpha_err, rel=0.08)
    assert 0.5 * (fit.c_interval[1] - fit.c_interval[0]) == pytest.approx(1.96 * fit.c_err, rel=0.08)
    assert fit.alpha_interval[0] < 1.7 < fit.alpha_interval[1]
    assert fit.c_interval[0] < 0.8 < fit.c_interval[1]


@pytest.mark.parametrize("method", METHODS)
def test_equal_seeds_give_equal_intervals(method):
    fit = fit_scaling(N, PRECISION, method=method, n_bootstrap=200, seed=5)
    assert fit == fit_scaling(N, PRECISION, method=method, n_bootstrap=200, seed=5)
    other = fit_scaling(N, PRECISION, method=method, n_bootstrap=200, seed=6)
    assert other.alpha_interval != fit.alpha_interval
    assert (other.alpha, other.alpha_err) == (fit.alpha, fit.alpha_err)
    assert (fit.bootstrap.seed, fit.bootstrap.n_resamples, fit.bootstrap.confidence) == (5, 200, 0.95)


def narrow(scatter):
    """Five sizes so close that resamples give |alpha| of about a hundred, and some a c beyond all floats."""
    return np.arange(1000, 1005), np.exp(scatter * np.array([0.0, 1.0, -1.0, 0.5, -0.5]))


def test_failed_refits_are_counted_and_left_out():
    sizes, values = narrow(0.14)
    fit = fit_scaling(sizes, values, n_bootstrap=4000)
    log_n = np.log(sizes)
    x = log_n - log_n.mean()
    pool = (np.log(values) - np.log(fit(sizes))) * math.sqrt(5.0 / 3.0)
    draws = np.array(list(itertools.product(pool, repeat=5)))
    alphas = fit.alpha + draws @ x / (x @ x)
    log_c = np.log(values).mean() + draws.mean(axis=1) - alphas * log_n.mean()
    overflowing = float(np.mean(log_c > math.log(np.finfo(float).max)))
    assert 0.01 < overflowing < 0.05
    assert fit.bootstrap.n_failed == pytest.approx(4000 * overflowing, abs=4.0 * math.sqrt(4000 * overflowing))
    assert np.isfinite(fit.c_interval).all()


def test_intervals_from_a_selection_of_refits_are_refused():
    with pytest.raises(FitError, match="of 1000 bootstrap refits found no power law"):
        fit_scaling(*narrow(0.3))


@given(
    st.lists(st.tuples(st.integers(1, 10**4), st.floats(1e-300, 1e300)), min_size=3, max_size=6),
    st.sampled_from(METHODS),
)
def test_wild_points_give_finite_fits_or_a_refusal(points, method):
    sizes, values = zip(*points, strict=True)
    try:
        fit = fit_scaling(sizes, values, method=method, n_bootstrap=100)
    except FitError:
        return
    text = json.dumps(fit.to_dict(), allow_nan=False)
    assert json.loads(text)["alpha"] == fit.alpha


def test_repeated_sizes_are_welcome():
    fit = fit_scaling([4, 4, 8, 8, 16], [4.0, 4.4, 8.0, 8.8, 16.5])
    assert fit.alpha == pytest.approx(linregress(np.log([4, 4, 8, 8, 16]), np.log([4.0, 4.4, 8.0, 8.8, 16.5])).slope)


def test_a_fit_is_called_with_sizes():
    fit = fit_scaling([2, 4, 8], [12.0, 48.0, 192.0])
    assert fit(5) == pytest.approx(75.0)
    np.testing.assert_allclose(fit([[1, 2], [3, 10]]), [[3.0, 12.0], [27.0, 300.0]])


def test_to_dict_is_plain_data():
    fit = fit_scaling(np.array(N), np.array(PRECISION))
    data = json.loads(json.dumps(fit.to_dict(), allow_nan=False))
    assert data["method"] == "loglog"
    assert data["c"] == fit.c
    assert data["alpha_err"] == fit.alpha_err
    assert data["c_interval"] == list(fit.c_interval)
    assert data["alpha_interval"] == list(fit.alpha_interval)
    assert data["covariance"] == fit.covariance.tolist()
    assert data["n_spins"] == list(N)
    assert data["precision"] == list(PRECISION)
    assert data["bootstrap"] == {"seed": 0, "n_resamples": 1000, "n_failed": 0, "confidence": 0.95}


def test_a_fit_cannot_be_changed():
    fit = fit_scaling(N, PRECISION)
    with pytest.raises(AttributeError):
        fit.alpha = 2.0
    with pytest.raises(ValueError, match="read-only"):
        fit.covariance[0, 0] = 0.0
    assert fit != replace(fit, alpha=2.0)
    assert len({fit, fit_scaling(N, PRECISION)}) == 1


def test_plot_shows_points_fit_and_both_limits_on_log_log_axes():
    fit = fit_scaling(N, PRECISION)
    figure, given_axes = plt.subplots()
    axes = fit.plot(given_axes)
    assert axes is given_axes
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    points, curve, quantum, heisenberg = axes.get_lines()
    np.testing.assert_array_equal(points.get_ydata(), PRECISION)
    np.testing.assert_allclose(curve.get_ydata(), fit(curve.get_xdata()))
    np.testing.assert_allclose(quantum.get_ydata(), quantum.get_xdata())
    np.testing.assert_allclose(heisenberg.get_ydata(), np.asarray(heisenberg.get_xdata()) ** 2)
    plt.close(figure)


def test_plot_makes_axes_where_none_are_given():
    axes = fit_scaling(N, PRECISION).plot()
    assert len(axes.get_lines()) == 4
    plt.close(axes.figure)


@pytest.mark.parametrize("method", METHODS)
def test_records_give_the_fit_of_their_sizes_and_precisions(charged, method):
    fit = fit_scaling(charged, method=method)
    assert fit.n_spins == (1, 2, 3, 4)
    assert fit.precision == tuple(record.precision for record in charged)
    assert fit == fit_scaling(fit.n_spins, fit.precision, method=method)
    assert fit_both(iter(charged))[method] == fit


def test_a_record_with_no_spread_is_refused_by_its_size(charged):
    idle = Waveform(((0.0, 1.0), (1.0, 1.0)))
    # s = 1 throughout: A(1) is 1e-9 GHz, and nothing turns
    certain = charge(ring(5), Protocol(1e-6, idle, idle, -0.5, 0.0), tolerance=1e-6)
    assert certain.precision is None
    with pytest.raises(FitError, match=r"N = 5\) .* sigma is zero to rounding, and a lower bound"):
        fit_scaling([*charged, certain], mixed=True, include_uncharged=True)


def test_records_and_numbers_do_not_mix(charged):
    with pytest.raises(FitError, match="not records with a precision"):
        fit_scaling(charged, [1.0, 2.0, 3.0, 4.0])
    with pytest.raises(FitError, match="4 is not a record"):
        fit_scaling([*charged[:3], 4])
    with pytest.raises(FitError, match="precision is missing"):
        fit_scaling([1, 2, 3])


@pytest.mark.parametrize("points", [([], []), ([2, 3], [4.0, 9.0]), ([2, 2, 3], [4.0, 4.1, 9.0])])
def test_fewer_than_three_sizes_are_refused(points):
    for fit in (fit_scaling, fit_both):
        with pytest.raises(FitError, match="three or more different N"):
            fit(*points)


def test_too_few_records_are_refused(charged):
    with pytest.raises(FitError, match="three or more different N, but there are 2"):
        fit_scaling(charged[:2])


@pytest.mark.parametrize("bad", [0.0, -1.0, math.nan, math.inf, None])
def test_a_precision_that_is_not_finite_and_positive_is_refused_by_its_size(bad):
    with pytest.raises(FitError, match="precision at N = 4 "):
        fit_scaling([2, 4, 8], [4.0, bad, 64.0])


@pytest.mark.parametrize("bad", [0, -2, 2.5, math.nan, math.inf])
def test_sizes_that_are_no_whole_numbers_are_refused(bad):
    with pytest.raises(FitError, match="whole numbers of at least 1"):
        fit_scaling([2, bad, 8], [4.0, 16.0, 64.0])


@pytest.mark.parametrize(
    ("sizes", "values"),
    [([2, 3, 4], [1.0, 2.0]), ([[2, 3, 4]], [[1.0, 2.0, 3.0]])],
)
def test_rows_of_unequal_length_are_refused(sizes, values):
    with pytest.raises(FitError, match="rows of equal length"):
        fit_scaling(sizes, values)


def test_what_is_no_number_is_refused():
    with pytest.raises(FitError, match="must be numbers"):
        fit_scaling([2, 3, "many"], [1.0, 2.0, 3.0])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "cubic"}, "method must be"),
        ({"n_bootstrap": 10}, "n_bootstrap must be"),
        ({"n_bootstrap": 1e3}, "n_bootstrap must be"),
        ({"seed": -1}, "seed must be"),
        ({"seed": None}, "seed must be"),
    ],
)
def test_options_are_checked(options, message):
    with pytest.raises(InvalidParameterError, match=message):
        fit_scaling(N, PRECISION, **options)
