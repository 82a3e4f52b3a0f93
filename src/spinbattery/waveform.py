"""Piecewise-linear control waveforms in normalised time u = t / duration."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from ._arrays import read_only
from ._typing import FloatArray
from .errors import WaveformError


@dataclass(frozen=True)
class Waveform:
    """Linear interpolation through points (u, value), u rising from 0 to 1.

    Attributes:
        points: the corners, as tuples (u, value); u = t / duration is dimensionless.

    Raises:
        WaveformError: fewer than two points, NaN, u not ascending, or not spanning 0 to 1.
    """

    points: tuple[tuple[float, float], ...]

    def __post_init__(self) -> None:
        try:
            array = np.asarray(self.points, dtype=np.float64)
        except (TypeError, ValueError):
            raise WaveformError(f"waveform points must be pairs of numbers, but are {self.points!r}.") from None
        if array.ndim != 2 or array.shape[1] != 2 or len(array) < 2:
            raise WaveformError(f"a waveform needs two or more (u, value) points, but has shape {array.shape}.")
        if not np.isfinite(array).all():
            raise WaveformError("waveform points must be finite, but some are NaN or infinite.")
        steps = np.diff(array[:, 0])
        if (steps <= 0.0).any():
            k = int(np.argmax(steps <= 0.0))
            raise WaveformError(
                f"waveform times must ascend strictly, but {array[k, 0]:g} is followed by {array[k + 1, 0]:g}."
            )
        if array[0, 0] != 0.0 or array[-1, 0] != 1.0:
            raise WaveformError(
                f"waveform times are fractions of the duration and must run from 0 to 1, but run from "
                f"{array[0, 0]:g} to {array[-1, 0]:g}; for times in ns use Waveform.from_times."
            )
        object.__setattr__(self, "points", tuple((float(u), float(v)) for u, v in array))

    @classmethod
    def from_times(cls, times: Sequence[float], values: Sequence[float]) -> Waveform:
        """Waveform from absolute times of any one unit, the first of which is 0.

        Raises:
            WaveformError: as the class, or where lengths differ or the last time is not above 0.
        """
        if len(times) != len(values):
            raise WaveformError(f"times ({len(times)}) and values ({len(values)}) must have the same length.")
        try:
            t, v = np.asarray(times, dtype=np.float64), np.asarray(values, dtype=np.float64)
        except (TypeError, ValueError):
            raise WaveformError(f"times and values must be numbers, but are {times!r} and {values!r}.") from None
        if len(t) < 2 or not t[-1] > 0.0:
            raise WaveformError("times must start at 0 and end above it.")
        if not np.isfinite(t).all():
            raise WaveformError("times must be finite, but some are NaN or infinite.")
        return cls(tuple(zip((t / t[-1]).tolist(), v.tolist(), strict=True)))

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

    def crossings(self, levels: Iterable[float]) -> FloatArray:
        """Normalised times at which the waveform passes one of the levels, corners excluded."""
        wanted = np.unique(np.asarray(list(levels), dtype=np.float64))
        u, v = self._arrays
        first = np.searchsorted(wanted, np.minimum(v[:-1], v[1:]), side="right")
        count = np.maximum(np.searchsorted(wanted, np.maximum(v[:-1], v[1:]), side="left") - first, 0)
        segment = np.repeat(np.arange(len(u) - 1), count)
        number = np.arange(len(segment)) - np.repeat(np.cumsum(count) - count, count)
        fraction = (wanted[first[segment] + number] - v[segment]) / (v[segment + 1] - v[segment])
        inside = (fraction > 0.0) & (fraction < 1.0)  # rounding may make it a corner
        segment = segment[inside]
        return np.unique(u[segment] + fraction[inside] * (u[segment + 1] - u[segment]))
