"""`spinbattery qpu plan | submit | status | collect | cancel | properties`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..core.errors import InvalidParameterError, QpuError
from ..core.paths import user_path
from . import options as o
from .console import print_json, print_table, progress_bar
from .groups import Group, spread

if TYPE_CHECKING:
    from ..qpu.client import Solver
    from ..qpu.ledger import Job, Ledger
    from ..qpu.planning import QpuPlan
    from ..qpu.submission import SubmissionPolicy
    from ..records.columns import Row

_UNFINISHED = 1
_KEY_DIGITS = 12
_US = 1e6

ExperimentFile = Annotated[str, typer.Argument(help="Experiment file (TOML); its networks and protocols are used.")]
Folder = Annotated[str, typer.Option("--store", help="Folder of records; the ledger of jobs, qpu.sqlite, is in it.")]
SolverName = Annotated[
    str | None, typer.Option("--solver", help="Solver; by default the one of dwave.conf, or the only one there is.")
]
Grace = Annotated[
    float,
    typer.Option(
        "--grace", min=0.0, help="Seconds after which a job sent without a reply, and not listed, never arrived."
    ),
]


@dataclass(frozen=True)
class JobOptions(Group):
    """Jobs of each problem, and the solver they are for."""

    reads: Annotated[int, typer.Option("--reads", min=2, help="Reads of each job.")] = 1000
    repetitions: Annotated[
        int, typer.Option("--repetitions", min=1, help="Jobs of each problem, each a run of its own.")
    ] = 1
    solver: SolverName = None

    def plan(self, experiment: str, solver: Solver) -> QpuPlan:
        """The jobs of an experiment on a solver."""
        from ..qpu.planning import plan_jobs

        return plan_jobs(experiment, solver, reads=self.reads, repetitions=self.repetitions)


@dataclass(frozen=True)
class PolicyOptions(Group):
    """What may be sent, again or for the first time."""

    budget: Annotated[float, typer.Option("--budget", min=0.0, help="QPU seconds of all jobs of the ledger.")]
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Send failed jobs again.")] = False
    new_graph: Annotated[
        bool, typer.Option("--new-graph", help="Send jobs again that were sent for an earlier working graph.")
    ] = False
    grace: Grace = 300.0

    def policy(self) -> SubmissionPolicy:
        from ..qpu.submission import SubmissionPolicy

        return SubmissionPolicy(self.budget * _US, self.retry_failed, self.new_graph, self.grace)


qpu = typer.Typer(help="Jobs on a real annealer: none lost, none paid twice.", no_args_is_help=True)


@qpu.command()
@spread
def plan(
    experiment: ExperimentFile,
    store: Folder,
    jobs: JobOptions,
    budget: Annotated[float | None, typer.Option("--budget", help="QPU seconds of all jobs of the ledger.")] = None,
    properties: Annotated[
        str | None, typer.Option("--properties", help="Saved properties of a solver: no connection is made.")
    ] = None,
    as_json: o.AsJson = False,
) -> None:
    """Show the jobs, their limits and their QPU time; nothing is sent or written."""
    from ..qpu.ledger import Ledger
    from ..qpu.submission import checked_budget

    solver = _solver(jobs.solver, properties)
    if budget is not None:
        checked_budget(budget)
    planned = jobs.plan(experiment, solver)
    data = _plan_data(planned, Ledger(store).jobs(), budget)
    if as_json:
        print_json(data)
    else:
        _print_plan(data)
    planned.check()
    if budget is not None and data["ledger_s"] + data["new_s"] > budget:
        raise QpuError(
            f"the jobs of the ledger ({data['ledger_s']:.3f} s) and the new ones ({data['new_s']:.3f} s) exceed the "
            f"budget of {budget:g} s; increase it, or ask for fewer reads."
        )


def _solver(name: str | None, properties: str | None) -> Solver:
    """A solver at the service, or the one of a file of properties."""
    from ..model.topology import read_solver_properties
    from ..qpu.client import Solver, connect

    if properties is None:
        with connect() as connection:
            return connection.solver(name)
    if name is not None:
        raise InvalidParameterError("--properties stands for a solver, without a connection; give it or --solver.")
    known = read_solver_properties(properties)
    return Solver(str(known.get("chip_id") or user_path(properties).stem), known.get("graph_id"), known)


@qpu.command()
@spread
def submit(
    experiment: ExperimentFile,
    store: Folder,
    jobs: JobOptions,
    policy: PolicyOptions,
    as_json: o.AsJson = False,
    quiet: o.Quiet = False,
) -> None:
    """Send the jobs that were not sent yet, within the budget; the same command continues after an interruption."""
    from ..qpu.client import connect
    from ..qpu.submission import submit as send
    from ..store.folder import Store

    with connect() as connection:
        planned = jobs.plan(experiment, connection.solver(jobs.solver))
        with progress_bar(quiet) as progress:
            result = send(planned, Store(store), connection, policy.policy(), progress)
    name = planned.solver.name
    if as_json:
        print_json({"solver": name, "jobs": len(planned.jobs), **result.counts, "messages": result.messages})
    else:
        print(f"{len(planned.jobs)} jobs for {name}: {_counted(result.counts)}")
    _tell(result.messages)
    if not result.complete:
        raise typer.Exit(_UNFINISHED)


@qpu.command()
def status(store: Folder, as_json: o.AsJson = False) -> None:
    """Show the ledger, without a connection; `collect` asks the server."""
    from ..qpu.ledger import Ledger

    jobs = Ledger(_existing(store)).jobs()
    if as_json:
        print_json([{**vars(job), "since": _moment(job.since)} for job in jobs])
        return
    header = ("network", "protocol", "reads", "repetition", "state", "QPU s", "since", "problem id", "key")
    rows = [
        [
            job.network, job.protocol, str(job.reads), str(job.repetition), job.state, f"{job.cost_us / _US:.3f}",
            _moment(job.since), job.problem_id or "-", job.key[:_KEY_DIGITS],
        ]
        for job in jobs
    ]  # fmt: skip
    print_table(f"{len(jobs)} jobs in {store}", header, rows)
    print(f"QPU time charged or expected: {sum(job.cost_us for job in jobs) / _US:.3f} s")
    _tell(f"{job}: {job.message}" for job in jobs if job.message)


@qpu.command()
def collect(
    store: Folder,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until every job is finished.")] = False,
    grace: Grace = 300.0,
    as_json: o.AsJson = False,
    quiet: o.Quiet = False,
) -> None:
    """Find every job that was sent, and write the available answers as records."""
    from ..qpu.client import connect
    from ..qpu.collection import collect as fetch
    from ..qpu.ledger import Ledger
    from ..records.hashing import planned_key
    from ..store.folder import Store

    folder, ledger = Store(_existing(store)), Ledger(store)
    with connect() as connection, progress_bar(quiet) as progress:
        result = fetch(folder, connection, wait=wait, grace=grace, progress=progress)
    unsent = len(ledger.jobs(states=["planned"]))
    rows = folder.rows(key=result.done) if result.done else []
    if as_json:
        states = {planned_key(row["key"]): row["charge_state"] for row in rows}
        print_json({**vars(result), "planned": unsent, "charge_states": states})
    else:
        counts = {name: len(found) for name, found in vars(result).items()}
        print(f"{_counted(counts)}; {unsent} planned and not sent")
        _print_collected(rows)
    kinds = (("pending", result.pending), ("stuck", result.stuck), ("failed", result.failed))
    _tell(f"{kind}: {key[:_KEY_DIGITS]}: {said}" for kind, found in kinds for key, said in found.items())
    if not result.complete:
        raise typer.Exit(_UNFINISHED)


@qpu.command()
def cancel(
    store: Folder,
    keys: Annotated[list[str] | None, typer.Argument(help="First digits of keys; default: all open jobs.")] = None,
    grace: Grace = 300.0,
    as_json: o.AsJson = False,
) -> None:
    """Drop jobs that were not sent, and ask the server to cancel the others; finished jobs are not changed."""
    from ..qpu.client import connect
    from ..qpu.collection import cancel as drop
    from ..qpu.ledger import OPEN, Ledger
    from ..store.folder import Store

    folder, ledger = Store(_existing(store)), Ledger(store)
    chosen = _chosen(ledger, keys) if keys else ledger.jobs(states=OPEN)
    sent = any(job.state in ("submitting", "submitted") for job in chosen)
    with connect() if sent else nullcontext() as connection:
        fates = drop(folder, connection, [job.key for job in chosen], grace=grace)
    if as_json:
        print_json(fates)
        return
    for key, fate in fates.items():
        print(f"{key[:_KEY_DIGITS]}: {fate}")


@qpu.command()
def properties(
    out: Annotated[str, typer.Option("--out", help="JSON file to write.")],
    solver: SolverName = None,
) -> None:
    """Save a solver's properties, for plans without a connection and for the emulator."""
    from ..core.atomic import writing
    from ..qpu.client import connect

    o.check_target(out, (".json",))
    with connect() as connection:
        found = connection.solver(solver)
    data = {"chip_id": found.name, **found.properties, "graph_id": found.graph_id}
    with writing(user_path(out), QpuError) as temporary:
        temporary.write_text(json.dumps(data) + "\n", encoding="utf-8")
    print(f"{found.name} (graph {found.graph_id}, {len(data['qubits'])} qubits) written to {out}")


