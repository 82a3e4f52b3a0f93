"""Tables of one commit against another, from the file of figures, as Markdown."""

from __future__ import annotations

from itertools import groupby
from statistics import median
from typing import Any

from .targets import JOBS, Target


def table(data: dict[str, Any]) -> str:
    """One table for each part, with a row for each job that was measured."""
    old, new = data["old"][:7], data["new"][:7]
    measured = [(name, JOBS[name]) for name in JOBS if data["jobs"].get(name, {}).get("new")]
    lines: list[str] = []
    for part, jobs in groupby(measured, key=lambda one: one[1].part):
        lines += [f"**{part[0].upper()}{part[1:]}**", ""]
        lines += [f"| job | figure | {old} | {new} | {new} / {old} | target |", "|---|---|---|---|---|---|"]
        for name, job in jobs:
            figures = data["jobs"][name]
            before, after = (_figure(figures[side]) for side in ("old", "new"))
            targets = "; ".join(_verdict(target, name, data["jobs"]) for target in job.targets)
            lines.append(f"| {job.what} | {job.unit} | {before} | {after} | {_ratio(figures)} | {targets} |")
        lines.append("")
    return "\n".join(lines).rstrip()


def heading(data: dict[str, Any]) -> str:
    """The day and the two commits of a file of figures."""
    return f"Figures of {data['environment']['date'][:10]}, {data['new'][:7]} against {data['old'][:7]}"


def about(data: dict[str, Any]) -> str:
    """The kind of machine, the versions and the number of rounds of a file of figures."""
    found = data["environment"]
    names = [name for name in ("python", "numpy", "scipy", "numba", "qutip", "quspin") if name in found]
    versions = ", ".join(f"{name} {found[name]}" for name in names)
    rounds = sorted({len(figures["new"]) for figures in data["jobs"].values()} - {0})
    return (
        f"{found['cores']} cores, {found['cpu']}, {found['system']}; {versions}. "
        f"Medians of {' or '.join(map(str, rounds))} rounds, lowest and highest ratio in brackets."
    )


def _figure(values: list[float]) -> str:
    return f"{median(values):.3g}" if values else ""


def ratios(figures: dict[str, list[float]]) -> list[float]:
    """New over old, round by round; empty where one was not measured."""
    return [after / before for before, after in zip(figures["old"], figures["new"], strict=False)]


def _ratio(figures: dict[str, list[float]]) -> str:
    found = ratios(figures)
    return f"{median(found):.3f} ({min(found):.3f} to {max(found):.3f})" if found else ""


def _verdict(target: Target, name: str, jobs: dict[str, dict[str, list[float]]]) -> str:
    """The target and whether it is reached; of another job's figure where it names one."""
    new = jobs[name]["new"]
    if target.of == "ratio":
        found, what = ratios(jobs[name]), ""
    elif target.of == "new":
        found, what = new, f"{target.of} "
    else:
        other = jobs.get(target.of, {}).get("new", [])
        found, what = ([median(new) / median(other)] if other else []), f"/ {target.of} "
    if not found:
        return f"{what}{target}: not measured"
    value = median(found)
    shown = f" ({value:.3g})" if target.of not in ("ratio", "new") else ""
    return f"{what}{target}{shown}: {'reached' if target.reached(value) else 'not reached'}"
