"""Flags that several commands share, and what they mean."""

from __future__ import annotations

from typing import Annotated

import typer

from ..core.errors import InvalidParameterError
from ..core.paths import user_path

ProtocolName = Annotated[
    str,
    typer.Option(
        "--protocol",
        help="cooperative, local (J = 0 and the field that costs the same on that network, Eq. 19), polarised, or "
        "polarised-local (J = 0); -J and --field are always the cooperative protocol's.",
    ),
]
Duration = Annotated[str, typer.Option("--duration", help="Duration with its unit: 20ns, 60us.")]
Coupling = Annotated[float, typer.Option("-J", "--coupling", help="J in units of B(s)/2; ferromagnetic below 0.")]
Field = Annotated[float, typer.Option("--field", help="h in units of B(s)/2; charges below 0.")]
SHold = Annotated[float, typer.Option("--s-hold", help="Annealing fraction s in the hold.")]
Tolerance = Annotated[
    float | None,
    typer.Option(
        "--tolerance",
        help="Error that exact engines keep (1e-6): absolute in mu, relative in the precision. The tensor engine "
        "raises its bond dimension until the error of mu is below it (2e-3).",
    ),
]
NetworkText = Annotated[
    str,
    typer.Option(
        "--network",
        help="torus:3x4, tilted-torus:3x1, ring:5, complete:6, pegasus:4, pegasus:16/missing:28:seed:7/region:4, "
        "pegasus:16/scattered:400:seed:1, zephyr:6, solver:properties.json, file:graph.graphml, "
        "file:bonds.csv?weight=J.",
    ),
]
Noise = Annotated[
    str,
    typer.Option(
        "--noise",
        help="Rates of x, y, z, depolarising or relaxation (at a temperature), joined by +: x:1e-3/ns, z:3.5kHz, "
        "relaxation:1e-4/ns@16mK; x:1e-3/ns;2e-3/ns is one rate per spin.",
    ),
]
Scales = Annotated[
    str | None,
    typer.Option("--energy-scales", help="Vendor's .xlsx or a .csv with A(s), B(s); default: Advantage_system6."),
]
Sheet = Annotated[str | None, typer.Option("--sheet", help="Sheet of the .xlsx.")]
Crosstalk = Annotated[float, typer.Option("--crosstalk", help="Parasitic coupling J_CT in units of B(s)/2.")]
CrosstalkPairs = Annotated[str, typer.Option("--crosstalk-pairs", help="neighbours or all.")]
CrosstalkSpread = Annotated[
    float, typer.Option("--crosstalk-spread", min=0.0, help="Standard deviation of J_CT from pair to pair.")
]
CrosstalkSeed = Annotated[int | None, typer.Option("--crosstalk-seed", min=0, help="Of that spread.")]
EqualCost = Annotated[
    bool,
    typer.Option("--equal-cost", help="Scale the field to the integrated cost of the cooperative reference."),
]
CostReference = Annotated[
    float | None,
    typer.Option("--cost-reference", help="s_hold of the cooperative reference of --equal-cost (default 0.35)."),
]
Out = Annotated[str | None, typer.Option("--out", help="Write the record as netCDF.")]
StoreFolder = Annotated[
    str | None, typer.Option("--store", help="Folder of records: runs found there are not run again, others are kept.")
]
Workers = Annotated[
    int | None, typer.Option("--workers", min=1, help="Processes; one per core by default, 1 is this process alone.")
]
IncludeUncharged = Annotated[
    bool,
    typer.Option(
        "--include-uncharged", help="Fit runs too that are not charged, or all or nothing; they are refused otherwise."
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="No progress bar.")]


def check_target(path: str | None, endings: tuple[str, ...]) -> None:
    """Refuse an output path that cannot be written, before any work is done."""
    if path is None:
        return
    target = user_path(path)
    if target.suffix not in endings:
        raise InvalidParameterError(f"{path!r} must end in {' or '.join(endings)}.")
    if target.is_dir():
        raise InvalidParameterError(f"cannot write {path!r}: it is a folder; give a file name.")
    if not target.resolve().parent.is_dir():
        raise InvalidParameterError(f"cannot write {path!r}: its folder does not exist; make it first.")
