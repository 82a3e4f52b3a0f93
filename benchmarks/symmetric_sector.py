"""The symmetric sector against the paper's method, QuTiP and QuSpin on tori of growing size."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import ClassVar

from spinbattery.core.machine import limit_cores, n_cores
from spinbattery.engines.symmetric.engine import Symmetric

from . import quspin_peer
from .comparison import PAPER, PAPER_ASSEMBLED, PAPER_SETTINGS, QUTIP, Comparison, true_outcome
from .contestants import (
    REFERENCE_TOLERANCE,
    Case,
    Outcome,
    Run,
    loosest_series,
    refined,
    single_series,
)
from .pairing import paired
from .paper_peer import Sample, paper_method, paper_method_assembled, sampled_method
from .qutip_peer import SESOLVE
from .search import TOLERANCE, Say, Setting, Tried, finalists, search_again

REFINED, PASS = "symmetric, refined", "symmetric, one pass"
PAPER_SAMPLED = "paper's method, extrapolated"
QUSPIN, QUSPIN_FUNCTIONS = "QuSpin", "QuSpin, Python functions"


@dataclass(frozen=True)
class Size:
    """One size of the job: who takes part, and how much is done to find their settings.

    Attributes:
        case: the torus and the duration.
        goals: how many times faster than each peer the symmetric sector should be.
        full_space: whether the peers without symmetries, the paper's method and QuTiP, take part in full.
        quspin_settings: how many of QuSpin's settings found at the size before are searched again.
        functions: whether QuSpin also runs with Python functions as coefficients.
        reference_tolerance: tolerance of our engine for references.
        independent: whether a peer computes a reference, too.
        most_rounds: largest number of rounds.
    """

    case: Case
    goals: Mapping[str, float]
    full_space: bool = False
    sampled: bool = True
    quspin_settings: int = 4
    functions: bool = True
    reference_tolerance: float = REFERENCE_TOLERANCE
    independent: bool = True
    most_rounds: int = 3


SIZES = (
    Size(Case(3, 4), {PAPER_ASSEMBLED: 250.0, QUTIP: 60.0}, full_space=True),
    Size(Case(4, 4, 60.0), {PAPER_SAMPLED: 2000.0, QUSPIN: 20.0}),
    Size(
        Case(4, 5, 60.0),
        {QUSPIN: 7.0},
        sampled=False,
        quspin_settings=1,
        functions=False,
        reference_tolerance=1e-9,
        independent=False,
        most_rounds=2,
    ),
)
QUICK_SIZES = (Size(Case(3, 3), {}, full_space=True),)


@dataclass(frozen=True)
class SymmetricComparison(Comparison):
    """The symmetric sector and its peers at one size."""

    refined: ClassVar[str] = REFINED
    one_pass: ClassVar[str] = PASS

    size: Size = field(kw_only=True)

    @property
    def goals(self) -> Mapping[str, float]:
        return self.size.goals


@dataclass
class _Field:
    """Contestants of one size, filled one after another."""

    runs: dict[str, Run] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=dict)
    dimensions: dict[str, int] = field(default_factory=dict)
    candidates: dict[str, list[Tried]] = field(default_factory=dict)

    def add(self, name: str, run: Run, setting: str, dimension: int) -> None:
        self.runs[name], self.settings[name], self.dimensions[name] = run, setting, dimension


@dataclass(frozen=True)
class Known:
    """Results of the size before.

    Attributes:
        quspin: QuSpin's settings, the fastest first.
    """

    quspin: tuple[Tried, ...] = ()


@contextmanager
def one_core() -> Iterator[None]:
    """Let our engines use one thread only."""
    before = n_cores()
    limit_cores(1)
    try:
        yield
    finally:
        limit_cores(before)


def compare_sizes(rounds: int, say: Say, *, quick: bool = False) -> Iterator[SymmetricComparison]:
    """Compare size after size, on one thread; the search at each size begins with the results of the size before."""
    if not quspin_peer.is_installed():
        say(quspin_peer.HOW_TO_INSTALL)
    known = Known()
    for size in QUICK_SIZES if quick else SIZES:
        with one_core():
            comparison, known = compare(size, known, min(rounds, size.most_rounds), say)
        yield comparison


def compare(size: Size, known: Known, rounds: int, say: Say) -> tuple[SymmetricComparison, Known]:
    """Choose settings for this size, then time all contestants in rounds."""
    case, found = size.case, _Field()
    reference = true_outcome(case, Symmetric, size.reference_tolerance)
    independent = None
    if size.full_space:
        independent = _add_full_space(found, case, reference, say)
    sample = _add_sample(found, case) if size.sampled else None
    quspin = _add_quspin(found, size, reference, known, say) if quspin_peer.is_installed() else []
    if quspin and size.independent and independent is None:
        independent = quspin_peer.solver(case).reference(case.problem())
    _add_ours(found, case, reference, say)
    say(f"{case.name}: {rounds} rounds")
    timings = paired(found.runs, rounds)
    if sample is not None:
        timings[PAPER_SAMPLED] = sample.extrapolated(timings[PAPER_SAMPLED])
    comparison = SymmetricComparison(
        case, reference, independent, found.settings, timings, found.candidates, found.dimensions, size=size
    )
    return comparison, Known(tuple(quspin))


def _add_full_space(found: _Field, case: Case, reference: Outcome, say: Say) -> Outcome:
    """The paper's method and QuTiP; returns QuTiP's reference."""
    small, space = Case(3, 3), 1 << (case.lx * case.ly)
    begin = finalists(small, true_outcome(small, Symmetric), SESOLVE, say)
    candidates = search_again(case, reference, SESOLVE, begin, say)
    found.candidates[QUTIP] = candidates
    found.add(PAPER, paper_method(case.problem()), PAPER_SETTINGS[PAPER], space)
    found.add(PAPER_ASSEMBLED, paper_method_assembled(case.problem()), PAPER_SETTINGS[PAPER_ASSEMBLED], space)
    found.add(QUTIP, SESOLVE.prepare(case.problem(), candidates[0].setting), str(candidates[0]), space)
    say(f"{case.name}: independent reference")
    return SESOLVE.reference(case.problem())


def _add_sample(found: _Field, case: Case) -> Sample:
    sample = sampled_method(case.problem())
    found.add(PAPER_SAMPLED, sample.run, str(sample), 1 << (case.lx * case.ly))
    return sample


def _add_quspin(found: _Field, size: Size, reference: Outcome, known: Known, say: Say) -> list[Tried]:
    """QuSpin at its best setting; returns the settings it was chosen from."""
    case = size.case
    solver = quspin_peer.solver(case)
    if known.quspin:
        candidates = search_again(case, reference, solver, known.quspin[: size.quspin_settings], say)
    else:
        candidates = finalists(case, reference, solver, say)
    found.candidates[QUSPIN] = candidates
    dimension = quspin_peer.basis(case).Ns
    found.add(QUSPIN, solver.prepare(case.problem(), candidates[0].setting), str(candidates[0]), dimension)
    if size.functions:
        as_given: Setting = replace(candidates[0].setting, coefficients="function", storage="csr")
        found.add(QUSPIN_FUNCTIONS, solver.prepare(case.problem(), as_given), str(as_given), dimension)
    return candidates


def _add_ours(found: _Field, case: Case, reference: Outcome, say: Say) -> None:
    """The run that keeps the tolerance, and the cheapest pass that would do."""
    best = loosest_series(case, reference, TOLERANCE)
    say(f"{case.name}: the cheapest single pass is {best}")
    dimension = Symmetric.dimension(case.problem())
    found.add(REFINED, refined(case, Symmetric(TOLERANCE)), f"tolerance {TOLERANCE:g}", dimension)
    found.add(PASS, single_series(case, best), str(best), dimension)
