"""What the dynamical models work on: a dense problem, its anneal, and how to run it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.progress import Progress
from ..core.typing import FloatArray, IntArray
from .schedule import AnnealSchedule, Sweeps
from .streams import Streams

SpinArray = NDArray[np.int8]


@dataclass(frozen=True)
class DenseProblem:
    """An Ising problem on spins 0 to n - 1, energies in units of B(s)/2.

    Attributes:
        fields: (n,) h.
        pairs: (E, 2) coupled spins, parasitic couplings included.
        couplings: (E,) their J, none of them zero.
        stuck: (n,) int8, the value at which a spin is held, or 0.
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
class Job:
    """One call of the emulator.

    Attributes:
        problem: what is annealed.
        schedule: s and g.
        sweeps: energies of the sweeps.
        kt: k_B T / h in GHz.
        freeze_out: s at which spins stop to move, for the models that need to be told.
        reads: how many.
        start: (n,) spins of a reverse anneal, or None.
        chained: whether each read starts from the result of the one before.
        streams: random numbers.
        threads: how many work at the same time; they do not enter the result.
        progress: called from the thread that called the sampler.
    """

    problem: DenseProblem
    schedule: AnnealSchedule
    sweeps: Sweeps
    kt: float
    freeze_out: float
    reads: int
    start: SpinArray | None
    chained: bool
    streams: Streams
    threads: int
    progress: Progress
