"""`spinbattery import`."""

from __future__ import annotations

import sys
import warnings
from functools import partial
from typing import Annotated

import typer

from . import options as o
from .commands import present_record
from .groups import ProtocolOptions, ScalesOptions


def import_measurement(
    data: Annotated[
        str,
        typer.Argument(
            help="A saved dimod SampleSet (.json), a table (.csv, .txt) of magnetizations (mu, num_occurrences) or of "
            "spins, or a matrix of spins (.npy, .txt, .tsv)."
        ),
    ],
    network: o.NetworkText,
    protocol: ProtocolOptions,
    energy_scales: ScalesOptions,
    out: o.Out = None,
    store: o.StoreFolder = None,
    as_json: o.AsJson = False,
) -> None:
    """Turn measured reads into a record, so that they can be analysed like any other run, and print its results."""
    from ..core.errors import UnusedColumnWarning
    from ..interop.measurement import read_measurement
    from ..model.network_text import parse_network
    from ..store.folder import Store

    o.check_target(out, (".nc",))
    spins = parse_network(network)
    scales = energy_scales.build([spins])
    with warnings.catch_warnings(record=True) as doubts:
        warnings.simplefilter("always")
        record = read_measurement(data, spins, partial(protocol.recipe().build, scales=scales), scales=scales)
    for doubt in doubts:
        kind = "note" if issubclass(doubt.category, UnusedColumnWarning) else "warning"
        print(f"{kind}: {doubt.message}", file=sys.stderr)
    if out:
        record.save(out)
    if store:
        Store(store).put(record)
    present_record(record, None, as_json)
