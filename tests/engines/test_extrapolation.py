"""Extrapolated passes: the combination has a higher order, the estimate bounds its error, and doubt is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spinbattery.core.errors import ToleranceError
from spinbattery.engines.common.extrapolation import ROUNDING, Passes, extrapolate, weights

EXACT_MEAN = np.array([0.3, 0.5])
EXACT_VARIANCE = np.array([0.2, 0.01])


@dataclass
class Moments:
    """What extrapolation looks at."""

    mean: np.ndarray
    variance: np.ndarray


class Expanding:
    """Exact moments plus an error with an expansion in even powers of 1/multiple from ``order`` on."""

    def __init__(self, order, coefficients, of_mean=(0.5, 1.0), of_variance=(0.5, 1.0)):
        self.order, self.coefficients = order, coefficients
        self.of_mean, self.of_variance = np.array(of_mean), np.array(of_variance)
        self.made: list[int] = []

    def __call__(self, multiple):
        self.made.append(multiple)
        error = sum(c * multiple ** -(self.order + 2.0 * k) for k, c in enumerate(self.coefficients))
        return Moments(EXACT_MEAN + error * self.of_mean, EXACT_VARIANCE + 0.01 * error * self.of_variance)


@dataclass
class PassesOf(Passes[Moments]):
    """Passes that a function makes."""

    make: Callable[[int], Moments]
    rounding: Callable[[Moments], tuple[float, float]] = lambda _: ROUNDING
    negativity: Callable[[Moments], float] = lambda _: 0.0

    def run(self, multiple):
        return self.make(multiple)

    def moments(self, passes, weights):
        total = self.combined(passes, weights)
        return total.mean, total.variance

    def combined(self, passes, weights):
        return Moments(
            sum(f * one.mean for f, one in zip(weights, passes, strict=True)),
            sum(f * one.variance for f, one in zip(weights, passes, strict=True)),
        )


def found(run, tolerance, order=2, most=13, first=1, **options):
    return extrapolate(PassesOf(run, **options), tolerance, first, most, order)


@pytest.mark.parametrize("order", [2, 4, 6])
@pytest.mark.parametrize("of", [[1, 2], [2, 3], [1, 2, 3, 4], [2, 3, 4, 5, 6, 7], [5, 6, 7, 11, 17]])
def test_weights_leave_no_error_of_the_lowest_orders(order, of):
    found = weights(of, order)
    assert found.sum() == pytest.approx(1.0)
    for k in range(len(of) - 1):
        powers = np.array(of, dtype=float) ** -(order + 2.0 * k)
        assert abs(found @ powers) < 1e-12 * np.abs(found * powers).sum()


@pytest.mark.parametrize("order", [2, 4, 6])
@pytest.mark.parametrize("tolerance", [1e-2, 1e-5, 1e-9])
@given(later=st.lists(st.floats(0.0, 0.5), max_size=4), size=st.floats(1e-6, 0.3))
def test_the_estimate_bounds_the_error(order, tolerance, later, size):
    run = Expanding(order, [size, *(size * c for c in later)])
    result = found(run, tolerance, order, 30)
    assert (np.abs(result.result.mean - EXACT_MEAN) <= result.mean_error).all()
    assert (np.abs(result.result.variance - EXACT_VARIANCE) <= result.variance_error).all()
    assert max(result.mean_error.max(), result.variance_error.max(), result.precision_relative_error) <= tolerance
    assert len(run.made) == result.passes


@given(size=st.floats(1e-3, 0.3), exponent=st.floats(4.0, 8.0), tolerance=st.sampled_from([1e-4, 1e-6]))
def test_the_estimate_bounds_an_error_that_has_no_such_expansion(size, exponent, tolerance):
    """Errors that shrink by other powers than those that are taken out, as from the knots of a cubic spline."""
    run = Expanding(exponent, [size])
    try:
        result = found(run, tolerance, 2, 40)
    except ToleranceError:
        return
    assert (np.abs(result.result.mean - EXACT_MEAN) <= result.mean_error).all()


def test_a_combination_of_all_but_few_passes_is_many_times_better_than_the_finest():
    run = Expanding(2, [1e-2, 1e-2, 1e-2])
    result = found(run, 1e-6)
    finest = abs(run(result.passes).mean[-1] - EXACT_MEAN[-1])
    assert finest > 1e4 * abs(result.result.mean[-1] - EXACT_MEAN[-1])


def test_passes_are_made_once_each_finer_than_the_one_before():
    run = Expanding(2, [1e-2, 1e-2])
    found(run, 1e-6)
    assert run.made == list(range(1, len(run.made) + 1))
    assert len(run.made) >= 4


@pytest.mark.parametrize(
    "errors",
    [
        {"of_mean": (1.0, 0.0), "of_variance": (0.0, 0.0)},  # mean at an earlier output time
        {"of_mean": (0.0, 1.0), "of_variance": (0.0, 0.0)},  # final mean
        {"of_mean": (0.0, 0.0), "of_variance": (100.0, 0.0)},  # variance at an earlier output time
        {"of_mean": (0.0, 0.0), "of_variance": (0.0, 1.0)},  # final precision: relative, so a small variance counts
    ],
)
def test_each_quantity_alone_keeps_the_passes_going(errors):
    wild = [1.0, 10.0, 100.0, 1e3, 1e4]
    assert found(Expanding(2, wild, **errors), 1e-6, most=40).passes > 4
    with pytest.raises(ToleranceError):
        found(Expanding(2, wild, **errors), 1e-6, most=4)


def test_two_combinations_that_agree_by_accident_claim_no_more_than_a_share_of_the_tolerance():
    result = found(Expanding(2, [0.0]), 1e-6)
    assert result.mean_error == pytest.approx([1.5e-7, 1.5e-7], rel=1e-4)
    assert result.precision_relative_error == pytest.approx(1.5e-7, rel=1e-4)


def test_an_estimate_remembers_what_the_two_finest_passes_changed():
    """The combinations of passes 1 to 3, 2 to 4 and 1 to 4 agree by accident; that of passes 1 and 2 is off by 8e-6."""
    error = {1: 1e-7, 2: 1e-7 + 0.75 * 8e-6}
    for finest, others in ((3, [1, 2]), (4, [2, 3])):
        of = weights([*others, finest], 2)
        error[finest] = float(1e-7 - of[:-1] @ [error[m] for m in others]) / float(of[-1])
    accident = Expanding(2, [])
    result = found(lambda m: Moments(accident(m).mean + error[m], accident(m).variance), 1e-6)
    assert result.passes == 4
    assert result.result.mean == pytest.approx(EXACT_MEAN + 1e-7, abs=1e-12)
    assert result.mean_error == pytest.approx(np.full(2, 0.05 * 8e-6), rel=1e-4)


def test_steps_are_shortened_by_more_where_the_error_has_no_expansion():
    def run(multiple):
        made.append(multiple)
        return Moments(EXACT_MEAN + 1e-4 * np.sin(40.0 * multiple) / multiple**3, EXACT_VARIANCE)

    made: list[int] = []
    found(run, 1e-6, most=30)
    assert max(np.diff(made)) > 2


def test_what_is_not_reached_is_refused_with_the_figure_that_was():
    with pytest.raises(ToleranceError, match=r"estimate is .* after 4 passes, the finest with 4 times .* loosen"):
        found(Expanding(2, [1.0, 10.0, 100.0, 1e3]), 1e-9, most=4)


def test_a_sequence_that_does_not_converge_is_refused():
    def run(multiple):
        return Moments(EXACT_MEAN + (-1.0) ** multiple * 0.1, EXACT_VARIANCE.copy())

    with pytest.raises(ToleranceError):
        found(run, 1e-2)


def test_an_estimate_that_rounding_keeps_up_ends_the_run():
    random, made = np.random.default_rng(0), []

    def run(multiple, by=1e-10):
        made.append(multiple)
        return Moments(EXACT_MEAN + by * random.uniform(1, 2) * (-1) ** len(made), EXACT_VARIANCE)

    with pytest.raises(ToleranceError, match=r"shorter steps only add to"):
        found(run, 1e-11, most=30)
    assert len(made) < 20


def test_rounding_beyond_the_tolerance_is_refused_and_is_magnified_by_the_weights():
    run = Expanding(2, [1e-3])
    with pytest.raises(ToleranceError, match=r"rounding alone may amount to 1.0e-05"):
        found(run, 1e-6, rounding=lambda _: (1e-5, 0.0))
    plain = found(Expanding(2, [1e-3]), 1e-3, rounding=lambda _: (1e-5, 1e-5))
    assert plain.mean_error.min() == pytest.approx(1.6e-4)  # 0.15 of the tolerance, and rounding


def test_a_result_below_zero_keeps_the_passes_going():
    once, longer = Expanding(2, [1e-3]), Expanding(2, [1e-3])
    found(once, 1e-6)
    asked: list[Moments] = []

    def negativity(result):
        asked.append(result)
        return 1e-5 if len(asked) == 1 else -1.0

    result = found(longer, 1e-6, negativity=negativity)
    assert len(longer.made) == len(once.made) + 1
    assert asked[-1] is result.result
    with pytest.raises(ToleranceError, match=r"estimate is 1.0e-05 after 6 passes"):
        found(Expanding(2, [1e-3]), 1e-6, most=6, negativity=lambda _: 1e-5)
