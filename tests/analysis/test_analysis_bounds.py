"""Reference precisions and the Bhatia-Davis bound."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spinbattery.analysis.bounds import (
    bhatia_davis_precision,
    bhatia_davis_variance,
    heisenberg_limit,
    standard_quantum_limit,
)
from spinbattery.core.errors import InvalidParameterError


def test_limits_of_scalars_are_floats():
    assert standard_quantum_limit(12) == 12.0
    assert heisenberg_limit(12) == 144.0
    assert type(standard_quantum_limit(12)) is float
    assert type(heisenberg_limit(np.int64(12))) is float


def test_limits_keep_the_shape_of_arrays():
    sizes = np.array([[1, 2], [3, 5612]])
    np.testing.assert_array_equal(standard_quantum_limit(sizes), [[1.0, 2.0], [3.0, 5612.0]])
    np.testing.assert_array_equal(heisenberg_limit([2, 3]), [4.0, 9.0])


def test_the_standard_quantum_limit_is_no_view_of_its_input():
    sizes = np.array([1.0, 2.0])
    standard_quantum_limit(sizes)[0] = 7.0
    assert sizes[0] == 1.0


@pytest.mark.parametrize("limit", [standard_quantum_limit, heisenberg_limit])
@pytest.mark.parametrize("n", [0, -1, math.nan, math.inf, [4, 0]])
def test_limits_refuse_what_is_no_number_of_spins(limit, n):
    with pytest.raises(InvalidParameterError, match="at least 1"):
        limit(n)


@pytest.mark.parametrize(("mu", "variance"), [(0.0, 1.0), (0.5, 0.75), (-0.5, 0.75), (1.0, 0.0), (-1.0, 0.0)])
def test_bhatia_davis_variance(mu, variance):
    assert bhatia_davis_variance(mu) == variance
    assert type(bhatia_davis_variance(mu)) is float


def test_bhatia_davis_precision_is_the_inverse_and_infinite_at_the_ends():
    np.testing.assert_allclose(bhatia_davis_precision([0.0, -0.5, 1.0, -1.0]), [1.0, 4.0 / 3.0, np.inf, np.inf])
    assert bhatia_davis_precision(1.0) == math.inf
    assert type(bhatia_davis_precision(0.5)) is float


def test_rounding_above_one_is_forgiven():
    assert bhatia_davis_variance(1.0 + 1e-15) == 0.0
    assert bhatia_davis_precision(-1.0 - 1e-15) == math.inf


@pytest.mark.parametrize("bound", [bhatia_davis_variance, bhatia_davis_precision])
@pytest.mark.parametrize("mu", [1.001, -1.001, 1.0 + 1e-10, math.nan, math.inf, [0.0, 2.0]])
def test_bhatia_davis_refuses_what_is_no_mean_of_spins(bound, mu):
    with pytest.raises(InvalidParameterError, match="within"):
        bound(mu)


@given(st.lists(st.tuples(st.floats(-1.0, 1.0), st.floats(0.01, 1.0)), min_size=1, max_size=8))
def test_no_distribution_on_the_interval_exceeds_the_bound(points):
    values, weights = np.array(points).T
    weights = weights / weights.sum()
    mean = float(np.clip(weights @ values, -1.0, 1.0))
    assert weights @ (values - mean) ** 2 <= bhatia_davis_variance(mean) + 1e-12


@given(st.floats(0.0, 1.0))
def test_a_distribution_on_the_two_ends_reaches_the_bound(up):
    mean = 2.0 * up - 1.0
    variance = up * (1.0 - mean) ** 2 + (1.0 - up) * (1.0 + mean) ** 2
    assert bhatia_davis_variance(mean) == pytest.approx(variance, abs=1e-15)
