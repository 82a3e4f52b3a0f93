"""`spinbattery import`."""

from __future__ import annotations

import sys
import warnings
from functools import partial
from typing import Annotated

import typer

from . import options as o
from .commands import present_record


def import_measurement(
    data: Annotated[
        str,
        typer.Argument(
            help="A saved dimod SampleSet (.json), a table (.csv, .txt) of magnetizations (mu, num_occurrences) or of "
            "spins, or a matrix of spins (.npy, .txt, .tsv)."
        ),
    ],
    network: o.NetworkText,
    duration: o.Duration,
    protocol: o.ProtocolName = "cooperative",
    coupling: o.Coupling = -0.2,
    field: o.Field = -0.5,
    s_hold: o.SHold = 0.35,
    equal_cost: o.EqualCost = False,
    cost_reference: o.CostReference = None,
    energy_scales: o.Scales = None,
    sheet: o.Sheet = None,
    out: Annotated[str | None, typer.Option("--out", help="Write the record as netCDF.")] = None,
    store: o.StoreFolder = None,
    as_json: o.AsJson = False,
) -> None:
    """Turn measured reads into a record, so that they can be analysed like any other run, and print what it says."""
    from ..core.errors import UnusedColumnWarning
    from ..interop.measurement import read_measurement
    from ..model.recipe import ProtocolRecipe
    from ..store.folder import Store

    o.check_target(out, (".nc",))
    spins = o.build_network(network)
    scales = o.build_scales(energy_scales, sheet, [spins])
    recipe = ProtocolRecipe(protocol, duration, coupling, field, s_hold, equal_cost, cost_reference)
    with warnings.catch_warnings(record=True) as doubts:
        warnings.simplefilter("always")
        record = read_measurement(data, spins, partial(recipe.build, scales=scales), scales=scales)
    for doubt in doubts:
        kind = "note" if issubclass(doubt.category, UnusedColumnWarning) else "warning"
        print(f"{kind}: {doubt.message}", file=sys.stderr)
    if out:
        record.save(out)
    if store:
        Store(store).put(record)
    present_record(record, None, as_json)
