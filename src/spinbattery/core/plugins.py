"""Objects that installed packages offer under an entry-point group."""

from __future__ import annotations

import warnings
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

ENGINE_GROUP = "spinbattery.engines"
"""Subclasses of :class:`spinbattery.Engine`, by the engine's name."""

COMMAND_GROUP = "spinbattery.commands"
"""Functions that the command line offers, by the command's name."""

_OWN = "spinbattery"


@cache
def plugins(group: str) -> MappingProxyType[str, Any]:
    """What is offered under a group, by name; of two with one name spinbattery's own counts.

    A plug-in that cannot be imported is left out with a warning, so that it breaks no run of another.
    """
    from importlib.metadata import entry_points

    found: dict[str, Any] = {}
    for point in sorted(entry_points(group=group), key=_precedence):
        if point.name in found:
            warnings.warn(f"{point.value} is left out: {group} has another {point.name!r}.", stacklevel=2)
            continue
        try:
            found[point.name] = point.load()
        except Exception as error:  # whatever a foreign module raises when it is imported
            if _is_own(point):
                raise
            warnings.warn(f"the plug-in {point.value} is left out: {error!r}.", stacklevel=2)
    return MappingProxyType(found)


def _is_own(point: EntryPoint) -> bool:
    return point.dist is not None and point.dist.name == _OWN


def _precedence(point: EntryPoint) -> tuple[bool, str]:
    return not _is_own(point), point.name
