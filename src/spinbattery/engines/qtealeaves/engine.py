"""Quantum TEA Leaves (arXiv:2410.22212 used it): the paper's tree tensor networks, to compare with.

Driven by the classes below its simulation interface, which may change from version to version, so that one version is
pinned. A product start has links of dimension one; they are filled up with ``padding``, which must lie above what the
package cuts off, and held at the bond dimension. Otherwise the state stays a product of pairs without any warning.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from ...core.checks import positive, whole_number
from ...core.errors import InvalidParameterError, MissingDependencyError
from ...core.progress import Progress
from ...core.typing import ComplexArray, FloatArray, IntArray
from ...model.problem import ChargingProblem
from ...records.options import option
from ...records.solution import Convergence, FinalState, Solution, TimeTraces
from ..common.checkpoint import Checkpoint
from ..common.contract import Accuracy, Engine
from ..common.magnus import COMMUTATOR_FREE_2, Exponents
from ..common.mesh import Mesh
from ..common.ordering import Halves, Part, halved
from ..common.propagation import BYTES_PER_BLOCK, Passage
from ..common.window import Window, moving_window

MODES = {
    1: "one-tensor TDVP, first order",
    2: "two-tensor TDVP, first order",
    3: "two-tensor TDVP, second order",
    4: "one-tensor TDVP, second order",
}
"""Time evolution modes of the package."""

_SECOND_ORDER = (3, 4)
_FEWEST_SPINS = 5
_CUT_RATIO = 1e-12
"""Singular values below that share of the largest are cut off."""

_MOST_PADDING = 1e-4
"""1e-3 moves mu by 0.02."""

_NEGLECTED = 2.5e-4
"""Of mu and sigma, at the beginning and at the end: what the tensor engine neglects at its default tolerance."""

_STEPS_PER_TURN = 2.0
"""Of those of :func:`~.schedule.initial_steps`, as the tensor engine takes with CF2."""

_SECONDS_PER_TERM = 2e-3
_SECONDS_PER_OPERATION = 1e-9
_BYTES_OF_PACKAGE = 150_000_000
_KRYLOV_VECTORS = 40


def import_qtealeaves() -> SimpleNamespace:
    """The classes of the package that are used here.

    Raises:
        MissingDependencyError: it is not installed.
    """
    try:
        from qtealeaves.convergence_parameters import TNConvergenceParameters
        from qtealeaves.emulator import TTN
        from qtealeaves.mpos import ITPO, DenseMPO, DenseMPOList, MPOSite
        from qtealeaves.operators import TNSpin12Operators
        from qtealeaves.solvers import KrylovSolverH
        from qtealeaves.tensors import TensorBackend
    except ImportError:
        raise MissingDependencyError(
            "the qtealeaves engine needs Quantum TEA Leaves; install spinbattery[qtea]: "
            ".venv/bin/pip install -c constraints.txt -e '.[qtea]'"
        ) from None
    return SimpleNamespace(
        TNConvergenceParameters=TNConvergenceParameters, TTN=TTN, ITPO=ITPO, DenseMPO=DenseMPO,
        DenseMPOList=DenseMPOList, MPOSite=MPOSite, TNSpin12Operators=TNSpin12Operators, KrylovSolverH=KrylovSolverH,
        TensorBackend=TensorBackend,
    )  # fmt: skip


def in_order(part: Part) -> list[int]:
    """Spins of a tree's parts from the first to the last."""
    return [*in_order(part.first), *in_order(part.second)] if isinstance(part, Halves) else list(part)


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the package's log of what is meant here: N that is padded to a power of two, isometries it makes."""
    logger = logging.getLogger("qtealeaves")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


