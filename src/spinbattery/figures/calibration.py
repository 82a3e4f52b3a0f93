"""Calibration curves with their uncertainty, and the measured value they are read off at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..analysis.calibration import CalibrationCurve
from ..core.checks import checked_mapping, finite, instance, pair, several
from ..core.errors import InvalidParameterError
from .style import REFERENCE, colours_of, new_figure, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_LABELS = {
    "gamma": "rate $\\gamma$ (1/ns)",
    "gamma_tau": "rate times duration $\\gamma\\tau$",
    "crosstalk": "cross-talk $|J_{CT}|$ ($B(s)/2$)",
    "crosstalk_tau": "$|J_{CT}|\\,\\tau$ ($B(s)/2$ ns)",
    "temperature": "temperature (mK)",
    "alpha": "exponent $\\alpha$",
    "magnetization": "magnetization $\\mu$",
    "precision": "precision $1/\\sigma^2$",
}
_AT_ZERO = {
    "gamma": "without noise",
    "gamma_tau": "without noise",
    "crosstalk": "without cross-talk",
    "crosstalk_tau": "without cross-talk",
    "temperature": "at zero",
}
_LINE = 0.18
"""Height of an entry of the legend in inches."""


def _checked(curves: Any) -> Mapping[str, CalibrationCurve]:
    for curve in checked_mapping("curves", curves).values():
        instance("a curve", curve, CalibrationCurve, "as calibration_curve() makes")
    return checked_mapping("curves", curves)


def plot_calibration(
    curves: Mapping[str, CalibrationCurve],
    *,
    measured: tuple[float, float] | None = None,
    marks: Mapping[str, float] | None = None,
    banded: Sequence[str] | None = None,
) -> Figure:
    """Curves of one quantity against one parameter, on a logarithmic axis of its magnitude.

    Points are the simulated ones, with the monotone interpolation between them; shaded is the 95 % band of
    the replicates. A curve's value where the parameter is zero is a dotted line of its colour, which the
    legend explains once.

    Args:
        curves: by name for the legend.
        measured: value and standard error, drawn as a grey band across.
        marks: vertical lines at values of the parameter, by name.
        banded: names of the curves whose bands are shaded; all by default.

    Raises:
        InvalidParameterError: no curve, curves of different quantities or parameters, or one on both sides of zero.
    """
    curves = _checked(curves)
    if measured is not None:
        measured = pair("measured", measured)
    places = {name: finite(f"the mark {name!r}", place) for name, place in checked_mapping("marks", marks).items()}
    shaded = list(curves) if banded is None else several("banded", banded)
    kinds = {(curve.parameter, curve.quantity) for curve in curves.values()}
    if len(kinds) != 1:
        raise InvalidParameterError("give one or more curves of one quantity against one parameter.")
    ((parameter, quantity),) = kinds
    if any(curve.x[0] < 0.0 < curve.x[-1] for curve in curves.values()):
        raise InvalidParameterError("the axis is that of a magnitude; draw the two sides of zero apart.")
    colours = colours_of(curves)
    at_zero = any((curve.x == 0.0).any() for curve in curves.values())
    with styled():
        figure = new_figure(5.2, 3.5 + _LINE * (len(curves) + len(places) + (measured is not None) + at_zero))
        axis = figure.subplots()
        if measured is not None:
            value, error = measured
            label = f"measured: {value:g}" + (f" $\\pm$ {error:g}" if error else "")
            axis.axhline(value, color=REFERENCE, linewidth=1.0, label=label)
            axis.axhspan(value - error, value + error, color=REFERENCE, alpha=0.15, linewidth=0.0)
        for name, curve in curves.items():
            acts = curve.x != 0.0
            if not acts.all():
                axis.axhline(float(curve.y[~acts][0]), color=colours[name], linewidth=0.8, linestyle=":")
            x, order = np.abs(curve.x[acts]), np.argsort(np.abs(curve.x[acts]))
            sign = np.sign(curve.x[acts][0])
            between = np.clip(sign * np.geomspace(x.min(), x.max(), 200), curve.x[acts].min(), curve.x[acts].max())
            axis.plot(np.abs(between), curve(between), color=colours[name], linewidth=1.2)
            axis.plot(x, curve.y[acts], "o", color=colours[name], markersize=4.0, label=name)
            if any(name is one or (isinstance(one, str) and name == one) for one in shaded):
                low, high = (end[acts][order] for end in curve.band())
                axis.fill_between(x[order], low, high, color=colours[name], alpha=0.15, linewidth=0.0)
        styles = ("--", "-.", (0, (1, 2)), (0, (5, 5)))
        for k, (name, place) in enumerate(places.items()):
            axis.axvline(abs(place), color=REFERENCE, linewidth=1.0, linestyle=styles[k % len(styles)], label=name)
        axis.set_xscale("log")
        axis.set_xlabel(_LABELS[parameter])
        axis.set_ylabel(_LABELS[quantity])
        _draw_legend(figure, f"dotted: {_AT_ZERO[parameter]}" if at_zero else None)
    return figure


def _draw_legend(figure: Figure, dotted: str | None) -> None:
    """What is drawn, and what the dotted lines of all curves are, where there are some."""
    from matplotlib.lines import Line2D

    handles, _ = figure.axes[0].get_legend_handles_labels()
    if dotted is not None:
        handles.append(Line2D([], [], color=REFERENCE, linewidth=0.8, linestyle=":", label=dotted))
    figure.legend(handles=handles, loc="outside upper center")
