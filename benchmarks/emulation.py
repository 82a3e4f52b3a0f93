"""How fast the emulator is: against its peers on one thread, and on two threads against one."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass, replace

from .annealing import AnnealJob, Answer, Run, emulator, path_integral_peer, rotor_peer
from .pairing import Ratio, Timing, paired, ratio, spread
from .speedup import machine_speed_up

OWN, OWN_PATHS = "emulator, svmc-tf", "emulator, pimc"
ROTORS, PATHS = "dwave-samplers, rotors", "dwave-samplers, path integral"

GOALS = {ROTORS: 15.0, PATHS: 150.0}
"""Goals: how many times more spin updates per second than each peer the emulator does."""

SHORT = AnnealJob(8, 64, 300)
DEFAULT = replace(SHORT, reads=256, sweeps=5000)
"""The default number of Monte Carlo sweeps, and enough reads to fill blocks of 128, as the paper's 1000 do."""

SMALLEST = AnnealJob(2, 64, 300)
"""For a quick look."""

LIKE = AnnealJob(6, 4, 300)
LIKE_SMALLEST = AnnealJob(2, 4, 300)
"""Path integrals of both: the emulator's are for networks up to 1000 spins."""

THREADS = 2
THREAD_GOAL = 1.8
"""Goal: how many times faster two threads are than one."""

EQUAL = AnnealJob(8, 512, 4000)
"""Two blocks of 128 reads for each thread."""

EQUAL_SMALLEST = AnnealJob(2, 256, 300)

_SLOW_READS = {ROTORS: 16, PATHS: 8}
"""Peers do one read after another, so fewer reads of a long anneal give the same time per update."""

_SLOW_ROUNDS = 3


@dataclass(frozen=True)
class Rates:
    """Spin updates per second on one thread.

    Attributes:
        job: the job of the emulator.
        reads: number of reads of each contestant.
        timings: rounds of each contestant.
        setup: CPU seconds of the same call with one Monte Carlo sweep.
    """

    job: AnnealJob
    reads: dict[str, int]
    timings: dict[str, Timing[Answer]]
    setup: dict[str, float]

    def updates(self, name: str) -> int:
        return replace(self.job, reads=self.reads[name]).updates

    def per_second(self, name: str) -> float:
        """Spin updates per CPU second, set-up included; path integrals update a whole worldline each time."""
        return self.updates(name) / statistics.median(self.timings[name].cpu)

    def sampling_per_second(self, name: str) -> float:
        """The same without the set-up."""
        return self.updates(name) / (statistics.median(self.timings[name].cpu) - self.setup[name])

    def ratio(self, peer: str, ours: str) -> Ratio:
        """CPU time per update of a peer over ours, round by round."""
        times, scale = ratio(self.timings[peer], self.timings[ours]), self.updates(ours) / self.updates(peer)
        return Ratio(times.lowest * scale, times.median * scale, times.highest * scale)

    def sampling_ratio(self, peer: str, ours: str) -> float:
        """The same without the set-up of either, from medians."""
        return self.sampling_per_second(ours) / self.sampling_per_second(peer)

    @property
    def verdicts(self) -> list[Verdict]:
        return [
            Verdict(peer, goal, self.ratio(peer, OWN), self.sampling_ratio(peer, OWN))
            for peer, goal in GOALS.items()
            if OWN in self.timings
        ]


@dataclass(frozen=True)
class Verdict:
    """A goal and what was measured: ``reached`` asks the median ratio with set-up."""

    peer: str
    goal: float
    measured: Ratio
    sampling: float

    @property
    def reached(self) -> bool:
        return self.measured.median >= self.goal


@dataclass(frozen=True)
class ThreadGain:
    """Two threads against one.

    Attributes:
        job: what was run.
        one, two: rounds.
        machine: before each round, how much more of a bare loop two processes get done than one.
    """

    job: AnnealJob
    one: Timing[Answer]
    two: Timing[Answer]
    machine: list[float]

    @property
    def measured(self) -> float:
        """Ratio of the median wall times."""
        return statistics.median(self.one.wall) / statistics.median(self.two.wall)

    @property
    def rounds(self) -> Ratio:
        """Ratio of wall times round by round."""
        return spread([a / b for a, b in zip(self.one.wall, self.two.wall, strict=True)])

    @property
    def cpu_ratio(self) -> Ratio:
        """CPU time of two threads divided by the time of one; above 1, the cores slow each other down."""
        return ratio(self.two, self.one)

    @property
    def reached(self) -> bool:
        return self.measured >= THREAD_GOAL


def compare_rates(rounds: int, say: Callable[[str], None], *, quick: bool = False) -> list[Rates]:
    """Time the emulator against its peers on the short job and on one of default length, and both path integrals."""
    if quick:
        return [_rates(SMALLEST, _against_peers(SMALLEST), rounds, say), _like_with_like(LIKE_SMALLEST, rounds, say)]
    short = _against_peers(SHORT) | {PATHS: (path_integral_peer, _SLOW_READS[PATHS])}
    slow = _against_peers(DEFAULT) | {ROTORS: (rotor_peer, _SLOW_READS[ROTORS]), PATHS: (path_integral_peer, 1)}
    return [
        _rates(SHORT, short, rounds, say),
        _rates(DEFAULT, slow, min(_SLOW_ROUNDS, rounds), say),
        _like_with_like(LIKE, rounds, say),
    ]


Contestants = dict[str, tuple[Callable[[AnnealJob], Run], int]]
"""Makes a contestant for a job, with its number of reads."""


def _against_peers(job: AnnealJob) -> Contestants:
    return {OWN: (emulator, job.reads), ROTORS: (rotor_peer, job.reads), PATHS: (path_integral_peer, job.reads)}


def _like_with_like(job: AnnealJob, rounds: int, say: Callable[[str], None]) -> Rates:
    contestants: Contestants = {
        OWN_PATHS: (lambda its: emulator(its, model="pimc"), job.reads),
        PATHS: (path_integral_peer, job.reads),
    }
    return _rates(job, contestants, rounds, say)


def _rates(job: AnnealJob, contestants: Contestants, rounds: int, say: Callable[[str], None]) -> Rates:
    say(f"{job.name}: {rounds} rounds")
    reads = {name: its_reads for name, (_, its_reads) in contestants.items()}
    jobs = {name: replace(job, reads=its_reads) for name, its_reads in reads.items()}
    timings = paired({name: make(jobs[name]) for name, (make, _) in contestants.items()}, rounds)
    single = {name: make(replace(jobs[name], sweeps=1)) for name, (make, _) in contestants.items()}
    setup = {name: timing.cpu[0] for name, timing in paired(single, 1).items()}
    return Rates(job, reads, timings, setup)


def compare_threads(rounds: int, say: Callable[[str], None], *, quick: bool = False) -> ThreadGain:
    """Let one thread and two take turns at the same job."""
    job = EQUAL_SMALLEST if quick else EQUAL
    machine: list[float] = []

    def look_at_machine() -> None:
        machine.append(machine_speed_up())
        say(f"the machine does {machine[-1]:.2f} times as much with {THREADS} processes as with one")

    timings = paired({"one": emulator(job), "two": emulator(job, THREADS)}, rounds, look_at_machine)
    return ThreadGain(job, timings["one"], timings["two"], machine)
