"""One size compared: reference, choice of settings, paired timing, verdicts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar

from spinbattery.engines.split_step import SplitStepEngine
from spinbattery.engines.statevector import Statevector

from . import qutip_peer
from .contestants import (
    PAPER_STEP,
    REFERENCE_TOLERANCE,
    Case,
    Job,
    Outcome,
    Pass,
    paper_method,
    paper_method_assembled,
    precision_error,
    single_pass,
    statevector_promise,
    sufficient_passes,
)
from .pairing import Ratio, Timing, paired, ratio

TOLERANCE = 1e-6
"""Relative error of the precision that a contestant may have."""

PROMISE, PASS = "state vector, promise", "state vector, one pass"
PAPER, PAPER_ASSEMBLED, QUTIP = "paper's method, as written", "paper's method, assembled", "QuTiP"

GOALS = {PAPER_ASSEMBLED: 80.0, QUTIP: 25.0}
"""How many times faster than each peer the state vector is meant to be."""

_FINALISTS = 4
_RUN_OFF_ROUNDS = 2

Say = Callable[[str], None]


@dataclass(frozen=True)
class Verdict:
    """A goal and what was measured: ``reached`` asks the median ratio and the error."""

    ours: str
    peer: str
    goal: float
    measured: Ratio
    error: float

    @property
    def reached(self) -> bool:
        return self.measured.median >= self.goal and self.error <= TOLERANCE


@dataclass(frozen=True)
class Comparison:
    """All figures of one job.

    Attributes:
        reference: our engine at tolerance 1e-11.
        independent: QuTiP at 1e-13/1e-11.
        settings: what each contestant was set to, in words.
        candidates: the QuTiP settings that ran off for the place of its best.
    """

    promise: ClassVar[str] = PROMISE
    one_pass: ClassVar[str] = PASS
    goals: ClassVar[Mapping[str, float]] = GOALS

    case: Job
    reference: Outcome
    independent: Outcome
    settings: dict[str, str]
    timings: dict[str, Timing[Outcome]]
    candidates: list[qutip_peer.Tried]

    @property
    def reference_difference(self) -> float:
        """Relative difference of the precision between the two references."""
        return precision_error(self.independent, self.reference)

    def error(self, name: str) -> float:
        """Relative error of a contestant's precision."""
        return precision_error(self.timings[name].outcome, self.reference)

    def ratio(self, peer: str, ours: str) -> Ratio:
        return ratio(self.timings[peer], self.timings[ours])

    @property
    def verdicts(self) -> list[Verdict]:
        return [
            Verdict(ours, peer, goal, self.ratio(peer, ours), self.error(ours))
            for ours in (self.promise, self.one_pass)
            for peer, goal in self.goals.items()
        ]


def true_outcome(case: Job, kind: type[SplitStepEngine] = Statevector) -> Outcome:
    """Converged moments, from an engine of ours at the tolerance of references."""
    record = kind(REFERENCE_TOLERANCE).run(case.problem())
    if record.precision is None:
        raise ArithmeticError(f"{case.name} ends without fluctuations, so its precision cannot be compared.")
    return Outcome(record.magnetization, record.precision)


def qutip_finalists(case: Job, truth: Outcome, solver: qutip_peer.Solver, say: Say) -> list[qutip_peer.Tried]:
    """Search layouts, methods and tolerances; the four fastest families at this size, the fastest first."""
    problem = case.problem()
    timings = paired({str(setting): solver.prepare(problem, setting) for setting in solver.layouts}, _RUN_OFF_ROUNDS)
    for name, timing in timings.items():
        say(f"{case.name} QuTiP layout {name}: {min(timing.cpu):.3f} s")
    layout = min(solver.layouts, key=lambda setting: min(timings[str(setting)].cpu))
    starts = qutip_peer.families(layout, solver.loosest_relative)
    tried = [qutip_peer.loosest(solver, problem, start, truth, TOLERANCE) for start in starts]
    return _run_off(case, solver, tried, say)[:_FINALISTS]


def _run_off(case: Job, solver: qutip_peer.Solver, tried: list[qutip_peer.Tried], say: Say) -> list[qutip_peer.Tried]:
    """Settings within the tolerance by CPU seconds, timed in rounds; the most accurate alone if there is none."""
    sufficient = [found for found in tried if found.error <= TOLERANCE]
    field = sufficient or [min(tried, key=lambda found: found.error)]
    problem = case.problem()
    timings = paired({str(t.setting): solver.prepare(problem, t.setting) for t in field}, _RUN_OFF_ROUNDS)
    ranked = sorted(field, key=lambda found: min(timings[str(found.setting)].cpu))
    for found in ranked:
        seconds = min(timings[str(found.setting)].cpu)
        say(f"{case.name} QuTiP {found.setting}: {seconds:.3f} s, error {found.error:.1e}")
    return ranked


def compare(case: Case, finalists: list[qutip_peer.Tried], rounds: int, say: Say) -> Comparison:
    """Choose settings for this size, then time all contestants in rounds."""
    reference = true_outcome(case)
    say(f"{case.name}: independent reference")
    solver = qutip_peer.SESOLVE
    independent = solver.reference(case.problem())
    starts = [qutip_peer.loosened(found.setting) for found in finalists]
    tried = [qutip_peer.loosest(solver, case.problem(), start, reference, TOLERANCE) for start in starts]
    peer = _run_off(case, solver, tried, say)[0]
    one_pass = fastest_pass(case, reference)
    contestants = {
        PAPER: paper_method(case.problem()),
        PAPER_ASSEMBLED: paper_method_assembled(case.problem()),
        QUTIP: solver.prepare(case.problem(), peer.setting),
        PROMISE: statevector_promise(case, TOLERANCE),
        PASS: single_pass(case, one_pass),
    }
    settings = {
        PAPER: f"H summed at each midpoint, dt {PAPER_STEP:g} ns",
        PAPER_ASSEMBLED: f"one sparsity pattern refilled at each midpoint, dt {PAPER_STEP:g} ns",
        QUTIP: in_words(peer),
        PROMISE: f"tolerance {TOLERANCE:g}",
        PASS: str(one_pass),
    }
    say(f"{case.name}: {rounds} rounds")
    return Comparison(case, reference, independent, settings, paired(contestants, rounds), tried)


def in_words(peer: qutip_peer.Tried) -> str:
    """A setting, with a remark where it misses the tolerance."""
    return str(peer.setting) + ("" if peer.error <= TOLERANCE else " (most accurate; none reaches 1e-6)")


def fastest_pass(case: Job, reference: Outcome, kind: type[SplitStepEngine] = Statevector) -> Pass:
    """The faster of the splittings, each at its coarsest sufficient level: peers are scanned alike."""
    passes = sufficient_passes(case, reference, TOLERANCE, kind)
    timings = paired({str(setting): single_pass(case, setting, kind) for setting in passes}, _RUN_OFF_ROUNDS)
    return min(passes, key=lambda setting: min(timings[str(setting)].cpu))
