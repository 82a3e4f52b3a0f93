"""Figures of many runs, drawn from their Dataset alone, with error bars."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..analysis.advantage import COST_PHRASES
from ..analysis.points import (
    Runs,
    averages,
    check_one_curve,
    reasons_of,
    runs_of,
    seed_groups,
    sentences_of,
    spelled,
    uncharged_of,
)
from ..analysis.scaling import fit_scaling
from ..core.checks import check_choice, checked_mapping, instance, pair, switch
from ..core.errors import InvalidParameterError
from ..core.typing import FloatArray
from ..records.charge_state import NO_CHARGE, ChargeState
from ..records.no_precision import NoPrecision
from .axes import LABELS, Quantity, draw_limits, draw_reference, log_sizes, power_law, set_axes, size_grid
from .style import REFERENCE, colours_of, new_figure

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_POWERS = {"precision": 1.0, "std": -0.5}
"""Powers of the precision that are drawn."""

_SIZES_OF_A_FIT = 3

_LEGEND: Final = "outside upper center"
"""Within the axes the legend would cover points."""

_LAWS: tuple[Any, ...] = ("-.", (0, (5, 5)), (0, (1, 3)))

_PAIR_COORDINATES = ("duration", "s_hold", "s_hold_baseline", "crosstalk", "noise", "scales_hash", "J")
"""Coordinates that separate curves of one baseline; field and engine may follow the network."""


def plot_runs(
    data: Runs,
    quantity: Quantity = "precision",
    group: str = "protocol",
    *,
    title: str | None = None,
    laws: Mapping[str, tuple[float, float]] | None = None,
    limits: bool = True,
    include_uncharged: bool = False,
) -> Figure:
    """A final moment against N, one curve for each value of a coordinate, with error bars.

    Runs that differ in their seeds alone are one point, their mean. Bars are the standard error of that mean, or for
    one run its standard error or error estimate; they may be smaller than the marker. Precision and fluctuation have
    log-log axes and, for a curve with three or more sizes, the log-log fit of its precision (:func:`fit_scaling`).
    Points with sigma = 0 to rounding are named in the legend. Uncharged points
    (:class:`~spinbattery.records.charge_state.ChargeState`) are hollow, and not fitted.

    Args:
        data: records, a Dataset with dimension ``run``, or the result of a sweep.
        quantity: ``precision``, ``magnetization`` or ``std``.
        group: coordinate along ``run`` with one value for each curve, such as ``protocol`` or ``duration``.
        title: title of the legend.
        laws: further power laws of the precision for comparison, (c, alpha) by name.
        limits: whether to draw the standard quantum limit and Heisenberg scaling, or 1 - 1/N for the magnetization.
        include_uncharged: fit uncharged points too.

    Raises:
        InvalidParameterError: unknown quantity or coordinate.
        FitError: data that are no runs, or runs of one group that are not one curve, as in :func:`fit_scaling`.
    """
    runs = runs_of(data)
    check_choice("quantity", quantity, LABELS)
    check_choice("group", group, [str(name) for name, found in runs.coords.items() if found.dims == ("run",)])
    powers = {str(name): pair(f"the law {name!r}", law) for name, law in checked_mapping("laws", laws).items()}
    limits, include_uncharged = switch("limits", limits), switch("include_uncharged", include_uncharged)
    if title is not None:
        instance("title", title, str)
    curves = _curves(runs, group)
    sizes = _sizes(runs["n_spins"])
    with new_figure(4.6, 3.6, len(curves) + len(powers) + bool(title)) as figure:
        axis = figure.subplots()
        if limits:
            grid = np.geomspace(sizes[0], sizes[-1], 100) if quantity == "magnetization" else size_grid(sizes)
            draw_limits(axis, grid, quantity)
        if quantity != "magnetization":
            _draw_laws(axis, powers, quantity, size_grid(sizes))
        for (name, curve), colour in zip(curves.items(), colours_of(curves).values(), strict=True):
            _draw_runs(axis, curve, quantity, (name, colour), size_grid(sizes), include_uncharged)
        set_axes(axis, sizes, quantity)
        figure.legend(loc=_LEGEND, title=title)
    return figure


def plot_advantage(data: xr.Dataset) -> Figure:
    """Precision ratio of :func:`advantage` against N on log-log axes, one curve for each baseline, with error bars.

    Above the line at 1 the protocol is more precise than the baseline. The legend says which cost is equal. Pairs with
    an uncharged run are hollow.

    Args:
        data: the Dataset that :func:`advantage` returns, or a selection of its pairs.

    Raises:
        InvalidParameterError: a Dataset that :func:`advantage` did not make, or one with no pairs.
    """
    needed = ("precision_ratio", "precision_ratio_error", "baseline", "of", "n_spins", *_PAIR_COORDINATES)
    if (
        not hasattr(data, "data_vars")
        or any(name not in data for name in needed)
        or data.attrs.get("cost") not in COST_PHRASES
    ):
        raise InvalidParameterError("plot_advantage draws what advantage(...) returns: give it that Dataset.")
    if not data.sizes["pair"]:
        raise InvalidParameterError("there is no pair to draw; select some.")
    sizes = _sizes(data["n_spins"])
    names = _names_of_pairs(data)
    colours = colours_of(dict.fromkeys(names))
    with new_figure(4.6, 3.4, len(colours)) as figure:
        axis = figure.subplots()
        axis.axhline(1.0, color=REFERENCE, linestyle="--", linewidth=1.0)
        for name, colour in colours.items():
            pairs = data.isel(pair=[k for k, found in enumerate(names) if found == name]).sortby("n_spins")
            ratio, error = (pairs[variable].to_numpy() for variable in ("precision_ratio", "precision_ratio_error"))
            points = DrawnPoints(pairs["n_spins"].to_numpy(), ratio, error, _hollow(pairs))
            _draw_points(axis, points, f"over {name}", colour, joined=True)
        log_sizes(axis, sizes)
        axis.set_yscale("log")
        of = ", ".join(np.unique(data["of"].to_numpy()))
        axis.set_ylabel(f"precision of {of} / baseline")
        figure.legend(loc=_LEGEND, title=f"equal {COST_PHRASES[data.attrs['cost']]}")
    return figure


def _sizes(n_spins: xr.DataArray) -> list[int]:
    return [int(n) for n in np.unique(n_spins.to_numpy())]


def _curves(runs: xr.Dataset, group: str) -> dict[str, xr.Dataset]:
    """The runs of each value of a coordinate, by a name for the legend, each checked to be one curve."""
    values, inverse = np.unique(runs[group].to_numpy(), return_inverse=True)
    curves = {}
    for k in dict.fromkeys(inverse.tolist()):  # in the order of the runs
        name = str(values[k]) if group == "protocol" else _equation(runs[group], values[k])
        curves[name] = runs.isel(run=np.flatnonzero(inverse == k))
        check_one_curve(curves[name], f"the runs of {name}")
    return curves


def _draw_laws(axis: Axes, laws: Mapping[str, tuple[float, float]], quantity: str, grid: FloatArray) -> None:
    """Draw power laws of the precision, converted to sigma where that is drawn."""
    power = _POWERS[quantity]
    for (name, (c, alpha)), linestyle in zip(laws.items(), itertools.cycle(_LAWS), strict=False):
        label = f"{name}: {power_law(c**power, power * alpha)}"
        draw_reference(axis, grid, (c * grid**alpha) ** power, linestyle, label)


def _equation(column: xr.DataArray, value: Any) -> str:
    """A coordinate with its value and unit, for a legend."""
    unit = column.attrs.get("units", "1")
    return f"{column.name} = {spelled(np.array([value]))}" + ("" if unit == "1" else f" {unit}")


def _draw_runs(
    axis: Axes, curve: xr.Dataset, quantity: str, named: tuple[str, str], grid: FloatArray, include_uncharged: bool
) -> None:
    """Draw points with error bars and, for three or more sizes, their fit."""
    (label, colour), fitted = named, None
    if quantity == "magnetization" and NoPrecision.APPROXIMATION in reasons_of(curve):
        label += f" ({', '.join(np.unique(curve['engine'].to_numpy()))}, an approximation)"
    if quantity != "magnetization":
        kept = curve.dropna("run", subset=["precision"])
        if kept.sizes["run"] < curve.sizes["run"]:
            missing = curve["precision"].isnull().to_numpy()
            sizes, reasons = curve["n_spins"].to_numpy()[missing], sentences_of(curve)[missing]
            for reason in np.unique(reasons):
                label += f" ($\\sigma$ {reason} at N = {_at(sizes[reasons == reason])})"
        curve = kept
        taken = curve if include_uncharged else curve.isel(run=~uncharged_of(curve))
        if len(_sizes(taken["n_spins"])) >= _SIZES_OF_A_FIT:
            fit = fit_scaling(taken, include_uncharged=include_uncharged)
            power = _POWERS[quantity]
            fitted = fit(grid) ** power
            label += f": {power_law(fit.c**power, power * fit.alpha)}"
    uncharged = uncharged_of(curve)
    if uncharged.any():
        label += f" ({NO_CHARGE} at N = {_at(curve['n_spins'].to_numpy()[uncharged])})"
    groups = seed_groups(curve)
    sizes = curve["n_spins"].to_numpy()[[group[0] for group in groups]]
    means, errors = averages(curve, quantity, groups)
    hollow = np.array([uncharged[group].any() for group in groups], dtype=np.bool_)
    order = np.argsort(sizes, kind="stable")
    points = DrawnPoints(sizes[order], means[order], errors[order], hollow[order])
    _draw_points(axis, points, label, colour, joined=fitted is None)
    if fitted is not None:
        axis.plot(grid, fitted, color=colour, linewidth=1.2)


def _at(sizes: NDArray[Any]) -> str:
    return ", ".join(str(n) for n in np.unique(sizes))


class DrawnPoints(NamedTuple):
    """Points of a curve, each (n,): N, values, half lengths of their bars, and which are uncharged."""

    sizes: NDArray[Any]
    values: FloatArray
    errors: FloatArray
    hollow: NDArray[np.bool_]


def _draw_points(axis: Axes, points: DrawnPoints, label: str, colour: str, *, joined: bool) -> None:
    """Draw points with bars in one container, and hollow markers over the uncharged ones."""
    drawn = axis.errorbar(
        points.sizes,
        points.values,
        yerr=points.errors,
        fmt="o-" if joined else "o",
        color=colour,
        markersize=4.5,
        linewidth=0.8,
        elinewidth=1.0,
        capsize=2.5,
        label=label,
    )
    hollow = points.hollow
    if hollow.any():
        drawn.lines[0].set_markevery(np.flatnonzero(~hollow).tolist())
        at, values = points.sizes[hollow], points.values[hollow]
        axis.plot(at, values, "o", color=colour, markerfacecolor="white", markersize=4.5)


def _hollow(pairs: xr.Dataset) -> NDArray[np.bool_]:
    """(pair,) whether one of the two runs is uncharged."""
    hollow = np.zeros(pairs.sizes["pair"], dtype=np.bool_)
    for name in ("charge_state", "charge_state_baseline"):
        if name in pairs:
            hollow |= [bool(text) and not ChargeState(text).is_charge for text in pairs[name].to_numpy()]
    return hollow


def _names_of_pairs(data: xr.Dataset) -> list[str]:
    """The curve of each pair: its baseline, and the coordinates in which the pairs of that baseline differ."""
    baselines = data["baseline"].to_numpy()
    names = []
    for k, baseline in enumerate(baselines):
        differing = [
            _equation(data[name], data[name].to_numpy()[k])
            for name in _PAIR_COORDINATES
            if len(np.unique(data[name].to_numpy()[baselines == baseline])) > 1
        ]
        names.append(", ".join([str(baseline), *differing]))
    return names
