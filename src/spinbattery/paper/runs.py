"""Runs of the reproduction: each is looked up in the store first, and knows the command that makes it again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .._typing import FloatArray
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
        expected: how many runs there will be, for the progress.
        computed: how many runs were computed.
        reused: how many were found finished.
    """

    def __init__(self, folder: Path, expected: int, progress: Progress = silent) -> None:
        self.store = Store(folder)
        self.expected = max(1, expected)
        self._progress = progress
        self.computed = 0
        self.reused = 0

    def charge(
        self,
        network: str,
        recipe: ProtocolRecipe,
        *,
        points: int | None = None,
        crosstalk: float = 0.0,
    ) -> Run:
        """Charge a network given by its text form, with ``points`` equally spaced output times."""
        spins = parse_network(network)
        command = f"spinbattery charge --network {network} {recipe.arguments()} --tolerance {TOLERANCE:g}"
        if crosstalk:
            spins = spins.with_crosstalk(crosstalk)
            command += f" --crosstalk {crosstalk:g}"
        protocol, times = recipe.build(spins), None
        if points is not None:
            command += f" --points {points}"
            times = np.linspace(0.0, protocol.duration, points)
        record = self._charge(spins, protocol, times)
        return Run(record, self.store.path(record.key), command)

    def _charge(self, network: SpinNetwork, protocol: Protocol, times: FloatArray | None) -> Record:
        started = False

        def progress(fraction: float, message: str) -> None:
            nonlocal started
            started = True
            self._progress((self.computed + self.reused) / self.expected, message)

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
