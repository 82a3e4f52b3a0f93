"""Runs of the reproduction: what the parts ask for, made by one sweep, each with the command that makes it again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ..errors import SweepError
from ..network_text import parse_network
from ..progress import Progress, silent
from ..recipe import ProtocolRecipe
from ..record import Record
from ..store.folder import Store
from ..sweeps.plan import Plan, grid
from ..sweeps.run import execute
from ..sweeps.survey import survey
from .parameters import TOLERANCE


@dataclass(frozen=True)
class Request:
    """A run that a part needs.

    Attributes:
        network: its text form.
        recipe: the protocol.
        points: equally spaced output times; none by default.
        crosstalk: J_CT on all neighbours, in units of B(s)/2.
    """

    network: str
    recipe: ProtocolRecipe
    points: int | None = None
    crosstalk: float = 0.0

    @property
    def plan(self) -> Plan:
        """The run as a plan of one task."""
        spins = parse_network(self.network)
        if self.crosstalk:
            spins = spins.with_crosstalk(self.crosstalk)
        return grid(spins, self.recipe, tolerance=TOLERANCE, points=self.points)

    @property
    def command(self) -> str:
        """The same on the command line."""
        text = f"spinbattery charge --network {self.network} {self.recipe.arguments()} --tolerance {TOLERANCE:g}"
        if self.crosstalk:
            text += f" --crosstalk {self.crosstalk:g}"
        return text if self.points is None else f"{text} --points {self.points}"


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

    def __init__(self, folder: Path, requests: Iterable[Request], progress: Progress = silent) -> None:
        """Run what is missing in the store at ``folder``, as a sweep.

        Raises:
            SpinBatteryError: see :func:`~spinbattery.sweeps.run.sweep`; a failed run or a damaged record is named.
        """
        self._store = Store(folder)
        plans = {request: request.plan for request in requests}
        self._keys = {request: plan.tasks[0].key for request, plan in plans.items()}
        plan = Plan(tuple(task for plan in plans.values() for task in plan))
        result = execute(survey(plan, self._store, retry_failed=True), self._store, progress=progress)
        if result.failures:
            raise SweepError("; ".join(result.failures.values()))
        self.computed, self.reused = result.computed, result.reused
        self._records = {record.key: record for record in result.records()}

    def __getitem__(self, request: Request) -> Run:
        key = self._keys[request]
        return Run(self._records[key], self._store.path(key), request.command)


def torus_name(size: tuple[int, int]) -> str:
    """Text form of a torus."""
    return f"torus:{size[0]}x{size[1]}"
