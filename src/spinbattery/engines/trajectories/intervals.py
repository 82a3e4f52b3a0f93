"""Stage tables of steps and of parts of steps, for trajectories that are cut at jumps.

A jump inside a step divides it, and both parts have their own projection of the fields: the order of the splitting is
kept, and jump times are continuous.
"""

from __future__ import annotations

import numpy as np

from ...core.typing import FloatArray, IntArray
from ...model.problem import ChargingProblem
from ..common.mesh import driving
from ..common.splitting import Splitting

_NODES_PER_PANEL = 5
_SHORTEST = 1e-12
"""A part shorter than this, in units of the duration, is left out."""


def stage_tables(
    problem: ChargingProblem, starts: FloatArray, ends: FloatArray, kinks: FloatArray, scheme: Splitting
) -> FloatArray:
    """Integrals over the stages of each interval, shape (intervals, 5, S + 1); tables of empty intervals are zero.

    The rows are the rotation angle (S entries), the factors of Sz and of the Ising diagonal, in rad, and the
    integrals in ns of q nx (S entries) and q nz, which are zero without relaxation. Intervals may overlap. The fields
    are not smooth at the ``kinks``; all times are in ns.
    """
    tables = np.zeros((len(starts), 5, len(scheme.transverse) + 1))
    present = np.flatnonzero(ends - starts > _SHORTEST * problem.protocol.duration)
    if not present.size:
        return tables
    start, end = starts[present], ends[present]
    length = end - start
    owner, left, right = _panels(start, end, kinks)
    x, w = np.polynomial.legendre.leggauss(_NODES_PER_PANEL)
    half = 0.5 * (right - left)[:, None]
    nodes = 0.5 * (right + left)[:, None] + half * x
    degree = scheme.legendre_degree
    basis = np.polynomial.legendre.legvander(2.0 * (nodes - start[owner, None]) / length[owner, None] - 1.0, degree)
    values = driving(problem)(nodes.ravel())[:5].reshape(-1, *nodes.shape)
    # sums in a fixed order, so that the last bits of a table do not depend on the tables made with it
    moments = np.einsum("fpj,pj,pjk->fpk", values, half * w, basis, optimize=False)
    first = np.flatnonzero(np.diff(owner, prepend=-1))
    coefficients = np.add.reduceat(moments, first, axis=1) * (2.0 * np.arange(degree + 1) + 1.0)
    at_transverse, at_diagonal = scheme.weights
    for row, weights in enumerate((at_transverse, at_diagonal, at_diagonal, at_transverse, at_diagonal)):
        if row < len(coefficients):
            stages = sum(coefficients[row, :, k, None] * weights[k] for k in range(degree + 1))
            tables[present, row, : weights.shape[1]] = stages
    return tables


def _panels(start: FloatArray, end: FloatArray, kinks: FloatArray) -> tuple[IntArray, FloatArray, FloatArray]:
    """Intervals cut at the kinks within: the interval of each piece, and where the piece begins and ends, ns."""
    first = np.searchsorted(kinks, start, side="right")
    count = np.maximum(np.searchsorted(kinks, end, side="left") - first, 0)
    owner = np.repeat(np.arange(len(start)), count + 1)
    number = np.arange(len(owner)) - np.repeat(np.cumsum(count + 1) - (count + 1), count + 1)
    inner = np.append(kinks, np.nan)  # for indices whose values are not used
    left = np.where(number == 0, start[owner], inner[(first[owner] + number - 1).clip(0)])
    right = np.where(number == count[owner], end[owner], inner[first[owner] + number])
    return owner, left, right
