"""An SQLite index of a store, which can always be rebuilt from the files."""

from __future__ import annotations

import os
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from ..records.columns import Row, columns

_PATIENCE_S = 30.0


@cache
def _version() -> int:
    """Version of the columns, in the 31 bits that SQLite keeps."""
    return zlib.crc32(repr([(name, column.kind) for name, column in columns().items()]).encode()) >> 1


def _names() -> str:
    return ", ".join(f'"{name}"' for name in columns())


class Index:
    """Rows of :func:`~spinbattery.records.columns.columns`, one per file, by the stem of its name.

    Connections are short and use a rollback journal: shared folders do not support a write-ahead log, and
    no lock outlives its process, because the system drops the locks of a process that dies and the next
    reader rolls its work back. An index that is damaged or of another version is replaced by an empty one.
    Where the folder cannot be written, or has no locks, the index lives in memory.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._memory: sqlite3.Connection | None = None

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        if self._memory is None and not self._is_writable():
            self.use_memory()
        if self._memory is not None:
            with self._memory:
                yield self._memory
            return
        with closing(sqlite3.connect(self.path, timeout=_PATIENCE_S)) as connection:
            if connection.execute("PRAGMA user_version").fetchone()[0] != _version():
                self._create(connection)
            with connection:
                yield connection

    def _is_writable(self) -> bool:
        """Whether the file can be made or changed; in a shared folder it may belong to another user."""
        return os.access(self.path.parent, os.W_OK) and (not self.path.exists() or os.access(self.path, os.W_OK))

    def use_memory(self) -> None:
        """Continue with an empty index in memory."""
        self._memory = sqlite3.connect(":memory:")
        self._create(self._memory)

    @staticmethod
    def _create(connection: sqlite3.Connection) -> None:
        declared = ", ".join(f'"{name}" {column.kind}' for name, column in columns().items())
        with connection:
            connection.execute("BEGIN IMMEDIATE")  # several processes may open a new store at once
            if connection.execute("PRAGMA user_version").fetchone()[0] != _version():
                connection.execute("DROP TABLE IF EXISTS runs")
                connection.execute(f"CREATE TABLE runs (stem TEXT PRIMARY KEY, {declared})")
                connection.execute(f"PRAGMA user_version = {_version()}")

    def repair(self) -> None:
        """Remove an index that SQLite finds damaged; the files then fill a new one.

        Raises:
            sqlite3.OperationalError: another process holds it for long, or the disk is full.
        """
        try:
            with self._connection() as connection:
                intact = connection.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok"
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
                raise
            self.use_memory()  # a file system without locks, or a full one
            return
        except sqlite3.DatabaseError:
            intact = False
        if not intact:
            for name in (self.path, self.path.with_name(f"{self.path.name}-journal")):
                name.unlink(missing_ok=True)

    def add(self, rows: Iterable[tuple[str, Row]]) -> None:
        """Insert or replace rows by stem."""
        values = [(stem, *(row.get(name) for name in columns())) for stem, row in rows]
        marks = ", ".join("?" for _ in columns())
        with self._connection() as connection:
            connection.executemany(f"INSERT OR REPLACE INTO runs (stem, {_names()}) VALUES (?, {marks})", values)

    def remove(self, stems: Iterable[str]) -> None:
        """Forget rows."""
        with self._connection() as connection:
            connection.executemany("DELETE FROM runs WHERE stem = ?", [(stem,) for stem in stems])

    def clear(self) -> None:
        """Forget all rows."""
        with self._connection() as connection:
            connection.execute("DELETE FROM runs")

    def files(self) -> dict[str, Row]:
        """Status, size and digest of every file, by stem."""
        with self._connection() as connection:
            found = connection.execute("SELECT stem, status, size, digest FROM runs").fetchall()
        return {stem: {"status": status, "size": size, "digest": digest} for stem, status, size, digest in found}

    def rows(self, where: str = "", values: Sequence[Any] = ()) -> list[Row]:
        """Rows that fulfil a condition, smallest networks first."""
        condition = f"WHERE {where}" if where else ""
        order = "ORDER BY n_spins, network, protocol, duration, s_hold, J, field, tolerance, key"
        with self._connection() as connection:
            found = connection.execute(f"SELECT {_names()} FROM runs {condition} {order}", values).fetchall()
        return [dict(zip(columns(), row, strict=True)) for row in found]
