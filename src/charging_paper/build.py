"""Run the chosen parts of the reproduction and write everything into one folder."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import spinbattery as sb
from spinbattery import __version__
from spinbattery.core.atomic import writing
from spinbattery.core.errors import InvalidParameterError, did_you_mean
from spinbattery.core.paths import user_path
from spinbattery.core.progress import Progress, silent
from spinbattery.figures.style import save_figure
from spinbattery.qpu.submission import SubmissionPolicy

from . import (
    baselines,
    criticality,
    energetics,
    estimates,
    fig2,
    fig2_annealer,
    fig2_tensor,
    fig3,
    fig4,
    fig6,
    fig7,
    fig8,
    fig9,
    fig10,
    formulas,
    large_n,
    measured,
    spectrum,
    table1,
    table1_annealer,
)
from .page import render_page
from .parameters import FULL_READS, QUICK_READS
from .runs import Request, Runs
from .section import AuditItem, Part

PARTS: dict[str, Part] = {
    "fig2": fig2.part(),
    "fig2-tensor": fig2_tensor.part(),
    "fig2-annealer": (fig2_annealer.build, fig2_annealer.REQUESTS),
    "fig3": (fig3.build, ()),
    "fig4": (fig4.build, ()),
    "fig6": (fig6.build, fig6.REQUESTS),
    "fig7": (fig7.build, fig7.REQUESTS),
    "fig8": (fig8.build, fig8.REQUESTS),
    "fig9": (fig9.build, fig9.REQUESTS),
    "fig10": (fig10.build, fig10.REQUESTS),
    "table1": table1.part(),
    "table1-annealer": (table1_annealer.build, table1_annealer.REQUESTS),
    "estimates": (estimates.build, estimates.REQUESTS),
    "energetics": (energetics.build, energetics.REQUESTS),
    "baselines": (baselines.build, baselines.REQUESTS),
    "spectrum": (spectrum.build, spectrum.REQUESTS),
    "criticality": (criticality.build, ()),
    "large-n": large_n.part(),
    "formulas": (formulas.build, formulas.REQUESTS),
}
"""The function that builds each part, and the runs it needs; in the order of the report."""


@dataclass(frozen=True)
class RealAnnealer:
    """A real annealer in place of the emulator: what may be sent, and the solver, by default the configured one."""

    policy: SubmissionPolicy
    solver: str | None = None


@dataclass(frozen=True)
class Reproduction:
    """What was written, and how much of it had to be computed."""

    report: Path
    audit: tuple[AuditItem, ...]
    computed: int
    reused: int


def build_report(
    folder: str | Path,
    only: Sequence[str] | None = None,
    progress: Progress = silent,
    *,
    reads: int = QUICK_READS,
    full: bool = False,
    qpu: RealAnnealer | None = None,
    parts: Mapping[str, Part] = PARTS,
) -> Reproduction:
    """Write figures (PNG and PDF), records, ``audit.json`` and ``report.html``.

    The runs are one sweep: records are kept as soon as they are finished, and reused, so that after Ctrl-C a second
    call continues.

    Args:
        folder: made where it does not exist.
        only: parts to run (all by default), in the report's own order.
        progress: called with the fraction done of the whole, and what is running.
        full: whether to make the runs, too, that take hours.
        qpu: the annealer to measure on; emulated by default.

    Raises:
        InvalidParameterError: an unknown part, before anything is run, or a place that cannot be written.
        RecordError: the folder of records cannot be made.
        QpuError: no connection, over the budget, or jobs without a record.
        SweepError: a run failed, or its record is damaged (the file is named).
        SweepInterrupted: after Ctrl-C, when what was running has finished.
    """
    folder, chosen = user_path(folder), _chosen(only, parts)
    _make_folder(folder / "figures")
    requests = _needed([parts[name] for name in chosen], full, qpu)
    store = folder / "records"
    on_qpu = {} if qpu is None else measured.measure(store, requests, reads, qpu, progress)
    runs = Runs(store, requests, progress, sb.Emulator(reads=reads), on_qpu)
    sections = {}
    for name in chosen:
        sections[name] = section = parts[name][0](runs)
        for figure in section.figures:
            for ending in (".png", ".pdf"):
                save_figure(figure.figure, folder / "figures" / f"{figure.stem}{ending}")
    progress(1.0, "report")
    audit = tuple(item for section in sections.values() for item in section.audit)
    _write(folder / "audit.json", json.dumps([asdict(item) for item in audit], indent=2) + "\n")
    report, options = folder / "report.html", _options(reads, full, qpu)
    page = render_page(
        sections,
        folder.absolute(),
        version=__version__,
        command="spinbattery reproduce" + ("" if only is None else f" --only {','.join(chosen)}") + options,
        options=options,
        annealer=runs.annealer_label,
    )
    _write(report, page)
    return Reproduction(report, audit, runs.computed, runs.reused)


def _needed(parts: Sequence[Part], full: bool, qpu: RealAnnealer | None) -> list[Request]:
    """Runs of the parts, without those that only a full reproduction has."""
    requests = [request for _, needed in parts for request in needed if full or not request.full_only]
    if qpu is None:
        return requests
    # nothing is emulated beside what is measured
    return [request for request in requests if not (request.on_annealer and request.crosstalk)]


def _options(reads: int, full: bool, qpu: RealAnnealer | None) -> str:
    """Options of the command line that make the same report."""
    text = " --full" if full else ""
    if reads != (FULL_READS if full else QUICK_READS):
        text += f" --reads {reads}"
    if qpu is not None:
        text += f" --qpu --budget {1e-6 * qpu.policy.budget_us:g}" + (f" --solver {qpu.solver}" if qpu.solver else "")
    return text


def _chosen(only: Sequence[str] | None, parts: Mapping[str, Part]) -> list[str]:
    if only is None:
        return list(parts)
    for name in only:
        if name not in parts:
            hint = did_you_mean(name, parts)
            raise InvalidParameterError(f"unknown part {name!r}; there are {', '.join(parts)}.{hint}")
    if not only:
        raise InvalidParameterError(f"no part is named; there are {', '.join(parts)}.")
    return [name for name in parts if name in only]


def _make_folder(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidParameterError(f"cannot make the folder {str(path)!r}: {error.strerror}.") from None


def _write(path: Path, text: str) -> None:
    with writing(path, InvalidParameterError) as temporary:
        temporary.write_text(text, encoding="utf-8")
