"""Checks of numbers."""

from __future__ import annotations

import math

import numpy as np
import pytest

from spinbattery.core.checks import finite, positive
from spinbattery.core.errors import InvalidParameterError


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, "1", None, True, 1j, [1.0], np.array([1.0, 2.0])])
def test_only_finite_real_numbers_pass(value):
    with pytest.raises(InvalidParameterError, match="x must be"):
        finite("x", value)


@pytest.mark.parametrize("value", [2, 2.0, np.float32(2.0), np.int64(2), np.array(2.0)])
def test_numbers_of_every_kind_become_floats(value):
    number = positive("x", value)
    assert type(number) is float
    assert number == 2.0


@pytest.mark.parametrize("value", [0, -1.0, -1e-300])
def test_positive_refuses_zero_and_below(value):
    with pytest.raises(InvalidParameterError, match="above zero"):
        positive("x", value)
