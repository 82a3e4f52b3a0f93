"""The whole diagnosis, as an object and as plain data."""

from __future__ import annotations

import os
import platform
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

from ..core.machine import available_memory, n_cores
from ..core.progress import Progress, checked_progress, silent
from .installation import Installation, read_installation
from .kernels import Kernels, read_kernels
from .self_test import EngineTest, Verdict, check_engines


@dataclass(frozen=True)
class Machine:
    """The machine, and the part of it that this process may use.

    Attributes:
        system: operating system and kind of processor.
        cores, all_cores: cores that may be used (affinity and a container's quota count), and those of the machine.
        memory_bytes, all_memory_bytes: memory that can be allocated now (limits of a container or batch job count), and
            the memory of the machine; None without psutil, which knows them.
    """

    system: str
    cores: int
    all_cores: int
    memory_bytes: int | None
    all_memory_bytes: int | None


@dataclass(frozen=True)
class Diagnosis:
    """The state of an installation.

    Attributes:
        installation: versions and optional parts.
        machine: what may be used of the machine.
        kernels: compiled kernels of the self-test: where they are, and whether they were there before it.
        engines: the self-test of each engine, spinbattery's own first.
    """

    installation: Installation
    machine: Machine
    kernels: Kernels
    engines: tuple[EngineTest, ...]

    @property
    def healthy(self) -> bool:
        """Whether all that is needed is installed and no self-test failed; what is optional may be missing."""
        return self.installation.is_complete and all(test.verdict is not Verdict.FAILED for test in self.engines)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON: numbers that are not finite are None."""
        installation = self.installation
        return {
            "healthy": self.healthy,
            "versions": installation.versions,
            "unsuitable": [asdict(package) for package in installation.needed if not package.suits],
            "machine": asdict(self.machine),
            "kernels": asdict(self.kernels) | {"advice": self.kernels.advice},
            "extras": [asdict(extra) | {"complete": extra.is_complete} for extra in installation.extras],
            "engines": [_engine(test) for test in self.engines],
        }


def diagnose(progress: Progress = silent) -> Diagnosis:
    """Examine this installation: versions, machine, optional parts, and every engine against known results.

    It takes some seconds, and longer where kernels are not compiled yet.

    Args:
        progress: called with the fraction done and a message; silent by default.

    Raises:
        MissingDependencyError: spinbattery is only on the path, and not installed.

    Example:
        >>> sb.diagnose().healthy
        True
    """
    progress = checked_progress(progress)
    installation = read_installation()
    engines = tuple(check_engines(progress))
    return Diagnosis(installation, _machine(), read_kernels(), engines)


def _machine() -> Machine:
    free: int | None = None
    of_machine: int | None = None
    with suppress(ModuleNotFoundError):
        import psutil

        free, of_machine = available_memory(), int(psutil.virtual_memory().total)
    return Machine(f"{platform.system()} {platform.machine()}", n_cores(), os.cpu_count() or 1, free, of_machine)


def _engine(test: EngineTest) -> dict[str, Any]:
    checks = [
        {name: None if value != value else value for name, value in asdict(check).items()} | {"passed": check.passed}
        for check in test.checks
    ]
    return asdict(test) | {"verdict": test.verdict.value, "checks": checks}
