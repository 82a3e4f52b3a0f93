"""The largest charging jobs of the symmetric sector, each in a process of its own. Imports no peer."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from spinbattery.charging import charge
from spinbattery.engines.symmetric.engine import Symmetric

from .contestants import Case
from .new_process import alone, peak_memory
from .pairing import Ratio, spread

TOLERANCE = 1e-6
_MOST_ROUNDS = 2


@dataclass(frozen=True)
class SizedJob:
    """A torus to be charged with an error of at most 1e-6, on all cores.

    Attributes:
        case: the torus and the duration.
        goal_s: seconds of wall time from the start of the process to its end.
        goal_bytes: most memory of the process, where there is a goal.
    """

    case: Case
    goal_s: float
    goal_bytes: float | None = None


JOBS = (SizedJob(Case(5, 5), 120.0, 1e9), SizedJob(Case(3, 4, 60_000.0), 45.0))
QUICK_JOBS = (SizedJob(Case(3, 4), 120.0, 1e9), SizedJob(Case(2, 2, 2_000.0), 45.0))


@dataclass(frozen=True)
class JobCost:
    """Cost of a job in a new process.

    Attributes:
        charge_s: wall time from network and protocol to the record.
        peak_bytes: most memory of the process.
        error_estimate: the record's own.
        scheme: the scheme of the steps, in words.
    """

    charge_s: float
    peak_bytes: int
    magnetization: float
    precision: float
    error_estimate: float
    scheme: str


@dataclass(frozen=True)
class JobCosts:
    """All rounds of a job: their costs, and seconds from the start of each process to its end."""

    job: SizedJob
    rounds: list[JobCost]
    process_s: list[float]

    @property
    def seconds(self) -> Ratio:
        return spread(self.process_s)

    @property
    def peak_bytes(self) -> int:
        return max(cost.peak_bytes for cost in self.rounds)

    @property
    def in_time(self) -> bool:
        return self.seconds.median <= self.job.goal_s and self.kept

    @property
    def in_memory(self) -> bool:
        return self.job.goal_bytes is None or self.peak_bytes < self.job.goal_bytes

    @property
    def kept(self) -> bool:
        """Whether the engine's own error estimate is within the tolerance."""
        return all(cost.error_estimate <= TOLERANCE for cost in self.rounds)


def measure_jobs(rounds: int, say: Callable[[str], None], *, quick: bool = False) -> list[JobCosts]:
    """Run each job in new processes, one after the other."""
    found = []
    for job in QUICK_JOBS if quick else JOBS:
        costs, seconds = [], []
        for _ in range(min(_MOST_ROUNDS, rounds)):
            cost, took = alone(run_job, job)
            costs.append(cost)
            seconds.append(took)
            say(f"{job.case.title}: {took:.1f} s, {cost.peak_bytes / 1e6:.0f} MB, error {cost.error_estimate:.1e}")
        found.append(JobCosts(job, costs, seconds))
    return found


def run_job(job: SizedJob) -> JobCost:
    """A job in this process."""
    start = time.perf_counter()
    record = charge(job.case.network(), job.case.protocol(), engine=Symmetric(TOLERANCE))
    seconds = time.perf_counter() - start
    if record.precision is None or record.error_estimate is None:
        raise ArithmeticError(f"{job.case.name} ends without fluctuations, so its precision has no error.")
    made = record.discretisation
    scheme = f"{made['splitting']}, {made['exponential']}, {made['steps']} steps, {made['dimension']} amplitudes"
    return JobCost(seconds, peak_memory(), record.magnetization, record.precision, record.error_estimate, scheme)
