"""Tables and verdicts on noisy charging, and their figures as plain data."""

from __future__ import annotations

import statistics
from typing import Any

from rich.console import Console

from .open_systems import SECONDS, LargeJob, NoisyComparison
from .report import plain_case
from .tables import table, word


def show_large_jobs(jobs: list[LargeJob], console: Console) -> None:
    """Print how long each took and how accurate it is."""
    shown = table("larger jobs, one thread: medians of the rounds")
    for column in ("job", "engine", "wall s", "CPU s", "mu", "1/sigma^2", "accuracy"):
        shown.add_column(column, no_wrap=True, justify="left" if column in ("job", "engine") else "right")
    for job in jobs:
        record = job.timing.outcome
        precision = "-" if record.precision is None else f"{record.precision:.6g}"
        shown.add_row(
            job.case.name,
            job.engine.name,
            f"{job.seconds:.3g}",
            f"{statistics.median(job.timing.cpu):.3g}",
            f"{record.magnetization:.6f}",
            precision,
            record.accuracy,
        )
    console.print(shown)
    for job in jobs:
        console.print(f"{job.case.title}, {job.engine}: {job.seconds:.3g} s, goal {SECONDS:g} s: {word(job.reached)}")


def plain(comparisons: list[NoisyComparison], jobs: list[LargeJob]) -> dict[str, Any]:
    """Every figure as numbers, text, lists and dicts."""
    return {"comparisons": [plain_case(one) for one in comparisons], "large_jobs": [_plain_job(job) for job in jobs]}


def _plain_job(job: LargeJob) -> dict[str, Any]:
    record = job.timing.outcome
    return {
        "case": job.case.name,
        "engine": job.engine.name,
        "options": job.engine.options(),
        "cpu_s": job.timing.cpu,
        "wall_s": job.timing.wall,
        "goal_s": SECONDS,
        "reached": job.reached,
        "magnetization": record.magnetization,
        "precision": record.precision,
        "error_estimate": record.error_estimate,
        "magnetization_stderr": record.magnetization_stderr,
        "precision_stderr": record.precision_stderr,
    }
