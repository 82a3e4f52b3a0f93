"""Exact rows beyond the paper's own: tori of more spins at 20 ns, and the duration of its annealer, 60 us."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from spinbattery.analysis.closed_forms import cooperative_limit
from spinbattery.analysis.scaling import fit_both, fit_scaling

from .cells import FIT_HEADER, fit_cells, moment_cells
from .parameters import COOPERATIVE, LOCAL, PRINTED_TABLE_1, TORI
from .runs import Request, Run, Runs, torus_name
from .section import AuditItem, TableItem, plus_minus

DURATION = "20ns"
"""Of the larger tori: at 60 ns a 5x5 torus would take many minutes."""

_RECIPES = {recipe.name: replace(recipe, duration=DURATION) for recipe in (COOPERATIVE, LOCAL)}

PAPER_SIZES = {name: [Request(torus_name(size), recipe) for size in TORI] for name, recipe in _RECIPES.items()}
"""The paper's tori at the same duration, by protocol."""


@dataclass(frozen=True)
class LargerTorus:
    """A torus with more spins than the paper's.

    Attributes:
        size: rows and columns.
        tolerance: promised error; the larger the torus, the less is asked for.
        full_only: whether it takes so long that only a full reproduction has it.
    """

    size: tuple[int, int]
    tolerance: float
    full_only: bool = False


@dataclass(frozen=True)
class Beyond:
    """What is run beyond the paper.

    Attributes:
        tori: larger ones, at 20 ns.
        slow_sizes: tori on which the cooperative protocol takes its time, two or more.
        slow_duration: that time.
        slow_tolerance: promised error of these runs.
    """

    tori: tuple[LargerTorus, ...]
    slow_sizes: tuple[tuple[int, int], ...]
    slow_duration: str = "60us"
    slow_tolerance: float = 1e-6

    @cached_property
    def larger(self) -> dict[str, list[Request]]:
        """Requests of the larger tori by protocol."""
        return {
            name: [
                Request(torus_name(torus.size), recipe, tolerance=torus.tolerance, full_only=torus.full_only)
                for torus in self.tori
            ]
            for name, recipe in _RECIPES.items()
        }

    @cached_property
    def slow(self) -> list[Request]:
        """Requests of the slow runs."""
        recipe = replace(COOPERATIVE, duration=self.slow_duration)
        return [Request(torus_name(size), recipe, tolerance=self.slow_tolerance) for size in self.slow_sizes]

    @property
    def requests(self) -> list[Request]:
        """All of them, with the paper's sizes at the same duration that they are shown beside."""
        at_20ns = [request for groups in (PAPER_SIZES, self.larger) for group in groups.values() for request in group]
        return [*at_20ns, *self.slow]


BEYOND = Beyond(
    (
        LargerTorus((4, 4), 1e-6),
        LargerTorus((4, 5), 1e-6),
        LargerTorus((5, 5), 1e-4),
        LargerTorus((5, 6), 1e-4, full_only=True),
    ),
    ((3, 3), (3, 4)),
)


def chosen(runs: Runs, requests: Sequence[Request]) -> list[Run]:
    """Those that this reproduction has."""
    return [runs[request] for request in requests if request in runs]


def text(runs: Runs, beyond: Beyond) -> str:
    """What the rows say."""
    paper, ours = (chosen(runs, groups["cooperative"]) for groups in (PAPER_SIZES, beyond.larger))
    without, with_ours = (fit_scaling([run.record for run in group]) for group in (paper, paper + ours))
    return (
        "The last three tables are not of the paper. With tori of up to N = "
        f"{ours[-1].record.n_spins}, the exponent of the cooperative protocol at {DURATION} is "
        f"{plus_minus(with_ours.alpha, with_ours.alpha_err)} (log-log), and "
        f"{plus_minus(without.alpha, without.alpha_err)} without them: so short a protocol leaves several spins down "
        f"on a larger torus. The duration of the paper's annealer, {beyond.slow_duration}, reaches the adiabatic limit "
        "with s_hold = 0.35 too."
    )


