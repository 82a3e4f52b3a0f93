"""Piecewise-linear control waveforms."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spinbattery import Waveform
from spinbattery.core.errors import SpinBatteryError, WaveformError

TRAPEZOID = Waveform(((0.0, 1.0), (0.25, 0.5), (0.75, 0.5), (1.0, 1.0)))


def test_values_are_interpolated_linearly_between_corners():
    u = np.array([0.0, 0.125, 0.25, 0.5, 0.875, 1.0])
    np.testing.assert_allclose(TRAPEZOID(u), [1.0, 0.75, 0.5, 0.5, 0.75, 1.0], rtol=1e-15)
    assert TRAPEZOID(np.zeros((2, 3))).shape == (2, 3)
    assert float(TRAPEZOID(0.125)) == pytest.approx(0.75)


def test_corners_are_reported():
    np.testing.assert_array_equal(TRAPEZOID.breakpoints, [0.0, 0.25, 0.75, 1.0])
    np.testing.assert_array_equal(TRAPEZOID.values, [1.0, 0.5, 0.5, 1.0])


def test_waveforms_are_equal_and_hashable_by_value():
    same = Waveform([[0, 1], [0.25, 0.5], [0.75, 0.5], [1, 1]])
    assert same == TRAPEZOID
    assert hash(same) == hash(TRAPEZOID)
    assert Waveform(((0.0, 1.0), (1.0, 1.0))) != TRAPEZOID


@pytest.mark.parametrize(
    ("points", "message"),
    [
        ((), "two or more"),
        (((0.0, 1.0),), "two or more"),
        (((0.0, 1.0, 2.0), (1.0, 1.0, 2.0)), "two or more"),
        ((0.0, 1.0), "two or more"),
        (((0.0, 1.0), (1.0,)), "an array of them"),
        ("ramp", "an array of them"),
        ((("start", 1.0), ("end", 1.0)), "an array of them"),
        (((0.0, math.nan), (1.0, 1.0)), "finite"),
        (((0.0, 1.0), (math.nan, 0.5), (1.0, 1.0)), "finite"),
        (((0.0, math.inf), (1.0, 1.0)), "finite"),
        (((0.0, 1.0), (0.6, 0.5), (0.4, 0.5), (1.0, 1.0)), "0.6 is followed by 0.4"),
        (((0.0, 1.0), (0.5, 0.5), (0.5, 1.0), (1.0, 1.0)), "ascend strictly"),
        (((0.1, 1.0), (1.0, 1.0)), "run from 0.1 to 1"),
        (((0.0, 1.0), (20.0, 1.0)), "use Waveform.from_times"),
    ],
)
def test_malformed_points_are_refused(points, message):
    with pytest.raises(WaveformError, match=message):
        Waveform(points)


def test_times_of_any_unit_become_fractions():
    waveform = Waveform.from_times([0.0, 5.0, 20.0], [1, 0.5, 1])
    assert waveform == Waveform(((0.0, 1.0), (0.25, 0.5), (1.0, 1.0)))
    assert Waveform.from_times(np.array([0.0, 0.1, 0.3]), np.array([0.0, 1.0, 0.0])).breakpoints[-1] == 1.0


@pytest.mark.parametrize(
    ("times", "values", "message"),
    [
        ([0.0, 1.0], [1.0], "same length"),
        ([0.0], [1.0], "above it"),
        ([], [], "above it"),
        ([0.0, 0.0], [1.0, 1.0], "above it"),
        ([0.0, -3.0], [1.0, 1.0], "above it"),
        ([0.0, math.nan], [1.0, 1.0], "above it"),
        ([0.0, math.inf], [1.0, 1.0], "finite"),
        ([1.0, 2.0], [1.0, 1.0], "start at 0 .* run from 1 to 2 ns"),
        ([0.0, "late"], [1.0, 1.0], "number"),
        ([0.0, 1.0], [1.0, "high"], "number"),
    ],
)
def test_malformed_times_are_refused(times, values, message):
    with pytest.raises(WaveformError, match=message) as caught:
        Waveform.from_times(times, values)
    assert isinstance(caught.value, SpinBatteryError)


def test_crossings_of_levels_leave_corners_out():
    np.testing.assert_allclose(TRAPEZOID.crossings([0.75]), [0.125, 0.875], rtol=1e-14)
    np.testing.assert_allclose(TRAPEZOID.crossings([0.6, 0.9]), [0.05, 0.2, 0.8, 0.95], rtol=1e-14)
    assert TRAPEZOID.crossings([0.5, 1.0]).size == 0
    assert TRAPEZOID.crossings([0.2, 1.5]).size == 0
    assert TRAPEZOID.crossings([]).size == 0


@given(
    st.lists(st.integers(1, 99), min_size=1, max_size=6, unique=True),
    st.lists(st.integers(-3, 3), min_size=8, max_size=8),
    st.integers(-3, 2),
)
def test_every_passage_of_a_level_is_found_once(inner, values, below):
    u = [0.0, *(k / 100.0 for k in sorted(inner)), 1.0]
    level = below + 0.5  # never a corner value
    waveform = Waveform(tuple(zip(u, values[: len(u)], strict=True)))
    crossings = waveform.crossings([level])
    np.testing.assert_allclose(waveform(crossings), level, atol=1e-12)
    above = np.array(waveform.values) > level
    assert len(crossings) == np.count_nonzero(above[1:] != above[:-1])
