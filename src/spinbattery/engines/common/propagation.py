"""The one host loop of all that steps through a protocol, between its stops, with progress and checkpoints."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from ...core.progress import Progress
from ...core.typing import FloatArray
from ...model.problem import ChargingProblem
from .checkpoint import PassLog
from .mesh import Mesh, StepFields, project_fields

_STEPS_PER_BLOCK = 16_384
BYTES_PER_BLOCK = 30_000_000
"""Fields and stages of one block of steps; 27 MB were measured for runs of several blocks."""

_SECONDS_PER_CHUNK = 0.1


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
class Outputs:
    """What is looked at on the way.

    Attributes:
        times: in ns, each a stop of the mesh.
        act: called with each of them when the states are there.
    """

    times: FloatArray
    act: Callable[[float], None]


def follow(
    problem: ChargingProblem,
    scheme: Scheme,
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
    outputs = Outputs(times, lambda time: log.rows.append(moments(time)))
    steps = propagate(problem, scheme, states, mesh, level, outputs, progress, log)
    return np.array([*log.rows, moments(problem.protocol.duration)]).T, steps


def propagate(
    problem: ChargingProblem,
    scheme: Scheme,
    states: Sequence[State],
    mesh: Mesh,
    level: int,
    outputs: Outputs,
    progress: Progress,
    log: PassLog,
) -> int:
    """Carry states through the protocol, with what is looked at on the way; returns the steps.

    Kernels run in chunks of about a tenth of a second, or of a few stages where these are longer, so that progress
    shows, Ctrl-C acts, and checkpoints are written between two of them. What an interrupted run had done is taken
    from the log and not done again.
    """
    total = sum(mesh.counts(level))
    seconds = sum(state.stage_seconds for state in states)
    chunk = max(int(_SECONDS_PER_CHUNK / seconds), *(state.shortest_chunk for state in states))
    message = f"{problem.network.name} {problem.protocol.name}, {total} steps"
    arrays = [array for state in states for array in state.arrays]
    pauses, wanted = mesh.pauses(outputs.times), set(outputs.times.tolist())
    joined = ", joined" if len(pauses) < len(mesh.stops) else ""
    behind = log.restore(arrays, f"{scheme.name}, {total} steps, {chunk} stages in a chunk{joined}")
    if log.is_finished:
        progress(1.0, message)
        return total
    if behind:
        message += ", from its checkpoint"
    done = chunks = 0
    if not behind and float(mesh.stops[0]) in wanted:
        outputs.act(float(mesh.stops[0]))
    for time, stages in _blocks(problem, scheme, mesh, level, pauses):
        parts = list(stages.parts(chunk))
        for part in parts:
            chunks += 1
            done += len(part)
            if chunks <= behind:
                continue
            for state in states:
                state.apply(part)
            if time in wanted and part is parts[-1]:
                outputs.act(time)  # before the checkpoint, which keeps what was found there
            with log.reached(chunks, arrays):
                progress(done / (total * scheme.stages), message)
    log.finish(chunks, arrays)
    return total


def _blocks(
    problem: ChargingProblem, scheme: Scheme, mesh: Mesh, level: int, pauses: FloatArray
) -> Iterator[tuple[float, StageSequence]]:
    """Stages of consecutive blocks of steps, and the time (ns) at which each ends.

    The fields are projected block by block, so that memory does not grow with the duration.
    """
    edges = mesh.edges(level)
    ends = np.searchsorted(edges, pauses)
    total = len(edges) - 1
    for first in range(0, total, _STEPS_PER_BLOCK):
        last = min(first + _STEPS_PER_BLOCK, total)
        block = project_fields(problem, edges[first : last + 1], mesh.kinks, scheme.legendre_degree)
        start = first
        for end in [*ends[(ends > first) & (ends < last)].tolist(), last]:
            yield float(edges[end]), scheme.sequence(block.part(start - first, end - first))
            start = end
