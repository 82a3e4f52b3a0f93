"""Files of measured reads: SampleSets, tables and matrices; every line is read or refused."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..analysis.statistics import checked_shots
from ..core.errors import InsufficientMemoryError, RecordError
from ..core.machine import available_memory
from ..core.paths import read_text
from ..core.typing import FloatArray, IntArray
from ..model.labels import by_text
from ..model.network import SpinNetwork

if TYPE_CHECKING:
    import dimod

MAGNETIZATION_COLUMNS = ("magnetization", "magnetisation", "mu")
OCCURRENCE_COLUMNS = ("num_occurrences", "occurrences")
ENERGY_COLUMN = "energy"

_TOTALS = ("sz", "sz_total", "total_magnetization")
_NO_MAGNETIZATIONS = (*OCCURRENCE_COLUMNS, ENERGY_COLUMN, "chain_break_fraction", "sample", *_TOTALS)
"""Names of a single column that is not mu."""

_INDEX = ("", "unnamed: 0")
"""Names that pandas gives to the column of row numbers."""

_TABLES = (".csv", ".txt", ".tsv")
_BYTES_PER_READ = 64


@dataclass(frozen=True)
class Measurement:
    """The content of a file: spins, or mu of each read (reads,), and the names of columns that were not read."""

    reads: dimod.SampleSet | FloatArray
    has_energies: bool = False
    unused: tuple[str, ...] = ()
    counted: bool = True


def read_file(path: Path, network: SpinNetwork) -> Measurement:
    """Reads of a file, by its ending; see :func:`~spinbattery.interop.measurement.read_measurement`."""
    ending = path.suffix.lower()
    if ending == ".npy":
        return _of_array(path, network)
    if ending == ".json":
        return _of_json(path)
    if ending in _TABLES:
        return _ReadsTable(path, network).measurement()
    raise RecordError(
        f"{str(path)!r} must end in .json (a SampleSet, json.dump(samples.to_serializable(), file)), in .csv, .txt "
        "or .tsv (a table), or in .npy (a matrix of spins)."
    )


def checked_occurrences(
    occurrences: Any, n_spins: int, place: Callable[[int], str] = lambda k: f"row {k + 1} of the answer"
) -> IntArray:
    """Whole numbers of occurrences; refuses others, with the place of a row, and more reads than fit into memory."""
    counts = np.asarray(occurrences, dtype=np.float64)
    if (wrong := ~((counts >= 0.0) & (counts == np.rint(counts)) & np.isfinite(counts))).any():
        row = int(wrong.argmax())
        raise RecordError(
            f"{place(row)} has {counts[row]:g} occurrences; num_occurrences must be whole numbers of 0 or more."
        )
    needed, left = float(counts.sum()) * (_BYTES_PER_READ + 2 * n_spins), available_memory()
    if needed > left:
        raise InsufficientMemoryError(
            f"{counts.sum():.4g} reads of {n_spins} spins need about {needed / 1e9:.3g} GB, but {left / 1e9:.3g} GB "
            "are free; check num_occurrences."
        )
    return counts.astype(np.int64)


def _of_json(path: Path) -> Measurement:
    import dimod

    text = read_text(path, RecordError)
    try:
        samples = dimod.SampleSet.from_serializable(json.loads(text))
    except Exception as error:  # dimod raises whatever it meets
        raise RecordError(
            f"{str(path)!r} is not a SampleSet ({type(error).__name__}: {error}); write one with "
            "json.dump(samples.to_serializable(), file)."
        ) from None
    used = {"sample", ENERGY_COLUMN, "num_occurrences"}
    unused = tuple(name for name in samples.record.dtype.names if name not in used)
    return Measurement(samples, has_energies=True, unused=unused)


def _of_array(path: Path, network: SpinNetwork) -> Measurement:
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except OSError as error:
        raise RecordError(f"cannot read {str(path)!r}: {error.strerror or error}.") from None
    except (ValueError, EOFError) as error:
        raise RecordError(f"{str(path)!r} is not an array of numbers ({error}); write one with numpy.save.") from None
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "biuf" or array.ndim not in (1, 2):
        raise RecordError(
            f"{str(path)!r} must hold a matrix of spins (reads, {network.n_spins}) or a row of magnetizations (reads,)."
        )
    if array.ndim == 1:
        return Measurement(checked_shots(array, network.n_spins, lambda k: f"entry {k + 1}"))
    if array.shape[1] != network.n_spins:
        hint = "; transpose it" if array.shape[0] == network.n_spins else ""
        raise RecordError(
            f"{str(path)!r} has {array.shape[1]} columns, but {network.name} has {network.n_spins} spins{hint}."
        )
    rows = np.arange(1, len(array) + 1)
    return Measurement(_sample_set(_spins(array, rows, "row", path), network.names))


def _sample_set(
    spins: Any, labels: Sequence[Hashable], energies: FloatArray | None = None, counts: IntArray | None = None
) -> dimod.SampleSet:
    import dimod

    return dimod.SampleSet.from_samples(
        (spins, list(labels)),
        vartype="SPIN",
        energy=np.zeros(len(spins)) if energies is None else energies,
        num_occurrences=np.ones(len(spins), dtype=np.int64) if counts is None else counts,
    )


def _spins(values: Any, places: IntArray, what: str, path: Path) -> Any:
    """Spins (reads, N) as int8 of -1 and +1, from these or from bits, of which 1 is up."""
    strange = (values != 1) & (values != 0) & (values != -1)
    if strange.any():
        row, column = np.argwhere(strange)[0]
        raise RecordError(
            f"{str(path)!r}, {what} {places[row]}: {values[row, column]:g} is not a spin; spins are -1 and +1, or 0 "
            "and 1, of which 1 is up (3 marks a qubit that was not used)."
        )
    bits, down = (values == 0).any(axis=1), (values == -1).any(axis=1)
    if bits.any() and down.any():
        row = max(int(bits.argmax()), int(down.argmax()))
        raise RecordError(
            f"{str(path)!r}, {what} {places[row]}: spins are -1 and +1, or 0 and 1 throughout, but here and before "
            "there are both 0 and -1; write one or the other."
        )
    return np.where(values == 1, 1, -1).astype(np.int8)


class _ReadsTable:
    """A text of rows with equal numbers of cells; the first row may name the columns.

    Cells are separated by commas, semicolons, tabs or blanks; empty lines, and those that begin with #, are comments.
    """

    def __init__(self, path: Path, network: SpinNetwork) -> None:
        self.path, self.network, self.first_line = path, network, 0
        self.labels = set(map(str, network.names))
        rows = self._rows(read_text(path, RecordError))
        if not rows:
            raise self._error("is empty; give one magnetization a row, or the spins of one read.")
        (self.first_line, first), self.width = rows[0], len(rows[0][1])
        for line, cells in rows:
            if len(cells) != self.width:
                raise self._error(
                    f"has {len(cells)} cells, but line {self.first_line} has {self.width}; give all rows alike, and "
                    "write decimals with a point.",
                    line,
                )
        self.names = self._names(first)
        rows = rows[len(self.names) > 0 :]
        self.lines = np.array([line for line, _ in rows], dtype=np.int64)
        self.cells = [cells for _, cells in rows]

    def measurement(self) -> Measurement:
        """The spins, or the magnetizations where there are no spins."""
        if not self.names:
            return self._unnamed()
        if len(set(self.names)) < self.width:
            raise self._error("has two columns of one name; rename or remove one.")
        spins = [column for column, name in enumerate(self.names) if name in self.labels]
        lowered = [name.lower() for name in self.names]
        if self.width == 1 and not spins and lowered[0] not in _NO_MAGNETIZATIONS:
            return self._magnetizations(0, None, ())
        find = {name: column for column, name in reversed(list(enumerate(lowered))) if column not in spins}
        counts = next((find[name] for name in OCCURRENCE_COLUMNS if name in find), None)
        mu = next((find[name] for name in MAGNETIZATION_COLUMNS if name in find), None)
        energy = find.get(ENERGY_COLUMN)
        used = {*spins, counts, energy} if spins else {mu, counts}
        left = [name for column, name in enumerate(self.names) if column not in used]
        if left and left[0] == self.names[0] and left[0].lower() in _INDEX:
            del left[0]
        if strange := [name for name in left if _is_number(name)]:
            raise self._error(
                f"has columns that are named like spins ({', '.join(strange[:4])}), which {self.network.name} does not "
                "have; give the network that was sampled."
            )
        if spins:
            return self._samples(spins, energy, counts, tuple(left))
        if mu is None:
            raise self._nothing_known(find)
        return self._magnetizations(mu, counts, tuple(left))

    def _unnamed(self) -> Measurement:
        """Magnetizations in one column, or spins in the order of the network."""
        if self.width == 1:
            return self._magnetizations(0, None, ())
        if self.width != self.network.n_spins:
            raise self._error(
                f"has {self.width} columns without names, but {self.network.name} has {self.network.n_spins} spins; "
                "give one for each spin, or name them, such as mu,num_occurrences."
            )
        return Measurement(_sample_set(self._spins(range(self.width)), self.network.names))

    def _rows(self, text: str) -> list[tuple[int, list[str]]]:
        """Number and cells of each line that has any."""
        lines = [(number, line) for number, line in enumerate(text.splitlines(), start=1)
                 if line.strip() and not line.lstrip().startswith("#")]  # fmt: skip
        if not lines:
            return []
        ends = lines[0][1] + lines[-1][1]
        delimiter = next((mark for mark in (";", "\t", ",") if mark in ends), None)
        blanks = len(lines[-1][1].split()) > 1  # else blanks in the first line are in the name of one column
        rows = []
        for number, line in lines:
            if delimiter is None:
                cells = line.split() if blanks else [line]
            else:
                try:
                    cells = next(csv.reader([line], delimiter=delimiter, skipinitialspace=True))
                except csv.Error as error:
                    raise self._error(f"is not a row of a table: {error}.", number) from None
            rows.append((number, [cell.strip() for cell in cells]))
        return rows

    def _names(self, first: list[str]) -> list[str]:
        """Names of the columns, where the first line has some and no numbers of its own."""
        if not all(map(_is_number, first)):
            return first
        if len(first) == 1 or len(set(first)) < len(first) or not self.labels.issuperset(first):
            return []
        if {float(cell) for cell in first} <= {-1.0, 0.0, 1.0}:
            raise self._error(
                f"may name the spins {', '.join(first)} or be their values in a read; write spins as -1 and +1, or put "
                "a column num_occurrences beside them."
            )
        return first

    def _spins(self, columns: Sequence[int]) -> Any:
        return _spins(self._numbers(columns, "a spin"), self.lines, "line", self.path)

    def _numbers(self, columns: Sequence[int], what: str) -> FloatArray:
        """These columns, (rows, columns)."""
        try:
            found = np.fromiter((float(cells[column]) for cells in self.cells for column in columns), np.float64)
        except ValueError:
            cells = ((k, row[column]) for k, row in enumerate(self.cells) for column in columns)
            k, wrong = next((k, cell) for k, cell in cells if not _is_number(cell))
            raise self._error(f"has {wrong!r} where {what} is wanted; write a number.", self.lines[k]) from None
        return found.reshape(len(self.cells), len(columns))

    def _counts(self, column: int | None) -> IntArray | None:
        """How often each row occurred, 0 for never."""
        if column is None:
            return None
        counts = self._numbers([column], "a number of occurrences")[:, 0]
        return checked_occurrences(counts, self.network.n_spins, self._place)

    def _place(self, row: int) -> str:
        return f"line {self.lines[row]} of {str(self.path)!r}"

    def _magnetizations(self, column: int, counts: int | None, unused: tuple[str, ...]) -> Measurement:
        values, occurrences = self._numbers([column], "a magnetization")[:, 0], self._counts(counts)
        rows = np.repeat(np.arange(len(values)), 1 if occurrences is None else occurrences)
        shots = checked_shots(values[rows], self.network.n_spins, lambda k: self._place(rows[k]))
        return Measurement(shots, unused=unused, counted=occurrences is not None)

    def _samples(
        self, columns: list[int], energy: int | None, counts: int | None, unused: tuple[str, ...]
    ) -> Measurement:
        labels = by_text(self.network.names, self.network.name)
        spins = self._spins(columns)
        energies = None if energy is None else self._numbers([energy], "an energy")[:, 0]
        occurrences = self._counts(counts)
        samples = _sample_set(spins, [labels[self.names[column]] for column in columns], energies, occurrences)
        return Measurement(samples, energy is not None, unused, occurrences is not None)

    def _nothing_known(self, find: dict[str, int]) -> RecordError:
        if total := next((self.names[find[name]] for name in _TOTALS if name in find), None):
            return self._error(
                f"has a column {total}, a sum over all spins; divide it by N = {self.network.n_spins} and call it mu."
            )
        if "sample" in find:
            return self._error(
                "has its spins in one column, sample; write it with to_pandas_dataframe(sample_column=False)."
            )
        return self._error(
            f"has {self.width} columns, none of them called magnetization or mu, or named after a spin of "
            f"{self.network.name}; name the one that is, or leave the others out."
        )

    def _error(self, sentence: str, line: int = 0) -> RecordError:
        line = line or self.first_line
        place = f"line {line} of {str(self.path)!r}" if line else repr(str(self.path))
        return RecordError(f"{place} {sentence}")


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
