"""What callers pass, checked: kinds of objects, names among known ones, arrays of numbers."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from typing import Any, TypeVar

import numpy as np

from ._typing import FloatArray
from .errors import InvalidParameterError, did_you_mean
from .units import finite

T = TypeVar("T")


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


def real_numbers(what: str, given: Any) -> FloatArray:
    """An array of floats of any shape, maybe not finite.

    Raises:
        InvalidParameterError: no numbers, complex ones, rows of unequal lengths, or beyond the range of floats.
    """
    try:
        return np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        raise InvalidParameterError(f"{what} must be a real number or an array of them, but is {given!r}.") from None


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
