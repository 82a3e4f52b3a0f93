"""Input of the dynamical models: a dense problem, its anneal, and how to run it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.progress import Progress
from ..core.threads import Steps, run_tasks
from ..core.typing import FloatArray, IntArray
from .schedule import AnnealSchedule, SweepEnergies
from .streams import Streams

SpinArray = NDArray[np.int8]


@dataclass(frozen=True)
class DenseProblem:
    """An Ising problem on spins 0 to n - 1: h (n,), and J (E,), not zero, of pairs (E, 2), in units of B(s)/2.

    ``stuck`` (n,) holds the value of a stuck spin, and 0 for a free one. Pairs include parasitic couplings.
    """

    fields: FloatArray
    pairs: IntArray
    couplings: FloatArray
    stuck: SpinArray

    @property
    def n_spins(self) -> int:
        return len(self.fields)

    @cached_property
    def adjacency(self) -> Any:
        """(n, n) sparse symmetric matrix of the couplings, in CSR form."""
        from scipy.sparse import coo_array

        j, k = self.pairs.T
        values = np.concatenate([self.couplings, self.couplings])
        shape = (self.n_spins, self.n_spins)
        return coo_array((values, (np.concatenate([j, k]), np.concatenate([k, j]))), shape=shape).tocsr()


@dataclass(frozen=True)
class AnnealJob:
    """One call of the emulator, as the models take it.

    Attributes:
        sweeps: energies of the Monte Carlo sweeps.
        kt: k_B T / h in GHz.
        freeze_out: annealing fraction s at which the spins freeze, for the models that need it.
        start: (n,) spins of a reverse anneal, or None.
        chained: whether each read starts from the result of the one before.
        threads: number of threads; the result does not depend on it.
        progress: called from the thread that called the sampler.
    """

    problem: DenseProblem
    schedule: AnnealSchedule
    sweeps: SweepEnergies
    kt: float
    freeze_out: float
    reads: int
    start: SpinArray | None
    chained: bool
    streams: Streams
    threads: int
    progress: Progress

    @property
    def first_spins(self) -> SpinArray:
        """(n,) int8: the spins the first read starts from, held ones included; 0 before a forward anneal."""
        free = np.zeros(self.problem.n_spins, dtype=np.int8) if self.start is None else self.start
        return np.where(self.problem.stuck != 0, self.problem.stuck, free)


Anneal = Callable[[range, SpinArray, SpinArray], Iterator[float]]
"""Anneals some reads from a start into the (reads, n) result; yields after each step its fraction of all the work."""


def run_reads(job: AnnealJob, anneal: Anneal, blocks: Iterable[range], what: str) -> SpinArray:
    """Spins of each read, (reads, n) int8: blocks of reads in parallel, or one read after the other where chained."""
    n_spins, start = job.problem.n_spins, job.first_spins
    result = np.empty((job.reads, n_spins), dtype=np.int8)

    def chain() -> Iterator[float]:
        spins = start
        for read in range(job.reads):
            yield from anneal(range(read, read + 1), spins, result)
            spins = result[read]

    tasks: list[Steps] = [chain] if job.chained else [partial(anneal, reads, start, result) for reads in blocks]
    run_tasks(tasks, job.threads, job.progress, f"annealing {n_spins} {what}, {job.reads} reads")
    return result
