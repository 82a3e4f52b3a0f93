"""`spinbattery merge` and `spinbattery extend`: records with more trajectories."""

from __future__ import annotations

from typing import Annotated

import typer

from . import options as o
from .commands import present_record
from .console import progress_bar

Out = Annotated[str, typer.Option("--out", help="Write the record as netCDF.")]


def merge(
    records: Annotated[
        list[str], typer.Argument(help="Records of trajectories of one problem, of different seeds or numbers.")
    ],
    out: Out,
    as_json: o.AsJson = False,
) -> None:
    """Combine the trajectories of several records into one record, with the standard errors of all of them.

    `spinbattery store list FOLDER --where network=... --where noise=...` lists records of one problem, and
    `spinbattery store merge` merges whole stores.
    """
    from ..engines.trajectories.merging import merge_records
    from ..records.record_file import read_record

    o.check_target(out, (".nc",))
    merged = merge_records([read_record(record) for record in records])
    merged.save(out)
    present_record(merged, None, as_json)


def extend(
    record: Annotated[str, typer.Argument(help="A record of trajectories of one seed.")],
    trajectories: Annotated[int, typer.Option("--trajectories", min=2, help="Number of trajectories in all.")],
    out: Out,
    as_json: o.AsJson = False,
    quiet: o.Quiet = False,
) -> None:
    """Continue a record of trajectories: only the missing ones are run."""
    from ..engines.trajectories.merging import extend_record
    from ..records.record_file import read_record

    o.check_target(out, (".nc",))
    with progress_bar(quiet) as progress:
        extended = extend_record(read_record(record), trajectories, progress)
    extended.save(out)
    present_record(extended, None, as_json)
