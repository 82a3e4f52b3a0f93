"""`spinbattery store list | select | export | merge | rebuild`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..core.errors import InvalidParameterError, RecordError
from ..core.paths import user_path
from . import options as o
from .console import print_json, print_table, progress_bar

if TYPE_CHECKING:
    from ..store.folder import Store

Folder = Annotated[str, typer.Argument(help="Folder of the store.")]
Where = Annotated[
    list[str] | None,
    typer.Option(
        "--where",
        help="column=value, column=a,b,c for any of several, column=low..high for a range; may be repeated.",
    ),
]

_KEY_DIGITS = 12
_INCOMPLETE = 2

store = typer.Typer(help="Look into folders of records, and merge them.", no_args_is_help=True)


@store.command("list")
def list_runs(folder: Folder, where: Where = None, as_json: o.AsJson = False) -> None:
    """List runs with their status: done, failed, or damaged."""
    from .summary import heading, number, shown_columns

    rows = _open(folder).rows(**parse_filters(where))
    if as_json:
        print_json(rows)
        return
    listed = [*shown_columns(rows), "status"]
    cells = [[number(row[name]) for name in listed] + [row["key"][:_KEY_DIGITS]] for row in rows]
    print_table(f"{len(rows)} runs in {folder}", [*map(heading, listed), "key"], cells)
    for row in rows:
        if row["error"]:
            print(f"{row['status']}: {row['key'][:_KEY_DIGITS]}: {row['error'].splitlines()[-1]}")


@store.command()
def select(
    folder: Folder,
    where: Where = None,
    out: Annotated[str | None, typer.Option("--out", help="Write the Dataset as netCDF.")] = None,
    as_json: o.AsJson = False,
) -> None:
    """Combine finished runs into one xarray Dataset along `run`."""
    from ..core.atomic import writing

    if out is not None:
        o.check_target(out, (".nc",))
    data = _open(folder).select(**parse_filters(where))
    if out is not None:
        with writing(user_path(out), RecordError) as temporary:
            data.to_netcdf(temporary, engine="netcdf4")
    if as_json:
        columns = data.drop_dims([name for name in data.dims if name != "run"]).reset_coords().to_dataframe()
        print_json(columns.astype(object).where(columns.notna(), None).to_dict("records"))
    else:
        print(data)


@store.command()
def export(
    folder: Folder,
    out: Annotated[str, typer.Option("--out", help="Table to write: .parquet or .csv, one row per run.")],
    where: Where = None,
) -> None:
    """Write parameters, results and timings as a table; the names of the columns include the units."""
    from ..store.export import TABLE_ENDINGS

    o.check_target(out, TABLE_ENDINGS)
    print(f"{_open(folder).export(out, **parse_filters(where))} runs written to {out}")


@store.command()
def merge(
    target: Annotated[str, typer.Argument(help="Folder of the store that gets the runs; made if there is none.")],
    sources: Annotated[list[str], typer.Argument(help="Folders of the stores to copy from; they are not changed.")],
    as_json: o.AsJson = False,
    quiet: o.Quiet = False,
) -> None:
    """Copy the runs of other stores, and their QPU jobs, into one; no run is changed or combined with another.

    `spinbattery merge` combines the trajectories of several records into one record.
    """
    from ..qpu.merging import merge_stores
    from ..store.folder import Store
    from ..store.merge import checked_sources

    # before a folder is made for the target
    checked_sources(user_path(target), [_existing(source) for source in sources])
    with progress_bar(quiet) as progress:
        merged = merge_stores(Store(target), sources, progress)
    if as_json:
        print_json({"copied": merged.copied, "same": merged.same, "left": merged.left})
    else:
        print(f"{len(merged.copied)} runs copied, {merged.same} known before, {len(merged.left)} left")
    for file, reason in merged.left.items():
        print(f"left: {file}: {reason}", file=sys.stderr)
    if not merged.complete:
        raise typer.Exit(_INCOMPLETE)


@store.command()
def rebuild(folder: Folder, as_json: o.AsJson = False, quiet: o.Quiet = False) -> None:
    """Make the index again from the files; each is read and its checksum tested."""
    opened = _open(folder)
    with progress_bar(quiet) as progress:
        counts = opened.rebuild(progress)
    damaged = opened.rows(status="damaged")
    if as_json:
        print_json({**counts, "damaged_files": [row["error"] for row in damaged]})
    else:
        print(", ".join(f"{count} {status}" for status, count in counts.items()))
        for row in damaged:
            print(row["error"])
    if damaged:
        raise typer.Exit(1)


def parse_filters(where: list[str] | None) -> dict[str, Any]:
    """Filters of a store from ``column=value`` texts."""
    filters: dict[str, Any] = {}
    for text in where or ():
        name, equals, value = text.partition("=")
        if not equals or not value:
            raise InvalidParameterError(f"--where {text!r} is not of the form column=value.")
        if name in filters:
            raise InvalidParameterError(f"--where names {name} twice; write {name}=a,b for any of several.")
        low, dots, high = value.partition("..")
        filters[name] = slice(low or None, high or None) if dots else value.split(",") if "," in value else value
    return filters


def _open(folder: str) -> Store:
    from ..store.folder import Store

    return Store(_existing(folder))


def _existing(folder: str) -> str:
    if not user_path(folder).is_dir():
        raise RecordError(f"there is no store {folder!r}; a sweep or --store makes one.")
    return folder
