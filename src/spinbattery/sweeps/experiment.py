"""Experiment files: a sweep written down as TOML."""

from __future__ import annotations

import itertools
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..core.errors import InvalidParameterError, SpinBatteryError, did_you_mean
from ..core.paths import user_path
from ..engines.common.contract import Engine
from ..engines.registry import AUTO, engine_type, has_option, make_engine
from ..model.network import SpinNetwork
from ..model.network_text import parse_network
from ..model.problem import ChargingProblem
from ..model.recipe import ProtocolRecipe
from ..model.scales import EnergyScales, as_scales
from ..model.spreadsheet import from_spreadsheet
from ..model.topology import scales_for
from .plan import Plan, grid

Number: TypeAlias = Annotated[float, Field(allow_inf_nan=False)]
Numbers: TypeAlias = Annotated[list[Number], Field(min_length=1)]
_Made = TypeVar("_Made")

_REMEDIES = {
    "list_type": "must be a list in brackets, such as [{given!r}]",
    "too_short": "must not be empty",
    "missing": "is needed",
    "string_type": "must be text in quotes, but is {given!r}",
    "float_type": "must be a number, but is {given!r}",
    "int_type": "must be a whole number, but is {given!r}",
    "bool_type": "must be true or false, but is {given!r}",
    "finite_number": "must be finite",
}
"""What to say of the findings of pydantic that users come upon most."""

_SINGLE = ("str", "float", "EngineTable")
"""How pydantic names the forms of a value that may be one of these or a list."""


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class ProtocolTable(_Table):
    """``[[protocols]]``: a recipe; every list in it makes a grid of its own."""

    name: str
    duration: str | Annotated[list[str], Field(min_length=1)]
    J: Number | Numbers = -0.2
    field: Number | Numbers = -0.5
    s_hold: Number | Numbers = 0.35
    equal_cost: bool = False
    cost_reference: Number | None = None

    def recipes(self) -> list[ProtocolRecipe]:
        lists = [_listed(value) for value in (self.duration, self.J, self.field, self.s_hold)]
        return [
            ProtocolRecipe(self.name, duration, J, h, s_hold, self.equal_cost, self.cost_reference)
            for duration, J, h, s_hold in itertools.product(*lists)
        ]


class EngineTable(BaseModel):
    """``[[engines]]``: a name and the options of that engine."""

    model_config = ConfigDict(extra="allow", frozen=True, strict=True)

    name: str

    def build(self, tolerance: float | None) -> Engine:
        """The engine; ``tolerance`` is that of the file, for engines that have one and say no other."""
        options = dict(self.model_extra or {})
        if self.name == AUTO:
            raise InvalidParameterError("the engine auto takes no options here; give `tolerance` at the top instead.")
        if tolerance is not None and has_option(engine_type(self.name), "tolerance"):
            options.setdefault("tolerance", tolerance)
        return make_engine(self.name, options)


BY_FILE = "energy_scales = FILE in the experiment file"
"""How experiment files give energy scales."""


class Experiment(_Table):
    """A whole file.

    Attributes:
        networks: text forms; files are looked up beside the experiment file.
        protocols: recipes, each with lists where it is a grid.
        engines: names, or tables with options; ``auto`` by default.
        tolerance: of engines that say no other.
        seeds: repetitions of engines that take a seed.
        points: equally spaced output times of each run.
        crosstalk: J_CT, on the pairs named by ``crosstalk_pairs``; a list is one more axis of the grid.
        noise: text forms such as ``x:1e-3/ns``, or ``none``; a list is one more axis of the grid.
        energy_scales, sheet: file with A(s), B(s), looked up beside the experiment file.
        title: for the reader.
    """

    networks: list[str] = Field(min_length=1)
    protocols: list[ProtocolTable] = Field(min_length=1)
    engines: str | Annotated[list[str | EngineTable], Field(min_length=1)] = "auto"
    tolerance: Number | None = None
    seeds: list[int] | None = None
    points: int | None = None
    crosstalk: Number | Numbers = 0.0
    crosstalk_pairs: Literal["neighbours", "all"] = "neighbours"
    noise: str | Annotated[list[str], Field(min_length=1)] = "none"
    energy_scales: str | None = None
    sheet: str | None = None
    title: str = ""

    def plan(self, folder: Path) -> Plan:
        """The definite grid; relative paths start at ``folder``.

        Raises:
            SpinBatteryError: anything a single run would be refused for.
        """
        engines = [self.engines] if isinstance(self.engines, str) else self.engines
        networks = self._networks(folder)
        return grid(
            networks,
            [recipe for table in self.protocols for recipe in table.recipes()],
            scales=self._scales(folder, networks),
            noise=self.noise,
            engines=[engine if isinstance(engine, str) else engine.build(self.tolerance) for engine in engines],
            seeds=self.seeds,
            tolerance=self.tolerance if any(isinstance(engine, str) for engine in engines) else None,
            points=self.points,
        )

    def problems(self, folder: Path, place: Callable[[SpinNetwork], SpinNetwork]) -> list[ChargingProblem]:
        """Every network, as ``place`` puts it on a device, with every protocol; engines do not matter."""
        if _listed(self.noise) != ["none"]:
            raise InvalidParameterError(
                "a device has the noise it has; leave noise out of a file that is to run on one."
            )
        networks = [place(network) for network in self._networks(folder)]
        scales = self._scales(folder, networks)
        recipes = [recipe for table in self.protocols for recipe in table.recipes()]
        return [
            ChargingProblem(network, recipe.build(network, scales), scales)
            for network in networks
            for recipe in recipes
        ]

    def _networks(self, folder: Path) -> list[SpinNetwork]:
        if self.crosstalk_pairs == "all" and not any(_listed(self.crosstalk)):
            raise InvalidParameterError("crosstalk_pairs says where, but crosstalk does not say how much; give both.")
        found = []
        for text, crosstalk in itertools.product(self.networks, _listed(self.crosstalk)):
            kind, _, name = text.partition(":")
            network = parse_network(f"{kind}:{folder / user_path(name)}" if kind in ("file", "solver") else text)
            found.append(network.with_crosstalk(crosstalk, self.crosstalk_pairs) if crosstalk else network)
        return found

    def _scales(self, folder: Path, networks: list[SpinNetwork]) -> EnergyScales:
        given = None
        if self.energy_scales is not None:
            given = from_spreadsheet(folder / user_path(self.energy_scales), self.sheet)
        elif self.sheet is not None:
            raise InvalidParameterError("sheet names a sheet of energy_scales; give both.")
        for network in networks:
            scales_for(network, given, BY_FILE)
        return as_scales(given)


