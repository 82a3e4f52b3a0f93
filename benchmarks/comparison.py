"""One size compared: reference, choice of settings, paired timing, verdicts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from spinbattery.charging import charge
from spinbattery.engines.statevector import Statevector

from . import qutip_peer
from .contestants import (
    REFERENCE_TOLERANCE,
    Case,
    Outcome,
    Pass,
    paper_method,
    paper_method_assembled,
    precision_error,
    statevector_pass,
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

_FINALISTS = 3

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
    """All figures of one size.

    Attributes:
        reference: state vector at tolerance 1e-11.
        independent: QuTiP at 1e-13/1e-11.
        settings: what each contestant was set to, in words.
        scanned: all QuTiP settings that were tried at this size.
    """

    case: Case
    reference: Outcome
    independent: Outcome
    settings: dict[str, str]
    timings: dict[str, Timing]
    scanned: list[qutip_peer.Scanned]

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
            for ours in (PROMISE, PASS)
            for peer, goal in GOALS.items()
        ]


def true_outcome(case: Case) -> Outcome:
    """Converged moments, from the state vector at tolerance 1e-11."""
    record = charge(case.network(), case.protocol(), engine=Statevector(REFERENCE_TOLERANCE))
    if record.precision is None:
        raise ArithmeticError(f"{case.name} ends without fluctuations, so its precision cannot be compared.")
    return Outcome(record.magnetization, record.precision)


def qutip_finalists(case: Case, say: Say) -> list[qutip_peer.Setting]:
    """Scan layouts, then methods and tolerances; the fastest setting of each of the three best methods."""
    problem, truth = case.problem(), true_outcome(case)
    layouts = qutip_peer.scan(problem, qutip_peer.layouts(), truth, repeats=3)
    for found in layouts:
        say(f"{case.name} QuTiP layout: {found.setting}: {found.seconds:.3f} s, error {found.error:.1e}")
    layout = min(layouts, key=lambda found: found.seconds).setting
    scanned = qutip_peer.scan(problem, qutip_peer.tolerances(layout), truth, repeats=1)
    chosen = qutip_peer.finalists(scanned, TOLERANCE, _FINALISTS)
    for setting in chosen:
        say(f"{case.name} QuTiP finalist of {len(scanned)}: {setting}")
    return chosen


def compare(case: Case, finalists: list[qutip_peer.Setting], rounds: int, say: Say) -> Comparison:
    """Choose settings for this size, then time all contestants in rounds."""
    reference = true_outcome(case)
    say(f"{case.name}: independent reference")
    independent = qutip_peer.reference(case.problem())
    say(f"{case.name}: QuTiP tolerances")
    scanned = qutip_peer.scan(case.problem(), qutip_peer.nearby(finalists), reference, repeats=2)
    peer = qutip_peer.best(scanned, TOLERANCE)
    one_pass = _fastest_pass(case, reference)
    contestants = {
        PAPER: paper_method(case.problem()),
        PAPER_ASSEMBLED: paper_method_assembled(case.problem()),
        QUTIP: qutip_peer.prepare(case.problem(), peer.setting),
        PROMISE: statevector_promise(case, TOLERANCE),
        PASS: statevector_pass(case, one_pass),
    }
    settings = {
        PAPER: "H summed at each midpoint, dt 0.01 ns",
        PAPER_ASSEMBLED: "fixed sparsity pattern, dt 0.01 ns",
        QUTIP: str(peer.setting) + ("" if peer.error <= TOLERANCE else " (most accurate; none reaches 1e-6)"),
        PROMISE: f"tolerance {TOLERANCE:g}",
        PASS: str(one_pass),
    }
    say(f"{case.name}: {rounds} rounds")
    return Comparison(case, reference, independent, settings, paired(contestants, rounds), scanned)


def _fastest_pass(case: Case, reference: Outcome) -> Pass:
    """The faster of the splittings, each at its coarsest sufficient level: peers are scanned alike."""
    passes = sufficient_passes(case, reference, TOLERANCE)
    timings = paired({str(setting): statevector_pass(case, setting) for setting in passes}, rounds=3)
    return min(passes, key=lambda setting: min(timings[str(setting)].cpu))
