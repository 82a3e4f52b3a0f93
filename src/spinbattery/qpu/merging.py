"""Merging of stores with QPU jobs, ledger first: no job is lost or paid twice, and every cost counts."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..core.atomic import replacing
from ..core.errors import QpuError
from ..core.progress import Progress, silent
from ..records.hashing import measurement_key
from ..store.folder import Store
from ..store.merge import Merged, checked_sources, merge_runs
from .ledger import GIVEN_UP, Ledger, insert_row, note, update_job

_PROGRESS = ("planned", "submitting", "submitted", *GIVEN_UP, "done")
"""States of a job in the order in which a ledger knows more of it."""

Row = dict[str, Any]
"""Everything that a ledger has of a job, by column."""


def merge_stores(store: Store, sources: Iterable[str | Path], progress: Progress = silent) -> Merged:
    """Copy runs and QPU jobs of other stores into one; the sources stay as they are.

    Runs are merged as by :meth:`spinbattery.Store.merge`. Jobs keep their labels, problem ids and costs, so that
    `collect` of the target fetches the answers that the sources still waited for, and its budget counts the jobs. Jobs
    that were only planned are not copied: nothing was sent or paid.

    Args:
        store: the target.
        sources: folders of other stores, with or without a ledger.
        progress: called with the fraction done; may raise to stop: the same call goes on.

    Raises:
        RecordError: see :meth:`spinbattery.Store.merge`.
        QpuError: a source has a job without a reply, so that it is not known yet whether it is paid; nothing was
            copied. Or a ledger cannot be used.
    """
    folders = checked_sources(store.folder, sources)
    ledgers = [ledger for folder in folders if (ledger := Ledger(folder)).path.is_file()]
    for ledger in ledgers:
        if unanswered := ledger.jobs(states=["submitting"]):
            raise QpuError(
                f"{len(unanswered)} jobs of {str(ledger.path)!r} were sent without a reply, so that it is not known "
                "whether the server has them; nothing was merged. `spinbattery qpu collect` finds out for the store "
                f"{str(ledger.path.parent)!r}; merge after that."
            )
    target = Ledger(store.folder)
    for ledger in ledgers:
        for before, after in _merge_ledger(target, ledger).items():
            _copy_answer(ledger.path.parent / f"{before}.answer.json", store.folder / f"{after}.answer.json")
    return merge_runs(store, folders, progress)


def _copy_answer(source: Path, target: Path) -> None:
    """Copy an answer that no record could be made of, unless the target exists."""
    if source.is_file() and not target.exists():
        with suppress(FileNotFoundError), replacing(target) as temporary:
            temporary.write_bytes(source.read_bytes())


def _merge_ledger(target: Ledger, source: Ledger) -> dict[str, str]:
    """Enter the jobs of one ledger into another, all or none; returns their keys here by their keys there.

    Labels identify jobs, so that a second merge changes nothing. Of two jobs of one run, the more advanced one gets the
    key of the run, which marks the run as sent; the other one gets a key of its own.
    """
    with source.transaction() as connection:
        rows, histories = _rows(connection, "jobs"), _rows(connection, "history")
    keys: dict[str, str] = {}
    with target.transaction() as connection:
        known = {row["label"]: row for row in _rows(connection, "jobs")}
        for row in rows:
            if row["label"] in known:
                keys[row["key"]] = known[row["label"]]["key"]
                _bring_up(connection, known[row["label"]], row)
            elif row["state"] != "submitting" and (row["state"] != "planned" or row["lost_us"]):
                key = _enter(connection, row, {one["key"]: one for one in _rows(connection, "jobs")})
                if key is not None:
                    keys[row["key"]] = key
                    for event in (one for one in histories if one["key"] == row["key"]):
                        insert_row(connection, "history", {**event, "key": key})
    return keys


def _rows(connection: sqlite3.Connection, table: str) -> list[Row]:
    found = connection.execute(f"SELECT * FROM {table} ORDER BY rowid")
    names = [column[0] for column in found.description]
    return [dict(zip(names, row, strict=True)) for row in found]


def _bring_up(connection: sqlite3.Connection, here: Row, there: Row) -> None:
    """Update a job if another ledger knows more of it."""
    if _PROGRESS.index(there["state"]) > _PROGRESS.index(here["state"]):
        changes = {**there, "key": here["key"], "lost_us": max(here["lost_us"], there["lost_us"])}
        update_job(connection, here["key"], changes)
        note(connection, here["key"])


def _enter(connection: sqlite3.Connection, row: Row, here: dict[str, Row]) -> str | None:
    """Enter a new job under its key or one of its own, and return that key; None if there is nothing to keep."""
    other = here.get(row["key"])
    if row["state"] == "planned":  # an earlier request may have been charged; the next one is up to the other ledger
        row = {**row, "state": "cancelled", "message": "planned again in another store"}
    if other is not None:
        live, other_live = (one["problem_id"] is not None and one["state"] not in GIVEN_UP for one in (row, other))
        if not live and not row["lost_us"]:
            return None
        if live and not other_live and other["state"] != "submitting":
            _rename(connection, other)
        else:
            row = {**row, "key": measurement_key(row["key"], row["label"])}
    insert_row(connection, "jobs", row)
    return str(row["key"])


def _rename(connection: sqlite3.Connection, row: Row) -> None:
    """Free the key of a job that was not sent, or in vain; its cost stays."""
    if row["state"] == "planned" and not row["lost_us"]:
        connection.execute("DELETE FROM jobs WHERE key = ?", [row["key"]])
        return
    key = measurement_key(row["key"], row["label"])
    state = "cancelled" if row["state"] == "planned" else row["state"]
    update_job(connection, row["key"], {"key": key, "state": state})
    connection.execute("UPDATE history SET key = ? WHERE key = ?", [key, row["key"]])
