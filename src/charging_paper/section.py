"""The pieces of a report: sections of paragraphs, figures, tables and audit rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from .runs import Request, Run, Runs

Verdict = Literal["reproduced", "corrected", "misprint", "not supported", "open"]
"""``corrected`` holds with the correction in the note; a ``misprint`` changes no result; ``open`` is undecided here."""


@dataclass(frozen=True)
class AuditItem:
    """A number or formula of the paper beside the value found here, the parameters of that value, and why."""

    item: str
    printed: str
    measured: str
    parameters: str
    verdict: Verdict
    note: str = ""


Row: TypeAlias = dict[str, Any]
"""Cells of a table by column."""


@dataclass(frozen=True)
class TableItem:
    """A table of the report, whose rows have the same columns, with the runs behind it.

    ``smaller`` says what only a full reproduction has.
    """

    caption: str
    rows: Sequence[Row]
    runs: Sequence[Run] = ()
    smaller: str = ""


@dataclass(frozen=True)
class FigureItem:
    """A figure of the report with the runs it was drawn from; ``stem`` names its files, ``smaller`` as in a table."""

    stem: str
    caption: str
    figure: Figure
    runs: Sequence[Run] = ()
    smaller: str = ""


class Section:
    """One part of the report: a title, and in any order paragraphs, figures, tables and audit rows."""

    def __init__(self, title: str, *content: str | FigureItem | TableItem | AuditItem) -> None:
        self.title = title
        self.text = [item for item in content if isinstance(item, str)]
        self.figures = [item for item in content if isinstance(item, FigureItem)]
        self.tables = [item for item in content if isinstance(item, TableItem)]
        self.audit = [item for item in content if isinstance(item, AuditItem)]


Part: TypeAlias = "tuple[Callable[[Runs], Section], Sequence[Request]]"
"""The function that builds a part, and the runs it needs."""
