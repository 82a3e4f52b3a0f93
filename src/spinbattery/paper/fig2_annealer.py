"""Fig. 2b and 2c, rows of the annealer: precision and magnetization from 40 to 5612 spins."""

from __future__ import annotations

import numpy as np

from ..analysis.samples import FlipStatistics, Independence, charged, flip_statistics, flips_by_degree
from ..figures.runs import plot_runs
from ..record import Record
from ..store.gather import gather
from . import device
from .runs import Run, Runs
from .section import AuditItem, FigureItem, Section, TableItem

REQUESTS = [request for requests in device.REQUESTS.values() for request in requests]
"""Runs this part needs."""


def build(runs: Runs) -> Section:
    """Precision, magnetization and flips of the cooperative and of two local protocols."""
    found = device.curves(runs)
    names = [{"protocol": name} for name, group in found.items() for _ in group]
    used = [run for group in found.values() for run in group]
    data = gather([run.record for run in used], names)
    label = runs.annealer_label
    return Section(
        "fig2-annealer",
        "Fig. 2b and 2c on the annealer",
        (
            f"Rows of the annealer: {label}. Regions P2 to P16 of a Pegasus graph with missing qubits, reverse anneal "
            "and h-gain schedule of 60 us. The local protocol is shown twice: with the field of Eq. 19, which costs "
            "the same at the instant g = 1, and with the field that costs the same over the whole schedule.",
            *runs.annealer_claims,
        ),
        (
            FigureItem(
                "fig2b-annealer",
                f"Fig. 2b, rows of the annealer ({label}): precision with standard errors, and log-log fits.",
                plot_runs(data),
                used,
            ),
            FigureItem(
                "fig2c-annealer",
                f"Fig. 2c, rows of the annealer ({label}): final magnetization.",
                plot_runs(data, "magnetization"),
                used,
            ),
        ),
        (_precisions(found), _flips(found["cooperative"]), _degrees(found["cooperative"])),
        _audit(found, label),
    )


def _precisions(found: dict[str, list[Run]]) -> TableItem:
    """Magnetization and variance of the three protocols, and the lead of the cooperative one."""
    rows = []
    for runs in zip(*found.values(), strict=True):
        cp, lp, equal = (run.record for run in runs)
        rows.append(
            (
                str(cp.n_spins),
                f"{cp.problem.network.pairs_per_spin:.4f}",
                f"{cp.magnetization:.5f}",
                *(f"{abs(r.problem.protocol.h):.4f}: {_magnetization(r)}" for r in (lp, equal)),
                _precision(cp),
                *(_lead(cp, r) for r in (lp, equal)),
            )
        )
    return TableItem(
        "Magnetization, precision of the cooperative protocol, and its lead: how much larger the variance of the local "
        "one is, as printed and at equal integrated cost",
        (
            "N",
            "n_C/N",
            "mu, cooperative",
            "|h|: mu, local (as printed)",
            "|h|: mu, local (equal integral)",
            "1/sigma^2, cooperative",
            "lead over local",
            "lead over local (equal integral)",
        ),
        rows,
    )


def _flips(cooperative: list[Run]) -> TableItem:
    rows = []
    for run in cooperative:
        flips, ratio = flip_statistics(run.record), _independence(run.record)
        rows.append(
            (
                str(run.record.n_spins),
                f"{flips.mean:.4f} +- {flips.mean_error:.2g}",
                f"{flips.variance:.4f} +- {flips.variance_error:.2g}",
                "-" if ratio is None else f"{ratio.ratio:.3f} +- {ratio.error_if_independent:.2g}",
                "yes" if charged(run.record) else f"no ({flips.n_uncharged} reads)",
            )
        )
    return TableItem(
        "Flipped spins in the reads of the cooperative protocol; the independence ratio is 1 for independent spins, "
        "with the error that chance would give it",
        ("N", "mean", "variance", "independence ratio", "every read charged"),
        rows,
    )


