"""The common style of all figures, and how they are written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.errors import InvalidParameterError
from ..core.paths import user_path

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ..model.protocol import Protocol

COLOURS = {
    "cooperative": "#0b5fa5",
    "local": "#c8501e",
    "polarised": "#2c7d4f",
    "polarised local": "#7b4aa0",
    "local equal-cost": "#e0a030",
    "polarised equal-cost": "#83b735",
    "polarised local equal-cost": "#c86fae",
}
_FURTHER = ("#17889b", "#8c564b", "#4a4a4a", "#b8b03a", "#7f9fd1")
REFERENCE = "#7a7a7a"

_LEGEND_LINE = 0.18
"""Height of an entry of the legend in inches."""
_MOST_CORNERS = 40

FIGURE_ENDINGS = (".png", ".pdf", ".svg")

_SETTINGS: dict[Any, Any] = {
    "font.size": 9.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.25,
    "grid.linewidth": 0.6,
    "lines.linewidth": 1.6,
    "legend.frameon": False,
    "legend.fontsize": 8.0,
    "figure.constrained_layout.use": True,
}


def colours_of(names: Iterable[str]) -> dict[str, str]:
    """A colour for each name, from :data:`COLOURS` or one that is free; past twelve names colours repeat."""
    names = list(names)
    free = [colour for name, colour in COLOURS.items() if name not in names] + list(_FURTHER)
    supply = cycle(free)
    return {name: COLOURS[name] if name in COLOURS else next(supply) for name in names}


@contextmanager
def new_figure(width: float, height: float, entries: int = 0) -> Iterator[Figure]:
    """A figure in the project's style, without a window; sizes in inches, with room for the entries of a legend."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(_SETTINGS):
        yield Figure(figsize=(width, height + _LEGEND_LINE * entries), layout="constrained")


def draw_corners(axis: Axes, protocol: Protocol) -> None:
    """Dotted lines at the corners of a protocol, in ns; none for waveforms of many samples."""
    corners = protocol.breakpoints[1:-1]
    for corner in corners if len(corners) <= _MOST_CORNERS else ():
        axis.axvline(corner, color=REFERENCE, linewidth=0.7, linestyle=":")


def save_figure(figure: Figure, path: str | Path) -> Path:
    """Write a figure as .png, .pdf or .svg; the same figure always gives the same file."""
    path = user_path(path)
    if path.suffix not in FIGURE_ENDINGS:
        raise InvalidParameterError(f"{path.name!r} must end in {' or '.join(FIGURE_ENDINGS)}.")
    if not path.parent.is_dir():
        raise InvalidParameterError(f"the folder of {str(path)!r} does not exist; make it first.")
    dates = {".pdf": {"CreationDate": None}, ".svg": {"Date": None}}
    try:
        figure.savefig(path, dpi=160, metadata=dates.get(path.suffix))
    except OSError as error:
        raise InvalidParameterError(f"cannot write {str(path)!r}: {error.strerror or error}.") from None
    return path
