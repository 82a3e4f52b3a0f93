"""Precision of runs of several kinds against the number of spins, each kind with a marker of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .scaling import draw_limits, log_sizes, size_grid
from .style import COLOURS, new_figure, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ..record import Record

_LEGEND_LINE = 0.18
"""Height of an entry of the legend in inches."""

_LARGE = 13.0
"""Size of a star, so that a point may be seen within it."""


@dataclass(frozen=True)
class MarkedRuns:
    """Runs of one protocol that are drawn alike.

    Attributes:
        records: with a precision.
        label: for the legend.
        marker: of matplotlib.
        filled: whether it is solid.
    """

    records: Sequence[Record]
    label: str
    marker: str = "o"
    filled: bool = True


def plot_marked(series: Sequence[MarkedRuns]) -> Figure:
    """Precision against N on log-log axes, with the standard quantum limit and Heisenberg scaling.

    Colours are those of the protocols; series without records are left out.
    """
    drawn = [kind for kind in series if kind.records]
    sizes = sorted({record.n_spins for kind in drawn for record in kind.records})
    with styled():
        figure = new_figure(4.8, 3.6 + _LEGEND_LINE * len(drawn))
        axis = figure.subplots()
        draw_limits(axis, size_grid(sizes))
        for kind in drawn:
            colour = COLOURS[str(kind.records[0].dataset.attrs["protocol"])]
            axis.plot(
                [record.n_spins for record in kind.records],
                np.array([record.precision for record in kind.records], dtype=np.float64),
                kind.marker,
                color=colour,
                markerfacecolor=colour if kind.filled else "none",
                markersize=_LARGE if kind.marker == "*" else 5.0,
                markeredgewidth=1.2,
                zorder=3,
                label=kind.label,
            )
        log_sizes(axis, sizes)
        axis.set_yscale("log")
        axis.set_ylabel("precision $1/\\sigma^2$")
        figure.legend(loc="outside upper center")
    return figure
