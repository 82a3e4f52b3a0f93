"""Splines against SciPy's."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.interpolate import CubicSpline

from spinbattery.core.splines import NotAKnotSpline
from spinbattery.model.scales import advantage_system6


def test_the_spline_of_the_default_scales_has_scipys_digits():
    curve = advantage_system6().transverse
    s = np.concatenate([np.linspace(0.0, 1.0, 4001), np.array(curve.s)])
    assert np.array_equal(curve(s), np.exp(CubicSpline(np.array(curve.s), np.log(curve.values))(s)))


@pytest.mark.parametrize("rows", [2, 3, 4, 5, 30])
def test_any_table_has_scipys_spline(rows):
    random = np.random.default_rng(rows)
    x = np.cumsum(random.uniform(0.2, 1.0, rows))
    y = random.normal(size=rows)
    inside = np.linspace(x[0] - 0.1, x[-1] + 0.1, 201)
    assert NotAKnotSpline(x, y)(inside) == pytest.approx(CubicSpline(x, y)(inside), rel=1e-11, abs=1e-11)


def test_the_shape_is_kept():
    spline = NotAKnotSpline(np.arange(5.0), np.arange(5.0) ** 3)
    assert spline(np.array(2.5)).shape == ()
    assert spline(np.full((2, 3), 2.5)) == pytest.approx(np.full((2, 3), 2.5**3), rel=1e-14)
