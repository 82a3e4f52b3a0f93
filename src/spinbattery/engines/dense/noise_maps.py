"""Maps of single spins that relax, in a transverse stage: turn, flips and relaxation in one exact map.

The kernel itself makes the maps of spins that only flip (:func:`~.density_kernels.flip_map`).

The map is the exponential of the generator, integrated over the signed duration of the stage. Bloch vectors have the
order and signs of :mod:`~spinbattery.engines.dense.density_kernels`: (1, -y, x, z).
"""

from __future__ import annotations

import math

import numpy as np

from ...core.typing import FloatArray
from ...records.schema import MIXED_VARIANCE_FLOOR

_TAYLOR_NORM = 0.5
_TAYLOR_DEGREE = 14
"""0.5^15/15! is 2e-17."""

_WORK_OF_MAPS, _WORK_OF_RELAXATION_MAPS = 25.0, 240.0
_WORK_OF_ENTRY, _WORK_OF_RELAXING_ENTRY = 0.7, 1.7


def stage_work(n_spins: int, relaxes: bool) -> float:
    """Work of a stage, in amplitudes of a pure state: the maps of a kind of spin, and the entries."""
    if relaxes:
        return _WORK_OF_RELAXATION_MAPS + _WORK_OF_RELAXING_ENTRY * 4.0**n_spins
    return _WORK_OF_MAPS + _WORK_OF_ENTRY * 4.0**n_spins


def decays(pauli: FloatArray) -> FloatArray:
    """Decay rates of x, y and z, from rates (3, ...) of sx, sy and sz: twice those of the two others."""
    x, y, z = pauli
    return 2.0 * np.stack([y + z, x + z, x + y])


def without_rounding(variance: FloatArray, n_spins: int) -> FloatArray:
    """sigma^2 (T + 1,) of a mixed state; the final one is zero where it may be nothing but rounding."""
    if abs(variance[-1]) > MIXED_VARIANCE_FLOOR / n_spins:
        return variance
    return np.append(variance[:-1], 0.0)


def relaxation_maps(
    theta: FloatArray, times: FloatArray, relaxing: FloatArray, pauli: FloatArray, relaxation: FloatArray
) -> FloatArray:
    """Maps of spins that relax, and may have Pauli noise as well, shape (n, m, 12).

    They are the rows of -y, x and z of the exponential of the generator on (1, -y, x, z); the first component
    stays. The turns exp(-i theta sx) are in rad, their signed times in ns, the integrals (4, n) of q nx, q nz, nx^2 and
    nx nz over the stages in ns, and the rates (3, m) of sx, sy and sz and 1/T1 (m,) in 1/ns.
    """
    x, y, z = (times[:, None] * rates for rates in decays(pauli))
    to_x, to_z, along_x, mixed = (relaxation * row[:, None] for row in relaxing)
    half = 0.5 * times[:, None] * relaxation
    generator = np.zeros((*x.shape, 4, 4))
    generator[..., 1, 1] = -y - half
    generator[..., 1, 3] = 2.0 * theta[:, None]
    generator[..., 3, 1] = -2.0 * theta[:, None]
    generator[..., 2, 2] = -x - half - 0.5 * along_x
    generator[..., 3, 3] = -z - 2.0 * half + 0.5 * along_x
    generator[..., 2, 3] = generator[..., 3, 2] = -0.5 * mixed
    generator[..., 2, 0] = -to_x
    generator[..., 3, 0] = -to_z
    return np.ascontiguousarray(_exponential(generator)[..., 1:, :]).reshape(*x.shape, 12)


def _exponential(generator: FloatArray) -> FloatArray:
    """Exponentials of many small matrices at once: Taylor series of a 2^-k-th part, squared k times."""
    largest = float(np.abs(generator).sum(axis=-1).max(initial=0.0))
    halvings = max(0, math.ceil(math.log2(largest / _TAYLOR_NORM))) if largest > 0.0 else 0
    part = generator * 0.5**halvings
    one = np.eye(generator.shape[-1])
    result = one + part / _TAYLOR_DEGREE
    for degree in range(_TAYLOR_DEGREE - 1, 0, -1):
        result = one + part @ result / degree
    for _ in range(halvings):
        result = result @ result
    return np.asarray(result)