def _plan_data(planned: QpuPlan, known: Sequence[Job], budget: float | None) -> dict[str, Any]:
    """Jobs and QPU times of a plan as plain data."""
    states = {job.key: job.state for job in known}
    rows = [
        {
            "network": job.problem.network.name,
            "n_spins": job.problem.n_spins,
            "pairs_per_spin": job.problem.network.pairs_per_spin,
            "protocol": job.problem.protocol.name,
            "duration_ns": job.problem.protocol.duration,
            "reads": job.reads,
            "repetition": job.repetition,
            "qpu_s": job.estimated_us / _US,
            "state": states.get(job.key, "new"),
            "violations": list(job.violations),
            "run_key": job.key,
        }
        for job in planned.jobs
    ]
    return {
        "solver": planned.solver.name,
        "graph_id": planned.solver.graph_id,
        "jobs": rows,
        "plan_s": planned.estimated_us / _US,
        "new_s": sum(job.estimated_us for job in planned.jobs if job.key not in states) / _US,
        "ledger_s": sum(job.cost_us for job in known) / _US,
        "budget_s": budget,
    }


def _print_plan(data: dict[str, Any]) -> None:
    from .summary import number

    shown = ("network", "n_spins", "pairs_per_spin", "protocol", "duration_ns", "reads", "repetition", "qpu_s", "state")
    rows = [[number(row[name]) for name in shown] for row in data["jobs"]]
    print_table(f"{len(rows)} jobs for {data['solver']}, graph {data['graph_id']}", shown, rows)
    print(
        f"QPU time: {data['plan_s']:.3f} s for this plan, {data['new_s']:.3f} s of them new; "
        f"{data['ledger_s']:.3f} s charged or expected for the jobs of the ledger"
        + ("" if data["budget_s"] is None else f"; budget {data['budget_s']:g} s")
    )


