"""Beyond the paper: exact runs on tori of more spins at 20 ns, and at the duration of its annealer, 60 us.

The tensor networks of Fig. 2 are compared with them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial

import spinbattery as sb
from spinbattery.figures.marked import MarkedRuns, plot_marked

from .cells import alpha_cell, exact_c, fit_cells, fits_of, moment_cells
from .parameters import ANNEALER_DURATION, COOPERATIVE, EXACT_FITS, LOCAL
from .runs import Request, Run, Runs, flat, on_tori, records, torus_name
from .section import AuditItem, FigureItem, Part, Row, Section, TableItem

DURATION = "20ns"
"""Duration on the larger tori: at 60 ns a 5x5 torus would take many minutes."""

RECIPES = {recipe.name: replace(recipe, duration=DURATION) for recipe in (COOPERATIVE, LOCAL)}

PAPER_SIZES = {name: on_tori(recipe) for name, recipe in RECIPES.items()}
"""The paper's tori at the same duration, by protocol."""


@dataclass(frozen=True)
class Torus:
    """A torus and the tolerance on it: looser where a run takes long."""

    size: tuple[int, int]
    tolerance: float
    full_only: bool = False


@dataclass(frozen=True)
class Beyond:
    """Runs beyond the paper: larger ``tori`` at 20 ns, and the cooperative protocol on two or more ``slow_tori``."""

    tori: tuple[Torus, ...]
    slow_tori: tuple[Torus, ...]
    slow_duration: str = ANNEALER_DURATION

    @cached_property
    def larger(self) -> dict[str, list[Request]]:
        """Requests of the larger tori by protocol."""
        return {name: _requests(self.tori, recipe) for name, recipe in RECIPES.items()}

    @cached_property
    def slow(self) -> list[Request]:
        """Requests of the slow runs."""
        return _requests(self.slow_tori, replace(COOPERATIVE, duration=self.slow_duration))

    @property
    def exact(self) -> dict[str, list[Request]]:
        """Requests at 20 ns on the paper's tori and on the larger ones, by protocol."""
        return {name: [*PAPER_SIZES[name], *self.larger[name]] for name in RECIPES}

    @property
    def requests(self) -> list[Request]:
        """All of them."""
        return [*flat(self.exact), *self.slow]


def _requests(tori: Iterable[Torus], recipe: sb.ProtocolRecipe) -> list[Request]:
    return [
        Request(torus_name(torus.size), recipe, tolerance=torus.tolerance, full_only=torus.full_only) for torus in tori
    ]


BEYOND = Beyond(
    (
        Torus((4, 4), 1e-4),
        Torus((4, 5), 1e-4),
        Torus((5, 5), 1e-4, full_only=True),
        Torus((5, 6), 1e-4, full_only=True),
    ),
    (Torus((2, 3), 1e-5), Torus((3, 3), 1e-4), Torus((3, 4), 1e-5, full_only=True)),
)


def part(beyond: Beyond = BEYOND) -> Part:
    """This part with another choice of runs."""
    return partial(build, beyond=beyond), beyond.requests


def build(runs: Runs, beyond: Beyond = BEYOND) -> Section:
    """Fig. 2b and Table I with larger tori, and at the duration of the annealer."""
    slow = runs.present(beyond.slow)
    return Section(
        "Beyond the paper: larger tori, and 60 us",
        _text(runs, beyond),
        FigureItem(
            "fig2b-beyond",
            f"Beyond the paper: precision at {DURATION} (s_hold = 0.35) on its tori (filled) and on larger ones "
            f"(open), and at {beyond.slow_duration}, the duration of its annealer (stars).",
            plot_marked(_series(runs, beyond)),
            [*slow, *runs.present(flat(beyond.exact))],
            runs.smaller(beyond.requests),
        ),
        *_tables(runs, beyond),
        _audit(slow, beyond),
    )


def _series(runs: Runs, beyond: Beyond) -> list[MarkedRuns]:
    slow = records(runs.present(beyond.slow))
    series = [MarkedRuns(slow, f"cooperative, {beyond.slow_duration} (beyond the paper)", "*", filled=False)]
    for name, group in PAPER_SIZES.items():
        paper, ours = records(runs.present(group)), records(runs.present(beyond.larger[name]))
        series.append(MarkedRuns(paper, f"{name}, {DURATION}, the paper's sizes"))
        series.append(MarkedRuns(ours, f"{name}, {DURATION}, beyond the paper", filled=False))
    return series


def _text(runs: Runs, beyond: Beyond) -> str:
    without = sb.fit_scaling(records(runs.present(PAPER_SIZES["cooperative"])))
    with_ours = sb.fit_scaling(records(runs.present(beyond.exact["cooperative"])))
    return (
        f"With tori of up to N = {with_ours.n_spins[-1]}, the exponent of the cooperative protocol at {DURATION} is "
        f"{alpha_cell(with_ours)} (log-log), and {alpha_cell(without)} without them: a protocol this short leaves "
        "several spins down on a larger torus. The duration of the paper's annealer, "
        f"{beyond.slow_duration}, reaches the adiabatic limit with s_hold = 0.35 too."
    )


def _tables(runs: Runs, beyond: Beyond) -> tuple[TableItem, ...]:
    """Moments at 20 ns on all tori, their fits with and without the larger ones, and the slow runs."""
    paper, ours = runs.groups(PAPER_SIZES), runs.groups(beyond.larger)
    together = {name: paper[name] + ours[name] for name in paper}
    slow, smaller = runs.present(beyond.slow), runs.smaller(flat(beyond.exact))
    return (
        TableItem(
            f"Beyond the paper: larger tori, {DURATION}, s_hold = 0.35; mu, 1/sigma^2 and independence ratio",
            [*_moment_rows(paper, "the paper"), *_moment_rows(ours, "ours")],
            flat(together),
            smaller,
        ),
        TableItem(
            f"Beyond the paper: precision = c N^alpha at {DURATION} without and with the larger tori",
            [
                {"protocol": name, "N": f"{group[0].record.n_spins} to {group[-1].record.n_spins}"}
                | fit_cells(fits_of(records(group)), exact_c)
                for name in together
                for group in (paper[name], together[name])
            ],
            flat(together),
            smaller,
        ),
        TableItem(
            f"Beyond the paper: cooperative at {beyond.slow_duration}, s_hold = 0.35; in brackets the adiabatic limit",
            [_slow_row(run) for run in slow],
            slow,
            runs.smaller(beyond.slow),
        ),
    )


def _audit(slow: Sequence[Run], beyond: Beyond) -> AuditItem:
    """Table I at the duration of the annealer."""
    first, last = slow[0].record, slow[-1].record
    low, high = first.precision or math.nan, last.precision or math.nan
    alpha = math.log(high / low) / math.log(last.n_spins / first.n_spins)
    values = "; ".join(f"1/sigma^2 = {run.record.precision:.2f} at N = {run.record.n_spins}" for run in slow)
    return AuditItem(
        f"Table I, cooperative exact, at the annealer's {beyond.slow_duration}",
        f"{EXACT_FITS['cooperative']} (duration not given)",
        f"{values}; through the first and the last c = {low / first.n_spins**alpha:.3f}, alpha = {alpha:.4f}",
        f"{beyond.slow_duration}, s_hold = 0.35, {' and '.join(run.network for run in slow)}",
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
