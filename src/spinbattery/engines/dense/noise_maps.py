"""Maps of single spins in a transverse stage with noise: turn, flips and relaxation in one exact map.

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


def flip_maps(theta: FloatArray, times: FloatArray, pauli: FloatArray) -> FloatArray:
    """Maps of m kinds of spin under Pauli noise in n stages, in closed form, shape (n, m, 5).

    They are half of zz, zy, yz, yy and xx: x is scaled by xx, and (z, -y) multiplied by [[zz, zy], [yz, yy]]. The
    turns exp(-i theta sx) are in rad, their signed times in ns, and the rates (3, m) of sx, sy and sz in 1/ns.
    """
    x, y, z = (times[:, None] * decay for decay in _decays(pauli))
    turn = 2.0 * theta[:, None]
    uneven = 0.5 * (y - z)
    root = np.sqrt((turn**2 - uneven**2).astype(np.complex128))  # imaginary where noise overdamps the turn
    factor = 0.5 * np.exp(-0.5 * (y + z))
    even, odd = factor * np.cos(root).real, factor * np.sinc(root / math.pi).real
    # without a turn rounding would move populations, in every stage by as much
    zz, yy = (
        np.where(turn == 0.0, 0.5 * np.exp(-decay), even + odd * sign * uneven) for decay, sign in ((z, 1.0), (y, -1.0))
    )
    return np.stack([zz, -odd * turn, odd * turn, yy, 0.5 * np.exp(-x)], axis=-1)


def without_rounding(variance: FloatArray, n_spins: int) -> FloatArray:
    """sigma^2 (T + 1,) of a mixed state; the final one is zero where it may be nothing but rounding."""
    final = variance[-1] if abs(variance[-1]) > MIXED_VARIANCE_FLOOR / n_spins else 0.0
    return np.append(variance[:-1], final)


def relaxation_maps(
    theta: FloatArray, times: FloatArray, relaxing: FloatArray, pauli: FloatArray, relaxation: FloatArray
) -> FloatArray:
    """Maps of spins that relax, and may have Pauli noise as well, shape (n, m, 12).

    They are the rows of -y, x and z of the exponential of the generator on (1, -y, x, z); the first component
    stays. Beside the arguments of :func:`flip_maps` there are integrals (4, n) of q nx, q nz, nx^2 and nx nz over
    the stages in ns, and rates 1/T1 (m,) in 1/ns.
    """
    x, y, z = (times[:, None] * decay for decay in _decays(pauli))
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


def _decays(pauli: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Decay rates of x, y and z: twice the rates of the two other Pauli matrices."""
    x, y, z = pauli
    return 2.0 * (y + z), 2.0 * (x + z), 2.0 * (x + y)


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
