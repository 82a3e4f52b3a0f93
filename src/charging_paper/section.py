"""What a part of the reproduction consists of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from .runs import Request, Run, Runs

Verdict = Literal["reproduced", "corrected", "misprint", "not supported", "open"]


@dataclass(frozen=True)
class AuditItem:
    """One number or formula of the paper, held against what was computed here.

    Attributes:
        item: what it is and where it stands.
        printed: the paper's value.
        measured: ours.
        parameters: with what ours was obtained.
        verdict: ``reproduced``; ``corrected`` (holds with the correction in the note); ``misprint``
            (of no consequence to the results); ``not supported``; ``open`` (this version cannot say).
        note: why.
    """

    item: str
    printed: str
    measured: str
    parameters: str
    verdict: Verdict
    note: str

    def to_dict(self) -> dict[str, str]:
        return asdict(self)


@dataclass(frozen=True)
class TableItem:
    """A table of the report."""

    caption: str
    header: tuple[str, ...]
    rows: Sequence[Sequence[str]]
    runs: Sequence[Run] = ()


@dataclass(frozen=True)
class FigureItem:
    """A figure of the report with the runs it was drawn from."""

    stem: str
    caption: str
    figure: Figure
    runs: Sequence[Run] = ()


@dataclass(frozen=True)
class Section:
    """One part: a title, paragraphs, figures, tables and audited numbers."""

    key: str
    title: str
    text: tuple[str, ...]
    figures: tuple[FigureItem, ...] = ()
    tables: tuple[TableItem, ...] = ()
    audit: tuple[AuditItem, ...] = ()


Part: TypeAlias = "tuple[Callable[[Runs], Section], Sequence[Request]]"
"""What builds a part, and the runs it needs."""


def plus_minus(value: float, error: float) -> str:
    """A value with its standard error to two digits of the error, such as ``0.88 +- 0.23``."""
    if abs(value) >= 1e4:
        return f"{value:.1e} +- {error:.1e}"
    return f"{value:.2f} +- {error:.2f}" if error >= 0.005 else f"{value:.4f} +- {error:.0e}"
