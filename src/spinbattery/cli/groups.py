"""Options of commands that belong together: written once, spread into the flags of each command."""

from __future__ import annotations

import inspect
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import MISSING, dataclass, fields
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_type_hints

import typer

from ..core.errors import InvalidParameterError
from ..figures.style import FIGURE_ENDINGS
from . import options as o

if TYPE_CHECKING:
    from ..engines.common.contract import Engine
    from ..model.network import SpinNetwork
    from ..model.recipe import ProtocolRecipe
    from ..model.scales import EnergyScales
    from ..records.options import Option


_OUTPUT_POINTS = 601


class Group:
    """Base of dataclasses whose fields are flags of a command."""

    @classmethod
    def parameters(cls) -> Iterator[inspect.Parameter]:
        """The flags, as a function's keywords."""
        hints = get_type_hints(cls, include_extras=True)
        for field in fields(cls):  # type: ignore[arg-type]
            default = inspect.Parameter.empty if field.default is MISSING else field.default
            yield _keyword(field.name, hints[field.name], default)

    @classmethod
    def made(cls, given: dict[str, Any]) -> Group:
        """The group from the values of its flags."""
        return cls(**given)


def _keyword(name: str, annotation: Any, default: Any = inspect.Parameter.empty) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def spread(command: Callable[..., None]) -> Callable[..., None]:
    """The command with the flags of its groups in their places."""
    hints = get_type_hints(command, include_extras=True)
    members: dict[str, tuple[type[Group] | None, list[inspect.Parameter]]] = {}
    for name, parameter in inspect.signature(command).parameters.items():
        kind = hints[name]
        if isinstance(kind, type) and issubclass(kind, Group):
            members[name] = kind, list(kind.parameters())
        else:
            members[name] = None, [_keyword(name, kind, parameter.default)]
    _leave_out_repeated(members)

    def spread_command(**given: Any) -> None:
        arguments = {
            name: given[name] if kind is None else kind.made({flag.name: given[flag.name] for flag in flags})
            for name, (kind, flags) in members.items()
        }
        command(**arguments)

    flags = [flag for _, its in members.values() for flag in its]
    flags.sort(key=lambda flag: flag.default is not inspect.Parameter.empty)
    spread_command.__name__, spread_command.__doc__ = command.__name__, command.__doc__
    spread_command.__annotations__ = {}
    spread_command.__signature__ = inspect.Signature(flags)  # type: ignore[attr-defined]
    return spread_command


def _leave_out_repeated(members: dict[str, tuple[type[Group] | None, list[inspect.Parameter]]]) -> None:
    """Leave out options of engines that have the name of another flag of the command: of a plug-in, with a warning."""
    own = {flag.name for kind, flags in members.values() if kind is not EngineOptions for flag in flags}
    for kind, flags in members.values():
        if kind is EngineOptions and (repeated := [flag for flag in flags if flag.name in own]):
            names = ", ".join(flag.name for flag in repeated)
            warnings.warn(f"no flags for the options {names} of engines: the command has such flags.", stacklevel=3)
            flags[:] = [flag for flag in flags if flag.name not in own]


@dataclass(frozen=True)
class ProtocolOptions(Group):
    """What is done to the spins."""

    duration: o.Duration
    protocol: o.ProtocolName = "cooperative"
    coupling: o.Coupling = -0.2
    field: o.Field = -0.5
    s_hold: o.SHold = 0.35
    equal_cost: o.EqualCost = False
    cost_reference: o.CostReference = None

    def recipe(self) -> ProtocolRecipe:
        """The recipe, from which each network's protocol is built."""
        from ..model.recipe import ProtocolRecipe

        if self.cost_reference is not None and not self.equal_cost:
            raise InvalidParameterError("--cost-reference requires --equal-cost.")
        return ProtocolRecipe(
            self.protocol, self.duration, self.coupling, self.field, self.s_hold, self.equal_cost, self.cost_reference
        )


