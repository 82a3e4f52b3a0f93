"""Transverse field over coupling, and the s at which a transition lies."""

from __future__ import annotations

import doctest

import numpy as np
import pytest

import spinbattery as sb
from spinbattery.analysis import criticality
from spinbattery.analysis.criticality import CRITICAL_RATIOS, critical_fraction, field_ratio
from spinbattery.core.errors import EnergyScalesError, InvalidParameterError
from spinbattery.model.scales import LinearTable


def test_the_hold_of_the_paper_is_ordered_on_tori_and_disordered_on_rings():
    assert CRITICAL_RATIOS == {"ring": 1.0, "square lattice": 3.0445}
    assert float(field_ratio(0.35, -0.2)) == pytest.approx(2.427, abs=5e-4)
    assert critical_fraction(CRITICAL_RATIOS["square lattice"], -0.2) == pytest.approx(0.331, abs=5e-4)
    assert critical_fraction(CRITICAL_RATIOS["ring"], -0.2) == pytest.approx(0.419, abs=5e-4)
    assert critical_fraction(15.0, -0.2) == pytest.approx(0.188, abs=5e-4)  # mean field of 15 neighbours
    assert float(field_ratio(0.35, -0.5)) == pytest.approx(0.971, abs=5e-4)  # with the printed J, not on rings either


@pytest.mark.parametrize("ratio", [0.5, 1.0, 3.0445, 15.0])
def test_the_fraction_has_the_ratio_that_was_asked_for_whatever_the_sign_of_j(ratio):
    s = critical_fraction(ratio, 0.2)
    assert float(field_ratio(s, -0.2)) == pytest.approx(ratio, rel=1e-9)
    # the same ratio with twice the coupling is another s
    assert critical_fraction(0.5 * ratio, -0.4) == pytest.approx(s, abs=1e-9)


def test_of_several_passages_of_a_table_the_first_of_a_ramp_down_counts():
    table = sb.EnergyScales(
        "bumpy",
        LinearTable((0.0, 0.2, 0.4, 0.6, 0.8, 1.0), (8.0, 2.0, 0.5, 3.0, 0.5, 0.0)),
        LinearTable((0.0, 1.0), (1.0, 1.0)),
    )
    assert critical_fraction(1.0, -1.0, table) == pytest.approx(0.76)
    assert field_ratio([0.0, 0.6], -1.0, table).tolist() == [8.0, 3.0]
    with pytest.raises(InvalidParameterError, match="below 9 everywhere"):
        critical_fraction(9.0, -1.0, table)


def test_a_transverse_field_that_never_ends_is_above_still():
    table = sb.EnergyScales("flat", LinearTable((0.0, 1.0), (8.0, 2.0)), LinearTable((0.0, 1.0), (0.0, 1.0)))
    with pytest.raises(InvalidParameterError, match="above 1 still at s = 1"):
        critical_fraction(1.0, -1.0, table)
    with pytest.raises(InvalidParameterError, match=r"B\(s\) of flat is zero"):
        field_ratio(np.array([0.0, 0.5]), -1.0, table)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: field_ratio(1.5, -0.2), "within"),
        (lambda: field_ratio("half", -0.2), "s must be a real number or an array of them"),
        (lambda: field_ratio(np.nan, -0.2), "within"),
        (lambda: field_ratio(0.35, 0.0), "J is zero"),
        (lambda: field_ratio(0.35, "strong"), "J"),
        (lambda: critical_fraction(0.0, -0.2), "ratio"),
        (lambda: critical_fraction(1.0, 0.0), "J is zero"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(InvalidParameterError, match=message):
        call()


def test_scales_by_name_are_refused():
    with pytest.raises(EnergyScalesError, match="scales must be EnergyScales"):
        field_ratio(0.35, -0.2, "advantage")


def test_the_examples_of_the_docstrings_hold():
    assert doctest.testmod(criticality).failed == 0
