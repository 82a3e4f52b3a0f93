"""Several kinds of runs against the number of spins, each with its own marker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from ..analysis.bounds import bhatia_davis_precision
from ..records.charge_state import NO_CHARGE
from .axes import draw_limits, draw_reference, set_axes, size_grid
from .style import COLOURS, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ..records.record import Record

_SIZES = {"*": 13.0, "s": 7.5}
"""Stars and squares are larger, so that a point can be seen within them."""

_ARROW = 0.7
"""Length of the arrow of a lower bound, as a fraction of its value."""


@dataclass(frozen=True)
class MarkedRuns:
    """Runs of one protocol in one style, with a label for the legend and a marker of matplotlib."""

    records: Sequence[Record]
    label: str
    marker: str = "o"
    filled: bool = True


def plot_marked(series: Sequence[MarkedRuns], quantity: Literal["precision", "magnetization"] = "precision") -> Figure:
    """A final moment against N on a logarithmic axis of N, with one colour for each protocol; later series lie on top.

    A record without a precision is drawn at its lower bound with an arrow upwards, and with the same bound in the
    adiabatic limit of the cooperative protocol. Uncharged points are hollow in every series.
    """
    drawn = [kind for kind in series if kind.records]
    sizes = sorted({record.n_spins for kind in drawn for record in kind.records})
    with new_figure(4.8, 3.6, len(drawn)) as figure:
        axis = figure.subplots()
        grid = size_grid(sizes)
        draw_limits(axis, grid, quantity)
        if quantity == "precision" and any(record.precision is None for kind in drawn for record in kind.records):
            label = "Bhatia-Davis bound at $\\mu = 1 - 1/N$"
            draw_reference(axis, grid, bhatia_davis_precision(1.0 - 1.0 / grid), "-.", label)
        for kind in drawn:
            for part in _by_charge(kind):
                _draw(axis, part, quantity)
        set_axes(axis, sizes, quantity)
        figure.legend(loc="outside upper center")
    return figure


def _by_charge(kind: MarkedRuns) -> list[MarkedRuns]:
    """The charged and the uncharged runs as two series, without an empty one."""
    charges = [record for record in kind.records if record.charge_state.is_charge]
    others = [record for record in kind.records if not record.charge_state.is_charge]
    parts = [
        replace(kind, records=charges),
        replace(kind, records=others, label=f"{kind.label} ({NO_CHARGE})", filled=False),
    ]
    return [part for part in parts if part.records]


def _draw(axis: Axes, kind: MarkedRuns, quantity: str) -> None:
    """Draw points, each with its error, an arrow upwards from its lower bound, or neither."""
    if quantity == "magnetization":
        values = [record.magnetization for record in kind.records]
        bars = [record.magnetization_error or 0.0 for record in kind.records]
        bounds = [False] * len(values)
    else:
        values = [record.precision or record.precision_bound or 0.0 for record in kind.records]
        bounds = [record.precision is None for record in kind.records]
        bars = [_ARROW * value if bound else 0.0 for value, bound in zip(values, bounds, strict=True)]
    colour = COLOURS[str(kind.records[0].attributes["protocol"])]
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