@dataclass(frozen=True)
class ImperfectionOptions(Group):
    """Parasitic couplings, and noise on the spins."""

    crosstalk: o.Crosstalk = 0.0
    crosstalk_pairs: o.CrosstalkPairs = "neighbours"
    crosstalk_spread: o.CrosstalkSpread = 0.0
    crosstalk_seed: o.CrosstalkSeed = None
    noise: o.Noise = "none"

    def network(self, text: str) -> SpinNetwork:
        """The network of a text form, with cross-talk where it is asked for."""
        from ..model.network_text import parse_network

        if self.crosstalk_pairs not in ("neighbours", "all"):
            raise InvalidParameterError(
                f"--crosstalk-pairs must be neighbours or all, but is {self.crosstalk_pairs!r}."
            )
        acts = bool(self.crosstalk or self.crosstalk_spread)
        if self.crosstalk_pairs == "all" and not acts:
            raise InvalidParameterError("--crosstalk-pairs all requires --crosstalk, which says how much.")
        if self.crosstalk_seed is not None and not self.crosstalk_spread:
            raise InvalidParameterError("--crosstalk-seed requires --crosstalk-spread.")
        if self.crosstalk_spread and self.crosstalk_seed is None:
            raise InvalidParameterError("--crosstalk-spread is random; give --crosstalk-seed 1, or another number.")
        network = parse_network(text)
        if not acts:
            return network
        pairs: Literal["neighbours", "all"] = "all" if self.crosstalk_pairs == "all" else "neighbours"
        return network.with_crosstalk(self.crosstalk, pairs, spread=self.crosstalk_spread, seed=self.crosstalk_seed)


@dataclass(frozen=True)
class ScalesOptions(Group):
    """Energy scales of the device."""

    energy_scales: o.Scales = None
    sheet: o.Sheet = None

    def build(self, networks: Sequence[SpinNetwork]) -> EnergyScales:
        """Energy scales from a file, or the default where the networks may have it."""
        if self.energy_scales is not None:
            from ..model.spreadsheet import from_spreadsheet

            return from_spreadsheet(self.energy_scales, self.sheet)
        if self.sheet is not None:
            raise InvalidParameterError("--sheet names a sheet of --energy-scales; give both.")
        from ..model.scales import advantage_system6
        from ..model.topology import scales_for

        for network in networks:
            scales_for(network, None, "--energy-scales FILE [--sheet NAME]")
        note_ideal_zephyr(networks, "--energy-scales")
        return advantage_system6()


def note_ideal_zephyr(networks: Iterable[SpinNetwork], remedy: str) -> None:
    """Say on standard error which ideal Zephyr graphs take the default scales, and how others are given."""
    cuts = [(network.name, network.cut) for network in networks if network.cut is not None]
    if ideal := [name for name, cut in cuts if cut.family == "zephyr" and cut.solver is None]:
        print(
            f"note: {', '.join(ideal)}: an ideal graph, charged with the A(s), B(s) of Advantage_system6, a "
            f"pegasus chip; {remedy} gives those of a zephyr chip, whose B(1) is almost twice as large.",
            file=sys.stderr,
        )


@dataclass(frozen=True)
class OutputOptions(Group):
    """What is kept of one run."""

    out: o.Out = None
    plot: Annotated[str | None, typer.Option("--plot", help="Draw mu(t), sigma(t) to .png or .pdf.")] = None
    points: Annotated[
        int | None, typer.Option("--points", min=2, help="Output times, equally spaced (601 where there is a plot).")
    ] = None

    def check(self) -> None:
        """Refuse paths that cannot be written, before any work is done."""
        o.check_target(self.out, (".nc",))
        o.check_target(self.plot, FIGURE_ENDINGS)

    @property
    def n_times(self) -> int:
        """Number of output times."""
        return self.points or (_OUTPUT_POINTS if self.plot else 0)


@dataclass(frozen=True)
class FitOptions(Group):
    """How runs of several networks are made and fitted."""

    include_uncharged: o.IncludeUncharged = False
    plot: Annotated[str | None, typer.Option("--plot", help="Draw precision against N to .png or .pdf.")] = None
    workers: o.Workers = None


@dataclass(frozen=True)
class RunOptions(Group):
    """Where finished runs are kept, and what is printed."""

    store: o.StoreFolder = None
    as_json: o.AsJson = False
    quiet: o.Quiet = False


_TYPES: dict[str, type] = {"int": int, "float": float, "bool": bool, "str": str}


