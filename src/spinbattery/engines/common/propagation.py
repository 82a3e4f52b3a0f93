"""The host loop of every engine that steps through a protocol: from stop to stop, with progress and checkpoints."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from ...core.progress import Progress, silent
from ...core.typing import FloatArray
from ...model.problem import ChargingProblem
from .checkpoint import Checkpoint, PassLog
from .mesh import StepFields, project_fields

STEPS_PER_BLOCK = 16_384
BYTES_PER_BLOCK = 30_000_000
"""Fields and stages of one block of steps; 27 MB were measured for runs of several blocks."""

_SECONDS_PER_CHUNK = 0.1


class StageSequence(Protocol):
    """Stages of consecutive steps."""

    def __len__(self) -> int: ...

    def parts(self, largest: int) -> Iterator[Self]:
        """The same stages in sequence, in parts of up to ``largest`` stages."""
        ...


class Scheme(Protocol):
    """How a step is made of stages; ``order`` is the order of the global error in the step."""

    @property
    def name(self) -> str: ...
    @property
    def order(self) -> int: ...
    @property
    def stages(self) -> int: ...
    @property
    def legendre_degree(self) -> int:
        """Degree of the projection of the fields that the order needs."""
        ...

    def sequence(self, fields: StepFields) -> StageSequence: ...


class Steps(Protocol):
    """Steps of a pass: ``stops`` (ns) that none crosses, and the kinks of the fields that some do (``crossed``)."""

    @property
    def stops(self) -> FloatArray: ...
    @property
    def crossed(self) -> FloatArray: ...
    def steps(self, multiple: int) -> int:
        """Number of steps, ``multiple`` times the first."""
        ...

    def edges(self, multiple: int) -> FloatArray:
        """Their edges in ns, stops included."""
        ...


class State(Protocol):
    """A state that is carried through a protocol.

    Stages take ``stage_seconds`` each on one core, and are applied ``shortest_chunk`` together at least. A
    checkpoint keeps the ``arrays``, which are all that changes.
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
class Passage:
    """One pass through a protocol at a fixed step.

    Attributes:
        mesh, multiple: the steps.
        times: output times in ns, each a stop of the mesh.
        log: keeps the moments at the output times, and what an interrupted pass had reached.
        fields: of all steps, where they are known.
    """

    problem: ChargingProblem
    scheme: Scheme
    mesh: Steps
    multiple: int
    times: FloatArray = field(default_factory=lambda: np.empty(0))
    progress: Progress = silent
    log: PassLog = field(default_factory=lambda: Checkpoint().log(0))
    fields: StepFields | None = None

    @property
    def steps(self) -> int:
        return self.mesh.steps(self.multiple)

    def follow(
        self,
        states: Sequence[State],
        moments: Callable[[float], tuple[float, ...]],
        final: Callable[[], tuple[float, ...]] | None = None,
    ) -> FloatArray:
        """Carry states through the protocol; returns (K, T + 1) moments at the T output times and, last, at the end.

        Args:
            states: changed in place.
            moments: K numbers of the states at a time in ns.
            final: the same at the end, where some of them need not be known; ``moments`` by default.
        """
        self.carry(states, lambda time: self.log.rows.append(moments(time)))
        last = moments(self.problem.protocol.duration) if final is None else final()
        return np.array([*self.log.rows, last]).T

    def carry(self, states: Sequence[State], look: Callable[[float], None]) -> None:
        """Carry states through the protocol, and call ``look`` at each output time.

        Kernels run in chunks of about a tenth of a second, or of a few stages where these are longer. Between two
        chunks progress is shown, Ctrl-C acts, and checkpoints are written. Chunks that an interrupted pass had done
        are not done again.
        """
        total, mesh, log = self.steps, self.mesh, self.log
        seconds = sum(state.stage_seconds for state in states)
        chunk = max(int(_SECONDS_PER_CHUNK / seconds), *(state.shortest_chunk for state in states))
        message = f"{self.problem.network.name} {self.problem.protocol.name}, {total} steps"
        arrays = [array for state in states for array in state.arrays]
        wanted = set(self.times.tolist())
        behind = log.restore(arrays, f"{self.scheme.name}, {total} steps, {chunk} stages in a chunk")
        if log.is_finished:
            self.progress(1.0, message)
            return
        if behind:
            message += ", from its checkpoint"
        done = chunks = 0
        if not behind and float(mesh.stops[0]) in wanted:
            look(float(mesh.stops[0]))
        for time, stages in self._blocks():
            parts = list(stages.parts(chunk))
            for part in parts:
                chunks += 1
                done += len(part)
                if chunks <= behind:
                    continue
                for state in states:
                    state.apply(part)
                if time in wanted and part is parts[-1]:
                    look(time)  # before the checkpoint, which keeps what was found there
                with log.reached(chunks, arrays):
                    self.progress(done / (total * self.scheme.stages), message)
        log.finish(chunks, arrays)

    def _blocks(self) -> Iterator[tuple[float, StageSequence]]:
        """Stages of consecutive blocks of steps, and the time (ns) at which each block ends, such as an output time.

        The fields are projected block by block, so that memory does not grow with the duration.
        """
        mesh, scheme = self.mesh, self.scheme
        edges = mesh.edges(self.multiple) if self.fields is None else self.fields.edges
        ends = np.searchsorted(edges, self.times)
        total = len(edges) - 1
        for first in range(0, total, STEPS_PER_BLOCK):
            last = min(first + STEPS_PER_BLOCK, total)
            if self.fields is None:
                block = project_fields(self.problem, edges[first : last + 1], mesh.crossed, scheme.legendre_degree)
            else:
                block = self.fields.part(first, last)
            start = first
            for end in [*ends[(ends > first) & (ends < last)].tolist(), last]:
                yield float(edges[end]), scheme.sequence(block.part(start - first, end - first))
                start = end
