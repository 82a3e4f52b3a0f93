"""Checks of arguments: types, names among known ones, numbers and arrays of numbers."""

from __future__ import annotations

import math
import re
from collections.abc import Container, Iterable, Mapping, Sequence
from numbers import Real
from typing import Any, SupportsFloat, TypeVar

import numpy as np

from .errors import InvalidParameterError, did_you_mean
from .typing import FloatArray

T = TypeVar("T")

NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?", re.ASCII)
"""A number in a file: no blanks, no underscores, no names such as nan."""

LARGEST = 1e50
"""Largest magnitude of an argument; sums of squares of larger ones would leave the range of floats."""

_LARGEST_WHOLE = (1 << 63) - 1
"""Largest integer that arrays and files can hold."""

ROUNDING = 1e-9
"""Relative deviations below this are rounding errors of the caller."""


def apart(*values: SupportsFloat) -> list[str]:
    """Numbers as text for a message: with six digits, or with as many as unequal ones need to look different."""
    numbers = [float(value) for value in values]
    for digits in range(6, 17):
        texts = [f"{number:.{digits}g}" for number in numbers]
        if len(set(texts)) == len(set(numbers)):
            return texts
    return [f"{number:.17g}" for number in numbers]


def within_unit(value: float) -> float:
    """The value, but 0 or 1 if it is outside [0, 1] or beside these ends by a rounding error only."""
    nearest = min(max(value, 0.0), 1.0)
    return nearest if abs(value - nearest) <= ROUNDING else value


def finite(name: str, value: SupportsFloat) -> float:
    """``value`` as a float.

    Raises:
        InvalidParameterError: not a real number, NaN, infinite, or beyond 1e50 in magnitude.
    """
    if isinstance(value, bool) or not isinstance(value, (Real, SupportsFloat)):
        raise InvalidParameterError(f"{name} must be a real number, but is {value!r}.")
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise InvalidParameterError(f"{name} must be a real number, but is {value!r}.") from None
    except OverflowError:
        raise InvalidParameterError(f"{name} must not exceed {LARGEST:g} in magnitude, but is {value!r}.") from None
    if not math.isfinite(number):
        raise InvalidParameterError(f"{name} must be finite, but is {number}.")
    if abs(number) > LARGEST:
        size, limit = apart(number, math.copysign(LARGEST, number))
        raise InvalidParameterError(f"{name} must not exceed {limit.lstrip('-')} in magnitude, but is {size}.")
    return number + 0.0  # -0.0 and 0.0 are one value and must have one hash


def positive(name: str, value: SupportsFloat) -> float:
    """``value`` as a float, checked to be finite and above zero."""
    number = finite(name, value)
    if number < 1.0 / LARGEST:
        raise InvalidParameterError(f"{name} must be above zero, but is {number:g}.")
    return number


def whole_number(name: str, value: Any, least: int = 1, error: type[Exception] = InvalidParameterError) -> int:
    """``value`` as an int; raises ``error`` if it is no whole number or below ``least``."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        raise error(f"{name} must be a whole number of {least} or more, but is {value!r}.")
    if value > _LARGEST_WHOLE:
        raise error(f"{name} must not exceed 2^63 - 1, but is {value!r}.")
    return int(value)


def instance(what: str, given: Any, kind: type[T], remedy: str = "") -> T:
    """``given``, checked to be a ``kind``; the message calls it ``what`` and says by ``remedy`` how to make one."""
    if isinstance(given, kind):
        return given
    how = f" {remedy}" if remedy else ""
    raise InvalidParameterError(f"{what} must be a {kind.__name__}{how}, but is {given!r}.")


def is_one_of(given: Any, known: Container[str]) -> bool:
    """Whether ``given`` is one of some names; objects that are no text may not even be comparable with them."""
    return isinstance(given, str) and given in known


def check_choice(what: str, given: Any, known: Iterable[str]) -> None:
    """Raise :class:`InvalidParameterError` unless ``given`` is a known name; the message lists them and the nearest."""
    known = list(known)
    if not is_one_of(given, known):
        hint = did_you_mean(given, known) if isinstance(given, str) else ""
        raise InvalidParameterError(f"{what} must be one of {', '.join(known)}, but is {given!r}.{hint}")


def switch(what: str, given: Any) -> bool:
    """``given`` as a bool, checked to be true or false."""
    if isinstance(given, bool | np.bool_):
        return bool(given)
    raise InvalidParameterError(f"{what} must be true or false, but is {given!r}.")


def real_numbers(what: str, given: Any, error: type[Exception] = InvalidParameterError) -> FloatArray:
    """``given`` as an array of floats of any shape, not checked to be finite; raises ``error`` for anything else."""
    try:
        return np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        raise error(f"{what} must be a real number or an array of them, but is {given!r}.") from None


def is_row(given: Any) -> bool:
    """Whether it has members in an order, as a list or an array of one or more dimensions has; a text is one thing."""
    if isinstance(given, np.ndarray):
        return given.ndim > 0
    return isinstance(given, Sequence) and not isinstance(given, str | bytes)


def unit_span(what: str, values: FloatArray, error: type[Exception], remedy: str = "") -> FloatArray:
    """Finite values that ascend from 0 to 1, with ends that are off by rounding made exact; others raise ``error``."""
    ends = float(values[0]), float(values[-1])
    if ends != (0.0, 1.0) and abs(ends[0]) <= ROUNDING and abs(ends[1] - 1.0) <= ROUNDING:
        values = values.copy()
        values[[0, -1]] = 0.0, 1.0
    if (late := np.flatnonzero(values[1:] <= values[:-1])).size:
        before, after = apart(*values[late[0] : late[0] + 2])
        raise error(f"{what} must ascend strictly, but {before} is followed by {after}.")
    if values[0] != 0.0 or values[-1] != 1.0:
        first, last, _, _ = apart(values[0], values[-1], 0.0, 1.0)
        raise error(f"{what} must run from 0 to 1, but run from {first} to {last}{remedy}.")
    return values


def checked_mapping(what: str, given: Any) -> Mapping[Any, Any]:
    """``given``, checked to be a mapping; an empty one for None."""
    return {} if given is None else instance(what, given, Mapping)  # type: ignore[type-abstract]


def pair(what: str, given: Any) -> tuple[float, float]:
    """``given`` as two finite numbers."""
    members = several(what, given)
    if len(members) != 2:
        raise InvalidParameterError(f"{what} must be two numbers, but is {given!r}.")
    return finite(what, members[0]), finite(what, members[1])


def several(what: str, given: Any) -> list[Any]:
    """The members of an iterable as a list; a text is no iterable here."""
    try:
        if not isinstance(given, str | bytes | type):
            return list(given)
    except TypeError:
        pass
    raise InvalidParameterError(f"{what} must be several in a list, but is {given!r}.")
