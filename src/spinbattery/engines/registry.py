"""The engines that are installed, by name: ours and those of other packages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any

from ..core.errors import EngineError, InvalidParameterError, did_you_mean
from ..records.options import engine_classes, options_of
from .common.contract import Accuracy, Engine

AUTO = "auto"
"""Name under which a caller leaves the choice to the problem."""


@cache
def engines() -> Mapping[str, type[Engine]]:
    """Engines that have a name alone, exact ones first; an annealer needs a sampler, and is made in Python."""
    found: dict[str, type[Engine]] = {name: kind for name, kind in engine_classes().items() if issubclass(kind, Engine)}
    order = list(Accuracy)
    return MappingProxyType(dict(sorted(found.items(), key=lambda one: (order.index(one[1].accuracy), one[0]))))


def engine_type(name: str) -> type[Engine]:
    """Class of an engine from its name.

    Raises:
        EngineError: no engine of that name; the message says which exist.
    """
    known = engines()
    if name not in known:
        hint = did_you_mean(name, known)
        if name == "annealer":
            hint = " For an annealer, make Annealer(sampler=...) in Python."
        raise EngineError(f"unknown engine {name!r}; there are {AUTO}, {', '.join(known)}.{hint}")
    return known[name]


def has_option(kind: type[Engine], name: str) -> bool:
    """Whether an engine has an option."""
    return name in options_of(kind)


def make_engine(name: str, options: Mapping[str, Any]) -> Engine:
    """An engine from its name and options.

    Raises:
        EngineError: no engine of that name.
        InvalidParameterError: an option that it has not; the message names the nearest, and engines that have it.
    """
    if name == AUTO:
        raise InvalidParameterError(
            f"the engine {AUTO} takes no {', '.join(options)}, since engines differ in their options; name an engine."
        )
    kind = engine_type(name)
    known = list(options_of(kind))
    for option in options:
        if option not in known:
            able = [other for other, its in engines().items() if has_option(its, option)]
            remedy = f" Engines with {option!r}: {', '.join(able)}." if able else did_you_mean(option, known)
            raise InvalidParameterError(
                f"the {name} engine has no option {option!r}; it has {', '.join(known)}.{remedy}"
            )
    return kind(**options)


@dataclass(frozen=True)
class EngineEntry:
    """A row of the table of engines."""

    name: str
    computes: str
    takes: str
    noise: bool
    accuracy: str
    options: tuple[str, ...]


def engine_table() -> list[EngineEntry]:
    """What each engine computes, takes and keeps, as the command line and the docs show it."""
    return [
        EngineEntry(name, kind.summary, kind.takes, kind.takes_noise, kind.accuracy.value, tuple(options_of(kind)))
        for name, kind in engines().items()
    ]