def tables(runs: Runs, beyond: Beyond) -> tuple[TableItem, ...]:
    """Moments at 20 ns on all tori, their fits with and without the larger ones, and the slow runs."""
    ours = {name: chosen(runs, group) for name, group in beyond.larger.items()}
    paper = {name: chosen(runs, group) for name, group in PAPER_SIZES.items()}
    together = {name: paper[name] + ours[name] for name in paper}
    used = [run for group in together.values() for run in group]
    slow = chosen(runs, beyond.slow)
    return (
        TableItem(
            f"Beyond the paper: larger tori, {DURATION}, s_hold = 0.35; mu, 1/sigma^2 and independence ratio",
            ("torus", "N", "of", *(f"{name}: {what}" for name in together for what in ("mu", "1/sigma^2", "ratio"))),
            [
                *_moment_rows(paper, "the paper"),
                *_moment_rows(ours, "ours"),
            ],
            used,
        ),
        TableItem(
            f"Beyond the paper: precision = c N^alpha at {DURATION} without and with the larger tori",
            ("protocol", "N", *FIT_HEADER),
            [
                (
                    name,
                    f"{group[0].record.n_spins} to {group[-1].record.n_spins}",
                    *fit_cells(fit_both([run.record for run in group])),
                )
                for name in together
                for group in (paper[name], together[name])
            ],
            used,
        ),
        TableItem(
            f"Beyond the paper: the duration of its annealer, {beyond.slow_duration}, cooperative, s_hold = 0.35; the "
            "adiabatic limit in brackets",
            ("torus", "N", "mu", "1/sigma^2", "P(all up)", "P(one spin down)"),
            [_slow_row(run) for run in slow],
            slow,
        ),
    )


def audit(runs: Runs, beyond: Beyond) -> AuditItem:
    """Table I at the duration of the annealer."""
    slow = chosen(runs, beyond.slow)
    first, last = slow[0].record, slow[-1].record
    low, high = first.precision or math.nan, last.precision or math.nan
    alpha = math.log(high / low) / math.log(last.n_spins / first.n_spins)
    printed = PRINTED_TABLE_1["cooperative"]
    return AuditItem(
        f"Table I, cooperative exact, at the annealer's {beyond.slow_duration}",
        f"c = {printed['c']:.2f} +- {printed['c_err']:.2f}, alpha = {printed['alpha']:.2f} +- "
        f"{printed['alpha_err']:.2f} (duration not given)",
        "; ".join(f"1/sigma^2 = {run.record.precision:.2f} at N = {run.record.n_spins}" for run in slow)
        + f"; through the first and the last c = {low / first.n_spins**alpha:.3f}, alpha = {alpha:.4f}",
        f"{beyond.slow_duration}, s_hold = 0.35, {' and '.join(request.network for request in beyond.slow)}",
        "reproduced",
        "Beyond the paper. At the s_hold where tens of nanoseconds scatter, the annealer's duration gives the "
        "adiabatic limit c = 1, alpha = 2 at these sizes: half of the population is all up, half has one spin down.",
    )


def _moment_rows(groups: dict[str, list[Run]], whose: str) -> list[tuple[str, ...]]:
    """A row for each torus, with the cells of every protocol."""
    return [
        (
            str(row[0].record.dataset.attrs["network"]),
            str(row[0].record.n_spins),
            whose,
            *(cell for run in row for cell in moment_cells(run)),
        )
        for row in zip(*groups.values(), strict=True)
    ]


def _slow_row(run: Run) -> tuple[str, ...]:
    record = run.record
    mu, variance = cooperative_limit(record.n_spins)
    *_, one_down, all_up = record.dataset["distribution"].to_numpy().tolist()
    return (
        str(record.dataset.attrs["network"]),
        str(record.n_spins),
        f"{record.magnetization:.4f} ({mu:.4f})",
        f"{record.precision:.2f} ({1.0 / variance:.0f})",
        f"{all_up:.4f} (1/2)",
        f"{one_down:.4f} (1/2)",
    )
