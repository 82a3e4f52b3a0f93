"""Settings of the suite: one thread per library, no display, the same examples on every run. The command line."""

from __future__ import annotations

import gc
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from kernel_types import needless_variants

# before numpy and matplotlib are imported: BLAS threads only slow small matrices down
for _library in ("OMP", "OPENBLAS", "MKL"):
    os.environ.setdefault(f"{_library}_NUM_THREADS", "1")
os.environ["MPLBACKEND"] = "Agg"

# no deadline: the first call of a jitted kernel compiles it; `HYPOTHESIS_PROFILE=search` looks for new examples
_COMMON = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("fixed", derandomize=True, max_examples=25, **_COMMON)
settings.register_profile("search", max_examples=500, **_COMMON)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fixed"))


def pytest_collection_finish() -> None:
    """Spare the garbage collector what the imports and the collection have made: a tenth of the time of all tests."""
    gc.collect()
    gc.freeze()


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture(scope="session", autouse=True)
def _one_code_for_each_function() -> Iterator[None]:
    """No run of the whole suite may need code of its own that differs from what others use in no precision."""
    yield
    assert needless_variants() == {}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home folder, and a working folder in which nothing may appear."""
    home, here = tmp_path / "home", tmp_path / "here"
    home.mkdir()
    here.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(here)
    yield home
    assert list(here.iterdir()) == []


@pytest.fixture(scope="session")
def known_runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of exact runs that tests of several files need: what one has made is read by the others.

    A run is found by its key alone, which holds the problem, the engine and its options, and whoever comes first makes
    it. Records are added to it and never changed; a test of stores has one of its own.
    """
    return tmp_path_factory.mktemp("known") / "runs"


@pytest.fixture
def spinbattery(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    """Run the command line in this process and see what a user would."""
    from spinbattery.cli import main

    def call(*arguments: str) -> Outcome:
        monkeypatch.setattr("sys.argv", ["spinbattery", *arguments])
        try:
            main.run()
            code = 0
        except SystemExit as stop:
            code = int(stop.code or 0)
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return call
