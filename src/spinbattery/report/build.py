"""Run the chosen parts of the reproduction and write everything into one folder."""

from __future__ import annotations

import difflib
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from .. import __version__
from ..errors import InvalidParameterError
from ..figures.style import save_figure
from ..paper import baselines, energetics, fig2, fig3, fig4, fig6, formulas, table1
from ..paper.runs import Runs
from ..paper.section import AuditItem, Section
from ..progress import Progress, silent
from .page import render_page

PARTS: dict[str, Callable[[Runs], Section]] = {
    "fig2": fig2.build,
    "fig3": fig3.build,
    "fig4": fig4.build,
    "fig6": fig6.build,
    "table1": table1.build,
    "energetics": energetics.build,
    "baselines": baselines.build,
    "formulas": formulas.build,
}


@dataclass(frozen=True)
class Reproduction:
    """What was written, and how much of it had to be computed."""

    report: Path
    audit: tuple[AuditItem, ...]
    computed: int
    reused: int


def build_report(folder: Path, only: Sequence[str] | None = None, progress: Progress = silent) -> Reproduction:
    """Write figures (PNG and PDF), records, ``audit.json`` and ``report.html``.

    Records are kept as soon as they are finished, and reused: after Ctrl-C a second call continues.

    Args:
        folder: made where it does not exist.
        only: parts to run (all by default), in the report's own order.
        progress: called with the fraction done of the whole, and what is running.

    Raises:
        InvalidParameterError: an unknown part, before anything is run.
        RecordError: the folder cannot be made, or holds a damaged record.
    """
    chosen = _chosen(only)
    inner: dict[str, float] = {"done": 0.0}

    def overall(fraction: float, message: str) -> None:
        progress(inner["done"], message)

    runs = Runs(folder / "records", overall)
    figures = folder / "figures"
    figures.mkdir(parents=True, exist_ok=True)
    sections = []
    for k, name in enumerate(chosen):
        inner["done"] = k / len(chosen)
        progress(inner["done"], name)
        section = PARTS[name](runs)
        for figure in section.figures:
            for ending in (".png", ".pdf"):
                save_figure(figure.figure, figures / f"{figure.stem}{ending}")
        sections.append(section)
    progress(1.0, "report")
    audit = tuple(item for section in sections for item in section.audit)
    _write_atomically(folder / "audit.json", json.dumps([item.to_dict() for item in audit], indent=2) + "\n")
    report = folder / "report.html"
    command = "spinbattery reproduce" if only is None else f"spinbattery reproduce --only {','.join(chosen)}"
    _write_atomically(report, render_page(sections, folder, __version__, command))
    return Reproduction(report, audit, runs.computed, runs.reused)


def _chosen(only: Sequence[str] | None) -> list[str]:
    if only is None:
        return list(PARTS)
    for name in only:
        if name not in PARTS:
            close = difflib.get_close_matches(name, PARTS, n=1)
            hint = f" Did you mean {close[0]!r}?" if close else ""
            raise InvalidParameterError(f"unknown part {name!r}; there are {', '.join(PARTS)}.{hint}")
    if not only:
        raise InvalidParameterError(f"no part is named; there are {', '.join(PARTS)}.")
    return [name for name in PARTS if name in only]


def _write_atomically(path: Path, text: str) -> None:
    temporary = path.with_name(f".{path.name}.part")
    temporary.write_text(text, encoding="utf-8")
    os.replace(temporary, path)
