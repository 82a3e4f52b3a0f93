"""A folder of records: one file for each run, named by what was run, and an index of them."""

from __future__ import annotations

import contextlib
import hashlib
import json
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ..atomic import replacing
from ..errors import RecordError
from ..paths import user_path
from ..progress import Progress, silent
from ..record import Record, canonical_json, read_record
from .claims import claim, claimed
from .columns import PARAMETERS, Row, record_row
from .filters import conditions
from .index import Index

if TYPE_CHECKING:
    import xarray as xr

Status = Literal["done", "failed", "damaged"]

_STEM_DIGITS = 32
_RECORD, _FAILURE, _PART = ".nc", ".failed.json", ".part"
_CLAIMS = ".claims"
_CHECKPOINTS = ".checkpoints"
_ABANDONED_S = 3600.0
"""A file under a temporary name lives for milliseconds; after an hour its writer is dead."""

_BATCH = 200


@dataclass(frozen=True)
class Entry:
    """What the index holds of one file; plain data, small enough to be sent between processes."""

    stem: str
    row: Row


class Store:
    """Records by key, one netCDF file each, with an SQLite index.

    The key is the hash of the problem, the engine with its options, the output times and the schema
    version: a run already there need not be run again, and one with another tolerance is another run.
    The files are what counts. The index (``index.sqlite``) only makes looking quick: it follows the
    files by itself and may be deleted at any time. Several processes, on several machines that share
    the folder, may read and write at once.
    """

    def __init__(self, folder: str | Path) -> None:
        """Open a folder, made where it does not exist.

        Raises:
            RecordError: it cannot be made.
        """
        self.folder = user_path(folder).absolute()  # workers may have other working directories
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RecordError(f"cannot make the folder {str(self.folder)!r}: {error.strerror}") from None
        self._index = Index(self.folder / "index.sqlite")

    def __repr__(self) -> str:
        return f"Store({str(self.folder)!r})"

    def __getstate__(self) -> dict[str, Any]:
        return {"folder": self.folder}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(state["folder"])  # type: ignore[misc]

    # one run

    def path(self, key: str) -> Path:
        """Where the record of this key is or would be."""
        return self.folder / f"{key[:_STEM_DIGITS]}{_RECORD}"

    def __contains__(self, key: str) -> bool:
        return self.path(key).is_file()

    def get(self, key: str) -> Record | None:
        """The record of this key, or None where there is none.

        Raises:
            RecordError: there is a file, but it is damaged or of another run.
        """
        return _intact(self.path(key)) if key in self else None

    def put(self, record: Record) -> Path:
        """Write a record atomically, index it, and return its path.

        Raises:
            RecordError: it cannot be written.
        """
        self.index([self.write(record)])
        return self.path(record.key)

    def write(self, record: Record) -> Entry:
        """Write a record atomically; the entry is for :meth:`index`, now or with others later.

        Raises:
            RecordError: it cannot be written.
        """
        content = record.to_bytes()
        record.save(self.path(record.key), content)
        self._failure_path(record.key).unlink(missing_ok=True)
        return _entry(record, content)

    def write_failure(self, parameters: Row, error: str) -> Entry:
        """Note that a run failed, and why; ``parameters`` are its columns, the key among them.

        Raises:
            RecordError: it cannot be written.
        """
        row = {**parameters, "status": "failed", "error": error}
        path = self._failure_path(str(parameters["key"]))
        try:
            with replacing(path) as temporary:
                temporary.write_text(canonical_json(row) + "\n", encoding="utf-8")
        except OSError as failure:
            raise RecordError(f"cannot write {str(path)!r}: {failure.strerror}.") from failure
        return Entry(_stem(path), row)

    def failure(self, key: str) -> str | None:
        """Why the run of this key failed, or None where it did not."""
        path = self._failure_path(key)
        return str(_read(path).row["error"]) if path.is_file() else None

    def checkpoint_path(self, key: str) -> Path:
        """Where a running problem keeps what it has reached (beginning of file names), until its record is written."""
        return self.folder / _CHECKPOINTS / key[:_STEM_DIGITS]

    def claim(self, key: str) -> AbstractContextManager[bool]:
        """Context in which nobody else runs this key; gives False where another process has it."""
        return claim(self._claim_path(key))

    def claimed(self, key: str) -> bool:
        """Whether another process is running this key now."""
        return claimed(self._claim_path(key))

    # the index

    def index(self, entries: Iterable[Entry]) -> None:
        """Enter runs into the index; what does not get in is found by :meth:`sync`."""
        with contextlib.suppress(sqlite3.Error):
            self._index.add((entry.stem, entry.row) for entry in entries)

    def sync(self, progress: Progress = silent) -> None:
        """Let the index follow the files: enter new ones, forget those that are gone.

        Raises:
            RecordError: the index cannot be used (locked for long, or the disk is full).
        """
        try:
            self._index.repair()
            self._follow_or_in_memory(progress)
        except sqlite3.Error as error:
            raise RecordError(f"the index of {str(self.folder)!r} cannot be used: {error}.") from error

    def rebuild(self, progress: Progress = silent) -> dict[Status, int]:
        """Make the index again from the files, each read and checked; returns how many of each status.

        Raises:
            RecordError: see :meth:`sync`.
        """
        try:
            self._index.repair()
            try:
                self._index.clear()
            except sqlite3.OperationalError as error:
                self._go_on_without_room(error)
            self._follow_or_in_memory(progress)
            files = self._index.files().values()
        except sqlite3.Error as error:
            raise RecordError(f"the index of {str(self.folder)!r} cannot be used: {error}.") from error
        return {status: sum(file["status"] == status for file in files) for status in ("done", "failed", "damaged")}

    def _follow_or_in_memory(self, progress: Progress) -> None:
        self._remove_abandoned()
        try:
            self._follow(progress)
        except sqlite3.OperationalError as error:
            self._go_on_without_room(error)
            self._follow(progress)

    def _go_on_without_room(self, error: sqlite3.OperationalError) -> None:
        if error.sqlite_errorcode != sqlite3.SQLITE_FULL:
            raise error
        self._index.use_memory()

    def _follow(self, progress: Progress) -> None:
        known, present = self._index.files(), self._present()
        self._index.remove(stem for stem in known if stem not in present)
        new = [
            (stem, path)
            for stem, path in present.items()
            if stem not in known or (known[stem]["status"] == "failed") != path.name.endswith(_FAILURE)
            or known[stem]["status"] == "damaged"
        ]  # fmt: skip
        for first in range(0, len(new), _BATCH):
            entries = [self._read_known(path) for _, path in new[first : first + _BATCH]]
            self._index.add((entry.stem, entry.row) for entry in entries)
            progress(min(1.0, (first + _BATCH) / len(new)), f"reading {len(new)} records")

    def _read_known(self, path: Path) -> Entry:
        """Entry of a file; one that is damaged keeps the parameters that the index has of it."""
        entry = _read(path)
        if entry.row["status"] == "damaged":
            for before in self._index.rows("stem = ?", [entry.stem]):
                kept = {name: before[name] for name in PARAMETERS}
                return Entry(entry.stem, {**kept, "status": "damaged", "error": entry.row["error"]})
        return entry

    def _present(self) -> dict[str, Path]:
        """File of every run by stem; a record counts before a failure."""
        failures = {_stem(path): path for path in self.folder.glob(f"*{_FAILURE}")}
        return failures | {_stem(path): path for path in self.folder.glob(f"*{_RECORD}")}

    def _remove_abandoned(self) -> None:
        parts = [path for folder in (self.folder, self.folder / _CHECKPOINTS) for path in folder.glob(f".*{_PART}")]
        # of a run whose process ended after its record was written
        behind = [path for path in (self.folder / _CHECKPOINTS).glob("*.npz") if self._has_record_of(path)]
        for path in parts + behind:
            try:
                if time.time() - path.stat().st_mtime > _ABANDONED_S:
                    path.unlink()
            except OSError:  # its writer has just renamed it, or the folder is not ours
                continue
        for path in (self.folder / _CLAIMS).glob("*"):
            with contextlib.suppress(OSError):
                claimed(path)  # removes the file where nobody holds it: its owner was killed

    def _has_record_of(self, checkpoint: Path) -> bool:
        return (self.folder / f"{checkpoint.name.partition('.')[0]}{_RECORD}").is_file()

    def statuses(self, keys: Iterable[str]) -> dict[str, Status]:
        """Which of these runs the store has, each file compared with the digest the index keeps of it.

        Raises:
            RecordError: see :meth:`sync`.
        """
        self.sync()
        known = self._index.files()
        found: dict[str, Status] = {}
        changed = []
        for key in keys:
            path = self.path(key)
            entry = known.get(_stem(path))
            if entry is None:
                continue
            if entry["status"] == "done" and entry["digest"] != _digest(path):
                changed.append(self._read_known(path))
                found[key] = changed[-1].row["status"]
            else:
                found[key] = entry["status"]
        self.index(changed)
        return found

    def errors(self, keys: Iterable[str]) -> dict[str, str]:
        """Errors of those runs that failed or are damaged, as the index knows them."""
        wrong = {row["key"][:_STEM_DIGITS]: str(row["error"]) for row in self.rows(status=["failed", "damaged"])}
        return {key: wrong[key[:_STEM_DIGITS]] for key in keys if key[:_STEM_DIGITS] in wrong}

    # many runs

    def rows(self, **filters: Any) -> list[Row]:
        """Columns of the runs that fulfil the filters, smallest networks first; see :meth:`select`.

        Raises:
            InvalidParameterError: an unknown column or an unusable value.
            RecordError: see :meth:`sync`.
        """
        where, values = conditions(filters)
        self.sync()
        try:
            return self._index.rows(where, values)
        except sqlite3.Error as error:
            raise RecordError(f"the index of {str(self.folder)!r} cannot be used: {error}.") from error

    def records(self, **filters: Any) -> Iterator[Record]:
        """Finished records that fulfil the filters, one after the other; see :meth:`select`."""
        for row in self.rows(**{"status": "done", **filters}):
            record = self.get(row["key"])
            if record is not None:  # None: removed since the index was read
                yield record

    def select(self, **filters: Any) -> xr.Dataset:
        """Finished runs as one Dataset along ``run``; see :func:`~spinbattery.store.gather.gather`.

        Args:
            filters: a value, a list of values, or a slice (both ends included) for any column: ``n_spins=9``,
                ``protocol=["cooperative", "local"]``, ``duration=slice("20ns", "60ns")``. All must hold.

        Raises:
            InvalidParameterError: an unknown column or an unusable value.
            RecordError: no run fulfils them all, or a file is damaged (it is named).
        """
        from .gather import gather

        records = list(self.records(**filters))
        if not records:
            asked = f" fulfils {filters}" if filters else ""
            raise RecordError(f"no finished run in {str(self.folder)!r}{asked}; list what there is.")
        return gather(records)

    def export(self, path: str | Path, **filters: Any) -> int:
        """Write runs as a table, .parquet or .csv, one row each; returns how many.

        Units stand in the names of the columns (``duration_ns``); what is not known is missing.

        Args:
            path: of the table.
            filters: see :meth:`select`; failed runs are exported, too, with their ``status``.

        Raises:
            InvalidParameterError: another ending, an unknown column or an unusable value.
            RecordError: no run fulfils the filters, or the file cannot be written.
        """
        from .export import export

        rows = self.rows(**filters)
        export(rows, path)
        return len(rows)

    def _failure_path(self, key: str) -> Path:
        return self.folder / f"{key[:_STEM_DIGITS]}{_FAILURE}"

    def _claim_path(self, key: str) -> Path:
        return self.folder / _CLAIMS / key[:_STEM_DIGITS]


