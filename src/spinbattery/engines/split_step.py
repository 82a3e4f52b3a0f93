"""Split-step propagation shared by the product, the state-vector and the Lindblad engine."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._typing import ComplexArray, FloatArray
from ..arguments import is_one_of
from ..errors import InvalidParameterError
from ..operators import magnetization_diagonal
from ..problem import ChargingProblem
from ..units import TWO_PI
from .kernels import evolve_tile, transverse_expectation
from .populations import Populations, spin_expectations, summed
from .schedule import Mesh, initial_steps, largest_decay, largest_local_coupling
from .splitting import BLANES_MOAN_6, SECONDS_PER_AMPLITUDE_STAGE, SHORTEST_CHUNK, SPLITTINGS, Splitting, Stages
from .stepping import MOST_STEPS, SteppingEngine

_LARGEST_ROTATION = 1.0
_SECONDS_PER_STAGE = 1.2e-7
_SECONDS_PER_OUTPUT = 7e-5
_SECONDS_PER_OUTPUT_AND_STATE = 1.5e-5
_SECONDS_PER_RUN = 5e-3
_STAGES_PER_OUTPUT = 4
_PREDICTION_SAMPLES = 257
_PREDICTED_ERROR = 64.0


class SplitState:
    """A pure state of n spins and its diagonal operators, ready for the kernels; in one tile, one thread.

    Attributes:
        n_spins: n.
        magnetization: (2^n,) int8 diagonal of Sz.
        ising: (2^n,) diagonal of the coupling operator in units of B(s)/2.
    """

    shortest_chunk = SHORTEST_CHUNK

    def __init__(self, spinors: ComplexArray, ising: FloatArray, *, single: bool = False) -> None:
        """Product state of ``spinors`` (n, 2), up amplitude first, kept as float64 or, if ``single``, as float32."""
        self.n_spins = len(spinors)
        self.magnetization: NDArray[np.int8] = magnetization_diagonal(self.n_spins)
        self.ising = ising
        psi = np.ones(1, dtype=np.complex128)
        for up, down in spinors:
            psi = np.kron(psi, np.array([up, 1j * down]))  # the kernels' gauge: a factor i for each down
        real = np.float32 if single else np.float64
        self._re: NDArray[Any] = psi.real.astype(real)
        self._im: NDArray[Any] = psi.imag.astype(real)

    @property
    def stage_seconds(self) -> float:
        return SECONDS_PER_AMPLITUDE_STAGE * self.magnetization.size

    @property
    def arrays(self) -> list[NDArray[Any]]:
        return [self._re, self._im]

    def apply(self, stages: Stages) -> None:
        """Apply stages V T V ... V in place; see :func:`~spinbattery.engines.kernels.evolve_tile`."""
        theta, field, ising = stages.theta, stages.field, stages.ising
        evolve_tile(self._re, self._im, self.n_spins, self.magnetization, self.ising, theta, field, ising)

    def probabilities(self) -> tuple[FloatArray, float]:
        """Normalised |psi|^2, shape (2^n,), and the squared norm before normalisation.

        Normalising matters: 1/sigma^2 amplifies a norm drift by mu^2/sigma^2, some hundred times.
        """
        p = np.square(self._re, dtype=np.float64)
        p += np.square(self._im, dtype=np.float64)
        norm = float(p.sum())
        p /= norm
        return p, norm

    def populations(self) -> Populations:
        """P(Sz), the mean of the couplings and the squared norm."""
        return summed(*self.probabilities(), self.magnetization, self.ising)

    def spin_magnetization(self) -> FloatArray:
        """<sz_k> of every spin, shape (n,)."""
        return spin_expectations(self.probabilities()[0])

    def transverse(self) -> float:
        """<Sx>, not normalised."""
        return float(transverse_expectation(self._re, self._im, self.n_spins))

    def amplitudes(self) -> ComplexArray:
        """Normalised amplitudes in the basis of :mod:`spinbattery.operators`."""
        flipped = (self.n_spins - self.magnetization.astype(np.int64)) // 2
        psi = (self._re + 1j * self._im) * np.array([1.0, -1j, -1.0, 1j])[flipped % 4]
        return np.asarray(psi / np.linalg.norm(psi))


@dataclass(frozen=True)
class StepPrediction:
    """What step halving will end on.

    Attributes:
        coarsest: steps of the first pass.
        halvings: of the step, until the tolerance is kept.
    """

    coarsest: int
    halvings: int

    @property
    def finest(self) -> int:
        """Steps of the last pass, from which the result is taken."""
        return self.coarsest << self.halvings

    @property
    def total(self) -> int:
        """Steps of all passes together."""
        return 2 * self.finest - self.coarsest


@dataclass(frozen=True)
class SplitStepEngine(SteppingEngine):
    """Options and stepping common to engines built on the splitting.

    Attributes:
        splitting: ``BM6`` (order 6, the default) or ``BM4`` (order 4), both of Blanes and Moan.
    """

    splitting: str = field(default=BLANES_MOAN_6.name, kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not is_one_of(self.splitting, SPLITTINGS):
            raise InvalidParameterError(f"unknown splitting {self.splitting!r}; there are {', '.join(SPLITTINGS)}.")

    @property
    def scheme(self) -> Splitting:
        return SPLITTINGS[self.splitting]

    def scheme_for(self, problem: ChargingProblem) -> Splitting:
        return self.scheme

    @abstractmethod
    def workload(self, problem: ChargingProblem) -> tuple[int, float]:
        """Number of states that are carried along, and the work of a stage on each, in amplitudes of a pure state."""

    def predicted_seconds(self, problem: ChargingProblem, times: FloatArray) -> float:
        """See the base class: the stages of all passes, by their amplitudes, and what runs and outputs cost beside."""
        steps = self.predicted_steps(problem, times)
        states, amplitudes = self.workload(problem)
        outputs = (steps.halvings + 1) * (len(times) + 1)
        stages = float(steps.total) * self.scheme.stages + _STAGES_PER_OUTPUT * outputs
        per_stage = _SECONDS_PER_STAGE + SECONDS_PER_AMPLITUDE_STAGE * amplitudes
        per_output = _SECONDS_PER_OUTPUT + _SECONDS_PER_OUTPUT_AND_STATE * states
        return _SECONDS_PER_RUN + per_output * outputs + per_stage * stages * states

    def predicted_steps(self, problem: ChargingProblem, times: FloatArray) -> StepPrediction:
        """Steps a run will take, from the fields alone.

        With x and y the turns per step of the transverse part (noise included) and of the diagonal part
        for the spin that is coupled most, a splitting of order p errs by the time average of
        x y (x + y)^(p - 2), times 2^(-p) for each halving: the leading commutators contain both parts, and a
        slow protocol does not add errors up, it follows slightly wrong eigenstates. The factor 64 before it was
        fitted, for both splittings, to what some 5000 runs needed of networks with N = 2 to 12, in 5 to
        200 ns: 65% were met exactly, 97% within one halving, and 99.9% within two. Before the steps resolve the
        kinks of the schedule, refinement credits no convergence, and its estimate is larger by 2^(p - 2).

        Args:
            problem: one that this engine can treat.
            times: output times in ns, as checked by :func:`~spinbattery.engines.base.output_times`.
        """
        bx, bz, half_b = problem.fields(np.linspace(0.0, problem.protocol.duration, _PREDICTION_SAMPLES))
        coarsest, step = self._predicted_mesh(problem, times, float(np.abs(bx).max()))
        transverse = np.abs(bx) + largest_decay(problem) / TWO_PI
        x, y = step * transverse, step * (np.abs(bz) + largest_local_coupling(problem) * half_b)
        order = self.scheme.order
        error = _PREDICTED_ERROR * float(np.mean(x * y * (x + y) ** (order - 2)))
        resolved = 4 * problem.protocol.kinks(problem.scales).size
        for halvings in range(2, self.max_levels):
            penalty = 1.0 if coarsest << halvings >= resolved else 2.0 ** (order - 2)
            if error * penalty * 2.0 ** (-order * halvings) <= self.tolerance:
                return StepPrediction(coarsest, halvings)
        return StepPrediction(coarsest, self.max_levels)

    def _predicted_mesh(self, problem: ChargingProblem, times: FloatArray, transverse: float) -> tuple[int, float]:
        """Steps of the coarsest mesh, and the longest of them in ns, without laying it (see :meth:`mesh`)."""
        gaps = np.diff(np.unique(np.concatenate([problem.protocol.breakpoints, times])))
        largest_turn = TWO_PI * transverse * max(abs(fraction) for fraction in self.scheme.transverse)
        steps = initial_steps(problem)
        while True:
            counts = np.maximum(1.0, np.rint(steps * (gaps / problem.protocol.duration)))
            longest = float((gaps / counts).max())
            if largest_turn * longest <= _LARGEST_ROTATION:
                return int(counts.sum()), longest
            steps *= 2

    def mesh(self, problem: ChargingProblem, times: FloatArray) -> Mesh:
        stops = np.unique(np.concatenate([problem.protocol.breakpoints, times]))
        steps = initial_steps(problem)
        largest_stage = max(abs(fraction) for fraction in self.scheme.transverse)
        while steps <= MOST_STEPS:
            mesh = Mesh(problem, stops, steps)
            edges = mesh.edges(0)
            transverse = TWO_PI * np.abs(problem.fields(edges)[0])
            # the kernels use tan(theta): rotations must stay away from a quarter turn
            theta = largest_stage * np.diff(edges) * np.maximum(transverse[1:], transverse[:-1])
            if theta.max() <= _LARGEST_ROTATION:
                return mesh
            steps *= 2
        raise self.too_many(steps, problem)
