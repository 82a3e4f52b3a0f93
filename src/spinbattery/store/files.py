"""Files of a store: how they are named, and what the index holds of each."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from ..core.errors import RecordError
from ..records.columns import Row, record_row
from ..records.record import Record
from ..records.record_file import read_record

STEM_DIGITS = 32
RECORD, FAILURE = ".nc", ".failed.json"


@dataclass(frozen=True)
class Entry:
    """What the index holds of one file; plain data, small enough to be sent between processes."""

    stem: str
    row: Row


def stem_of(key: str) -> str:
    """Name of the file of a key, without its ending: its first digits, and those of the job of a measurement."""
    planned, hyphen, job = key.partition("-")
    return planned[:STEM_DIGITS] + hyphen + job


def stem_of_path(path: Path) -> str:
    """The same of a file that is there."""
    return path.name.split(".")[0]


def digest(path: Path) -> str | None:
    """SHA-256 of a file, or None where it cannot be read."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return None


def entry_of(record: Record, content: bytes) -> Entry:
    """Entry of a record and the content of its file."""
    row = record_row(record)
    row |= {"size": len(content), "digest": hashlib.sha256(content).hexdigest()}
    return Entry(stem_of(record.key), row)


def intact(path: Path) -> Record:
    """The record of a file.

    Raises:
        RecordError: the file is damaged, or of another run than its name says.
    """
    record = read_record(path)
    if stem_of(record.key) != stem_of_path(path):
        raise RecordError(
            f"{path.name} holds another run than its name says; call it {stem_of(record.key)}{RECORD}, or move it "
            "out of the store."
        )
    return record


def read_entry(path: Path) -> Entry:
    """Entry of a file, read and checked."""
    stem = stem_of_path(path)
    try:
        if path.name.endswith(FAILURE):
            return Entry(stem, _noted(path))
        return entry_of(intact(path), path.read_bytes())
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
        and stem_of(str(row.get("key"))) == stem_of_path(path)
        and isinstance(row.get("error"), str)
        and all(value is None or isinstance(value, str | int | float) for value in row.values())
    )
    if not whole:
        raise RecordError(f"{path.name} is damaged: it does not tell which run failed, and why; remove it.")
    return dict(row)
