"""SQL conditions from the filters that users write."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from typing import Any

from ..core.errors import InvalidParameterError, did_you_mean
from ..model.durations import parse_duration
from ..model.noise import Noise, as_noise
from ..records.columns import columns

_SAME = 1e-9
"""Numbers that differ by less than this fraction are equal: 0.1 + 0.2 finds 0.3."""


def conditions(filters: Mapping[str, Any]) -> tuple[str, list[Any]]:
    """SQL condition and its values.

    A value asks for equality, a list for any of its members, a slice for a range with both ends, None
    for unknown values; a duration may have a unit, such as ``60ns``, and noise is a text such as
    ``x:1e-3/ns``, or ``none``.

    Raises:
        InvalidParameterError: no such column (the message names the nearest), or a value of the wrong kind.
    """
    parts: list[str] = []
    values: list[Any] = []
    for name, wanted in filters.items():
        if name not in columns():
            raise InvalidParameterError(
                f"runs have no {name!r}; they can be filtered by {', '.join(columns())}.{did_you_mean(name, columns())}"
            )
        condition, bound = _one(name, wanted)
        parts.append(condition)
        values.extend(bound)
    return " AND ".join(parts), values


def _one(name: str, wanted: Any) -> tuple[str, list[Any]]:
    if _is_unknown(name, wanted):
        return f'"{name}" IS NULL', []
    if isinstance(wanted, slice):
        return _range(name, wanted)
    if isinstance(wanted, Iterable) and not isinstance(wanted, str) and getattr(wanted, "ndim", None) != 0:
        return _any_of(name, list(wanted))
    return _equal_to_any(name, [wanted])


def _is_unknown(name: str, wanted: Any) -> bool:
    """Whether runs with an unknown value are wanted."""
    return wanted is None or (name == "noise" and isinstance(wanted, str | Noise) and not as_noise(wanted))


def _any_of(name: str, wanted: list[Any]) -> tuple[str, list[Any]]:
    if not wanted:
        raise InvalidParameterError(f"the list for {name} is empty, so no run could fulfil it; name one or more.")
    single = [member for member in wanted if not (_is_unknown(name, member) or isinstance(member, slice))]
    members = [_one(name, member) for member in wanted if _is_unknown(name, member) or isinstance(member, slice)]
    members += [_equal_to_any(name, single)] if single else []
    joined = " OR ".join(f"({condition})" for condition, _ in members)
    return f"({joined})", [value for _, bound in members for value in bound]


def _equal_to_any(name: str, wanted: list[Any]) -> tuple[str, list[Any]]:
    """One bound value for a list of any length: SQLite limits their number, and the depth of conditions."""
    values = json.dumps([_value(name, one) for one in wanted])
    if name == "key":  # the first digits suffice
        return "EXISTS (SELECT 1 FROM json_each(?) WHERE runs.key LIKE value || '%')", [values]
    if columns()[name].kind == "TEXT":
        return f'"{name}" IN (SELECT value FROM json_each(?))', [values]
    return f'EXISTS (SELECT 1 FROM json_each(?) WHERE ABS("{name}" - value) <= {_SAME} * ABS(value))', [values]


def _range(name: str, wanted: slice) -> tuple[str, list[Any]]:
    if wanted.step is not None or (wanted.start is None and wanted.stop is None):
        raise InvalidParameterError(f"a range of {name} is slice(lowest, highest), either of them None, with no step.")
    parts: list[str] = []
    values: list[Any] = []
    for sign, bound in ((">=", wanted.start), ("<=", wanted.stop)):
        if bound is not None:
            value = _value(name, bound)
            parts.append(f'"{name}" {sign} ?')
            if not isinstance(value, str):
                value += (_SAME if sign == "<=" else -_SAME) * abs(value)
            values.append(value)
    return " AND ".join(parts), values


def _value(name: str, wanted: Any) -> str | float:
    if getattr(wanted, "ndim", None) == 0:  # one element of an array
        wanted = wanted.item()
    if name == "noise":
        return str(as_noise(wanted))
    if columns()[name].kind == "TEXT":
        return str(wanted)
    if name == "duration" and isinstance(wanted, str):
        return parse_duration(wanted)
    try:
        value = math.nan if isinstance(wanted, bool) else float(wanted)
    except (TypeError, ValueError, OverflowError):
        value = math.nan
    if not math.isfinite(value):
        raise InvalidParameterError(
            f"{name} is a number, but the filter asks for {wanted!r}; a range is open where an end is None."
        )
    return value
