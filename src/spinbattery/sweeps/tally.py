"""Counts of a running sweep, and the line that shows them."""

from __future__ import annotations

import time
from collections import Counter

from .survey import format_seconds
from .task import Outcome


class Tally:
    """Counts of ``total`` tasks with a predicted run time of ``seconds`` in all."""

    def __init__(self, total: int, seconds: float) -> None:
        self.total, self.running = total, 0
        self._seconds, self._seconds_done = seconds, 0.0
        self._counts: Counter[str] = Counter()
        self._start = time.monotonic()

    def note(self, outcome: Outcome, seconds: float) -> None:
        """Count a task that ended."""
        self._counts[outcome.kind] += 1
        self._seconds_done += seconds

    @property
    def computed(self) -> int:
        return self._counts["computed"]

    @property
    def ended(self) -> int:
        return self._counts.total()

    @property
    def fraction(self) -> float:
        """Fraction of the predicted run time that is done."""
        return 1.0 if self.ended == self.total else self.fraction_with(0.0)

    def fraction_with(self, seconds: float) -> float:
        """The fraction with ``seconds`` of a running task added."""
        return min(1.0, (self._seconds_done + seconds) / self._seconds) if self._seconds else 0.0

    def __str__(self) -> str:
        elapsed = time.monotonic() - self._start
        parts = [f"{self.ended} of {self.total} done"]
        if failed := self._counts["failed"]:
            parts.append(f"{failed} failed")
        parts.append(f"{self.running} running")
        if self.computed and elapsed > 0.0:
            parts.append(f"{self.computed / elapsed:.3g}/s")
        if 0.0 < self.fraction < 1.0:
            parts.append(f"{format_seconds(elapsed * (1.0 - self.fraction) / self.fraction)} left")
        return ", ".join(parts)
