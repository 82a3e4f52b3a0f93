"""Beyond the paper: N sigma^2 of all exact tori with four neighbours, and what it says of alpha for large N."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from spinbattery.analysis.scaling import fit_scaling
from spinbattery.figures.variance import plot_variances
from spinbattery.model.families import family_of
from spinbattery.model.network_text import parse_network

from .beyond import BEYOND, DURATION, Beyond
from .parameters import COOPERATIVE, PRINTED_TABLE_1
from .runs import Request, Run, Runs, torus_name
from .section import AuditItem, FigureItem, Part, Section, TableItem, plus_minus

_RECIPE = replace(COOPERATIVE, duration=DURATION)

PAPER_SIZES = [Request(torus_name(size), _RECIPE) for size in ((3, 3), (3, 4))]
"""The paper's tori with four neighbours of every spin."""


@dataclass(frozen=True)
class Torus:
    """A torus and its final moments.

    Attributes:
        network: its text form.
        n_spins: N.
        magnetization: mu.
        precision: 1/sigma^2.
        kept: whether it was computed once, in hours, and not with this reproduction.
    """

    network: str
    n_spins: int
    magnetization: float
    precision: float
    kept: bool = False

    @property
    def per_spin(self) -> float:
        """N sigma^2 = Var(Sz)/N."""
        return self.n_spins / self.precision


KEPT = (Torus("torus:5x6", 30, 0.787391, 274.125, kept=True),)
"""Their records lie beside the figures of the documentation."""

MORE_TORI = [
    Request(network, _RECIPE, tolerance=tolerance)
    for network, tolerance in (
        ("tilted-torus:3x1", 1e-6),
        ("tilted-torus:3x2", 1e-6),
        ("torus:3x5", 1e-6),
        ("tilted-torus:4x1", 1e-6),
        ("tilted-torus:3x3", 1e-6),
        ("torus:3x6", 1e-6),
        ("tilted-torus:4x2", 1e-4),
    )
]
"""Sizes between those of the paper and of :data:`~charging_paper.beyond.BEYOND`."""


def part(beyond: Beyond = BEYOND, more: Sequence[Request] = MORE_TORI) -> Part:
    """What builds this part, and the runs it needs."""
    requests = [*PAPER_SIZES, *more, *beyond.larger["cooperative"]]
    return partial(build, requests=requests), requests


def build(runs: Runs, requests: Sequence[Request]) -> Section:
    """N sigma^2 against N, and alpha over all of these tori."""
    used = [runs[request] for request in requests if request in runs]
    tori = _tori(used)
    return Section(
        "large-n",
        "Beyond the paper: alpha for large N",
        (
            "At a fixed duration alpha = 2 is no law of large N. H is a sum of terms of neighbours and the start is a "
            "product, so that after a finite time a spin is correlated with those within a finite distance alone (Lieb "
            "and Robinson): Var(Sz)/N = N sigma^2 tends to a constant, 1/sigma^2 to N over it, and alpha to 1. In "
            "the hold that distance grows by some 2 sites in a ns at most, so that at the annealer's 60 us it binds no "
            "network of 5612 spins; at 20 ns it would bind beyond these tori, and what they show is that N sigma^2 is "
            "constant long before.",
            "Tilted tori have the side vectors (a, b) and (-b, a): N = a^2 + b^2, and four neighbours as well.",
        ),
        (
            FigureItem(
                "large-n",
                f"Beyond the paper: N sigma^2 of tori with four neighbours, cooperative, {DURATION}, s_hold = 0.35.",
                plot_variances(_series(tori)),
                used,
            ),
        ),
        (
            TableItem(
                f"N sigma^2 of tori with four neighbours (beyond the paper), cooperative, {DURATION}, s_hold = 0.35; "
                "kept: computed once, in hours (--full computes it)",
                ("torus", "N", "mu", "1/sigma^2", "N sigma^2", "run"),
                [_row(torus) for torus in tori],
                used,
            ),
        ),
        (_audit(tori),),
    )


def _tori(used: Sequence[Run]) -> list[Torus]:
    """Those of this reproduction and those that were kept, ascending in N."""
    found = [
        Torus(str(r.dataset.attrs["network"]), r.n_spins, r.magnetization, r.precision)
        for run in used
        for r in [run.record]
        if r.precision is not None
    ]
    names = {torus.network for torus in found}
    found += [kept for kept in KEPT if kept.network not in names]
    return sorted(found, key=lambda torus: (torus.n_spins, torus.network))


def _series(tori: Sequence[Torus]) -> dict[str, list[tuple[int, float]]]:
    found: dict[str, list[tuple[int, float]]] = {}
    for torus in tori:
        kind = "square tori" if family_of(parse_network(torus.network)) == "torus" else "tilted tori"
        found.setdefault(kind + (", kept" if torus.kept else ""), []).append((torus.n_spins, torus.per_spin))
    return found


def _row(torus: Torus) -> tuple[str, ...]:
    return (
        torus.network,
        str(torus.n_spins),
        f"{torus.magnetization:.4f}",
        f"{torus.precision:.1f}",
        f"{torus.per_spin:.4f}",
        "kept" if torus.kept else "now",
    )


def _audit(tori: Sequence[Torus]) -> AuditItem:
    printed = PRINTED_TABLE_1["cooperative"]
    values = "; ".join(f"{torus.network} (N = {torus.n_spins}) {torus.per_spin:.4f}" for torus in tori)
    growth = tori[-1].n_spins / tori[0].n_spins
    per_spin = [torus.per_spin for torus in tori]
    kept = [torus.network for torus in tori if torus.kept]
    fit = fit_scaling([torus.n_spins for torus in tori], [torus.precision for torus in tori])
    return AuditItem(
        "alpha = 2 for large N",
        f"alpha = {printed['alpha']:.2f} +- {printed['alpha_err']:.2f}, Heisenberg scaling, from exact tori of N <= 12",
        f"N sigma^2 = {values}; from {min(per_spin):.4f} to {max(per_spin):.4f} with no fall, where with alpha = 2 it "
        f"falls {growth:.1f} times; over these tori alpha = {plus_minus(fit.alpha, fit.alpha_err)}",
        f"cooperative, {DURATION}, s_hold = 0.35, tori with four neighbours, log-log"
        + (f"; kept, not computed now: {', '.join(kept)}" if kept else ""),
        "not supported",
        "For a local H, a product start and a fixed duration Var(Sz)/N has a finite limit, so that alpha tends to 1. "
        "Table I cannot be extrapolated in N at a fixed duration: its alpha is one of small networks, and to keep it "
        "the duration has to grow with N.",
    )
