"""The part of a protocol in which populations move.

The couplings and the longitudinal field do not change the populations of sz. Only Bx moves the magnetization:
|d mu/dt| <= 2 Bx and |d sigma/dt| <= 2 Bx, with Bx in rad per time. Where the integral of this bound is below the
allowed error, a tree is better left as it is: the phases from the couplings generate entanglement that uses up the bond
dimension.

At the beginning, a neglected field acts through all that follows. It would turn each of N spins by at most
theta = int 2 Bx dt, and so move the state by at most sqrt(N) theta/2 and the final mu by at most sqrt(N) theta.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from ...core.typing import FloatArray
from ...core.units import TWO_PI
from ...model.problem import ChargingProblem
from .mesh import Mesh, initial_steps, stops_of
from .propagation import Passage, State

_SAMPLES = 8193
_UP_OR_DOWN = 1e-12


class Window(NamedTuple):
    """Start and end of the tree's evolution in ns, and a bound on the error of mu.

    The error of sigma was smaller in all cases tested.
    """

    start: float
    end: float
    bound: float

    def mesh(self, problem: ChargingProblem, times: FloatArray, steps: int | None, steps_per_turn: float) -> Mesh:
        """Mesh of the window with about ``steps`` steps, by default ``steps_per_turn`` times :func:`initial_steps`."""
        share = (self.end - self.start) / problem.protocol.duration
        steps = steps or math.ceil(steps_per_turn * share * initial_steps(problem))
        stops = stops_of(problem, np.concatenate([times, self[:2]]))
        return Mesh(problem, stops[(stops >= self.start) & (stops <= self.end)], steps)

    def follow(self, passage: Passage, state: State, moments: Callable[[float], tuple[float, ...]]) -> FloatArray:
        """As :meth:`Passage.follow`; outside of the window the state does not change."""
        times = passage.times
        before, after = times < self.start, times > self.end
        rows = [moments(float(time)) for time in times[before]]
        found = replace(passage, times=times[~before & ~after]).follow([state], moments).T
        return np.array([*rows, *found[:-1], *(moments(float(time)) for time in times[after]), found[-1]]).T


def moving_window(problem: ChargingProblem, allowed: float) -> Window:
    """Leave out as much at the end as ``allowed`` permits, and as much at the beginning if every spin is up or down."""
    duration = problem.protocol.duration
    times = np.union1d(np.linspace(0.0, duration, _SAMPLES), problem.protocol.breakpoints)
    speed = 2.0 * TWO_PI * np.abs(problem.fields(times)[0])
    moved = np.concatenate([[0.0], np.cumsum(0.5 * (speed[1:] + speed[:-1]) * np.diff(times))])
    if moved[-1] <= allowed:
        return Window(0.0, duration, 0.0)
    up, down = np.abs(problem.protocol.initial.spinors(problem.n_spins)).T
    first, rate = 0, math.sqrt(problem.n_spins)
    if np.minimum(up, down).max() < _UP_OR_DOWN:
        first = int(np.searchsorted(moved, allowed / rate, side="right")) - 1
    last = int(np.searchsorted(moved, moved[-1] - allowed))
    if last <= first:
        return Window(0.0, duration, 0.0)
    return Window(float(times[first]), float(times[last]), float(rate * moved[first] + moved[-1] - moved[last]))