def _print_collected(rows: Sequence[Row]) -> None:
    """Print the moments of the records written now, and a note on runs that did not charge."""
    from ..records.charge_state import ChargeState, unlike_a_charge
    from .summary import number

    if not rows:
        return
    header = ("network", "protocol", "reads", "magnetization", "charge_state", "precision")
    cells = [[*(number(row[name]) for name in header), row["key"][:_KEY_DIGITS]] for row in rows]
    print_table(f"{len(rows)} records", (*header, "key"), cells)
    found = [
        (f"{row['protocol']} on {row['network']}", row["magnetization"], ChargeState(row["charge_state"]))
        for row in rows
    ]
    if uncharged := [run for run in found if not run[2].is_charge]:
        _tell([f"note: {unlike_a_charge(uncharged)}."])


def _chosen(ledger: Ledger, keys: Sequence[str]) -> list[Job]:
    """Jobs by the first digits of their keys, each of which must select exactly one."""
    jobs = ledger.jobs()
    chosen = []
    for digits in keys:
        found = [job for job in jobs if job.key == digits] or [job for job in jobs if job.key.startswith(digits)]
        if len(found) != 1:
            raise InvalidParameterError(
                f"{len(found)} jobs of {str(ledger.path)!r} have a key that starts with {digits!r}; see "
                "`spinbattery qpu status` and give more digits."
            )
        chosen += found
    return chosen


def _existing(folder: str) -> str:
    from ..qpu.ledger import FILE_NAME

    if not (user_path(folder) / FILE_NAME).is_file():
        raise QpuError(f"there is no ledger of jobs in {folder!r}; `spinbattery qpu submit` makes one.")
    return folder


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def _counted(counts: dict[Any, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.items())


def _tell(lines: Iterable[str]) -> None:
    for line in lines:
        print(line, file=sys.stderr)
