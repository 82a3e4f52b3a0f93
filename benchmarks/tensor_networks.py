"""Trees and chains of tensors: steps at equal bond dimension, and whole runs at equal error, against two packages."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

from spinbattery.charging import charge
from spinbattery.engines.common.magnus import COMMUTATOR_FREE_2, CommutatorFree, Exponents
from spinbattery.engines.common.mesh import Mesh, project_fields
from spinbattery.engines.common.window import Window, moving_window
from spinbattery.engines.qtealeaves.adapter import TeaTree
from spinbattery.engines.qtealeaves.engine import QTeaLeaves
from spinbattery.engines.symmetric.engine import Symmetric
from spinbattery.engines.tensor.engine import TensorNetwork
from spinbattery.engines.tensor.evolution import TreeEvolution
from spinbattery.engines.tensor.tree_runs import MEAN_FIELD, TreePlan
from spinbattery.engines.tensor.tree_state import TreeState
from spinbattery.model.problem import ChargingProblem

from .contestants import Case
from .pairing import Ratio, Timing, paired, spread
from .search import Say
from .tenpy_peer import TenpyChain, tenpy_run

OURS, OURS_SINGLE = "tensor, complex128", "tensor, complex64"
QTEALEAVES, TENPY = "qtealeaves, mode 4", "TeNPy, two-site"

MIDDLE, STEP = 8.0, 0.1
"""The step that is timed, in ns: where it begins, and its length."""

GOAL = 15.0
"""Goal: how many times faster than qtealeaves a step at N = 64 is, at bond dimension 10."""

ERROR = 5e-3
"""Error of mu that whole runs reach."""

_NEGLECTED = 2.5e-4
_STEPS_BEFORE = 16
"""Steps that lead to the middle: coarse, because the time of a step depends only on the dimensions of the links."""

_PADDING = 1e-6
_TOLERANCE = {np.dtype(np.complex128): 1e-8, np.dtype(np.complex64): 1e-6}
"""Accuracy of our exponentials, as in the engine."""


@dataclass(frozen=True)
class StepJob:
    """A torus and a bond dimension, at which steps are compared, and by which peers."""

    case: Case
    bond_dimension: int
    peers: tuple[str, ...]
    goal: float | None = None

    @property
    def name(self) -> str:
        return f"{self.case.name}, bond dimension {self.bond_dimension}"


STEP_JOBS = (
    StepJob(Case(4, 4), 10, (QTEALEAVES, TENPY)),
    StepJob(Case(4, 4), 16, (TENPY,)),
    StepJob(Case(8, 8), 10, (QTEALEAVES,), GOAL),
    StepJob(Case(8, 8), 16, (TENPY,)),
)
QUICK_STEP_JOBS = (StepJob(Case(2, 4), 4, (QTEALEAVES, TENPY)),)


@dataclass(frozen=True)
class StepCosts:
    """CPU seconds of a step of each contestant, and the largest link it had."""

    job: StepJob
    timings: Mapping[str, Timing[int]]

    def ratio(self, peer: str, ours: str) -> Ratio:
        """How many times longer the peer's step takes than ours, over the rounds."""
        return spread([a / b for a, b in zip(self.timings[peer].cpu, self.timings[ours].cpu, strict=True)])

    @property
    def reached(self) -> bool | None:
        """Whether the goal is reached in complex128, the peer's precision; None without a goal."""
        return None if self.job.goal is None else self.ratio(QTEALEAVES, OURS).median >= self.job.goal


@dataclass(frozen=True)
class WholeRun:
    """A whole run of one contestant: its bond dimension and steps, chosen knowing the answer."""

    contestant: str
    bond_dimension: int
    steps: int

    @property
    def name(self) -> str:
        return f"{self.contestant}, bond dimension {self.bond_dimension}, {self.steps} steps"


WHOLE_CASE, QUICK_CASE = Case(4, 4), Case(2, 4, 5.0)
WHOLE_RUNS = (
    WholeRun(OURS_SINGLE, 16, 60),
    WholeRun(OURS, 16, 60),
    WholeRun(QTEALEAVES, 16, 60),
    WholeRun(TENPY, 24, 60),
)
QUICK_RUNS = (
    WholeRun(OURS_SINGLE, 8, 30), WholeRun(OURS, 8, 30), WholeRun(QTEALEAVES, 8, 30), WholeRun(TENPY, 8, 20),
)  # fmt: skip


@dataclass(frozen=True)
class Reached:
    """Result of a run: signed errors of mu and sigma, and CPU seconds; our runs have several.

    Attributes:
        seconds: CPU seconds of each turn.
        ratios: how many times longer it took than our runs in complex64 just before and after it; none for ours.
    """

    run: WholeRun
    mean_error: float
    std_error: float
    seconds: list[float]
    ratios: list[float]

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    @property
    def is_accurate(self) -> bool:
        return abs(self.mean_error) <= ERROR


def compare_steps(rounds: int, say: Say, *, quick: bool = False) -> list[StepCosts]:
    """Time steps in the middle of the protocol, on one thread."""
    found = []
    for job in QUICK_STEP_JOBS if quick else STEP_JOBS:
        with threadpool_limits(1):
            found.append(_compare_step(job, rounds, say))
    return found


