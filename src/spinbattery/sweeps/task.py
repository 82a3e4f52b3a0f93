"""The work on one task; independent of the kind of worker."""

from __future__ import annotations

import os
import socket
import traceback
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from threadpoolctl import threadpool_limits

from ..core.errors import RecordError, SpinBatteryError
from ..core.machine import limit_cores
from ..core.progress import Progress, silent
from ..engines.common.checkpoint import Checkpoint
from ..records.hashing import planned_key
from ..store.files import Entry
from ..store.folder import Store
from .plan import Task


@dataclass(frozen=True)
class Outcome:
    """Outcome of a task: plain data that travels back from the worker.

    Attributes:
        kind: ``computed``; ``found`` (another process had finished it); ``busy`` (another process is running
            it); ``failed`` (the error is in the store); ``unwritten`` (the store cannot be written).
        entry: index entry of the file that was written.
    """

    kind: Literal["computed", "found", "busy", "failed", "unwritten"]
    entry: Entry | None = None
    error: str | None = None


def this_process() -> str:
    """Name of this process among all machines."""
    return f"{socket.gethostname()}:{os.getpid()}"


def perform(
    tasks: tuple[Task, ...], folder: Path, host: str, forced: frozenset[str], progress: Progress = silent
) -> list[Outcome]:
    """Run tasks and write their records; at most one process does so for a task of a store at a time.

    Args:
        host: the process of the sweep, see :func:`this_process`.
        forced: keys of tasks that are run although they failed or their record is damaged.

    Returns:
        Outcomes in the order of the tasks, up to the first that could not be written.
    """
    if this_process() != host:
        _cap_threads()
    store = Store(folder)
    outcomes: list[Outcome] = []
    for task in tasks:
        outcomes.append(_perform(task, store, task.key in forced, progress))
        if outcomes[-1].kind == "unwritten":
            break
    return outcomes


def _perform(task: Task, store: Store, force: bool, progress: Progress) -> Outcome:
    try:
        with store.claim(task.key) as ours:
            if not ours:
                return Outcome("busy")
            return _known(task, store, force) or _run(task, store, progress)
    except OSError as error:  # the claim is the first thing that a full disk refuses
        return Outcome("unwritten", error=f"cannot write in {str(store.folder)!r}: {error.strerror}.")


def _known(task: Task, store: Store, force: bool) -> Outcome | None:
    """The outcome if another process has finished the task since the survey; None if it must be run."""
    try:
        known = task.record(store) is not None if force or task.engine.measures else task.key in store
    except RecordError:
        known = not force
    if known:
        return Outcome("found")
    error = None if force else store.failure(task.key)
    return None if error is None else Outcome("failed", error=error)


def _run(task: Task, store: Store, progress: Progress) -> Outcome:
    try:
        checkpoint = Checkpoint(store.checkpoint_path(task.key), task.key)
        record = task.engine.run(task.problem, task.times, progress, task.reason, checkpoint)
    except Exception as error:  # whatever the error, the other runs go on
        return failure(task, store, _explain(error))
    if planned_key(record.key) != task.key:
        return failure(
            task, store, "the worker has another version of spinbattery than the sweep; install the same everywhere."
        )
    try:
        entry = store.write(record)
        checkpoint.remove()
        return Outcome("computed", entry)
    except RecordError as error:
        return Outcome("unwritten", error=str(error))


def failure(task: Task, store: Store, error: str) -> Outcome:
    """Note in the store that a task failed."""
    try:
        return Outcome("failed", store.write_failure(task.parameters(), error), error)
    except RecordError as unwritten:
        return Outcome("unwritten", error=str(unwritten))


def _explain(error: Exception) -> str:
    if isinstance(error, SpinBatteryError):
        return f"{type(error).__name__}: {error}"
    return "".join(traceback.format_exception(error)).strip()


@cache
def _cap_threads() -> None:
    """One thread for each library in a worker process from now on; the digits then do not depend on the cores."""
    threadpool_limits(1)
    limit_cores(1)
