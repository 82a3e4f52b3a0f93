"""`spinbattery sweep`."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..core.errors import InvalidParameterError
from ..core.paths import user_path
from . import options as o
from .console import print_json, print_table, sweep_progress
from .groups import Group, note_ideal_zephyr

if TYPE_CHECKING:
    from ..records.columns import Row
    from ..sweeps.execution import Execution
    from ..sweeps.plan import Plan
    from ..sweeps.run import Sweep

_UNFINISHED = 1
_MOST_SHOWN = 40


@dataclass(frozen=True)
class ExecutionOptions(Group):
    """Workers of a sweep, and which runs they run again."""

    workers: o.Workers = None
    scheduler: Annotated[
        str | None, typer.Option("--scheduler", help="Dask scheduler, tcp://host:port; its workers share the store.")
    ] = None
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Run failed problems again.")] = False
    recompute_damaged: Annotated[
        bool, typer.Option("--recompute-damaged", help="Run problems with a damaged record again.")
    ] = False

    def execution(self) -> Execution:
        from ..sweeps.execution import Execution

        if self.scheduler is not None and self.workers is not None:
            raise InvalidParameterError("a scheduler has workers of its own; give --scheduler or --workers, not both.")
        return Execution(self.scheduler, self.workers, self.retry_failed, self.recompute_damaged)


def sweep(
    experiment: Annotated[str, typer.Argument(help="Experiment file (TOML); see examples/.")],
    store: Annotated[str, typer.Option("--store", help="Folder of records; runs found there are not run again.")],
    options: ExecutionOptions,
    shard: Annotated[
        str | None, typer.Option("--shard", help="i/n: part i of n, for job arrays; every part writes to one store.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be run, its time and memory.")] = False,
    as_json: o.AsJson = False,
    quiet: o.Quiet = False,
) -> None:
    """Run the missing runs of a grid of problems. Ctrl-C finishes what is running; the same command goes on."""
    from ..store.folder import Store
    from ..sweeps.executors import n_workers
    from ..sweeps.experiment import read_experiment
    from ..sweeps.run import execute
    from ..sweeps.survey import survey

    execution = options.execution()
    plan = read_experiment(experiment)
    if shard is not None:
        plan = plan.shard(*_parse_shard(shard))
    _note_default_scales(plan)
    folder = None if dry_run and not user_path(store).is_dir() else Store(store)
    found = survey(plan, folder, execution)
    if dry_run or not quiet:
        line = found.describe(1 if execution.on_cluster else n_workers(execution, found))
        print(f"part {shard}: {line}" if shard else line, file=sys.stderr)
    if dry_run or folder is None:
        if not execution.on_cluster:
            found.check()
        if as_json:
            print_json({"problems": len(plan), "to_run": len(found.todo), "seconds": found.seconds,
                        "largest_bytes": found.largest_bytes})  # fmt: skip
        return
    with sweep_progress(quiet) as progress:
        result = execute(found, folder, replace(execution, progress=progress))
    _present(result, as_json)
    if result.failures:
        raise typer.Exit(_UNFINISHED)


def _note_default_scales(plan: Plan) -> None:
    from ..model.scales import advantage_system6

    default = advantage_system6().content_hash
    problems = [task.problem for task in plan if task.problem.scales.content_hash == default]
    note_ideal_zephyr({one.network.name: one.network for one in problems}.values(), "energy_scales in the file")


def _parse_shard(text: str) -> tuple[int, int]:
    part, slash, total = text.partition("/")
    if not (slash and part.strip().isdecimal() and total.strip().isdecimal()):
        raise InvalidParameterError(f"--shard {text!r} is not of the form i/n; write 1/8 for the first of eight.")
    return int(part), int(total)


def _present(result: Sweep, as_json: bool) -> None:
    from .commands import note_limits
    from .summary import heading, number, shown_columns

    runs = _rows(result)
    emulated = [
        result.store.get(task.key)
        for task in result.plan
        if task.engine.emulates_machine and task.key not in result.failures
    ]
    note_limits([record for record in emulated if record is not None])
    if as_json:
        print_json(
            {
                "store": str(result.store.folder),
                "problems": len(result.plan),
                "computed": result.computed,
                "reused": result.reused,
                "failed": len(result.failures),
                "failures": result.failures,
                "runs": runs,
            }
        )
        return
    shown = shown_columns(runs)
    print_table(
        f"{len(runs)} runs in {result.store.folder}",
        [*map(heading, shown)],
        [[number(run[name]) for name in shown] for run in runs[:_MOST_SHOWN]],
    )
    if len(runs) > _MOST_SHOWN:
        print(f"... and {len(runs) - _MOST_SHOWN} more: spinbattery store list {result.store.folder}")
    remedies: set[str] = set()
    print(f"{result.computed} runs computed, {result.reused} found finished, {len(result.failures)} failed or damaged")
    wrong = {row["key"]: row["status"] for row in result.store.rows(status=["failed", "damaged"])}
    for task in result.plan:
        if task.key in result.failures:
            status = wrong.get(task.key, "damaged")
            print(f"{status}: {task}: {result.failures[task.key].splitlines()[-1]}", file=sys.stderr)
            remedies.add({"damaged": "--recompute-damaged", "failed": "--retry-failed"}[status])
    if remedies:
        print(f"{' and '.join(sorted(remedies))} will run them again.", file=sys.stderr)


def _rows(result: Sweep) -> list[Row]:
    """Columns of the finished runs in the order of the plan, with its names of networks and protocols."""
    found: dict[str, dict[str, Any]] = {row["key"]: row for row in result.store.rows(status="done")}
    return [
        found[task.key] | {"protocol": task.problem.protocol.name, "network": task.problem.network.name}
        for task in result.plan
        if task.key in found
    ]
