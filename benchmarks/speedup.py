"""How much faster two workers are than one on equal problems."""

from __future__ import annotations

import multiprocessing
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, wait
from dataclasses import dataclass

from .pairing import Ratio, spread
from .sweeps import (
    HERE,
    POOL,
    WORKERS,
    Contestant,
    Job,
    Spent,
    in_embedded_pool,
    in_this_process,
    take_turns,
    wall_ratio,
)

GOAL = 1.7
"""Goal: how many times faster two workers are than one."""

EQUAL = Job("torus:4x4", 5.0, 5.05, 8, 1e-5, warm_up=2)
EQUAL_PAIR = Job("torus:4x4", 5.0, 5.05, 2, 1e-5, warm_up=2)
"""For a quick run."""

_LOOPS = 4_000_000


@dataclass(frozen=True)
class SpeedUp:
    """All figures of the speed-up.

    Attributes:
        job: what was run.
        spent: rounds of the sweep in this process and in the pool.
        machine: in each round, how much more of a bare loop two processes do than one.
    """

    job: Job
    spent: dict[str, list[Spent]]
    machine: list[float]

    @property
    def measured(self) -> float:
        """Ratio of the median wall times, one worker against two."""
        one, two = (statistics.median(spent.wall for spent in self.spent[name]) for name in (HERE, POOL))
        return one / two

    @property
    def rounds(self) -> Ratio:
        """Ratio of wall times round by round."""
        return wall_ratio(self.spent[HERE], self.spent[POOL])

    @property
    def engine_ratio(self) -> Ratio:
        """How many times longer engines take for the same problems when two run at once.

        Above 1: they share memory bandwidth, clock or cores, with each other or with other programs. Then
        no way of sharing the work out gives a speed-up of more than 2 divided by this.
        """
        pairs = zip(self.spent[POOL], self.spent[HERE], strict=True)
        return spread([together.engine / alone.engine for together, alone in pairs])

    @property
    def reached(self) -> bool:
        return self.measured >= GOAL


def compare_workers(rounds: int, say: Callable[[str], None], *, quick: bool = False) -> SpeedUp:
    """Let this process alone and the warm pool take turns at the same problems."""
    contestants: dict[str, Contestant] = {HERE: in_this_process, POOL: in_embedded_pool}
    job = EQUAL_PAIR if quick else EQUAL
    machine: list[float] = []

    def look_at_machine() -> None:
        machine.append(machine_speed_up())
        say(f"the machine does {machine[-1]:.2f} times as much with {WORKERS} processes as with one")

    spent = take_turns(contestants, {HERE: 1, POOL: WORKERS}, job, rounds, say, look_at_machine)
    return SpeedUp(job, spent, machine)


def machine_speed_up(workers: int = WORKERS, count: int = _LOOPS) -> float:
    """How many times more of a bare loop ``workers`` processes do than one, now: the limit of a sweep's speed-up."""
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
        wait([pool.submit(_count_up, count) for _ in range(workers)])
        start = time.perf_counter()
        pool.submit(_count_up, count).result()
        alone = time.perf_counter() - start
        start = time.perf_counter()
        wait([pool.submit(_count_up, count) for _ in range(workers)])
        together = time.perf_counter() - start
    return workers * alone / together


def _count_up(count: int) -> int:
    total = 0
    for k in range(count):
        total += k
    return total
