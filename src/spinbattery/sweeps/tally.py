"""Counts of a running sweep, and the line that shows them."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from .survey import format_seconds
from .task import Outcome


@dataclass
class Tally:
    """Counts of ``total`` tasks with a predicted run time of ``seconds`` in all."""

    total: int
    seconds: float
    computed: int = 0
    found: int = 0
    failed: int = 0
    running: int = 0
    seconds_done: float = 0.0
    _start: float = field(default_factory=time.monotonic)

    def note(self, outcome: Outcome, seconds: float) -> None:
        """Count a task that ended."""
        self.computed += outcome.kind == "computed"
        self.found += outcome.kind == "found"
        self.failed += outcome.kind == "failed"
        self.seconds_done += seconds

    @property
    def ended(self) -> int:
        return self.computed + self.found + self.failed

    @property
    def fraction(self) -> float:
        """Fraction of the predicted run time that is done."""
        return 1.0 if self.ended == self.total else self.fraction_with(0.0)

    def fraction_with(self, seconds: float) -> float:
        """The fraction with ``seconds`` of a running task added."""
        return min(1.0, (self.seconds_done + seconds) / self.seconds) if self.seconds else 0.0

    def __str__(self) -> str:
        elapsed = time.monotonic() - self._start
        parts = [f"{self.ended} of {self.total} done"]
        if self.failed:
            parts.append(f"{self.failed} failed")
        parts.append(f"{self.running} running")
        if self.computed and elapsed > 0.0:
            parts.append(f"{self.computed / elapsed:.3g}/s")
        if 0.0 < self.fraction < 1.0:
            parts.append(f"{format_seconds(elapsed * (1.0 - self.fraction) / self.fraction)} left")
        return ", ".join(parts)
