"""Files of a store: their names, and their entries in the index."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from ..core.errors import InvalidParameterError, RecordError
from ..records.columns import Row, record_row
from ..records.record import Record
from ..records.record_file import read_record

_STEM_DIGITS = 32
_NO_NAME = frozenset("/\\\0")
RECORD, FAILURE = ".nc", ".failed.json"


@dataclass(frozen=True)
class Entry:
    """Row of one file in the index; plain data, small enough to be sent between processes."""

    stem: str
    row: Row


def stem_of(key: str) -> str:
    """Name of the file of a key, without its ending: first digits of the run, and digits of the job of a measurement.

    Raises:
        InvalidParameterError: the key is no text, or can be no name of a file.
    """
    if not isinstance(key, str) or set(key) & _NO_NAME:
        raise InvalidParameterError(f"a key must be the key of a record, such as record.key, but is {key!r}.")
    planned, hyphen, job = key.partition("-")
    return planned[:_STEM_DIGITS] + hyphen + job


def stem_of_path(path: Path) -> str:
    """Name of a file without its ending."""
    return path.name.split(".")[0]


def digest(path: Path) -> str | None:
    """SHA-256 of a file; None where it cannot be read."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return None


def entry_of(record: Record, content: bytes) -> Entry:
    """Entry of a record with this content of its file."""
    row = record_row(record)
    row |= {"size": len(content), "digest": hashlib.sha256(content).hexdigest()}
    return Entry(stem_of(record.key), row)


def intact(path: Path) -> Record:
    """The record of a file.

    Raises:
        RecordError: the file is damaged, or has the name of another run.
    """
    record = read_record(path)
    if stem_of(record.key) != stem_of_path(path):
        raise RecordError(
            f"{path.name} holds another run than its name says; call it {stem_of(record.key)}{RECORD}, or move it "
            "out of the store."
        )
    return record


def read_entry(path: Path) -> Entry:
    """Entry of a file; a damaged file gets an entry that says so."""
    stem = stem_of_path(path)
    try:
        if path.name.endswith(FAILURE):
            return Entry(stem, _noted(path))
        return entry_of(intact(path), path.read_bytes())
    except (RecordError, OSError) as error:
        return Entry(stem, {"key": stem, "status": "damaged", "error": str(error)})


def _noted(path: Path) -> Row:
    """The note on a run that failed, checked to fit the index."""
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
        raise RecordError(f"{path.name} is damaged: it does not say which run failed, and why; remove it.")
    return dict(row)
