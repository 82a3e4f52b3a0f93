"""What a sweep runs: a grid of networks, protocols, engines and seeds, as definite tasks."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from ..core.checks import instance, several, whole_number
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
from ..records.columns import Row, parameters
from ..records.hashing import run_key
from ..records.record import Record
from ..store.folder import Store

if TYPE_CHECKING:
    import networkx as nx

NetworkLike: TypeAlias = "SpinNetwork | nx.Graph[Any] | str"
"""A network, its text form, or a networkx graph."""

NoiseLike: TypeAlias = Noise | str | None
"""Noise, its text form, or none."""


@dataclass(frozen=True, eq=False)
class Task:
    """One run: a problem and the engine with its options, and the output times (ns).

    Attributes:
        label: name of the protocol in this plan.
        reason: why this engine, for the record.
    """

    problem: ChargingProblem
    engine: Engine
    times: FloatArray
    reason: str
    label: str

    @cached_property
    def key(self) -> str:
        """Key of the run in a store."""
        return run_key(self.problem, self.engine.name, self.engine.options_for(self.problem), self.times)

    @cached_property
    def seconds(self) -> float:
        """Predicted run time on one core."""
        return self.engine.predicted_seconds(self.problem, self.times)

    @cached_property
    def required_bytes(self) -> int:
        """Memory the run will need at its peak."""
        return self.engine.required_bytes(self.problem)

    def record(self, store: Store) -> Record | None:
        """The record that a store has of it, with the labels of this network; of a measurement the latest one.

        Raises:
            RecordError: it is damaged.
        """
        found = store.latest(self.key) if self.engine.measures else store.get(self.key)
        return None if found is None else found.with_labels_of(self.problem)

    def parameters(self) -> Row:
        """Columns of the store that are known beforehand."""
        return parameters(
            self.problem, self.engine.name, self.engine.options_for(self.problem), len(self.times), self.key
        )

    def __str__(self) -> str:
        noise = "" if self.problem.noise is None else f"{self.problem.noise}, "
        duration = self.problem.protocol.duration
        return f"{self.problem.network.name}, {self.label}, {duration:g} ns, {noise}{self.engine.name}"


@dataclass(frozen=True)
class Plan:
    """Tasks in the order they were asked for, each once; plans add up."""

    tasks: tuple[Task, ...] = field(default=())

    def __post_init__(self) -> None:
        distinct: dict[str, Task] = {}
        for task in several("the tasks of a plan", self.tasks):
            instance("a task", task, Task)
            distinct.setdefault(task.key, task)
        object.__setattr__(self, "tasks", tuple(distinct.values()))

    def __len__(self) -> int:
        return len(self.tasks)

    def __iter__(self) -> Iterator[Task]:
        return iter(self.tasks)

    def __add__(self, other: Plan) -> Plan:
        return Plan(self.tasks + other.tasks)

    @property
    def seconds(self) -> float:
        """Predicted run time of all tasks on one core."""
        return sum(task.seconds for task in self.tasks)

    def shard(self, i: int, n: int) -> Plan:
        """Part i of n (from 1 to n), of about the same cost as the others; the same on every machine.

        Raises:
            InvalidParameterError: not 1 <= i <= n.
        """
        n = whole_number("the number of shards", n)
        i = whole_number("the shard", i)
        if i > n:
            raise InvalidParameterError(f"shards count from 1 to {n}, but shard {i} is asked for.")
        # rounded: another machine's mathematical library may differ in the last digits
        costs = {task.key: float(f"{task.seconds:.3g}") for task in self.tasks}
        loads = [(0.0, shard) for shard in range(1, n + 1)]
        mine = set()
        for key in sorted(costs, key=lambda key: (-costs[key], key)):  # the longest first, to the least loaded
            load, shard = heapq.heappop(loads)
            heapq.heappush(loads, (load + costs[key], shard))
            if shard == i:
                mine.add(key)
        return Plan(tuple(task for task in self.tasks if task.key in mine))


def grid(
    networks: NetworkLike | Iterable[NetworkLike],
    protocols: ProtocolLike | Iterable[ProtocolLike],
    *,
    scales: EnergyScales | None = None,
    noise: NoiseLike | Iterable[NoiseLike] = None,
    engines: Engine | str | Iterable[Engine | str] = "auto",
    seeds: Iterable[int] | None = None,
    tolerance: float | None = None,
    times: ArrayLike | None = None,
    points: int | None = None,
) -> Plan:
    """Every network with every protocol, noise, engine and seed; arguments as in :func:`~spinbattery.sweeps.run.sweep`.

    Raises:
        SpinBatteryError: anything a single run would be refused for, before any is made.
    """
    if times is not None and points is not None:
        raise InvalidParameterError("times says when to keep the moments and points how often; give one of them.")
    engine_list = _several("engines", engines, lambda one: isinstance(one, Engine | str))
    network_list = _several("networks", networks, lambda one: isinstance(one, SpinNetwork | str) or is_graph(one))
    protocol_list = _several("protocols", protocols, is_protocol_like)
    if tolerance is not None and engine_list and not any(map(_promises, engine_list)):
        raise InvalidParameterError(
            "every engine of this grid is an object with a tolerance of its own, or promises none; set it there, "
            "name the engines, or leave it out."
        )
    noise_list = _several("kinds of noise", noise, lambda one: one is None or isinstance(one, Noise | str))
    bases = _checked_seeds(seeds, engine_list)
    tasks = []
    spins_list = [as_network(network) for network in network_list]
    scales = next(iter([scales_for(spins, scales) for spins in spins_list]), as_scales(scales))
    for spins, protocol in itertools.product(spins_list, protocol_list):
        built = as_protocol(protocol, spins, scales)
        for problem in [ChargingProblem(spins, built, scales, as_noise(one)) for one in noise_list]:
            wanted = _times(problem, times, points)
            for engine in engine_list:
                chosen, reason = resolve_engine(engine, problem, tolerance if _promises(engine) else None)
                tasks += [
                    Task(problem, seeded, wanted, reason, built.name) for seeded in _seeded(chosen, problem, bases)
                ]
    if not tasks:
        raise InvalidParameterError("the grid is empty; give at least one network, one protocol and one engine.")
    return Plan(tuple(tasks))


def _several(what: str, given: Any, single: Callable[[Any], bool]) -> list[Any]:
    """One or several as a list, each of a kind that is known."""
    if single(given):
        return [given]
    members = several(what, given) if isinstance(given, Iterable) and not isinstance(given, str) else [given]
    for member in members:
        if not single(member):
            as_what = {
                "protocols": ", such as spinbattery.cooperative(duration=20.0)",
                "networks": ", such as 'torus:3x3'",
            }
            raise InvalidParameterError(
                f"{member!r} is none of the {what} that a sweep takes{as_what.get(what, '; see its arguments')}."
            )
    return members


def _promises(engine: Engine | str) -> bool:
    """Whether an engine takes the tolerance of the grid."""
    return isinstance(engine, str) and (engine == AUTO or has_option(engine_type(engine), "tolerance"))


def _checked_seeds(seeds: Iterable[int] | None, engines: Sequence[Engine | str]) -> tuple[int, ...] | None:
    if seeds is None:
        return None
    named = [engine_type(engine) if isinstance(engine, str) else type(engine) for engine in engines if engine != AUTO]
    if not any(has_option(kind, "seed") for kind in named):
        raise InvalidParameterError(
            "seeds are given, but every engine of this grid is deterministic and gives the same result for each; "
            "leave the seeds out."
        )
    if not isinstance(seeds, Iterable):
        raise InvalidParameterError(f"seeds must be several numbers, such as range(10), but are {seeds!r}.")
    bases = tuple(whole_number("a seed", seed, least=0) for seed in seeds)
    if len(set(bases)) < len(bases) or not bases:
        raise InvalidParameterError(f"seeds must be one or more different numbers, but are {list(bases)}.")
    return bases


def _seeded(engine: Engine, problem: ChargingProblem, bases: tuple[int, ...] | None) -> list[Engine]:
    """The engine once for every seed; as it is where it takes none, or no seeds are asked for."""
    if not engine.takes_seed or bases is None:
        return [engine]
    return [engine.with_seed(derived_seed(problem, engine.name, base)) for base in bases]


def _times(problem: ChargingProblem, times: ArrayLike | None, points: int | None) -> FloatArray:
    if points is not None:
        times = np.linspace(0.0, problem.protocol.duration, whole_number("points", points, least=2))
    return output_times(problem, times)
