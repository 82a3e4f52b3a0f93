"""Durations with units."""

from __future__ import annotations

import pytest

from spinbattery.core.errors import InvalidParameterError
from spinbattery.model.durations import parse_duration


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
    assert parse_duration(text) == pytest.approx(nanoseconds, rel=1e-14)


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
        parse_duration(text)
