"""Runs of other stores copied into one: each once, none overwritten, none lost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ..core.atomic import writing
from ..core.errors import RecordError
from ..core.paths import user_path
from ..core.progress import Progress, silent
from ..records.hashing import planned_key
from ..records.record import Record
from .files import FAILURE, RECORD, Entry, entry_of, intact, read_entry, stem_of_path

if TYPE_CHECKING:
    from .folder import Store

JOBS = "qpu.sqlite"
"""The ledger of a store of QPU jobs, which belongs to the jobs and is merged with them."""


@dataclass
class Merged:
    """What became of the runs of the sources.

    Attributes:
        copied: keys of those that the target has now and did not have.
        same: how many it had already; also runs that failed elsewhere and are known here.
        left: files that were not copied, with the reason.
    """

    copied: list[str] = field(default_factory=list)
    same: int = 0
    left: dict[str, str] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        """Whether the target has everything that the sources have."""
        return not self.left


def checked_sources(target: Path, sources: Iterable[str | Path]) -> list[Path]:
    """Folders that can be merged into another.

    Raises:
        RecordError: none, one that does not exist or holds nothing of a store, or the target itself.
    """
    found = [user_path(source).absolute() for source in sources]
    if not found:
        raise RecordError("there is no store to merge; name at least one besides the target.")
    for source in found:
        if not source.is_dir():
            raise RecordError(f"there is no store {str(source)!r}; a sweep or --store makes one.")
        if target.exists() and source.samefile(target):
            raise RecordError(f"{str(source)!r} is the target itself; name the stores that are to be copied into it.")
        if not (_files(source) or (source / JOBS).is_file()):
            raise RecordError(f"{str(source)!r} holds no runs, so that it is no store; name the folder of the records.")
    return found


def merge_runs(store: Store, sources: Iterable[str | Path], progress: Progress = silent) -> Merged:
    """Copy the runs of other stores, see :meth:`~spinbattery.store.folder.Store.merge`; ledgers are left alone."""
    folders = checked_sources(store.folder, sources)
    files = [path for folder in folders for path in _files(folder)]
    result = Merged()
    for number, path in enumerate(files):
        progress(number / len(files), f"merging {len(files)} runs")
        with store.claim(stem_of_path(path)) as ours:
            if not ours:
                result.left[str(path)] = "another process is computing this run for the target; merge again later"
                continue
            _Copy(store, path, result).make()
    progress(1.0, f"merging {len(files)} runs")
    return result


def _files(folder: Path) -> list[Path]:
    """Records before failures: a failure counts only where there is no record."""
    return [path for ending in (RECORD, FAILURE) for path in sorted(folder.glob(f"[!.]*{ending}"))]


@dataclass
class _Copy:
    """The copy of one file; the claim of its run is held."""

    store: Store
    path: Path
    result: Merged

    def make(self) -> None:
        """Copy it, or note why not.

        Raises:
            RecordError: the target cannot be written.
        """
        try:
            found = self._failure() if self.path.name.endswith(FAILURE) else self._record()
        except (RecordError, OSError) as error:
            if self.path.exists():  # else a failure whose run has succeeded meanwhile
                self.result.left[str(self.path)] = str(error)
            return
        if found is None:
            self.result.same += 1
            return
        content, entry = found
        self._write(content, entry)

    def _failure(self) -> tuple[bytes, Entry] | None:
        """What to write of a run that failed, None where the target knows the run."""
        entry = read_entry(self.path)
        if entry.row["status"] != "failed":
            raise RecordError(str(entry.row["error"]))
        key = str(entry.row["key"])
        known = self.store.has_planned(key) or self.store.failure(key) is not None
        return None if known else (self.path.read_bytes(), entry)

    def _record(self) -> tuple[bytes, Entry] | None:
        """What to write of a record: as it is, or under the key of its job where another has that of the plan."""
        content, record = self.path.read_bytes(), intact(self.path)
        named = record.as_measurement()
        if any(known.content_hash == named.content_hash for known in self._known(record.key, named.key)):
            return None
        if record.key not in self.store:
            return content, entry_of(record, content)
        if named.key in self.store:
            raise RecordError(
                f"the target has another record of this run, or a damaged one, {self.store.path(named.key).name}, "
                "which was left as it is; compare the two, and remove one"
            )
        content = named.to_bytes()
        return content, entry_of(named, content)

    def _known(self, *keys: str) -> Iterator[Record]:
        """What the target may have of the same run or job, as measurements are named now; damaged ones are no match."""
        for key in {*keys, planned_key(keys[0])}:
            try:
                found = self.store.get(key)
            except RecordError:
                continue
            if found is not None:
                yield found.as_measurement()

    def _write(self, content: bytes, entry: Entry) -> None:
        ending = FAILURE if self.path.name.endswith(FAILURE) else RECORD
        target = self.store.folder / f"{entry.stem}{ending}"
        with writing(target, RecordError) as temporary:
            temporary.write_bytes(content)
        if ending == RECORD:
            self.store.forget_failure(entry.row["key"])
        self.store.index([entry])
        self.result.copied.append(str(entry.row["key"]))
