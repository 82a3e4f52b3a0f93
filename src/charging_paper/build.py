"""Run the chosen parts of the reproduction and write everything into one folder."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from spinbattery import __version__
from spinbattery.core.atomic import writing
from spinbattery.core.errors import InvalidParameterError, did_you_mean
from spinbattery.core.paths import user_path
from spinbattery.core.progress import Progress, Rising, silent
from spinbattery.figures.style import save_figure
from spinbattery.qpu.submission import SubmissionPolicy

from . import (
    baselines,
    beyond,
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
from .parameters import FULL_READS
from .runs import Request, Runs
from .section import AuditItem, Part, Section
from .stamp import Stamp

PARTS: dict[str, Part] = {
    "fig2": (fig2.build, fig2.REQUESTS),
    "fig2-tensor": fig2_tensor.part(),
    "fig2-annealer": (fig2_annealer.build, fig2_annealer.REQUESTS),
    "fig3": (fig3.build, ()),
    "fig4": (fig4.build, ()),
    "fig6": (fig6.build, fig6.REQUESTS),
    "fig7": (fig7.build, fig7.REQUESTS),
    "fig8": (fig8.build, fig8.REQUESTS),
    "fig9": (fig9.build, fig9.REQUESTS),
    "fig10": (fig10.build, fig10.REQUESTS),
    "table1": (table1.build, table1.REQUESTS),
    "table1-annealer": (table1_annealer.build, table1_annealer.REQUESTS),
    "beyond": beyond.part(),
    "estimates": (estimates.build, estimates.REQUESTS),
    "energetics": (energetics.build, energetics.REQUESTS),
    "baselines": (baselines.build, baselines.REQUESTS),
    "spectrum": (spectrum.build, spectrum.REQUESTS),
    "criticality": (criticality.build, ()),
    "large-n": large_n.part(),
    "formulas": (formulas.build, formulas.REQUESTS),
}
"""The function that builds each part, and the runs it needs; in the order of the report."""

_FIRST = ("fig2",)
_QUICK = ("table1", "fig3", "fig4", "fig6", "fig7", "fig8", "fig10", "baselines", "spectrum", "criticality", "formulas")
_TENSOR = "fig2-tensor"
"""The part that is written before anything else is run; those of seconds, which come next; and tensor networks. This
process makes the first two and the smallest tensor network, for several workers would each compile the same kernels. A
larger tensor network keeps one worker busy while others make the rest: its threads would wait for each other."""


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
    reads: int | None = None,
    full: bool = False,
    qpu: RealAnnealer | None = None,
    parts: Mapping[str, Part] = PARTS,
    announce: Callable[[str], None] = lambda line: None,
) -> Reproduction:
    """Write figures (PNG and PDF), records, ``audit.json`` and ``report.html``.

    Records are kept as soon as they are finished, and reused, so that after Ctrl-C a second call continues. The exact
    rows of Fig. 2 and Table I come first, and are in a report of their own while the others are run. A report that
    would be made again of the same runs by the same code is left as it is.

    Args:
        folder: made where it does not exist.
        only: parts to run (all by default), in the report's own order.
        progress: called with the fraction done of the whole, and what is running.
        reads: reads of each run of the annealer; by default each run's own number, with ``full`` the paper's.
        full: whether to make the runs, too, that take minutes or hours.
        qpu: the annealer to measure on; emulated by default.
        announce: called with a line once the first figures are written.

    Raises:
        InvalidParameterError: an unknown part, before anything is run, or a place that cannot be written.
        MissingDependencyError: spinbattery is not installed, and so has no engines by name and no known versions.
        RecordError: the folder of records cannot be made.
        QpuError: no connection, over the budget, or jobs without a record.
        SweepError: a run failed, or its record is damaged (the file is named).
        SweepInterrupted: after Ctrl-C, when what was running has finished.
    """
    folder, chosen = user_path(folder), _chosen(only, parts)
    _make_folder(folder / "figures")
    reads = FULL_READS if full and reads is None else reads
    options = _options(reads, full, qpu)
    stamp = Stamp.of(folder, [(name, parts[name]) for name in chosen], options)
    if qpu is None and stamp.holds():
        progress(1.0, "report")
        return _known(folder)
    requests, store, rising = _needed([parts[name] for name in chosen], full, qpu), folder / "records", Rising(progress)
    runs = Runs(store, requests, reads, {} if qpu is None else measured.measure(store, requests, reads, qpu, progress))
    page = _Report(folder, "" if only is None else f" --only {','.join(chosen)}", options)
    stages = _stages(chosen, parts)
    for number, stage in enumerate(stages, start=1):
        place = f", stage {number} of {len(stages)}" if len(stages) > 1 else ""
        needed = [*_needed([parts[name] for name in stage.parts], full, qpu), *stage.ahead]
        runs.make(needed, _labelled(rising.part(stage.share), f"runs{place}"), stage.workers)
        rising(0.0, f"figures{place}")
        page.add({name: parts[name] for name in stage.parts}, runs)
        if stage.is_first:
            page.write(chosen, runs.annealer_label)
            announce(f"first figure: {folder / 'figures' / 'fig2b.png'}; Table I: {page.path}; the rest is being run")
    progress(1.0, "report")
    audit = page.write(chosen, runs.annealer_label)
    if qpu is None:
        stamp.write([*page.paths, *(runs[request].path for request in requests)])
    return Reproduction(page.path, audit, runs.computed, runs.reused)


@dataclass(frozen=True)
class _Stage:
    """Parts that are made together, the share of the work that is left, the number of processes, and runs of others."""

    parts: Sequence[str]
    share: float
    workers: int | None = 1
    is_first: bool = False
    ahead: Sequence[Request] = ()


def _stages(chosen: Sequence[str], parts: Mapping[str, Part]) -> list[_Stage]:
    """The first figures, then the quick parts, then the others."""
    first, quick = ([name for name in chosen if name in group] for group in (_FIRST, _QUICK))
    rest = [name for name in chosen if name not in _FIRST + _QUICK]
    tensors = [request for request in parts[_TENSOR][1] if request.tensor] if _TENSOR in chosen else []
    stages = _Stage(first, 0.05, is_first=True), _Stage(quick, 0.2, ahead=tensors[:1]), _Stage(rest, 1.0, None)
    return [stage for stage in stages if stage.parts]


def _labelled(progress: Progress, label: str) -> Progress:
    """Progress with a text of its own: the counts and the time that a sweep says are those of one stage alone."""
    return lambda fraction, _: progress(fraction, label)


class _Report:
    """The sections that are built, and their files."""

    def __init__(self, folder: Path, only: str, options: str) -> None:
        self._folder, self._command, self._options = folder, f"spinbattery reproduce{only}{options}", options
        self._sections: dict[str, Section] = {}
        self.path = folder / "report.html"
        self.paths = [self.path, folder / "audit.json"]

    def add(self, parts: Mapping[str, Part], runs: Runs) -> None:
        """Build the sections of some parts, and write their figures."""
        for name, (build, _) in parts.items():
            self._sections[name] = build(runs)
            self._draw(self._sections[name])

    def _draw(self, section: Section) -> None:
        for figure in section.figures:
            for ending in (".png", ".pdf"):
                path = self._folder / "figures" / f"{figure.stem}{ending}"
                self.paths.append(save_figure(figure.figure, path))
                figure.figure.set_layout_engine("none")  # laid out once, for both

    def write(self, order: Iterable[str], annealer: str) -> tuple[AuditItem, ...]:
        """Write the audit and the page of the sections so far, in this order."""
        sections = {name: self._sections[name] for name in order if name in self._sections}
        audit = tuple(item for section in sections.values() for item in section.audit)
        _write(self._folder / "audit.json", json.dumps([asdict(item) for item in audit], indent=2) + "\n")
        page = render_page(
            sections,
            self._folder.absolute(),
            version=__version__,
            command=self._command,
            options=self._options,
            annealer=annealer,
        )
        _write(self.path, page)
        return audit


def _known(folder: Path) -> Reproduction:
    """The report that is in the folder."""
    audit = json.loads((folder / "audit.json").read_text(encoding="utf-8"))
    reused = len(list((folder / "records").glob("*.nc")))
    return Reproduction(folder / "report.html", tuple(AuditItem(**item) for item in audit), 0, reused)


def _needed(parts: Sequence[Part], full: bool, qpu: RealAnnealer | None) -> list[Request]:
    """Runs of the parts, without those that only a full reproduction has."""
    requests = [request for _, needed in parts for request in needed if full or not request.full_only]
    if qpu is None:
        return requests
    # nothing is emulated beside what is measured
    return [request for request in requests if not (request.on_annealer and request.crosstalk)]


def _options(reads: int | None, full: bool, qpu: RealAnnealer | None) -> str:
    """Options of the command line that make the same report."""
    text = " --full" if full else ""
    if reads != (FULL_READS if full else None):
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
