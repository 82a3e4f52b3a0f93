"""Exact runs beyond the paper: tori of more spins at 20 ns, and the duration of its annealer, 60 us.

Fig. 2 draws them, Table I fits them, and the tensor networks of Fig. 2 are compared with them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import spinbattery as sb

from .cells import alpha_cell, exact_c, fit_cells, moment_cells
from .parameters import ANNEALER_DURATION, COOPERATIVE, EXACT_FITS, LOCAL
from .runs import Request, Run, Runs, flat, on_tori, records, torus_name
from .section import AuditItem, Row, TableItem

DURATION = "20ns"
"""Duration on the larger tori: at 60 ns a 5x5 torus would take many minutes."""

RECIPES = {recipe.name: replace(recipe, duration=DURATION) for recipe in (COOPERATIVE, LOCAL)}

PAPER_SIZES = {name: on_tori(recipe) for name, recipe in RECIPES.items()}
"""The paper's tori at the same duration, by protocol."""


@dataclass(frozen=True)
class LargerTorus:
    """A torus with more spins than the paper's, and the tolerance on it: looser on larger ones, which take longer."""

    size: tuple[int, int]
    tolerance: float
    full_only: bool = False


@dataclass(frozen=True)
class Beyond:
    """Runs beyond the paper: ``tori`` at 20 ns, and the cooperative protocol on two or more ``slow_sizes``."""

    tori: tuple[LargerTorus, ...]
    slow_sizes: tuple[tuple[int, int], ...]
    slow_duration: str = ANNEALER_DURATION
    slow_tolerance: float = 1e-6

    @cached_property
    def larger(self) -> dict[str, list[Request]]:
        """Requests of the larger tori by protocol."""
        return {
            name: [
                Request(torus_name(torus.size), recipe, tolerance=torus.tolerance, full_only=torus.full_only)
                for torus in self.tori
            ]
            for name, recipe in RECIPES.items()
        }

    @cached_property
    def slow(self) -> list[Request]:
        """Requests of the slow runs."""
        return on_tori(replace(COOPERATIVE, duration=self.slow_duration), self.slow_sizes, self.slow_tolerance)

    @property
    def exact(self) -> dict[str, list[Request]]:
        """Requests at 20 ns on the paper's tori and on the larger ones, by protocol."""
        return {name: [*PAPER_SIZES[name], *self.larger[name]] for name in RECIPES}

    @property
    def requests(self) -> list[Request]:
        """All of them."""
        return [*flat(self.exact), *self.slow]


BEYOND = Beyond(
    (
        LargerTorus((4, 4), 1e-6),
        LargerTorus((4, 5), 1e-6),
        LargerTorus((5, 5), 1e-4),
        LargerTorus((5, 6), 1e-4, full_only=True),
    ),
    ((3, 3), (3, 4)),
)


def text(runs: Runs, beyond: Beyond) -> str:
    """The paragraph of Table I about these rows."""
    without = sb.fit_scaling(records(runs.present(PAPER_SIZES["cooperative"])))
    with_ours = sb.fit_scaling(records(runs.present(beyond.exact["cooperative"])))
    return (
        f"The last three tables go beyond the paper. With tori of up to N = {with_ours.n_spins[-1]}, the exponent of "
        f"the cooperative protocol at {DURATION} is {alpha_cell(with_ours)} (log-log), and {alpha_cell(without)} "
        "without them: a protocol this short leaves several spins down on a larger torus. The duration of the paper's "
        f"annealer, {beyond.slow_duration}, reaches the adiabatic limit with s_hold = 0.35 too."
    )


def tables(runs: Runs, beyond: Beyond) -> tuple[TableItem, ...]:
    """Moments at 20 ns on all tori, their fits with and without the larger ones, and the slow runs."""
    paper = runs.groups(PAPER_SIZES)
    ours = {name: runs.present(group) for name, group in beyond.larger.items()}
    together = {name: paper[name] + ours[name] for name in paper}
    slow = runs.present(beyond.slow)
    return (
        TableItem(
            f"Beyond the paper: larger tori, {DURATION}, s_hold = 0.35; mu, 1/sigma^2 and independence ratio",
            [*_moment_rows(paper, "the paper"), *_moment_rows(ours, "ours")],
            flat(together),
        ),
        TableItem(
            f"Beyond the paper: precision = c N^alpha at {DURATION} without and with the larger tori",
            [
                {"protocol": name, "N": f"{group[0].record.n_spins} to {group[-1].record.n_spins}"}
                | fit_cells(sb.fit_both(records(group)), exact_c)
                for name in together
                for group in (paper[name], together[name])
            ],
            flat(together),
        ),
        TableItem(
            f"Beyond the paper: cooperative at {beyond.slow_duration}, s_hold = 0.35; in brackets the adiabatic limit",
            [_slow_row(run) for run in slow],
            slow,
        ),
    )


def audit(runs: Runs, beyond: Beyond) -> AuditItem:
    """Table I at the duration of the annealer."""
    slow = runs.present(beyond.slow)
    first, last = slow[0].record, slow[-1].record
    low, high = first.precision or math.nan, last.precision or math.nan
    alpha = math.log(high / low) / math.log(last.n_spins / first.n_spins)
    values = "; ".join(f"1/sigma^2 = {run.record.precision:.2f} at N = {run.record.n_spins}" for run in slow)
    return AuditItem(
        f"Table I, cooperative exact, at the annealer's {beyond.slow_duration}",
        f"{EXACT_FITS['cooperative']} (duration not given)",
        f"{values}; through the first and the last c = {low / first.n_spins**alpha:.3f}, alpha = {alpha:.4f}",
        f"{beyond.slow_duration}, s_hold = 0.35, {' and '.join(request.network for request in beyond.slow)}",
        "reproduced",
        "Beyond the paper. At the s_hold where tens of nanoseconds scatter, the annealer's duration gives the "
        "adiabatic limit c = 1, alpha = 2 at these sizes: half of the population is all up, half has one spin down.",
    )


def _moment_rows(groups: Mapping[str, list[Run]], origin: str) -> list[Row]:
    """A row for each torus, with the moments of every protocol."""
    return [
        {"torus": row[0].network, "N": row[0].record.n_spins, "from": origin}
        | {
            f"{name}: {what}": cell
            for name, run in zip(groups, row, strict=True)
            for what, cell in moment_cells(run).items()
        }
        for row in zip(*groups.values(), strict=True)
    ]


def _slow_row(run: Run) -> Row:
    record = run.record
    mu, variance = sb.cooperative_limit(record.n_spins)
    *_, one_down, all_up = record.variables["distribution"].values.tolist()
    return {
        "torus": run.network,
        "N": record.n_spins,
        "mu": f"{record.magnetization:.4f} ({mu:.4f})",
        "1/sigma^2": f"{record.precision:.2f} ({1.0 / variance:.0f})",
        "P(all up)": f"{all_up:.4f} (1/2)",
        "P(one spin down)": f"{one_down:.4f} (1/2)",
    }
