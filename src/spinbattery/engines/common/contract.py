"""The contract of engines: a charging problem in, a record out."""

from __future__ import annotations

import hashlib
import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from enum import Enum
from functools import lru_cache
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike

from ...core import compilation
from ...core.checks import apart
from ...core.errors import EngineError, InsufficientMemoryError, InvalidParameterError, ToleranceError
from ...core.machine import available_memory
from ...core.progress import Progress, Rising, silent
from ...core.typing import FloatArray
from ...model.problem import ChargingProblem
from ...model.protocol import SAME_TIME
from ...records.building import build_record
from ...records.options import added_later, engine_classes
from ...records.readout import Readout
from ...records.record import Record
from ...records.solution import Solution
from .checkpoint import Checkpoint
from .clock import Clock

if TYPE_CHECKING:
    from .known_results import KnownResult

_SEED_DIGITS = 12
"""48 bits: exact in a float64 column, too."""

_ALWAYS_FREE = 32_000_000
"""Bytes that Python and numpy take themselves, for which nobody has to be asked."""


def derived_seed(problem: ChargingProblem, engine: str, base: int = 0) -> int:
    """Seed of a run: from the problem, the engine's name and the number of the repetition, never from the worker."""
    text = f"seed:1:{problem.content_hash}:{engine}:{base}"
    return int(hashlib.sha256(text.encode()).hexdigest()[:_SEED_DIGITS], 16)


def format_bytes(size: float) -> str:
    """Size with a unit, such as ``1.2 GB``."""
    if size >= 10**21:
        return f"10^{math.floor(math.log10(size))} B"  # 2^N for the N of an annealer is no float
    for unit in ("B", "kB", "MB", "GB", "TB", "PB"):
        if size < 1000.0:
            return f"{size:.3g} {unit}"
        size /= 1000.0
    return f"{size:.3g} EB"


def output_times(problem: ChargingProblem, times: ArrayLike | None) -> FloatArray:
    """Requested times in ns, checked; empty where none were asked for.

    Raises:
        InvalidParameterError: not one-dimensional, not finite, not ascending, or outside the protocol.
    """
    if times is None:
        return np.empty(0)
    try:
        array = np.atleast_1d(np.asarray(times, dtype=np.float64))
    except (TypeError, ValueError, OverflowError):
        raise InvalidParameterError(f"times must be numbers in ns, but are {times!r}.") from None
    duration = problem.protocol.duration
    if array.ndim != 1 or not np.isfinite(array).all() or (np.diff(array) <= SAME_TIME * duration).any():
        raise InvalidParameterError(
            f"times must be finite and ascend strictly, by more than {SAME_TIME * duration:g} ns."
        )
    # a time meant to be a corner but off by rounding would make an empty step
    corners = problem.protocol.breakpoints
    after = np.searchsorted(corners, array).clip(1, len(corners) - 1)
    before = corners[after - 1]
    nearest = np.where(array - before <= corners[after] - array, before, corners[after])
    array = np.where(np.abs(array - nearest) < 0.5 * SAME_TIME * duration, nearest, array)
    if array.size and (array[0] < 0.0 or array[-1] > duration):
        end, first, last, _ = apart(duration, array[0], array[-1], 0.0)
        raise InvalidParameterError(
            f"times must lie within the protocol, 0 to {end} ns, but run from {first} to {last}."
        )
    return array


class Accuracy(Enum):
    """What is known of the error of an engine's results; the value is a phrase for tables."""

    TOLERANCE = "exact: the error is below the tolerance, or the run ends with an error"
    TARGET = "aims at the tolerance; the record has an estimate of the error and a verdict"
    STATISTICAL = "standard errors, which more samples make smaller"
    UNKNOWN = "no estimate of the error"
    APPROXIMATE = "an approximation: its error is not known, and no precision is given"


