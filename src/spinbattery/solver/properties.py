"""Reads a solver's properties: None for an absent one, an error for a malformed one."""

from __future__ import annotations

import math
import numbers
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..core.checks import ROUNDING
from ..core.errors import InvalidParameterError
from ..core.typing import IntArray

_LONGEST = 80


class MachineLimit(str):
    """Sentence of a broken rule that binds a machine, and an emulation only where the user asks for it.

    Ranges, counts, durations, slopes and the resolution of times are such limits; a malformed request is not.
    """

    __slots__ = ()


def is_real(value: Any) -> bool:
    """Whether this is a finite real number (a bool is none)."""
    return not isinstance(value, bool) and isinstance(value, numbers.Real) and math.isfinite(value)


def is_whole(value: Any) -> bool:
    """Whether this is an integer (a bool is none, nor is 3.0)."""
    return not isinstance(value, bool) and isinstance(value, numbers.Integral)


def beyond(value: Any, limit: float) -> Any:
    """Whether a value, or each of an array, is above a limit by more than rounding."""
    return value > limit + ROUNDING * max(1.0, abs(limit))


def number(properties: Mapping[str, Any], name: str) -> float | None:
    """A number, or None where the solver does not publish it; InvalidParameterError where it is not finite."""
    value = properties.get(name)
    if value is None:
        return None
    if not is_real(value):
        raise _malformed(name, "a finite number", value)
    return float(value)


def interval(properties: Mapping[str, Any], name: str) -> tuple[float, float] | None:
    """The two ends of a range, or None where the solver does not publish it.

    Raises:
        InvalidParameterError: it is not two finite numbers, the lower one first.
    """
    value = properties.get(name)
    if value is None:
        return None
    try:
        low, high = value
    except (TypeError, ValueError):
        raise _malformed(name, "a pair [lowest, highest]", value) from None
    if not (is_real(low) and is_real(high) and low <= high):
        raise _malformed(name, "a pair [lowest, highest] of finite numbers", value)
    return float(low), float(high)


def integers(properties: Mapping[str, Any], name: str, ndim: int) -> IntArray | None:
    """Qubit numbers (ndim 1) or pairs of them (ndim 2), or None where the solver does not publish them.

    Raises:
        InvalidParameterError: entries are not integers, or not pairs where ndim is 2.
    """
    if properties.get(name) is None:
        return None
    found = integer_array(properties[name], ndim)
    if found is None:
        what = "a list of qubit numbers" if ndim == 1 else "a list of pairs of qubit numbers"
        raise _malformed(name, what, properties[name])
    return found


def integer_array(values: Any, ndim: int) -> IntArray | None:
    """Integers (ndim 1) or pairs of them (ndim 2) as an array; None where the values are something else."""
    try:
        array = np.asarray(values)
    except ValueError:  # rows of unequal lengths
        return None
    if array.shape[:1] == (0,):
        return np.empty((0, 2)[:ndim], dtype=np.int64)
    if array.ndim != ndim or array.shape[1:] != (2,)[: ndim - 1] or array.dtype.kind not in "iu":
        return None
    return array.astype(np.int64, copy=False)


def shown(value: Any) -> str:
    """A value for a message, shortened."""
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def _malformed(name: str, what: str, value: Any) -> InvalidParameterError:
    return InvalidParameterError(f"the solver's property {name!r} must be {what}, but is {shown(value)}.")
