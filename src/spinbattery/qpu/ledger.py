"""The ledger of jobs, committed before each request to the annealer: no paid job is lost or paid twice.

    planned -> submitting -> submitted -> done | failed | cancelled
       ^           |
       +-----------+  only if the server certainly does not have the job

A job is ``submitting`` from before its request is sent until its problem id is known. Its label is unique and sent
with the request, so a job whose reply was lost is found again by its label.
"""

from __future__ import annotations

import json
import sqlite3
import time
import uuid
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal

from ..core.errors import QpuError
from ..core.paths import user_path
from ..records.hashing import canonical_json

State = Literal["planned", "submitting", "submitted", "done", "failed", "cancelled"]

OPEN: tuple[State, ...] = ("planned", "submitting", "submitted")
GIVEN_UP: tuple[State, ...] = ("failed", "cancelled")

FILE_NAME = "qpu.sqlite"
_APPLICATION = 0x53425150
"""Marks an SQLite file as a ledger."""

_VERSION = 1
_PATIENCE_S = 30.0
_KEY_DIGITS = 16

_CREATE = (
    """CREATE TABLE jobs (
        key TEXT PRIMARY KEY, item TEXT NOT NULL, label TEXT NOT NULL UNIQUE, state TEXT NOT NULL,
        attempt INTEGER NOT NULL, problem_id TEXT UNIQUE, solver TEXT NOT NULL, graph_id TEXT, account TEXT,
        network TEXT NOT NULL, protocol TEXT NOT NULL, n_spins INTEGER NOT NULL, reads INTEGER NOT NULL,
        repetition INTEGER NOT NULL, estimated_us REAL NOT NULL, charged_us REAL,
        lost_us REAL NOT NULL, since REAL NOT NULL, message TEXT, options TEXT NOT NULL,
        parameters TEXT NOT NULL, problem TEXT NOT NULL)""",
    """CREATE TABLE history (
        key TEXT NOT NULL, at REAL NOT NULL, state TEXT NOT NULL, attempt INTEGER NOT NULL, label TEXT NOT NULL,
        problem_id TEXT, charged_us REAL, message TEXT)""",
)


@dataclass(frozen=True)
class JobTerms:
    """The part of a job that never changes.

    ``key`` is the key of the run and its record, ``item`` a hash of the user's wish, which is the same on another
    working graph of the solver, and ``estimated_us`` the predicted QPU access time in us.
    """

    key: str
    item: str
    solver: str
    graph_id: str | None
    network: str
    protocol: str
    n_spins: int
    reads: int
    repetition: int
    estimated_us: float


@dataclass(frozen=True)
class NewJob(JobTerms):
    """A job before it is entered, with the options of the run and the parameters of the request.

    The record is made from ``problem``, which is ``{"problem": ..., "qubits": [...]}``, when the answer comes.
    """

    options: dict[str, Any]
    parameters: dict[str, Any]
    problem: dict[str, Any]


@dataclass(frozen=True)
class Job(JobTerms):
    """A row of the ledger, without the large parts (see :meth:`Ledger.content`).

    Attributes:
        label: unique name of the job at the server.
        attempt: number of requests that were sent, or are about to be.
        problem_id: the server's, once it is known.
        account: of the last request: the endpoint and a mark of the token.
        charged_us: QPU access time according to the answer, in us.
        lost_us: predicted time of requests that may have run, and been charged, without an answer: given up, expired,
            sent twice.
        since: time of the last transition, in s since 1970.
        message: the last event, for the reader.
    """

    label: str
    state: State
    attempt: int
    problem_id: str | None
    account: str | None
    charged_us: float | None
    lost_us: float
    since: float
    message: str | None

    @property
    def cost_us(self) -> float:
        """Its part of a budget: charged or expected time, and time that may have been charged in vain."""
        if self.charged_us is not None:
            return self.lost_us + self.charged_us
        return self.lost_us + (0.0 if self.state in GIVEN_UP else self.estimated_us)

    def __str__(self) -> str:
        return f"{self.key[:12]} ({self.network}, {self.protocol}, repetition {self.repetition})"


_COLUMNS = ", ".join(field.name for field in fields(Job))


