"""Discrete truncated Wigner: classical spins with random starts that fluctuate as the quantum start does."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from ...core.checks import whole_number
from ...core.errors import EngineError, ToleranceError
from ...core.progress import Progress
from ...core.threads import Team
from ...core.typing import FloatArray
from ...model.problem import ChargingProblem
from ...records.moments import Moments
from ...records.solution import FinalState, Solution, StandardErrors, TimeTraces
from ..common.checkpoint import Checkpoint
from ..common.contract import Accuracy, Engine
from ..common.mesh import Mesh, initial_steps, stops_of
from ..common.options import SEED, TRAJECTORIES
from ..common.propagation import BYTES_PER_BLOCK, Passage
from ..common.splitting import BLANES_MOAN_4
from ..common.stepping import MOST_STEPS
from .spins import ClassicalSpins, bloch_vectors

_COPIES = 32
"""Trajectories that are turned side by side; the number is fixed, so that trajectory i of a seed is always the same."""

_SHARE_OF_ERROR = 0.2
"""Part of the standard error of mu that the step may add to it."""

_MOST_HALVINGS = 8
_USUAL_REFINEMENT = 4.0
_INSTANTS = 100
"""Output times that memory is planned for, as their number is not known beforehand."""

_BYTES_PER_SPIN, _BYTES_PER_PAIR = 40, 60
_SECONDS_PER_RUN = 0.05


@dataclass(frozen=True)
class TruncatedWigner(Engine):
    """Discrete truncated Wigner approximation (Schachenmayer, Pikovski and Rey, PRX 5, 011022 (2015)).

    Each spin starts along its Bloch vector with transverse components drawn from +1 and -1, and follows the mean
    fields of its neighbours. Sums over spins are then averaged; sigma is that of the sums themselves. An
    approximation, whose errors no number of trajectories makes smaller.

    Attributes:
        trajectories: how many, two or more.
        seed: None for one derived from the problem. Trajectory i of a seed is always the same.
    """

    name: ClassVar[str] = "truncated-wigner"
    summary: ClassVar[str] = "classical spins with random starts, an approximation"
    takes: ClassVar[str] = "any network"
    accuracy: ClassVar[Accuracy] = Accuracy.APPROXIMATE
    approximation: ClassVar[str] = (
        "discrete truncated Wigner. Cooperative protocol at 20 ns on tori of 9, 16 and 25 spins: mu is 0.06 to 0.09 "
        "too large, sigma off by -4 to +36 %; at 5 to 40 ns by -25 to +41 %; elsewhere not known"
    )

    trajectories: int = field(default=1000, metadata=TRAJECTORIES)
    seed: int | None = field(default=None, kw_only=True, metadata=SEED)

    def __post_init__(self) -> None:
        object.__setattr__(self, "trajectories", whole_number("trajectories", self.trajectories, least=2))
        if self.seed is not None:
            object.__setattr__(self, "seed", whole_number("seed", self.seed, least=0))

    def refusal(self, problem: ChargingProblem) -> str | None:
        return None

    def required_bytes(self, problem: ChargingProblem) -> int:
        n, pairs = problem.n_spins, len(problem.couplings[0])
        at_once = Team().threads
        per_block = 8 * _COPIES * (6 * n + 2 * pairs)
        kept = 8 * self.trajectories * (2 * _INSTANTS + n / _COPIES)
        return math.ceil(BYTES_PER_BLOCK + at_once * per_block + kept + _BYTES_PER_SPIN * n + _BYTES_PER_PAIR * pairs)

    def predicted_seconds(self, problem: ChargingProblem, times: FloatArray) -> float:
        block = ClassicalSpins(problem, np.zeros((3, problem.n_spins, 1)))
        stages = max(self._steps(problem), len(times)) * BLANES_MOAN_4.stages
        return _SECONDS_PER_RUN + stages * _USUAL_REFINEMENT * block.stage_seconds * (self.trajectories + 3.0 * _COPIES)

    def memory_hint(self, problem: ChargingProblem, available: int) -> str:
        return "use a smaller network."

    @staticmethod
    def _steps(problem: ChargingProblem) -> int:
        return initial_steps(problem)

    def solve(
        self, problem: ChargingProblem, times: FloatArray, progress: Progress, checkpoint: Checkpoint
    ) -> Solution:
        if self._steps(problem) > MOST_STEPS:
            raise EngineError(
                f"the {self.name} engine would need {self._steps(problem):.1e} steps, more than {MOST_STEPS:.0e}; "
                "shorten the duration or reduce h and J."
            )
        mesh = Mesh(problem, stops_of(problem, times), self._steps(problem))
        sample = _Sample(problem, times, mesh, self.seed or 0)
        halvings, step_error = self._halvings(sample, progress)
        outcome = _Outcome.empty(self.trajectories, len(times) + 1, problem.n_spins)
        log = checkpoint.log(0)
        blocks = math.ceil(self.trajectories / _COPIES)
        message = f"{problem.network.name} {problem.protocol.name}, {self.trajectories} trajectories"
        with Team() as team:
            done = log.restore(outcome.arrays, f"{blocks} blocks, {halvings} halvings")
            for block in range(done, blocks, team.threads):
                batch = range(block, min(block + team.threads, blocks))
                team.run(lambda number: outcome.put(number, *sample.block(number, halvings)), [(b,) for b in batch])
                with log.reached(batch[-1] + 1, outcome.arrays):
                    progress((batch[-1] + 1) / blocks, message)
        log.finish(blocks, outcome.arrays)
        return self._solution(problem, times, outcome, sample.steps(halvings), halvings, step_error)

    def _halvings(self, sample: _Sample, progress: Progress) -> tuple[int, float]:
        """Halvings of the step, and the step error of mu, from the first trajectories at two steps."""
        coarse = sample.block(0, 0)[0][-1]
        allowed = _SHARE_OF_ERROR * float(coarse.std()) / math.sqrt(self.trajectories)
        for halvings in range(1, _MOST_HALVINGS):
            progress(0.0, f"choosing the step: {sample.steps(halvings)} steps")
            fine = sample.block(0, halvings)[0][-1]
            error = abs(float(fine.mean() - coarse.mean()))
            if error <= allowed:
                return halvings, error
            coarse = fine
        raise ToleranceError(
            f"the time-step error of mu is still {error:.1e} after {halvings} halvings, above {allowed:.1e}, its share "
            f"of the statistical error of {self.trajectories} trajectories; with fewer trajectories a larger step "
            "error is allowed."
        )

    def _solution(
        self,
        problem: ChargingProblem,
        times: FloatArray,
        outcome: _Outcome,
        steps: int,
        halvings: int,
        step_error: float,
    ) -> Solution:
        n = problem.n_spins
        found = [Moments.of(row) for row in outcome.means]
        energies = [Moments.of(row) for row in outcome.energies]
        nearest = np.clip(np.rint(0.5 * n * (1.0 + outcome.means[-1])), 0, n).astype(np.int64)
        distribution = np.bincount(nearest, minlength=n + 1) / self.trajectories
        return Solution(
            FinalState(distribution, outcome.spins.sum(axis=0) / self.trajectories),
            TimeTraces(
                times,
                mean=np.array([moments.mean for moments in found]),
                variance=np.array([moments.variance for moments in found]),
                energy=np.array([moments.mean for moments in energies]),
            ),
            standard_errors=StandardErrors(
                mean=np.array([moments.mean_error for moments in found]),
                variance=np.array([moments.variance_error for moments in found]),
                energy=np.array([moments.mean_error for moments in energies]),
            ),
            discretisation={
                "splitting": BLANES_MOAN_4.name,
                "order": BLANES_MOAN_4.order,
                "steps": steps,
                "halvings": halvings,
                "step_error": step_error,
                "distribution": "of Sz rounded to what N spins can have",
            },
        )


class _Sample:
    """Blocks of trajectories, each of which depends on its number alone."""

    def __init__(self, problem: ChargingProblem, times: FloatArray, mesh: Mesh, seed: int) -> None:
        self._problem, self._mesh, self._seed = problem, mesh, seed
        self._times = times
        self._axis = bloch_vectors(problem)
        # the first transverse direction is made from the coordinate axis that is least along the spin
        least = np.eye(3)[np.abs(self._axis).argmin(axis=0)].T
        first = np.cross(self._axis, least, axis=0)
        self._first = first / np.linalg.norm(first, axis=0)
        self._second = np.cross(self._axis, self._first, axis=0)

    def steps(self, halvings: int) -> int:
        return self._mesh.steps(halvings)

    def start(self, number: int) -> FloatArray:
        """Vectors (3, N, copies) at the start of a block."""
        rng = np.random.default_rng([self._seed, number])
        one, two = rng.choice([-1.0, 1.0], size=(2, self._problem.n_spins, _COPIES))
        along, first, second = (vectors[:, :, None] for vectors in (self._axis, self._first, self._second))
        return np.asarray(along + one * first + two * second)

    def block(self, number: int, halvings: int) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Sz/N and <H> in GHz (T + 1, copies) at the output times and the end, and sz (N, copies) at the end."""
        problem = self._problem
        spins = ClassicalSpins(problem, self.start(number))
        means, energies = [], []

        def keep(time: float) -> None:
            means.append(spins.z.mean(axis=0))
            energies.append(spins.energies(problem.fields(time)))

        Passage(problem, BLANES_MOAN_4, self._mesh, halvings, self._times).carry([spins], keep)
        keep(problem.protocol.duration)
        return np.array(means), np.array(energies), spins.z


@dataclass(frozen=True)
class _Outcome:
    """Sz/N and <H> in GHz (T + 1, trajectories), and sums of sz at the end (blocks, N) over each block."""

    means: FloatArray
    energies: FloatArray
    spins: FloatArray

    @classmethod
    def empty(cls, trajectories: int, instants: int, n_spins: int) -> _Outcome:
        shape = instants, trajectories
        return cls(np.zeros(shape), np.zeros(shape), np.zeros((math.ceil(trajectories / _COPIES), n_spins)))

    @property
    def arrays(self) -> list[FloatArray]:
        return [self.means, self.energies, self.spins]

    def put(self, number: int, means: FloatArray, energies: FloatArray, z: FloatArray) -> None:
        """Keep a block, of the last one only as many trajectories as were asked for."""
        first = number * _COPIES
        count = min(_COPIES, self.means.shape[1] - first)
        columns = slice(first, first + count)
        self.means[:, columns], self.energies[:, columns] = means[:, :count], energies[:, :count]
        self.spins[number] = z[:, :count].sum(axis=1)
