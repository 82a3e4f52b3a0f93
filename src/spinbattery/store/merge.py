"""Copies runs of other stores into one: each once, none overwritten, none lost."""

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
"""File of the ledger of QPU jobs, which :mod:`spinbattery.qpu.merging` merges."""


@dataclass
class Merged:
    """Outcome of a merge.

    Attributes:
        copied: keys of the runs that are new in the target.
        same: number of runs that the target had already; also failures of runs that the target knows.
        left: files that were not copied, each with the reason.
    """

    copied: list[str] = field(default_factory=list)
    same: int = 0
    left: dict[str, str] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        """Whether the target has all runs of the sources."""
        return not self.left


def checked_sources(target: Path, sources: Iterable[str | Path]) -> list[Path]:
    """Folders that can be merged into the target.

    Raises:
        RecordError: no folder, one that does not exist or is no store, or the target itself.
    """
    found = [user_path(source).absolute() for source in sources]
    if not found:
        raise RecordError("there is no store to merge; name at least one besides the target.")
    for source in found:
        if not source.is_dir():
            raise RecordError(f"there is no store {str(source)!r}; a sweep or charge(..., store=...) makes one.")
        if target.exists() and source.samefile(target):
            raise RecordError(f"{str(source)!r} is the target itself; name the stores to copy into it.")
        if not (_files(source) or (source / JOBS).is_file()):
            raise RecordError(f"{str(source)!r} holds no runs, so it is no store; name the folder of the records.")
    return found


def merge_runs(store: Store, sources: Iterable[str | Path], progress: Progress = silent) -> Merged:
    """Copy the runs of other stores, see :meth:`~spinbattery.store.folder.Store.merge`, without their ledgers."""
    folders = checked_sources(store.folder, sources)
    files = [path for folder in folders for path in _files(folder)]
    result = Merged()
    for number, path in enumerate(files):
        progress(number / len(files), f"merging {len(files)} runs")
        with store.claim(stem_of_path(path)) as ours:
            if not ours:
                result.left[str(path)] = "another process is computing this run for the target; merge again later"
                continue
            _copy(store, path, result)
    progress(1.0, f"merging {len(files)} runs")
    return result


def _files(folder: Path) -> list[Path]:
    """Files of records, then of failures: a failure counts only without a record."""
    return [path for ending in (RECORD, FAILURE) for path in sorted(folder.glob(f"[!.]*{ending}"))]


def _copy(store: Store, path: Path, result: Merged) -> None:
    """Copy one file while the claim of its run is held, or note the reason why not.

    Raises:
        RecordError: the target cannot be written.
    """
    is_failure = path.name.endswith(FAILURE)
    try:
        found = _failure(store, path) if is_failure else _record(store, path)
    except (RecordError, OSError) as error:
        if path.exists():  # else a failure whose run has succeeded in the meantime
            result.left[str(path)] = str(error)
        return
    if found is None:
        result.same += 1
        return
    content, entry = found
    with writing(store.folder / f"{entry.stem}{FAILURE if is_failure else RECORD}", RecordError) as temporary:
        temporary.write_bytes(content)
    if not is_failure:
        store.forget_failure(entry.row["key"])
    store.index([entry])
    result.copied.append(str(entry.row["key"]))


def _failure(store: Store, path: Path) -> tuple[bytes, Entry] | None:
    """Content and entry of a run that failed; None where the target knows the run."""
    entry = read_entry(path)
    if entry.row["status"] != "failed":
        raise RecordError(str(entry.row["error"]))
    key = str(entry.row["key"])
    known = store.has_planned(key) or store.failure(key) is not None
    return None if known else (path.read_bytes(), entry)


def _record(store: Store, path: Path) -> tuple[bytes, Entry] | None:
    """Content and entry of a record, under the key of its job where another record has the planned key."""
    content, record = path.read_bytes(), intact(path)
    named = record.as_measurement()
    if any(known.content_hash == named.content_hash for known in _known(store, record.key, named.key)):
        return None
    if record.key not in store:
        return content, entry_of(record, content)
    if named.key in store:
        raise RecordError(
            f"the target has another record of this run, or a damaged one, {store.path(named.key).name}, which was "
            "not changed; compare the two, and remove one"
        )
    content = named.to_bytes()
    return content, entry_of(named, content)


def _known(store: Store, *keys: str) -> Iterator[Record]:
    """Intact records of the same run or job in the target, under the keys that measurements have now."""
    for key in {*keys, planned_key(keys[0])}:
        try:
            found = store.get(key)
        except RecordError:
            continue
        if found is not None:
            yield found.as_measurement()