class Ledger:
    """Jobs of a store, in ``qpu.sqlite`` inside its folder.

    A commit is on the disk before the method returns, and several processes may use one ledger: every transition names
    the states it may start from, and only one process makes it. A file that is no readable ledger is refused and never
    overwritten.

    Raises:
        QpuError: from every method if the file cannot be used; the message has a remedy.
    """

    def __init__(self, folder: str | Path) -> None:
        self.path = user_path(folder).absolute() / FILE_NAME

    def __repr__(self) -> str:
        return f"Ledger({str(self.path)!r})"

    # access

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """A connection within one transaction, which is committed at the end, or rolled back on an error."""
        try:
            with closing(sqlite3.connect(self.path, timeout=_PATIENCE_S, isolation_level=None)) as connection:
                # EXTRA: after a power loss a committed transaction must not come undone
                connection.execute("PRAGMA synchronous = EXTRA")
                connection.execute("BEGIN IMMEDIATE")
                try:
                    self._check(connection)
                    yield connection
                except BaseException:
                    if connection.in_transaction:  # SQLite ends it itself after some errors
                        connection.execute("ROLLBACK")
                    raise
                connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise QpuError(_unusable(self.path, error)) from None

    def _check(self, connection: sqlite3.Connection) -> None:
        """Check that the file is a ledger of this version; an empty file becomes one."""
        application = connection.execute("PRAGMA application_id").fetchone()[0]
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if not connection.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()[0] and not application:
            for statement in _CREATE:
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {_APPLICATION}")
            connection.execute(f"PRAGMA user_version = {_VERSION}")
            return
        if application != _APPLICATION:
            raise QpuError(
                f"{str(self.path)!r} is an SQLite file of another program; move it away, or choose another store."
            )
        if version != _VERSION:
            raise QpuError(
                f"the ledger {str(self.path)!r} has version {version}, but this spinbattery writes version {_VERSION}; "
                "use the version that wrote it."
            )
        if (found := connection.execute("PRAGMA quick_check(1)").fetchone()[0]) != "ok":
            raise sqlite3.DatabaseError(found)

    # reading

    def jobs(self, keys: Iterable[str] | None = None, states: Collection[State] | None = None) -> list[Job]:
        """Jobs in the order they were entered; only those with these keys and states where they are given."""
        if not self.path.exists():
            return []
        with self.transaction() as connection:
            found = _jobs(connection)
        wanted = None if keys is None else set(keys)
        return [
            job for job in found if (wanted is None or job.key in wanted) and (states is None or job.state in states)
        ]

    def job(self, key: str) -> Job | None:
        """The job of a key, or None."""
        return next(iter(self.jobs([key])), None)

    def existing(self, key: str) -> Job:
        """The job of a key that was entered; QpuError if it is gone."""
        job = self.job(key)
        if job is None:
            raise QpuError(f"job {key} vanished from the ledger {str(self.path)!r}.")
        return job

    def content(self, key: str) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        """Problem with qubits, options and parameters of a job, as they were entered."""
        with self.transaction() as connection:
            row = connection.execute("SELECT problem, options, parameters FROM jobs WHERE key = ?", [key]).fetchone()
        if row is None:
            raise QpuError(f"the ledger {str(self.path)!r} has no job {key}.")
        problem, options, parameters = map(json.loads, row)
        return problem, options, parameters

    def history(self, key: str) -> list[dict[str, Any]]:
        """Every transition of a job: time ``at`` (s since 1970), state, attempt, label, problem id, charge, message."""
        names = ("at", "state", "attempt", "label", "problem_id", "charged_us", "message")
        with self.transaction() as connection:
            rows = connection.execute(f"SELECT {', '.join(names)} FROM history WHERE key = ? ORDER BY rowid", [key])
            return [dict(zip(names, row, strict=True)) for row in rows]

    # writing

    def enter(self, jobs: Sequence[NewJob], budget_us: float, *, retry: bool = False) -> None:
        """Enter new jobs as planned, if all jobs of the ledger together stay within the budget (us).

        The budget counts the charges of finished jobs and the predictions of open ones, of this and all other plans.
        With ``retry``, jobs that failed or were cancelled are planned again.

        Raises:
            QpuError: over the budget; nothing is entered.
        """
        with self.transaction() as connection:
            known = {job.key: job for job in _jobs(connection)}
            for new in jobs:
                if new.key not in known:
                    _enter(connection, new)
                elif retry and known[new.key].state in GIVEN_UP:
                    # a new label: the old one belongs to a job that the server has finished
                    changes = {"label": _label(new.key), "problem_id": None, "account": None, "message": None,
                               "charged_us": None, "lost_us": known[new.key].cost_us}  # fmt: skip
                    _change(connection, new.key, "planned", changes)
            used = sum(job.cost_us for job in _jobs(connection))
            if not used <= budget_us:
                raise QpuError(
                    f"all jobs of the ledger {str(self.path)!r} with these would take {used / 1e6:.3f} s of QPU time, "
                    f"more than the budget of {budget_us / 1e6:.3f} s, so nothing was sent; increase the budget, ask "
                    "for fewer reads, or drop planned jobs with `spinbattery qpu cancel`."
                )

    def move(
        self, key: str, to: State, expected: Collection[State], *, label: str | None = None, **changes: Any
    ) -> bool:
        """Move a job to a state and set columns, if it has an expected state (and label); returns whether it had.

        The same state again only sets the columns, such as ``message`` or ``problem_id``.
        """
        with self.transaction() as connection:
            row = connection.execute("SELECT state, label FROM jobs WHERE key = ?", [key]).fetchone()
            if row is None or row[0] not in expected or label not in (None, row[1]):
                return False
            _change(connection, key, to, changes)
            return True

    def begin(self, key: str, account: str, parameters: dict[str, Any]) -> Job | None:
        """Mark a planned job as about to be sent to an account with parameters; None if another process was first."""
        with self.transaction() as connection:
            row = connection.execute("SELECT state, attempt FROM jobs WHERE key = ?", [key]).fetchone()
            if row is None or row[0] != "planned":
                return None
            sent = {"account": account, "parameters": canonical_json(parameters), "attempt": row[1] + 1}
            _change(connection, key, "submitting", {**sent, "message": None})
            return Job(*connection.execute(f"SELECT {_COLUMNS} FROM jobs WHERE key = ?", [key]).fetchone())


