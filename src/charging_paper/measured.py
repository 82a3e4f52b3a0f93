"""The annealer's runs of the reproduction on a real annealer."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from spinbattery.core.errors import QpuError
from spinbattery.core.progress import Progress, silent
from spinbattery.model.network_text import parse_network
from spinbattery.model.problem import ChargingProblem
from spinbattery.model.topology import WorkingGraph
from spinbattery.qpu.client import connect
from spinbattery.qpu.collection import collect, stored_record
from spinbattery.qpu.ledger import Ledger
from spinbattery.qpu.placement import placed
from spinbattery.qpu.planning import QpuPlan, plan_problems
from spinbattery.qpu.submission import SubmissionPolicy, submit
from spinbattery.store.folder import Store

from .device import on_any_chip
from .runs import Request, Run

_US = 1e6


def measure(
    folder: Path,
    requests: Iterable[Request],
    *,
    reads: int,
    budget: float,
    solver: str | None = None,
    retry_failed: bool = False,
    new_graph: bool = False,
    progress: Progress = silent,
) -> dict[Request, Run]:
    """Records of those requests that a real annealer can fulfil, by jobs that are never sent twice.

    The networks are cut from the solver's own working graph, so that N and n_C/N may differ from those of
    the emulated ones. Requests with cross-talk are left out: it cannot be set. A call that was stopped goes
    on where it was; jobs of the ledger that are finished cost nothing.

    Args:
        folder: of the store; the ledger of jobs is in it.
        requests: of the reproduction.
        reads: of each job.
        budget: QPU time in s that all jobs of the ledger together may take.
        solver: its name; that of the configuration by default.
        retry_failed, new_graph: see :class:`~spinbattery.qpu.submission.SubmissionPolicy`.
        progress: called as jobs are sent and finished; may raise to stop.

    Raises:
        QpuError: over the budget, no connection, or jobs without a record; it says what to do.
        LimitError: the solver would refuse a job; nothing was sent.
    """
    wanted = [request for request in dict.fromkeys(requests) if request.on_annealer and not request.crosstalk]
    store = Store(folder)
    ledger = Ledger(folder)
    with connect() as connection:
        found = connection.solver(solver)
        graph = WorkingGraph.from_properties(found.properties)
        plans = {request: plan_problems([_problem(request, graph)], found, reads=reads) for request in wanted}
        jobs = {request: plan.jobs[0] for request, plan in plans.items()}
        distinct = {job.key: job for job in jobs.values()}
        plan = QpuPlan(found, tuple(distinct.values()))
        policy = SubmissionPolicy(budget * _US, retry_failed=retry_failed, new_graph=new_graph)
        submit(plan, store, connection, policy, progress)
        collect(store, connection, keys=list(distinct), wait=True, progress=progress)
    command = f"spinbattery reproduce --qpu --reads {reads} --budget {budget:g} --solver {found.name}"
    records = {job.key: stored_record(store, job) or store.latest(job.key) for job in ledger.jobs(distinct)}
    missing = [job for job in ledger.jobs(distinct) if records[job.key] is None]
    if missing:
        reasons = "; ".join(f"{job}, {job.state}: {job.message}" for job in missing)
        raise QpuError(
            f"{len(missing)} of {len(distinct)} jobs have no record: {reasons}. The same command goes on with those "
            "that wait, and with --retry-failed sends again those that failed; "
            f"`spinbattery qpu status --store {folder}` shows all."
        )
    runs = {}
    for request, job in jobs.items():
        record = records[job.key]
        if record is not None:
            runs[request] = Run(record, store.path(record.key), command)
    return runs


def _problem(request: Request, graph: WorkingGraph) -> ChargingProblem:
    spins = placed(parse_network(on_any_chip(request.network, graph.size)), graph)
    return ChargingProblem(spins, request.recipe.build(spins))
