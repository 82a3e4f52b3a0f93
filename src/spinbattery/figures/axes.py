"""Axes, labels and reference lines of figures against the number of spins."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from ..core.typing import FloatArray
from .style import REFERENCE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Quantity: TypeAlias = Literal["precision", "magnetization", "std"]
LABELS = {
    "precision": "precision $1/\\sigma^2$",
    "magnetization": "magnetization $\\mu$",
    "std": "fluctuation $\\sigma$",
}

_LABEL_SPACING = 0.1
"""Width of a label as a fraction of the axis."""


def _spaced_labels(sizes: Sequence[int]) -> list[str]:
    """Labels of the sizes (ascending) on a logarithmic axis, empty without room, never at the largest."""
    room = (sizes[-1] / sizes[0]) ** _LABEL_SPACING
    labels: list[str] = []
    last = math.inf
    for n in reversed(sizes):
        shown = n * room <= last
        last = n if shown else last
        labels.append(str(n) if shown else "")
    return labels[::-1]


def size_grid(sizes: Sequence[int]) -> FloatArray:
    """N at which curves over these sizes (ascending) are drawn, slightly beyond both ends."""
    return np.geomspace(sizes[0] * 0.9, sizes[-1] * 1.1, 100)


def draw_reference(axis: Axes, grid: FloatArray, values: FloatArray, linestyle: str, label: str) -> None:
    """Draw a grey curve for comparison."""
    axis.plot(grid, values, color=REFERENCE, linestyle=linestyle, linewidth=1.0, label=label)


def draw_limits(axis: Axes, grid: FloatArray, quantity: Quantity) -> None:
    """Draw standard quantum limit and Heisenberg scaling of precision or sigma, or 1 - 1/N for the magnetization."""
    if quantity == "magnetization":
        draw_reference(axis, grid, 1.0 - 1.0 / grid, "--", "$1 - 1/N$ (cooperative, adiabatic)")
        return
    power, heisenberg, quantum = {"precision": (1.0, "N^2", "N"), "std": (-0.5, "1/N", "1/\\sqrt{N}")}[quantity]
    draw_reference(axis, grid, grid ** (2.0 * power), "--", f"${heisenberg}$ (Heisenberg scaling)")
    draw_reference(axis, grid, grid**power, ":", f"${quantum}$ (standard quantum limit)")


def power_law(c: float, alpha: float) -> str:
    """c N^alpha with its numbers, for a legend."""
    # two decimals are too few for a small factor, and too many for a large one
    factor = f"{c:.2f}" if 0.1 <= c < 100.0 else f"{float(f'{c:.3g}'):g}"
    return f"${factor}\\,N^{{{alpha:.2f}}}$"


def log_sizes(axis: Axes, sizes: Sequence[int]) -> None:
    """A logarithmic axis of N with a tick at each size, and labels where there is room, always at the largest."""
    from matplotlib.ticker import NullFormatter

    axis.set_xscale("log")
    axis.set_xticks(sizes, _spaced_labels(sizes))
    axis.xaxis.set_minor_formatter(NullFormatter())
    axis.set_xlabel("number of spins $N$")


def set_axes(axis: Axes, sizes: Sequence[int], quantity: Quantity) -> None:
    """Scales and labels of a quantity against N."""
    log_sizes(axis, sizes)
    axis.set_yscale("linear" if quantity == "magnetization" else "log")
    axis.set_ylabel(LABELS[quantity])
