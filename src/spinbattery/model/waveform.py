"""Piecewise-linear control waveforms in normalised time u = t / duration."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..core.arrays import distinct, read_only
from ..core.checks import ROUNDING, is_row, positive, real_numbers, unit_span
from ..core.errors import WaveformError
from ..core.typing import FloatArray


@dataclass(frozen=True)
class Waveform:
    """Linear interpolation through points (u, value), u rising from 0 to 1.

    Attributes:
        points: the corners, as tuples (u, value); u = t / duration is dimensionless. Ends that are 0 and 1 to
            rounding (1e-9) are made exact.
        duration: in ns, where the waveform was made of times (see :meth:`from_times`); a protocol of another duration
            refuses it. It is not part of the curve: waveforms with the same points are equal.

    Raises:
        WaveformError: fewer than two points, NaN, u not ascending, or not spanning 0 to 1.
        InvalidParameterError: a duration that is not above zero.
    """

    points: tuple[tuple[float, float], ...]
    duration: float | None = field(default=None, compare=False, repr=False, kw_only=True)

    def __post_init__(self) -> None:
        array = real_numbers("the points of a waveform", self.points, WaveformError)
        if array.ndim != 2 or array.shape[1] != 2 or len(array) < 2:
            raise WaveformError(f"a waveform needs two or more (u, value) points, but has shape {array.shape}.")
        if not np.isfinite(array).all():
            raise WaveformError("waveform points must be finite, but some are NaN or infinite.")
        remedy = "; they are fractions of the duration: for times in ns use Waveform.from_times"
        u = unit_span("the times u of a waveform", array[:, 0], WaveformError, remedy)
        if self.duration is not None:
            object.__setattr__(self, "duration", positive("the duration of a waveform", self.duration))
        object.__setattr__(self, "points", tuple(zip(u.tolist(), array[:, 1].tolist(), strict=True)))

    @classmethod
    def from_times(cls, times: Sequence[float], values: Sequence[float]) -> Waveform:
        """Waveform from times in ns, the first of which is 0; the last is its duration, which a protocol checks.

        For times of another unit, or a curve that is to be stretched, divide by the last one: ``Waveform(points)`` with
        pairs (u, value), u from 0 to 1.

        Raises:
            WaveformError: as the class; also lengths that differ, or times that do not begin at 0.
        """
        t, v = real_numbers("times", times, WaveformError), real_numbers("values", values, WaveformError)
        if t.ndim != 1 or t.shape != v.shape:
            raise WaveformError(f"times and values must be lists of the same length, but are {times!r} and {values!r}.")
        if len(t) < 2 or not t[-1] > 0.0:
            raise WaveformError("times must start at 0 and end above it.")
        if not np.isfinite(t).all():
            raise WaveformError("times must be finite, but some are NaN or infinite.")
        late = np.flatnonzero(np.diff(t) <= 0.0)
        if late.size:
            before, after = t[late[0]], t[late[0] + 1]
            raise WaveformError(f"times must ascend strictly, but {before:.17g} ns is followed by {after:.17g} ns.")
        if abs(t[0]) > ROUNDING * t[-1]:
            raise WaveformError(f"times must start at 0 and end above it, but run from {t[0]:g} to {t[-1]:g} ns.")
        return cls(tuple(zip((t / t[-1]).tolist(), v.tolist(), strict=True)), duration=float(t[-1]))

    def with_rounded_values(self, rounded: Callable[[float], float]) -> Waveform:
        """A waveform with the values rounded; this one where rounding changes none."""
        points = tuple((u, rounded(v)) for u, v in self.points)
        return self if points == self.points else replace(self, points=points)

    @cached_property
    def _arrays(self) -> tuple[FloatArray, FloatArray]:
        array = np.array(self.points)
        return read_only(array[:, 0].copy()), read_only(array[:, 1].copy())

    @property
    def breakpoints(self) -> FloatArray:
        """Normalised times of the corners, ends included."""
        return self._arrays[0]

    @property
    def values(self) -> FloatArray:
        """Values at the corners."""
        return self._arrays[1]

    def __call__(self, u: ArrayLike) -> FloatArray:
        """Value at normalised time(s) u."""
        return np.asarray(np.interp(np.asarray(u, dtype=np.float64), *self._arrays))

    def crossings(self, values: Iterable[float]) -> FloatArray:
        """Normalised times at which the waveform passes one of these values, corners excluded."""
        wanted = distinct(np.asarray(list(values), dtype=np.float64))
        u, v = self._arrays
        first = np.searchsorted(wanted, np.minimum(v[:-1], v[1:]), side="right")
        count = np.maximum(np.searchsorted(wanted, np.maximum(v[:-1], v[1:]), side="left") - first, 0)
        segment = np.repeat(np.arange(len(u) - 1), count)
        number = np.arange(len(segment)) - np.repeat(np.cumsum(count) - count, count)
        fraction = (wanted[first[segment] + number] - v[segment]) / (v[segment + 1] - v[segment])
        inside = (fraction > 0.0) & (fraction < 1.0)  # rounding may make it a corner
        segment = segment[inside]
        return distinct(u[segment] + fraction[inside] * (u[segment + 1] - u[segment]))


def as_waveform(name: str, given: Any) -> Waveform:
    """Waveform from what a caller gave: a waveform, or its points as pairs (u, value)."""
    if isinstance(given, Waveform):
        return given
    if is_row(given):
        return Waveform(given)
    raise WaveformError(
        f"{name} must be a Waveform or its points, such as [(0.0, 1.0), (0.5, 0.35), (1.0, 1.0)], but is {given!r}."
    )
