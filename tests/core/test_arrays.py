"""Arrays of frozen objects, and their values."""

from __future__ import annotations

import numpy as np
import pytest

from spinbattery.core.arrays import distinct


@pytest.mark.parametrize("values", [[], [2.0], [3.0, 1.0, 3.0, 2.0, 1.0], [[1, 2], [2, 0]]], ids=str)
def test_distinct_values_are_those_of_numpy(values):
    array = np.array(values)
    np.testing.assert_array_equal(distinct(array), np.unique(array))
    assert distinct(array).dtype == array.dtype
