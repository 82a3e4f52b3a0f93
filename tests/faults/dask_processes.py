"""Dask schedulers and workers as processes of their own that talk TCP on loopback."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from processes import Launch, Running, wait_until

_DASK = (sys.executable, "-m", "dask")
_LOOPBACK = ("--host", "127.0.0.1", "--no-dashboard")


def start_scheduler(launch: Launch, folder: Path) -> tuple[Running, str]:
    """A scheduler on a free port, and its address."""
    note = folder / "scheduler.json"
    scheduler = launch(*_DASK, "scheduler", *_LOOPBACK, "--port", "0", "--scheduler-file", str(note))
    wait_until(lambda: scheduler.ended or _address(note), "the scheduler's address")
    assert not scheduler.ended, scheduler.output()
    return scheduler, _address(note)


def start_worker(launch: Launch, address: str, folder: Path, *options: str) -> Running:
    """A worker of one thread; with a nanny that replaces it unless told otherwise."""
    return launch(*_DASK, "worker", address, *_LOOPBACK, "--nthreads", "1", "--local-directory", str(folder), *options)


def _address(note: Path) -> str:
    try:
        return str(json.loads(note.read_text(encoding="utf-8"))["address"])
    except (OSError, ValueError):  # not yet there, or not yet whole
        return ""
