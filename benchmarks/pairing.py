"""Paired timing: contestants take turns in rounds, so that drift of the machine affects them all."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")

_FILL_SECONDS = 0.4
_MOST_REPEATS = 20


@dataclass(frozen=True)
class Timing(Generic[T]):
    """Median repeat of one contestant in each round.

    Attributes:
        cpu, wall: seconds, one entry per round.
        outcome: what it computed.
    """

    cpu: list[float]
    wall: list[float]
    outcome: T


@dataclass(frozen=True)
class Ratio:
    """How many times longer one contestant takes than another, over the rounds."""

    lowest: float
    median: float
    highest: float

    def __str__(self) -> str:
        return f"{self.median:.1f} ({self.lowest:.1f} to {self.highest:.1f})"


def paired(
    contestants: Mapping[str, Callable[[], T]], rounds: int, before_round: Callable[[], None] | None = None
) -> dict[str, Timing[T]]:
    """Time contestants in turns, the order reversed every other round.

    Ratios of single-threaded contestants use CPU time: on a shared machine wall time also counts the waiting. A fast
    contestant is repeated for 0.4 s in each round and the median is kept: the best of many would flatter it beside a
    slow one, which has one try to be best.
    One untimed run of each comes first, for compilation and caches.
    """
    names = list(contestants)
    timings = {name: Timing([], [], contestants[name]()) for name in names}
    for turn in range(rounds):
        if before_round:
            before_round()
        for name in names if turn % 2 == 0 else reversed(names):
            cpu, wall = _median(contestants[name])
            timings[name].cpu.append(cpu)
            timings[name].wall.append(wall)
    return timings


def _median(run: Callable[[], object]) -> tuple[float, float]:
    cpu: list[float] = []
    wall: list[float] = []
    while not cpu or (sum(cpu) < _FILL_SECONDS and len(cpu) < _MOST_REPEATS):
        wall_start, cpu_start = time.perf_counter(), time.process_time()
        run()
        cpu.append(time.process_time() - cpu_start)
        wall.append(time.perf_counter() - wall_start)
    return statistics.median(cpu), statistics.median(wall)


def ratio(slow: Timing[T], fast: Timing[T]) -> Ratio:
    """Ratio of CPU times round by round."""
    return spread([a / b for a, b in zip(slow.cpu, fast.cpu, strict=True)])


def spread(values: Sequence[float]) -> Ratio:
    """Lowest, median and highest."""
    return Ratio(min(values), statistics.median(values), max(values))
