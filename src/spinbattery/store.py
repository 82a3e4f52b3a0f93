"""A folder of records: one file for each run, named by what was run."""

from __future__ import annotations

from pathlib import Path

from .errors import RecordError
from .record import Record, read_record


class Store:
    """Records by key, one netCDF file each.

    The key is the hash of the problem, the engine with its options, the output times and the schema
    version: a run already there need not be run again, and one with another tolerance is another run.
    """

    def __init__(self, folder: str | Path) -> None:
        """Open a folder, made where it does not exist.

        Raises:
            RecordError: it cannot be made.
        """
        self.folder = Path(folder)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RecordError(f"cannot make the folder {str(self.folder)!r}: {error.strerror}") from None

    def path(self, key: str) -> Path:
        """Where the record of this key is or would be."""
        return self.folder / f"{key[:32]}.nc"

    def __contains__(self, key: str) -> bool:
        return self.path(key).is_file()

    def get(self, key: str) -> Record | None:
        """The record of this key, or None where there is none.

        Raises:
            RecordError: there is a file, but it is damaged or of another run.
        """
        if key not in self:
            return None
        record = read_record(self.path(key))
        if record.key != key:
            raise RecordError(f"{self.path(key).name} holds another run than its name says; remove it.")
        return record

    def put(self, record: Record) -> Path:
        """Write a record atomically and return its path."""
        return record.save(self.path(record.key))
