"""Fixtures of the QPU tests: a service on loopback, and nothing of the user's own accounts."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from qpu_desk import Desk, settings, write_experiment
from sapi_stub import SapiStub
from solvers import AllUp, advantage


@pytest.fixture(autouse=True)
def no_account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting of the machine reaches a test: neither the environment's nor a dwave.conf's."""
    for name in [name for name in os.environ if name.startswith("DWAVE_")]:
        monkeypatch.delenv(name)
    home = tmp_path / "home"
    home.mkdir()
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_CONFIG_DIRS", "XDG_CACHE_HOME", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, str(home))


@pytest.fixture(scope="session")
def solver() -> dict[str, Any]:
    """A small Advantage: Pegasus P2, 40 qubits."""
    return advantage()


@pytest.fixture
def sampler() -> AllUp:
    return AllUp()


@pytest.fixture
def stub(solver: dict[str, Any], sampler: AllUp, tmp_path: Path) -> Iterator[SapiStub]:
    """The service, running."""
    with SapiStub(solver, sampler, tmp_path / "service") as service:
        yield service


@pytest.fixture
def desk(stub: SapiStub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A user with an account at the service, and an experiment of three jobs."""
    for name, value in settings(stub, tmp_path).items():
        monkeypatch.setenv(name, value)
    return Desk(stub, tmp_path, write_experiment(tmp_path / "study.toml", 3))
