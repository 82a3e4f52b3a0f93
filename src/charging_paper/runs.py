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

from .parameters import EMULATOR_CLAIMS, QUICK_READS, TOLERANCE, TORI

_K = TypeVar("_K")
_T = TypeVar("_T")
_network = lru_cache(sb.parse_network)
"""Several protocols run on each region of a chip, and cutting one out takes a moment."""


@dataclass(frozen=True)
class Request:
    """A run that a part needs: an exact one, unless it is on the annealer or by a tensor network.

    Attributes:
        points: number of equally spaced output times.
        crosstalk: J_CT on all neighbours, in units of B(s)/2.
        tolerance: tolerance of an exact run; a tensor network has its own.
        full_only: whether it takes so long that only a full reproduction has it.
    """

    network: str
    recipe: sb.ProtocolRecipe
    points: int | None = None
    crosstalk: float = 0.0
    noise: str | None = None
    tolerance: float = TOLERANCE
    on_annealer: bool = False
    full_only: bool = False
    tensor: sb.TensorNetwork | None = None

    def plan(self, emulator: sb.Emulator) -> sb.Plan:
        """The run as a plan of one task."""
        spins = _network(self.network)
        if self.crosstalk:
            spins = spins.with_crosstalk(self.crosstalk)
        engine = emulator if self.on_annealer else self.tensor
        if engine is not None:
            return Grid((spins,), (self.recipe,), engines=(engine,)).plan()
        noise = (as_noise(self.noise),)
        return Grid((spins,), (self.recipe,), noise=noise, tolerance=self.tolerance, points=self.points).plan()

    def command(self, emulator: sb.Emulator) -> str:
        """The command that makes the same run."""
        text = f"spinbattery charge --network {self.network} {_options(self.recipe)}"
        if self.crosstalk:
            text += f" --crosstalk {self.crosstalk:g}"
        if self.on_annealer:
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
        progress: Progress = silent,
        emulator: sb.Emulator | None = None,
        measured: Mapping[Request, Run] | None = None,
    ) -> None:
        """Run what is missing in the store at ``folder``, as a sweep.

        The emulator makes the annealer's runs, except those ``measured`` on a real one.

        Raises:
            SpinBatteryError: see :func:`~spinbattery.sweeps.run.sweep`; a failed run or a damaged record is named.
        """
        self._store = sb.Store(folder)
        self._emulator, self._measured = emulator or sb.Emulator(reads=QUICK_READS), dict(measured or {})
        plans = {request: request.plan(self._emulator) for request in requests if request not in self._measured}
        self._keys = {request: plan.tasks[0].key for request, plan in plans.items()}
        plan = sb.Plan(tuple(task for plan in plans.values() for task in plan))
        execution = Execution(retry_failed=True, progress=progress)
        result = execute(survey(plan, self._store, execution), self._store, execution)
        if result.failures:
            raise SweepError("; ".join(result.failures.values()))
        self.computed, self.reused = result.computed, result.reused
        self._records = {record.key: record for record in result.records()}

    def __getitem__(self, request: Request) -> Run:
        if request in self._measured:
            return self._measured[request]
        key = self._keys[request]
        return Run(self._records[key], self._store.path(key), request.command(self._emulator))

    def __contains__(self, request: Request) -> bool:
        return request in self._measured or request in self._keys

    def present(self, requests: Iterable[Request]) -> list[Run]:
        """The runs that this reproduction has; runs that only a full one makes may be missing."""
        return [self[request] for request in requests if request in self]

    def groups(self, requests: Mapping[_K, Iterable[Request]]) -> dict[_K, list[Run]]:
        """Runs of named groups of requests."""
        return {name: [self[request] for request in group] for name, group in requests.items()}

    @property
    def is_measured(self) -> bool:
        """Whether the annealer's runs come from a real one."""
        return bool(self._measured)

    @property
    def annealer_label(self) -> str:
        """The annealer or emulator behind the annealer's runs, for captions."""
        solvers = {str(run.record.sampler_info["solver"]["name"]) for run in self._measured.values()}
        reads = {run.record.n_reads for run in self._measured.values()} or {self._emulator.reads}
        made_by = ", ".join(sorted(solvers)) or (
            f"emulated, {self._emulator.model} at {self._emulator.temperature:g} mK, {self._emulator.sweeps} "
            "Monte Carlo sweeps"
        )
        return f"{made_by}, {' and '.join(map(str, sorted(map(int, reads))))} reads"  # type: ignore[arg-type]

    @property
    def annealer_title(self) -> str:
        """A short form of the label, for figures."""
        return "measured" if self.is_measured else "emulated, not measured"

    @property
    def annealer_claims(self) -> tuple[str, ...]:
        """What emulated rows show and do not show; nothing where the annealer is a real one."""
        return () if self._measured else EMULATOR_CLAIMS


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
