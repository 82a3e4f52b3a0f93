"""Reading of a solver's properties: what is absent is None, what is malformed is an error."""

from __future__ import annotations

import math
import numbers
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..core.errors import InvalidParameterError
from ..core.typing import IntArray


class MachineLimit(str):
    """Sentence of a broken rule that binds a machine, and an emulation only where that is asked for.

    Ranges, counts, durations, slopes and the steps of times are such; a request that is malformed is not.
    """

    __slots__ = ()


def is_real(value: Any) -> bool:
    """Whether this is a finite real number (a bool is none)."""
    return not isinstance(value, bool) and isinstance(value, numbers.Real) and math.isfinite(value)


def is_whole(value: Any) -> bool:
    """Whether this is an integer (a bool is none, nor is 3.0)."""
    return not isinstance(value, bool) and isinstance(value, numbers.Integral)


def number(properties: Mapping[str, Any], name: str) -> float | None:
    """A number, or None where the solver does not publish it.

    Raises:
        InvalidParameterError: it is no finite number.
    """
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
    """An array of qubit numbers (ndim 1) or pairs of them (ndim 2), or None where the solver does not publish it.

    Raises:
        InvalidParameterError: entries are not integers, or not pairs where ndim is 2.
    """
    value = properties.get(name)
    if value is None:
        return None
    what = "a list of qubit numbers" if ndim == 1 else "a list of pairs of qubit numbers"
    try:
        array = np.asarray(value)
    except ValueError:
        raise _malformed(name, what, value) from None
    if array.size == 0:
        return np.empty((0, 2)[:ndim], dtype=np.int64)
    if array.ndim != ndim or (ndim == 2 and array.shape[1] != 2) or array.dtype.kind not in "iu":
        raise _malformed(name, what, value)
    return array.astype(np.int64, copy=False)


def _malformed(name: str, what: str, value: Any) -> InvalidParameterError:
    shown = repr(value)
    shown = shown if len(shown) <= 80 else f"{shown[:77]}..."
    return InvalidParameterError(f"the solver's property {name!r} must be {what}, but is {shown}.")
