"""The model 'closed-form': every spin by itself in thermal equilibrium where it freezes out."""

from __future__ import annotations

import numpy as np

from ..core.errors import EngineError
from ..core.typing import FloatArray
from ..model.scales import EnergyScales
from ..model.thermal import down_probability
from .job import AnnealJob, DenseProblem, SpinArray
from .schedule import AnnealSchedule


def run_closed_form(job: AnnealJob, scales: EnergyScales) -> SpinArray:
    """Spins of each read, (reads, n) int8, drawn independently from `down_probabilities`.

    The initial state does not enter: the spins are assumed to have reached the state that the fields favour.
    """
    down = down_probabilities(job.problem, job.schedule, scales, job.kt, job.freeze_out)
    result = np.empty((job.reads, job.problem.n_spins), dtype=np.int8)
    for read in range(job.reads):
        uniform = job.streams.generator(read, "dynamics").random(job.problem.n_spins)
        result[read] = np.where(uniform < down, -1, 1)
    job.progress(1.0, f"drawing {job.reads} reads of {job.problem.n_spins} spins")
    return result


def down_probabilities(
    problem: DenseProblem, schedule: AnnealSchedule, scales: EnergyScales, kt: float, freeze_out: float
) -> FloatArray:
    """Probability of each spin to read -1, (n,), at the temperature ``kt`` = k_B T / h in GHz.

    A spin sees A/2, B/2 g h and B/2 J from neighbours that point where the fields drive them, all at the moment when s
    rises through ``freeze_out`` for the last time. With rotors and ``freeze_out`` 0.5 this comes within 0.01 of the
    magnetizations of spin-vector Monte Carlo, and within a factor of two of its rare flips (18 mK, 5000 Monte Carlo
    sweeps, Pegasus).

    Raises:
        EngineError: s never rises through ``freeze_out``, or the fields do not determine where the spins point:
            coupled spins without a field or driven in different directions, or a spin whose neighbours overrule its
            field.
    """
    u = schedule.last_rise(freeze_out)
    a, b, g = float(scales.A(freeze_out)), float(scales.B(freeze_out)), float(schedule.g(u))
    driven = g * problem.fields
    direction = _directions(problem, driven)
    total = driven + problem.adjacency @ direction
    overruled = (direction * total > 0.0) & (problem.stuck == 0)
    if overruled.any():
        raise _unclear(f"the neighbours of {int(overruled.sum())} spins overrule their field")
    fields, member = np.unique(total, return_inverse=True)  # a quadrature for each distinct one
    down = down_probability(-0.5 * a, 0.5 * b * fields, kt)[member]
    return np.where(problem.stuck != 0, 0.5 * (1.0 - problem.stuck), down)


def _directions(problem: DenseProblem, driven: FloatArray) -> FloatArray:
    """Direction of each spin, (n,) of +-1, one sign in each connected part; 0 for uncoupled spins without field."""
    from scipy.sparse.csgraph import connected_components

    n_parts, part = connected_components(problem.adjacency, directed=False)
    coupled = np.bincount(part, minlength=n_parts) > 1
    free = problem.stuck == 0
    up = np.bincount(part, weights=(driven < 0.0) & free, minlength=n_parts) > 0
    down = np.bincount(part, weights=(driven > 0.0) & free, minlength=n_parts) > 0
    if (up & down & coupled).any():
        raise _unclear("fields drive coupled spins in different directions")
    if (coupled & ~up & ~down).any():
        raise _unclear("no field acts on some coupled spins where they freeze out")
    sign = up.astype(np.float64) - down.astype(np.float64)
    return np.where(free, sign[part], problem.stuck)


def _unclear(why: str) -> EngineError:
    return EngineError(
        f"the model 'closed-form' treats spins that their fields drive to one final state, but {why}; use 'svmc-tf'."
    )