@dataclass(frozen=True)
class Engine(ABC):
    """A way to solve charging problems; its fields are its options, and nothing of the physics.

    Subclasses are frozen dataclasses: two engines with equal options give equal results. One that draws
    random numbers has a field named ``seed``, None by default for one that is derived from the problem; one
    without is deterministic.
    """

    name: ClassVar[str]
    """Name on the command line and in records."""

    summary: ClassVar[str] = ""
    """What it computes, in a few words for lists of engines."""

    takes: ClassVar[str] = ""
    """Networks and protocols that it can treat, for tables of engines."""

    accuracy: ClassVar[Accuracy] = Accuracy.UNKNOWN
    """What is known of the error of its results."""

    approximation: ClassVar[str] = ""
    """What an engine neglects and how far off that is, where no effort makes its error small: no precision is shown."""

    takes_noise: ClassVar[bool] = False
    """Whether noise on the spins can be part of the problem."""

    sampled_by: ClassVar[str] = ""
    """Name of an engine that samples the same problem, in less time where it is large."""

    remedies: ClassVar[Mapping[str, str]] = MappingProxyType({})
    """What makes each part of the error in ``discretisation["errors"]`` smaller, by its name."""

    emulates_machine: ClassVar[bool] = False
    """Whether its records say which limits of a machine the run is beyond."""

    needs: ClassVar[str] = ""
    """Module with the compiled kernels, which only a run needs; the time of a run does not include its import."""

    compile_seconds: ClassVar[float] = 10.0
    """What its kernels take to compile where they are not in the cache, s, for a note."""

    @abstractmethod
    def refusal(self, problem: ChargingProblem) -> str | None:
        """Why this engine cannot treat the problem, or None if it can."""

    @abstractmethod
    def required_bytes(self, problem: ChargingProblem) -> int:
        """Bytes the run adds to the process at its peak, with a margin; a sweep sums it over the runs at once."""

    @abstractmethod
    def predicted_seconds(self, problem: ChargingProblem, times: FloatArray) -> float:
        """Rough run time in s, within a factor of about 3, found without running anything.

        It holds for one thread of a present-day core once kernels are compiled, and serves to order the
        runs of a sweep, to show their total and to estimate the time that remains.

        Args:
            problem: one that this engine can treat.
            times: output times in ns, as checked by :func:`output_times`; may be empty.
        """

    @abstractmethod
    def solve(
        self, problem: ChargingProblem, times: FloatArray, progress: Progress, checkpoint: Checkpoint
    ) -> Solution | Readout:
        """Solve a problem that was checked.

        Args:
            problem: what to solve.
            times: output times in ns; may be empty.
            progress: called as the work advances.
            checkpoint: where an engine that can go on after an interruption keeps what it has reached, and finds it.
        """

    @classmethod
    def self_tests(cls) -> list[tuple[Engine, KnownResult]]:
        """Quick problems with known results for ``spinbattery doctor``, each with the engine that solves it.

        One that its engine refuses is left out. An approximation says itself what it gives.
        """
        if cls.accuracy is Accuracy.APPROXIMATE or cls.emulates_machine:
            return []
        from .known_results import exact_results

        engine = cls()
        return [(engine, known) for known in exact_results()]

    def module_for(self, problem: ChargingProblem) -> str:
        """Module with the compiled kernels of a problem."""
        return self.needs

    def options(self) -> dict[str, Any]:
        """Options by name, as kept in records and run keys; those declared as added later only where they are used."""
        later = added_later(type(self))
        return {name: value for name, value in asdict(self).items() if name not in later or value != later[name]}

    def options_for(self, problem: ChargingProblem) -> dict[str, Any]:
        """Options of a run of that problem: with what else tells two runs of it apart."""
        return self.options()

    @property
    def takes_seed(self) -> bool:
        """Whether results depend on a seed: whether the engine has an option of that name."""
        return any(option.name == "seed" for option in fields(self))

    @property
    def measures(self) -> bool:
        """Whether a run is a measurement, which no seed repeats, so that its job is part of the record's key."""
        return False

    def with_seed(self, seed: int) -> Self:
        """The same engine with another seed.

        Raises:
            EngineError: the engine takes no seed.
        """
        if not self.takes_seed:
            raise EngineError(
                f"the {self.name} engine takes no seed: it is deterministic and gives the same result for every "
                "seed; leave the seed out."
            )
        changes: dict[str, Any] = {"seed": seed}  # a field of subclasses only, of which mypy cannot know
        return replace(self, **changes)

    def seeded(self, problem: ChargingProblem) -> Self:
        """The same engine, with a seed derived from the problem where it takes one and has none."""
        if not self.takes_seed or self.options()["seed"] is not None:
            return self
        return self.with_seed(derived_seed(problem, self.name))

    def check(self, problem: ChargingProblem, available: int | None = None) -> None:
        """Refuse what cannot be done, before any work or memory is spent.

        Args:
            problem: what is to be solved.
            available: memory in bytes; what is free on this machine by default.

        Raises:
            EngineError: the physics is beyond this engine.
            InsufficientMemoryError: it would not fit; the message says how much it would take.
        """
        reason = self.refusal(problem)
        if problem.noise is not None and not self.takes_noise:
            reason = f"this engine does not support noise ({problem.noise}); {_engines_with_noise()}"
        if reason is not None:
            raise EngineError(f"the {self.name} engine cannot treat this problem: {reason}")
        required = self.required_bytes(problem)
        if available is None:
            if required <= _ALWAYS_FREE:  # to ask takes longer than some steps of a small run
                return
            available = available_memory()
        if required > available:
            raise InsufficientMemoryError(
                f"the {self.name} engine needs {format_bytes(required)} for N = {problem.n_spins} spins, but "
                f"{format_bytes(available)} are free; {self.memory_hint(problem, available)}"
            )

    def memory_hint(self, problem: ChargingProblem, available: int) -> str:
        """What a user can do about too little memory."""
        return "use a smaller network."

    def run(
        self,
        problem: ChargingProblem,
        times: ArrayLike | None = None,
        progress: Progress = silent,
        reason: str = "chosen by the caller",
        checkpoint: Checkpoint | None = None,
    ) -> Record:
        """Solve the problem and return its record.

        Args:
            problem: what to solve.
            times: times (ns) at which to keep mu, sigma and the energy; none by default.
            progress: called as the work advances, with fractions that never go back and end with 1.
            reason: why this engine was chosen, for the record.
            checkpoint: where to keep what was reached, and to go on from; none by default.

        Raises:
            EngineError: see :meth:`check`.
            InsufficientMemoryError: see :meth:`check`.
            InvalidParameterError: unusable times.
            ToleranceError: the tolerance was not reached.
        """
        engine = self.seeded(problem)
        engine.check(problem)
        compilation.expect(engine.name, engine.compile_seconds)
        if module := engine.module_for(problem):
            import_module(module)
        checked = output_times(problem, times)
        checkpoint = checkpoint or Checkpoint()
        rising = Rising(progress)
        with Clock() as clock:
            checkpoint.clock = clock
            try:
                solution = engine.solve(problem, checked, rising, checkpoint)
            except ToleranceError:
                checkpoint.remove()  # to go on from there would end in the same way
                raise
            rising.end()
            elapsed = checkpoint.seconds
        return build_record(
            problem, engine.name, engine.options_for(problem), reason, solution, elapsed, engine.approximation
        )


@lru_cache(maxsize=16)
def predicted_run(engine: Engine, problem: ChargingProblem) -> float:
    """Predicted seconds without output times, kept: the choice of an engine and its run ask for them in turn."""
    return engine.predicted_seconds(problem, np.empty(0))


def _engines_with_noise() -> str:
    """What to use for noise, by the engines that are installed."""
    able = {name: kind for name, kind in engine_classes().items() if issubclass(kind, Engine) and kind.takes_noise}
    return f"engines with noise: {', '.join(f'{name} ({kind.summary})' for name, kind in able.items())}."