def _degrees(cooperative: list[Run]) -> TableItem:
    largest = cooperative[-1].record
    if largest.spins is None:
        return TableItem("Flips by degree need the spins", ("degree",), [])
    found = flips_by_degree(largest)
    columns = (found.degree, found.n_spins, found.flips, found.probability, found.low, found.high)
    return TableItem(
        f"Flips by degree, cooperative, N = {largest.n_spins}: the spins at the edge and beside missing qubits flip",
        ("degree", "spins", "flips", "probability (95 %)"),
        [
            (str(d), str(n), str(k), f"{p:.1e} ({low:.0e} to {high:.0e})")
            for d, n, k, p, low, high in zip(*(column.tolist() for column in columns), strict=True)
        ],
    )


def _independence(record: Record) -> Independence | None:
    return None if record.spins is None else Independence.from_spins(record.spins)


def _magnetization(record: Record) -> str:
    error = record.magnetization_stderr
    return f"{record.magnetization:.4f}" + ("" if error is None else f" +- {error:.1g}")


def _precision(record: Record) -> str:
    if record.precision is None:
        return f"> {record.precision_bound:.3g} (95 %)"
    return f"{record.precision:.4g} +- {100 * (record.precision_stderr or 0.0):.0f} %"


def _lead(cp: Record, local: Record) -> str:
    """How much larger the variance of the local protocol is."""
    return "-" if cp.variance == 0.0 else f"{local.variance / cp.variance:.3g}"


def _audit(found: dict[str, list[Run]], label: str) -> tuple[AuditItem, ...]:
    cp, lp, equal = (found[name] for name in ("cooperative", "local", "local equal-cost"))
    largest = cp[-1].record
    flips: FlipStatistics = flip_statistics(largest)
    expected = largest.n_spins * 0.5 * (1.0 - device.PRINTED_MAGNETIZATION["cooperative"])
    leads = [[float(local.record.variance / run.record.variance) for run, local in zip(cp, group, strict=True)
              if run.record.variance > 0.0] for group in (lp, equal)]  # fmt: skip
    ratios = [r for r in (_independence(run.record) for run in cp) if r is not None]
    every = all(charged(run.record) for run in cp)
    return (
        AuditItem(
            "Fig. 2b, annealer: the CP against the LP",
            "the CP is more precise",
            f"variance of the LP over that of the CP: {min(leads[0]):.0f} to {max(leads[0]):.0f} as printed, "
            f"{min(leads[1]):.1f} to {max(leads[1]):.1f} at equal integrated cost",
            f"{label}, P2 to P16",
            "corrected",
            "The field of Eq. 19 matches the cost at one instant. With what the CP spends over the schedule the LP has "
            "a field twice as strong, and most of the lead is gone.",
        ),
        AuditItem(
            "Fig. 2c, annealer: magnetization at N = 5612",
            f"CP {device.PRINTED_MAGNETIZATION['cooperative']}, LP {device.PRINTED_MAGNETIZATION['local']}",
            f"CP {largest.magnetization:.5f} ({'every read' if every else 'not every read'} charged at every N), "
            f"LP {lp[-1].record.magnetization:.4f}",
            f"{label}, N = {largest.n_spins}",
            "open",
            "The temperature of the emulator was chosen with the printed LP value in view, so that the LP is no test. "
            f"The printed CP value means {expected:.1f} flipped spins on average, and its precision a variance of "
            "0.139: "
            f"independent flips have a variance as large as their mean ({flips.variance:.3f} and {flips.mean:.3f} "
            "here). Both hold only with two or three spins that never flip, or if 0.999 is a 0.9999 cut short.",
        ),
        AuditItem(
            "Is a CP with alpha > 1 collective?",
            "precision beyond the standard quantum limit",
            f"independence ratio {min(r.ratio for r in ratios):.2f} to {max(r.ratio for r in ratios):.2f}, "
            f"median {float(np.median([r.ratio for r in ratios])):.2f}",
            f"{label}, P2 to P16",
            "not supported",
            "A ratio of 1 is that of independent spins. In this classical model the flips are independent, and alpha "
            "> 1 comes from the graph: few spins have few neighbours. An exponent alone shows no cooperation.",
        ),
    )
