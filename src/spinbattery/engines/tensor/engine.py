"""Tensor networks: a binary tree or a chain of tensors, for more spins than exact engines can treat."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from types import MappingProxyType
from typing import Any, ClassVar, get_args

import numpy as np
from threadpoolctl import threadpool_limits

from ...core.checks import check_choice, finite, is_one_of, whole_number
from ...core.errors import InvalidParameterError
from ...core.machine import n_cores
from ...core.progress import Progress, Rising
from ...core.typing import FloatArray
from ...model.problem import ChargingProblem
from ...records.options import Column, option
from ...records.solution import Convergence, ErrorEstimates, Extrapolation, FinalState, Solution, TimeTraces
from ..common.checkpoint import Checkpoint
from ..common.contract import Accuracy, Engine
from ..common.magnus import COMMUTATOR_FREE_4, CommutatorFree
from ..common.options import SEED, TOLERANCE, checked_tolerance, whole_numbers
from ..common.passes import run_together
from ..common.propagation import BYTES_PER_BLOCK
from ..common.window import moving_window
from .convergence import ROUNDING, Converged, Study, converged
from .tree_runs import MEAN_FIELD, Setting, Shape, TreePlan, TreeRun

LADDER = (8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256)
"""Bond dimensions that are tried in turn until a tolerance is kept."""

_FIRST_RUNGS = 3
_SCHEMES = {scheme.name: scheme for scheme in (MEAN_FIELD, COMMUTATOR_FREE_4)}
_STEPS_PER_TURN = {"CF2": 2.0, "CF4": 1.0}
"""Steps over :func:`~.common.mesh.initial_steps`: of about 0.08 and 0.16 ns at the device's energies."""

_MOST_SPINS = 1024
"""For more spins the plan of the tree alone takes minutes."""

_HALF = 0.5
"""Share of the remaining progress for the next runs of a study, as others may follow."""

_MOST_HALVINGS = 4

_SHARE_NEGLECTED = 0.125
"""Share of the tolerance that may be neglected at the beginning, and as much at the end."""

_SINGLE_FROM = 1e-3
"""Tolerance from which single precision is good enough."""

_STD_TOLERANCE = 0.05
"""Relative error of sigma up to which a precision is shown."""

_SECONDS_PER_RUN = 0.05
_BYTES_PER_CORE = 120_000_000
"""Memory of compiled kernels and BLAS."""


