"""Every engine that is installed against results that are known."""

from __future__ import annotations

import time
from dataclasses import dataclass
from enum import Enum
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING

from ..core.errors import EngineError, MissingDependencyError
from ..core.plugins import ENGINE_GROUP
from ..core.progress import Progress, silent
from ..engines.common.contract import Engine

if TYPE_CHECKING:
    from ..engines.common.known_results import KnownResult
    from ..records.record import Record

_OWN = "spinbattery"
_STANDARD_ERRORS = 5.0
_UNSTATED = 0.01
"""Allowed error of mu and sigma where an engine states none."""


class Verdict(Enum):
    """The outcome of a self-test."""

    PASSED = "passed"
    FAILED = "failed"
    MISSING = "not installed"
    UNTESTED = "not tested"


@dataclass(frozen=True)
class Check:
    """One problem, solved and compared.

    Attributes:
        what: the problem.
        magnetization_error, std_error: differences of mu and sigma from what they should be.
        allowed: the largest difference allowed of either.
    """

    what: str
    magnetization_error: float
    std_error: float
    allowed: float

    @property
    def passed(self) -> bool:
        """Whether both differences are small enough; a NaN is not."""
        return abs(self.magnetization_error) <= self.allowed and abs(self.std_error) <= self.allowed


@dataclass(frozen=True)
class EngineTest:
    """The self-test of one engine.

    Attributes:
        name: of the engine.
        package: the package that offers it, and its version.
        verdict: the outcome.
        checks: the problems that were solved.
        seconds: wall time of the runs.
        preparing_seconds: wall time of all else: imports of the engine's packages, and compilation of kernels.
        message: why it failed, or was not tested; else empty.
        advice: what to do; else empty.
    """

    name: str
    package: str
    verdict: Verdict
    checks: tuple[Check, ...] = ()
    seconds: float = 0.0
    preparing_seconds: float = 0.0
    message: str = ""
    advice: str = ""


def check_engines(progress: Progress = silent) -> list[EngineTest]:
    """Test every engine that an installed package offers; what one raises is part of its result.

    Statistical errors are allowed five standard errors, others the engine's own tolerance, and 0.01 where it states
    none. Seeds are derived from the problems, so that the outcome does not change from call to call.
    """
    points = sorted(entry_points(group=ENGINE_GROUP), key=lambda point: (not _is_own(point), point.name))
    results = []
    for index, point in enumerate(points):
        progress(index / len(points), f"testing {point.name}")
        results.append(check_engine(point))
    return results


def check_engine(point: EntryPoint) -> EngineTest:
    """Test the engine that an entry point names."""
    package = f"{point.dist.name} {point.dist.version}" if point.dist is not None else "unknown package"
    begin, running = time.perf_counter(), 0.0

    def result(verdict: Verdict, message: str = "", advice: str = "", checks: tuple[Check, ...] = ()) -> EngineTest:
        preparing = max(time.perf_counter() - begin - running, 0.0)
        return EngineTest(point.name, package, verdict, checks, running, preparing, message, advice)

    try:
        kind = point.load()
        if not (isinstance(kind, type) and issubclass(kind, Engine)):
            raise TypeError(f"{point.value} is no subclass of spinbattery.Engine.")  # noqa: TRY301
        checks, running = _checked(kind)
    except MissingDependencyError as error:
        return result(Verdict.MISSING, str(error))
    except Exception as error:  # whatever a foreign engine raises
        return result(Verdict.FAILED, f"it raised {error!r}.", _advice(point, package, error))
    if not checks:
        return result(Verdict.UNTESTED, "it takes none of the problems with known results.")
    if wrong := [check.what for check in checks if not check.passed]:
        return result(Verdict.FAILED, f"wrong results: {'; '.join(wrong)}.", _advice(point, package), checks)
    return result(Verdict.PASSED, checks=checks)


def _checked(kind: type[Engine]) -> tuple[tuple[Check, ...], float]:
    """What was solved and compared, and how long that took without compilation, s."""
    checks, seconds = [], 0.0
    for engine, known in kind.self_tests():
        try:
            engine.check(known.problem)
        except EngineError:
            continue
        record = engine.run(known.problem)
        seconds += float(record.attributes.get("wall_time_s", 0.0))
        checks.append(_compared(engine, known, record))
    return tuple(checks), seconds


def _compared(engine: Engine, known: KnownResult, record: Record) -> Check:
    stderr = record.magnetization_stderr
    stated = engine.options().get("tolerance", _UNSTATED if stderr is None else 0.0)
    allowed = stated + _STANDARD_ERRORS * (stderr or 0.0)
    mean_error, std_error = record.magnetization - known.magnetization, record.std - known.variance**0.5
    return Check(known.what, mean_error, std_error, allowed)


def _advice(point: EntryPoint, package: str, error: Exception | None = None) -> str:
    if _is_own(point) and isinstance(error, ModuleNotFoundError):
        return "install spinbattery again, which brings the packages that it needs."
    if _is_own(point):
        return (
            "delete the folders of compiled kernels that are listed here and run this again; if it fails again, "
            "install spinbattery with the versions of constraints.txt in a new environment."
        )
    return f"update or uninstall {package}, or tell its authors; other engines work without it."


def _is_own(point: EntryPoint) -> bool:
    return point.dist is not None and point.dist.name == _OWN
