"""Fixtures of the fault tests: whatever a test starts is ended with it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from processes import Finished, Launch, Running, Study, serial, spinbattery, write_experiment


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Launch]:
    """Start a process: ``launch(*arguments)``."""
    started: list[Running] = []
    logs = tmp_path / "logs"
    logs.mkdir()
    numbers = itertools.count()

    def start(*arguments: str) -> Running:
        started.append(Running(arguments, logs / str(next(numbers))))
        return started[-1]

    yield start
    for running in started:
        running.clean_up()


@pytest.fixture
def command(launch: Launch) -> Callable[..., Finished]:
    """Run the command line to its end: ``command("sweep", ...)``."""
    return lambda *arguments: launch(*spinbattery(*arguments)).end()


@pytest.fixture(scope="session")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """Five problems that take about half a second each: long enough to be caught in the middle."""
    folder = tmp_path_factory.mktemp("study")
    experiment = write_experiment(folder / "study.toml", ["ring:12"], range(60, 65), tolerance=1e-6)
    return Study(experiment, serial(experiment, folder / "runs"))
