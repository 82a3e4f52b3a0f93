"""Rules for anneal schedules s(t), h-gain schedules g(t) and annealing times; all times in microseconds.

They come from D-Wave's documentation of the solver parameters ``anneal_schedule``, ``h_gain_schedule``,
``annealing_time`` and ``fast_anneal``. Each function yields one sentence per broken rule, a MachineLimit where the
request is well formed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ..core.typing import FloatArray
from .parsing import ParsedRequest
from .properties import MachineLimit, beyond, interval, number

TICK = 0.01
"""Resolution of the times of a standard anneal, in us: the service rounds to it."""

_GAIN_TRANSIT = 0.02
"""Time in us that the gain needs from one end of its range to the other (the documentation's typical limit)."""

_SAME_END = 1e-3
"""Schedules whose ends differ by more than this fraction of the anneal contradict each other, however short it is."""


def schedule_violations(properties: Mapping[str, Any], request: ParsedRequest) -> Iterator[str]:
    """Broken rules of ``anneal_schedule`` and ``annealing_time``."""
    if "anneal_schedule" in request.sent and "annealing_time" in request.sent:
        yield "anneal_schedule and annealing_time exclude each other; send one of them."
    if request.anneal_schedule is not None:
        yield from _anneal_schedule(properties, request.anneal_schedule, request.fast_anneal)
    if request.annealing_time is not None:
        yield from _annealing_time(properties, request.annealing_time, request.fast_anneal)


def gain_violations(properties: Mapping[str, Any], request: ParsedRequest) -> Iterator[str]:
    """Broken rules of ``h_gain_schedule``."""
    name, points = "h_gain_schedule", request.h_gain_schedule
    if points is None:
        return
    yield from _count(name, len(points), number(properties, "max_h_gain_schedule_points"))
    yield from _times(name, points[:, 0], TICK)
    duration = request.anneal_time(properties)
    if duration is not None and abs(points[-1, 0] - duration) > min(TICK / 2, _SAME_END * abs(duration)):
        yield (
            f"{name} must end when the anneal ends, at {_n(duration)} us, but ends at {_n(points[-1, 0])} us; "
            f"move its last point."
        )
    limits = interval(properties, "h_gain_schedule_range")
    if limits is None:
        return
    outside = [g for g in points[:, 1] if beyond(g, limits[1]) or beyond(-g, -limits[0])]
    if outside:
        yield MachineLimit(
            f"the gain must stay within h_gain_schedule_range [{_n(limits[0])}, {_n(limits[1])}], but reaches "
            f"{_n(max(outside, key=abs))}; reduce the gain and increase h by the same factor."
        )
    yield from _slope(name, "g", points, TICK, (limits[1] - limits[0]) / _GAIN_TRANSIT)


def fast_anneal_violations(request: ParsedRequest) -> Iterator[str]:
    """Parameters and fields that the fast-anneal protocol excludes."""
    if not request.fast_anneal:
        return
    for name in ("h_gain_schedule", "initial_state", "reinitialize_state"):
        if name in request.sent:
            yield f"fast_anneal=True excludes {name}; leave one of them out."
    if request.problem is not None and request.problem.fields.any():
        yield "fast_anneal=True needs h = 0 on every qubit; set h to 0 or leave fast_anneal out."
    points = request.anneal_schedule
    if points is not None and len(points) > 2:
        yield f"fast_anneal=True allows an anneal_schedule of 2 points, but it has {len(points)}; leave the others out."


def _anneal_schedule(properties: Mapping[str, Any], points: FloatArray, fast: bool) -> Iterator[str]:
    name, reverse = "anneal_schedule", points[0, 1] == 1.0
    tick = 0.0 if fast else TICK
    most = number(properties, "max_anneal_schedule_points")
    yield from _count(name, len(points), None if most is None else most + int(reverse))
    yield from _times(name, points[:, 0], tick)
    outside = [s for s in points[:, 1] if not 0.0 <= s <= 1.0]
    if outside:
        yield f"the anneal fraction s must stay within [0, 1], but {name} has s = {_n(outside[0])}."
    if points[0, 1] not in (0.0, 1.0):
        yield (
            f"{name} must start at s = 0 (forward anneal) or at s = 1 (reverse anneal), "
            f"but starts at s = {_n(points[0, 1])}."
        )
    if points[-1, 1] != 1.0:
        yield f"{name} must end at s = 1, but ends at s = {_n(points[-1, 1])}."
    limits = interval(properties, _range_name(fast))
    if limits is None:
        return
    if beyond(points[-1, 0], limits[1]):
        yield MachineLimit(
            f"{name} takes {_n(points[-1, 0])} us, but {_range_name(fast)} allows at most {_n(limits[1])} us; "
            f"shorten it."
        )
    if limits[0] > 0.0:
        yield from _slope(name, "s", points, tick, 1.0 / limits[0])


def _annealing_time(properties: Mapping[str, Any], time: float, fast: bool) -> Iterator[str]:
    limits = interval(properties, _range_name(fast))
    if limits is not None and (beyond(time, limits[1]) or time < limits[0]):
        yield MachineLimit(
            f"annealing_time must be {_n(limits[0])} to {_n(limits[1])} us ({_range_name(fast)}), but is {_n(time)} us."
        )
    if not fast:
        yield from resolution("annealing_time", [time])


def _range_name(fast: bool) -> str:
    return "fast_anneal_time_range" if fast else "annealing_time_range"


def _count(name: str, n_points: int, most: float | None) -> Iterator[str]:
    if n_points < 2:
        yield f"{name} needs 2 points or more, but has {n_points}."
    if most is not None and n_points > most:
        yield MachineLimit(f"{name} may have {_n(most)} points, but has {n_points}; leave some out.")


def resolution(name: str, times: list[float]) -> Iterator[str]:
    """Name times in us that the service would round."""
    rounded = [(t, _on_ticks(t, TICK)) for t in times if abs(t / TICK - round(t / TICK)) > 1e-6]
    if rounded:
        changes = ", ".join(f"{_n(t)} to {_n(to)}" for t, to in rounded[:4])
        more = f" and {len(rounded) - 4} more" if len(rounded) > 4 else ""
        yield MachineLimit(
            f"times of {name} must be multiples of {_n(TICK)} us, or they are rounded: change {changes} us{more}."
        )


def _on_ticks(time: float, tick: float) -> float:
    return round(time / tick) * tick if tick else time


def _times(name: str, times: FloatArray, tick: float) -> Iterator[str]:
    """The start at 0, the resolution, and an order that rounding must not destroy."""
    if times[0] != 0.0:
        yield f"{name} must start at t = 0 us, but starts at {_n(times[0])} us."
    if tick:
        yield from resolution(name, times.tolist())
    rounded = np.round(times / tick) if tick else times
    back = np.flatnonzero(np.diff(rounded) <= 0.0)
    if back.size:
        k = int(back[0])
        step = f", by {_n(tick)} us or more" if tick else ""
        sentence = (
            f"times of {name} must ascend strictly{step}, but point {k + 1} at {_n(times[k])} us is followed by "
            f"{_n(times[k + 1])} us."
        )
        yield MachineLimit(sentence) if (np.diff(times) > 0.0).all() else sentence


def _slope(name: str, symbol: str, points: FloatArray, tick: float, limit: float) -> Iterator[str]:
    """Compare the steepest segment with the limit (per us); unordered times are reported elsewhere."""
    times = np.array([_on_ticks(t, tick) for t in points[:, 0]])
    steps, changes = np.diff(times), np.abs(np.diff(points[:, 1]))
    slopes = np.divide(changes, steps, out=np.zeros_like(steps), where=steps > 0.0)
    if slopes.size and beyond(slopes.max(), limit):
        k = int(slopes.argmax())
        needed = changes[k] / limit
        if tick:
            needed = math.ceil(needed / tick - 1e-6) * tick
        yield MachineLimit(
            f"{name} changes {symbol} too fast: {_n(slopes[k])} per us from {_n(times[k])} to {_n(times[k + 1])} us, "
            f"with at most {_n(limit)} per us; give this change {_n(needed)} us or more."
        )


def _n(value: float) -> str:
    return f"{value:.10g}"
