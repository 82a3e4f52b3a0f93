"""`spinbattery reproduce`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .console import print_table, sweep_progress
from .options import Quiet


def reproduce(
    only: Annotated[
        str | None,
        typer.Option(
            "--only", help="Comma-separated parts: fig2, fig3, fig4, fig6, table1, energetics, baselines, formulas."
        ),
    ] = None,
    out: Annotated[str, typer.Option("--out", help="Folder of the report, figures and records.")] = "reproduction",
    quiet: Quiet = False,
) -> None:
    """Run the exact simulations of arXiv:2410.22212 and show what it printed and what holds."""
    from ..report.build import build_report

    parts = None if only is None else [part.strip() for part in only.split(",") if part.strip()]
    with sweep_progress(quiet) as progress:
        result = build_report(Path(out), parts, progress)
    rows = [[item.item, item.printed, item.measured, item.verdict] for item in result.audit]
    if rows:
        print_table("Audit", ("item", "the paper", "measured", "verdict"), rows)
    print(f"{result.computed} runs computed, {result.reused} found finished (parts share runs)")
    print(f"report: {result.report}")
