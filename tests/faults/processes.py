"""Real processes for the fault tests: sweeps, pools and clusters that can be watched and killed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from forked import Forked, run_command

from spinbattery.records.record_file import read_record
from spinbattery.sweeps.experiment import read_experiment
from spinbattery.sweeps.run import Sweep, run_plan

PATIENCE_S = 120.0
"""Far longer than anything here takes on a slow machine: a wait ends by what it waits for."""

_POLL_S = 0.02


def wait_until(condition: Callable[[], Any], what: str, patience: float = PATIENCE_S) -> Any:
    """The first true value of a condition; fails where it never comes."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        if value := condition():
            return value
        time.sleep(_POLL_S)
    raise AssertionError(f"waited {patience:g} s in vain for {what}")


@dataclass(frozen=True)
class Finished:
    """What a process left: exit code (negative: killed by that signal) and output."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Running:
    """A process in a session of its own, so that all it starts can be found, whoever their parent is."""

    def __init__(self, process: subprocess.Popen[bytes] | Forked, log: Path) -> None:
        self._process, self.pid = process, process.pid
        self._out, self._err = log.with_suffix(".out"), log.with_suffix(".err")

    @classmethod
    def of_program(cls, arguments: Sequence[str], log: Path) -> Running:
        """A program, in the folder of its output."""
        with log.with_suffix(".out").open("wb") as out, log.with_suffix(".err").open("wb") as err:
            process = subprocess.Popen(
                arguments, stdout=out, stderr=err, stdin=subprocess.DEVNULL, start_new_session=True, cwd=log.parent
            )
        return cls(process, log)

    @classmethod
    def of_function(cls, function: Callable[..., None], arguments: Sequence[object], log: Path) -> Running:
        """A function of the tests, in the folder of its output."""
        return cls(Forked(function, arguments, log.parent, log.with_suffix(".out"), log.with_suffix(".err")), log)

    @property
    def ended(self) -> bool:
        return self._process.poll() is not None

    def output(self) -> Finished:
        """What there is up to now; code 0 where it still runs."""
        return Finished(
            self._process.poll() or 0, self._out.read_text(encoding="utf-8"), self._err.read_text(encoding="utf-8")
        )

    def end(self) -> Finished:
        """Wait for its end."""
        wait_until(lambda: self.ended, f"the end of process {self.pid}; it says: {self.output()}")
        return self.output()

    def signal(self, number: int) -> None:
        """Send a signal to this process alone."""
        self._process.send_signal(number)

    def signal_all(self, number: int) -> None:
        """Send a signal to it and all it started, as a terminal does at Ctrl-C."""
        os.killpg(self.pid, number)

    def kill(self) -> None:
        """Kill this process, and it alone."""
        self._process.kill()
        self._process.wait()

    def members(self) -> list[psutil.Process]:
        """Living processes of its session: itself and what it started."""
        return [process for number in psutil.pids() if (process := _member(number, self.pid)) is not None]

    def clean_up(self) -> None:
        """End all that is left of it."""
        while found := self.members():
            for process in found:
                _kill(process)
            psutil.wait_procs(found, 1.0)
            self._process.poll()
        self._process.wait()


def _member(number: int, session: int) -> psutil.Process | None:
    """A process by its number, if it lives and is of this session."""
    try:
        if os.getsid(number) != session:
            return None
        process = psutil.Process(number)
        return None if process.status() == psutil.STATUS_ZOMBIE else process
    except (psutil.Error, OSError):
        return None


def _kill(process: psutil.Process) -> bool:
    try:
        process.kill()
    except psutil.Error:
        return False
    return True


Launch = Callable[..., Running]
"""Starts a process: ``launch(*arguments)`` a program, ``fork(function, *arguments)`` a function of the tests."""


def fresh_command(*arguments: str | Path) -> list[str]:
    """The command line in a fresh interpreter, to be put behind another program."""
    return [sys.executable, "-m", "spinbattery", *map(str, arguments)]


def impatient(*arguments: object) -> None:
    """The command line, but a Dask scheduler that is not there is given up after 3 s instead of 10."""
    from spinbattery.sweeps import cluster

    cluster._CONNECT_S = 3.0
    run_command(*arguments)


# experiments and stores


def write_experiment(
    path: Path,
    networks: Iterable[str],
    durations: Iterable[float],
    *,
    couplings: Iterable[float] = (-0.2,),
    head: str = "",
    **options: float,
) -> Path:
    """An experiment file: networks x durations (ns) x J with the state-vector engine."""
    options = {"tolerance": 1e-5, **options}
    path.write_text(
        "\n".join(
            [
                head,
                f"networks = {json.dumps(list(networks))}",
                "[[protocols]]",
                'name = "cooperative"',
                f"duration = {json.dumps([f'{duration}ns' for duration in durations])}",
                f"J = {json.dumps(list(couplings))}",
                "[[engines]]",
                'name = "statevector"',
                *(f"{name} = {value}" for name, value in options.items()),
            ]
        ),
        encoding="utf-8",
    )
    return path


@dataclass(frozen=True)
class Study:
    """An experiment, and the contents of its store after an undisturbed serial run."""

    experiment: Path
    contents: dict[str, str]


def serial(experiment: Path, folder: Path) -> dict[str, str]:
    """Contents of the store of an undisturbed run in this process."""
    run_here(experiment, folder)
    return contents(folder)


def run_here(experiment: Path, folder: Path) -> Sweep:
    """Run what is missing of an experiment, in this process."""
    return run_plan(read_experiment(experiment), folder, workers=1)


def records(folder: Path) -> set[str]:
    """Names of the record files there are."""
    return {name for name in os.listdir(folder) if name.endswith(".nc")} if folder.is_dir() else set()


def contents(folder: Path) -> dict[str, str]:
    """Content hash of every record by file name; each is read and checked."""
    return {name: read_record(folder / name).content_hash for name in records(folder)}


def stamps(folder: Path) -> dict[str, tuple[int, int]]:
    """What changes when a file is written again, by file name."""
    found = {name: (folder / name).stat() for name in records(folder)}
    return {name: (status.st_ino, status.st_mtime_ns) for name, status in found.items()}


def half_written(folder: Path) -> list[str]:
    """Files under temporary names."""
    return [path.name for path in folder.glob(".*.part")]


def computing(folder: Path, *roots: Running) -> dict[str, psutil.Process]:
    """Who is in the middle of which run: processes that hold a claim, by the name of the record to come."""
    found = {}
    for process in (member for root in roots for member in root.members()):
        for path in _open_files(process):
            if path.parent == folder / ".claims":
                found[f"{path.name}.nc"] = process
    return found


def _open_files(process: psutil.Process) -> list[Path]:
    try:
        return [Path(file.path) for file in process.open_files()]
    except (psutil.Error, OSError):
        return []


def kill_one(processes: Iterable[psutil.Process]) -> bool:
    """SIGKILL the first of these that is still there."""
    return any(_kill(process) for process in processes)
