"""Operator splittings for H(t) = T(t) + V(t) with the transverse part T and the diagonal part V."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ...core.typing import FloatArray
from ...core.units import TWO_PI
from ...model.problem import ChargingProblem
from .mesh import RELAXING, StepFields, largest_transverse

SECONDS_PER_AMPLITUDE_STAGE = 6e-9
"""Rough time of a V and a T stage on one core, per amplitude."""

SHORTEST_CHUNK = 16
"""Least number of stages applied together: a chunk of n stages takes n + 1 passes over the state."""


_LONGEST_STEP = 1.5
"""Longest over mean step of a mesh, about."""


@dataclass(frozen=True)
class Stages:
    """Stages V T V ... T V.

    Attributes:
        theta: (n,) turns exp(-i theta sx) of every spin in each T stage, rad.
        field, ising: (n + 1,) factors of Sz and of the Ising diagonal in each V stage, rad.
        times: (n,) signed durations of the T stages, ns.
        relaxing: (4, n) integrals of q nx, q nz, nx^2, nx nz over the T stages, ns; (0, n) where no spin relaxes.
    """

    theta: FloatArray
    field: FloatArray
    ising: FloatArray
    times: FloatArray
    relaxing: FloatArray

    def __len__(self) -> int:
        return len(self.theta)

    def parts(self, largest: int) -> Iterator[Stages]:
        """The same stages in sequence, in parts of up to ``largest`` T stages, each with a V before and after."""
        if len(self.theta) <= largest:
            yield self
            return
        for first in range(0, len(self.theta), largest):
            last = min(first + largest, len(self.theta))
            field, ising = self.field[first : last + 1].copy(), self.ising[first : last + 1].copy()
            if first:
                field[0] = ising[0] = 0.0  # the part before has it
            yield Stages(self.theta[first:last], field, ising, self.times[first:last], self.relaxing[:, first:last])


@dataclass(frozen=True)
class Splitting:
    """A palindromic scheme V T V ... T V.

    Time enters as two fictitious coordinates: T is frozen while V acts and is evaluated at the time V
    has accumulated, and the reverse, which keeps the order for time-dependent H.

    Attributes:
        order: order of the global error in the step.
        diagonal, transverse: fractions of the step of the V stages and of the T stages.
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
    def _fractions(self) -> FloatArray:
        return np.array(self.transverse)

    @cached_property
    def weights(self) -> tuple[FloatArray, FloatArray]:
        """Legendre polynomials at the fictitious times of the T and the V stages, times their fractions.

        With negative stages, fictitious times may lie outside the step.
        """
        v, t = np.array(self.diagonal), np.array(self.transverse)
        at_transverse = np.polynomial.legendre.legvander(2.0 * np.cumsum(v)[:-1] - 1.0, self.legendre_degree)
        v_times = np.concatenate([[0.0], np.cumsum(t)])
        at_diagonal = np.polynomial.legendre.legvander(2.0 * v_times - 1.0, self.legendre_degree)
        return at_transverse.T * t, at_diagonal.T * v

    def largest_rotation(self, problem: ChargingProblem) -> float:
        """About the largest |theta| of a T stage, rad, if the whole protocol were one step."""
        largest = max(abs(fraction) for fraction in self.transverse)
        return TWO_PI * largest_transverse(problem) * _LONGEST_STEP * problem.protocol.duration * largest

    def sequence(self, fields: StepFields) -> Stages:
        """Stages of all steps in sequence; the last V of a step and the first of the next are one."""
        at_transverse, at_diagonal = self.weights
        lengths = fields.lengths[:, None]

        def in_transverse(coefficients: FloatArray) -> FloatArray:
            stages = coefficients @ at_transverse * lengths
            return np.asarray(stages.reshape(len(coefficients), lengths.size * self.stages))

        field, ising = _joined(fields.coefficients[1:3] @ at_diagonal * lengths)
        times = (lengths * self._fractions).ravel()
        driving = fields.coefficients[RELAXING]
        relaxing = in_transverse(driving) if driving.size else np.empty((0, times.size))
        return Stages(in_transverse(fields.coefficients[:1])[0], field, ising, times, relaxing)


def _joined(stages: FloatArray) -> FloatArray:
    """Stages (2, m) of both kinds, with the last V stage of each step and the first of the next as one."""
    kinds, steps, of_step = stages.shape
    joined = np.empty((kinds, steps * (of_step - 1) + 1))
    steps_of_it = joined[:, :-1].reshape(kinds, steps, of_step - 1)
    steps_of_it[:] = stages[:, :, :-1]
    steps_of_it[:, 1:, 0] += stages[:, :-1, -1]
    joined[:, -1] = stages[:, -1, -1]
    return joined


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

STRANG = Splitting("Strang", 2, (0.5, 0.5), (1.0,))

SPLITTINGS = {splitting.name: splitting for splitting in (BLANES_MOAN_4, BLANES_MOAN_6)}
