"""Estimates of a device parameter from a measured figure of merit."""

from __future__ import annotations

import math
import warnings
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from ..core.checks import apart, finite, instance, pair, positive, whole_number
from ..core.errors import FitError, InvalidParameterError, OutsideCurveWarning
from ..core.typing import FloatArray
from .calibration import PER_DURATION, UNITS, CalibrationCurve, Parameter, Quantity, in_unit, origin

_BISECTIONS = 60
_SAME = 1e-9
"""Crossings closer than this fraction of the curve's range are one, at a point of the curve."""


@dataclass(frozen=True)
class RangeEstimate:
    """The estimate from the runs of some N alone.

    Attributes:
        n_spins: N of these networks.
        value: of the parameter; None where the measured value is not on their curve.
    """

    n_spins: tuple[int, ...]
    value: float | None


@dataclass(frozen=True)
class Estimate:
    """A parameter read off a calibration curve.

    The simulated model gives the measured value with this parameter. Whether the model describes the device, and
    whether something else gives the same value, it does not say.

    Attributes:
        parameter: name of the parameter, in the unit :attr:`unit`.
        value: the estimate; None where the measured value is not on the curve.
        interval: its ends; None for an end outside the curve, where the data set no bound.
        confidence: of the interval.
        quantity: what was measured.
        measured, error: its value and standard error.
        interpolation_error: shift of the value if straight lines joined the points of the curve, a scale of the error
            that their spacing makes, which the interval does not hold. None where there is no value.
        outside: shares of the draws that were beyond the curve's first point and beyond its last.
        seed: of the draws.
        networks, n_spins: names and N of the simulated networks; empty where unknown.
        simulated_duration: tau of the simulated runs in ns, where it is known.
        noise_kind: of the simulated runs, None without noise.
        by_range: for an exponent, the estimates without the largest N, which are left out one by one down to three
            sizes, in ascending order, and last the estimate with all N; empty for a single range.
        range_of_n: least and greatest of these, None for an end outside its curve; None for a single range. The
            interval does not hold it, as the scatter about one power law says nothing about other N.
    """

    parameter: Parameter
    value: float | None
    interval: tuple[float | None, float | None]
    confidence: float
    quantity: Quantity
    measured: float
    error: float
    interpolation_error: float | None
    outside: tuple[float, float]
    seed: int
    networks: tuple[str, ...] = ()
    n_spins: tuple[int, ...] = ()
    simulated_duration: float | None = None
    noise_kind: str | None = None
    by_range: tuple[RangeEstimate, ...] = ()
    range_of_n: tuple[float | None, float | None] | None = None

    @property
    def covering(self) -> tuple[float | None, float | None] | None:
        """The interval and :attr:`range_of_n` together, for the simulated N alone; None where the latter is None."""
        if self.range_of_n is None:
            return None
        (low, high), (least, greatest) = self.interval, self.range_of_n
        return (
            None if low is None or least is None else min(low, least),
            None if high is None or greatest is None else max(high, greatest),
        )

    @property
    def unit(self) -> str:
        """Unit of the parameter."""
        return UNITS[self.parameter]

    def at_duration(self, duration: float) -> Estimate:
        """The rate or coupling itself, where its product with the duration was estimated.

        Rates are plain decay rates, with no factor 2 pi: 1e-6/ns is 1e3 in a second, or 1 kHz.

        Args:
            duration: tau of the device in ns; 60 us is 60e3.

        Raises:
            InvalidParameterError: the parameter is not a product with a duration, or the duration is not above zero.
        """
        check_per_duration(self.parameter)
        tau = positive("duration", duration)

        def over(number: float | None) -> float | None:
            return None if number is None else number / tau

        return replace(
            self,
            parameter=PER_DURATION[self.parameter],
            value=over(self.value),
            interval=(over(self.interval[0]), over(self.interval[1])),
            interpolation_error=over(self.interpolation_error),
            by_range=tuple(replace(one, value=over(one.value)) for one in self.by_range),
            range_of_n=None if self.range_of_n is None else (over(self.range_of_n[0]), over(self.range_of_n[1])),
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain data (text, numbers, None, lists) for JSON."""
        data = {**asdict(self), "unit": self.unit, "covering": self.covering}
        data["by_range"] = [{**one, "n_spins": list(one["n_spins"])} for one in data["by_range"]]
        return {key: list(value) if isinstance(value, tuple) else value for key, value in data.items()}

    def __str__(self) -> str:
        value = "outside the curve" if self.value is None else in_unit(f"{self.value:.3g}", self.parameter)
        runs = origin(self.networks, self.n_spins, self.simulated_duration, self.noise_kind)
        ends = f"{100.0 * self.confidence:g} %: {_spelled(self.interval)}{self._range_text()}"
        return (
            f"{self.parameter} = {value} ({ends}) from {self.quantity} = {self.measured:g} +- {self.error:g}"
            f"{runs and f'; {runs}'}"
        )

    def _range_text(self) -> str:
        if self.range_of_n is not None:
            first, *_, last = (max(one.n_spins) for one in self.by_range)
            return f"; {_spelled(self.range_of_n)} as the largest N goes from {first} to {last}"
        return "; dependence on the range of N not known" if self.quantity == "alpha" and self.n_spins else ""


def _spelled(ends: tuple[float | None, float | None]) -> str:
    return " to ".join("open" if end is None else f"{end:.3g}" for end in ends)


def check_per_duration(parameter: str) -> None:
    """Raise :class:`InvalidParameterError` unless the parameter is a product with the duration."""
    if parameter not in PER_DURATION:
        raise InvalidParameterError(
            f"{parameter} does not depend on a duration; estimate {' or '.join(PER_DURATION)} for that."
        )


def estimate(
    curve: CalibrationCurve,
    measured: float,
    error: float = 0.0,
    *,
    within: tuple[float, float] | None = None,
    confidence: float = 0.95,
    seed: int = 0,
) -> Estimate:
    """Invert a calibration curve at a measured value.

    The interval has the percentiles of the curve's replicates, each inverted at a normal draw of the measured value.
    For an exponent the estimate is repeated with the largest N left out one by one.

    Args:
        curve: from :func:`~spinbattery.analysis.calibration.calibration_curve`, or of other numbers.
        measured: the figure of merit of the device.
        error: its standard error.
        within: range of the parameter to search, where the measured value occurs more than once.
        confidence: of the interval, above 0 and below 1.
        seed: of the draws; equal seeds give equal intervals.

    Raises:
        InvalidParameterError: bad numbers, or a range that holds no part of the curve.
        FitError: the measured value occurs more than once; the message names the places.

    Warns:
        OutsideCurveWarning: the measured value is not on the curve, so that there is no estimate, or an end of the
            interval is beyond it, and open.
    """
    curve = instance("curve", curve, CalibrationCurve, "as calibration_curve() makes")
    measured, error = finite("the measured value", measured), finite("its error", error)
    _check_spread(error, confidence)
    seed = whole_number("seed", seed, 0)
    ends = _range(curve, within)
    value = _crossing(curve, measured, ends)
    draws = measured + error * np.random.default_rng(seed).standard_normal(len(curve.replicates))
    below, above = _inverted(curve, curve.replicates, draws, ends, value)
    by_range, range_of_n = _by_range(curve, measured, ends, value)
    found = Estimate(
        parameter=curve.parameter,
        value=value,
        interval=_interval(below, above, confidence),
        confidence=confidence,
        quantity=curve.quantity,
        measured=measured,
        error=error,
        interpolation_error=None if value is None else abs(_on_chord(curve, measured, value) - value),
        outside=(float(np.mean(below == -np.inf)), float(np.mean(above == np.inf))),
        seed=seed,
        networks=curve.networks,
        n_spins=curve.n_spins,
        simulated_duration=curve.duration,
        noise_kind=curve.noise_kind,
        by_range=by_range,
        range_of_n=range_of_n,
    )
    if value is None or None in found.interval:
        warnings.warn(_outside_message(curve, found, ends), OutsideCurveWarning, stacklevel=2)
    return found


def _check_spread(error: float, confidence: float) -> None:
    if error < 0.0:
        raise InvalidParameterError(f"the error of the measured value is {error:g}; it must not be negative.")
    if not 0.0 < finite("confidence", confidence) < 1.0:
        raise InvalidParameterError(f"confidence must be above 0 and below 1, but is {confidence:g}.")


def _range(curve: CalibrationCurve, within: tuple[float, float] | None) -> tuple[float, float]:
    first, last = float(curve.x[0]), float(curve.x[-1])
    if within is None:
        return first, last
    low, high = pair("within", within)
    if not max(low, first) < min(high, last):
        ends = apart(low, high, first, last)
        raise InvalidParameterError(
            f"within must be a range of the curve, which runs from {ends[2]} to {in_unit(ends[3], curve.parameter)}, "
            f"with its lower end first, but is ({ends[0]}, {ends[1]})."
        )
    return max(low, first), min(high, last)


def _crossing(curve: CalibrationCurve, measured: float, ends: tuple[float, float]) -> float | None:
    """The one place between the ends where the curve has the measured value, or None."""
    found = _roots(curve.x, curve.y[None], np.array([measured]), ends)
    places = np.sort(found[np.isfinite(found)])
    distinct = places[np.diff(places, prepend=-np.inf) > _SAME * np.ptp(curve.x)].tolist()
    if len(distinct) > 1:
        listed = in_unit(", ".join(f"{place:.4g}" for place in distinct), curve.parameter)
        raise FitError(
            f"{curve.quantity} = {measured:g} occurs at {curve.parameter} = {listed}; say which is meant by "
            "within=(low, high)."
        )
    return distinct[0] if distinct else None


def _roots(x: FloatArray, rows: FloatArray, targets: FloatArray, ends: tuple[float, float]) -> FloatArray:
    """Where each row has its target between two points, (R, n - 1); NaN where it has not, or beyond the ends."""
    from scipy.interpolate import PchipInterpolator

    pieces = PchipInterpolator(x, rows.T).c  # (4, n - 1, R), powers of the distance from the left point
    left, right = rows[:, :-1] - targets[:, None], rows[:, 1:] - targets[:, None]
    crosses = left * right <= 0.0
    # monotone between two points, so that bisection finds the only root
    start, stop = np.zeros_like(left), np.broadcast_to(np.diff(x), left.shape).copy()
    for _ in range(_BISECTIONS):
        middle = 0.5 * (start + stop)
        value = np.zeros_like(middle)
        for power in pieces:
            value = value * middle + power.T
        same = (value - targets[:, None]) * left > 0.0
        start, stop = np.where(same, middle, start), np.where(same, stop, middle)
    # an end that lies on a point is that point
    distance = np.where(left == 0.0, 0.0, np.where(right == 0.0, np.diff(x), 0.5 * (start + stop)))
    found = x[:-1] + distance
    return np.asarray(np.where(crosses & (found >= ends[0]) & (found <= ends[1]), found, np.nan))


def _on_chord(curve: CalibrationCurve, target: float, value: float) -> float:
    """Where the chord of the two points about ``value`` has the target."""
    k = int(np.clip(np.searchsorted(curve.x, value) - 1, 0, len(curve.x) - 2))
    (left, right), (bottom, top) = curve.x[k : k + 2].tolist(), curve.y[k : k + 2].tolist()
    return value if bottom == top else left + (right - left) * (target - bottom) / (top - bottom)


def _inverted(
    curve: CalibrationCurve, rows: FloatArray, draws: FloatArray, ends: tuple[float, float], value: float | None
) -> tuple[FloatArray, FloatArray]:
    """Least and greatest parameter at which each replicate has its draw, (R,) each; infinite beyond the curve.

    These are the crossing nearest to the estimate, or the two outermost ones where there is no estimate.
    """
    from scipy.interpolate import PchipInterpolator

    roots = _roots(curve.x, rows, draws, ends)
    missing = np.asarray(np.isnan(roots).all(axis=1))
    filled = np.where(missing[:, None], 0.0, roots)
    if value is None:
        below, above = np.nanmin(filled, axis=1), np.nanmax(filled, axis=1)
    else:
        nearest = np.nanargmin(np.abs(filled - value), axis=1)
        below = filled[np.arange(len(filled)), nearest]
        above = below.copy()
    # a row that misses its draw lies on one side of it; the draw is beyond the nearer end, or beyond both ends where
    # the row comes nearer to it in between
    at_ends = np.asarray(PchipInterpolator(curve.x, rows.T)(np.array(ends))).T
    inside = (curve.x > ends[0]) & (curve.x < ends[1])
    distances = np.abs(at_ends - draws[:, None])
    turn = np.abs(rows[:, inside] - draws[:, None]).min(axis=1, initial=np.inf)
    turns = turn < distances.min(axis=1)
    to_low = turns | (distances[:, 0] <= distances[:, 1])
    to_high = turns | (distances[:, 1] <= distances[:, 0])
    below = np.where(missing, np.where(to_low, -np.inf, np.inf), below)
    above = np.where(missing, np.where(to_high, np.inf, -np.inf), above)
    return below, above


def _interval(below: FloatArray, above: FloatArray, confidence: float) -> tuple[float | None, float | None]:
    tail = 0.5 * (1.0 - confidence)
    # order statistics: between an open and a definite value there is no middle
    low = float(np.quantile(below, tail, method="inverted_cdf"))
    high = float(np.quantile(above, 1.0 - tail, method="inverted_cdf"))
    return _finite_or_none(low), _finite_or_none(high)


def _by_range(
    curve: CalibrationCurve, measured: float, ends: tuple[float, float], value: float | None
) -> tuple[tuple[RangeEstimate, ...], tuple[float | None, float | None] | None]:
    """The estimate from each range of N, and the least and greatest of them."""
    if not curve.shorter:
        return (), None
    found, bounds = [], []
    for one in (*curve.shorter, curve):
        (below,), (above,) = _inverted(one, one.y[None], np.array([measured]), ends, value)
        found.append(RangeEstimate(one.n_spins, float(below) if below == above and np.isfinite(below) else None))
        bounds.append((below, above))
    least, greatest = min(below for below, _ in bounds), max(above for _, above in bounds)
    return tuple(found), (_finite_or_none(least), _finite_or_none(greatest))


def _finite_or_none(number: float) -> float | None:
    return float(number) if math.isfinite(number) else None


def _outside_message(curve: CalibrationCurve, found: Estimate, ends: tuple[float, float]) -> str:
    first, last = curve(np.array(ends)).tolist()
    text = (
        f"{curve.quantity} goes from {first:.4g} to {last:.4g} as {curve.parameter} goes from {ends[0]:.4g} to "
        f"{in_unit(f'{ends[1]:.4g}', curve.parameter)}"
    )
    if found.value is None:
        return f"{text}, and {found.measured:g} is not on that curve: there is no estimate; simulate further values."
    sides = " and ".join(name for name, end in zip(("below", "above"), found.interval, strict=True) if end is None)
    return (
        f"{text}: with an error of {found.error:g}, {found.measured:g} sets no bound from {sides}, and that end of the "
        "interval is open; simulate further values where the parameter can have them."
    )
