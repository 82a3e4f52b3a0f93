"""One size compared: reference, choice of settings, paired timing, verdicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from spinbattery.engines.common.splitting import SPLITTINGS
from spinbattery.engines.common.stepping import SteppingEngine
from spinbattery.engines.dense.statevector import Statevector
from spinbattery.engines.symmetric.engine import Symmetric

from .contestants import (
    MOST_STEPS,
    REFERENCE_TOLERANCE,
    Case,
    Job,
    Outcome,
    Pass,
    precision_error,
    refined,
    single_pass,
    sufficient_passes,
)
from .pairing import Ratio, Timing, paired, ratio
from .paper_peer import PAPER_STEP, paper_method, paper_method_assembled
from .qutip_peer import SESOLVE
from .search import TOLERANCE, Say, Tried, search_again

REFINED, PASS = "state vector, refined", "state vector, one pass"
PAPER, PAPER_ASSEMBLED, QUTIP = "paper's method, as written", "paper's method, assembled", "QuTiP"

GOALS = {PAPER_ASSEMBLED: 80.0, QUTIP: 25.0}
"""Goals: how many times faster than each peer the state vector is."""

PAPER_SETTINGS = {
    PAPER: f"H summed at each midpoint, dt {PAPER_STEP:g} ns",
    PAPER_ASSEMBLED: f"one sparsity pattern refilled at each midpoint, dt {PAPER_STEP:g} ns",
}

SPLITTING_ENGINES = [Statevector(splitting=splitting) for splitting in SPLITTINGS]

_RUN_OFF_ROUNDS = 2


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
        independent: a peer at 1e-13/1e-11, where one was run.
        settings: the setting of each contestant, in words.
        candidates: for each peer, the settings that competed to be its best.
        dimensions: amplitudes a contestant works with, where contestants differ in that.
    """

    refined: ClassVar[str] = REFINED
    one_pass: ClassVar[str] = PASS
    goals: ClassVar[Mapping[str, float]] = GOALS

    case: Job
    reference: Outcome
    independent: Outcome | None
    settings: dict[str, str]
    timings: dict[str, Timing[Outcome]]
    candidates: dict[str, list[Tried]]
    dimensions: dict[str, int] = field(default_factory=dict)

    @property
    def reference_difference(self) -> float | None:
        """Relative difference of the precision between the two references."""
        return None if self.independent is None else precision_error(self.independent, self.reference)

    def error(self, name: str) -> float:
        """Relative error of a contestant's precision."""
        return precision_error(self.timings[name].outcome, self.reference)

    def ratio(self, peer: str, ours: str) -> Ratio:
        return ratio(self.timings[peer], self.timings[ours])

    @property
    def verdicts(self) -> list[Verdict]:
        return [
            Verdict(ours, peer, goal, self.ratio(peer, ours), self.error(ours))
            for ours in (self.refined, self.one_pass)
            for peer, goal in self.goals.items()
            if peer in self.timings
        ]


def true_outcome(
    case: Job, kind: type[SteppingEngine] | type[Symmetric] = Statevector, tolerance: float = REFERENCE_TOLERANCE
) -> Outcome:
    """Converged moments, from an engine of ours at the tolerance for references."""
    record = kind(tolerance).run(case.problem())
    if record.precision is None:
        raise ArithmeticError(f"{case.name} ends without fluctuations, so its precision cannot be compared.")
    return Outcome(record.magnetization, record.precision)


def compare(case: Case, finalists: list[Tried], rounds: int, say: Say) -> Comparison:
    """Choose settings for this size, then time all contestants in rounds."""
    reference = true_outcome(case)
    say(f"{case.name}: independent reference")
    independent = SESOLVE.reference(case.problem())
    candidates = search_again(case, reference, SESOLVE, finalists, say)
    one_pass = fastest_pass(case, reference, SPLITTING_ENGINES)
    contestants = {
        PAPER: paper_method(case.problem()),
        PAPER_ASSEMBLED: paper_method_assembled(case.problem()),
        QUTIP: SESOLVE.prepare(case.problem(), candidates[0].setting),
        REFINED: refined(case, Statevector(TOLERANCE)),
        PASS: single_pass(case, one_pass),
    }
    settings = {
        **PAPER_SETTINGS,
        QUTIP: str(candidates[0]),
        REFINED: f"tolerance {TOLERANCE:g}",
        PASS: str(one_pass),
    }
    say(f"{case.name}: {rounds} rounds")
    timings = paired(contestants, rounds)
    return Comparison(case, reference, independent, settings, timings, {QUTIP: candidates})


def fastest_pass(case: Job, reference: Outcome, engines: Sequence[SteppingEngine], most: int = MOST_STEPS) -> Pass:
    """The fastest of some engines, each with the fewest sufficient steps; peers are scanned in the same way."""
    return faster(case, sufficient_passes(case, reference, TOLERANCE, engines, most))


def faster(case: Job, passes: Sequence[Pass]) -> Pass:
    """The one that takes less time."""
    if len(passes) == 1:
        return passes[0]
    timings = paired({str(setting): single_pass(case, setting) for setting in passes}, _RUN_OFF_ROUNDS)
    return min(passes, key=lambda setting: min(timings[str(setting)].cpu))
