"""`spinbattery engines`: the engines that are installed."""

from __future__ import annotations

from dataclasses import asdict

from . import options as o
from .console import print_json


def engines(as_json: o.AsJson = False) -> None:
    """List the engines that are installed: what each computes, takes and keeps."""
    from ..engines.registry import engine_table

    rows = engine_table()
    if as_json:
        print_json([asdict(row) for row in rows])
        return
    for row in rows:
        print(f"{row.name}: {row.computes}")
        print(f"    takes    {row.takes}; {'noise' if row.noise else 'no noise'}")
        print(f"    error    {row.accuracy}")
        print(f"    options  {', '.join(row.options)}")
