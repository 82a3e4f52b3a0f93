"""Exact state vector in the symmetric sector of a network."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import ClassVar, Literal, get_args

import numpy as np

from ...core.checks import is_one_of
from ...core.errors import InvalidParameterError, ToleranceError
from ...core.progress import Progress
from ...core.threads import Team
from ...core.typing import FloatArray
from ...core.units import TWO_PI
from ...model.problem import ChargingProblem
from ...model.symmetry import AutomorphismGroup, symmetry_group
from ..common.contract import Accuracy, predicted_run
from ..common.magnus import COMMUTATOR_FREE, COMMUTATOR_FREE_6, CommutatorFree
from ..common.mesh import initial_steps, magnus_density, pieces_without_corners, stops_of
from ..common.plan import Plan
from ..common.populations import state_moments
from ..common.propagation import BYTES_PER_BLOCK, Passage
from ..common.stepping import SECONDS_WORTH_THREADS, Evolution, Pass, SteppingEngine
from .basis import LARGEST_N, SymmetricSector, largest_orbit, sector_dimension
from .costs import CHEBYSHEV, LANCZOS

Exponential = Literal["auto", "lanczos", "chebyshev"]

_LARGEST_CHEBYSHEV = 4_000
_SMALLEST_SHARED = 30_000
"""Size of sectors from which threads gain more than handing the work over costs."""

_SHARE_OF_EXPONENTIALS, _ADDING_UP = 0.01, 0.75
"""Share of the tolerance for the error of the exponentials, and the power of their number with which errors add up:
between 0.5 (as random errors) and 1 was measured over 6e5 exponentials."""

_LARGEST_DRIFT = 1e-8
_BYTES_TO_KEEP = 192
"""For each of 2^N final amplitudes that are kept: of up to eight passes, and copies on the way to the record."""

_COSTS = {"chebyshev": CHEBYSHEV, "lanczos": LANCZOS}
_PREDICTION_SAMPLES = 257
_SECONDS_PER_RUN = 5e-3
_SECONDS_PER_CONFIGURATION = 6e-8
_SECONDS_PER_LINK = 1e-8
_SECONDS_PER_OUTPUT = 1e-4
_SECONDS_PER_STEP = 2.5e-6
_STEPS, _RATE = {4: 2.4, 6: 0.85}, {4: 1.0 / 6.0, 6: 1.0 / 8.0}
"""Steps of the first pass over :func:`initial_steps` at a tolerance of 1e-6, and the power of the inverse tolerance
with which they grow, by the order of the scheme."""

_FEWEST, _FEW_TURNS = {4: 1.2, 6: 0.7}, 50
"""The least number of these, by the order, and the least initial steps: errors of fewer and longer steps follow no
power. With 0.7 for order 4, the errors of 2 % of random problems were above their estimates at loose tolerances."""

_MANY_CORNERS, _DOUBT = 5.0, 6.0
"""Pieces between corners of the energy scales for each step, from which steps cross them, as in tables of a thousand
rows. Errors then have no expansion. With estimates so much larger none of 70 random problems was off by more."""


@dataclass(frozen=True)
class Symmetric(SteppingEngine):
    """State vector with one amplitude for each orbit of configurations under the network's symmetries.

    Exact for every start that has the symmetries, such as all-down. The steps are commutator-free Magnus steps on
    exact moments of the schedule, with exponentials by Chebyshev series in small sectors, by Lanczos' method in large.

    Attributes:
        magnus: ``CF6`` (order 6, five exponentials a step, the default) or ``CF4`` (order 4, two).
        exponential: ``lanczos``, ``chebyshev``, or ``auto`` by the size of the sector.
        keep_state: store the final amplitudes in the record (2^N complex numbers).
    """

    name: ClassVar[str] = "symmetric"
    needs: ClassVar[str] = "spinbattery.engines.symmetric.sector_state"
    compile_seconds: ClassVar[float] = 6.0
    summary: ClassVar[str] = "orbits of the network's symmetries"
    takes: ClassVar[str] = "networks with symmetries, starts alike on all spins"
    accuracy: ClassVar[Accuracy] = Accuracy.TOLERANCE

    magnus: str = field(default=COMMUTATOR_FREE_6.name, kw_only=True)
    exponential: Exponential = field(default="auto", kw_only=True)
    keep_state: bool = field(default=False, kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, value, known in (
            ("magnus", self.magnus, tuple(COMMUTATOR_FREE)),
            ("exponential", self.exponential, get_args(Exponential)),
        ):
            if not is_one_of(value, known):
                raise InvalidParameterError(f"{name} must be one of {', '.join(known)}, but is {value!r}.")
        if not isinstance(self.keep_state, bool):
            raise InvalidParameterError(f"keep_state must be true or false, but is {self.keep_state!r}.")

    def refusal(self, problem: ChargingProblem) -> str | None:
        if problem.n_spins > LARGEST_N:
            return f"it visits all 2^N configurations, for N up to {LARGEST_N}, but N is {problem.n_spins}."
        if symmetry_group(problem).is_trivial:
            return "no symmetry keeps the network, its weights, cross-talk and start; use the statevector engine."
        return None

    @property
    def scheme(self) -> CommutatorFree:
        return COMMUTATOR_FREE[self.magnus]

    def required_bytes(self, problem: ChargingProblem) -> int:
        n, dimension = problem.n_spins, self.dimension(problem)
        building = (4 << n) + 4 * largest_orbit(symmetry_group(problem)) + (4 * n + 40) * dimension
        running = (4 * n + 40 + _COSTS[self._method(dimension)].bytes_per_row) * dimension
        kept = (_BYTES_TO_KEEP << n) if self.keep_state else 0
        return BYTES_PER_BLOCK + kept + max(building, running)

    def memory_hint(self, problem: ChargingProblem, available: int) -> str:
        if self.keep_state:
            return "leave keep_state out, or use a smaller network."
        return (
            "use a smaller or a more symmetric network, the statevector engine, which needs less where there are few "
            "symmetries, or in Python Symmetric(exponential='chebyshev'), which keeps fewer vectors."
        )

    @staticmethod
    def dimension(problem: ChargingProblem) -> int:
        """Amplitudes in the symmetric sector, found without building it; an estimate for groups of over 20 000."""
        return sector_dimension(symmetry_group(problem))

    def predicted_seconds(self, problem: ChargingProblem, times: FloatArray) -> float:
        """See the base class; most of the time goes into the orbits and the products with H of three passes."""
        n, dimension = problem.n_spins, self.dimension(problem)
        costs, plan = _COSTS[self._method(dimension)], self.plan(problem, times)
        t = np.linspace(0.0, problem.protocol.duration, _PREDICTION_SAMPLES)
        bx, bz, half_b = problem.fields(t)
        ising = half_b * float(np.abs(problem.couplings[1]).sum())
        turns = problem.protocol.duration * float(np.mean(np.hypot(n * bx, n * np.abs(bz) + ising)))
        turned = TWO_PI * turns * sum(abs(row[0]) for row in self.scheme.factors)
        products = costs.products(plan.expected * turned, plan.total * self.scheme.stages)
        per_product = costs.seconds(dimension, n)
        outputs = plan.expected * (len(times) + 1) * (_SECONDS_PER_OUTPUT + 2.0 * per_product)
        building = _SECONDS_PER_CONFIGURATION * 2.0**n + n * dimension * _SECONDS_PER_LINK
        stepping = plan.total * _SECONDS_PER_STEP
        return _SECONDS_PER_RUN + building + outputs + stepping + products * per_product

    def plan(self, problem: ChargingProblem, times: FloatArray) -> Plan:
        order = self.scheme.order
        finer = max(_FEWEST[order], _STEPS[order] * (1e-6 / self.tolerance) ** _RATE[order])
        steps, pieces = finer * max(_FEW_TURNS, initial_steps(problem)), pieces_without_corners(problem, times)
        stops = stops_of(problem, times)
        if len(pieces) - len(stops) > _MANY_CORNERS * steps:
            return Plan(self.scheme, stops, steps, magnus_density, _DOUBT)
        return Plan(self.scheme, pieces, steps, magnus_density)

    def leaves_cores_idle(self, problem: ChargingProblem) -> bool:
        if self.dimension(problem) >= _SMALLEST_SHARED:
            return False
        return predicted_run(self, problem) >= SECONDS_WORTH_THREADS

    def _method(self, dimension: int) -> str:
        if self.exponential != "auto":
            return self.exponential
        return "chebyshev" if dimension <= _LARGEST_CHEBYSHEV else "lanczos"

    def stepper(self, problem: ChargingProblem, progress: Progress) -> Pass:
        from .sector_state import ChebyshevState, LanczosState

        n, group = problem.n_spins, symmetry_group(problem)
        sector = SymmetricSector.build(
            problem, group, lambda done: progress(done, f"{problem.network.name}, finding the orbits of 2^{n} states")
        )
        start = sector.product_amplitudes(problem.protocol.initial.spinors(n))
        site_orbits = _site_orbits(group)
        method = self._method(sector.dimension)
        state_type = LanczosState if method == "lanczos" else ChebyshevState

        def evolve(passage: Passage) -> Evolution:
            exponentials = passage.steps * passage.scheme.stages
            share = _SHARE_OF_EXPONENTIALS * self.tolerance / exponentials**_ADDING_UP
            with Team(1 if sector.dimension < _SMALLEST_SHARED else None) as team:
                state = state_type(sector, start.copy(), share, team)
                mean, variance, energy = passage.follow([state], lambda time: state_moments(problem, state, time))
            distribution, _, norm = state.populations()
            _check_norm(norm, self.tolerance)
            spins = sector.spin_magnetization(state.probabilities()[0], site_orbits)
            kept = sector.expand(state.amplitudes / np.sqrt(norm), group) if self.keep_state else None
            details = {"dimension": sector.dimension, "group_order": group.order, "exponential": method}
            drift, steps = abs(norm - 1.0), passage.steps
            return Evolution(mean, variance, energy, distribution, spins, drift, steps, kept, details=details)

        return evolve


_site_orbits = lru_cache(maxsize=8)(AutomorphismGroup.site_orbits)


def _check_norm(norm: float, tolerance: float) -> None:
    """Raise :class:`ToleranceError` if the norm has drifted, as by a series on too small an interval."""
    largest = max(_LARGEST_DRIFT, tolerance)
    if not abs(norm - 1.0) <= largest:
        raise ToleranceError(
            f"the norm has drifted by {norm - 1.0:.1e}, more than {largest:g}: the matrix exponentials are inaccurate; "
            "use exponential='lanczos', and please report the problem."
        )
