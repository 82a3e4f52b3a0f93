"""Runs of the reproduction: the requests of all parts, made by one sweep, each with the command that makes it again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

import spinbattery as sb
from spinbattery.core.errors import SweepError
from spinbattery.core.progress import Progress, silent
from spinbattery.model.noise import as_noise
from spinbattery.sweeps.execution import Execution
from spinbattery.sweeps.grid import Grid
from spinbattery.sweeps.run import execute
from spinbattery.sweeps.survey import survey

from .parameters import EMULATOR_CLAIMS, FULL_READS, QUICK_READS, TOLERANCE, TORI

_K = TypeVar("_K")
_T = TypeVar("_T")
network_of = lru_cache(sb.parse_network)
"""The network of a text. Several protocols run on each region of a chip, and cutting one out takes a moment."""
_MOST_NAMED = 4


@dataclass(frozen=True)
class Request:
    """A run that a part needs: an exact one, unless it is on the annealer or by a tensor network.

    Attributes:
        points: number of equally spaced output times.
        crosstalk: J_CT on all neighbours, in units of B(s)/2.
        tolerance: tolerance of an exact run; a tensor network has its own.
        reads: reads on the annealer, unless a reproduction asks for another number.
        full_only: whether it takes so long that only a full reproduction has it.
    """

    network: str
    recipe: sb.ProtocolRecipe
    points: int | None = None
    crosstalk: float = 0.0
    noise: str | None = None
    tolerance: float = TOLERANCE
    on_annealer: bool = False
    reads: int = QUICK_READS
    full_only: bool = False
    tensor: sb.TensorNetwork | None = None

    def plan(self, reads: int | None = None) -> sb.Plan:
        """The run as a plan of one task; ``reads`` take the place of its own number."""
        spins = network_of(self.network)
        if self.crosstalk:
            spins = spins.with_crosstalk(self.crosstalk)
        engine = sb.Emulator(reads=reads or self.reads) if self.on_annealer else self.tensor
        if engine is not None:
            return Grid((spins,), (self.recipe,), engines=(engine,)).plan()
        noise = (as_noise(self.noise),)
        return Grid((spins,), (self.recipe,), noise=noise, tolerance=self.tolerance, points=self.points).plan()

    def command(self, reads: int | None = None) -> str:
        """The command that makes the same run; ``reads`` as in :meth:`plan`."""
        text = f"spinbattery charge --network {self.network} {_options(self.recipe)}"
        if self.crosstalk:
            text += f" --crosstalk {self.crosstalk:g}"
        if self.on_annealer:
            emulator = sb.Emulator(reads=reads or self.reads)
            return (
                f"{text} --engine emulator --reads {emulator.reads} --temperature {emulator.temperature:g} "
                f"--sweeps {emulator.sweeps}"
            )
        if self.tensor is not None:
            bonds = self.tensor.bond_dimension
            given = "" if bonds is None else f" --bond-dimension {','.join(map(str, np.atleast_1d(bonds)))}"
            return f"{text} --engine tensor --tolerance {self.tensor.tolerance:g}{given}"
        if self.noise is not None:
            text += f" --noise {self.noise}"
        text += f" --tolerance {self.tolerance:g}"
        return text if self.points is None else f"{text} --points {self.points}"


def _options(recipe: sb.ProtocolRecipe) -> str:
    """The protocol as options of ``spinbattery charge``."""
    text = (
        f"--protocol {recipe.name} --duration {recipe.duration} -J {recipe.J:g} --field {recipe.field:g} "
        f"--s-hold {recipe.s_hold:g}"
    )
    if recipe.equal_cost:
        text += " --equal-cost"
    if recipe.cost_reference is not None:
        text += f" --cost-reference {recipe.cost_reference:g}"
    return text


@dataclass(frozen=True)
class Run:
    """A record, its file in the store, and a command that computes it."""

    record: sb.Record
    path: Path
    command: str

    @property
    def network(self) -> str:
        """Text form of the network."""
        return str(self.record.attributes["network"])


class Runs:
    """Finished runs by request.

    Attributes:
        computed: how many were computed now.
        reused: how many were found finished.
    """

    def __init__(
        self,
        folder: Path,
        requests: Iterable[Request],
        reads: int | None = None,
        measured: Mapping[Request, Run] | None = None,
    ) -> None:
        """All runs of a reproduction, which :meth:`make` makes; the store is at ``folder``.

        The emulator makes the annealer's runs, with ``reads`` in place of their own number, except those ``measured``
        on a real one.
        """
        self._store, self._reads = sb.Store(folder), reads
        self._requests, self._measured = dict.fromkeys(requests), dict(measured or {})
        self._keys: dict[Request, str] = {}
        self._records: dict[str, sb.Record] = {}
        self.computed = self.reused = 0

    def make(
        self, requests: Iterable[Request] | None = None, progress: Progress = silent, workers: int | None = None
    ) -> None:
        """Make these runs, by default all, where they are missing in the store; as a sweep.

        Raises:
            SpinBatteryError: see :func:`~spinbattery.sweeps.run.sweep`; a failed run or a damaged record is named.
        """
        wanted = self._requests if requests is None else dict.fromkeys(requests)
        tasks = {
            request: request.plan(self._reads).tasks[0]
            for request in wanted
            if request not in self._measured and request not in self._keys
        }
        keys = {request: task.key for request, task in tasks.items()}
        plan = sb.Plan(tuple(task for task in tasks.values() if task.key not in self._records))
        execution = Execution(retry_failed=True, progress=progress, workers=workers)
        result = execute(survey(plan, self._store, execution), self._store, execution)
        if result.failures:
            raise SweepError("; ".join(result.failures.values()))
        self.computed += result.computed
        self.reused += result.reused
        self._records |= {record.key: record for record in result.records()}
        self._keys |= keys

    def __getitem__(self, request: Request) -> Run:
        if request in self._measured:
            return self._measured[request]
        key = self._keys[request]
        return Run(self._records[key], self._store.path(key), request.command(self._reads))

    def __contains__(self, request: Request) -> bool:
        return request in self._requests

    def present(self, requests: Iterable[Request]) -> list[Run]:
        """The runs that this reproduction has; runs that only a full one makes may be missing."""
        return [self[request] for request in requests if request in self]

    def smaller(self, requests: Iterable[Request]) -> str:
        """By how much a figure of these requests is smaller than in a full reproduction; empty if it is not."""
        wanted = list(dict.fromkeys(requests))
        missing, reads = [request for request in wanted if request not in self], self._numbers_of_reads(wanted)
        found = []
        if missing:
            found.append(f"{len(wanted) - len(missing)} of {len(wanted)} runs")
        if reads and reads[0] < FULL_READS:
            found.append(f"{_span(reads)} reads instead of the paper's {FULL_READS}")
        if not found:
            return ""
        names = list(dict.fromkeys(map(_name, missing)))
        without = f"without {', '.join(names)}; " if 0 < len(names) <= _MOST_NAMED else ""
        return f"Smaller than with --full: {', '.join(found)}; {without}spinbattery reproduce --full has all."

    def _numbers_of_reads(self, requests: Iterable[Request]) -> list[int]:
        """The different numbers of reads of the annealer's runs among these, ascending."""
        on_annealer = [request for request in requests if request.on_annealer and request in self]
        measured = [self._measured[request].record.n_reads or 0 for request in on_annealer if request in self._measured]
        emulated = [self._reads or request.reads for request in on_annealer if request not in self._measured]
        return sorted({*map(int, measured), *emulated})

    def groups(self, requests: Mapping[_K, Iterable[Request]]) -> dict[_K, list[Run]]:
        """Runs of named groups of requests, as :meth:`present` gives them."""
        return {name: self.present(group) for name, group in requests.items()}

    @property
    def is_measured(self) -> bool:
        """Whether the annealer's runs come from a real one."""
        return bool(self._measured)

    @property
    def annealer_label(self) -> str:
        """The annealer or emulator behind the annealer's runs, for captions."""
        solvers = {str(run.record.sampler_info["solver"]["name"]) for run in self._measured.values()}
        emulator = sb.Emulator()
        made_by = ", ".join(sorted(solvers)) or (
            f"emulated, {emulator.model} at {emulator.temperature:g} mK, {emulator.sweeps} Monte Carlo sweeps"
        )
        return f"{made_by}, {_span(self._numbers_of_reads(self._requests) or [self._reads or QUICK_READS])} reads"

    @property
    def annealer_title(self) -> str:
        """A short form of the label, for figures."""
        return "measured" if self.is_measured else "emulated, not measured"

    @property
    def annealer_claims(self) -> tuple[str, ...]:
        """What emulated rows show and do not show; nothing where the annealer is a real one."""
        return () if self._measured else EMULATOR_CLAIMS


