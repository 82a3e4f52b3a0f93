"""Rows of states on their way, and the jumps that await them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from ...core.typing import FloatArray, IntArray
from . import jumps
from .jump_plan import Script
from .steps import System


class Rows:
    """States of several trajectories, and where each of them is.

    Attributes:
        re, im: (rows, 2^N) in the gauge of the kernels.
        step: (rows,) the step each is in.
        at: (rows,) its time, ns: the begin of that step, or that of the last jump in it.
        norm: (rows,) squared norms.
        log_survival: (rows,) ln of the probability of no jump since the last one.
        level: (rows,) value of it at which the next one falls; -inf where that is not drawn so.
        event: (rows,) time of the jump that was met, ns; NaN before.
        moments: (rows, T + 1, 3) at the outputs passed so far.
    """

    def __init__(self, count: int, n_spins: int, outputs: int) -> None:
        self.re, self.im = np.empty((2, count, 1 << n_spins))
        self.step = np.zeros(count, dtype=np.int64)
        self.at = np.zeros(count)
        self.norm = np.ones(count)
        self.log_survival = np.zeros(count)
        self.level = np.full(count, -math.inf)
        self.event = np.full(count, math.nan)
        self.moments = np.empty((count, outputs, 3))

    def march(self, system: System, rows: IntArray, target: IntArray, limit: int) -> None:
        """See :func:`~spinbattery.engines.trajectories.jumps.march`."""
        jumps.march(
            self.re, self.im, system, rows, self.step, target, limit, self.log_survival, self.level, self.norm,
            self.event, self.moments,
        )  # fmt: skip

    def observables(self, system: System) -> tuple[FloatArray, FloatArray]:
        """P(Sz) (rows, N + 1) and <sz_k> (rows, N)."""
        count, n = len(self.step), system.n_spins
        distribution, spins = np.zeros((count, n + 1)), np.zeros((count, n))
        jumps.final_observables(self.re, self.im, system, distribution, spins)
        return distribution, spins


class Draw(NamedTuple):
    """What the next jumps of some rows are, and what comes after.

    Attributes:
        choice: number of the jump, -1 where the state decides.
        uniform: random number by which it does.
        following: time of the jump after that, ns; NaN where there is none or it is not known yet.
        level: ln S at which that one falls; -inf where it is known or there is none.
    """

    choice: IntArray
    uniform: FloatArray
    following: FloatArray
    level: FloatArray


class Agenda:
    """Jumps of the trajectories of one batch: known from the start, or drawn as their states evolve.

    Attributes:
        when: (rows,) time of the next jump of each, ns; NaN where there is none.
    """

    def __init__(self, scripts: Sequence[Script], generators: Sequence[np.random.Generator] | None) -> None:
        """Begin with the scripts; with ``generators`` these have the time of the first jump alone."""
        self._scripts, self._generators = scripts, generators
        self._done: list[tuple[list[float], list[int]]] = [([], []) for _ in scripts]
        self.when = np.array([script.times[0] for script in scripts])

    def draw(self, rows: IntArray) -> Draw:
        """The next jumps of rows."""
        count = len(rows)
        if self._generators is not None:
            uniform = np.array([self._generators[row].random(2) for row in rows])
            # 1 - u lies in (0, 1], whose logarithm is finite
            return Draw(np.full(count, -1), uniform[:, 0], np.full(count, math.nan), np.log(1.0 - uniform[:, 1]))
        choice, following = np.empty(count, dtype=np.int64), np.full(count, math.nan)
        for j, row in enumerate(rows.tolist()):
            script, number = self._scripts[row], len(self._done[row][0])
            choice[j] = script.choices[number]
            if number + 1 < len(script.times):
                following[j] = script.times[number + 1]
        return Draw(choice, np.zeros(count), following, np.full(count, -math.inf))

    def note(self, rows: IntArray, choice: IntArray) -> None:
        """Keep what happened at ``when``."""
        for row, number in zip(rows.tolist(), choice.tolist(), strict=True):
            times, choices = self._done[row]
            times.append(float(self.when[row]))
            choices.append(number)

    def scripts(self) -> list[Script]:
        """All jumps of each row so far."""
        return [Script(np.array(times), np.array(choices, dtype=np.int64)) for times, choices in self._done]


Part = Callable[[float], None]
"""Called with the fraction done of one batch."""