def read_experiment(path: str | Path) -> Plan:
    """The plan of an experiment file, checked before anything is run.

    Raises:
        InvalidParameterError: no such file, no TOML, unknown keys (the nearest is named) or values of the
            wrong kind; all of them at once.
        SpinBatteryError: anything a single run would be refused for.
    """
    return _read(path, lambda experiment, folder: experiment.plan(folder))


def read_problems(path: str | Path, place: Callable[[SpinNetwork], SpinNetwork]) -> list[ChargingProblem]:
    """The problems of an experiment file on a device; what the file says of engines does not matter there.

    Args:
        path: of the file.
        place: puts a network on the device; protocols are built for what it returns.

    Raises:
        SpinBatteryError: as :func:`read_experiment`, and whatever ``place`` raises.
    """
    return _read(path, lambda experiment, folder: experiment.problems(folder, place))


def _read(path: str | Path, make: Callable[[Experiment, Path], _Made]) -> _Made:
    path = user_path(path)
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidParameterError(f"cannot read {str(path)!r}: {error.strerror}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidParameterError(f"{str(path)!r} is not TOML: {error}.") from None
    try:
        experiment = Experiment.model_validate(data)
    except ValidationError as error:
        problems = "; ".join(_explain(detail) for detail in error.errors() if not _of_another_form(detail))
        raise InvalidParameterError(f"{str(path)!r}: {problems}") from None
    try:
        return make(experiment, path.parent)
    except SpinBatteryError as error:
        raise type(error)(f"{str(path)!r}: {error}") from None


def _of_another_form(detail: Any) -> bool:
    """Whether a finding says of a single value that it is no list, or of a list that it is no single value."""
    form, given = detail["loc"][-1], detail["input"]
    if form in ("str", "float"):
        return isinstance(given, list | dict)
    return (form == "EngineTable" or str(form).startswith("list[")) and not isinstance(given, list | dict)


def _explain(detail: Any) -> str:
    """One finding of pydantic in the words of the file."""
    *outer, last = detail["loc"]
    unknown = detail["type"] == "extra_forbidden"
    where = [part for part in (outer if unknown else (*outer, last)) if not _is_form(part)] + [last] * unknown
    place = _place(where)
    if unknown:
        table = ProtocolTable if "protocols" in where else Experiment
        if table is ProtocolTable and last in Experiment.model_fields:
            return f"unknown key {place}; {last} belongs to the whole file and must stand above its tables."
        known = list(table.model_fields)
        hint = did_you_mean(str(where[-1]), known)
        return f"unknown key {place}; there are {', '.join(known)}.{hint}"
    if last == "protocols" and detail["type"] == "list_type":
        return "protocols: each is a table of its own; write [[protocols]] with double brackets"
    return f"{place}: {_REMEDIES.get(detail['type'], '').format(given=detail['input']) or detail['msg']}"


def _is_form(part: int | str) -> bool:
    return part in _SINGLE or str(part).startswith("list[")


def _place(where: list[str | int]) -> str:
    """``protocols[2].duration``, counted from 1 as a reader does."""
    text = ""
    for part in where:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if text else part
    return text or "the file"


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