class EngineOptions(Group):
    """The engine and its options; flags of options are made from the declarations of the installed engines.

    Attributes:
        name: of the engine, or ``auto``.
        tolerance: for the engine, or for the choice of one.
        given: texts and numbers of the other options that were given, by name.
    """

    def __init__(self, name: str, tolerance: float | None, given: dict[str, Any]) -> None:
        self.name, self.tolerance, self.given = name, tolerance, given

    @classmethod
    def parameters(cls) -> Iterator[inspect.Parameter]:
        declared = _declared()
        yield _keyword("engine", Annotated[str, typer.Option("--engine", help=cls._engine_help())], "auto")
        yield _keyword("tolerance", o.Tolerance, None)
        for name, by_engine in declared.items():
            if name != "tolerance":
                yield _keyword(name, _flag(name, by_engine), None)

    @classmethod
    def _engine_help(cls) -> str:
        from ..engines.registry import engines

        known = ", ".join(f"{name} ({kind.summary})" for name, kind in engines().items())
        return f"auto (exact where it can be), {known}."

    @classmethod
    def made(cls, given: dict[str, Any]) -> EngineOptions:
        name, tolerance = given.pop("engine"), given.pop("tolerance")
        return cls(name, tolerance, {option: value for option, value in given.items() if value is not None})

    def build(self) -> tuple[Engine | str, float | None]:
        """The engine by its name, or with the options that were given, and the tolerance that is left to say.

        Raises:
            EngineError: no engine of that name.
            InvalidParameterError: an option that the engine has not, or a text that is no value of it.
        """
        from ..engines.registry import AUTO, engine_type, engines, has_option, make_engine
        from ..records.options import options_of

        if not self.given:
            return self.name, self.tolerance
        given = dict(self.given)
        if self.tolerance is not None:
            given["tolerance"] = self.tolerance
        kind = None if self.name == AUTO else engine_type(self.name)
        known = ("tolerance",) if kind is None else options_of(kind)
        strange = [name for name in given if name not in known]
        if strange:
            fitting = [name for name, other in engines().items() if all(has_option(other, x) for x in strange)]
            remedy = f", or use --engine {' or '.join(fitting)}" if fitting else ""
            flags, them = ", ".join(map(_spelled, strange)), "them" if len(strange) > 1 else "it"
            raise InvalidParameterError(f"the {self.name} engine has no {flags}; leave {them} out{remedy}.")
        return make_engine(self.name, {name: _value(self.name, name, value) for name, value in given.items()}), None


def _spelled(option: str) -> str:
    return "--" + option.replace("_", "-")


@dataclass(frozen=True)
class _Declared:
    """An option as one engine declares it; ``type`` is None where ``option.read`` makes its values."""

    option: Option
    type: type | None
    default: Any


def _declared() -> dict[str, dict[str, _Declared]]:
    """Options with a help text: by name, then by engine."""
    from ..engines.registry import engines
    from ..records.options import options_of

    found: dict[str, dict[str, _Declared]] = {}
    for engine, kind in engines().items():
        declared = options_of(kind)
        for field in fields(kind):
            option = declared[field.name]
            if option.help:
                text = field.type if isinstance(field.type, str) else getattr(field.type, "__name__", str(field.type))
                plain = None if option.read else _TYPES.get(text.removesuffix(" | None"), str)
                found.setdefault(field.name, {})[engine] = _Declared(option, plain, field.default)
    return found


def _flag(name: str, by_engine: dict[str, _Declared]) -> Any:
    """Type and help of a flag; a text where engines differ, which :func:`_value` reads for the one that is used."""
    kinds = {declared.type for declared in by_engine.values()}
    kind = next(iter(kinds)) or str if len(kinds) == 1 else str
    leasts = {declared.option.least for declared in by_engine.values()}
    least = next(iter(leasts)) if len(leasts) == 1 and kind is int else None
    texts: dict[str, list[str]] = {}
    for engine, declared in by_engine.items():
        default = "" if declared.default in (None, False, MISSING) else f" ({declared.default})"
        texts.setdefault(declared.option.help, []).append(engine + default)
    said = " ".join(f"{', '.join(names)}: {text}" for text, names in texts.items())
    return Annotated[kind | None, typer.Option(_spelled(name), min=least, help=said)]


def _value(engine: str, name: str, given: Any) -> Any:
    """The value of an option for an engine from what its flag gave."""
    declared = _declared()[name][engine]
    if not isinstance(given, str) or declared.type is str:
        return given
    if declared.option.read is not None:
        return declared.option.read(given)
    try:
        return declared.type(given) if declared.type else given
    except ValueError:
        raise InvalidParameterError(f"{_spelled(name)} must be a number for this engine, but is {given!r}.") from None
