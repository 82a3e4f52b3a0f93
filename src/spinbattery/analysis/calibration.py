"""Calibration curves: a figure of merit against a parameter of the simulated device, with their uncertainty."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from ..core.arrays import read_only
from ..core.checks import check_choice, real_numbers, switch, whole_number
from ..core.errors import FitError, InvalidParameterError
from ..core.typing import FloatArray
from ..model.noise import KINDS, Noise, as_noise
from .exponents import exponents
from .points import (
    Runs,
    averages,
    check_one_curve,
    curve_coordinates,
    differing,
    refuse_uncharged,
    runs_of,
    seed_groups,
    sentences_of,
    spelled,
)
from .scaling import METHODS, Method, fit_rows

if TYPE_CHECKING:
    import xarray as xr

Parameter: TypeAlias = Literal["gamma", "gamma_tau", "crosstalk", "crosstalk_tau", "temperature"]
Quantity: TypeAlias = Literal["alpha", "magnetization", "precision"]

UNITS: dict[str, str] = {
    "gamma": "1/ns",
    "gamma_tau": "1",
    "crosstalk": "B(s)/2",
    "crosstalk_tau": "B(s)/2 ns",
    "temperature": "mK",
}
QUANTITIES = ("alpha", "magnetization", "precision")

_COLUMN = {"gamma": "noise", "gamma_tau": "noise", "crosstalk_tau": "crosstalk"}
"""Coordinates of the runs that parameters come from, where the names differ."""

PER_DURATION: dict[str, Parameter] = {"gamma_tau": "gamma", "crosstalk_tau": "crosstalk"}
"""Parameters that are products of another one with the duration."""

_CROSSTALK = "+crosstalk:"
"""Separates the name of a network from the cross-talk that was added to it."""

_ONE_NETWORK = ("n_spins", "n_pairs", "field")
_MIN_POINTS = 2
_MIN_REPLICATES = 100
_MIN_SIZES = 3


@dataclass(frozen=True, eq=False)
class CalibrationCurve:
    """A figure of merit against one parameter, interpolated monotonically between the simulated points (PCHIP).

    :func:`calibration_curve` makes one from runs; ``CalibrationCurve("gamma_tau", "alpha", x, y)`` takes measured or
    calculated numbers.

    Attributes:
        parameter: ``gamma``, ``gamma_tau``, ``crosstalk``, ``crosstalk_tau`` or ``temperature``.
        quantity: ``alpha``, ``magnetization`` or ``precision``.
        x: (n,) values of the parameter, ascending, in the unit :attr:`unit`.
        y: (n,) the figure of merit at each.
        replicates: (R, n) equally plausible curves; by default (1, n), the curve itself.
        method: of the fit that alpha comes from, else None.
        noise_kind: of the runs, such as ``x``; None where there is no noise or the kind is unknown.
        duration: tau of the runs in ns, where it is known.
        n_spins: N of the networks behind each point, ascending; the curve holds for these alone.
        networks: their names.
        shorter: for alpha, the same curve without the largest N, which are left out one by one down to three sizes, in
            ascending order. These curves have no replicates, and those whose fit does not converge are missing.
        seed: of the replicates.

    Raises:
        InvalidParameterError: an unknown parameter or quantity, fewer than two points, x not ascending, rows
            of another length, or numbers that are not finite.
    """

    parameter: Parameter
    quantity: Quantity
    x: FloatArray
    y: FloatArray
    replicates: FloatArray = field(default_factory=lambda: np.empty((0, 0)))
    method: Method | None = None
    noise_kind: str | None = None
    duration: float | None = None
    n_spins: tuple[int, ...] = ()
    networks: tuple[str, ...] = ()
    shorter: tuple[CalibrationCurve, ...] = ()
    seed: int = 0

    def __post_init__(self) -> None:
        check_choice("parameter", self.parameter, UNITS)
        check_choice("quantity", self.quantity, QUANTITIES)
        x, y = real_numbers("x", self.x), real_numbers("y", self.y)
        if x.ndim != 1 or len(x) < _MIN_POINTS or not np.isfinite(x).all() or (np.diff(x) <= 0.0).any():
            raise InvalidParameterError(
                f"a calibration curve needs two or more finite, ascending values of {self.parameter}, but has "
                f"{x.tolist()}."
            )
        rows = real_numbers("replicates", self.replicates)
        rows = rows if rows.size else y[None]
        if y.shape != x.shape or rows.ndim != 2 or rows.shape[1] != len(x):
            raise InvalidParameterError(
                f"a curve of {len(x)} points needs y of shape ({len(x)},) and replicates of shape (R, {len(x)}), but "
                f"they are of {y.shape} and {rows.shape}."
            )
        if not (np.isfinite(y).all() and np.isfinite(rows).all()):
            raise InvalidParameterError("the values of a calibration curve must be finite.")
        for name, values in (("x", x), ("y", y), ("replicates", rows)):
            object.__setattr__(self, name, read_only(values.copy()))

    @property
    def unit(self) -> str:
        """Unit of the parameter."""
        return UNITS[self.parameter]

    @property
    def origin(self) -> str:
        """Its runs in a few words, such as ``ring, N = 2 to 5, 60 ns, x noise``; empty where they are unknown."""
        return origin(self.networks, self.n_spins, self.duration, self.noise_kind)

    def __call__(self, x: ArrayLike) -> FloatArray:
        """The figure of merit at ``x``, with its shape; NaN outside the curve."""
        from scipy.interpolate import PchipInterpolator

        return np.asarray(PchipInterpolator(self.x, self.y, extrapolate=False)(np.asarray(x, dtype=np.float64)))

    def band(self, confidence: float = 0.95) -> tuple[FloatArray, FloatArray]:
        """Lower and upper ends at each point, (n,) each: percentiles of the replicates."""
        low, high = np.percentile(self.replicates, (50.0 * (1.0 - confidence), 50.0 * (1.0 + confidence)), axis=0)
        return low, high

    def __repr__(self) -> str:
        return (
            f"CalibrationCurve({self.quantity} against {self.parameter}: {len(self.x)} points from {self.x[0]:g} to "
            f"{in_unit(f'{self.x[-1]:g}', self.parameter)}, {self.y[0]:.4g} to {self.y[-1]:.4g}"
            f"{self.origin and f'; {self.origin}'})"
        )


def calibration_curve(
    runs: Runs,
    parameter: Parameter,
    quantity: Quantity,
    *,
    method: Method = "loglog",
    n_replicates: int = 1000,
    seed: int = 0,
    include_uncharged: bool = False,
) -> CalibrationCurve:
    """A figure of merit of simulated runs against a parameter that differs between them.

    ``alpha`` is the exponent of :func:`~spinbattery.analysis.scaling.fit_scaling` over the networks, which must be the
    same at each value. Its replicates are residual bootstraps with one draw of networks for the whole curve, plus a
    normal deviate for runs with standard errors or several seeds. ``magnetization`` and ``precision`` belong to one
    network, and their replicates have these deviates alone. A curve is for one duration.

    Args:
        runs: records, or a Dataset with dimension ``run``, or the result of a sweep.
        parameter: ``gamma`` (rate in 1/ns of the one kind of noise, equal on all spins), ``gamma_tau`` (that rate
            times the duration), ``crosstalk``, ``crosstalk_tau`` (J_CT times the duration) or ``temperature`` (of an
            emulated annealer, mK).
        quantity: ``alpha``, ``magnetization`` or ``precision``.
        method: of the fits for ``alpha``: ``loglog`` or ``linear``.
        n_replicates: 100 or more.
        seed: of the replicates; equal seeds give equal curves.
        include_uncharged: take uncharged runs (:class:`~spinbattery.records.charge_state.ChargeState`) for ``alpha``
            and ``precision``; ``magnetization`` always takes them.

    Raises:
        InvalidParameterError: an unknown parameter, quantity or method, or a bad number.
        FitError: no or too few runs, runs that differ in more than the parameter (and, for alpha, the network), other
            networks at some value, mixed or uneven noise, and uncharged runs or runs without a precision.
    """
    check_names(parameter, quantity, method)
    include_uncharged = switch("include_uncharged", include_uncharged)
    seed, n_replicates = whole_number("seed", seed, 0), whole_number("n_replicates", n_replicates, _MIN_REPLICATES)
    data = runs_of(runs)
    values, kind = _values(data, parameter)
    _check_the_rest(data, parameter)
    if quantity != "magnetization" and not include_uncharged:
        refuse_uncharged(data)
    points = _points(data, values, parameter, quantity)
    y, rows = _merit(points, quantity, method, n_replicates, seed)
    curve = CalibrationCurve(
        parameter=parameter,
        quantity=quantity,
        x=points.x,
        y=y,
        replicates=rows,
        method=method if quantity == "alpha" else None,
        noise_kind=kind,
        duration=float(data["duration"].to_numpy()[0]),
        n_spins=tuple(int(n) for n in points.sizes),
        networks=points.names,
        seed=seed,
    )
    return replace(curve, shorter=_shorter(curve, points.means, method)) if quantity == "alpha" else curve


def _merit(
    points: _CurvePoints, quantity: str, method: Method, n_replicates: int, seed: int
) -> tuple[FloatArray, FloatArray]:
    """The figure of merit (n,) and its replicates (R, n)."""
    generator = np.random.default_rng(seed)
    if quantity == "alpha":
        return exponents(points.sizes, points.means, points.errors, method, generator, n_replicates)
    y, errors = points.means[:, 0], points.errors[:, 0]
    return y, y + errors * generator.standard_normal((n_replicates, len(y)))


def _shorter(curve: CalibrationCurve, precision: FloatArray, method: Method) -> tuple[CalibrationCurve, ...]:
    """Curves without the largest N, from the precision (n, networks)."""
    sizes, found = np.array(curve.n_spins, dtype=np.float64), []
    for largest in np.unique(sizes)[_MIN_SIZES - 1 : -1]:
        n = int(np.sum(sizes <= largest))  # networks ascend in N
        y = np.concatenate([fit_rows(sizes[:n], row[None, :n], method) for row in precision])[:, 1]
        if np.isfinite(y).all():
            fewer = replace(curve, n_spins=curve.n_spins[:n], networks=curve.networks[:n])
            found.append(replace(fewer, y=y, replicates=y[None]))
    return tuple(found)


def origin(networks: tuple[str, ...], n_spins: tuple[int, ...], duration: float | None, noise_kind: str | None) -> str:
    """The runs of a curve in a few words; empty where nothing is known."""
    kinds = sorted({name.partition(":")[0] for name in networks})
    sizes = sorted(set(n_spins))
    parts = list(networks) if len(networks) == 1 else [" and ".join(kinds)] if kinds else []
    if sizes:
        gapless = sizes[-1] - sizes[0] == len(sizes) - 1
        listed = ", ".join(map(str, sizes))
        parts.append(f"N = {f'{sizes[0]} to {sizes[-1]}' if gapless and len(sizes) > 1 else listed}")
    if duration is not None:
        parts.append(f"{duration:g} ns")
    if noise_kind is not None:
        parts.append(f"{noise_kind} noise")
    return ", ".join(parts)


def in_unit(text: str, parameter: Parameter) -> str:
    """A number with the unit of a parameter, if it has one."""
    return text if UNITS[parameter] == "1" else f"{text} {UNITS[parameter]}"


def check_names(parameter: str, quantity: str, method: str) -> None:
    """Raise :class:`InvalidParameterError` for an unknown parameter, quantity or method of the fit."""
    check_choice("parameter", parameter, UNITS)
    check_choice("quantity", quantity, QUANTITIES)
    check_choice("method", method, METHODS)


def _values(data: xr.Dataset, parameter: str) -> tuple[FloatArray, str | None]:
    """The parameter of each run, (run,), and the kind of noise, None without."""
    name = _COLUMN.get(parameter, parameter)
    column = data[name].to_numpy()
    texts = [str(text) for text in data["noise"].to_numpy()]
    if name == "noise":
        column, kind = _rates(texts)
    else:
        kind = "+".join(_kinds(as_noise(texts[0] or None) or Noise())) or None  # the same in all runs of a curve
        if np.isnan(column).any():
            network = data["network"].to_numpy()[np.isnan(column)][0]
            why = "its pairs have different J_CT" if name == "crosstalk" else "only emulated runs have one"
            raise FitError(f"the run of {network} has no single {parameter}: {why}; leave it out.")
    return np.asarray(column * data["duration"].to_numpy() if parameter in PER_DURATION else column), kind


def _kinds(noise: Noise) -> list[str]:
    return [kind for kind in KINDS if np.any(getattr(noise, kind))]


def _rates(texts: list[str]) -> tuple[FloatArray, str | None]:
    """Rates of the one kind of noise (run,), and that kind."""
    noises = {text: as_noise(text or None) or Noise() for text in dict.fromkeys(texts)}
    acting = [noise for noise in noises.values() if noise]
    if not acting:
        raise FitError("none of these runs has noise; a curve against its rate needs runs with some.")
    for noise in acting:
        if len(_kinds(noise)) > 1 or isinstance(getattr(noise, _kinds(noise)[0]), tuple):
            raise FitError(
                f"the noise {noise} is not one rate: a curve against gamma needs one kind of noise, equal on all spins."
            )
    if len({(*_kinds(noise), noise.temperature) for noise in acting}) > 1:
        spelt = spelled(np.array([str(noise) for noise in acting]))
        raise FitError(f"these runs differ in more than one rate of noise ({spelt}); keep those of one kind.")
    (kind,) = _kinds(acting[0])
    rates = {text: float(getattr(noise, kind)) for text, noise in noises.items()}
    return np.array([rates[text] for text in texts]), kind


def _check_the_rest(data: xr.Dataset, parameter: str) -> None:
    """Refuse runs that differ in more than the parameter and the network."""
    own = _COLUMN.get(parameter, parameter)
    for name, values in differing(data, [name for name in curve_coordinates() if name != own]).items():
        raise FitError(
            f"these runs are not one curve against {parameter}: they differ in {name} ({spelled(values)}); take "
            f"each alone, as by `for name, group in data.groupby({name!r}): ...`."
        )


class _CurvePoints(NamedTuple):
    """The runs at n values x of the parameter: means and their errors (n, networks), errors zero where unknown."""

    x: FloatArray
    networks: FloatArray
    """(networks, 3) of N, n_C and the field, ascending."""
    names: tuple[str, ...]
    means: FloatArray
    errors: FloatArray

    @property
    def sizes(self) -> FloatArray:
        return self.networks[:, 0]


def _points(data: xr.Dataset, values: FloatArray, parameter: str, quantity: str) -> _CurvePoints:
    x = np.unique(values)
    if len(x) < _MIN_POINTS:
        raise FitError(f"all runs have {parameter} = {x[0]:g}, and one point is no curve; add runs at other values.")
    merit = "precision" if quantity == "alpha" else quantity
    found = []
    for value in x:
        group = data.isel(run=np.flatnonzero(values == value))
        found.append(_points_at(group, value, merit, f"the runs with {parameter} = {value:g}"))
        _check_networks(found, parameter, quantity)
    means, errors = (np.concatenate([getattr(points, name) for points in found]) for name in ("means", "errors"))
    return found[0]._replace(x=x, means=means, errors=errors)


def _points_at(group: xr.Dataset, value: float, merit: str, what: str) -> _CurvePoints:
    check_one_curve(group, what)
    seeds = seed_groups(group)
    first = group.isel(run=[members[0] for members in seeds])
    networks = np.stack([first[name].to_numpy().astype(np.float64) for name in _ONE_NETWORK], axis=1)
    means, errors = averages(group, merit, seeds)
    if np.isnan(means).any():
        n = networks[int(np.argmax(np.isnan(means))), 0]
        why = next(filter(None, sentences_of(group).tolist()), "is not known")
        raise FitError(f"{what}: the run with N = {n:g} has no {merit}, as its sigma {why}; leave that N out.")
    order = np.lexsort(networks.T[::-1])
    names = tuple(str(name).partition(_CROSSTALK)[0] for name in first["network"].to_numpy()[order])
    return _CurvePoints(
        np.array([value]), networks[order], names, means[None, order], np.nan_to_num(errors[None, order])
    )


def _check_networks(found: Sequence[_CurvePoints], parameter: str, quantity: str) -> None:
    """Refuse other networks at the last value than at the first, and more or fewer than the quantity needs."""
    first, last = found[0], found[-1]
    if not np.array_equal(first.networks, last.networks):
        names = [
            ", ".join(f"{n:g} (n_C = {pairs:g}, h = {h:g})" for n, pairs, h in points.networks)
            for points in (first, last)
        ]
        raise FitError(
            f"a curve needs the same networks and fields at every {parameter}, but N is {names[0]} at {first.x[0]:g} "
            f"and {names[1]} at {last.x[0]:g}; add what is missing, or leave the others out."
        )
    if quantity != "alpha" and len(first.sizes) > 1:
        raise FitError(
            f"{quantity} belongs to one network, but there are {len(first.sizes)} at every {parameter} "
            f"(N = {spelled(first.sizes)}); keep one, as by data.isel(run=data['n_spins'] == ...), or "
            "give one network."
        )
    n_sizes = len(np.unique(first.sizes))
    if quantity == "alpha" and n_sizes < _MIN_SIZES:
        raise FitError(
            f"alpha needs networks of three or more different N at every {parameter}, but there are {n_sizes}."
        )