@dataclass(frozen=True)
class TensorNetwork(Engine):
    """Time-dependent variational principle on a tree of tensors: any graph and weights, any product start.

    With one bond dimension there is one run, and its error is not known. With several, or with None, when bond
    dimensions are raised until the tolerance is reached, other runs check it (another method, seed and step): the
    record then has an estimate of the error and a verdict for mu and sigma, positive with three bond dimensions or
    more. The step is halved if it causes most of the error. A precision is shown if sigma is known to 5 %, else the
    lower bound of Bhatia and Davis.

    Attributes:
        tolerance: absolute error of mu up to which it counts as converged. A quarter of it may be neglected at the
            ends of the protocol, and from 1e-3 on numbers have single precision.
        bond_dimension: largest dimension of a bond; several, ascending, for a study; None to raise it as needed.
        most_bond_dimension: largest value when it is raised, converged or not.
        expansion: bond vectors that each bond is given before every half step, in competition with those it has; 0
            for one-site steps in fixed bases, ``"all"`` for two-site steps.
        truncation: relative weight below which bond vectors are discarded, if there is expansion.
        steps: number of steps in the part of the protocol in which populations move; by default as the fields need.
        magnus: ``CF4`` or ``CF2`` (the mean fields of the step); either has two TDVP sweeps a step, there and back.
        shape: ``tree`` (binary) or ``chain``.
        single: complex64 instead of complex128: about twice as fast from a bond dimension of 20, with errors of some
            1e-4 in mu; by default from a tolerance of 1e-3 on.
        seed: seed of the first basis and of the random vectors of the expansion.

    Raises:
        InvalidParameterError: options out of range; the message says which.
    """

    name: ClassVar[str] = "tensor"
    needs: ClassVar[str] = "spinbattery.engines.tensor.evolution"
    compile_seconds: ClassVar[float] = 20.0
    summary: ClassVar[str] = "a tree tensor network by TDVP"
    takes: ClassVar[str] = "any network of 2 to some 256 spins"
    accuracy: ClassVar[Accuracy] = Accuracy.TARGET
    remedies: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            "bond_dimension": "the last bond dimension: larger ones, such as 16,24,36, make it smaller",
            "method": "steps without expansion: larger bond dimensions, such as 16,24,36, may help",
            "seed": "the seed: larger bond dimensions, such as 16,24,36, may help",
            "step": "the time step",
            "neglected": "the neglected ends of the protocol: a smaller tolerance makes it smaller",
            "rounding": "single precision: a tolerance below 1e-3 takes double precision",
        }
    )

    tolerance: float = field(default=2e-3, metadata=TOLERANCE)
    bond_dimension: int | tuple[int, ...] | None = field(
        default=None,
        metadata=option(
            "Bond dimension: 20 is one run, whose error is not known; 10,16,24 are checked against each other.",
            column=Column("TEXT", "bond dimension of a tensor network; several where they check each other"),
            read=whole_numbers,
        ),
    )
    most_bond_dimension: int = field(default=64, kw_only=True)
    expansion: int | str = field(
        default=0,
        kw_only=True,
        metadata=option(
            "Bond vectors that each bond may exchange in a step (0), or all (two-site TDVP).",
            column=Column("TEXT", "bond vectors that each bond of a tensor network may exchange in a step"),
            read=lambda text: int(text) if text.isdecimal() else text,
        ),
    )
    truncation: float = field(default=1e-12, kw_only=True)
    steps: int | None = field(default=None, kw_only=True)
    magnus: str = field(default=COMMUTATOR_FREE_4.name, kw_only=True)
    shape: Shape = field(default="tree", kw_only=True)
    single: bool | None = field(
        default=None, kw_only=True, metadata=option("Single precision; by default from a tolerance of 1e-3 on.")
    )
    seed: int | None = field(default=None, kw_only=True, metadata=SEED)

    def __post_init__(self) -> None:
        set_to = object.__setattr__
        set_to(self, "tolerance", checked_tolerance(self.tolerance))
        set_to(self, "bond_dimension", _checked_bonds(self.bond_dimension))
        set_to(self, "most_bond_dimension", whole_number("most_bond_dimension", self.most_bond_dimension, least=2))
        if not is_one_of(self.expansion, ("all",)):
            if isinstance(self.expansion, str):
                raise InvalidParameterError(f"expansion must be a whole number or 'all', but is {self.expansion!r}.")
            set_to(self, "expansion", whole_number("expansion", self.expansion, least=0))
        set_to(self, "truncation", finite("truncation", self.truncation))
        if not 0.0 <= self.truncation < 1.0:
            raise InvalidParameterError(f"truncation must lie between 0 and 1, but is {self.truncation!r}.")
        for name, value, least in (("steps", self.steps, 1), ("seed", self.seed, 0)):
            if value is not None:
                set_to(self, name, whole_number(name, value, least=least))
        for name, text, known in (("magnus", self.magnus, (*_SCHEMES,)), ("shape", self.shape, get_args(Shape))):
            check_choice(name, text, known)
        if not isinstance(self.single, bool | None):
            raise InvalidParameterError(f"single must be true, false or None, but is {self.single!r}.")

    def refusal(self, problem: ChargingProblem) -> str | None:
        if problem.n_spins < 2:
            return "there is one spin, and a tree needs at least two; use the product engine."
        if problem.n_spins > _MOST_SPINS:
            return (
                f"the largest N is {_MOST_SPINS}, but N is {problem.n_spins}; the truncated-wigner and "
                "mean-field engines are approximations for any number."
            )
        return None

    def required_bytes(self, problem: ChargingProblem) -> int:
        plan = self._plan(problem, np.empty(0))
        largest = max(self._most(problem, plan))
        setting = Setting(largest, self._expansion, 0, 0)
        beside = sum(map(plan.runs_beside_others, self._all_settings(problem, plan)))
        at_once = max(1, min(n_cores(), beside))
        return at_once * (plan.bytes(setting) + _BYTES_PER_CORE) + BYTES_PER_BLOCK

    def memory_hint(self, problem: ChargingProblem, available: int) -> str:
        return "use smaller bond dimensions, no expansion to all bond vectors, or single precision."

    def predicted_seconds(self, problem: ChargingProblem, times: FloatArray) -> float:
        """See the base class; if bond dimensions are raised as needed, the time of all of them."""
        plan = self._plan(problem, times)
        return sum(_SECONDS_PER_RUN + plan.seconds(setting) for setting in self._all_settings(problem, plan))

    def _all_settings(self, problem: ChargingProblem, plan: TreePlan) -> Sequence[Setting]:
        """Settings of all runs that may be needed."""
        study = self._study(plan, self._most(problem, plan), 0)
        return [*study.main, *study.checks] if self.is_study else study.main

    @property
    def is_study(self) -> bool:
        """Whether the result is checked by other runs."""
        return not isinstance(self.bond_dimension, int)

    @property
    def _expansion(self) -> int | None:
        return None if isinstance(self.expansion, str) else self.expansion

    def _plan(self, problem: ChargingProblem, times: FloatArray) -> TreePlan:
        window = moving_window(problem, _SHARE_NEGLECTED * self.tolerance)
        mesh = window.mesh(problem, times, self.steps, _STEPS_PER_TURN[self.magnus])
        single = self.tolerance >= _SINGLE_FROM if self.single is None else self.single
        dtype: np.dtype[Any] = np.dtype(np.complex64 if single else np.complex128)
        return TreePlan(problem, self.shape, self._scheme, window, mesh, self.truncation, dtype)

    @property
    def _scheme(self) -> CommutatorFree:
        return _SCHEMES[self.magnus]

    def _most(self, problem: ChargingProblem, plan: TreePlan) -> tuple[int, ...]:
        """Bond dimensions that may be used: up to the first one that truncates nothing."""
        if isinstance(self.bond_dimension, int):
            return (self.bond_dimension,)
        wanted = self.bond_dimension or tuple(bond for bond in LADDER if bond <= self.most_bond_dimension)
        wanted = wanted or (self.most_bond_dimension,)
        complete = plan.complete_from
        if len(wanted) == 1 and wanted[0] < complete:
            wanted = (wanted[0] // 2, *wanted)
        return (*(bond for bond in wanted if bond < complete), *([int(complete)] if wanted[-1] >= complete else []))

    def _study(self, plan: TreePlan, bonds: tuple[int, ...], seed: int) -> Study:
        return Study(bonds, self._expansion, seed, bonds[-1] >= plan.complete_from)

    def solve(
        self, problem: ChargingProblem, times: FloatArray, progress: Progress, checkpoint: Checkpoint
    ) -> Solution:
        import scipy.linalg.cython_blas  # noqa: F401 -- numba's BLAS: only what is loaded has its threads limited

        plan = self._plan(problem, times)
        runs = _Runs(plan, times, progress, checkpoint)
        bonds = self._most(problem, plan)
        seed = 0 if self.seed is None else self.seed
        with threadpool_limits(1, user_api="blas"):
            if not self.is_study:
                study = self._study(plan, bonds, seed)
                return self._solution(plan, times, runs, study, runs.all([study.result], 1.0)[study.result], None)
            count = len(bonds) if self.bond_dimension is not None else min(_FIRST_RUNGS, len(bonds))
            halvings = 0
            while True:
                study = replace(self._study(plan, bonds[:count], seed), halvings=halvings)
                found = runs.all(study.main)
                is_last = count == len(bonds)
                change = abs(float(found[study.result].mean[-1] - found[study.before].mean[-1])) if not is_last else 0.0
                if change > self.tolerance:  # by the last bond dimension alone
                    count += 1
                    continue
                found = runs.all(study.checks)
                verdict = converged(study, found, plan.window.bound, ROUNDING[plan.dtype.itemsize])
                if self._keeps(study, verdict):
                    break
                if verdict.worst == "step" and halvings < _MOST_HALVINGS:
                    halvings += 1
                elif is_last:
                    break
                else:
                    count += 1
            return self._solution(plan, times, runs, study, found[study.result], verdict)

    def _keeps(self, study: Study, checked: Converged) -> bool:
        """Whether mu counts as converged."""
        return study.may_converge and bool(checked.mean_error[-1] <= self.tolerance)

    def _solution(
        self, plan: TreePlan, times: FloatArray, runs: _Runs, study: Study, result: TreeRun, checked: Converged | None
    ) -> Solution:
        from . import measure

        state, channels = result.state, plan.channels(study.result.bond_dimension)
        std = float(result.std[-1])
        errors, extrapolation, verdict = None, None, Convergence()
        if checked is not None:
            errors = ErrorEstimates(
                mean=checked.mean_error,
                variance=2.0 * result.std * checked.std_error,
                precision=2.0 * float(checked.std_error[-1]) / std,
                std=float(checked.std_error[-1]),
            )
            extrapolation = Extrapolation(checked.extrapolated_mean, checked.extrapolated_std)
            verdict = Convergence(
                magnetization=self._keeps(study, checked),
                precision=study.may_converge and bool(checked.std_error[-1] <= _STD_TOLERANCE * std),
            )
        return Solution(
            FinalState(measure.distribution(state, channels), result.spins[-1], abs(math.sqrt(result.norm) - 1.0)),
            TimeTraces(times, result.mean, result.variance, result.energy, spins=result.spins),
            errors,
            extrapolation=extrapolation,
            verdict=verdict,
            discretisation={
                "ansatz": self.shape,
                "splitting": self.magnus,
                "order": self._scheme.order,
                "steps": result.steps,
                "window_ns": [plan.window.start, plan.window.end],
                "neglected": plan.window.bound,
                "bond_dimension": study.result.bond_dimension,
                "largest_dimension": result.largest_dimension,
                "expansion": self.expansion,
                "dtype": str(plan.dtype),
                "truncation": self.truncation,
                "discarded_weight": result.discarded,
                "runs": [_described(run) for run in runs.found.values()],
                **({} if checked is None else {"errors": checked.parts}),
            },
            execution={
                "seconds_per_step": result.seconds_per_step,
                "seconds_per_step_of_runs": [run.seconds_per_step for run in runs.found.values()],
            },
        )


class _Runs:
    """Runs of one problem, each made once and kept in ``found``, large ones at the same time if there are cores."""

    def __init__(self, plan: TreePlan, times: FloatArray, progress: Progress, checkpoint: Checkpoint) -> None:
        self._plan, self._times = plan, times
        self._rising, self._checkpoint = Rising(progress), checkpoint
        self.found: dict[Setting, TreeRun] = {}

    def all(self, settings: Sequence[Setting], share: float = _HALF) -> dict[Setting, TreeRun]:
        """Make the missing runs, which are this share of the remaining progress; returns all runs there are."""
        missing = [setting for setting in settings if setting not in self.found]
        missing.sort(key=self._plan.seconds)
        first = len(self.found)
        seconds = [self._plan.seconds(setting) for setting in missing]

        def run(number: int, progress: Progress) -> TreeRun:
            log = self._checkpoint.log(first + number)
            return self._plan.run(missing[number], self._times, progress, log)

        together = [number for number, setting in enumerate(missing) if self._plan.runs_beside_others(setting)]
        threads = min(n_cores(), len(together))
        alone = [number for number in range(len(missing)) if threads < 2 or number not in together]
        whole = Rising(self._rising.part(share))
        made: dict[int, TreeRun] = {}
        left = sum(seconds)
        for number in alone:  # the shortest first, so that something is left
            made[number] = run(number, whole.part(seconds[number] / left))
            left -= seconds[number]
        if threads > 1:
            parts = [seconds[number] for number in together]
            found = run_together(
                lambda k, progress: run(together[k], progress),
                [part / sum(parts) for part in parts],
                threads,
                whole.part(1.0),
            )
            made.update(zip(together, found, strict=True))
        self.found |= {missing[number]: one for number, one in sorted(made.items())}
        return self.found


def _checked_bonds(bonds: Any) -> int | tuple[int, ...] | None:
    """None, one bond dimension, or several that ascend."""
    if bonds is None:
        return None
    several = bonds if isinstance(bonds, tuple | list) else (bonds,)
    checked = tuple(whole_number("bond_dimension", bond, least=1) for bond in several)
    if not checked or any(b <= a for a, b in pairwise(checked)):
        raise InvalidParameterError(f"bond_dimension must be one number or several that ascend, not {bonds!r}.")
    return checked if len(checked) > 1 else checked[0]


def _described(run: TreeRun) -> dict[str, Any]:
    """Entry of a run in the record."""
    setting = run.setting
    return {
        "bond_dimension": setting.bond_dimension,
        "expansion": "all" if setting.expansion is None else setting.expansion,
        "seed": setting.seed,
        "steps": run.steps,
        "magnetization": float(run.mean[-1]),
        "std": float(run.std[-1]),
        "discarded_weight": run.discarded,
        "norm": run.norm,
    }
