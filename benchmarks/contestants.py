"""The job, and the two ways to run an exact engine of spinbattery on it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from spinbattery.charging import charge
from spinbattery.core.progress import silent
from spinbattery.engines.common.contract import Engine
from spinbattery.engines.common.mesh import Mesh
from spinbattery.engines.common.propagation import Passage
from spinbattery.engines.common.stepping import SteppingEngine
from spinbattery.engines.symmetric.basis import SymmetricSector
from spinbattery.engines.symmetric.engine import carried
from spinbattery.engines.symmetric.polynomials import divided
from spinbattery.model.lattices import torus
from spinbattery.model.network import SpinNetwork
from spinbattery.model.operators import magnetization_diagonal
from spinbattery.model.problem import ChargingProblem
from spinbattery.model.protocol import Protocol as ChargingProtocol
from spinbattery.model.protocol import cooperative
from spinbattery.model.symmetry import group_of, symmetry_group

DURATION, COUPLING, FIELD, HOLD = 20.0, -0.2, -0.5, 0.35
"""The cooperative protocol that is timed: tau in ns, J and h in units of B(s)/2, s in the hold."""

REFERENCE_TOLERANCE = 1e-11


@dataclass(frozen=True)
class Outcome:
    """Final mu = <Sz>/N and precision 1/sigma^2."""

    magnetization: float
    precision: float


Run = Callable[[], Outcome]
"""One complete run of a contestant; everything else was prepared before and is not timed."""


@dataclass(frozen=True)
class Case:
    """One size of the job: a torus of lx x ly spins, charged for a duration in ns."""

    lx: int
    ly: int
    duration: float = DURATION

    @property
    def name(self) -> str:
        return f"{self.lx}x{self.ly}"

    @property
    def title(self) -> str:
        return f"{self.name} torus, {self.duration:g} ns"

    def network(self) -> SpinNetwork:
        return torus(self.lx, self.ly)

    def protocol(self) -> ChargingProtocol:
        return cooperative(self.duration, J=COUPLING, h=FIELD, s_hold=HOLD)

    def problem(self) -> ChargingProblem:
        """A new problem, so that nothing is cached from one repeat to the next."""
        return ChargingProblem(self.network(), self.protocol())


class Job(Protocol):
    """What is solved: a name, a title for tables, and a new problem at each call."""

    @property
    def name(self) -> str: ...

    @property
    def title(self) -> str: ...

    def problem(self) -> ChargingProblem: ...


def discharged(n_spins: int) -> NDArray[np.complex128]:
    """Amplitudes of the state with every spin down, shape (2^N,)."""
    psi = np.zeros(1 << n_spins, dtype=np.complex128)
    psi[-1] = 1.0
    return psi


def moments(psi: NDArray[np.complex128]) -> Outcome:
    """Moments of a peer's final state, normalised first.

    1/sigma^2 magnifies a drift of the norm some hundred times; without this, peers would need two
    digits more than the job does.
    """
    return moments_of_populations(np.abs(psi) ** 2)


def moments_of_populations(populations: NDArray[np.float64]) -> Outcome:
    """Moments of the populations (2^N,) of a peer's final state, normalised first."""
    n_spins = populations.size.bit_length() - 1
    return moments_on(populations, magnetization_diagonal(n_spins) / n_spins)


def moments_on(populations: NDArray[np.float64], values: NDArray[np.float64]) -> Outcome:
    """Moments of Sz/N, whose ``values`` belong to the states of a basis; normalised first."""
    p = populations / populations.sum()
    mean = float(p @ values)
    return Outcome(mean, 1.0 / float(p @ (values - mean) ** 2))


def refined(case: Case, engine: Engine) -> Run:
    """What a user gets: from network and protocol to the record, error estimate and all coarser passes included."""

    def run() -> Outcome:
        forget_symmetries()
        record = charge(case.network(), case.protocol(), engine=engine)
        if record.precision is None:
            raise ArithmeticError(f"{case.name} ends without fluctuations, so its precision cannot be compared.")
        return Outcome(record.magnetization, record.precision)

    return run