def as_store(store: Store | str | Path) -> Store:
    """Store from what a caller gave: one, or its folder; errors as :class:`Store`."""
    return store if isinstance(store, Store) else Store(store)


def _stem(path: Path) -> str:
    return path.name.split(".")[0]


def _digest(path: Path) -> str | None:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return None


def _entry(record: Record, content: bytes) -> Entry:
    row = record_row(record)
    row |= {"size": len(content), "digest": hashlib.sha256(content).hexdigest()}
    return Entry(record.key[:_STEM_DIGITS], row)


def _intact(path: Path) -> Record:
    record = read_record(path)
    if record.key[:_STEM_DIGITS] != _stem(path):
        raise RecordError(f"{path.name} holds another run than its name says; remove it.")
    return record


def _read(path: Path) -> Entry:
    """Entry of a file, read and checked."""
    stem = _stem(path)
    try:
        if path.name.endswith(_FAILURE):
            return Entry(stem, _noted(path))
        return _entry(_intact(path), path.read_bytes())
    except (RecordError, OSError) as error:
        return Entry(stem, {"key": stem, "status": "damaged", "error": str(error)})


def _noted(path: Path) -> Row:
    """What was noted of a run that failed, checked to be what the index can hold."""
    try:
        row = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        row = None
    whole = (
        isinstance(row, dict)
        and row.get("status") == "failed"
        and str(row.get("key"))[:_STEM_DIGITS] == _stem(path)
        and isinstance(row.get("error"), str)
        and all(value is None or isinstance(value, str | int | float) for value in row.values())
    )
    if not whole:
        raise RecordError(f"{path.name} is damaged: it does not tell which run failed, and why; remove it.")
    return dict(row)
