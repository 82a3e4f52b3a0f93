"""Bloch vectors of the start, and the time that classical spins take."""

from __future__ import annotations

import numpy as np

from ...core.typing import FloatArray
from ...model.problem import ChargingProblem

_SECONDS_PER_SPIN_STAGE, _SECONDS_PER_PAIR_STAGE = 4e-9, 0.5e-9


def stage_seconds(problem: ChargingProblem) -> float:
    """Rough time of a V and a T stage on one core, for each copy."""
    return _SECONDS_PER_SPIN_STAGE * problem.n_spins + 2.0 * _SECONDS_PER_PAIR_STAGE * len(problem.couplings[0])


def bloch_vectors(problem: ChargingProblem) -> FloatArray:
    """Bloch vectors (3, N) at the start."""
    up, down = problem.protocol.initial.spinors(problem.n_spins).T
    coherence = 2.0 * np.conj(up) * down
    return np.stack([coherence.real, coherence.imag, np.abs(up) ** 2 - np.abs(down) ** 2])
