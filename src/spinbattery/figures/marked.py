"""Runs of several kinds against the number of spins, each kind with a marker of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from ..analysis.bounds import bhatia_davis_precision
from ..records.charge_state import NO_CHARGE
from .scaling import draw_limits, draw_reference, log_sizes, size_grid
from .style import COLOURS, new_figure, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ..records.record import Record

_LEGEND_LINE = 0.18
"""Height of an entry of the legend in inches."""

_SIZES = {"*": 13.0, "s": 7.5}
"""Of stars and squares, so that a point may be seen within one; other markers are smaller."""

_ARROW = 0.7
"""Length of the arrow of a lower bound, as a part of its value."""


@dataclass(frozen=True)
class MarkedRuns:
    """Runs of one protocol that are drawn alike.

    Attributes:
        records: in any order.
        label: for the legend.
        marker: of matplotlib.
        filled: whether it is solid.
    """

    records: Sequence[Record]
    label: str
    marker: str = "o"
    filled: bool = True


def plot_marked(series: Sequence[MarkedRuns], quantity: Literal["precision", "magnetization"] = "precision") -> Figure:
    """A final moment against N on a logarithmic axis of N.

    The precision is drawn on a logarithmic axis with the standard quantum limit and Heisenberg scaling. A record
    without one is drawn at the lower bound that it has instead, with an arrow upwards; then a curve shows that bound in
    the adiabatic limit of the cooperative protocol. The magnetization has bars, the estimated error.

    Colours are those of the protocols; series without records are left out, and later ones lie on top. Points that are
    no charge (:class:`~spinbattery.records.charge_state.ChargeState`) are hollow whatever the series, and named in the
    legend.
    """
    drawn = [kind for kind in series if kind.records]
    sizes = sorted({record.n_spins for kind in drawn for record in kind.records})
    with styled():
        figure = new_figure(4.8, 3.6 + _LEGEND_LINE * len(drawn))
        axis = figure.subplots()
        grid = size_grid(sizes)
        if quantity == "precision":
            draw_limits(axis, grid)
            if any(record.precision is None for kind in drawn for record in kind.records):
                label = "Bhatia-Davis bound at $\\mu = 1 - 1/N$"
                draw_reference(axis, grid, bhatia_davis_precision(1.0 - 1.0 / grid), "-.", label)
            axis.set_yscale("log")
            axis.set_ylabel("precision $1/\\sigma^2$")
        else:
            draw_reference(axis, grid, 1.0 - 1.0 / grid, "--", "$1 - 1/N$ (cooperative, adiabatic)")
            axis.set_ylabel("magnetization $\\mu$")
        for kind in drawn:
            for part in _by_charge(kind):
                _draw(axis, part, quantity)
        log_sizes(axis, sizes)
        figure.legend(loc="outside upper center")
    return figure


def _by_charge(kind: MarkedRuns) -> list[MarkedRuns]:
    """The series in two, what is a charge and what is none, without an empty one."""
    charges = [record for record in kind.records if record.charge_state.is_charge]
    others = [record for record in kind.records if not record.charge_state.is_charge]
    parts = [
        replace(kind, records=charges),
        replace(kind, records=others, label=f"{kind.label} ({NO_CHARGE})", filled=False),
    ]
    return [part for part in parts if part.records]


def _draw(axis: Axes, kind: MarkedRuns, quantity: str) -> None:
    """Points with what is known of each: an error, an arrow upwards from a bound, or neither."""
    if quantity == "magnetization":
        values = [record.magnetization for record in kind.records]
        bars = [record.magnetization_error or 0.0 for record in kind.records]
        bounds = [False] * len(values)
    else:
        values = [record.precision or record.precision_bound or 0.0 for record in kind.records]
        bounds = [record.precision is None for record in kind.records]
        bars = [_ARROW * value if bound else 0.0 for value, bound in zip(values, bounds, strict=True)]
    colour = COLOURS[str(kind.records[0].dataset.attrs["protocol"])]
    axis.errorbar(
        [record.n_spins for record in kind.records],
        values,
        yerr=bars if any(bars) else None,
        lolims=bounds,
        fmt=kind.marker,
        color=colour,
        markerfacecolor=colour if kind.filled else "none",
        markeredgecolor="white" if kind.filled else colour,
        markersize=_SIZES.get(kind.marker, 5.5),
        markeredgewidth=0.6 if kind.filled else 1.2,
        elinewidth=1.0,
        capsize=2.5,
        capthick=1.0,
        zorder=3,
        label=kind.label,
    )
