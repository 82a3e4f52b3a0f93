"""Operator splittings for H(t) = T(t) + V(t), T the transverse part and V the diagonal one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .._typing import FloatArray
from .schedule import StepFields


@dataclass(frozen=True)
class Splitting:
    """A palindromic scheme V T V ... T V.

    Time enters as two fictitious coordinates: T is frozen while V acts and is evaluated at the time V
    has accumulated, and the reverse, which keeps the order for time-dependent H.

    Attributes:
        name: for records.
        order: order of the global error in the step.
        diagonal: fractions of the step of the V stages, one more than the T stages.
        transverse: fractions of the step of the T stages.
    """

    name: str
    order: int
    diagonal: tuple[float, ...]
    transverse: tuple[float, ...]

    @property
    def stages(self) -> int:
        """T stages per step."""
        return len(self.transverse)

    @property
    def legendre_degree(self) -> int:
        """Degree of the field projection that keeps the order."""
        return self.order // 2 - 1

    @cached_property
    def _weights(self) -> tuple[FloatArray, FloatArray]:
        """Legendre polynomials at the fictitious times of the T and the V stages, times their fractions.

        Fictitious times may leave the step where stages are negative.
        """
        v, t = np.array(self.diagonal), np.array(self.transverse)
        at_transverse = np.polynomial.legendre.legvander(2.0 * np.cumsum(v)[:-1] - 1.0, self.legendre_degree)
        v_times = np.concatenate([[0.0], np.cumsum(t)])
        at_diagonal = np.polynomial.legendre.legvander(2.0 * v_times - 1.0, self.legendre_degree)
        return at_transverse.T * t, at_diagonal.T * v

    def angles(self, fields: StepFields) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Stage parameters of all steps in sequence, in rad.

        Returns:
            theta (n * stages,): rotation exp(-i theta sx) of every spin in each T stage;
            field and ising (n * stages + 1,): factors of Sz and of the Ising diagonal in each V stage,
            where the last V of a step and the first of the next are one.
        """
        at_transverse, at_diagonal = self._weights
        lengths = fields.lengths[:, None]
        theta = fields.coefficients[0] @ at_transverse * lengths
        diagonal = fields.coefficients[1:] @ at_diagonal * lengths
        return theta.ravel(), _joined(diagonal[0]), _joined(diagonal[1])


def _joined(stages: FloatArray) -> FloatArray:
    """Merge the last V stage of each step with the first of the next."""
    merged = stages[:, :-1].copy()
    merged[1:, 0] += stages[:-1, -1]
    return np.append(merged.ravel(), stages[-1, -1])


def _palindrome(name: str, order: int, diagonal: list[float], transverse: list[float]) -> Splitting:
    """Complete a scheme with a V stage in the middle: each kind of stage sums to one."""
    middle = 1.0 - 2.0 * sum(diagonal)
    last = 0.5 - sum(transverse)
    v = (*diagonal, middle, *reversed(diagonal))
    t = (*transverse, last, last, *reversed(transverse))
    return Splitting(name, order, v, t)


# Blanes and Moan, J. Comput. Appl. Math. 142, 313 (2002), table 2: S6 of order 4, S10 of order 6.
BLANES_MOAN_4 = _palindrome(
    "BM4", 4,
    [0.0792036964311957, 0.353172906049774, -0.0420650803577195],
    [0.209515106613362, -0.143851773179818],
)  # fmt: skip
BLANES_MOAN_6 = _palindrome(
    "BM6", 6,
    [0.0502627644003922, 0.413514300428344, 0.0450798897943977, -0.188054853819569, 0.541960678450780],
    [0.148816447901042, -0.132385865767784, 0.067307604692185, 0.432666402578175],
)  # fmt: skip

SPLITTINGS = {splitting.name: splitting for splitting in (BLANES_MOAN_4, BLANES_MOAN_6)}
