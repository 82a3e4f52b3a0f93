"""Conditions on runs, as users write them, turned into SQL."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..errors import InvalidParameterError, did_you_mean
from ..units import parse_duration
from .columns import COLUMNS

_SAME = 1e-9
"""Numbers closer than this fraction are one: 0.1 + 0.2 finds 0.3."""


def conditions(filters: Mapping[str, Any]) -> tuple[str, list[Any]]:
    """SQL condition and its values.

    A value asks for equality, a list for any of its members, a slice for a range with both ends, None
    for what is not known; a duration may have its unit, such as ``60ns``.

    Raises:
        InvalidParameterError: no such column (the message names the nearest), or a value of the wrong kind.
    """
    parts: list[str] = []
    values: list[Any] = []
    for name, wanted in filters.items():
        if name not in COLUMNS:
            raise InvalidParameterError(
                f"runs have no {name!r}; they can be filtered by {', '.join(COLUMNS)}.{did_you_mean(name, COLUMNS)}"
            )
        condition, bound = _one(name, wanted)
        parts.append(condition)
        values.extend(bound)
    return " AND ".join(parts), values


def _one(name: str, wanted: Any) -> tuple[str, list[Any]]:
    if wanted is None:
        return f"{name} IS NULL", []
    if isinstance(wanted, slice):
        return _range(name, wanted)
    if isinstance(wanted, Iterable) and not isinstance(wanted, str):
        members = [_one(name, member) for member in wanted]
        if not members:
            raise InvalidParameterError(f"the list for {name} is empty, so no run could fulfil it; name one or more.")
        joined = " OR ".join(condition for condition, _ in members)
        return f"({joined})", [value for _, bound in members for value in bound]
    value = _value(name, wanted)
    if isinstance(value, str):
        return f"{name} = ?", [value]
    return f"ABS({name} - ?) <= ?", [value, _SAME * abs(value)]


def _range(name: str, wanted: slice) -> tuple[str, list[Any]]:
    if wanted.step is not None or (wanted.start is None and wanted.stop is None):
        raise InvalidParameterError(f"a range of {name} is slice(lowest, highest), either of them None, with no step.")
    parts: list[str] = []
    values: list[Any] = []
    for sign, bound in ((">=", wanted.start), ("<=", wanted.stop)):
        if bound is not None:
            value = _value(name, bound)
            parts.append(f"{name} {sign} ?")
            if not isinstance(value, str):
                value += (_SAME if sign == "<=" else -_SAME) * abs(value)
            values.append(value)
    return " AND ".join(parts), values


def _value(name: str, wanted: Any) -> str | float:
    if COLUMNS[name].kind == "TEXT":
        return str(wanted)
    if name == "duration" and isinstance(wanted, str):
        return parse_duration(wanted)
    try:
        return float(wanted)
    except (TypeError, ValueError):
        raise InvalidParameterError(f"{name} is a number, but is asked to be {wanted!r}.") from None
