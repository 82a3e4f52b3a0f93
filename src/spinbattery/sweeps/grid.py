"""Grids: the axes of a sweep, from which its plan is made."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from ..core.checks import several, whole_number
from ..core.errors import InvalidParameterError
from ..core.typing import FloatArray
from ..engines.choice import resolve_engine
from ..engines.common.contract import Engine, derived_seed, output_times
from ..engines.registry import AUTO, engine_type, has_option
from ..model.graph_import import is_graph
from ..model.network import SpinNetwork
from ..model.network_text import as_network
from ..model.noise import Noise, as_noise
from ..model.problem import ChargingProblem
from ..model.recipe import ProtocolLike, as_protocol, is_protocol_like
from ..model.scales import EnergyScales, as_scales
from ..model.topology import scales_for
from .plan import Plan, Task

if TYPE_CHECKING:
    import networkx as nx

NetworkLike: TypeAlias = "SpinNetwork | nx.Graph[Any] | str"
"""A network, its text form, or a networkx graph."""

NoiseLike: TypeAlias = Noise | str | None
"""Noise, its text form, or none."""

_EXAMPLES = {
    "protocols": ", such as spinbattery.cooperative(duration=20.0)",
    "networks": ", such as 'torus:3x3'",
}


@dataclass(frozen=True, eq=False)
class Grid:
    """Every network with every protocol, noise, engine and seed.

    An axis may be given as one member or several, networks and noise also as texts; they are kept as tuples of
    objects. :func:`~spinbattery.sweeps.run.sweep` says what each argument means.

    Raises:
        InvalidParameterError: an argument of a wrong kind, an empty axis, seeds or a tolerance that no engine takes.
        EnergyScalesError: no scales are given for a network of a chip that has others than the default.
        SpinBatteryError: a text that is no network or no noise.
    """

    networks: tuple[SpinNetwork, ...]
    protocols: tuple[ProtocolLike, ...]
    scales: EnergyScales | None = None
    noise: tuple[Noise | None, ...] = (None,)
    engines: tuple[Engine | str, ...] = (AUTO,)
    seeds: tuple[int, ...] | None = None
    tolerance: float | None = None
    times: ArrayLike | None = None
    points: int | None = None

    def __post_init__(self) -> None:
        if self.times is not None and self.points is not None:
            raise InvalidParameterError("times and points both set the output times; give one of them.")
        if self.points is not None:
            whole_number("points", self.points, least=2)
        engines = _axis("engines", self.engines, lambda one: isinstance(one, Engine | str))
        networks = _axis("networks", self.networks, lambda one: isinstance(one, SpinNetwork | str) or is_graph(one))
        protocols = _axis("protocols", self.protocols, is_protocol_like)
        noise = _axis("kinds of noise", self.noise, lambda one: one is None or isinstance(one, Noise | str))
        if not (engines and networks and protocols and noise):
            raise InvalidParameterError("the grid is empty; give at least one network, one protocol and one engine.")
        object.__setattr__(self, "engines", tuple(engines))
        object.__setattr__(self, "networks", tuple(as_network(one) for one in networks))
        object.__setattr__(self, "protocols", tuple(protocols))
        object.__setattr__(self, "noise", tuple(as_noise(one) for one in noise))
        for network in self.networks:
            scales_for(network, self.scales)
        if self.tolerance is not None and not any(map(_takes_tolerance, engines)):
            raise InvalidParameterError(
                "every engine of this grid is an object with a tolerance of its own, or has none; set it there, "
                "name the engines, or leave it out."
            )
        if self.seeds is not None:
            object.__setattr__(self, "seeds", self._checked_seeds())

    def _checked_seeds(self) -> tuple[int, ...]:
        named = [engine_type(one) if isinstance(one, str) else type(one) for one in self.engines if one != AUTO]
        if not any(has_option(kind, "seed") for kind in named):
            raise InvalidParameterError(
                "seeds are given, but every engine of this grid is deterministic and gives the same result for each; "
                "leave the seeds out."
            )
        if not isinstance(self.seeds, Iterable):
            raise InvalidParameterError(f"seeds must be several numbers, such as range(10), but are {self.seeds!r}.")
        numbers = tuple(whole_number("a seed", seed, least=0) for seed in self.seeds)
        if len(set(numbers)) < len(numbers) or not numbers:
            raise InvalidParameterError(f"seeds must be one or more different numbers, but are {list(numbers)}.")
        return numbers

    def problems(self) -> list[ChargingProblem]:
        """Every network with every protocol and noise."""
        scales = as_scales(self.scales)
        return [
            ChargingProblem(network, built, scales, noise)
            for network, protocol in itertools.product(self.networks, self.protocols)
            for built in [as_protocol(protocol, network, scales)]
            for noise in self.noise
        ]

    def plan(self) -> Plan:
        """Definite tasks in the order of the axes; anything that a single run would be refused for is refused here."""
        tasks = []
        for problem in self.problems():
            times = self._times(problem)
            for engine in self.engines:
                chosen, reason = resolve_engine(engine, problem, self.tolerance if _takes_tolerance(engine) else None)
                tasks += [Task(problem, seeded, times, reason) for seeded in self._seeded(chosen, problem)]
        return Plan(tuple(tasks))

    def _times(self, problem: ChargingProblem) -> FloatArray:
        if self.points is None:
            return output_times(problem, self.times)
        return output_times(problem, np.linspace(0.0, problem.protocol.duration, self.points))

    def _seeded(self, engine: Engine, problem: ChargingProblem) -> list[Engine]:
        """The engine once for every seed, or as it is if it takes none or none are given."""
        if not engine.takes_seed or self.seeds is None:
            return [engine]
        return [engine.with_seed(derived_seed(problem, engine.name, seed)) for seed in self.seeds]


def _axis(what: str, given: Any, is_member: Callable[[Any], bool]) -> list[Any]:
    """The members of an axis, which may be given as one; each is checked to be of a known kind."""
    if is_member(given):
        return [given]
    members = several(what, given) if isinstance(given, Iterable) and not isinstance(given, str) else [given]
    for member in members:
        if not is_member(member):
            raise InvalidParameterError(
                f"{member!r} is none of the {what} that a sweep takes{_EXAMPLES.get(what, '; see its arguments')}."
            )
    return members


def _takes_tolerance(engine: Engine | str) -> bool:
    """Whether the tolerance of the grid is for this engine."""
    return isinstance(engine, str) and (engine == AUTO or has_option(engine_type(engine), "tolerance"))
