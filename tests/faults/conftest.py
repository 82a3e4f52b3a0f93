"""Fixtures of the fault tests: whatever a test starts is ended with it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from forked import run_command
from processes import Finished, Launch, Running, Study, serial, write_experiment


@pytest.fixture
def logs(tmp_path: Path) -> Iterator[Path]:
    """Where each process writes what it says: names for their files."""
    folder = tmp_path / "logs"
    folder.mkdir()
    return (folder / str(number) for number in itertools.count())


@pytest.fixture
def started() -> Iterator[list[Running]]:
    """All processes of a test."""
    started: list[Running] = []
    yield started
    for running in started:
        running.clean_up()


@pytest.fixture
def launch(started: list[Running], logs: Iterator[Path]) -> Launch:
    """Start a program: ``launch(*arguments)``."""

    def start(*arguments: str) -> Running:
        started.append(Running.of_program(arguments, next(logs)))
        return started[-1]

    return start


@pytest.fixture
def fork(started: list[Running], logs: Iterator[Path]) -> Launch:
    """Call a function in a process of its own: ``fork(function, *arguments)``."""

    def start(function: Callable[..., None], *arguments: object) -> Running:
        started.append(Running.of_function(function, arguments, next(logs)))
        return started[-1]

    return start


@pytest.fixture
def start(fork: Launch) -> Launch:
    """Start the command line in a process of its own: ``start("sweep", ...)``."""
    return lambda *arguments: fork(run_command, *arguments)


@pytest.fixture
def command(start: Launch) -> Callable[..., Finished]:
    """Run the command line to its end: ``command("sweep", ...)``."""
    return lambda *arguments: start(*arguments).end()


@pytest.fixture(scope="session")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """Five problems that take about half a second each: long enough to be caught in the middle."""
    folder = tmp_path_factory.mktemp("study")
    experiment = write_experiment(folder / "study.toml", ["ring:12"], range(60, 65), tolerance=1e-6)
    return Study(experiment, serial(experiment, folder / "runs"))
