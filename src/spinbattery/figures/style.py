"""One look for all figures, and how they are written."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import InvalidParameterError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLOURS = {
    "cooperative": "#0b5fa5",
    "local": "#c8501e",
    "polarised": "#2c7d4f",
    "polarised local": "#7b4aa0",
}
REFERENCE = "#7a7a7a"

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


def new_figure(width: float, height: float) -> Figure:
    """A figure of a size in inches, with no window attached to it; make it within :func:`styled`."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def styled() -> AbstractContextManager[None]:
    """Context in which axes take the project's style."""
    import matplotlib as mpl

    return mpl.rc_context(_SETTINGS)


def save_figure(figure: Figure, path: str | Path) -> Path:
    """Write a figure as .png, .pdf or .svg.

    Raises:
        InvalidParameterError: another ending, or a place that cannot be written.
    """
    path = Path(path)
    if path.suffix not in FIGURE_ENDINGS:
        raise InvalidParameterError(f"{path.name!r} must end in {' or '.join(FIGURE_ENDINGS)}.")
    if not path.parent.is_dir():
        raise InvalidParameterError(f"the folder of {str(path)!r} does not exist; make it first.")
    # no dates in the files, so that the same figure is the same file
    metadata = {"CreationDate": None} if path.suffix == ".pdf" else {"Date": None} if path.suffix == ".svg" else None
    try:
        figure.savefig(path, dpi=160, metadata=metadata)
    except OSError as error:
        raise InvalidParameterError(f"cannot write {str(path)!r}: {error.strerror or error}.") from None
    return path
