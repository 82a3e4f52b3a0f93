"""Units and constants."""

from __future__ import annotations

import math

from spinbattery.core import units


def test_one_gigahertz_turns_a_full_circle_in_one_nanosecond():
    assert math.isclose(units.TWO_PI, math.tau, rel_tol=0.0)
    assert math.isclose(units.GHZ_IN_JOULE, 6.62607015e-25, rel_tol=1e-15)
