"""Jobs of an experiment on a solver, with their limits and QPU time; nothing is sent."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np

from ..core.checks import whole_number
from ..core.errors import EnergyScalesError, LimitError, QpuError, SpinBatteryError
from ..model.problem import ChargingProblem
from ..model.scales import advantage_system6
from ..model.topology import WorkingGraph, other_scales
from ..records.hashing import canonical_json, run_key
from ..solver.limits import broken_rules
from ..solver.parsing import parse_request
from ..solver.request import SamplerRequest, placement_mark, sampler_request
from ..solver.timing import qpu_timing
from ..sweeps.experiment import BY_FILE, read_problems
from .client import Solver
from .ledger import NewJob
from .placement import placed

ENGINE = "qpu"
_NO_TIMES = np.empty(0)


@dataclass(frozen=True, eq=False)
class PlannedJob:
    """One problem, once, on one working graph.

    Attributes:
        problem: the labels of its network are the qubits.
        repetition: number from 1; each repetition is a run of its own.
        estimated_us: predicted QPU access time in us.
        violations: rules of the solver that the request breaks.
    """

    problem: ChargingProblem
    request: SamplerRequest
    solver: Solver
    repetition: int
    estimated_us: float
    violations: tuple[str, ...]

    @property
    def reads(self) -> int:
        return int(self.request.parameters["num_reads"])

    @cached_property
    def options(self) -> dict[str, Any]:
        """Options of the run; ``placement`` is a mark of the qubits, which the problem does not contain."""
        return {
            "solver": self.solver.name,
            "graph_id": self.solver.graph_id,
            "reads": self.reads,
            "repetition": self.repetition,
            "placement": placement_mark(self.request.qubits),
        }

    @cached_property
    def key(self) -> str:
        """Key of the run in store and ledger."""
        return run_key(self.problem, ENGINE, self.options, _NO_TIMES)

    @cached_property
    def item(self) -> str:
        """Hash of the wish by its names: the same on another working graph of the same solver."""
        protocol, scales = self.problem.protocol.to_dict(), self.problem.scales.to_dict()
        # a field that follows from the network, as of local protocols, is changed by a missing qubit
        follows = self.problem.protocol.J == 0.0 or self.problem.protocol.field_is_matched
        asked = [protocol[name] for name in ("name", "s", "g", "duration_ns", "J", *(() if follows else ("h",)))]
        text = canonical_json([self.problem.network.name, asked, scales, self.solver.name, self.reads, self.repetition])
        return hashlib.sha256(text.encode()).hexdigest()

    def entry(self) -> NewJob:
        """The job as the ledger keeps it."""
        problem = self.problem
        return NewJob(
            key=self.key,
            item=self.item,
            solver=self.solver.name,
            graph_id=self.solver.graph_id,
            network=problem.network.name,
            protocol=problem.protocol.name,
            n_spins=problem.n_spins,
            reads=self.reads,
            repetition=self.repetition,
            estimated_us=self.estimated_us,
            options=self.options,
            parameters=self.request.to_dict(),
            problem={"problem": problem.to_dict(), "qubits": list(self.request.qubits)},
        )

    def __str__(self) -> str:
        return f"{self.problem.network.name}, {self.problem.protocol.name}, repetition {self.repetition}"


@dataclass(frozen=True, eq=False)
class QpuPlan:
    """Jobs of an experiment for one solver."""

    solver: Solver
    jobs: tuple[PlannedJob, ...]

    @property
    def estimated_us(self) -> float:
        """Predicted QPU access time of all jobs in us."""
        return sum(job.estimated_us for job in self.jobs)

    def check(self) -> None:
        """Raise LimitError, with each violation once, if the solver would refuse a job."""
        found: dict[str, None] = {}
        for job in self.jobs:
            found |= dict.fromkeys(f"{_described(job.problem)}: {rule}" for rule in job.violations)
        if found:
            lines = "".join(f"\n  - {rule}" for rule in found)
            raise LimitError(f"{self.solver.name} would refuse jobs of this plan, so nothing was sent:{lines}", found)


def _described(problem: ChargingProblem) -> str:
    protocol = problem.protocol
    return (
        f"{problem.network.name}, {protocol.name}, {protocol.duration:g} ns, J = {protocol.J:g}, h = {protocol.h:.4g}"
    )


def plan_jobs(experiment: str | Path, solver: Solver, *, reads: int, repetitions: int = 1) -> QpuPlan:
    """The jobs of an experiment file on a solver; nothing is sent.

    Engines, seeds, tolerances and output times of the file concern simulations and are ignored.

    Args:
        experiment: TOML as for sweeps; its networks are put on the working graph, see
            :func:`~spinbattery.qpu.placement.placed`.
        solver: need not be connected.
        reads: of each job.
        repetitions: jobs of each problem.

    Raises:
        SpinBatteryError: an error in the file, a network that does not fit, a protocol that no annealer runs, or
            properties without timing data.
    """
    problems = read_problems(experiment, partial(placed, graph=WorkingGraph.from_properties(solver.properties)))
    return plan_problems(problems, solver, reads=reads, repetitions=repetitions)


def plan_problems(problems: Iterable[ChargingProblem], solver: Solver, *, reads: int, repetitions: int = 1) -> QpuPlan:
    """The jobs of problems whose networks are on the solver's working graph already; see :func:`plan_jobs`."""
    whole_number("repetitions", repetitions)
    jobs: dict[str, PlannedJob] = {}
    topology = str(dict(solver.properties.get("topology") or {}).get("type"))
    reason = other_scales(solver.name, topology, BY_FILE)
    for problem in problems:
        if reason and problem.scales.content_hash == advantage_system6().content_hash:
            raise EnergyScalesError(reason)
        try:
            request = sampler_request(problem, reads)
            parsed = parse_request(request.h, request.J, request.parameters)
            estimate = qpu_timing(solver.properties, problem.n_spins, parsed).access
        except SpinBatteryError as error:
            raise type(error)(f"{_described(problem)}: {error}") from None
        found = tuple(broken_rules(solver.properties, parsed))
        for repetition in range(1, repetitions + 1):
            job = PlannedJob(problem, request, solver, repetition, estimate, found)
            jobs.setdefault(job.key, job)
    if not jobs:
        raise QpuError("the plan has no problems; give at least one network and one protocol.")
    return QpuPlan(solver, tuple(jobs.values()))
