"""Mean and variance of shots, with their standard errors."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spinbattery.records.moments import Moments


def test_moments_by_hand():
    found = Moments.of([0, 0, 0, 4])
    # mean 1, squares 1 1 1 9, s^2 = 12/3; m4 = 84/4; (21 - 16/3)/4
    assert (found.mean, found.variance) == (1.0, 4.0)
    assert found.mean_error == pytest.approx(1.0)
    assert found.variance_error == pytest.approx(math.sqrt((21.0 - 16.0 / 3.0) / 4.0))


def test_the_error_of_the_variance_is_that_of_rare_flips():
    # Poisson of mean 0.1: m4 = 0.1 + 3 * 0.01; the normal formula would give 0.0063 instead of 0.0153
    mean, n_reads, n_series = 0.1, 500, 4000
    series = np.random.default_rng(1).poisson(mean, (n_series, n_reads))
    variances = series.var(axis=1, ddof=1)
    exact = math.sqrt((mean + 3.0 * mean**2 - mean**2 * (n_reads - 3) / (n_reads - 1)) / n_reads)
    scatter = variances.std(ddof=1)
    # the standard deviation of 4000 near-normal values is known to 1/sqrt(8000)
    assert scatter == pytest.approx(exact, rel=5.0 / math.sqrt(2.0 * n_series))
    estimates = [Moments.of(row).variance_error for row in series[:200]]
    assert np.mean(estimates) == pytest.approx(exact, rel=0.05)
    assert abs(variances.mean() - mean) < 4.0 * scatter / math.sqrt(n_series)


@given(st.lists(st.integers(0, 9), min_size=2, max_size=6))
def test_the_error_of_the_variance_is_real_for_few_shots(values):
    assert math.isfinite(Moments.of(values).variance_error)
