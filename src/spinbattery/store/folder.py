"""A folder of records: one file per run, named by its key, and an index of the files."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ..core.atomic import writing
from ..core.checks import checked_mapping, instance, several
from ..core.claims import claim, claimed
from ..core.errors import InvalidParameterError, RecordError
from ..core.paths import user_path
from ..core.progress import Progress, checked_progress, silent
from ..records.columns import Row, parameter_columns
from ..records.hashing import canonical_json, planned_key
from ..records.record import Record, as_record
from .files import FAILURE, RECORD, Entry, digest, entry_of, intact, read_entry, stem_of, stem_of_path
from .filters import conditions
from .index import Index

if TYPE_CHECKING:
    import xarray as xr

    from .merge import Merged

Status = Literal["done", "failed", "damaged"]

_PART = ".part"
_CLAIMS = ".claims"
_CHECKPOINTS = ".checkpoints"
_ABANDONED_S = 3600.0
"""Files under temporary names live for milliseconds; after an hour their writer is dead."""

_BATCH = 200


class Store:
    """Records by key, one netCDF file each, with an SQLite index.

    The key is the hash of the problem, the engine with its options, the output times and the schema
    version: a stored run need not be run again, and a run with another tolerance is another run.
    Only the files matter. The index (``index.sqlite``) makes searches quick: it follows the files by
    itself and may be deleted at any time. Several processes, on several machines that share the folder,
    may read and write at once.

    Methods that take a key raise :class:`InvalidParameterError` for anything that is no key.
    """

    def __init__(self, folder: str | Path) -> None:
        """Open a folder, and make it if necessary.

        Raises:
            RecordError: the folder cannot be made.
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
        """Path of the record of this key, whether it exists or not."""
        return self.folder / f"{stem_of(key)}{RECORD}"

    def __contains__(self, key: str) -> bool:
        return self.path(key).is_file()

    def get(self, key: str) -> Record | None:
        """The record of this key; None if there is none.

        Raises:
            RecordError: the file is damaged or of another run.
        """
        return intact(self.path(key)) if key in self else None

    def latest(self, key: str) -> Record | None:
        """The latest measurement that was planned under this key, or the record of the key itself.

        Raises:
            RecordError: see :meth:`get`.
        """
        found = [intact(path) for path in self._planned_under(key)]
        return max(found, key=lambda record: (str(record.attributes["created"]), record.key), default=None)

    def has_planned(self, key: str) -> bool:
        """Whether there is a record of this key or of a measurement planned under it, damaged or not."""
        return bool(self._planned_under(key))

    def _planned_under(self, key: str) -> list[Path]:
        own = [self.path(key)] if key in self else []
        return own + sorted(self.folder.glob(f"{stem_of(key)}-*{RECORD}"))

    def put(self, record: Record) -> Path:
        """Write a record atomically, index it, and return its path.

        Raises:
            RecordError: it is no record, or cannot be written.
        """
        self.index([self.write(record)])
        return self.path(record.key)

    def write(self, record: Record) -> Entry:
        """Write a record atomically; the entry is for :meth:`index`, now or with others later.

        Raises:
            RecordError: it is no record, or cannot be written.
        """
        content = as_record(record).to_bytes()
        record.save(self.path(record.key), content)
        self.forget_failure(record.key)
        return entry_of(record, content)

    def forget_failure(self, key: str) -> None:
        """Remove the note that the run of this key failed, if there is one."""
        self._failure_path(key).unlink(missing_ok=True)

    def write_failure(self, parameters: Row, error: str) -> Entry:
        """Note that a run failed, and why; ``parameters`` are its columns, including the key.

        Raises:
            InvalidParameterError: parameters or an error that a note cannot hold.
            RecordError: the note cannot be written.
        """
        known = checked_mapping("parameters", parameters)
        row: Row = {**known, "status": "failed", "error": instance("error", error, str)}
        path = self._failure_path(known.get("key"))  # type: ignore[arg-type]
        try:
            text = canonical_json(row)
        except (TypeError, ValueError) as unusual:
            raise InvalidParameterError(f"the parameters of a run must be plain data: {unusual}.") from None
        with writing(path, RecordError) as temporary:
            temporary.write_text(f"{text}\n", encoding="utf-8")
        return Entry(stem_of_path(path), row)

    def failure(self, key: str) -> str | None:
        """Why the run of this key failed; None if it did not."""
        return str(read_entry(path).row["error"]) if (path := self._failure_path(key)).is_file() else None

    def checkpoint_path(self, key: str) -> Path:
        """Beginning of the file names under which a run keeps its progress until its record is written."""
        return self.folder / _CHECKPOINTS / stem_of(key)

    def claim(self, key: str) -> AbstractContextManager[bool]:
        """Context in which no other process runs this key; yields False where one already does."""
        return claim(self._claim_path(key))

    def claimed(self, key: str) -> bool:
        """Whether another process is running this key now."""
        return claimed(self._claim_path(key))

    # the index

    def index(self, entries: Iterable[Entry]) -> None:
        """Enter runs into the index; :meth:`sync` finds those that cannot be entered now."""
        with suppress(sqlite3.Error):
            self._index.add((entry.stem, entry.row) for entry in entries)

    def sync(self, progress: Progress = silent) -> None:
        """Let the index follow the files: enter new ones, forget those that are gone.

        Raises:
            RecordError: the index cannot be used (locked for long, or the disk is full).
        """
        progress = checked_progress(progress)
        with self._usable_index():
            self._index.repair()
            self._follow(progress)

    def rebuild(self, progress: Progress = silent) -> dict[Status, int]:
        """Rebuild the index from the files, each read and checked; returns the number of runs of each status.

        Raises:
            RecordError: see :meth:`sync`.
        """
        progress = checked_progress(progress)
        with self._usable_index():
            self._index.repair()
            self._in_memory_if_full(self._index.clear)
            self._follow(progress)
            files = self._index.files().values()
        return {status: sum(file["status"] == status for file in files) for status in ("done", "failed", "damaged")}

    @contextmanager
    def _usable_index(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise RecordError(f"the index of {str(self.folder)!r} cannot be used: {error}.") from error

    def _in_memory_if_full(self, action: Callable[[], None]) -> None:
        """Do something to the index, again in memory if the disk is full."""
        try:
            action()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_FULL:
                raise
            self._index.use_memory()
            action()

    def _follow(self, progress: Progress) -> None:
        self._remove_abandoned()
        self._in_memory_if_full(lambda: self._read_new(progress))

    def _read_new(self, progress: Progress) -> None:
        known, present = self._index.files(), self._present()
        self._index.remove(stem for stem in known if stem not in present)
        new = [
            (stem, path)
            for stem, path in present.items()
            if stem not in known or (known[stem]["status"] == "failed") != path.name.endswith(FAILURE)
            or known[stem]["status"] == "damaged"
        ]  # fmt: skip
        for first in range(0, len(new), _BATCH):
            entries = [self._read_known(path) for _, path in new[first : first + _BATCH]]
            self._index.add((entry.stem, entry.row) for entry in entries)
            progress(min(1.0, (first + _BATCH) / len(new)), f"reading {len(new)} records")

    def _read_known(self, path: Path) -> Entry:
        """Entry of a file; a damaged file keeps the parameters that the index has."""
        entry = read_entry(path)
        if entry.row["status"] == "damaged":
            for before in self._index.rows("stem = ?", [entry.stem]):
                kept = {name: before[name] for name in parameter_columns()}
                return Entry(entry.stem, {**kept, "status": "damaged", "error": entry.row["error"]})
        return entry

    def _present(self) -> dict[str, Path]:
        """File of every run by stem; a record takes precedence over a failure."""
        failures = {stem_of_path(path): path for path in self.folder.glob(f"*{FAILURE}")}
        return failures | {stem_of_path(path): path for path in self.folder.glob(f"*{RECORD}")}

    def _remove_abandoned(self) -> None:
        parts = [path for folder in (self.folder, self.folder / _CHECKPOINTS) for path in folder.glob(f".*{_PART}")]
        # progress of runs whose process ended after the record was written
        checkpoints = (self.folder / _CHECKPOINTS).glob("*.npz")
        behind = [path for path in checkpoints if (self.folder / f"{stem_of_path(path)}{RECORD}").is_file()]
        for path in parts + behind:
            try:
                if time.time() - path.stat().st_mtime > _ABANDONED_S:
                    path.unlink()
            except OSError:  # its writer has just renamed it, or the folder belongs to another user
                continue
        for path in (self.folder / _CLAIMS).glob("*"):
            with suppress(OSError):
                claimed(path)  # removes a file that no process holds: its owner was killed

    def statuses(self, keys: Iterable[str]) -> dict[str, Status]:
        """Status of each of these runs that the store has; files are compared with their digests in the index.

        A planned run has the status of its measurements: done if one of them is.

        Raises:
            RecordError: see :meth:`sync`.
        """
        keys = several("keys", keys)
        self.sync()
        known = self._index.files()
        stems = _stems_by_key(known)
        found: dict[str, Status] = {}
        changed = []
        for key in keys:
            for stem in stems(key):
                status = known[stem]["status"]
                if status == "done" and known[stem]["digest"] != digest(path := self.folder / f"{stem}{RECORD}"):
                    changed.append(self._read_known(path))
                    status = changed[-1].row["status"]
                if found.setdefault(key, status) != "done":
                    found[key] = status
        self.index(changed)
        return found

    def errors(self, keys: Iterable[str]) -> dict[str, str]:
        """Errors of each of these runs that failed or is damaged, from the index."""
        keys = several("keys", keys)
        wrong = {stem_of(row["key"]): str(row["error"]) for row in self.rows(status=["failed", "damaged"])}
        stems = _stems_by_key(self._index.files())
        found = {key: stems(key) for key in keys}
        return {key: wrong[of[0]] for key, of in found.items() if of and all(stem in wrong for stem in of)}

    # many runs

    def rows(self, **filters: Any) -> list[Row]:
        """Columns of the runs that fulfil the filters, smallest networks first; see :meth:`select`.

        Raises:
            InvalidParameterError: an unknown column or an unusable value.
            RecordError: see :meth:`sync`.
        """
        where, values = conditions(filters)
        self.sync()
        with self._usable_index():
            return self._index.rows(where, values)

    def records(self, **filters: Any) -> Iterator[Record]:
        """Finished records that fulfil the filters, one after the other; see :meth:`select`."""
        for row in self.rows(**{"status": "done", **filters}):
            record = self.get(row["key"])
            if record is not None:  # else it was removed after the index was read
                yield record

    def select(self, **filters: Any) -> xr.Dataset:
        """Finished runs as one Dataset along ``run``; see :func:`~spinbattery.records.dataset.gather`.

        Args:
            filters: a value, a list of values, or a slice (both ends included) for any column: ``n_spins=9``,
                ``protocol=["cooperative", "local"]``, ``duration=slice("20ns", "60ns")``. All must hold.

        Raises:
            InvalidParameterError: an unknown column or an unusable value.
            RecordError: no run fulfils all filters, or a file is damaged (it is named).
        """
        from ..records.dataset import gather

        records = list(self.records(**filters))
        if not records:
            asked = f" fulfils {filters}" if filters else ""
            raise RecordError(f"no finished run in {str(self.folder)!r}{asked}; list what there is.")
        return gather(records)

    def merge(self, *sources: str | Path, progress: Progress = silent) -> Merged:
        """Copy the runs of other stores, which are not changed, into this one.

        Each file is read, checked and copied as a whole, and none is overwritten: the same call continues a merge that
        was stopped. A run that both stores have with the same content is kept once, and so is a failure of a run that
        this store knows. Of two measurements under one key, as older versions named them, the second one is kept under
        the key of its job. All other files that differ, are damaged, or are being computed here now are not copied,
        and are listed in the result.

        Args:
            sources: folders of other stores.
            progress: called with the fraction done; may raise to stop.

        Raises:
            RecordError: no source, a source that is no store or is this store, or one with a ledger of QPU jobs, which
                ``spinbattery store merge`` and :func:`spinbattery.qpu.merging.merge_stores` merge as well.
        """
        from .merge import JOBS, checked_sources, merge_runs

        progress = checked_progress(progress)
        for source in checked_sources(self.folder, sources):
            if (source / JOBS).is_file():
                raise RecordError(
                    f"{str(source)!r} holds a ledger of QPU jobs, which a merge of the records alone would leave "
                    "behind; use `spinbattery store merge`, or spinbattery.qpu.merging.merge_stores."
                )
        return merge_runs(self, sources, progress)

    def export(self, path: str | Path, **filters: Any) -> int:
        """Write runs as a table, .parquet or .csv, one row each; returns the number of rows.

        Names of columns have the unit (``duration_ns``); unknown values are missing.

        Args:
            path: of the table.
            filters: see :meth:`select`; failed runs are exported as well, with their ``status``.

        Raises:
            InvalidParameterError: another ending, an unknown column or an unusable value.
            RecordError: no run fulfils the filters, or the file cannot be written.
        """
        from .export import export

        rows = self.rows(**filters)
        export(rows, path)
        return len(rows)

    def _failure_path(self, key: str) -> Path:
        return self.folder / f"{planned_key(stem_of(key))}{FAILURE}"

    def _claim_path(self, key: str) -> Path:
        return self.folder / _CLAIMS / planned_key(stem_of(key))


def as_store(store: Store | str | Path) -> Store:
    """The given store, or the store in the given folder; raises as :class:`Store`."""
    return store if isinstance(store, Store) else Store(store)


def _stems_by_key(known: Collection[str]) -> Callable[[str], list[str]]:
    """A function that finds the known stems of a key: its own, or else those of measurements planned under it."""
    measured: dict[str, list[str]] = {}
    for stem in known:
        measured.setdefault(planned_key(stem), []).append(stem)
    return lambda key: [own] if (own := stem_of(key)) in known else measured.get(own, [])
