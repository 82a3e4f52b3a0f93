"""What callers pass, checked: kinds of objects, names among known ones, arrays of numbers."""

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
"""A number as files have it: no blanks, no underscores, no names such as nan."""

_LARGEST = 1e50
"""Beyond this, squares and sums of squares would leave the range of floats."""

_LARGEST_WHOLE = (1 << 63) - 1
"""More is no integer of arrays and files."""


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


def whole_number(name: str, value: Any, least: int = 1, error: type[Exception] = InvalidParameterError) -> int:
    """Return ``value`` as an int; raises ``error`` if it is no whole number or below ``least``."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        raise error(f"{name} must be a whole number of {least} or more, but is {value!r}.")
    if value > _LARGEST_WHOLE:
        raise error(f"{name} must not exceed 2^63 - 1, but is {value!r}.")
    return int(value)


def instance(what: str, given: Any, kind: type[T], remedy: str = "") -> T:
    """What was given, if it is of a kind.

    Args:
        what: it is, for the message.
        given: by the caller.
        kind: that it must be of.
        remedy: how to make one.

    Raises:
        InvalidParameterError: it is of another kind.
    """
    if isinstance(given, kind):
        return given
    how = f" {remedy}" if remedy else ""
    raise InvalidParameterError(f"{what} must be a {kind.__name__}{how}, but is {given!r}.")


def is_one_of(given: Any, known: Container[str]) -> bool:
    """Whether it is one of some names; what is no text may not even be comparable with them."""
    return isinstance(given, str) and given in known


def check_choice(what: str, given: Any, known: Iterable[str]) -> None:
    """Raise :class:`InvalidParameterError` unless it is one of some names; the message lists them and the nearest."""
    known = list(known)
    if not is_one_of(given, known):
        hint = did_you_mean(given, known) if isinstance(given, str) else ""
        raise InvalidParameterError(f"{what} must be one of {', '.join(known)}, but is {given!r}.{hint}")


def switch(what: str, given: Any) -> bool:
    """A truth value as a bool.

    Raises:
        InvalidParameterError: it is neither true nor false.
    """
    if isinstance(given, bool | np.bool_):
        return bool(given)
    raise InvalidParameterError(f"{what} must be true or false, but is {given!r}.")


def real_numbers(what: str, given: Any, error: type[Exception] = InvalidParameterError) -> FloatArray:
    """An array of floats of any shape, maybe not finite.

    Raises ``error`` for anything but numbers, complex ones, rows of unequal lengths, and numbers beyond the range of
    floats.
    """
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
    if (np.abs(values[[0, -1]] - [0.0, 1.0]) <= ROUNDING).all() and (values[[0, -1]] != [0.0, 1.0]).any():
        values = values.copy()
        values[[0, -1]] = 0.0, 1.0
    if (late := np.flatnonzero(np.diff(values) <= 0.0)).size:
        before, after = apart(*values[late[0] : late[0] + 2])
        raise error(f"{what} must ascend strictly, but {before} is followed by {after}.")
    if values[0] != 0.0 or values[-1] != 1.0:
        first, last, _, _ = apart(values[0], values[-1], 0.0, 1.0)
        raise error(f"{what} must run from 0 to 1, but run from {first} to {last}{remedy}.")
    return values


def checked_mapping(what: str, given: Any) -> Mapping[Any, Any]:
    """What was given, if it is a mapping; an empty one for None.

    Raises:
        InvalidParameterError: it is none.
    """
    return {} if given is None else instance(what, given, Mapping)  # type: ignore[type-abstract]


def pair(what: str, given: Any) -> tuple[float, float]:
    """Two finite numbers.

    Raises:
        InvalidParameterError: they are no two, or not finite.
    """
    members = several(what, given)
    if len(members) != 2:
        raise InvalidParameterError(f"{what} must be two numbers, but is {given!r}.")
    return finite(what, members[0]), finite(what, members[1])


def several(what: str, given: Any) -> list[Any]:
    """The members of what can be gone through; a text is one thing.

    Raises:
        InvalidParameterError: it cannot be gone through.
    """
    try:
        if not isinstance(given, str | bytes | type):
            return list(given)
    except TypeError:
        pass
    raise InvalidParameterError(f"{what} must be several in a list, but is {given!r}.")
