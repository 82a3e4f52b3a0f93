"""Tables of later commits against earlier ones, from files of figures, as Markdown."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import groupby
from statistics import median
from typing import Any

from .targets import JOBS, Job, Target

_MISSING = "not measured yet"


@dataclass(frozen=True)
class _Found:
    """The figures of a job in one file.

    Attributes:
        jobs: all figures of that file, by job.
        source: the two commits and the day.
    """

    job: Job
    figures: dict[str, list[float]]
    jobs: dict[str, dict[str, list[float]]]
    source: str

    @property
    def cells(self) -> list[str]:
        before, after = (_figure(self.figures[side]) for side in ("old", "new"))
        return [self.job.what, self.job.unit, before, after, _ratio(self.figures)]


def table(files: Sequence[dict[str, Any]], asked: Collection[str] = ()) -> str:
    """One table for each part: the latest figure of each job, and a row for each job that is asked for without one."""
    found = _by_job(files)
    listed = [(name, job) for name, job in JOBS.items() if name in found or name in asked]
    lines: list[str] = []
    for part, jobs in groupby(listed, key=lambda one: one[1].part):
        lines += [f"**{part[0].upper()}{part[1:]}**", "", *_head("target")]
        for name, job in jobs:
            if name not in found:
                targets = "; ".join(f"{_compared(target)}{target}" for target in job.targets)
                lines.append(_row([job.what, job.unit, "", "", _MISSING, "", targets]))
                continue
            latest = found[name][0]
            verdicts = "; ".join(_verdict(target, name, latest.jobs) for target in job.targets)
            lines.append(_row([*latest.cells, latest.source, verdicts]))
        lines.append("")
    return "\n".join(lines).rstrip()


def replaced(files: Sequence[dict[str, Any]]) -> str:
    """A table of the figures that later ones have replaced, the latest first; empty where there are none."""
    rows = [_row([*one.cells, one.source]) for figures in _by_job(files).values() for one in figures[1:]]
    return "\n".join([*_head(), *rows]) if rows else ""


def about(data: dict[str, Any]) -> str:
    """Commits, day, kind of machine, versions and number of rounds of a file of figures."""
    found = data["environment"]
    names = [name for name in ("python", "numpy", "scipy", "numba", "qutip", "quspin") if name in found]
    versions = ", ".join(f"{name} {found[name]}" for name in names)
    rounds = sorted({len(figures["new"]) for figures in data["jobs"].values()} - {0})
    return (
        f"{_source(data)}: {found['cores']} cores, {found['cpu']}, {found['system']}; {versions}; "
        f"{' or '.join(map(str, rounds))} {'round' if rounds == [1] else 'rounds'}"
    )


def by_date(files: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Files of figures, the latest first."""
    return sorted(files, key=lambda data: str(data["environment"]["date"]), reverse=True)


def _by_job(files: Sequence[dict[str, Any]]) -> dict[str, list[_Found]]:
    """Figures of each job that was measured, the latest first; jobs in their own order."""
    ordered = by_date(files)
    found = {
        name: [
            _Found(job, data["jobs"][name], data["jobs"], _source(data))
            for data in ordered
            if data["jobs"].get(name, {}).get("new")
        ]
        for name, job in JOBS.items()
    }
    return {name: figures for name, figures in found.items() if figures}


def _source(data: dict[str, Any]) -> str:
    return f"{data['new'][:7]} against {data['old'][:7]}, {data['environment']['date'][:10]}"


def _head(*more: str) -> list[str]:
    columns = ("job", "figure", "before", "after", "after / before", "commits, day", *more)
    return [_row(columns), "|" + len(columns) * "---|"]


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _figure(values: list[float]) -> str:
    return f"{median(values):.3g}" if values else ""


def ratios(figures: dict[str, list[float]]) -> list[float]:
    """New over old, round by round; empty where one was not measured."""
    return [after / before for before, after in zip(figures["old"], figures["new"], strict=False)]


def _ratio(figures: dict[str, list[float]]) -> str:
    found = ratios(figures)
    return f"{median(found):.3f} ({min(found):.3f} to {max(found):.3f})" if found else ""


def _compared(target: Target) -> str:
    """What a target compares with, where this is not the earlier commit."""
    return {"ratio": "", "new": "after "}.get(target.of, f"/ {target.of} ")


def _verdict(target: Target, name: str, jobs: dict[str, dict[str, list[float]]]) -> str:
    """The target and whether it is reached; of another job's figure where it names one."""
    new = jobs[name]["new"]
    if target.of == "ratio":
        found = ratios(jobs[name])
    elif target.of == "new":
        found = new
    else:
        other = jobs.get(target.of, {}).get("new", [])
        found = [median(new) / median(other)] if other else []
    if not found:
        return f"{_compared(target)}{target}: {_MISSING}"
    value = median(found)
    in_table = target.of in ("ratio", "new") and target.reached(float(f"{value:.3f}")) == target.reached(value)
    shown = "" if in_table else f" ({_telling(value, target)})"
    return f"{_compared(target)}{target}{shown}: {'reached' if target.reached(value) else 'not reached'}"


def _telling(value: float, target: Target) -> str:
    """A value with as many digits as show on which side of the bound it is, three at least."""
    texts = (f"{value:.{digits}g}" for digits in range(3, 17))
    return next((text for text in texts if target.reached(float(text)) == target.reached(value)), repr(value))
