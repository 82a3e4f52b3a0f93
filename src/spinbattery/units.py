"""Units: time in ns, energies divided by Planck's constant in GHz, powers in W.

The propagator is ``exp(-i 2 pi H t)`` with H in GHz and t in ns: the 2 pi belongs there.
"""

from __future__ import annotations

import math
import re
from numbers import Real
from typing import SupportsFloat

import numpy as np

from .errors import InvalidParameterError

TWO_PI = 2.0 * math.pi
"""Angular frequency (rad/ns) of an energy of 1 GHz."""

PLANCK_CONSTANT = 6.62607015e-34
"""J s, exact in the SI of 2019."""

GHZ_IN_JOULE = PLANCK_CONSTANT * 1e9
"""Energy of 1 GHz in joule."""

BOLTZMANN_GHZ_PER_KELVIN = 1.380649e-23 / GHZ_IN_JOULE
"""kT/h of one kelvin, in GHz."""

NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?", re.ASCII)
"""A number as files have it: no blanks, no underscores, no names such as nan."""

_LARGEST = 1e50
"""Beyond this, squares and sums of squares would leave the range of floats."""

_LARGEST_WHOLE = (1 << 63) - 1
"""More is no integer of arrays and files."""

_TIME_UNITS_NS = {"ps": 1e-3, "ns": 1.0, "us": 1e3, "µs": 1e3, "μs": 1e3, "ms": 1e6, "s": 1e9}
_DURATION = re.compile(r"\s*([-+]?[0-9.]+(?:[eE][-+]?[0-9]+)?)\s*([a-zA-Zµμ]*)\s*")


ROUNDING = 1e-9
"""Fractions of a whole that are off by less are meant to be exact."""


def apart(*values: SupportsFloat) -> list[str]:
    """Numbers as text, with the six digits that suit a message, or as many as tell unequal ones apart."""
    numbers = [float(value) for value in values]
    for digits in range(6, 17):
        texts = [f"{number:.{digits}g}" for number in numbers]
        if len(set(texts)) == len(set(numbers)):
            return texts
    return [f"{number:.17g}" for number in numbers]


def within_unit(value: float) -> float:
    """A fraction outside [0, 1] by no more than rounding as 0 or 1; others as they are."""
    nearest = min(max(value, 0.0), 1.0)
    return nearest if abs(value - nearest) <= ROUNDING else value


def finite(name: str, value: SupportsFloat) -> float:
    """Return ``value`` as a float.

    Raises:
        InvalidParameterError: if it is no real number, NaN or infinite.
    """
    if isinstance(value, bool) or not isinstance(value, (Real, SupportsFloat)):
        raise InvalidParameterError(f"{name} must be a real number, but is {value!r}.")
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise InvalidParameterError(f"{name} must be a real number, but is {value!r}.") from None
    except OverflowError:
        raise InvalidParameterError(f"{name} must not exceed {_LARGEST:g} in magnitude, but is {value!r}.") from None
    if not math.isfinite(number):
        raise InvalidParameterError(f"{name} must be finite, but is {number}.")
    if abs(number) > _LARGEST:
        size, limit = apart(number, math.copysign(_LARGEST, number))
        raise InvalidParameterError(f"{name} must not exceed {limit.lstrip('-')} in magnitude, but is {size}.")
    return number + 0.0  # -0.0 and 0.0 are one value and must have one hash


def positive(name: str, value: SupportsFloat) -> float:
    """Return ``value`` as a float, checked to be finite and above zero."""
    number = finite(name, value)
    if number < 1.0 / _LARGEST:
        raise InvalidParameterError(f"{name} must be above zero, but is {number:g}.")
    return number


def whole_number(name: str, value: int, least: int = 1) -> int:
    """Return ``value`` as an int.

    Raises:
        InvalidParameterError: it is no whole number, or below ``least``.
    """
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        raise InvalidParameterError(f"{name} must be a whole number of {least} or more, but is {value!r}.")
    if value > _LARGEST_WHOLE:
        raise InvalidParameterError(f"{name} must not exceed 2^63 - 1, but is {value!r}.")
    return int(value)


def parse_duration(text: str) -> float:
    """Duration in ns from a text with its unit, such as ``20ns`` or ``60us``.

    Raises:
        InvalidParameterError: for a bare number (60 ns and 60 us differ by a thousand, so the unit
            is never guessed), an unknown unit, or a duration that is not above zero.
    """
    units = "ps, ns, us, ms, s"
    if not isinstance(text, str):
        raise InvalidParameterError(f"duration must be text with a unit ({units}), such as '20ns', but is {text!r}.")
    match = _DURATION.fullmatch(text)
    if match is None:
        raise InvalidParameterError(f"duration must be a number with a unit ({units}), such as 20ns, but is {text!r}.")
    number, unit = match.groups()
    if not unit:
        raise InvalidParameterError(
            f"duration {text!r} has no unit; write {number}ns or {number}us. The paper uses both, "
            "a factor of a thousand apart, so none is assumed."
        )
    if unit not in _TIME_UNITS_NS:
        raise InvalidParameterError(f"duration {text!r} has an unknown unit; use one of {units}.")
    try:
        value = float(number)
    except ValueError:
        raise InvalidParameterError(f"duration {text!r} does not begin with a number.") from None
    return positive("duration", value * _TIME_UNITS_NS[unit])
