"""Waveforms of protocols, their paths in the space of fields, and the local field of equal cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..model.protocol import Protocol, local_field
from ..model.scales import EnergyScales
from .style import COLOURS, REFERENCE, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def plot_field_space(protocols: Mapping[str, Protocol], scales: EnergyScales) -> Figure:
    """Paths in the space of (J, Bx, Bz), in GHz."""
    from matplotlib.ticker import MaxNLocator

    with new_figure(4.8, 3.9) as figure:
        axis = figure.add_subplot(projection="3d")
        for name, protocol in protocols.items():
            bx, bz, half_b = protocol.fields(np.linspace(0.0, protocol.duration, 601), scales)
            colour = COLOURS.get(name)
            axis.plot(protocol.J * half_b, bx, bz, color=colour, label=name)
            axis.scatter([protocol.J * half_b[0]], [bx[0]], [bz[0]], color=colour, s=18)
        axis.set_xlabel("$J$ (GHz)")
        axis.set_ylabel("$B_x$ (GHz)")
        axis.set_zlabel("$B_z$ (GHz)")
        for side in (axis.xaxis, axis.yaxis, axis.zaxis):
            side.set_major_locator(MaxNLocator(4))
        axis.legend(loc="upper left")
        axis.view_init(elev=24.0, azim=-58.0)
        axis.set_box_aspect((1.0, 1.0, 0.85), zoom=0.88)
    return figure


def plot_schedule(protocol: Protocol, scales: EnergyScales) -> Figure:
    """A(s), B(s); s(t), g(t); and the resulting fields."""
    with new_figure(9.0, 2.8) as figure:
        axes = figure.subplots(1, 3)
        s = np.linspace(0.0, 1.0, 401)
        axes[0].plot(s, scales.A(s), color=COLOURS["cooperative"], label="$A(s)$")
        axes[0].plot(s, scales.B(s), color=COLOURS["local"], label="$B(s)$")
        hold = float(protocol.s.values.min())
        axes[0].axvline(hold, color=REFERENCE, linestyle=":", linewidth=0.8, label=f"$s = {hold:g}$")
        axes[0].set_xlabel("annealing fraction $s$")
        axes[0].set_ylabel("energy / $h$ (GHz)")
        u = np.linspace(0.0, 1.0, 601)
        axes[1].plot(u, protocol.s(u), color=COLOURS["cooperative"], label="$s(t)$")
        axes[1].plot(u, protocol.g(u), color=COLOURS["local"], label="$g(t)$")
        axes[1].set_xlabel("$t/\\tau$")
        bx, bz, half_b = protocol.fields(u * protocol.duration, scales)
        axes[2].plot(u, bx, color=COLOURS["cooperative"], label="$B_x$")
        axes[2].plot(u, bz, color=COLOURS["local"], label="$B_z$")
        axes[2].plot(u, protocol.J * half_b, color=COLOURS["polarised"], label="$J$")
        axes[2].set_xlabel("$t/\\tau$")
        axes[2].set_ylabel("field (GHz)")
        for axis in axes:
            axis.legend()
    return figure


def plot_local_field(h: float, J: float, points: Sequence[tuple[str, float, str]]) -> Figure:
    """|h_L| of Eq. 19 at g = 1 against n_C/N, with networks on the curve: their names, n_C/N and markers."""
    with new_figure(4.6, 3.2) as figure:
        axis = figure.subplots()
        ratio = np.linspace(0.0, 7.5, 200)
        axis.plot(ratio, [abs(local_field(h, J, r)) for r in ratio], color=COLOURS["local"], label="Eq. 19, $g = 1$")
        for name, r, marker in points:
            value = abs(local_field(h, J, r))
            axis.plot([r], [value], marker, color=COLOURS["cooperative"], markersize=4.5)
            axis.annotate(name, (r, value), textcoords="offset points", xytext=(5, -9), fontsize=7)
        axis.set_xlabel("pairs per spin $n_C/N$")
        axis.set_ylabel("local field $|h_L|$")
        axis.legend()
    return figure
