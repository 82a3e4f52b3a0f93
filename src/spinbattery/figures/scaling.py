"""Precision and magnetization against the number of spins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from .style import COLOURS, REFERENCE, new_figure, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ..analysis.scaling import ScalingFit
    from ..record import Record


def plot_scaling(fit: ScalingFit) -> Figure:
    """One fit with its points and the two limits."""
    with styled():
        figure = new_figure(4.2, 3.4)
        fit.plot(figure.subplots())
    return figure


def plot_precision(fits: Mapping[str, ScalingFit]) -> Figure:
    """Precision against N, log-log, one fit a protocol, with the standard quantum and Heisenberg limits."""
    with styled():
        figure = new_figure(4.6, 3.6)
        axis = figure.subplots()
        sizes = sorted({n for fit in fits.values() for n in fit.n_spins})
        grid = np.geomspace(sizes[0] * 0.9, sizes[-1] * 1.1, 100)
        axis.plot(grid, grid**2, color=REFERENCE, linestyle="--", linewidth=1.0, label="$N^2$ (Heisenberg scaling)")
        axis.plot(grid, grid, color=REFERENCE, linestyle=":", linewidth=1.0, label="$N$ (standard quantum limit)")
        for name, fit in fits.items():
            colour = COLOURS.get(name)
            label = f"{name}: ${fit.c:.2f}\\,N^{{{fit.alpha:.2f}}}$"
            axis.plot(fit.n_spins, fit.precision, "o", color=colour, markersize=4.5)
            axis.plot(grid, fit(grid), color=colour, linewidth=1.2, label=label)
        _log_sizes(axis, sizes)
        axis.set_yscale("log")
        axis.set_ylabel("precision $1/\\sigma^2$")
        axis.legend(loc="upper left")
    return figure


def plot_magnetization(records: Mapping[str, Sequence[Record]]) -> Figure:
    """Final magnetization against N, one line a protocol, with the adiabatic limit of the cooperative one."""
    with styled():
        figure = new_figure(4.6, 3.2)
        axis = figure.subplots()
        sizes = sorted({record.n_spins for group in records.values() for record in group})
        grid = np.linspace(sizes[0], sizes[-1], 100)
        axis.plot(grid, 1.0 - 1.0 / grid, color=REFERENCE, linestyle="--", linewidth=1.0, label="$1 - 1/N$")
        for name, group in records.items():
            axis.plot(
                [record.n_spins for record in group],
                [record.magnetization for record in group],
                "o-",
                color=COLOURS.get(name),
                markersize=4.5,
                linewidth=0.8,
                label=name,
            )
        _log_sizes(axis, sizes)
        axis.set_ylabel("magnetization $\\mu$")
        axis.set_ylim(-0.15, 1.05)
        axis.legend(loc="center right")
    return figure


def _log_sizes(axis: Axes, sizes: Sequence[int]) -> None:
    from matplotlib.ticker import NullFormatter

    axis.set_xscale("log")
    axis.set_xticks(sizes, [str(n) for n in sizes])
    axis.xaxis.set_minor_formatter(NullFormatter())
    axis.set_xlabel("number of spins $N$")