def forget_symmetries() -> None:
    """Empty the caches of a network's symmetries, so that each repeat finds them again."""
    group_of.cache_clear()  # sectors are kept by the object that is the group


@dataclass(frozen=True)
class Pass:
    """A single pass at a fixed step: an engine with one scheme, and the number of steps."""

    engine: SteppingEngine
    steps: int

    def __str__(self) -> str:
        schemes = [str(value) for key, value in self.engine.options().items() if key in _SCHEMES]
        return f"{', '.join(schemes)}, {self.steps} steps"


_SCHEMES = ("splitting",)
"""Options that say how a step is made."""


@dataclass(frozen=True)
class Series:
    """A single pass in the symmetric sector, with the steps and the series of a tolerance."""

    tolerance: float

    def __str__(self) -> str:
        return f"series for {self.tolerance:.1e}"


def single_series(case: Job, setting: Series) -> Run:
    """One pass as :func:`single_pass` makes it; its error estimate is neither looked at nor kept."""

    def run() -> Outcome:
        forget_symmetries()
        problem, nowhen = case.problem(), np.empty(0)
        steps = divided(problem, nowhen, setting.tolerance)
        sector = SymmetricSector.build(problem, symmetry_group(problem))
        _, traces = carried(Passage(problem, steps.scheme, steps, 1), sector, steps.scheme.share)
        return Outcome(float(traces.mean[-1]), 1.0 / float(traces.variance[-1]))

    return run


def loosest_series(case: Job, reference: Outcome, tolerance: float) -> Series:
    """The cheapest pass up to which the precision stays within the tolerance, found knowing the answer.

    It is never looser than 1, as a battery that stands still is known to any tolerance.

    Raises:
        ArithmeticError: none does.
    """
    found, asked = None, tolerance
    while asked <= _LOOSEST and precision_error(single_series(case, Series(asked))(), reference) <= tolerance:
        found, asked = Series(asked), _LOOSER * asked
    if found is None:
        raise ArithmeticError(f"{Series(tolerance)} do not reach {tolerance:g} on {case.name}.")
    return found


def single_pass(case: Job, setting: Pass) -> Run:
    """One pass at a fixed step, as the peers do, without an error estimate; set-up included."""

    def run() -> Outcome:
        forget_symmetries()
        problem = case.problem()
        engine, mesh = setting.engine, Mesh(problem, problem.protocol.breakpoints, setting.steps)
        evolution = engine.stepper(problem, silent)(Passage(problem, engine.scheme, mesh, 1))
        return Outcome(float(evolution.mean[-1]), 1.0 / float(evolution.variance[-1]))

    return run


MOST_STEPS = 1600
_FEWEST_STEPS, _STEP_RATIO, _LOOSER, _LOOSEST = 10, 1.1, 3.0, 1.0


def sufficient_passes(
    case: Job, reference: Outcome, tolerance: float, engines: Sequence[SteppingEngine], most: int = MOST_STEPS
) -> list[Pass]:
    """For each engine, the fewest steps from which on the precision stays within the tolerance."""
    return [_coarsest_pass(case, engine, reference, tolerance, most) for engine in engines]


def _coarsest_pass(case: Job, engine: SteppingEngine, reference: Outcome, tolerance: float, most: int) -> Pass:
    """Scanned from the finest down, so that an error that passes through zero by accident does not count."""
    steps, found = most, None
    while steps >= _FEWEST_STEPS:
        setting = Pass(engine, steps)
        if precision_error(single_pass(case, setting)(), reference) > tolerance:
            break
        found, steps = setting, int(steps / _STEP_RATIO)
    if found is None:
        raise ArithmeticError(f"{Pass(engine, most)} do not reach {tolerance:g} on {case.name}.")
    return found


def precision_error(outcome: Outcome, reference: Outcome) -> float:
    """Relative error of the precision."""
    return abs(outcome.precision / reference.precision - 1.0)
