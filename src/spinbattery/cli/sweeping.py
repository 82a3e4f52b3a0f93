"""`spinbattery sweep`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..core.errors import InvalidParameterError
from ..core.paths import user_path
from . import options as o
from .console import print_json, print_table, sweep_progress

if TYPE_CHECKING:
    from ..records.columns import Row
    from ..sweeps.run import Sweep

_UNFINISHED = 1
_MOST_SHOWN = 40


def sweep(
    experiment: Annotated[str, typer.Argument(help="Experiment file (TOML); see examples/.")],
    store: Annotated[str, typer.Option("--store", help="Folder of records: what is finished there is not run again.")],
    workers: o.Workers = None,
    scheduler: Annotated[
        str | None, typer.Option("--scheduler", help="Dask scheduler, tcp://host:port; its workers share the store.")
    ] = None,
    shard: Annotated[
        str | None, typer.Option("--shard", help="i/n: part i of n, for job arrays; every part writes to one store.")
    ] = None,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Run again what failed before.")] = False,
    recompute_damaged: Annotated[
        bool, typer.Option("--recompute-damaged", help="Run again what has a damaged record.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be run and what it takes.")] = False,
    as_json: o.AsJson = False,
    quiet: o.Quiet = False,
) -> None:
    """Run what is missing of a grid of problems. Ctrl-C finishes what is running; the same command goes on."""
    from ..store.folder import Store
    from ..sweeps.executors import n_workers
    from ..sweeps.experiment import read_experiment
    from ..sweeps.run import execute
    from ..sweeps.survey import survey

    if scheduler is not None and workers is not None:
        raise InvalidParameterError("the scheduler's workers do the work; give --scheduler or --workers, not both.")
    plan = read_experiment(experiment)
    if shard is not None:
        plan = plan.shard(*_parse_shard(shard))
    folder = None if dry_run and not user_path(store).is_dir() else Store(store)
    found = survey(plan, folder, retry_failed=retry_failed, recompute_damaged=recompute_damaged)
    count = 1 if scheduler else n_workers(workers, found)
    if dry_run or not quiet:
        print(f"part {shard}: {found.describe(count)}" if shard else found.describe(count), file=sys.stderr)
    if dry_run or folder is None:
        if scheduler is None:
            found.check()
        if as_json:
            print_json({"problems": len(plan), "to_run": len(found.todo), "seconds": found.seconds,
                        "largest_bytes": found.largest_bytes})  # fmt: skip
        return
    with sweep_progress(quiet) as progress:
        result = execute(found, folder, executor=scheduler, workers=count, progress=progress)
    _present(result, as_json)
    if result.failures:
        raise typer.Exit(_UNFINISHED)


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
    """Columns of the finished runs in the order of the plan, protocols under the names they have there."""
    found: dict[str, dict[str, Any]] = {row["key"]: row for row in result.store.rows(status="done")}
    return [
        found[task.key] | {"protocol": task.label, "network": task.problem.network.name}
        for task in result.plan
        if task.key in found
    ]
