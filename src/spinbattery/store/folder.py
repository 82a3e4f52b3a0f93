"""A folder of records: one file for each run, named by what was run, and an index of them."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ..core.atomic import writing
from ..core.errors import RecordError
from ..core.paths import user_path
from ..core.progress import Progress, checked_progress, silent
from ..records.columns import Row, parameter_columns
from ..records.hashing import canonical_json, planned_key
from ..records.record import Record
from .claims import claim, claimed
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
"""A file under a temporary name lives for milliseconds; after an hour its writer is dead."""

_BATCH = 200


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
        return self.folder / f"{stem_of(key)}{RECORD}"

    def __contains__(self, key: str) -> bool:
        return self.path(key).is_file()

    def get(self, key: str) -> Record | None:
        """The record of this key, or None where there is none.

        Raises:
            RecordError: there is a file, but it is damaged or of another run.
        """
        return intact(self.path(key)) if key in self else None

    def latest(self, key: str) -> Record | None:
        """The latest of the measurements that were planned under this key; older versions gave one the key itself.

        Raises:
            RecordError: see :meth:`get`.
        """
        found = [intact(path) for path in self._planned_under(key)]
        return max(found, key=lambda record: (str(record.dataset.attrs["created"]), record.key), default=None)

    def has_planned(self, key: str) -> bool:
        """Whether there is a record of this key, or of a measurement that was planned under it, damaged or not."""
        return bool(self._planned_under(key))

    def _planned_under(self, key: str) -> list[Path]:
        own = [self.path(key)] if key in self else []
        return own + sorted(self.folder.glob(f"{stem_of(key)}-*{RECORD}"))

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
        self.forget_failure(record.key)
        return entry_of(record, content)

    def forget_failure(self, key: str) -> None:
        """Remove the note that the run of this key failed, where there is one."""
        self._failure_path(key).unlink(missing_ok=True)

    def write_failure(self, parameters: Row, error: str) -> Entry:
        """Note that a run failed, and why; ``parameters`` are its columns, the key among them.

        Raises:
            RecordError: it cannot be written.
        """
        row = {**parameters, "status": "failed", "error": error}
        path = self._failure_path(str(parameters["key"]))
        with writing(path, RecordError) as temporary:
            temporary.write_text(canonical_json(row) + "\n", encoding="utf-8")
        return Entry(stem_of_path(path), row)

    def failure(self, key: str) -> str | None:
        """Why the run of this key failed, or None where it did not."""
        path = self._failure_path(key)
        return str(read_entry(path).row["error"]) if path.is_file() else None

    def checkpoint_path(self, key: str) -> Path:
        """Where a running problem keeps what it has reached (beginning of file names), until its record is written."""
        return self.folder / _CHECKPOINTS / stem_of(key)

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
            if stem not in known or (known[stem]["status"] == "failed") != path.name.endswith(FAILURE)
            or known[stem]["status"] == "damaged"
        ]  # fmt: skip
        for first in range(0, len(new), _BATCH):
            entries = [self._read_known(path) for _, path in new[first : first + _BATCH]]
            self._index.add((entry.stem, entry.row) for entry in entries)
            progress(min(1.0, (first + _BATCH) / len(new)), f"reading {len(new)} records")

    def _read_known(self, path: Path) -> Entry:
        """Entry of a file; one that is damaged keeps the parameters that the index has of it."""
        entry = read_entry(path)
        if entry.row["status"] == "damaged":
            for before in self._index.rows("stem = ?", [entry.stem]):
                kept = {name: before[name] for name in parameter_columns()}
                return Entry(entry.stem, {**kept, "status": "damaged", "error": entry.row["error"]})
        return entry

    def _present(self) -> dict[str, Path]:
        """File of every run by stem; a record counts before a failure."""
        failures = {stem_of_path(path): path for path in self.folder.glob(f"*{FAILURE}")}
        return failures | {stem_of_path(path): path for path in self.folder.glob(f"*{RECORD}")}

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
        return (self.folder / f"{checkpoint.name.partition('.')[0]}{RECORD}").is_file()

    def statuses(self, keys: Iterable[str]) -> dict[str, Status]:
        """Which of these runs the store has, each file compared with the digest the index keeps of it.

        A planned run has the status of a measurement of it, of one that is done where there is one.

        Raises:
            RecordError: see :meth:`sync`.
        """
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
        """Errors of those runs that failed or are damaged, as the index knows them."""
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
        """Finished runs as one Dataset along ``run``; see :func:`~spinbattery.records.dataset.gather`.

        Args:
            filters: a value, a list of values, or a slice (both ends included) for any column: ``n_spins=9``,
                ``protocol=["cooperative", "local"]``, ``duration=slice("20ns", "60ns")``. All must hold.

        Raises:
            InvalidParameterError: an unknown column or an unusable value.
            RecordError: no run fulfils them all, or a file is damaged (it is named).
        """
        from ..records.dataset import gather

        records = list(self.records(**filters))
        if not records:
            asked = f" fulfils {filters}" if filters else ""
            raise RecordError(f"no finished run in {str(self.folder)!r}{asked}; list what there is.")
        return gather(records)

    def merge(self, *sources: str | Path, progress: Progress = silent) -> Merged:
        """Copy the runs of other stores into this one; they stay as they are.

        Each file is read, checked and copied as a whole, and never written over: the same call goes on where one was
        stopped. A run that both have with the same content is kept once, and so is a failure of a run that this
        store knows. Of two measurements under one key, as older versions named them, the second one is kept under the
        key of its job. Whatever else differs, is damaged, or is being computed here now, is left and said.

        Args:
            sources: folders of other stores.
            progress: called with the fraction done; may raise to stop.

        Raises:
            RecordError: no source, one that is no store or is this one, or one with a ledger of QPU jobs: its jobs
                must come along, as ``spinbattery store merge`` and :func:`spinbattery.qpu.merging.merge_stores` do.
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
        return self.folder / f"{stem_of(planned_key(key))}{FAILURE}"

    def _claim_path(self, key: str) -> Path:
        return self.folder / _CLAIMS / stem_of(planned_key(key))


def as_store(store: Store | str | Path) -> Store:
    """Store from what a caller gave: one, or its folder; errors as :class:`Store`."""
    return store if isinstance(store, Store) else Store(store)


def _stems_by_key(known: Collection[str]) -> Callable[[str], list[str]]:
    """What gives the stems of a key among those known: its own, or else those of measurements planned under it."""
    measured: dict[str, list[str]] = {}
    for stem in known:
        measured.setdefault(planned_key(stem), []).append(stem)
    return lambda key: [own] if (own := stem_of(key)) in known else measured.get(own, [])
