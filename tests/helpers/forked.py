"""Processes that need no start-up: each is forked from one that has imported the package and run it once."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from functools import cache
from multiprocessing import connection, forkserver
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Self

import pytest


@cache
def warm_context() -> ForkServerContext:
    """The start method, its server running; it ends with this process."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["warm_start"])
    with pytest.MonkeyPatch.context() as patch:
        paths = [str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]
        patch.setenv("PYTHONPATH", os.pathsep.join(filter(None, paths)))
        forkserver.ensure_running()
    return context


class Forked:
    """A function called in a process and a session of its own; used as a ``subprocess.Popen`` is."""

    def __init__(self, function: Callable[..., None], arguments: Sequence[object], folder: Path, out: Path, err: Path):
        for path in (out, err):
            path.touch()
        self.err = err
        given = (dict(os.environ), folder, out, err, function, arguments)
        self._process = warm_context().Process(target=_call, args=given)
        self._lock = threading.Lock()
        self._process.start()
        assert self._process.pid is not None
        self.pid = self._process.pid
        while self.poll() is None and os.getsid(self.pid) != self.pid:
            time.sleep(0.001)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        self.wait()

    def poll(self) -> int | None:
        """Exit code, negative where a signal killed it; None while it runs."""
        with self._lock:  # a thread that serves it may ask as well, and the code can be read once
            return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int | None:
        """Wait for its end."""
        connection.wait([self._process.sentinel], timeout)
        return self.poll()

    def send_signal(self, number: int) -> None:
        """Send a signal to this process alone."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """Kill it."""
        self.send_signal(signal.SIGKILL)


def run_command(*arguments: object) -> None:
    """The command line."""
    from spinbattery.cli.main import run

    sys.argv = ["spinbattery", *map(str, arguments)]
    run()


def _call(
    environment: dict[str, str],
    folder: Path,
    out: Path,
    err: Path,
    function: Callable[..., None],
    arguments: Sequence[object],
) -> None:
    os.setsid()
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    for stream, path in ((sys.stdout, out), (sys.stderr, err)):
        file = os.open(path, os.O_WRONLY)
        os.dup2(file, stream.fileno())
        os.close(file)
    function(*arguments)