def _name(request: Request) -> str:
    """The network and what tells its run from others on it, for captions."""
    if request.tensor is None:
        return f"{request.network} ({request.recipe.duration})"
    bonds = request.tensor.bond_dimension
    size = "to the tolerance" if bonds is None else f"bond dimensions {', '.join(map(str, np.atleast_1d(bonds)))}"
    return f"{request.network} ({request.recipe.duration}, {size})"


def _span(numbers: Sequence[int]) -> str:
    """Ascending numbers by the first and the last."""
    return " to ".join(map(str, dict.fromkeys((numbers[0], numbers[-1]))))


def records(runs: Iterable[Run]) -> list[sb.Record]:
    """Their records."""
    return [run.record for run in runs]


def flat(groups: Mapping[Any, Iterable[_T]]) -> list[_T]:
    """The members of all groups in one list."""
    return list(chain.from_iterable(groups.values()))


def torus_name(size: tuple[int, int]) -> str:
    """Text form of a torus."""
    return f"torus:{size[0]}x{size[1]}"


def on_tori(
    recipe: sb.ProtocolRecipe,
    sizes: Sequence[tuple[int, int]] = TORI,
    tolerance: float = TOLERANCE,
    crosstalk: float = 0.0,
) -> list[Request]:
    """Requests of a protocol on tori, by default on the paper's."""
    return [Request(torus_name(size), recipe, tolerance=tolerance, crosstalk=crosstalk) for size in sizes]
