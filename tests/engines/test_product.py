"""P(Sz) of independent spins."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from spinbattery.engines.dense.product import _binomial, _distribution


@pytest.mark.parametrize("n", [1, 2, 7, 60, 500, 20_000])
@pytest.mark.parametrize("p", [0.0, 1e-12, 1e-3, 0.3, 0.5, 0.9, 1.0 - 1e-10, 1.0])
def test_binomials_are_those_of_scipy(n, p):
    found, expected = _binomial(n, p), binom.pmf(np.arange(n + 1), n, p)
    np.testing.assert_allclose(found, expected, rtol=0.0, atol=1e-12)
    likely = expected > 1e-100
    np.testing.assert_allclose(found[likely], expected[likely], rtol=1e-11)


@pytest.mark.parametrize("counts", [[12], [3, 1, 5], [300, 1, 200, 90], [1] * 150])
def test_several_kinds_of_spins_have_a_convolution_of_binomials(counts):
    up = np.random.default_rng(1).random(len(counts))
    expected = np.ones(1)
    for n, p in zip(counts, up, strict=True):
        expected = np.convolve(expected, binom.pmf(np.arange(n + 1), n, p))
    found = _distribution(up, np.array(counts))
    np.testing.assert_allclose(found, expected, rtol=0.0, atol=1e-12)


def test_probabilities_that_rounding_has_moved_out_of_range_are_taken_back():
    assert _distribution(np.array([-1e-16, 1.0 + 1e-15]), np.array([2, 3])).tolist() == [0.0, 0.0, 0.0, 1.0, 0.0, 0.0]
