"""The command `spinbattery reproduce`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from spinbattery.cli.console import print_table, sweep_progress
from spinbattery.cli.groups import Group
from spinbattery.cli.options import Quiet
from spinbattery.core.errors import InvalidParameterError

from .parameters import FULL_READS

if TYPE_CHECKING:
    from .build import RealAnnealer

_ONLY = (
    "Comma-separated parts: fig2, fig2-tensor, fig2-annealer, fig3, fig4, fig6 to fig10, table1, table1-annealer, "
    "beyond, estimates, energetics, baselines, spectrum, criticality, large-n, formulas."
)
_FULL = (
    "Add what takes minutes to hours: the 5x5 and 5x6 tori (6 GB) to large-n and beyond, 3x4 at 60 us, tensor networks "
    f"up to N = 256, every region of the annealer; {FULL_READS} reads of each of its runs, as in the paper."
)
_READS = "Reads of every run of the annealer; with fewer than 50 only few sizes would have a flip at all."
_QPU = "Measure the annealer's runs on a real one, which costs QPU time; see `spinbattery qpu`."
_NEW_GRAPH = "With --qpu: send again what was sent for an earlier working graph."


@dataclass(frozen=True)
class AnnealerOptions(Group):
    """Whether and how the annealer's runs are measured on a real one."""

    qpu: Annotated[bool, typer.Option("--qpu", help=_QPU)] = False
    budget: Annotated[float | None, typer.Option("--budget", help="With --qpu: QPU seconds that may be spent.")] = None
    solver: Annotated[str | None, typer.Option("--solver", help="With --qpu: name of the solver.")] = None
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="With --qpu: send again what failed.")] = False
    new_graph: Annotated[bool, typer.Option("--new-graph", help=_NEW_GRAPH)] = False

    def build(self) -> RealAnnealer | None:
        """The real annealer, if one is wanted."""
        from spinbattery.qpu.submission import SubmissionPolicy

        from .build import RealAnnealer

        if self.qpu and self.budget is None:
            raise InvalidParameterError("--qpu costs QPU time; say how much with --budget SECONDS.")
        if not self.qpu and self != AnnealerOptions():
            raise InvalidParameterError(
                "--budget, --solver, --retry-failed and --new-graph need a real annealer; give --qpu as well."
            )
        if self.budget is None:
            return None
        return RealAnnealer(SubmissionPolicy(1e6 * self.budget, self.retry_failed, self.new_graph), self.solver)


def reproduce(
    *,
    only: Annotated[str | None, typer.Option("--only", help=_ONLY)] = None,
    out: Annotated[str, typer.Option("--out", help="Folder of the report, figures and records.")] = "reproduction",
    full: Annotated[bool, typer.Option("--full", help=_FULL)] = False,
    reads: Annotated[int | None, typer.Option("--reads", min=50, help=_READS)] = None,
    annealer: AnnealerOptions,
    quiet: Quiet = False,
) -> None:
    """Run the simulations of arXiv:2410.22212 with its annealer emulated, and show what it printed and what holds."""
    from .build import build_report

    real = annealer.build()
    parts = None if only is None else [part.strip() for part in only.split(",") if part.strip()]
    with sweep_progress(quiet) as progress:
        result = build_report(
            out, parts, progress, reads=reads, full=full, qpu=real, announce=lambda line: print(line, flush=True)
        )
    rows = [[item.item, item.printed, item.measured, item.verdict] for item in result.audit]
    if rows:
        print_table("Audit", ("item", "the paper", "measured", "verdict"), rows)
    print(f"{result.computed} runs computed, {result.reused} found finished (parts share runs)")
    print(f"report: {result.report}")
