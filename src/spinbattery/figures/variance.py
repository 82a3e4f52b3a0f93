"""Var(Sz)/N against N, which falls where the precision grows faster than N."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from .axes import draw_reference, log_sizes, size_grid
from .style import colours_of, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def plot_variances(points: Mapping[str, Sequence[tuple[int, float]]]) -> Figure:
    """Points (N, N sigma^2) by name on logarithmic axes, with 1 (independent spins, mu = 0) and 1/N (alpha = 2)."""
    drawn = {name: kind for name, kind in points.items() if kind}
    sizes = sorted({n for kind in drawn.values() for n, _ in kind})
    colours = colours_of(drawn)
    with new_figure(4.8, 3.4, len(drawn) + 2) as figure:
        axis = figure.subplots()
        grid = size_grid(sizes)
        draw_reference(axis, grid, np.ones_like(grid), ":", "$1$ (standard quantum limit)")
        draw_reference(axis, grid, 1.0 / grid, "--", "$1/N$ (Heisenberg scaling)")
        for (name, kind), marker in zip(drawn.items(), "osD^v" * len(drawn), strict=False):
            axis.plot(*zip(*kind, strict=True), marker, color=colours[name], markersize=5.5, label=name)
        axis.set_yscale("log")
        axis.set_ylabel("$N\\sigma^2 = \\mathrm{Var}(S_z)/N$")
        log_sizes(axis, sizes)
        figure.legend(loc="outside upper center")
    return figure