def _jobs(connection: sqlite3.Connection) -> list[Job]:
    return [Job(*row) for row in connection.execute(f"SELECT {_COLUMNS} FROM jobs ORDER BY rowid")]


def _label(key: str) -> str:
    return f"spinbattery-{key[:_KEY_DIGITS]}-{uuid.uuid4().hex}"


def _enter(connection: sqlite3.Connection, new: NewJob) -> None:
    row = {name: canonical_json(value) if isinstance(value, dict) else value for name, value in vars(new).items()}
    row |= {"label": _label(new.key), "state": "planned", "attempt": 0, "lost_us": 0.0, "since": time.time()}
    insert_row(connection, "jobs", row)
    note(connection, new.key)


def _change(connection: sqlite3.Connection, key: str, state: State, changes: dict[str, Any]) -> None:
    update_job(connection, key, {**changes, "state": state, "since": time.time()})
    note(connection, key)


def insert_row(connection: sqlite3.Connection, table: str, row: dict[str, Any]) -> None:
    marks = ", ".join("?" for _ in row)
    connection.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", list(row.values()))


def update_job(connection: sqlite3.Connection, key: str, changes: dict[str, Any]) -> None:
    names = ", ".join(f"{name} = ?" for name in changes)
    connection.execute(f"UPDATE jobs SET {names} WHERE key = ?", [*changes.values(), key])


def note(connection: sqlite3.Connection, key: str) -> None:
    """Add a job as it is now to the history."""
    connection.execute(
        "INSERT INTO history SELECT key, since, state, attempt, label, problem_id, charged_us, message FROM jobs "
        "WHERE key = ?",
        [key],
    )


def _unusable(path: Path, error: sqlite3.Error) -> str:
    """Message about an error of SQLite, with a remedy."""
    code = getattr(error, "sqlite_errorcode", None)
    if code is None or code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
        return (
            f"{str(path)!r} is not readable as a ledger of QPU jobs ({error}). It may hold the ids of paid jobs, so it "
            "is left as it is: restore a copy of it, or move it away to begin a new one."
        )
    return (
        f"the ledger {str(path)!r} cannot be used ({error}); check that its folder exists, is writable, has room "
        "and supports file locks, and that no other program holds it."
    )
