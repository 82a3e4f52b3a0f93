"""States of several trajectories on their way, and the jumps that await them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from ...core.typing import FloatArray, IntArray
from .jump_plan import Script

DAMPING_COST = 4.0
"""Cost of a stage with damping over the cost of a stage without."""

_ROW_BYTES = 1 << 25
"""Memory of the states that are carried together."""

_MOST_ROWS = 256

Part = Callable[[float], None]
"""Called with the fraction done of one batch."""


def rows_together(n_spins: int) -> int:
    """Number of states that are carried together."""
    return max(1, min(_MOST_ROWS, _ROW_BYTES >> (n_spins + 4)))


class Batch(NamedTuple):
    """States of several trajectories, one per row, and where each of them is.

    Attributes:
        re, im: (rows, 2^N) in the gauge of the kernels.
        step: (rows,) current step.
        at: (rows,) time of the state, ns: the begin of that step, or the last jump in it.
        norm: (rows,) squared norms.
        log_survival: (rows,) ln of the probability of no jump since the last one.
        threshold: (rows,) value of it at which the next jump falls; -inf where jumps are known beforehand.
        event: (rows,) time of the jump that was met, ns; NaN before.
        moments: (rows, T + 1, 3) at the outputs passed so far.
    """

    re: FloatArray
    im: FloatArray
    step: IntArray
    at: FloatArray
    norm: FloatArray
    log_survival: FloatArray
    threshold: FloatArray
    event: FloatArray
    moments: FloatArray

    @classmethod
    def at_start(cls, count: int, n_spins: int, outputs: int) -> Batch:
        """Rows at the first step, their states and moments not filled in yet."""
        re, im = np.empty((2, count, 1 << n_spins))
        zeros, moments = np.zeros((2, count)), np.empty((count, outputs, 3))
        step, threshold, event = np.zeros(count, dtype=np.int64), np.full(count, -math.inf), np.full(count, math.nan)
        return cls(re, im, step, zeros[0], np.ones(count), zeros[1], threshold, event, moments)


class Draw(NamedTuple):
    """The next jumps of some rows, and the jumps after these.

    Attributes:
        choice: number of the jump, -1 if it depends on the state.
        uniform: random number that decides it then.
        following: time of the jump after it, ns; NaN if there is none or it is not known yet.
        threshold: ln S at which the jump after it falls; -inf if it is known or there is none.
    """

    choice: IntArray
    uniform: FloatArray
    following: FloatArray
    threshold: FloatArray


class Agenda:
    """Jumps of the trajectories of one batch: known from the start, or drawn as their states evolve.

    ``when`` (rows,) is the time of the next jump of each, ns; NaN if there is none.
    """

    def __init__(self, scripts: Sequence[Script], generators: Sequence[np.random.Generator] | None) -> None:
        """Begin with the scripts; with ``generators`` these have only the time of the first jump."""
        self._scripts, self._generators = scripts, generators
        self._done: list[tuple[list[float], list[int]]] = [([], []) for _ in scripts]
        self.when = np.array([script.times[0] for script in scripts])

    def draw(self, rows: IntArray) -> Draw:
        """The next jumps of rows."""
        count = len(rows)
        if self._generators is not None:
            uniform, other = np.ascontiguousarray(np.transpose([self._generators[row].random(2) for row in rows]))
            # 1 - u lies in (0, 1], whose logarithm is finite
            return Draw(np.full(count, -1), uniform, np.full(count, math.nan), np.log(1.0 - other))
        choice, following = np.empty(count, dtype=np.int64), np.full(count, math.nan)
        for j, row in enumerate(rows.tolist()):
            script, number = self._scripts[row], len(self._done[row][0])
            choice[j] = script.choices[number]
            if number + 1 < len(script.times):
                following[j] = script.times[number + 1]
        return Draw(choice, np.zeros(count), following, np.full(count, -math.inf))

    def note(self, rows: IntArray, choice: IntArray) -> None:
        """Keep which jumps happened at ``when``."""
        for row, number in zip(rows.tolist(), choice.tolist(), strict=True):
            times, choices = self._done[row]
            times.append(float(self.when[row]))
            choices.append(number)

    def scripts(self) -> list[Script]:
        """All jumps of each row so far."""
        return [Script(np.array(times), np.array(choices, dtype=np.int64)) for times, choices in self._done]
