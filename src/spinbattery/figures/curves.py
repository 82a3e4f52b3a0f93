"""Calibration curves with their uncertainty, and a measured value."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..analysis.calibration import CalibrationCurve
from ..core.checks import checked_mapping, finite, instance, pair, several
from ..core.errors import InvalidParameterError
from .axes import LABELS
from .style import REFERENCE, colours_of, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LABELS = {
    "gamma": "rate $\\gamma$ (1/ns)",
    "gamma_tau": "rate times duration $\\gamma\\tau$",
    "crosstalk": "cross-talk $|J_{CT}|$ ($B(s)/2$)",
    "crosstalk_tau": "$|J_{CT}|\\,\\tau$ ($B(s)/2$ ns)",
    "temperature": "temperature (mK)",
    "alpha": "exponent $\\alpha$",
    **LABELS,
}
_AT_ZERO = {
    "gamma": "without noise",
    "gamma_tau": "without noise",
    "crosstalk": "without cross-talk",
    "crosstalk_tau": "without cross-talk",
    "temperature": "at zero",
}
_MARKS: tuple[Any, ...] = ("--", "-.", (0, (1, 2)), (0, (5, 5)))


def plot_calibration(
    curves: Mapping[str, CalibrationCurve],
    *,
    measured: tuple[float, float] | None = None,
    marks: Mapping[str, float] | None = None,
    banded: Sequence[str] | None = None,
) -> Figure:
    """Curves of one quantity against one parameter, on a logarithmic axis of the parameter's magnitude.

    Points are simulated, lines the monotone interpolation between them, and bands the 95 % bands of the replicates. The
    value of a curve where the parameter is zero is a dotted line of the same colour.

    Args:
        curves: curves by name for the legend.
        measured: value and standard error, drawn as a grey band across.
        marks: vertical lines at values of the parameter, by name.
        banded: names of the curves with a band; all by default.

    Raises:
        InvalidParameterError: no curve, curves of different quantities or parameters, or one on both sides of zero.
    """
    curves = checked_mapping("curves", curves)
    for curve in curves.values():
        instance("a curve", curve, CalibrationCurve, "as calibration_curve() makes")
    if measured is not None:
        measured = pair("measured", measured)
    places = {name: finite(f"the mark {name!r}", place) for name, place in checked_mapping("marks", marks).items()}
    shaded = list(curves) if banded is None else several("banded", banded)
    kinds = {(curve.parameter, curve.quantity) for curve in curves.values()}
    if len(kinds) != 1:
        raise InvalidParameterError("give one or more curves of one quantity against one parameter.")
    ((parameter, quantity),) = kinds
    if any(curve.x[0] < 0.0 < curve.x[-1] for curve in curves.values()):
        raise InvalidParameterError("the axis shows a magnitude; draw the two sides of zero separately.")
    colours = colours_of(curves)
    at_zero = any((curve.x == 0.0).any() for curve in curves.values())
    with new_figure(5.2, 3.5, len(curves) + len(places) + (measured is not None) + at_zero) as figure:
        axis = figure.subplots()
        if measured is not None:
            _draw_measured(axis, *measured)
        for name, curve in curves.items():
            banded_too = any(name is one or (isinstance(one, str) and name == one) for one in shaded)
            _draw_curve(axis, curve, name, colours[name], banded=banded_too)
        for (name, place), style in zip(places.items(), itertools.cycle(_MARKS), strict=False):
            axis.axvline(abs(place), color=REFERENCE, linewidth=1.0, linestyle=style, label=name)
        axis.set_xscale("log")
        axis.set_xlabel(_LABELS[parameter])
        axis.set_ylabel(_LABELS[quantity])
        _draw_legend(figure, f"dotted: {_AT_ZERO[parameter]}" if at_zero else None)
    return figure


def _draw_measured(axis: Axes, value: float, error: float) -> None:
    label = f"measured: {value:g}" + (f" $\\pm$ {error:g}" if error else "")
    axis.axhline(value, color=REFERENCE, linewidth=1.0, label=label)
    axis.axhspan(value - error, value + error, color=REFERENCE, alpha=0.15, linewidth=0.0)


def _draw_curve(axis: Axes, curve: CalibrationCurve, name: str, colour: str, *, banded: bool) -> None:
    acts = curve.x != 0.0
    if not acts.all():
        axis.axhline(float(curve.y[~acts][0]), color=colour, linewidth=0.8, linestyle=":")
    x = np.abs(curve.x[acts])
    between = np.sign(curve.x[acts][0]) * np.geomspace(x.min(), x.max(), 200)
    between = np.clip(between, curve.x[acts].min(), curve.x[acts].max())
    axis.plot(np.abs(between), curve(between), color=colour, linewidth=1.2)
    axis.plot(x, curve.y[acts], "o", color=colour, markersize=4.0, label=name)
    if banded:
        order = np.argsort(x)
        low, high = (end[acts][order] for end in curve.band())
        axis.fill_between(x[order], low, high, color=colour, alpha=0.15, linewidth=0.0)


def _draw_legend(figure: Figure, dotted: str | None) -> None:
    """Draw the legend, with one entry for the dotted lines of all curves."""
    from matplotlib.lines import Line2D

    handles, _ = figure.axes[0].get_legend_handles_labels()
    if dotted is not None:
        handles.append(Line2D([], [], color=REFERENCE, linewidth=0.8, linestyle=":", label=dotted))
    figure.legend(handles=handles, loc="outside upper center")
