"""Checks of arguments that several analyses share."""

from __future__ import annotations

import numpy as np

from ..errors import InvalidParameterError


def whole_number(name: str, value: int, least: int = 1) -> int:
    """Return ``value`` as an int.

    Raises:
        InvalidParameterError: it is no whole number, or below ``least``.
    """
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        raise InvalidParameterError(f"{name} must be a whole number of at least {least}, but is {value!r}.")
    return int(value)
