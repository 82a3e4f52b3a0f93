"""Numbers with units: what is read, and what is refused."""

from __future__ import annotations

import math

import numpy as np
import pytest

from spinbattery.core import units
from spinbattery.core.errors import InvalidParameterError


def test_one_gigahertz_turns_a_full_circle_in_one_nanosecond():
    assert math.isclose(units.TWO_PI, math.tau, rel_tol=0.0)
    assert math.isclose(units.GHZ_IN_JOULE, 6.62607015e-25, rel_tol=1e-15)


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("20ns", 20.0),
        ("60us", 60e3),
        ("60\u00b5s", 60e3),
        ("60\u03bcs", 60e3),
        ("250ps", 0.25),
        ("1.5 ms", 1.5e6),
        (" 2e-3s ", 2e6),
        ("1E2ns", 100.0),
        (".5ns", 0.5),
        ("+3ns", 3.0),
    ],
)
def test_durations_are_read_in_every_unit(text, nanoseconds):
    assert units.parse_duration(text) == pytest.approx(nanoseconds, rel=1e-14)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("60", r"has no unit; write 60ns or 60us"),
        ("20 fortnights", "unknown unit"),
        ("20NS", "unknown unit"),
        ("", "a number with a unit"),
        ("ns", "a number with a unit"),
        ("20ns30", "a number with a unit"),
        ("1.2.3ns", "does not begin with a number"),
        ("0ns", "above zero"),
        ("-5ns", "above zero"),
        ("1e999ns", "finite"),
        ("nanns", "a number with a unit"),
    ],
)
def test_durations_that_are_refused(text, message):
    with pytest.raises(InvalidParameterError, match=message):
        units.parse_duration(text)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, "1", None, True, 1j, [1.0], np.array([1.0, 2.0])])
def test_only_finite_real_numbers_pass(value):
    with pytest.raises(InvalidParameterError, match="x must be"):
        units.finite("x", value)


@pytest.mark.parametrize("value", [2, 2.0, np.float32(2.0), np.int64(2), np.array(2.0)])
def test_numbers_of_every_kind_become_floats(value):
    number = units.positive("x", value)
    assert type(number) is float
    assert number == 2.0


@pytest.mark.parametrize("value", [0, -1.0, -1e-300])
def test_positive_refuses_zero_and_below(value):
    with pytest.raises(InvalidParameterError, match="above zero"):
        units.positive("x", value)
