"""mu(t) and sigma(t) of records with output times."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..core.errors import RecordError
from .axes import LABELS
from .style import COLOURS, colours_of, draw_corners, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ..records.record import Record


def plot_trajectories(records: Sequence[Record], names: Sequence[str] | None = None) -> Figure:
    """mu(t) and sigma(t), one line for each record with output times, with the corners of the protocol marked.

    Without ``names`` the legend has protocol and N, and the lines have the colours of the protocols.
    """
    for record in records:
        if record.times.size < 2:
            raise RecordError("this record has no output times; charge again with some (times=...).")
    with new_figure(7.6, 3.1) as figure:
        axes = figure.subplots(1, 2)
        protocols = [str(record.attributes["protocol"]) for record in records]
        labels = names or [f"{name}, N = {record.n_spins}" for name, record in zip(protocols, records, strict=True)]
        labels = [f"{label}{_caution(record)}" for label, record in zip(labels, records, strict=True)]
        colours = [COLOURS.get(name) for name in protocols] if names is None else [*colours_of(names).values()]
        for record, label, colour in zip(records, labels, colours, strict=True):
            for axis, name in zip(axes, ("magnetization_t", "std_t"), strict=True):
                axis.plot(record.times, record.variables[name].values, color=colour, linewidth=1.1, label=label)
        for axis, quantity in zip(axes, ("magnetization", "std"), strict=True):
            draw_corners(axis, records[0].problem.protocol)
            axis.set_xlabel("t (ns)")
            axis.set_ylabel(LABELS[quantity])
        axes[0].set_ylim(-1.05, 1.05)
        axes[1].set_ylim(bottom=0.0)
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=len(records))
    return figure


def _caution(record: Record) -> str:
    """A remark on the accuracy of a curve."""
    if record.approximation:
        return f" ({record.engine}, an approximation)"
    why = record.no_precision
    return "" if why is None or why.is_zero else f" ($\\sigma$ {why})"
