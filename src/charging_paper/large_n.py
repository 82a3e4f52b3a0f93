"""Beyond the paper: N sigma^2 of all exact tori with four neighbours, and what it says of alpha for large N.

It answers the claim of Table I, alpha = 2, which the paper takes from tori of up to twelve spins.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import spinbattery as sb
from spinbattery.figures.variance import plot_variances
from spinbattery.model.families import family_of

from .beyond import BEYOND, DURATION, RECIPES, Beyond
from .cells import alpha_cell
from .parameters import EXACT_FITS
from .runs import Request, Run, Runs, on_tori
from .section import AuditItem, FigureItem, Part, Section, TableItem


@dataclass(frozen=True)
class Torus:
    """A torus and its final moments; ``kept`` if it was computed once, in hours, and not with this reproduction."""

    network: str
    n_spins: int
    magnetization: float
    precision: float
    kept: bool = False

    @property
    def per_spin(self) -> float:
        """N sigma^2 = Var(Sz)/N."""
        return self.n_spins / self.precision


KEPT = (
    Torus("torus:5x5", 25, 0.769664, 293.868, kept=True),
    Torus("torus:5x6", 30, 0.787391, 274.125, kept=True),
)
"""Their records lie beside the figures of the documentation."""

_PAPER_SIZES = on_tori(RECIPES["cooperative"], ((3, 3), (3, 4)))
"""The paper's tori with four neighbours of every spin."""

_LONG = ("tilted-torus:4x2",)
MORE_TORI = [
    Request(network, RECIPES["cooperative"], tolerance=tolerance, full_only=network in _LONG)
    for network, tolerance in (
        ("tilted-torus:3x1", 1e-6),
        ("tilted-torus:3x2", 1e-6),
        ("torus:3x5", 1e-6),
        ("tilted-torus:4x1", 1e-4),
        ("tilted-torus:3x3", 1e-4),
        ("torus:3x6", 1e-4),
        ("tilted-torus:4x2", 1e-4),
    )
]
"""Tori between the paper's sizes and the larger ones of :data:`~charging_paper.beyond.BEYOND`."""


def part(beyond: Beyond = BEYOND, more: Sequence[Request] = MORE_TORI) -> Part:
    """This part with another choice of tori."""
    requests = [*_PAPER_SIZES, *more, *beyond.larger["cooperative"]]
    return partial(build, requests=requests), requests


def build(runs: Runs, requests: Sequence[Request]) -> Section:
    """N sigma^2 against N, and alpha over all of these tori."""
    used = runs.present(requests)
    tori = _tori(used)
    return Section(
        "Beyond the paper: alpha for large N",
        "At a fixed duration alpha = 2 is no law of large N. H is a sum of terms of neighbours and the start is a "
        "product, so that after a finite time a spin is correlated only with the spins within a finite distance (Lieb "
        "and Robinson): Var(Sz)/N = N sigma^2 tends to a constant, 1/sigma^2 to N over it, and alpha to 1. In the "
        "hold that distance grows by at most about 2 sites in a ns, so that at the annealer's 60 us it limits no "
        "network of 5612 spins; at 20 ns it would limit networks beyond these tori. The tori show it constant long "
        "before.",
        "Tilted tori have the side vectors (a, b) and (-b, a): N = a^2 + b^2, and four neighbours as well.",
        FigureItem(
            "large-n",
            f"Beyond the paper: N sigma^2 of tori with four neighbours, cooperative, {DURATION}, s_hold = 0.35.",
            plot_variances(_series(tori)),
            used,
            runs.smaller(requests),
        ),
        TableItem(
            f"N sigma^2 of tori with four neighbours (beyond the paper), cooperative, {DURATION}, s_hold = 0.35; "
            "kept: computed once, in minutes (5x5) or hours (--full computes it)",
            [
                {
                    "torus": torus.network,
                    "N": torus.n_spins,
                    "mu": f"{torus.magnetization:.4f}",
                    "1/sigma^2": f"{torus.precision:.1f}",
                    "N sigma^2": f"{torus.per_spin:.4f}",
                    "run": "kept" if torus.kept else "now",
                }
                for torus in tori
            ],
            used,
        ),
        _audit(tori),
    )


def _tori(used: Sequence[Run]) -> list[Torus]:
    """The tori of this reproduction and those that were kept, ascending in N."""
    found = [
        Torus(run.network, run.record.n_spins, run.record.magnetization, run.record.precision)
        for run in used
        if run.record.precision is not None
    ]
    names = {torus.network for torus in found}
    found += [kept for kept in KEPT if kept.network not in names]
    return sorted(found, key=lambda torus: (torus.n_spins, torus.network))


def _series(tori: Sequence[Torus]) -> dict[str, list[tuple[int, float]]]:
    found: dict[str, list[tuple[int, float]]] = {}
    for torus in tori:
        kind = "square tori" if family_of(sb.parse_network(torus.network)) == "torus" else "tilted tori"
        found.setdefault(kind + (", kept" if torus.kept else ""), []).append((torus.n_spins, torus.per_spin))
    return found


def _audit(tori: Sequence[Torus]) -> AuditItem:
    values = "; ".join(f"{torus.network} (N = {torus.n_spins}) {torus.per_spin:.4f}" for torus in tori)
    growth = tori[-1].n_spins / tori[0].n_spins
    per_spin = [torus.per_spin for torus in tori]
    kept = [torus.network for torus in tori if torus.kept]
    fit = sb.fit_scaling([torus.n_spins for torus in tori], [torus.precision for torus in tori])
    return AuditItem(
        "alpha = 2 for large N",
        f"alpha = {EXACT_FITS['cooperative'].alpha_text}, Heisenberg scaling, from exact tori of N <= 12",
        f"N sigma^2 = {values}; from {min(per_spin):.4f} to {max(per_spin):.4f} with no fall, where alpha = 2 would "
        f"lower it {growth:.1f} times; over these tori alpha = {alpha_cell(fit)}",
        f"cooperative, {DURATION}, s_hold = 0.35, tori with four neighbours, log-log"
        + (f"; kept, not computed now: {', '.join(kept)}" if kept else ""),
        "not supported",
        "For a local H, a product start and a fixed duration Var(Sz)/N has a finite limit, so that alpha tends to 1. "
        "Table I cannot be extrapolated in N: to keep its alpha, the duration has to grow with N.",
    )
