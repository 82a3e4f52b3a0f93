"""Precision and magnetization against the number of spins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np

from .._typing import FloatArray
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
        grid = size_grid(sizes)
        draw_limits(axis, grid)
        for name, fit in fits.items():
            colour = COLOURS.get(name)
            label = f"{name}: {power_law(fit.c, fit.alpha)}"
            axis.plot(fit.n_spins, fit.precision, "o", color=colour, markersize=4.5)
            axis.plot(grid, fit(grid), color=colour, linewidth=1.2, label=label)
        log_sizes(axis, sizes)
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
        draw_reference(axis, grid, 1.0 - 1.0 / grid, "--", "$1 - 1/N$")
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
        log_sizes(axis, sizes)
        axis.set_ylabel("magnetization $\\mu$")
        axis.set_ylim(-0.15, 1.05)
        axis.legend(loc="center right")
    return figure


def size_grid(sizes: Sequence[int]) -> FloatArray:
    """N at which curves over these sizes (ascending) are drawn, a little past both ends."""
    return np.geomspace(sizes[0] * 0.9, sizes[-1] * 1.1, 100)


def draw_reference(axis: Axes, grid: FloatArray, values: FloatArray, linestyle: str, label: str) -> None:
    """A curve to compare with, in grey."""
    axis.plot(grid, values, color=REFERENCE, linestyle=linestyle, linewidth=1.0, label=label)


def draw_limits(axis: Axes, grid: FloatArray, quantity: Literal["precision", "std"] = "precision") -> None:
    """Standard quantum limit and Heisenberg scaling, of the precision or of sigma."""
    power, heisenberg, quantum = {"precision": (1.0, "N^2", "N"), "std": (-0.5, "1/N", "1/\\sqrt{N}")}[quantity]
    draw_reference(axis, grid, grid ** (2.0 * power), "--", f"${heisenberg}$ (Heisenberg scaling)")
    draw_reference(axis, grid, grid**power, ":", f"${quantum}$ (standard quantum limit)")


def power_law(c: float, alpha: float) -> str:
    """c N^alpha with its numbers, for a legend."""
    # two decimals say nothing about a small factor, and too much about a large one
    factor = f"{c:.2f}" if 0.1 <= c < 100.0 else f"{float(f'{c:.3g}'):g}"
    return f"${factor}\\,N^{{{alpha:.2f}}}$"


def log_sizes(axis: Axes, sizes: Sequence[int]) -> None:
    """A logarithmic axis of N with a tick at each size."""
    from matplotlib.ticker import NullFormatter

    axis.set_xscale("log")
    axis.set_xticks(sizes, [str(n) for n in sizes])
    axis.xaxis.set_minor_formatter(NullFormatter())
    axis.set_xlabel("number of spins $N$")
