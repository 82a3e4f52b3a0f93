"""Energy scales: the smooth model that ships, and curves built from tables."""

from __future__ import annotations

import math

import numpy as np
import pytest

from spinbattery import EnergyScales, advantage_system6
from spinbattery.core.errors import EnergyScalesError
from spinbattery.model.scales import LinearTable, LogSpline, Polynomial

TABLE_A = {0.0: 9.6269, 0.25: 1.6552, 0.35: 0.78982, 0.5: 0.14448, 0.75: 0.00030176, 1.0: 1.4614e-09}


def test_the_smooth_model_passes_through_its_knots():
    scales = advantage_system6()
    s = np.array(list(TABLE_A))
    np.testing.assert_allclose(scales.A(s), list(TABLE_A.values()), rtol=1e-12)


def test_the_ising_energy_is_the_published_quadratic():
    scales = advantage_system6()
    assert float(scales.B(0.0)) == pytest.approx(0.231671, rel=1e-14)
    assert float(scales.B(1.0)) == pytest.approx(7.566227, rel=1e-14)
    assert float(scales.B(0.5)) == pytest.approx(0.231671 + 2.184583 / 2 + 5.149973 / 4, rel=1e-14)


def test_the_transverse_energy_falls_and_the_ising_energy_rises():
    s = np.linspace(0.0, 1.0, 2001)
    scales = advantage_system6()
    assert (np.diff(scales.A(s)) < 0.0).all()
    assert (np.diff(scales.B(s)) > 0.0).all()


def test_the_spline_is_not_a_knot_in_the_logarithm():
    # a not-a-knot spline reproduces cubics, so the exponential of a cubic comes out exact
    s = np.linspace(0.0, 1.0, 8)

    def cubic(x):
        return 2.0 - 3.0 * x + x**2 - 4.0 * x**3

    curve = LogSpline(tuple(s), tuple(np.exp(cubic(s))))
    x = np.linspace(0.0, 1.0, 101)
    np.testing.assert_allclose(curve(x), np.exp(cubic(x)), rtol=1e-12)


def test_linear_tables_interpolate_between_rows():
    table = LinearTable((0.0, 0.5, 1.0), (4.0, 1.0, 0.0))
    np.testing.assert_allclose(table([0.0, 0.25, 0.5, 0.75]), [4.0, 2.5, 1.0, 0.5], rtol=1e-15)
    np.testing.assert_array_equal(table.kinks, [0.0, 0.5, 1.0])


def test_kinks_are_those_of_both_curves():
    scales = EnergyScales("mixed", LinearTable((0.0, 0.5, 1.0), (2.0, 1.0, 0.0)), Polynomial((1.0, 2.0)))
    np.testing.assert_array_equal(scales.kinks, [0.0, 0.5, 1.0])
    other = EnergyScales("two tables", scales.transverse, LinearTable((0.0, 0.25, 1.0), (0.0, 1.0, 2.0)))
    np.testing.assert_array_equal(other.kinks, [0.0, 0.25, 0.5, 1.0])
    assert Polynomial((1.0,)).kinks.size == 0
    assert len(advantage_system6().kinks) == 21


def test_every_kind_of_curve_round_trips():
    table = LinearTable((0.0, 0.5, 1.0), (4.0, 1.0, 0.0))
    for scales in (advantage_system6(), EnergyScales("table", table, table)):
        back = EnergyScales.from_dict(scales.to_dict())
        assert back == scales
        np.testing.assert_array_equal(back.A(np.linspace(0, 1, 7)), scales.A(np.linspace(0, 1, 7)))


@pytest.mark.parametrize("curve", [LinearTable, LogSpline])
@pytest.mark.parametrize(
    ("s", "values", "message"),
    [
        ((0.0,), (1.0,), "two or more rows"),
        ((0.0, 1.0), (1.0,), "as many s as values"),
        ((0.0, math.nan, 1.0), (1.0, 1.0, 1.0), "not finite"),
        ((0.0, 0.5, 1.0), (1.0, math.inf, 1.0), "not finite"),
        ((0.0, 0.6, 0.5, 1.0), (1.0, 1.0, 1.0, 1.0), "0.6 is followed by 0.5"),
        ((0.0, 0.5, 0.5, 1.0), (1.0, 1.0, 1.0, 1.0), "ascend strictly"),
        ((0.1, 1.0), (1.0, 1.0), "from 0 to 1, but run from 0.1 to 1"),
        ((0.0, 0.9), (1.0, 1.0), "from 0 to 1, but run from 0 to 0.9"),
        ((0.0, 0.5, 1.0), (1.0, -0.1, 1.0), r"-0.1 GHz at s = 0.5"),
        (("zero", "one"), (1.0, 1.0), "number"),
    ],
)
def test_tables_that_are_refused(curve, s, values, message):
    with pytest.raises(EnergyScalesError, match=message):
        curve(s, values)


def test_zero_is_allowed_in_a_table_but_not_under_a_logarithm():
    assert float(LinearTable((0.0, 1.0), (1.0, 0.0))(1.0)) == 0.0
    with pytest.raises(EnergyScalesError, match="0 GHz at s = 1"):
        LogSpline((0.0, 1.0), (1.0, 0.0))


@pytest.mark.parametrize("coefficients", [(), (math.nan,), (math.inf, 1.0), (1e60,), ((1.0, 2.0),), ("a",)])
def test_coefficients_that_are_no_polynomial_are_refused(coefficients):
    with pytest.raises(EnergyScalesError, match="coefficient"):
        Polynomial(coefficients)


def test_only_curves_are_energy_scales():
    with pytest.raises(EnergyScalesError, match=r"A\(s\) must be a LinearTable, .* make a table of another function"):
        EnergyScales("mine", lambda s: s, Polynomial((1.0,)))


def test_tables_of_numbers_beyond_all_energies_are_refused():
    with pytest.raises(EnergyScalesError, match="must be finite and not exceed 1e"):
        LinearTable((0.0, 1.0), (1e60, 0.0))
