"""The annealer's runs of the reproduction on a real annealer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import spinbattery as sb
from spinbattery.core.errors import QpuError
from spinbattery.core.progress import Progress, silent
from spinbattery.qpu.client import Solver, connect
from spinbattery.qpu.collection import collect, stored_record
from spinbattery.qpu.ledger import Ledger
from spinbattery.qpu.placement import placed
from spinbattery.qpu.planning import PlannedJob, QpuPlan, plan_problems
from spinbattery.qpu.submission import submit

from .device import on_any_chip
from .runs import Request, Run

if TYPE_CHECKING:
    from .build import RealAnnealer


def measure(
    folder: Path, requests: Iterable[Request], reads: int | None, annealer: RealAnnealer, progress: Progress = silent
) -> dict[Request, Run]:
    """Records of those requests that a real annealer can fulfil, by jobs that are never sent twice.

    ``reads`` take the place of each request's own number.

    The networks are cut from the solver's own working graph, so that N and n_C/N may differ from the emulated ones.
    Requests with cross-talk are left out: it cannot be set. A call that was stopped continues where it was; finished
    jobs of the ledger, which lies in the folder of the store, cost nothing.

    Raises:
        QpuError: over the budget, no connection, or jobs without a record; it says what to do.
        LimitError: the solver would refuse a job; nothing was sent.
    """
    wanted = [request for request in dict.fromkeys(requests) if request.on_annealer and not request.crosstalk]
    store = sb.Store(folder)
    with connect() as connection:
        solver = connection.solver(annealer.solver)
        jobs = _jobs(wanted, solver, reads)
        distinct = {job.key: job for job in jobs.values()}
        submit(QpuPlan(solver, tuple(distinct.values())), store, connection, annealer.policy, progress)
        collect(store, connection, keys=list(distinct), wait=True, progress=progress)
    records = _records(distinct, store)
    budget = 1e-6 * annealer.policy.budget_us
    given = "" if reads is None else f" --reads {reads}"
    command = f"spinbattery reproduce --qpu{given} --budget {budget:g} --solver {solver.name}"
    return {request: Run(records[job.key], store.path(records[job.key].key), command) for request, job in jobs.items()}


def _jobs(requests: Iterable[Request], solver: Solver, reads: int | None) -> dict[Request, PlannedJob]:
    """The job of each request on the solver's working graph."""
    graph, jobs = sb.WorkingGraph.from_properties(solver.properties), {}
    for request in requests:
        spins = placed(sb.parse_network(on_any_chip(request.network, graph.size)), graph)
        problem = sb.ChargingProblem(spins, request.recipe.build(spins))
        jobs[request] = plan_problems([problem], solver, reads=reads or request.reads).jobs[0]
    return jobs


def _records(wanted: Mapping[str, PlannedJob], store: sb.Store) -> dict[str, sb.Record]:
    """The record of each job by the job's key; refuses where one has none."""
    records, missing = {}, []
    for job in Ledger(store.folder).jobs(wanted):
        record = stored_record(store, job) or store.latest(job.key)
        if record is None:
            missing.append(job)
        else:
            records[job.key] = record
    if missing:
        reasons = "; ".join(f"{job}, {job.state}: {job.message}" for job in missing)
        raise QpuError(
            f"{len(missing)} of {len(wanted)} jobs have no record: {reasons}. The same call continues with jobs "
            "that wait, and with retry_failed=True sends failed ones again; `spinbattery qpu status` "
            f"shows all jobs of the store {str(store.folder)!r}."
        )
    return records
