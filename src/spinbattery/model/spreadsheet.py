"""Energy scales from the vendor's annealing-schedule spreadsheets."""

from __future__ import annotations

import csv
import io
import re
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np

from ..core.errors import EnergyScalesError
from ..core.paths import read_text, user_path
from .scales import EnergyScales, LinearTable, checked_table

DEFAULT_SHEET = "Standard-Annealing Schedule"

_HEADERS = {
    "s": re.compile(r"s", re.IGNORECASE),
    "A": re.compile(r"A\s*\(\s*s\s*\)\s*[(\[]\s*(?P<unit>[^)\]]*?)\s*[)\]]"),
    "B": re.compile(r"B\s*\(\s*s\s*\)\s*[(\[]\s*(?P<unit>[^)\]]*?)\s*[)\]]"),
}
_UNIT_IN_GHZ = {"GHz": 1.0, "MHz": 1e-3, "Hz": 1e-9}


# what zipfile, zlib, the XML parser and openpyxl raise for a damaged file
_DAMAGE = (
    zipfile.BadZipFile, zlib.error, ElementTree.ParseError, NotImplementedError, KeyError, ValueError, TypeError,
    EOFError, OSError,
)  # fmt: skip


def _sheet_rows(path: Path, sheet: str | None) -> tuple[str, list[list[Any]]]:
    """Name and rows of one sheet of an .xlsx workbook; the default is found by its name."""
    import openpyxl

    try:
        # from memory: openpyxl leaves a file open that it cannot read
        book = openpyxl.load_workbook(io.BytesIO(path.read_bytes()), read_only=True, data_only=True)
    except _DAMAGE as error:
        raise EnergyScalesError(f"{path.name} is not a readable .xlsx workbook: {error}") from None
    try:
        there = ", ".join(repr(name) for name in book.sheetnames)
        found = [sheet] if sheet else [name for name in book.sheetnames if "standard" in name.lower()]
        if len(found) > 1:
            raise EnergyScalesError(
                f"{path.name} has {len(found)} sheets with a standard schedule; name one of {there}."
            )
        wanted = found[0] if found else DEFAULT_SHEET
        if wanted not in book.sheetnames:
            raise EnergyScalesError(f"{path.name} has no sheet {wanted!r}; choose one of {there}.")
        try:
            return wanted, [list(row) for row in book[wanted].iter_rows(values_only=True)]
        except _DAMAGE as error:  # a read-only book is parsed only now
            raise EnergyScalesError(f"{path.name} is not a readable .xlsx workbook: {error}") from None
    finally:
        book.close()


def _csv_rows(path: Path) -> list[list[Any]]:
    text = read_text(path, EnergyScalesError)
    try:
        return list(csv.reader(io.StringIO(text, newline="")))
    except csv.Error as error:
        raise EnergyScalesError(f"{path.name} is not a readable .csv file: {error}") from None


def _columns(header: Iterable[Any], name: str) -> dict[str, tuple[int, float]]:
    """Column index and factor to GHz of s, A and B, found by their headings."""
    cells = [str("" if cell is None else cell).strip() for cell in header]
    found: dict[str, tuple[int, float]] = {}
    for key, pattern in _HEADERS.items():
        matches = [(k, match) for k, cell in enumerate(cells) if (match := pattern.fullmatch(cell))]
        if not matches:
            wanted = "s" if key == "s" else f"{key}(s) (GHz)"
            raise EnergyScalesError(f"{name} has no column headed {wanted!r}; its headings are {cells}.")
        if len(matches) > 1:
            raise EnergyScalesError(f"{name} has {len(matches)} columns for {key}; keep one.")
        column, match = matches[0]
        unit = match.groupdict().get("unit")
        if key != "s" and unit not in _UNIT_IN_GHZ:
            raise EnergyScalesError(f"{name}: {key}(s) is in {unit!r}; the heading must give one of GHz, MHz, Hz.")
        found[key] = (column, 1.0 if key == "s" else _UNIT_IN_GHZ[str(unit)])
    return found


def _numbers(rows: list[tuple[int, list[Any]]], column: int, factor: float, label: str) -> list[float]:
    values = []
    for line, row in rows:
        cell = row[column] if column < len(row) else None
        try:
            values.append(factor * float(cell))  # type: ignore[arg-type]
        except (TypeError, ValueError):
            raise EnergyScalesError(f"{label}: row {line} holds {cell!r}, which is not a number.") from None
    return values


def from_spreadsheet(path: str | Path, sheet: str | None = None) -> EnergyScales:
    """Energy scales from the vendor's .xlsx, or from a .csv with the same columns.

    The columns are found by their headings ``s``, ``A(s) (GHz)`` and ``B(s) (GHz)``; others are
    ignored. Values between rows are interpolated linearly in s, so the integrators see the table's
    own corners (see "accuracy" in the docs). The scales are named after the file and, of a workbook, the sheet.

    Args:
        path: the file.
        sheet: for .xlsx, the sheet; by default the one whose name holds "standard".

    Raises:
        EnergyScalesError: unreadable file, missing sheet or column, several standard sheets, a unit other than GHz,
            MHz or Hz, s not ascending from 0 to 1, entries missing, not finite or negative.
    """
    path = user_path(path)
    if not path.is_file():
        raise EnergyScalesError(f"there is no file {path.name!r}.")
    name = path.stem
    if path.suffix.lower() == ".xlsx":
        chosen, rows = _sheet_rows(path, sheet)
        name = f"{path.stem}, {chosen}"
    elif path.suffix.lower() == ".csv":
        if sheet is not None:
            raise EnergyScalesError(f"{path.name} is a .csv and has no sheet {sheet!r}; leave the sheet out.")
        rows = _csv_rows(path)
    else:
        raise EnergyScalesError(f"{path.name}: only .xlsx and .csv are read.")
    table_rows = [(line, row) for line, row in enumerate(rows, 1) if any(cell not in (None, "") for cell in row)]
    if len(table_rows) < 3:
        raise EnergyScalesError(f"{path.name} holds no table: a heading and two or more rows are needed.")
    table = {
        key: np.array(_numbers(table_rows[1:], column, factor, f"{path.name}, column {key}"))
        for key, (column, factor) in _columns(table_rows[0][1], path.name).items()
    }
    curves = []
    for key in ("A", "B"):
        s, values = checked_table(table["s"], table[key], f"{path.name}, {key}(s)")
        curves.append(LinearTable(tuple(s.tolist()), tuple(values.tolist())))
    return EnergyScales(name, *curves)