class TeaTree:
    """A tree of the package in the product start of a problem, and H with coefficients that can be changed.

    Attributes:
        order: spin at each site of the tree.
        stage_seconds, shortest_chunk, arrays: see :class:`~.propagation.State`; it cannot go on from a checkpoint.
    """

    shortest_chunk = 1
    arrays: Sequence[NDArray[Any]] = ()

    def __init__(
        self, problem: ChargingProblem, bond_dimension: int, padding: float, mode: int, stage_seconds: float = 1.0
    ) -> None:
        tea, n, pairs = import_qtealeaves(), problem.n_spins, problem.couplings[0]
        self.stage_seconds, self._mode, self._n = stage_seconds, mode, n
        self.order: IntArray = np.array(in_order(halved(n, pairs, 1)))
        self._place = np.argsort(self.order)
        backend = tea.TensorBackend()
        limits = tea.TNConvergenceParameters(
            max_bond_dimension=bond_dimension, min_bond_dimension=bond_dimension, cut_ratio=_CUT_RATIO
        )
        with _quiet():
            self._tree = tea.TTN.product_state_from_local_states(
                problem.protocol.initial.spinors(n)[self.order],
                padding=[bond_dimension, padding],
                convergence_parameters=limits,
                tensor_backend=backend,
            )
            self._tree.solver = tea.KrylovSolverH
            tensor = backend.base_tensor_cls
            operators = tensor.convert_operator_dict(
                tea.TNSpin12Operators(), params={}, symmetries=[], generators=[], base_tensor_cls=tensor,
                dtype=backend.dtype, device=backend.memory_device,
            )  # fmt: skip
            self._sz = operators["default", "sz"]
            terms = self._terms(tea, backend, problem)
            terms.initialize(operators, {"x": 1.0, "z": 1.0, "zz": 1.0})
            hamiltonian = tea.ITPO(n, enable_update=True)
            hamiltonian.add_dense_mpo_list(terms)
            hamiltonian.setup_as_eff_ops(self._tree)

    def _terms(self, tea: SimpleNamespace, backend: Any, problem: ChargingProblem) -> Any:
        """sx and sz of every spin and sz sz of every coupled pair, with factors named x, z and zz."""
        terms = tea.DenseMPOList()
        for site in range(self._n):
            for operator in ("x", "z"):
                term = tea.DenseMPO(tensor_backend=backend)
                term.append(tea.MPOSite(site, f"s{operator}", operator, 1.0))
                terms.append(term)
        for sites, coupling in zip(self._place[problem.couplings[0]].tolist(), problem.couplings[1], strict=True):
            if coupling == 0.0:
                continue
            first, second = sorted(sites)
            term = tea.DenseMPO(tensor_backend=backend)
            term.append(tea.MPOSite(first, "sz", "zz", float(coupling)))
            term._singvals.append(None)  # of the link between both, which nothing else fills in
            term.append(tea.MPOSite(second, "sz", None, 1.0))
            terms.append(term)
        return terms

    def apply(self, stages: Exponents) -> None:
        """Steps whose mean H, times their length, has these coefficients."""
        with _quiet():
            for coefficients in stages.coefficients:
                self._set(coefficients)
                self._tree.timestep(1.0, self._mode)

    def energy(self, fields: Sequence[Any]) -> float:
        """<H> in the unit of the fields Bx, Bz and B/2."""
        with _quiet():
            self._set(fields)
            return float(self._tree.compute_energy()) / self.norm**2

    def _set(self, coefficients: Sequence[Any] | FloatArray) -> None:
        """Give H these coefficients of Sx, Sz and ZZ."""
        self._tree.iso_towards(self._tree.default_iso_pos)
        hamiltonian = self._tree.eff_op
        hamiltonian.do_update = True
        hamiltonian.update_couplings(dict(zip(("x", "z", "zz"), map(float, coefficients), strict=True)))
        self._tree.build_effective_operators()
        hamiltonian.do_update = False

    @property
    def norm(self) -> float:
        return float(self._tree.norm())

    @property
    def largest_dimension(self) -> int:
        """Of all links."""
        return max(int(max(tensor.elem.shape)) for layer in self._tree.layers for tensor in layer)

    def spin_magnetization(self) -> FloatArray:
        """(N,) <sz_k>, by the package's measurement."""
        with _quiet():
            return np.asarray(self._tree.meas_local(self._sz)[self._place], dtype=np.float64)

    def distribution(self) -> FloatArray:
        """(N + 1,) P(Sz) from Sz = -N to N, by the Fourier transform of <exp(i theta Sz)>.

        The package measures real parts of products of operators, so that its tensors are contracted here.
        """
        n = self._n
        turns = np.exp(-2j * np.pi * np.arange((n + 1) // 2 + 1) / (n + 1))
        up_or_down = np.zeros((len(turns), 2, 2), dtype=np.complex128)
        up_or_down[:, 0, 0], up_or_down[:, 1, 1] = turns, 1.0
        nothing = np.ones((len(turns), 1, 1), dtype=np.complex128)
        *below, top = ([tensor.elem for tensor in layer] for layer in reversed(self._tree.layers))
        stacks = [up_or_down] * n + [nothing] * (2 * len((below or [top])[0]) - n)
        for tensors in (*below, [tensor.reshape(tensor.shape[:3]) for tensor in top]):
            both = zip(stacks[::2], stacks[1::2], strict=True)
            stacks = [_joined(tensor, *legs) for tensor, legs in zip(tensors, both, strict=True)]
        characteristic = np.sum(stacks[0] * stacks[1], axis=(1, 2))
        found = np.maximum(np.fft.irfft(characteristic, n + 1), 0.0)  # rounding leaves some -1e-17
        return np.asarray(found / found.sum())


def _joined(tensor: ComplexArray, first: ComplexArray, second: ComplexArray) -> ComplexArray:
    """(K, d, d) T* (A x B) T on the last leg, for K operators A and B on the others."""
    found = []
    for one, other in zip(first, second, strict=True):
        acted = other @ np.tensordot(one, tensor, 1)
        found.append(np.tensordot(tensor.conj(), acted, ((0, 1), (0, 1))))
    return np.stack(found)


@dataclass(frozen=True)
class QTeaLeaves(Engine):
    """The paper's package: a binary tree of the given bond dimension, from 5 spins on. One run, error unknown.

    The ``tensor`` engine does the same in a fraction of the time and can say how far it is off; this one is there to
    compare with. Ctrl-C acts between steps, and an interrupted run begins anew.

    Attributes:
        bond_dimension: of all links.
        steps: through the part of the protocol in which populations move; by default what the fields need.
        mode: of time evolution: 1 and 4 are one-tensor steps of first and second order, 2 and 3 two-tensor steps.
        padding: what links of the product start are filled up with, 1e-12 to 1e-4.

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
        if not _CUT_RATIO < positive("padding", self.padding) <= _MOST_PADDING:
            raise InvalidParameterError(
                f"padding must be above {_CUT_RATIO:g}, what is cut off, and up to {_MOST_PADDING:g}, but is "
                f"{self.padding!r}."
            )

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
        return self._mesh(problem, times, self._window(problem)).steps(0) * self._step_seconds(problem)

    def _step_seconds(self, problem: ChargingProblem) -> float:
        """Rough time of a step: Python for every term on every link, and products of tensors."""
        terms, chi = _terms_on_links(problem), self.bond_dimension
        sweeps = 1.0 if self.mode in _SECOND_ORDER else 0.5
        larger = chi if self.mode in (2, 3) else 1
        return sweeps * terms * (_SECONDS_PER_TERM + _SECONDS_PER_OPERATION * larger * chi**4)

    def _window(self, problem: ChargingProblem) -> Window:
        return moving_window(problem, _NEGLECTED)

    def _mesh(self, problem: ChargingProblem, times: FloatArray, window: Window) -> Mesh:
        return window.mesh(problem, times, self.steps, _STEPS_PER_TURN)

    def solve(
        self, problem: ChargingProblem, times: FloatArray, progress: Progress, checkpoint: Checkpoint
    ) -> Solution:
        begin, window = time.perf_counter(), self._window(problem)
        mesh = self._mesh(problem, times, window)
        tree = TeaTree(problem, self.bond_dimension, self.padding, self.mode, self._step_seconds(problem))
        values = np.arange(-problem.n_spins, problem.n_spins + 1, 2) / problem.n_spins

        def row(time: float) -> tuple[float, ...]:
            weights = tree.distribution()
            mean = float(weights @ values)
            variance = float(weights @ (values - mean) ** 2)
            return mean, variance, tree.energy(problem.fields(time)), *tree.spin_magnetization().tolist()

        def reached(fraction: float, message: str) -> None:
            progress(fraction, f"{message}, bond dimension {self.bond_dimension}")

        passage = Passage(problem, COMMUTATOR_FREE_2, mesh, 0, times, reached)
        with threadpool_limits(1, user_api="blas"):
            rows = window.follow(passage, tree, row).T
            distribution = tree.distribution()
        return self._solution(times, rows, distribution, tree, window, passage.steps, time.perf_counter() - begin)

    def _solution(
        self, times: FloatArray, rows: FloatArray, distribution: FloatArray, tree: TeaTree, window: Window, steps: int,
        seconds: float,
    ) -> Solution:  # fmt: skip
        mean, variance, energy = rows[:, :3].T
        return Solution(
            FinalState(distribution, rows[-1, 3:], abs(tree.norm - 1.0)),
            TimeTraces(times, mean, variance, energy, spins=rows[:, 3:]),
            verdict=Convergence(),
            discretisation={
                "ansatz": "tree",
                "method": MODES[self.mode],
                "splitting": COMMUTATOR_FREE_2.name,
                "order": 2 if self.mode in _SECOND_ORDER else 1,
                "steps": steps,
                "window_ns": [window.start, window.end],
                "bond_dimension": self.bond_dimension,
                "largest_dimension": tree.largest_dimension,
                "padding": self.padding,
                "cut_ratio": _CUT_RATIO,
                "distribution": "Fourier transform of <exp(i theta Sz)>, from the package's tensors",
            },
            execution={"seconds_per_step": seconds / steps},
        )


def _terms_on_links(problem: ChargingProblem) -> int:
    """Rough number of terms that are carried along links of the tree."""
    return (problem.n_spins + len(problem.couplings[0])) * max(1, math.ceil(math.log2(problem.n_spins)))
