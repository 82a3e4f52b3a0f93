"""The paper's largest job in a process of its own: how long, and how much memory. Imports no peer."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from spinbattery.charging import charge
from spinbattery.core.machine import limit_cores
from spinbattery.engines.sampled.engine import Emulator
from spinbattery.model.network_text import parse_network
from spinbattery.model.protocol import cooperative

from .contestants import COUPLING, FIELD, HOLD
from .new_process import alone, peak_memory
from .pairing import Ratio, spread

CORES = 2
GOAL_S, GOAL_BYTES = 90.0, 1e9
"""Seconds from the start of the process to its end, and peak memory."""

_DURATION_NS = 60_000.0
_MOST_ROUNDS = 3


@dataclass(frozen=True)
class ChargeJob:
    """The cooperative protocol of 60 us on the emulator."""

    network: str
    reads: int
    sweeps: int

    @property
    def name(self) -> str:
        return f"{self.network}, {self.reads} reads, {self.sweeps} sweeps"


PAPER = ChargeJob("pegasus:16", 1000, 5000)
SMALLEST = ChargeJob("pegasus:2", 100, 300)
"""For a quick run."""


@dataclass(frozen=True)
class ChargeCost:
    """Cost of a job.

    Attributes:
        charge_s: from the text form of the network to the record.
        peak_bytes: most memory of the process.
        spins: number of spins.
        most_flips: spins down in the worst read.
        process_s: from the start of the process to its end, imports included.
    """

    charge_s: float
    peak_bytes: int
    spins: int
    most_flips: int
    process_s: float = 0.0


@dataclass(frozen=True)
class ChargeCosts:
    """All rounds of a job."""

    job: ChargeJob
    rounds: list[ChargeCost]

    @property
    def seconds(self) -> Ratio:
        return spread([cost.process_s for cost in self.rounds])

    @property
    def charge_seconds(self) -> Ratio:
        return spread([cost.charge_s for cost in self.rounds])

    @property
    def peak_bytes(self) -> int:
        return max(cost.peak_bytes for cost in self.rounds)

    @property
    def updates_per_second(self) -> float:
        """Spin updates per second of `charge`; Monte Carlo sweeps that are left out count as done."""
        cost = self.rounds[0]
        return cost.spins * self.job.reads * self.job.sweeps / statistics.median(c.charge_s for c in self.rounds)

    @property
    def in_time(self) -> bool:
        return self.seconds.median <= GOAL_S

    @property
    def in_memory(self) -> bool:
        return self.peak_bytes < GOAL_BYTES


def measure_charge(rounds: int, say: Callable[[str], None], *, quick: bool = False) -> ChargeCosts:
    """Run the job in new processes, one after the other."""
    job = SMALLEST if quick else PAPER
    costs = []
    for _ in range(min(_MOST_ROUNDS, rounds)):
        costs.append(in_new_process(job))
        say(f"{job.name}: {costs[-1].process_s:.1f} s, {costs[-1].peak_bytes / 1e6:.0f} MB")
    return ChargeCosts(job, costs)


def in_new_process(job: ChargeJob) -> ChargeCost:
    """A job alone in a spawned process, which shares nothing with this one."""
    cost, seconds = alone(run_charge, job)
    return replace(cost, process_s=seconds)


def run_charge(job: ChargeJob) -> ChargeCost:
    """A job in this process, on two cores."""
    limit_cores(CORES)
    start = time.perf_counter()
    protocol = cooperative(_DURATION_NS, J=COUPLING, h=FIELD, s_hold=HOLD)
    record = charge(parse_network(job.network), protocol, engine=Emulator(reads=job.reads, sweeps=job.sweeps, seed=1))
    seconds = time.perf_counter() - start
    spins = np.asarray(record.spins)
    flips = (spins < 0).sum(axis=1)
    return ChargeCost(seconds, peak_memory(), spins.shape[1], int(flips.max()))
