"""Durations as text with a unit."""

from __future__ import annotations

import re

from ..core.checks import positive
from ..core.errors import InvalidParameterError

_TIME_UNITS_NS = {"ps": 1e-3, "ns": 1.0, "us": 1e3, "µs": 1e3, "μs": 1e3, "ms": 1e6, "s": 1e9}
_DURATION = re.compile(r"\s*([-+]?[0-9.]+(?:[eE][-+]?[0-9]+)?)\s*([a-zA-Zµμ]*)\s*")


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
