"""Noisy charging: the density matrix against QuTiP, and how long larger jobs take."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

from spinbattery.engines.common.contract import Engine
from spinbattery.engines.common.splitting import SPLITTINGS
from spinbattery.engines.dense.lindblad import Lindblad
from spinbattery.engines.trajectories.engine import Trajectories
from spinbattery.model.network_text import parse_network
from spinbattery.model.noise import Noise
from spinbattery.model.problem import ChargingProblem
from spinbattery.model.protocol import cooperative
from spinbattery.records.record import Record

from .comparison import Comparison, fastest_pass, true_outcome
from .contestants import COUPLING, DURATION, FIELD, HOLD, Outcome, Run, single_pass
from .mesolve_peer import MESOLVE
from .pairing import Timing, paired
from .search import TOLERANCE, Say, finalists

FLIPS = 0.04
"""gamma tau of the sigma_x noise on every spin: there alpha of rings is the paper's 1.39."""

REFINED, PASS = "density matrix, refined", "density matrix, one pass"
QUTIP, QUTIP_AS_GIVEN = "QuTiP mesolve", "QuTiP mesolve, to_qutip"

GOAL = 20.0
"""Goal: how many times faster than QuTiP the density matrix is."""

SECONDS = 10.0
"""Goal for each of the larger jobs."""


@dataclass(frozen=True)
class NoisyCase:
    """The cooperative protocol on a network under sigma_x noise."""

    network: str

    @property
    def name(self) -> str:
        return self.network

    @property
    def title(self) -> str:
        return f"{self.network} with gamma tau = {FLIPS:g}, {DURATION:g} ns"

    def problem(self) -> ChargingProblem:
        """A new problem, so that nothing is cached from one repeat to the next."""
        protocol = cooperative(DURATION, J=COUPLING, h=FIELD, s_hold=HOLD)
        return ChargingProblem(parse_network(self.network), protocol, noise=Noise(x=FLIPS / DURATION))


class NoisyComparison(Comparison):
    """The density matrix and QuTiP on one job."""

    refined: ClassVar[str] = REFINED
    one_pass: ClassVar[str] = PASS
    goals: ClassVar[Mapping[str, float]] = {QUTIP: GOAL}


@dataclass(frozen=True)
class LargeJob:
    """A job that has no peer, and the seconds it took.

    Attributes:
        engine: the engine with its options.
        timing: wall times of the rounds; the outcome is the record.
    """

    case: NoisyCase
    engine: Engine
    timing: Timing[Record]

    @property
    def seconds(self) -> float:
        """Median wall time."""
        return statistics.median(self.timing.wall)

    @property
    def reached(self) -> bool:
        return self.seconds <= SECONDS


def compare_with_qutip(case: NoisyCase, rounds: int, say: Say) -> NoisyComparison:
    """Choose settings, then time the density matrix and QuTiP in rounds."""
    truth = true_outcome(case, Lindblad)
    say(f"{case.name}: independent reference")
    independent = MESOLVE.reference(case.problem())
    candidates = finalists(case, truth, MESOLVE, say)
    peer = candidates[0]
    our_pass = fastest_pass(case, truth, [Lindblad(splitting=splitting) for splitting in SPLITTINGS])
    as_given = replace(peer.setting, coefficients="function", storage="csr", matrix_form=False)
    contestants = {
        QUTIP: MESOLVE.prepare(case.problem(), peer.setting),
        QUTIP_AS_GIVEN: MESOLVE.prepare(case.problem(), as_given),
        REFINED: refined(case),
        PASS: single_pass(case, our_pass),
    }
    settings = {
        QUTIP: str(peer),
        QUTIP_AS_GIVEN: str(as_given),
        REFINED: f"tolerance {TOLERANCE:g}",
        PASS: str(our_pass),
    }
    say(f"{case.name}: {rounds} rounds")
    return NoisyComparison(case, truth, independent, settings, paired(contestants, rounds), {QUTIP: candidates})


def refined(case: NoisyCase) -> Run:
    """What a user gets: from network, protocol and noise to the record with its error estimate."""

    def run() -> Outcome:
        record = solve(case, Lindblad(TOLERANCE))()
        if record.precision is None:
            raise ArithmeticError(f"{case.name} ends without fluctuations, so its precision cannot be compared.")
        return Outcome(record.magnetization, record.precision)

    return run


def solve(case: NoisyCase, engine: Engine) -> Callable[[], Record]:
    """One complete run of an engine on a new problem."""
    return lambda: engine.run(case.problem())


def time_large_jobs(rounds: int, say: Say, *, quick: bool = False) -> list[LargeJob]:
    """The density matrix of eight spins, and 500 trajectories of twelve; with ``quick`` two small ones."""
    jobs: list[tuple[NoisyCase, Engine]] = [
        (NoisyCase("torus:1x3" if quick else "torus:2x4"), Lindblad(TOLERANCE)),
        (NoisyCase("torus:2x2" if quick else "torus:3x4"), Trajectories(trajectories=20 if quick else 500, seed=1)),
    ]
    found = []
    for case, engine in jobs:
        say(f"{case.name}, {engine.name}: {rounds} rounds")
        timing = paired({engine.name: solve(case, engine)}, rounds)[engine.name]
        found.append(LargeJob(case, engine, timing))
    return found
