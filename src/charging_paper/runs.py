"""Runs of the reproduction: what the parts ask for, made by one sweep, each with the command that makes it again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from spinbattery.core.errors import SweepError
from spinbattery.core.progress import Progress, silent
from spinbattery.engines.sampled.engine import Emulator
from spinbattery.engines.tensor.engine import TensorNetwork
from spinbattery.model.network_text import parse_network
from spinbattery.model.recipe import ProtocolRecipe
from spinbattery.records.record import Record
from spinbattery.store.folder import Store
from spinbattery.sweeps.plan import Plan, grid
from spinbattery.sweeps.run import execute
from spinbattery.sweeps.survey import survey

from .parameters import EMULATOR_CLAIMS, QUICK_READS, TOLERANCE

_network = lru_cache(parse_network)
"""Several protocols run on each region of a chip, and cutting one out takes a moment."""


@dataclass(frozen=True)
class Request:
    """A run that a part needs.

    Attributes:
        network: its text form.
        recipe: the protocol.
        points: equally spaced output times; none by default.
        crosstalk: J_CT on all neighbours, in units of B(s)/2.
        noise: its text form; none by default.
        tolerance: promised error of an exact run.
        on_annealer: whether it is a run of the annealer, emulated or real, and no exact one.
        full_only: whether it takes so long that only a full reproduction has it.
        tensor: the tensor network that it is a run of, and no exact one: its tolerance, and either its bond dimensions
            or none, when they are raised until the tolerance is kept.
    """

    network: str
    recipe: ProtocolRecipe
    points: int | None = None
    crosstalk: float = 0.0
    noise: str | None = None
    tolerance: float = TOLERANCE
    on_annealer: bool = False
    full_only: bool = False
    tensor: TensorNetwork | None = None

    def plan(self, emulator: Emulator) -> Plan:
        """The run as a plan of one task."""
        spins = _network(self.network)
        if self.crosstalk:
            spins = spins.with_crosstalk(self.crosstalk)
        if self.on_annealer:
            return grid(spins, self.recipe, engines=emulator)
        if self.tensor is not None:
            return grid(spins, self.recipe, engines=self.tensor)
        return grid(spins, self.recipe, noise=self.noise, tolerance=self.tolerance, points=self.points)

    def command(self, emulator: Emulator) -> str:
        """The same on the command line."""
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
            several = bonds if isinstance(bonds, tuple) else () if bonds is None else (bonds,)
            given = f" --bond-dimension {','.join(map(str, several))}" if several else ""
            return f"{text} --engine tensor --tolerance {self.tensor.tolerance:g}{given}"
        if self.noise is not None:
            text += f" --noise {self.noise}"
        text += f" --tolerance {self.tolerance:g}"
        return text if self.points is None else f"{text} --points {self.points}"


def _options(recipe: ProtocolRecipe) -> str:
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

    record: Record
    path: Path
    command: str


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
        emulator: Emulator | None = None,
        measured: Mapping[Request, Run] | None = None,
    ) -> None:
        """Run what is missing in the store at ``folder``, as a sweep.

        Args:
            folder: of the store.
            requests: what is needed.
            progress: called as the work advances.
            emulator: what stands for the annealer.
            measured: runs of a real annealer, which are not emulated.

        Raises:
            SpinBatteryError: see :func:`~spinbattery.sweeps.run.sweep`; a failed run or a damaged record is named.
        """
        self._store = Store(folder)
        self._emulator, self._measured = emulator or Emulator(reads=QUICK_READS), dict(measured or {})
        plans = {request: request.plan(self._emulator) for request in requests if request not in self._measured}
        self._keys = {request: plan.tasks[0].key for request, plan in plans.items()}
        plan = Plan(tuple(task for plan in plans.values() for task in plan))
        result = execute(survey(plan, self._store, retry_failed=True), self._store, progress=progress)
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

    @property
    def is_measured(self) -> bool:
        """Whether the annealer's runs are those of a real one."""
        return bool(self._measured)

    @property
    def annealer_label(self) -> str:
        """What the runs of the annealer were made by, for captions."""
        solvers = {str(run.record.sampler_info["solver"]["name"]) for run in self._measured.values()}
        reads = {run.record.n_reads for run in self._measured.values()} or {self._emulator.reads}
        made_by = ", ".join(sorted(solvers)) or (
            f"emulated, {self._emulator.model} at {self._emulator.temperature:g} mK, {self._emulator.sweeps} sweeps"
        )
        return f"{made_by}, {' and '.join(map(str, sorted(map(int, reads))))} reads"  # type: ignore[arg-type]

    @property
    def annealer_title(self) -> str:
        """The same in short, for figures."""
        return "measured" if self.is_measured else "emulated, not measured"

    @property
    def annealer_claims(self) -> tuple[str, ...]:
        """What the annealer's runs can claim, where they are emulated."""
        return () if self._measured else EMULATOR_CLAIMS


def torus_name(size: tuple[int, int]) -> str:
    """Text form of a torus."""
    return f"torus:{size[0]}x{size[1]}"
