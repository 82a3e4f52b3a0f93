"""Cost of a stage of a large state vector, compared with the speed of copies on this machine."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from spinbattery.core.threads import Team
from spinbattery.engines.common.splitting import Stages
from spinbattery.engines.dense.large_state import LargeState
from spinbattery.model.network_text import parse_network
from spinbattery.model.state import ProductState

from .pairing import Ratio, Timing, paired, spread
from .roofline import Roof, limits, roof
from .speedup import machine_speed_up

NETWORKS = {18: "torus:3x6", 20: "torus:4x5", 24: "torus:4x6"}
SIZES, QUICK_SIZES = (20, 24), (18,)
THREADS = (1, 2)

_COPIED, _COPIED_QUICKLY = 1 << 25, 1 << 20
"""Float64 numbers that are copied: 268 MB, far beyond any cache."""

_STAGES = {18: 31, 20: 15, 24: 3}
_PARTS_PER_THREAD = 4


@dataclass(frozen=True)
class Case:
    """One contestant: a state and the threads that sweep over it."""

    n_spins: int
    single: bool
    threads: int

    @property
    def name(self) -> str:
        threads = "1 thread" if self.threads == 1 else f"{self.threads} threads"
        return f"N = {self.n_spins}, {self.precision}, {threads}"

    @property
    def precision(self) -> str:
        return "single" if self.single else "double"

    @property
    def bytes_moved(self) -> int:
        """What one sweep must read and write: the state, and nothing else."""
        return 2 * (8 if self.single else 16) << self.n_spins

    @property
    def sweeps(self) -> int:
        """Number of sweeps in one timed call: one more than the transverse stages."""
        return _STAGES[self.n_spins] + 1


@dataclass(frozen=True)
class StageCost:
    """Seconds of one sweep in every round, beside copies of the same round with as many threads.

    Attributes:
        case: the state that was swept over.
        seconds: of one sweep, round by round.
        cpu: seconds of all threads together.
        copied: bytes read and written by copies in a second, round by round.
    """

    case: Case
    seconds: list[float]
    cpu: list[float]
    copied: list[float]

    @property
    def moved(self) -> Ratio:
        """Bytes moved in a second."""
        return spread([self.case.bytes_moved / seconds for seconds in self.seconds])

    @property
    def fraction(self) -> Ratio:
        """Fraction of the bandwidth of copies in the same round."""
        pairs = zip(self.seconds, self.copied, strict=True)
        return spread([self.case.bytes_moved / seconds / copied for seconds, copied in pairs])

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)


@dataclass(frozen=True)
class StageCosts:
    """All of one run.

    Attributes:
        costs: of every case.
        roofs: limits of this machine in double and in single precision.
        machine: in each round, how much more of a bare loop two processes do than one.
    """

    costs: list[StageCost]
    roofs: dict[bool, Roof]
    machine: list[float]

    def arithmetic_limit(self, cost: StageCost) -> Ratio:
        """Fraction of the bandwidth of copies if a stage were nothing but multiply-adds at full speed."""
        return self._limit(cost, self.roofs[cost.case.single].arithmetic)

    def cache_limit(self, cost: StageCost) -> Ratio:
        """The same if all of the state were in the second-level cache."""
        return self._limit(cost, self.roofs[cost.case.single].in_cache)

    @staticmethod
    def _limit(cost: StageCost, seconds: Callable[[int, int], list[float]]) -> Ratio:
        case = cost.case
        sweeps = [one * (1 << case.n_spins) for one in seconds(case.n_spins, case.threads)]
        pairs = zip(sweeps, cost.copied, strict=True)
        return spread([case.bytes_moved / seconds / copied for seconds, copied in pairs])

    def gain(self, case: Case) -> Ratio | None:
        """How many times faster the threads of a case are than one, round by round; None for one."""
        return self._against_one(
            case, lambda one, many: [a / b for a, b in zip(one.seconds, many.seconds, strict=True)]
        )

    def cost(self, case: Case) -> Ratio | None:
        """CPU time of all threads divided by the CPU time of one thread; None for one thread."""
        return self._against_one(case, lambda one, many: [b / a for a, b in zip(one.cpu, many.cpu, strict=True)])

    def _against_one(self, case: Case, ratios: Callable[[StageCost, StageCost], list[float]]) -> Ratio | None:
        by_case = {cost.case: cost for cost in self.costs}
        if case.threads == 1:
            return None
        return spread(ratios(by_case[Case(case.n_spins, case.single, 1)], by_case[case]))


def measure_stages(rounds: int, say: Callable[[str], None], *, quick: bool = False) -> StageCosts:
    """Let copies and sweeps over all states take turns; with ``quick`` over small states."""
    cases = [Case(n, single, threads) for n in (QUICK_SIZES if quick else SIZES) for single in (False, True)
             for threads in THREADS]  # fmt: skip
    source = np.ones(_COPIED_QUICKLY if quick else _COPIED)
    target = np.zeros_like(source)
    machine: list[float] = []

    def look_at_machine() -> None:
        machine.append(machine_speed_up())
        say(f"the machine does {machine[-1]:.2f} times as much with two processes as with one")

    say(f"copies and {len(cases)} kinds of sweeps: {rounds} rounds")
    teams = {threads: Team(threads) for threads in THREADS}
    try:
        contestants = {_copy_name(threads): copy_in(teams[threads], source, target) for threads in THREADS}
        contestants |= {case.name: sweep_in(teams[case.threads], case) for case in cases}
        contestants |= limits(False) | limits(True)
        timings = paired(contestants, rounds, look_at_machine)
    finally:
        for team in teams.values():
            team.__exit__(None, None, None)
    copied = {threads: bandwidths(timings[_copy_name(threads)], 2 * source.nbytes) for threads in THREADS}
    costs = []
    for case in cases:
        wall, cpu = (
            [seconds / case.sweeps for seconds in some] for some in (timings[case.name].wall, timings[case.name].cpu)
        )
        costs.append(StageCost(case, wall, cpu, copied[case.threads]))
    return StageCosts(costs, {single: roof(timings, single) for single in (False, True)}, machine)


def _copy_name(threads: int) -> str:
    return f"copy, {threads}"


def bandwidths(timing: Timing[None], moved: int) -> list[float]:
    """Bytes per second of each round."""
    return [moved / seconds for seconds in timing.wall]


def copy_in(team: Team, source: np.ndarray, target: np.ndarray) -> Callable[[], None]:
    """Copy one array into another, in slices for the threads of a team."""
    count = team.threads * (_PARTS_PER_THREAD if team.threads > 1 else 1)
    edges = [source.size * part // count for part in range(count + 1)]
    parts = [(slice(a, b),) for a, b in pairwise(edges)]
    return lambda: team.run(lambda part: np.copyto(target[part], source[part]), parts)


def sweep_in(team: Team, case: Case) -> Callable[[], None]:
    """Some stages on a new state, with the angles of a cooperative protocol."""
    network = parse_network(NETWORKS[case.n_spins])
    spinors = ProductState.named("down").spinors(case.n_spins)
    state = LargeState(spinors, network.pairs, np.full(network.n_pairs, -0.2), team, single=case.single)
    n = _STAGES[case.n_spins]
    theta, phases = np.full(n, 0.3), np.linspace(-0.5, 0.5, n + 1)
    stages = Stages(theta, phases, phases, theta, np.empty((0, n)))
    return lambda: state.apply(stages)
