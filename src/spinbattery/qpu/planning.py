"""What an experiment asks of a solver: jobs with their limits and their QPU time, before anything is sent."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from ..core.checks import whole_number
from ..core.errors import EnergyScalesError, LimitError, QpuError, SpinBatteryError
from ..model.problem import ChargingProblem
from ..model.scales import advantage_system6
from ..model.topology import WorkingGraph, other_scales
from ..records.hashing import canonical_json, run_key
from ..solver.limits import violations
from ..solver.request import SamplerRequest, placement_mark, sampler_request
from ..solver.timing import qpu_access_time
from ..sweeps.experiment import read_problems
from .ledger import NewJob
from .placement import placer

ENGINE = "qpu"
_NO_TIMES = np.empty(0)


@dataclass(frozen=True, eq=False)
class PlannedJob:
    """One problem, once, on one working graph.

    Attributes:
        problem: its network's labels are the qubits.
        request: what the solver is asked.
        solver, graph_id: for whom it is.
        repetition: number from 1; repetitions are runs of their own.
        estimated_us: predicted QPU access time in us.
        violations: what the solver would refuse.
    """

    problem: ChargingProblem
    request: SamplerRequest
    solver: str
    graph_id: str | None
    repetition: int
    estimated_us: float
    violations: tuple[str, ...]

    @property
    def reads(self) -> int:
        return int(self.request.parameters["num_reads"])

    @cached_property
    def options(self) -> dict[str, Any]:
        """Options of the run; ``placement`` is a mark of the qubits, which the problem does not know."""
        return {
            "solver": self.solver,
            "graph_id": self.graph_id,
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
        """Hash of what was asked for by name: the same on another working graph of the same solver."""
        protocol, scales = self.problem.protocol.to_dict(), self.problem.scales.to_dict()
        # a field that follows from the network, as of local protocols, is changed by a missing qubit
        follows = self.problem.protocol.J == 0.0 or self.problem.protocol.field_is_matched
        asked = [protocol[name] for name in ("name", "s", "g", "duration_ns", "J", *(() if follows else ("h",)))]
        text = canonical_json([self.problem.network.name, asked, scales, self.solver, self.reads, self.repetition])
        return hashlib.sha256(text.encode()).hexdigest()

    def entry(self) -> NewJob:
        """What the ledger keeps."""
        return NewJob(
            self.key,
            self.item,
            self.solver,
            self.graph_id,
            self.problem.network.name,
            self.problem.protocol.name,
            self.problem.n_spins,
            self.reads,
            self.repetition,
            self.estimated_us,
            self.options,
            self.request.to_dict(),
            {"problem": self.problem.to_dict(), "qubits": list(self.request.qubits)},
        )

    def __str__(self) -> str:
        return f"{self.problem.network.name}, {self.problem.protocol.name}, repetition {self.repetition}"


@dataclass(frozen=True, eq=False)
class QpuPlan:
    """Jobs of an experiment for one solver."""

    solver: str
    graph_id: str | None
    jobs: tuple[PlannedJob, ...]

    @property
    def estimated_us(self) -> float:
        """Predicted QPU access time of all jobs in us."""
        return sum(job.estimated_us for job in self.jobs)

    def check(self) -> None:
        """Refuse a plan with a job that the solver would refuse.

        Raises:
            LimitError: all that must change, each once.
        """
        found: dict[str, None] = {}
        for job in self.jobs:
            found |= dict.fromkeys(f"{_described(job.problem)}: {rule}" for rule in job.violations)
        if found:
            lines = "".join(f"\n  - {rule}" for rule in found)
            raise LimitError(f"{self.solver} would refuse jobs of this plan, so nothing was sent:{lines}", found)


def _described(problem: ChargingProblem) -> str:
    protocol = problem.protocol
    return (
        f"{problem.network.name}, {protocol.name}, {protocol.duration:g} ns, J = {protocol.J:g}, h = {protocol.h:.4g}"
    )


def plan_jobs(
    experiment: str | Path,
    properties: Mapping[str, Any],
    *,
    solver: str,
    graph_id: str | None,
    reads: int,
    repetitions: int = 1,
) -> QpuPlan:
    """The jobs of an experiment file on a solver; nothing is sent.

    What the file says of engines, seeds, tolerances and output times is about simulations and does not
    matter here.

    Args:
        experiment: TOML as for sweeps; networks are put on the working graph, see
            :func:`~spinbattery.qpu.placement.placed`.
        properties: of the solver.
        solver, graph_id: its name and the mark of its working graph.
        reads: of each job.
        repetitions: jobs of each problem.

    Raises:
        SpinBatteryError: anything wrong in the file, a network that does not fit, a protocol that no annealer
            has, or properties without timing data.
    """
    graph = WorkingGraph.from_properties(properties)
    problems = read_problems(experiment, placer(graph))
    return plan_problems(problems, properties, solver=solver, graph_id=graph_id, reads=reads, repetitions=repetitions)


def plan_problems(
    problems: Iterable[ChargingProblem],
    properties: Mapping[str, Any],
    *,
    solver: str,
    graph_id: str | None,
    reads: int,
    repetitions: int = 1,
) -> QpuPlan:
    """The jobs of problems whose networks have been put on a solver's working graph; nothing is sent.

    Args:
        problems: their networks' labels are qubits, as those of :func:`~spinbattery.qpu.placement.placed`.
        properties, solver, graph_id, reads, repetitions: as for :func:`plan_jobs`.

    Raises:
        SpinBatteryError: a protocol that no annealer has, no problem at all, or properties without timing data.
    """
    whole_number("repetitions", repetitions)
    jobs: dict[str, PlannedJob] = {}
    reason = other_scales(solver, str(dict(properties.get("topology") or {}).get("type")))
    for problem in problems:
        if reason and problem.scales.content_hash == advantage_system6().content_hash:
            raise EnergyScalesError(reason)
        try:
            request = sampler_request(problem, reads)
            estimate = qpu_access_time(properties, problem.n_spins, request.parameters)
        except SpinBatteryError as error:
            raise type(error)(f"{_described(problem)}: {error}") from None
        found = tuple(violations(properties, request.h, request.J, request.parameters))  # type: ignore[arg-type]
        for repetition in range(1, repetitions + 1):
            job = PlannedJob(problem, request, solver, graph_id, repetition, estimate, found)
            jobs.setdefault(job.key, job)
    if not jobs:
        raise QpuError("there are no problems to plan; give at least one network and one protocol.")
    return QpuPlan(solver, graph_id, tuple(jobs.values()))
