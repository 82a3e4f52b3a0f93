"""Instance files: lists of bonds as spin-glass and optimisation libraries write them; each line is read or refused."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NoReturn

import numpy as np

from ..core.checks import NUMBER
from ..core.errors import NetworkError
from ..core.paths import read_text
from .network import SpinNetwork

ENDINGS = (".edgelist", ".txt", ".csv", ".tsv", ".coo", ".rud", ".rudy", ".gset")

_SEPARATORS = {";": "semicolons", ",": "commas", "\t": "tabs"}
_WHOLE = re.compile(r"\d{1,18}", re.ASCII)
_LABEL = re.compile(r"-?(0|[1-9]\d{0,17})", re.ASCII)
"""A whole number in its only spelling: 07 is a text."""

_MOST_SPINS = 1_000_000
_FORMATS = (
    (re.compile(r"%%MatrixMarket", re.IGNORECASE), "MatrixMarket"),
    (re.compile(r"p\s+(\w+\s+)?\d+\s+\d+"), "DIMACS"),
    (re.compile(r"#\s*vartype\s*=\s*BINARY", re.IGNORECASE), "COO of a BINARY model"),
)
"""Lines of other formats, whose numbers mean something else."""

_ENDS = (
    ("i", "j"), ("u", "v"), ("source", "target"), ("from", "to"), ("node1", "node2"), ("spin1", "spin2"),
    ("row", "col"),
)  # fmt: skip
_WEIGHTS = frozenset({"w", "weight", "J", "coupling", "value"})
_PHYSICS = frozenset({"crosstalk", "h", "field", "bias"})
_HEADS = "i,j,w or source,target,weight"

Row = tuple[int, list[str]]
"""Number of a line, from 1, and its cells."""


def read_instance(path: Path, weight: str | Literal[False] | None = None, name: str | None = None) -> SpinNetwork:
    """Network of a list of bonds: the labels of two spins in each line, and a weight, or weights of 1 throughout.

    Cells are separated by blanks, tabs, commas or semicolons; text after ``#``, and lines that begin with ``%``, are
    comments. The first line may be ``N M`` (rudy, Gset): M bonds with weights follow, between spins 1 to N, or 0 to
    N - 1 where a 0 occurs. Or it names columns, of which ``weight`` chooses one. Labels are whole numbers where all
    are, else texts.

    Args:
        path: of the file.
        weight: name of the column that is the weight, or False for weights of 1 whatever the third column says.
        name: of the network; by default the name of the file.

    Raises:
        NetworkError: a line that cannot be understood, is there twice, or couples a spin to itself; with its number.
    """
    return _Instance(path, weight).network(name or path.name)


@dataclass(frozen=True)
class _Layout:
    """Columns of the spins and of the weight (None for weights of 1), their number, and the line that decides it."""

    ends: tuple[int, int]
    weight: int | None
    width: int
    line: int


Bond = tuple[int, list[str], float]
"""Number of a line, the labels of its spins, and the weight."""


@dataclass(frozen=True)
class _Instance:
    path: Path
    weight: str | Literal[False] | None

    def network(self, name: str) -> SpinNetwork:
        rows = self._rows()
        if not rows:
            self._refuse(None, "holds no bonds: no line has two labels")
        counted = None
        if self._has_heads(rows):
            layout, rows = self._named(rows), rows[1:]
        else:
            if self._is_counted(rows):
                counted, rows = int(rows[0][1][0]), rows[1:]
            layout = self._unnamed(rows[0])
        return self._built(name, [self._bond(row, layout) for row in rows], counted)

    def _refuse(self, line: int | None, why: str) -> NoReturn:
        where = "" if line is None else f", line {line}"
        raise NetworkError(f"{self.path.name!r}{where}: {why}.")

    def _rows(self) -> list[Row]:
        """Lines with their cells, separated by the same mark in the whole file."""
        lines = []
        for k, raw in enumerate(read_text(self.path, NetworkError).splitlines(), 1):
            line = raw.strip()
            if kind := next((kind for pattern, kind in _FORMATS if pattern.match(line)), ""):
                self._refuse(
                    k,
                    f"{line!r} is of the format {kind}, which is not read; write i, j and weight of spins -1 and +1 in "
                    "each line",
                )
            line = re.split(r"(?:^|\s)#", line, maxsplit=1)[0].strip()
            if line and not line.startswith("%"):
                lines.append((k, line))
        if not lines:
            return []
        begun, first = lines[0]
        separator = next((mark for mark in _SEPARATORS if mark in first), None)
        rows = []
        for k, line in lines:
            cells = line.split() if separator is None else _cells(line, separator)
            if any(len(cell.split()) != 1 for cell in cells) or (
                separator is None and len(cells) == 1 and any(mark in line for mark in _SEPARATORS)
            ):
                self._refuse(
                    k,
                    f"{line!r} is not separated by {_SEPARATORS.get(separator or '', 'blanks')} alone, as line {begun} "
                    "is; use one separator, no empty columns, and decimal points",
                )
            rows.append((k, cells))
        return rows

    def _has_heads(self, rows: list[Row]) -> bool:
        """Whether the first line names columns."""
        (line, heads), rest = rows[0], rows[1:]
        if any(NUMBER.fullmatch(cell) for cell in heads):
            return False
        known = _ends(heads) is not None
        if not known and (len(heads) > 2 or self._are_alone(heads, rest)):
            self._refuse(line, f"{heads} are not a bond, nor known names of columns; call the columns {_HEADS}")
        return known

    def _are_alone(self, heads: Sequence[str], rest: Sequence[Row]) -> bool:
        """Whether texts of the first line look like names of columns: no label of any other line is like them."""
        labels = {cell for _, cells in rest for cell in cells[:2]}
        return bool(labels) and (all(map(_LABEL.fullmatch, labels)) or labels.isdisjoint(heads))

    def _named(self, rows: list[Row]) -> _Layout:
        """Columns by their names."""
        (line, heads), rest = rows[0], rows[1:]
        ends = _ends(heads) or (0, 1)
        if not rest:
            self._refuse(line, "names columns, but no bonds follow")
        names = {heads[k] for k in ends}
        if any(cells[k] in names for _, cells in rest for k in ends if k < len(cells)):
            self._refuse(line, f"{heads} may name columns or spins; name the columns {_HEADS}, and no spin like them")
        others = [k for k in range(len(heads)) if k not in ends]
        return _Layout(ends, self._weight_column(line, heads, others), len(heads), line)

    def _weight_column(self, line: int, heads: Sequence[str], others: Sequence[int]) -> int | None:
        if self.weight is False or (not others and self.weight is None):
            return None
        names = [heads[k] for k in others]
        if self.weight is not None:
            if lost := [name for name in names if name.lower() in _PHYSICS and name != self.weight]:
                self._refuse(
                    line,
                    f"names the column {lost[0]!r}, which a list of bonds cannot have; remove it, or write GraphML, "
                    "whose edges may have crosstalk",
                )
            if self.weight not in names:
                self._refuse(line, f"names no column {self.weight!r}; its columns are {list(heads)}")
            return heads.index(self.weight)
        if len(names) > 1 or not _WEIGHTS & {names[0], names[0].lower()}:
            self._refuse(
                line,
                f"names the columns {', '.join(map(repr, names))} beside the spins; choose the weight, as in "
                f"file:...?weight={names[0]}, or remove the others",
            )
        return others[0]

    def _unnamed(self, row: Row) -> _Layout:
        """Two spins and, where there is a third column, the weight of their bond."""
        line, cells = row
        if isinstance(self.weight, str):
            self._refuse(None, f"does not name its columns; the third is the weight, so leave out weight={self.weight}")
        if len(cells) not in (2, 3):
            self._refuse(line, f"has {len(cells)} columns; a bond has two spins and at most a weight")
        return _Layout((0, 1), 2 if len(cells) == 3 and self.weight is None else None, len(cells), line)

    def _is_counted(self, rows: list[Row]) -> bool:
        """Whether the first line is N and M; files that can be read either way are refused."""
        (line, head), rest = rows[0], rows[1:]
        text, are_whole, widths = " ".join(head), all(map(_WHOLE.fullmatch, head)), {len(cells) for _, cells in rest}
        if len(head) == 2 and not rest and are_whole and int(head[1]) == 0:
            self._refuse(line, f"{text!r} may be a bond, or a number of spins without bonds")
        if len(head) != 2 or widths not in ({2}, {3}):
            return False
        misfit = _misfit(int(head[0]), int(head[1]), rest) if are_whole else f"{text!r} are not numbers"
        if widths == {2}:
            if not misfit:
                self._refuse(
                    line,
                    f"{text!r} may be a bond, or the numbers of spins and bonds; give each bond its weight in a third "
                    "column, or remove the line if it is not a bond",
                )
            return False
        if misfit:
            self._refuse(line, f"has 2 columns and the others 3, but is not the numbers of spins and bonds: {misfit}")
        return True

    def _bond(self, row: Row, layout: _Layout) -> Bond:
        line, cells = row
        if len(cells) != layout.width:
            self._refuse(line, f"has {len(cells)} columns, but line {layout.line} has {layout.width}")
        ends = [cells[k] for k in layout.ends]
        if layout.weight is None:
            return line, ends, 1.0
        text = cells[layout.weight]
        if not NUMBER.fullmatch(text) or not math.isfinite(float(text)):
            decimal = "; write it with a decimal point" if "," in text else ""
            self._refuse(line, f"the weight {text!r} is not a finite number{decimal}")
        return line, ends, float(text)

    def _built(self, name: str, bonds: list[Bond], counted: int | None) -> SpinNetwork:
        whole = all(_LABEL.fullmatch(label) for _, ends, _ in bonds for label in ends)
        place: dict[Any, int] = {}
        if counted is not None:
            least = _least([int(label) for _, ends, _ in bonds for label in ends])
            place = {least + k: k for k in range(counted)}
        seen: dict[tuple[int, int], int] = {}
        weights = []
        for line, ends, value in bonds:
            keys = [int(end) if whole else end for end in ends]
            if keys[0] == keys[1]:
                self._refuse(
                    line, f"couples spin {keys[0]} to itself; a field is not a bond; it belongs to the protocol"
                )
            first, second = sorted(place.setdefault(key, len(place)) for key in keys)
            if (first, second) in seen:
                self._refuse(
                    line,
                    f"the pair {keys[0]}, {keys[1]} is in line {seen[first, second]} already, so that it stands there "
                    "more than once; give each pair once, with its total weight",
                )
            seen[first, second] = line
            weights.append(value)
        pairs = np.array(list(seen), dtype=np.int64).reshape(-1, 2)
        return SpinNetwork(len(place), pairs, np.array(weights), name=name, labels=tuple(place))


def _cells(line: str, separator: str) -> list[str]:
    """Cells of a line; quotes about a cell are not part of it."""
    try:
        cells = next(csv.reader([line], delimiter=separator, skipinitialspace=True, strict=True))
        return [cell.strip() for cell in cells]
    except csv.Error:
        return line.split(separator)


def _ends(heads: Sequence[str]) -> tuple[int, int] | None:
    """Columns of the two spins, by names that are known; None where none are."""
    small = [head if head == "J" else head.lower() for head in heads]  # J is a weight
    for pair in _ENDS:
        if all(small.count(name) == 1 for name in pair):
            return small.index(pair[0]), small.index(pair[1])
    return None


def _least(numbers: Sequence[int]) -> int:
    """First of the numbers of spins: 0 where it occurs, else 1."""
    return 0 if 0 in numbers else 1


def _misfit(n_spins: int, n_bonds: int, rest: list[Row]) -> str:
    """Reason why N and M are not the numbers of spins and bonds in the other lines; empty if they are."""
    if n_bonds != len(rest):
        return f"{n_bonds} bonds are announced, but {len(rest)} lines follow"
    labels = [label for _, cells in rest for label in cells[:2]]
    if not all(_LABEL.fullmatch(label) for label in labels):
        return "the spins are not whole numbers"
    if n_spins > _MOST_SPINS:
        return f"{n_spins} spins are announced, and networks of up to {_MOST_SPINS} are read"
    numbers = [int(label) for label in labels]
    least = _least(numbers)
    if min(numbers) < least or max(numbers) >= least + n_spins:
        return f"{n_spins} spins are announced, but they are numbered {min(numbers)} to {max(numbers)}"
    return ""
