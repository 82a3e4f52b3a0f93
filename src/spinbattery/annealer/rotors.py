"""Spin-vector Monte Carlo with proposals that follow the transverse field (SVMC-TF)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ..core.typing import IntArray
from .job import AnnealJob, DenseProblem, SpinArray, run_reads
from .kernels import LANES, anneal_rotors
from .schedule import FROZEN_RATIO, SweepEnergies

RotorArray = NDArray[np.float32]

BLOCK = 2 * LANES
"""Reads side by side; fewer where not every thread would have a block."""

_UPDATES_PER_STEP = 5_000_000
"""Spin updates between two checks for Ctrl-C: 0.01 to 0.03 s."""


class _Rotors:
    """The problem as the kernel takes it: neighbours close together in memory, held spins last."""

    def __init__(self, problem: DenseProblem, sweeps: SweepEnergies, kt: float) -> None:
        self.order = _kernel_order(problem)
        matrix = problem.adjacency[self.order][:, self.order].tocsr()
        matrix.sort_indices()
        couplings = matrix.data
        # equal couplings, the usual case, are multiplied once per spin and not once per neighbour
        common = float(couplings[0]) if couplings.size and (couplings == couplings[0]).all() else None
        self.starts = matrix.indptr.astype(np.int32)
        self.neighbours = matrix.indices.astype(np.int32)
        self.weights = (couplings if common is None else np.empty(0)).astype(np.float32)
        self.h = problem.fields[self.order][problem.stuck[self.order] == 0].astype(np.float32)
        self.sweeps = sweeps.where(sweeps.ratio >= FROZEN_RATIO)
        half = 0.5 / kt
        self._curves = [
            curve.astype(np.float32)
            for curve in (
                self.sweeps.transverse * half,
                self.sweeps.ising * half * (1.0 if common is None else common),
                self.sweeps.ising * self.sweeps.gain * half,
                self.sweeps.width,
            )
        ]

    def state(self, start: SpinArray, lanes: int) -> tuple[RotorArray, RotorArray]:
        """The kernel's v and cos(theta), [spin, read], for spins of +-1 or 0 (the equator)."""
        cosine = np.repeat(start[self.order, None].astype(np.float32), lanes, axis=1)
        return -0.5 * cosine, cosine

    def anneal(self, v: RotorArray, cosine: RotorArray, words: NDArray[np.uint64]) -> Iterator[int]:
        """Anneal a state in place; yields the number of Monte Carlo sweeps of each step."""
        generators = np.ascontiguousarray(words.view(np.uint32).T)
        step = max(1, _UPDATES_PER_STEP // v.size)
        for first in range(0, len(self.sweeps), step):
            part = [curve[first : first + step] for curve in self._curves]
            anneal_rotors(self.starts, self.neighbours, self.weights, self.h, v, cosine, generators, *part)
            yield len(part[0])


def run_rotors(job: AnnealJob) -> SpinArray:
    """Spins of each read, (reads, n) int8.

    The energy is -A/2 sum sin(theta) + B/2 (g sum h cos(theta) + sum J cos(theta) cos(theta')). Each Monte Carlo sweep
    updates all spins one after another: theta moves by up to pi min(1, A/B), is reflected at 0 and pi, and the move is
    accepted with the Metropolis probability. A read is the sign of cos(theta). A reverse anneal starts at the poles, a
    forward one on the equator (Shin, Smith, Smolin and Vazirani, arXiv:1401.7087; Albash and Marshall,
    arXiv:2009.04934).
    """
    rotors = _Rotors(job.problem, job.sweeps, job.kt)
    total = max(1, len(rotors.sweeps)) * job.reads

    def anneal(reads: range, spins: SpinArray, result: SpinArray) -> Iterator[float]:
        lanes = reads if job.chained else padded(reads)
        v, cosine = rotors.state(spins, len(lanes))
        for sweeps in rotors.anneal(v, cosine, job.streams.words(lanes)):
            yield sweeps * len(reads) / total
        result[reads.start : reads.stop, rotors.order] = _signs(cosine)[:, : len(reads)].T

    return run_reads(job, anneal, blocks(job.reads, job.threads), "rotors")


def blocks(reads: int, threads: int) -> list[range]:
    """Reads in blocks, so that all threads have one where possible."""
    width = block_width(reads, threads)
    return [range(first, min(first + width, reads)) for first in range(0, reads, width)]


def block_width(reads: int, threads: int) -> int:
    return BLOCK if reads > LANES and reads >= BLOCK * threads else LANES


def padded(reads: range) -> range:
    """The lanes of a block; those beyond the reads are discarded."""
    return range(reads.start, reads.start + -(-len(reads) // LANES) * LANES)


def _signs(cosine: RotorArray) -> SpinArray:
    return np.where(cosine >= 0.0, np.int8(1), np.int8(-1))


def _kernel_order(problem: DenseProblem) -> IntArray:
    """Spins in reverse Cuthill-McKee order, held ones last.

    A spin's neighbours are then recently used rows, which are still in the cache: a sixth faster on a whole Pegasus.
    """
    from scipy.sparse.csgraph import reverse_cuthill_mckee

    order = np.asarray(reverse_cuthill_mckee(problem.adjacency, symmetric_mode=True), dtype=np.int64)
    held = problem.stuck[order] != 0
    return np.concatenate([order[~held], order[held]])
