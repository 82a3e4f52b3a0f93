"""Step halving: the estimate bounds the error, and what cannot be reached is refused."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spinbattery.core.errors import InvalidParameterError, ToleranceError
from spinbattery.engines.common.options import MINIMUM_TOLERANCE, checked_tolerance
from spinbattery.engines.trajectories import refinement

# the lower of the two orders of the splittings; whatever the true order, the estimate must bound the error
refine = partial(refinement.refine, order=4)

EXACT_MEAN = np.array([0.3, 0.5])
EXACT_VARIANCE = np.array([0.2, 0.01])


@dataclass
class Moments:
    """What refinement looks at."""

    mean: np.ndarray
    variance: np.ndarray


class Converging:
    """Exact moments plus errors of known order, noting the halvings asked for.

    ``size`` is the error of the coarsest pass, ``mixed`` the relative size of a term two orders higher.
    """

    def __init__(self, order, size, mixed=0.0, of_mean=(0.5, 1.0), of_variance=(0.5, 1.0)):
        self.order, self.size, self.mixed = order, size, mixed
        self.of_mean, self.of_variance = np.array(of_mean), np.array(of_variance)
        self.passes: list[int] = []

    def error(self, halvings):
        return self.size * (2.0 ** (-self.order * halvings) + self.mixed * 2.0 ** (-(self.order + 2) * halvings))

    def __call__(self, halvings):
        self.passes.append(halvings)
        e = self.error(halvings)
        return Moments(EXACT_MEAN + e * self.of_mean, EXACT_VARIANCE + 0.1 * e * self.of_variance)


@pytest.mark.parametrize("order", [4, 6])  # those of the splittings
@pytest.mark.parametrize("tolerance", [1e-2, 1e-5, 1e-9])
@given(size=st.floats(1e-6, 0.1), mixed=st.floats(-0.5, 20.0), sign=st.sampled_from([-1.0, 1.0]))
def test_the_estimate_bounds_the_error_before_the_order_shows(order, tolerance, size, mixed, sign):
    check_bound(Converging(order, sign * size, mixed), tolerance)


@pytest.mark.parametrize("order", [2, 3, 4, 5, 6, 8, 10])
@given(size=st.floats(1e-6, 0.1), exponent=st.floats(-9.0, -2.0))
def test_the_estimate_bounds_the_error_of_any_pure_order(order, size, exponent):
    check_bound(Converging(order, size), 10.0**exponent)


def check_bound(solve, tolerance):
    refined = refine(solve, tolerance, 30)
    true_mean = np.abs(refined.result.mean - EXACT_MEAN)
    true_variance = np.abs(refined.result.variance - EXACT_VARIANCE)
    rounding = 1e-15
    assert (true_mean <= refined.mean_error + rounding).all()
    assert (true_variance <= refined.variance_error + rounding).all()
    assert refined.worst <= tolerance
    true_precision = abs(EXACT_VARIANCE[-1] / refined.result.variance[-1] - 1.0)
    assert true_precision <= refined.precision_relative_error * (1.0 + 1e-9) + 1e-13


@given(size=st.floats(1e-6, 0.1), mixed=st.floats(-0.5, 20.0), exponent=st.floats(-9.0, -2.0))
def test_the_estimate_bounds_the_error_at_order_six(size, mixed, exponent):
    solve = Converging(6, size, mixed)
    refined = refinement.refine(solve, 10.0**exponent, 30, order=6)
    assert (np.abs(refined.result.mean - EXACT_MEAN) <= refined.mean_error).all()


def test_unresolved_kinks_are_credited_nothing():
    resolved = refine(Converging(4, 0.1), 1e-5, 30)
    unresolved = refine(Converging(4, 0.1), 1e-5, 30, resolved_from=30)
    assert unresolved.halvings > resolved.halvings
    last = np.abs(Converging(4, 0.1).error(unresolved.halvings) - Converging(4, 0.1).error(unresolved.halvings - 1))
    assert unresolved.mean_error[-1] == pytest.approx(2.0 * last, rel=1e-6)


def test_passes_are_made_once_and_in_order():
    solve = Converging(4, 0.1)
    refined = refine(solve, 1e-6, 12)
    assert solve.passes == list(range(refined.halvings + 1))
    assert refined.halvings > 2


def test_three_passes_are_the_least():
    solve = Converging(6, 1e-9)
    assert refine(solve, 1e-3, 12).halvings == 2


def test_a_tighter_tolerance_needs_no_fewer_halvings():
    halvings = [refine(Converging(4, 0.1), 10.0**-k, 30).halvings for k in range(1, 10)]
    assert halvings == sorted(halvings)
    assert halvings[-1] > halvings[0]


@pytest.mark.parametrize(
    "errors",
    [
        {"of_mean": (1.0, 0.0), "of_variance": (0.0, 0.0)},  # mean at an earlier output time
        {"of_mean": (0.0, 1.0), "of_variance": (0.0, 0.0)},  # final mean
        {"of_mean": (0.0, 0.0), "of_variance": (10.0, 0.0)},  # variance at an earlier output time
        {"of_mean": (0.0, 0.0), "of_variance": (0.0, 0.1)},  # final precision: relative, so a small variance counts
    ],
)
def test_each_quantity_alone_keeps_the_halving_going(errors):
    solve = Converging(4, 0.1, **errors)
    refined = refine(solve, 1e-6, 12)
    assert refined.halvings > 2
    assert refined.worst <= 1e-6
    with pytest.raises(ToleranceError):
        refine(Converging(4, 0.1, **errors), 1e-6, refined.halvings - 1)


def test_an_accidental_agreement_of_two_passes_is_not_believed():
    errors = {0: 0.1, 1: 0.05, 2: 0.0500001, 3: 0.003, 4: 2e-4, 5: 1e-5, 6: 6e-7, 7: 4e-8, 8: 2e-9}

    def solve(halvings):
        return Moments(EXACT_MEAN + errors[halvings], EXACT_VARIANCE.copy())

    refined = refine(solve, 1e-5, 8)
    assert refined.halvings > 3
    assert abs(refined.result.mean[-1] - EXACT_MEAN[-1]) <= refined.mean_error[-1] <= 1e-5


def test_results_without_any_error_are_accepted_at_once():
    refined = refine(Converging(4, 0.0), MINIMUM_TOLERANCE, 12)
    assert (refined.halvings, refined.worst) == (2, 1e-12)  # rounding is never claimed to be absent


def test_what_is_not_reached_is_refused_with_the_figure_that_was():
    with pytest.raises(ToleranceError, match=r"estimate is 2.3e-04 after 3 halvings .* tolerance 1e-09; loosen"):
        refine(Converging(2, 0.01, of_variance=(0.0, 0.0)), 1e-9, 3)


def test_a_sequence_that_does_not_converge_is_refused():
    def solve(halvings):
        return Moments(EXACT_MEAN + (-1.0) ** halvings * 0.1, EXACT_VARIANCE.copy())

    with pytest.raises(ToleranceError):
        refine(solve, 1e-2, 12)


@pytest.mark.parametrize("tolerance", [0.0, -1e-6, 1e-13, 0.2, float("nan"), float("inf"), "tight", None])
def test_tolerances_out_of_range_are_refused(tolerance):
    with pytest.raises(InvalidParameterError, match="tolerance must"):
        checked_tolerance(tolerance)


@pytest.mark.parametrize("tolerance", [MINIMUM_TOLERANCE, 1e-6, 0.1])
def test_tolerances_within_range_pass(tolerance):
    assert checked_tolerance(tolerance) == tolerance


def test_an_estimate_that_rounding_keeps_up_ends_the_run():
    """And not one that is large, which shorter steps may yet bring down."""
    converging, random = Converging(4, 1e-3), np.random.default_rng(0)
    passes = []

    def rounded(halvings, by=1e-10):
        passes.append(halvings)
        found = converging(halvings)
        return Moments(found.mean + by * random.uniform(1, 2) * (-1) ** halvings, found.variance)

    with pytest.raises(ToleranceError, match=r"the error estimate stays at .*e-10, above .* only adds to the rounding"):
        refine(rounded, 1e-11, 30)
    assert max(passes) < 12
    with pytest.raises(ToleranceError, match="after 12 halvings"):
        refine(partial(rounded, by=1e-5), 1e-11, 12)
