"""The annealer's runs of the reproduction on a real annealer."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ..errors import QpuError
from ..network_text import parse_network
from ..problem import ChargingProblem
from ..progress import Progress, silent
from ..qpu.client import connect
from ..qpu.collection import collect
from ..qpu.ledger import Ledger
from ..qpu.placement import placed
from ..qpu.planning import plan_problems
from ..qpu.submission import submit
from ..store.folder import Store
from ..topology import WorkingGraph
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
        problems = {request: _problem(request, graph) for request in wanted}
        plan = plan_problems(
            problems.values(), found.properties, solver=found.name, graph_id=found.graph_id, reads=reads
        )
        sent = submit(plan, found, store, ledger, connection, budget_us=budget * _US, progress=progress)
        keys = {job.problem: job.key for job in plan.jobs}
        harvest = collect(store, ledger, connection, keys=list(keys.values()), wait=True, progress=progress)
    if not harvest.complete:
        reasons = [*sent.messages, *harvest.pending.values(), *harvest.stuck.values(), *harvest.failed.values()]
        raise QpuError(f"{len(reasons)} jobs have no record: {'; '.join(dict.fromkeys(reasons))}")
    command = f"spinbattery reproduce --qpu --reads {reads} --budget {budget:g} --solver {found.name}"
    runs = {}
    for request, problem in problems.items():
        record = store.get(keys[problem])
        if record is None:
            raise QpuError(f"the record of {request.network} is gone from the store; run the same command again.")
        runs[request] = Run(record, store.path(record.key), command)
    return runs


def _problem(request: Request, graph: WorkingGraph) -> ChargingProblem:
    spins = placed(parse_network(on_any_chip(request.network, graph.size)), graph)
    return ChargingProblem(spins, request.recipe.build(spins))
