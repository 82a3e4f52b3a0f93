"""The one host loop of engines that step through a protocol, and step halving until a tolerance is kept."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from .._typing import ComplexArray, FloatArray
from ..errors import EngineError
from ..machine import n_cores
from ..problem import ChargingProblem
from ..progress import Progress
from ..recording import Solution
from ..units import whole_number
from .base import Engine
from .checkpoint import Checkpoint, PassLog
from .density import DensityState
from .levels import run_together
from .refinement import ROUNDING, checked_tolerance, refine
from .schedule import Mesh, StepFields, project_fields

_STEPS_PER_BLOCK = 16_384
BYTES_PER_BLOCK = 30_000_000
"""Fields and stages of one block of steps; 27 MB were measured for runs of several blocks."""

MOST_STEPS = 20_000_000
"""Of the coarsest mesh."""

_SECONDS_PER_CHUNK = 0.1

SECONDS_WORTH_THREADS = 2.0
"""Predicted run time from which levels run at the same time."""


class StageSequence(Protocol):
    """Stages of consecutive steps."""

    def __len__(self) -> int: ...

    def parts(self, largest: int) -> Iterator[Self]:
        """The same in sequence, in parts of up to ``largest`` stages."""
        ...


class Scheme(Protocol):
    """How a step is made of stages.

    Attributes:
        name: for records.
        order: order of the global error in the step.
        stages: per step.
        legendre_degree: of the projection of the fields that the order needs.
    """

    @property
    def name(self) -> str: ...
    @property
    def order(self) -> int: ...
    @property
    def stages(self) -> int: ...
    @property
    def legendre_degree(self) -> int: ...

    def sequence(self, fields: StepFields) -> StageSequence: ...


class State(Protocol):
    """What is carried through a protocol.

    Attributes:
        stage_seconds: rough time of a stage on one core.
        shortest_chunk: stages that are applied together at least.
        arrays: all that changes on the way: what a checkpoint keeps.
    """

    @property
    def stage_seconds(self) -> float: ...
    @property
    def shortest_chunk(self) -> int: ...
    @property
    def arrays(self) -> Sequence[NDArray[Any]]: ...

    def apply(self, stages: Any) -> None:
        """Apply stages of the kind that goes with the state, in place."""
        ...


@dataclass(frozen=True)
class Evolution:
    """One pass at a fixed step; moments, and of mixed states the purity, at the output times and, last, at the end.

    Attributes:
        details: of the discretisation, for the record, beyond scheme, order, steps and halvings.
    """

    mean: FloatArray
    variance: FloatArray
    energy: FloatArray
    distribution: FloatArray
    spin_magnetization: FloatArray
    norm_error: float
    steps: int
    state: ComplexArray | None = None
    purity: FloatArray | None = None
    density: DensityState | None = None
    details: dict[str, Any] = field(default_factory=dict)


Pass = Callable[[int, PassLog, Progress], Evolution]
"""Runs one level of the mesh; the log has what an interrupted run of it had reached."""

_SHARES = (1.0 / 7.0, 2.0 / 7.0, 4.0 / 7.0)
"""Of the work of the first three levels, which step halving always needs."""


@dataclass(frozen=True)
class SteppingEngine(Engine):
    """Options and the host loop common to engines that step through a protocol.

    Attributes:
        tolerance: a promise: absolute on mu and sigma^2 at every output time, relative on the final
            precision 1/sigma^2. The step is halved until the error estimates are below it.
        max_levels: halvings of the coarsest step after which the run gives up.
    """

    tolerance: float = 1e-6
    max_levels: int = field(default=12, kw_only=True)

    def __post_init__(self) -> None:
        object.__setattr__(self, "tolerance", checked_tolerance(self.tolerance))
        object.__setattr__(self, "max_levels", whole_number("max_levels", self.max_levels, least=2))

    @abstractmethod
    def scheme_for(self, problem: ChargingProblem) -> Scheme:
        """How steps are made."""

    @abstractmethod
    def mesh(self, problem: ChargingProblem, times: FloatArray) -> Mesh:
        """Coarsest mesh: no step crosses a corner of the protocol or a requested time."""

    @abstractmethod
    def stepper(self, problem: ChargingProblem, mesh: Mesh, times: FloatArray, progress: Progress) -> Pass:
        """Prepare all that does not depend on the step; the result runs one level of the mesh.

        Progress is that of the preparation; each pass is given its own.
        """

    def leaves_cores_idle(self, problem: ChargingProblem) -> bool:
        """Whether a pass is long and runs on one core, so that the first levels are to run at the same time."""
        return False

    def solve(
        self, problem: ChargingProblem, times: FloatArray, progress: Progress, checkpoint: Checkpoint
    ) -> Solution:
        mesh = self.mesh(problem, times)
        scheme = self.scheme_for(problem)
        run = self.stepper(problem, mesh, times, progress)
        first: list[Evolution] = []
        if self.leaves_cores_idle(problem) and n_cores() > 1:
            first = run_together(
                lambda level, reached: run(level, checkpoint.level(level), reached), _SHARES, n_cores(), progress
            )

        def solve_level(level: int) -> Evolution:
            return first[level] if level < len(first) else run(level, checkpoint.level(level), progress)

        refined = refine(solve_level, self.tolerance, self.max_levels, scheme.order, mesh.resolved_from, self.rounding)
        finest = refined.result
        return Solution(
            mean=float(finest.mean[-1]),
            variance=float(finest.variance[-1]),
            spin_magnetization=finest.spin_magnetization,
            distribution=finest.distribution,
            times=times,
            trajectory_mean=finest.mean[:-1],
            trajectory_variance=finest.variance[:-1],
            trajectory_energy=finest.energy[:-1],
            trajectory_mean_error=refined.mean_error[:-1],
            trajectory_variance_error=refined.variance_error[:-1],
            mean_error=float(refined.mean_error[-1]),
            precision_error=refined.precision_error,
            norm_error=finest.norm_error,
            state=finest.state,
            discretisation={
                "splitting": scheme.name,
                "order": scheme.order,
                "steps": finest.steps,
                "halvings": refined.level,
                **finest.details,
            },
            purity=None if finest.purity is None else float(finest.purity[-1]),
            trajectory_purity=None if finest.purity is None else finest.purity[:-1],
            smallest_eigenvalue=self.smallest_eigenvalue(finest),
        )

    def rounding(self, evolution: Evolution) -> tuple[float, float]:
        """What rounding may have changed: absolute for mu, relative for sigma^2."""
        return ROUNDING

    def smallest_eigenvalue(self, evolution: Evolution) -> float | None:
        """Of the final density matrix, checked; None where there is no such matrix."""
        return None

    def too_many(self, steps: int, problem: ChargingProblem) -> EngineError:
        """The error of a mesh of more than MOST_STEPS steps."""
        return EngineError(
            f"the {self.name} engine would need {steps:.1e} steps at the coarsest for {problem.protocol.duration:g} ns "
            f"with these fields and couplings, more than {MOST_STEPS:.0e}; shorten the duration or lower h and J."
        )

    def follow(
        self,
        problem: ChargingProblem,
        states: Sequence[State],
        mesh: Mesh,
        level: int,
        times: FloatArray,
        moments: Callable[[float], tuple[float, ...]],
        progress: Progress,
        log: PassLog,
    ) -> tuple[FloatArray, int]:
        """Carry states through the protocol; returns (K, T + 1) moments at the T output times and the end, and steps.

        Args:
            moments: K numbers of the states at a time in ns; the log keeps them.
        """
        wanted = set(times.tolist())

        def at_stop(time: float) -> None:
            if time in wanted:
                log.rows.append(moments(time))

        steps = self.propagate(problem, states, mesh, level, at_stop, progress, log)
        return np.array([*log.rows, moments(problem.protocol.duration)]).T, steps

    def propagate(
        self,
        problem: ChargingProblem,
        states: Sequence[State],
        mesh: Mesh,
        level: int,
        at_stop: Callable[[float], None],
        progress: Progress,
        log: PassLog,
    ) -> int:
        """Carry states through the protocol, calling ``at_stop(time)`` at every stop; returns the steps.

        Kernels run in chunks of about a tenth of a second, or of a few stages where these are longer, so that progress
        shows, Ctrl-C acts, and checkpoints are written between two of them. What an interrupted run had done is taken
        from the log and not done again.
        """
        scheme = self.scheme_for(problem)
        total = sum(mesh.counts(level))
        seconds = sum(state.stage_seconds for state in states)
        chunk = max(int(_SECONDS_PER_CHUNK / seconds), *(state.shortest_chunk for state in states))
        message = f"{problem.network.name} {problem.protocol.name}, {total} steps"
        arrays = [array for state in states for array in state.arrays]
        behind = log.restore(arrays, f"{scheme.name}, {total} steps, {chunk} stages in a chunk")
        if log.is_finished:
            progress(1.0, message)
            return total
        if behind:
            message += ", from its checkpoint"
        done = chunks = 0
        if not behind:
            at_stop(float(mesh.stops[0]))
        for time, stages in self._blocks(problem, scheme, mesh, level):
            parts = list(stages.parts(chunk))
            for part in parts:
                chunks += 1
                done += len(part)
                if chunks <= behind:
                    continue
                for state in states:
                    state.apply(part)
                if time is not None and part is parts[-1]:
                    at_stop(time)  # before the checkpoint, which keeps what was found there
                with log.reached(chunks, arrays):
                    progress(done / (total * scheme.stages), message)
        log.finish(chunks, arrays)
        return total

    def _blocks(
        self, problem: ChargingProblem, scheme: Scheme, mesh: Mesh, level: int
    ) -> Iterator[tuple[float | None, StageSequence]]:
        """Stages of consecutive blocks of steps, with the stop (ns) a block ends at, if it does.

        The fields are projected block by block, so that memory does not grow with the duration.
        """
        edges = mesh.edges(level)
        ends = np.cumsum(mesh.counts(level)).tolist()
        stops = dict(zip(ends, mesh.stops[1:].tolist(), strict=True))
        total = ends[-1]
        for first in range(0, total, _STEPS_PER_BLOCK):
            last = min(first + _STEPS_PER_BLOCK, total)
            block = project_fields(problem, edges[first : last + 1], mesh.kinks, scheme.legendre_degree)
            start = first
            for end in [*(end for end in ends if first < end < last), last]:
                yield stops.get(end), scheme.sequence(block.part(start - first, end - first))
                start = end
