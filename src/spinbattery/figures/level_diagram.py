"""Instantaneous levels along the schedule, with the populations of the evolving state."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from ..core.checks import positive
from ..core.errors import InvalidParameterError
from .style import REFERENCE, draw_corners, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import LineCollection
    from matplotlib.figure import Figure

    from ..engines.symmetric.spectrum import SectorSpectrum

_HEIGHT_GHZ = 9.0
_LEAST_SHOWN = 5e-3
_WIDEST = 5.0
_COLOURS = "plasma_r"


def plot_spectrum(spectra: Mapping[str, SectorSpectrum], *, top: float = _HEIGHT_GHZ) -> Figure:
    """Energies above the ground state against t, side by side; width and colour of a level show its population.

    Grey lines are all levels, dotted ones the corners of the protocol.

    Args:
        spectra: spectra by title, each with two or more times.
        top: end of the energy axis in GHz.

    Raises:
        InvalidParameterError: no mapping, nothing to draw, or a single time.
    """
    if not isinstance(spectra, Mapping):
        raise InvalidParameterError("give spectra by title, as in {'cooperative': spectrum}.")
    for spectrum in spectra.values():
        if not hasattr(spectrum, "populations"):
            raise InvalidParameterError(f"spectra must come from sector_spectrum(), but one is {spectrum!r}.")
    top = positive("top", top)
    if not spectra or any(spectrum.times.size < 2 for spectrum in spectra.values()):
        raise InvalidParameterError("give one or more spectra, each with at least two times.")
    with new_figure(1.2 + 3.6 * len(spectra), 3.6) as figure:
        axes = np.atleast_1d(figure.subplots(1, len(spectra), sharey=True))
        for axis, (title, spectrum) in zip(axes, spectra.items(), strict=True):
            drawn = _draw_levels(axis, spectrum)
            draw_corners(axis, spectrum.problem.protocol)
            axis.set_title(title, fontsize=9.0)
            axis.set_xlabel("t (ns)")
            axis.set_xlim(0.0, spectrum.problem.protocol.duration)
            axis.grid(visible=False)
        axes[0].set_ylabel("energy above the ground state / $h$ (GHz)")
        axes[0].set_ylim(-0.03 * top, top)
        figure.colorbar(drawn, ax=list(axes), label="population", pad=0.02)
    return figure


def _draw_levels(axis: Axes, spectrum: SectorSpectrum) -> LineCollection:
    """Draw all levels in grey, and the populated parts over them."""
    from matplotlib.collections import LineCollection

    axis.plot(spectrum.times, spectrum.energies, color=REFERENCE, linewidth=0.5, alpha=0.6)
    points = np.stack([np.broadcast_to(spectrum.times[:, None], spectrum.energies.shape), spectrum.energies], axis=-1)
    segments = np.stack([points[:-1], points[1:]], axis=2).reshape(-1, 2, 2)
    # where levels cross, a population changes its level between two times, and the line has a gap
    population = np.minimum(spectrum.populations[1:], spectrum.populations[:-1]).ravel()
    order = np.argsort(population, kind="stable")  # the most populated on top
    order = order[population[order] >= _LEAST_SHOWN]
    drawn = LineCollection(
        list(segments[order]),
        linewidths=1.0 + _WIDEST * np.sqrt(population[order]),
        cmap=_COLOURS,
        capstyle="round",
        clip_on=True,
    )
    drawn.set_array(population[order])
    drawn.set_clim(0.0, 1.0)
    axis.add_collection(drawn)
    return drawn