def _compare_step(job: StepJob, rounds: int, say: Say) -> StepCosts:
    problem, contestants = job.case.problem(), {}
    middle = MIDDLE / 20.0 * problem.protocol.duration
    for name in (OURS, OURS_SINGLE, *job.peers):
        say(f"{job.name}: {name} on its way to {middle:g} ns")
        scheme = COMMUTATOR_FREE_2 if name in job.peers else MEAN_FIELD
        state = contestant(name, problem, job.bond_dimension)
        state.apply(_steps_to(problem, middle, scheme))
        contestants[name] = _stepping(state, _exponents(problem, np.array([middle, middle + STEP]), scheme))
    say(f"{job.name}: {rounds} rounds")
    return StepCosts(job, paired(contestants, rounds))


def _stepping(state: Any, step: Exponents) -> Callable[[], int]:
    """Repeat the same step, as in constant fields; returns the largest link."""

    def run() -> int:
        state.apply(step)
        found: int = (state.state if isinstance(state, TreeEvolution) else state).largest_dimension
        return found

    return run


def _window(problem: ChargingProblem) -> Window:
    return moving_window(problem, _NEGLECTED)


def _exponents(
    problem: ChargingProblem, edges: np.ndarray[Any, np.dtype[np.float64]], scheme: CommutatorFree
) -> Exponents:
    kinks = problem.protocol.kinks(problem.scales)
    return scheme.sequence(project_fields(problem, edges, kinks, scheme.legendre_degree))


def _steps_to(problem: ChargingProblem, middle: float, scheme: CommutatorFree) -> Exponents:
    start = _window(problem).start
    stops = [start, *(t for t in problem.protocol.breakpoints.tolist() if start < t < middle), middle]
    return _exponents(problem, Mesh(problem, np.array(stops), _STEPS_BEFORE).edges(1), scheme)


def contestant(name: str, problem: ChargingProblem, bond_dimension: int) -> TreeEvolution | TeaTree | TenpyChain:
    """The product start of a contestant, on which steps can act."""
    if name == QTEALEAVES:
        return TeaTree(problem, bond_dimension, _PADDING, 4)
    if name == TENPY:
        return TenpyChain(problem, bond_dimension)
    dtype: np.dtype[Any] = np.dtype(np.complex128 if name == OURS else np.complex64)
    mesh = Mesh(problem, problem.protocol.breakpoints, _STEPS_BEFORE)
    plan = TreePlan(problem, "tree", MEAN_FIELD, _window(problem), mesh, 0.0, dtype)
    channels = plan.channels(bond_dimension)
    layout = channels.layout
    spinors = problem.protocol.initial.spinors(problem.n_spins)
    state = TreeState(layout, channels, spinors, bond_dimension, 0, dtype)
    return TreeEvolution(state, tolerance=_TOLERANCE[dtype])


def compare_runs(say: Say, *, quick: bool = False) -> list[Reached]:
    """Time whole runs, ours before and after each of the peers, and compare their ends with the exact one."""
    case, runs = (QUICK_CASE, QUICK_RUNS) if quick else (WHOLE_CASE, WHOLE_RUNS)
    exact = charge(case.network(), case.protocol(), engine=Symmetric(1e-9))
    ours, *others = runs

    def reached(run: WholeRun, turns: list[_Turn], ratios: list[float]) -> Reached:
        last, seconds = turns[-1], [turn.seconds for turn in turns]
        return Reached(run, last.mean - exact.magnetization, last.std - exact.std, seconds, ratios)

    found = []
    with threadpool_limits(1):
        whole(ours, case)
        beside = [_timed(ours, case)]
        for run in others:
            say(f"{case.title}: {run.name}")
            turn = _timed(run, case)
            beside.append(_timed(ours, case))
            found.append(reached(run, [turn], [turn.seconds / one.seconds for one in beside[-2:]]))
    return [reached(ours, beside, []), *found]


class _Turn(NamedTuple):
    """CPU seconds of a run, and mu and sigma at its end."""

    seconds: float
    mean: float
    std: float


def _timed(run: WholeRun, case: Case) -> _Turn:
    start = time.process_time()
    mean, std = whole(run, case)
    return _Turn(time.process_time() - start, mean, std)


def whole(run: WholeRun, case: Case) -> tuple[float, float]:
    """mu and sigma at the end of a run that starts from the network and the protocol."""
    if run.contestant == TENPY:
        problem = case.problem()
        moments = tenpy_run(problem, run.bond_dimension, run.steps, _window(problem)).moments()
        return moments.mean, float(np.sqrt(moments.variance))
    if run.contestant == QTEALEAVES:
        record = charge(case.network(), case.protocol(), engine=QTeaLeaves(run.bond_dimension, steps=run.steps))
    else:
        single = run.contestant == OURS_SINGLE
        engine = TensorNetwork(bond_dimension=run.bond_dimension, steps=run.steps, magnus="CF2", single=single)
        record = charge(case.network(), case.protocol(), engine=engine)
    return record.magnetization, record.std
