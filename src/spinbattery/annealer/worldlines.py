"""Path-integral Monte Carlo, also called simulated quantum annealing: a check of the rotors for small networks."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ..core.errors import EngineError
from .job import AnnealJob, SpinArray, run_reads
from .path_integral import anneal_worldlines

SLICES = 32
"""Slices of imaginary time: A/(2 kT M) is then 0.03 at 18 mK where a reverse anneal to s = 0.35 holds."""

_SPINS_MOST = 1000
_UPDATES_PER_STEP = 20_000
"""Updates of worldlines between two checks for Ctrl-C: about 0.02 s."""


def run_worldlines(job: AnnealJob) -> SpinArray:
    """Spins of each read, (reads, n) int8.

    Qubits sampled from exp(-H/kT) by a Suzuki-Trotter product of `SLICES` slices. Cluster moves have no freeze-out of
    their own: spins would follow the fields until the gain is zero. Therefore spins move only while s is below
    ``freeze_out``, and a read is one slice after the last Monte Carlo sweep.

    Raises:
        EngineError: more than 1000 spins, which would take hours, or a schedule that never rises through
            ``freeze_out``.
    """
    problem = job.problem
    if problem.n_spins > _SPINS_MOST:
        raise EngineError(
            f"the model 'pimc' is a check for up to {_SPINS_MOST} spins, but the problem has {problem.n_spins}; use "
            "'svmc-tf', which is some hundred times faster."
        )
    job.schedule.last_rise(job.freeze_out)
    order = np.argsort(problem.stuck != 0, kind="stable")
    matrix = problem.adjacency[order][:, order].tocsr()
    h = problem.fields[order][problem.stuck[order] == 0]
    sweeps = job.sweeps.where(job.sweeps.s < job.freeze_out)
    coupling = 0.5 * sweeps.ising / (job.kt * SLICES)
    curves = np.tanh(0.5 * sweeps.transverse / (job.kt * SLICES)), coupling, coupling * sweeps.gain
    step = max(1, _UPDATES_PER_STEP // problem.n_spins)
    total = max(1, len(sweeps)) * job.reads

    def anneal(reads: range, spins: SpinArray, result: SpinArray) -> Iterator[float]:
        words = job.streams.words(reads)[0]
        lines = _worldlines(spins[order], words[1])
        generator = words[:1].copy()
        for first in range(0, len(sweeps), step):
            part = [curve[first : first + step] for curve in curves]
            anneal_worldlines(matrix.indptr, matrix.indices, matrix.data, h, lines, generator, *part)
            yield len(part[0]) / total
        result[reads.start, order] = lines[:, 0]

    return run_reads(job, anneal, (range(read, read + 1) for read in range(job.reads)), "worldlines")


def _worldlines(spins: SpinArray, seed: np.uint64) -> NDArray[np.int8]:
    """[spin, slice]: straight, or random where a spin is 0 (the ground state of the transverse field)."""
    random = np.random.default_rng(int(seed)).integers(0, 2, size=(len(spins), SLICES), dtype=np.int8) * 2 - 1
    return np.where(spins[:, None] == 0, random, spins[:, None]).astype(np.int8)
