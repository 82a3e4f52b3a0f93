"""Discrete truncated Wigner: classical spins with random starts that fluctuate as the quantum start does."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ...core.checks import whole_number
from ...core.errors import ToleranceError
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
from ..common.plan import MOST_STEPS, too_many_steps
from ..common.propagation import BYTES_PER_BLOCK, Passage
from ..common.splitting import BLANES_MOAN_4
from .bloch import bloch_vectors, stage_seconds

if TYPE_CHECKING:
    from ..common.known_results import KnownResult

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
    fields of its neighbours. Sums over spins are then averaged; sigma is the standard deviation of these sums. An
    approximation, whose errors no number of trajectories makes smaller.

    Attributes:
        trajectories: how many, two or more.
        seed: None for one derived from the problem. Trajectory i of a seed is always the same.
    """

    name: ClassVar[str] = "truncated-wigner"
    needs: ClassVar[str] = "spinbattery.engines.classical.spins"
    compile_seconds: ClassVar[float] = 2.5
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

    @classmethod
    def self_tests(cls) -> list[tuple[Engine, KnownResult]]:
        from ..common.known_results import pulsed_spins, wigner_pairs

        return [(cls(), wigner_pairs()), (cls(), pulsed_spins())]

    def refusal(self, problem: ChargingProblem) -> str | None:
        return None

    def required_bytes(self, problem: ChargingProblem) -> int:
        n, pairs = problem.n_spins, len(problem.couplings[0])
        at_once = Team().threads
        per_block = 8 * _COPIES * (6 * n + 2 * pairs)
        kept = 8 * self.trajectories * (2 * _INSTANTS + n / _COPIES)
        return math.ceil(BYTES_PER_BLOCK + at_once * per_block + kept + _BYTES_PER_SPIN * n + _BYTES_PER_PAIR * pairs)

    def predicted_seconds(self, problem: ChargingProblem, times: FloatArray) -> float:
        stages = max(initial_steps(problem), len(times)) * BLANES_MOAN_4.stages
        return _SECONDS_PER_RUN + stages * _USUAL_REFINEMENT * stage_seconds(problem) * (
            self.trajectories + 3.0 * _COPIES
        )

    def memory_hint(self, problem: ChargingProblem, available: int) -> str:
        return "use a smaller network."

    def solve(
        self, problem: ChargingProblem, times: FloatArray, progress: Progress, checkpoint: Checkpoint
    ) -> Solution:
        steps = initial_steps(problem)
        if steps > MOST_STEPS:
            raise too_many_steps(self.name, steps, problem)
        sample = _Sample(problem, times, Mesh(problem, stops_of(problem, times), steps), self.seed or 0)
        halvings, step_error = self._halvings(sample, progress)
        blocks = math.ceil(self.trajectories / _COPIES)
        means, energies = np.zeros((2, len(times) + 1, self.trajectories))
        spins = np.zeros((blocks, problem.n_spins))
        arrays = [means, energies, spins]

        def make(number: int) -> None:
            columns = slice(number * _COPIES, min((number + 1) * _COPIES, self.trajectories))
            count = columns.stop - columns.start  # of the last block as many as were asked for
            found, energy, z = sample.block(number, halvings)
            means[:, columns], energies[:, columns] = found[:, :count], energy[:, :count]
            spins[number] = z[:, :count].sum(axis=1)

        log = checkpoint.log(0)
        message = f"{problem.network.name} {problem.protocol.name}, {self.trajectories} trajectories"
        with Team() as team:
            done = log.restore(arrays, f"{blocks} blocks, {halvings} halvings")
            for block in range(done, blocks, team.threads):
                batch = range(block, min(block + team.threads, blocks))
                team.run(make, [(number,) for number in batch])
                with log.reached(batch[-1] + 1, arrays):
                    progress((batch[-1] + 1) / blocks, message)
        log.finish(blocks, arrays)
        details = {"steps": sample.mesh.steps(1 << halvings), "halvings": halvings, "step_error": step_error}
        return self._solution(times, means, energies, spins, details)

    def _halvings(self, sample: _Sample, progress: Progress) -> tuple[int, float]:
        """Halvings of the step, and the step error of mu, from the first trajectories at two steps."""
        coarse = sample.block(0, 0)[0][-1]
        allowed = _SHARE_OF_ERROR * float(coarse.std()) / math.sqrt(self.trajectories)
        for halvings in range(1, _MOST_HALVINGS):
            progress(0.0, f"choosing the step: {sample.mesh.steps(1 << halvings)} steps")
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
        self, times: FloatArray, means: FloatArray, energies: FloatArray, spins: FloatArray, details: dict[str, Any]
    ) -> Solution:
        n = spins.shape[1]
        of_mean, of_energy = ([Moments.of(row) for row in rows] for rows in (means, energies))
        nearest = np.clip(np.rint(0.5 * n * (1.0 + means[-1])), 0, n).astype(np.int64)
        distribution = np.bincount(nearest, minlength=n + 1) / self.trajectories
        return Solution(
            FinalState(distribution, spins.sum(axis=0) / self.trajectories),
            TimeTraces(
                times,
                mean=np.array([moments.mean for moments in of_mean]),
                variance=np.array([moments.variance for moments in of_mean]),
                energy=np.array([moments.mean for moments in of_energy]),
            ),
            standard_errors=StandardErrors(
                mean=np.array([moments.mean_error for moments in of_mean]),
                variance=np.array([moments.variance_error for moments in of_mean]),
                energy=np.array([moments.mean_error for moments in of_energy]),
            ),
            discretisation={
                "splitting": BLANES_MOAN_4.name,
                "order": BLANES_MOAN_4.order,
                **details,
                "distribution": "of Sz rounded to what N spins can have",
            },
        )


class _Sample:
    """Blocks of trajectories, each of which depends on its number alone."""

    def __init__(self, problem: ChargingProblem, times: FloatArray, mesh: Mesh, seed: int) -> None:
        self._problem, self._times, self.mesh, self._seed = problem, times, mesh, seed
        self._axis = bloch_vectors(problem)
        # the first transverse direction is made from the coordinate axis that is least along the spin
        least = np.eye(3)[np.abs(self._axis).argmin(axis=0)].T
        first = np.cross(self._axis, least, axis=0)
        self._first = first / np.linalg.norm(first, axis=0)
        self._second = np.cross(self._axis, self._first, axis=0)

    def start(self, number: int) -> FloatArray:
        """Vectors (3, N, copies) at the start of a block."""
        rng = np.random.default_rng([self._seed, number])
        one, two = rng.choice([-1.0, 1.0], size=(2, self._problem.n_spins, _COPIES))
        along, first, second = (vectors[:, :, None] for vectors in (self._axis, self._first, self._second))
        return np.asarray(along + one * first + two * second)

    def block(self, number: int, halvings: int) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Sz/N and <H> in GHz (T + 1, copies) at the output times and the end, and sz (N, copies) at the end."""
        from .spins import ClassicalSpins

        problem = self._problem
        spins = ClassicalSpins(problem, self.start(number))
        means, energies = [], []

        def keep(time: float) -> None:
            means.append(spins.z.mean(axis=0))
            energies.append(spins.energies(problem.fields(time)))

        Passage(problem, BLANES_MOAN_4, self.mesh, 1 << halvings, self._times).carry([spins], keep)
        keep(problem.protocol.duration)
        return np.array(means), np.array(energies), spins.z
