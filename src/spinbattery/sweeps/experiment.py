"""Experiment files: a sweep written down as TOML."""

from __future__ import annotations

import contextlib
import itertools
import tomllib
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag, ValidationError

from ..core.errors import InvalidParameterError, SpinBatteryError, did_you_mean
from ..core.paths import user_path
from ..engines.common.contract import Engine
from ..engines.registry import AUTO, engine_type, has_option, make_engine
from ..model.network import SpinNetwork
from ..model.network_text import parse_network
from ..model.noise import as_noise
from ..model.problem import ChargingProblem
from ..model.recipe import ProtocolRecipe
from ..model.scales import EnergyScales
from ..model.spreadsheet import from_spreadsheet
from ..model.topology import scales_for
from .grid import Grid
from .plan import Plan

Number: TypeAlias = Annotated[float, Field(allow_inf_nan=False)]
_LISTED = BeforeValidator(lambda value: value if isinstance(value, list | dict) else [value])
Numbers: TypeAlias = Annotated[list[Number], Field(min_length=1), _LISTED]
"""One number or several."""
Texts: TypeAlias = Annotated[list[str], Field(min_length=1), _LISTED]
"""One text or several."""

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
"""Messages for the findings of pydantic that users meet most."""


class _StrictModel(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class ProtocolTable(_StrictModel):
    """``[[protocols]]``: a recipe; lists in it make a grid of recipes."""

    name: str
    duration: Texts
    J: Numbers = [-0.2]
    field: Numbers = [-0.5]
    s_hold: Numbers = [0.35]
    equal_cost: bool = False
    cost_reference: Number | None = None

    def recipes(self) -> list[ProtocolRecipe]:
        return [
            ProtocolRecipe(self.name, duration, J, h, s_hold, self.equal_cost, self.cost_reference)
            for duration, J, h, s_hold in itertools.product(self.duration, self.J, self.field, self.s_hold)
        ]


class EngineTable(BaseModel):
    """``[[engines]]``: a name and the options of that engine."""

    model_config = ConfigDict(extra="allow", frozen=True, strict=True)

    name: str

    def build(self, tolerance: float | None) -> Engine:
        """The engine, with the file's ``tolerance`` if the table has none and the engine takes one."""
        options = dict(self.model_extra or {})
        if self.name == AUTO:
            raise InvalidParameterError("the engine auto takes no options here; give `tolerance` at the top instead.")
        if tolerance is not None and has_option(engine_type(self.name), "tolerance"):
            options.setdefault("tolerance", tolerance)
        return make_engine(self.name, options)


BY_FILE = "energy_scales = FILE in the experiment file"
"""How experiment files give energy scales."""

_EngineEntry: TypeAlias = Annotated[
    Annotated[str, Tag("<name>")] | Annotated[EngineTable, Tag("<table>")],
    Discriminator(lambda value: "<table>" if isinstance(value, dict) else "<name>"),
]


class Experiment(_StrictModel):
    """A whole file; docs/sweeps.md explains the keys."""

    networks: list[str] = Field(min_length=1)
    protocols: list[ProtocolTable] = Field(min_length=1)
    engines: Annotated[list[_EngineEntry], Field(min_length=1), _LISTED] = [AUTO]
    tolerance: Number | None = None
    seeds: list[int] | None = None
    points: int | None = None
    crosstalk: Numbers = [0.0]
    crosstalk_pairs: Literal["neighbours", "all"] = "neighbours"
    noise: Texts = ["none"]
    energy_scales: str | None = None
    sheet: str | None = None
    title: str = ""

    def grid(self, folder: Path) -> Grid:
        """The grid of a file in ``folder``.

        Raises:
            SpinBatteryError: a network, noise, engine or file that cannot be used.
        """
        networks = tuple(self._networks(folder))
        return Grid(
            networks,
            tuple(self._recipes()),
            self._scales(folder, networks),
            tuple(as_noise(text) for text in self.noise),
            tuple(entry if isinstance(entry, str) else entry.build(self.tolerance) for entry in self.engines),
            None if self.seeds is None else tuple(self.seeds),
            self.tolerance if any(isinstance(entry, str) for entry in self.engines) else None,
            points=self.points,
        )

    def problems(self, folder: Path, place: Callable[[SpinNetwork], SpinNetwork]) -> list[ChargingProblem]:
        """Every network, placed on a device by ``place``, with every protocol; the file's engines are not used."""
        if self.noise != ["none"]:
            raise InvalidParameterError(
                "a device has noise of its own; leave noise out of a file that is to run on one."
            )
        networks = tuple(map(place, self._networks(folder)))
        return Grid(networks, tuple(self._recipes()), self._scales(folder, networks)).problems()

    def _recipes(self) -> Iterator[ProtocolRecipe]:
        return itertools.chain.from_iterable(table.recipes() for table in self.protocols)

    def _networks(self, folder: Path) -> Iterator[SpinNetwork]:
        if self.crosstalk_pairs == "all" and not any(self.crosstalk):
            raise InvalidParameterError("crosstalk_pairs says where, but crosstalk does not say how much; give both.")
        for text, crosstalk in itertools.product(self.networks, self.crosstalk):
            kind, _, name = text.partition(":")
            network = parse_network(f"{kind}:{folder / user_path(name)}" if kind in ("file", "solver") else text)
            yield network.with_crosstalk(crosstalk, self.crosstalk_pairs) if crosstalk else network

    def _scales(self, folder: Path, networks: Iterable[SpinNetwork]) -> EnergyScales | None:
        if self.energy_scales is not None:
            return from_spreadsheet(folder / user_path(self.energy_scales), self.sheet)
        if self.sheet is not None:
            raise InvalidParameterError("sheet names a sheet of energy_scales; give both.")
        for network in networks:
            scales_for(network, None, BY_FILE)
        return None


def read_experiment(path: str | Path) -> Plan:
    """The plan of an experiment file, checked before anything is run.

    Raises:
        InvalidParameterError: no such file, no TOML, unknown keys (the nearest known one is named) or values of a
            wrong kind; the message has all of them.
        SpinBatteryError: anything a single run would be refused for.
    """
    path = user_path(path)
    experiment = _parsed(path)
    with _errors_of(path):
        return experiment.grid(path.parent).plan()


def read_problems(path: str | Path, place: Callable[[SpinNetwork], SpinNetwork]) -> list[ChargingProblem]:
    """The problems of an experiment file on a device; the file's engines are not used.

    Args:
        path: path of the file.
        place: puts a network on the device; protocols are built for the network that it returns.

    Raises:
        SpinBatteryError: as :func:`read_experiment`, and any error of ``place``.
    """
    path = user_path(path)
    experiment = _parsed(path)
    with _errors_of(path):
        return experiment.problems(path.parent, place)


@contextlib.contextmanager
def _errors_of(path: Path) -> Iterator[None]:
    try:
        yield
    except SpinBatteryError as error:
        raise type(error)(f"{str(path)!r}: {error}") from None


def _parsed(path: Path) -> Experiment:
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidParameterError(f"cannot read {str(path)!r}: {error.strerror}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidParameterError(f"{str(path)!r} is not TOML: {error}.") from None
    try:
        return Experiment.model_validate(data)
    except ValidationError as error:
        problems = "; ".join(_explain(detail, data) for detail in error.errors())
        raise InvalidParameterError(f"{str(path)!r}: {problems}") from None


def _explain(detail: Any, data: dict[str, Any]) -> str:
    """One finding of pydantic in the words of the file."""
    *outer, last = detail["loc"]
    place = _place(detail["loc"], data)
    if detail["type"] == "extra_forbidden":
        table = ProtocolTable if outer else Experiment
        if outer and last in Experiment.model_fields:
            return f"unknown key {place}; {last} belongs to the whole file and must stand above its tables."
        known = list(table.model_fields)
        return f"unknown key {place}; there are {', '.join(known)}.{did_you_mean(last, known)}"
    if last == "protocols" and detail["type"] == "list_type":
        return "protocols: each is a table of its own; write [[protocols]] with double brackets"
    return f"{place}: {_REMEDIES.get(detail['type'], '').format(given=detail['input']) or detail['msg']}"


def _place(where: Sequence[str | int], data: Any) -> str:
    """A place such as ``protocols[2].duration``, counted from 1; single values that became lists have no number."""
    text = ""
    for part in where:
        if isinstance(part, str) and not part.startswith("<"):
            text += f".{part}" if text else part
            data = data.get(part)
        elif isinstance(part, int) and isinstance(data, list):
            text += f"[{part + 1}]"
            data = data[part]
    return text or "the file"
