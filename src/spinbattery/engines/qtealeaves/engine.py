"""Quantum TEA Leaves (used in arXiv:2410.22212): the paper's tree tensor networks, for comparison."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from threadpoolctl import threadpool_limits

from ...core.checks import positive, whole_number
from ...core.errors import InvalidParameterError
from ...core.progress import Progress
from ...core.typing import FloatArray
from ...model.problem import ChargingProblem
from ...records.options import option
from ...records.solution import Convergence, FinalState, Solution, TimeTraces
from ..common.checkpoint import Checkpoint
from ..common.contract import Accuracy, Engine
from ..common.magnus import COMMUTATOR_FREE_2
from ..common.populations import mean_and_variance
from ..common.propagation import BYTES_PER_BLOCK, Passage
from ..common.window import moving_window
from .adapter import CUT_RATIO, TeaTree

if TYPE_CHECKING:
    from ..common.known_results import KnownResult

MODES = {
    1: "one-tensor TDVP, first order",
    2: "two-tensor TDVP, first order",
    3: "two-tensor TDVP, second order",
    4: "one-tensor TDVP, second order",
}
"""Time evolution modes of the package."""

_SECOND_ORDER = (3, 4)
_FEWEST_SPINS = 5
_MOST_PADDING = 1e-4
"""A padding of 1e-3 changes mu by 0.02."""

_NEGLECTED = 2.5e-4
"""Neglected change of mu and sigma at the beginning and at the end, as in the tensor engine by default."""

_STEPS_PER_TURN = 2.0
"""Steps over :func:`~.common.mesh.initial_steps`, as in the tensor engine with CF2."""

_TEST_STEPS = 4
"""Steps of the self-test, whose parts commute with themselves, so that steps of any length are exact."""

_SECONDS_PER_TERM = 2e-3
_SECONDS_PER_OPERATION = 1e-9
_BYTES_OF_PACKAGE = 150_000_000
_KRYLOV_VECTORS = 40


@dataclass(frozen=True)
class QTeaLeaves(Engine):
    """The paper's package: a binary tree of the given bond dimension, from 5 spins on. One run, error unknown.

    The ``tensor`` engine does the same in a fraction of the time and can estimate its error; this engine is for
    comparison. Ctrl-C acts between steps, and an interrupted run starts from the beginning.

    Attributes:
        bond_dimension: dimension of all bonds.
        steps: number of steps in the part of the protocol in which populations move; by default as the fields need.
        mode: 1 and 4 are one-tensor steps of first and second order, 2 and 3 two-tensor steps.
        padding: fills the bonds of the product start, 1e-12 to 1e-4.

    Raises:
        InvalidParameterError: options out of range; the message says which.
    """

    name: ClassVar[str] = "qtealeaves"
    summary: ClassVar[str] = "the tree tensor network of the package qtealeaves"
    takes: ClassVar[str] = "any network of up to some 256 spins"
    accuracy: ClassVar[Accuracy] = Accuracy.UNKNOWN

    bond_dimension: int = field(default=10, metadata=option("Bond dimension (10).", least=1))
    steps: int | None = field(default=None, kw_only=True)
    mode: int = field(default=4, kw_only=True)
    padding: float = field(default=1e-6, kw_only=True)

    def __post_init__(self) -> None:
        whole_number("bond_dimension", self.bond_dimension, least=2)
        if self.steps is not None:
            whole_number("steps", self.steps, least=1)
        if not isinstance(self.mode, int) or self.mode not in MODES:
            known = ", ".join(f"{mode} ({what})" for mode, what in MODES.items())
            raise InvalidParameterError(f"mode must be one of {known}, but is {self.mode!r}.")
        if not CUT_RATIO < positive("padding", self.padding) <= _MOST_PADDING:
            raise InvalidParameterError(
                f"padding must be above {CUT_RATIO:g}, which is truncated, and up to {_MOST_PADDING:g}, but is "
                f"{self.padding!r}."
            )

    @classmethod
    def self_tests(cls) -> list[tuple[Engine, KnownResult]]:
        from ..common.known_results import pulsed_pairs

        return [(cls(bond_dimension=2, steps=_TEST_STEPS), pulsed_pairs())]

    def refusal(self, problem: ChargingProblem) -> str | None:
        if problem.n_spins < _FEWEST_SPINS:
            return (
                f"the package cannot measure trees of fewer than {_FEWEST_SPINS} spins, and there are "
                f"{problem.n_spins}; use the tensor engine or an exact one."
            )
        return None

    def required_bytes(self, problem: ChargingProblem) -> int:
        chi = self.bond_dimension
        sites = 1 << math.ceil(math.log2(problem.n_spins))
        operators = 16 * _terms_on_links(problem) * chi**2
        numbers = 4 * sites * chi**3 + operators + _KRYLOV_VECTORS * chi ** (4 if self.mode in (2, 3) else 3)
        return _BYTES_OF_PACKAGE + BYTES_PER_BLOCK + 16 * numbers

    def memory_hint(self, problem: ChargingProblem, available: int) -> str:
        return "use a smaller bond dimension, or the tensor engine."

    def predicted_seconds(self, problem: ChargingProblem, times: FloatArray) -> float:
        """See the base class."""
        mesh = moving_window(problem, _NEGLECTED).mesh(problem, times, self.steps, _STEPS_PER_TURN)
        return mesh.steps(1) * self._step_seconds(problem)

    def _step_seconds(self, problem: ChargingProblem) -> float:
        """Rough time of a step: Python for every term on every link, and products of tensors."""
        terms, chi = _terms_on_links(problem), self.bond_dimension
        tdvp_sweeps = 1.0 if self.mode in _SECOND_ORDER else 0.5
        larger = chi if self.mode in (2, 3) else 1
        return tdvp_sweeps * terms * (_SECONDS_PER_TERM + _SECONDS_PER_OPERATION * larger * chi**4)

    def solve(
        self, problem: ChargingProblem, times: FloatArray, progress: Progress, checkpoint: Checkpoint
    ) -> Solution:
        begin, window = time.perf_counter(), moving_window(problem, _NEGLECTED)
        mesh = window.mesh(problem, times, self.steps, _STEPS_PER_TURN)
        tree = TeaTree(problem, self.bond_dimension, self.padding, self.mode, self._step_seconds(problem))

        def row(time: float) -> tuple[float, ...]:
            mean, variance = mean_and_variance(tree.distribution())
            return mean, variance, tree.energy(problem.fields(time)), *tree.spin_magnetization().tolist()

        def reached(fraction: float, message: str) -> None:
            progress(fraction, f"{message}, bond dimension {self.bond_dimension}")

        passage = Passage(problem, COMMUTATOR_FREE_2, mesh, 1, times, reached)
        with threadpool_limits(1, user_api="blas"):
            mean, variance, energy, *spins = window.follow(passage, tree, row)
            distribution = tree.distribution()
        by_time = np.stack(spins, axis=-1)
        return Solution(
            FinalState(distribution, by_time[-1], abs(tree.norm - 1.0)),
            TimeTraces(times, mean, variance, energy, spins=by_time),
            verdict=Convergence(),
            discretisation={
                "ansatz": "tree",
                "method": MODES[self.mode],
                "splitting": COMMUTATOR_FREE_2.name,
                "order": 2 if self.mode in _SECOND_ORDER else 1,
                "steps": passage.steps,
                "window_ns": [window.start, window.end],
                "bond_dimension": self.bond_dimension,
                "largest_dimension": tree.largest_dimension,
                "padding": self.padding,
                "cut_ratio": CUT_RATIO,
                "distribution": "Fourier transform of <exp(i theta Sz)>, from the package's tensors",
            },
            execution={"seconds_per_step": (time.perf_counter() - begin) / passage.steps},
        )


def _terms_on_links(problem: ChargingProblem) -> int:
    """Rough number of terms on all links of the tree."""
    return (problem.n_spins + len(problem.couplings[0])) * max(1, math.ceil(math.log2(problem.n_spins)))
