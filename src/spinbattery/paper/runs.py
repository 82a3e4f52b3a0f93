"""Runs of the reproduction: each is looked up in the store first, and knows the command that makes it again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from numpy.typing import ArrayLike

from ..charging import charge
from ..network import SpinNetwork
from ..network_text import parse_network
from ..progress import Progress, silent
from ..protocol import Protocol
from ..recipe import ProtocolRecipe
from ..record import Record
from ..store import Store
from .parameters import TOLERANCE


@dataclass(frozen=True)
class Run:
    """A record, its file in the store, and a command that computes it."""

    record: Record
    path: Path
    command: str


class Runs:
    """Charges networks through a store.

    Attributes:
        store: where records are kept.
        computed: how many runs were computed.
        reused: how many were found finished.
    """

    def __init__(self, folder: Path, progress: Progress = silent) -> None:
        self.store = Store(folder)
        self.progress = progress
        self.computed = 0
        self.reused = 0

    def charge(
        self,
        network: str,
        recipe: ProtocolRecipe,
        *,
        times: ArrayLike | None = None,
        crosstalk: float = 0.0,
    ) -> Run:
        """Charge a network given by its text form; ``times`` in ns."""
        spins = parse_network(network)
        command = f"spinbattery charge --network {network} {recipe.arguments()} --tolerance {TOLERANCE:g}"
        if crosstalk:
            spins = spins.with_crosstalk(crosstalk)
            command += f" --crosstalk {crosstalk:g}"
        if times is not None:
            command += " --plot trajectories.png"
        record = self._charge(spins, recipe.build(spins), times)
        return Run(record, self.store.path(record.key), command)

    def _charge(self, network: SpinNetwork, protocol: Protocol, times: ArrayLike | None) -> Record:
        started = False

        def progress(fraction: float, message: str) -> None:
            nonlocal started
            started = True
            self.progress(fraction, message)

        record = charge(
            network, protocol, tolerance=TOLERANCE, times=times, store=self.store, progress=progress
        )  # fmt: skip
        if started:
            self.computed += 1
        else:
            self.reused += 1
        return record


def torus_name(size: tuple[int, int]) -> str:
    """Text form of a torus."""
    return f"torus:{size[0]}x{size[1]}"
