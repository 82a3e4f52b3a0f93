"""Options of engines, each declared once: from the declaration come flags, columns, curves and tables."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from functools import cache
from types import MappingProxyType
from typing import Any, Literal

from ..core.plugins import ENGINE_GROUP, plugins

Kind = Literal["TEXT", "REAL", "INTEGER"]


@dataclass(frozen=True)
class Column:
    """A column of stores and tables: SQLite type, meaning, and unit (``1`` where it has none)."""

    kind: Kind
    meaning: str
    unit: str = "1"


@dataclass(frozen=True)
class Option:
    """What is said of an engine's option beside its type and default.

    Attributes:
        help: one sentence for the command line and the table of engines; without it there is no flag.
        column: where stores keep it; None for an option that can only be found in ``engine_options``.
        curve: whether runs with different values are different physics, so that no fit may join them.
        later: whether engines did not always have it; left at its default it then changes no run key.
        read: makes the value of the text on the command line, where its type alone does not say how; raises
            ``InvalidParameterError``.
        least: smallest value that the command line takes.
    """

    help: str = ""
    column: Column | None = None
    curve: bool = False
    later: bool = False
    read: Callable[[str], Any] | None = None
    least: int | None = None


_KEY = "spinbattery option"
_UNDECLARED = Option()


def option(
    help: str = "",
    *,
    column: Column | None = None,
    curve: bool = False,
    later: bool = False,
    read: Callable[[str], Any] | None = None,
    least: int | None = None,
) -> Mapping[str, Option]:
    """Metadata of an engine's dataclass field; arguments as in :class:`Option`.

    Example:
        >>> from dataclasses import field
        >>> reads: int = field(default=1000, metadata=option("Number of reads.", least=2))  # doctest: +SKIP
    """
    return MappingProxyType({_KEY: Option(help, column, curve, later, read, least)})


def options_of(engine: type[Any]) -> dict[str, Option]:
    """Declarations of an engine's options by name, in the order of its fields."""
    return {field.name: field.metadata.get(_KEY, _UNDECLARED) for field in fields(engine)}


def added_later(engine: type[Any]) -> dict[str, Any]:
    """Defaults of the options that engines did not always have."""
    return {
        field.name: field.default
        for field in fields(engine)
        if field.metadata.get(_KEY, _UNDECLARED).later and field.default is not MISSING
    }


@cache
def engine_classes() -> Mapping[str, type[Any]]:
    """Engines that are installed, by name; what is no dataclass with that name is left out with a warning."""
    found = {}
    for name, kind in plugins(ENGINE_GROUP).items():
        if isinstance(kind, type) and is_dataclass(kind) and getattr(kind, "name", None) == name:
            found[name] = kind
        else:
            warnings.warn(f"the plug-in {kind!r} is left out: it is no engine with the name {name!r}.", stacklevel=2)
    return MappingProxyType(found)


@cache
def option_columns() -> Mapping[str, Column]:
    """Columns of the options of all engines that are installed; the first declaration of a name counts."""
    found: dict[str, Column] = {}
    for engine in engine_classes().values():
        for name, declared in options_of(engine).items():
            if declared.column is not None:
                found.setdefault(name, declared.column)
    return MappingProxyType(found)


@cache
def curve_options() -> tuple[str, ...]:
    """Columns of options that are one value along a curve."""
    engines = engine_classes().values()
    return tuple(
        name for name in option_columns() if any(options_of(engine).get(name, _UNDECLARED).curve for engine in engines)
    )
