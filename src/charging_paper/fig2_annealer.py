"""Fig. 2b and 2c, rows of the annealer: precision and magnetization from 40 to 5612 spins."""

from __future__ import annotations

import math

import numpy as np

from spinbattery.analysis.samples import Independence, charged, flip_statistics, flips_by_degree, uncharged_probability
from spinbattery.figures.runs import plot_runs
from spinbattery.records.dataset import gather
from spinbattery.records.record import Record

from . import device
from .runs import Run, Runs
from .section import AuditItem, FigureItem, Section, TableItem

_PRINTED_LAWS = {f"the paper, {name}": (row["c"], row["alpha"]) for name, row in device.PRINTED_FITS.items()}
_INDEPENDENT = 0.2
"""How far from 1 the median independence ratio may be where flips count as independent; each has an error of 0.1."""

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
                plot_runs(data, title=runs.annealer_title, laws=_PRINTED_LAWS),
                used,
            ),
            FigureItem(
                "fig2c-annealer",
                f"Fig. 2c, rows of the annealer ({label}): final magnetization.",
                plot_runs(data, "magnetization", title=runs.annealer_title, limits=False),
                used,
            ),
        ),
        (_precisions(found), _flips(found["cooperative"]), _degrees(found["cooperative"])),
        _audit(found, runs),
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
                "yes" if _every_read(run.record) else f"no ({run.record.charge_state}, {flips.n_uncharged} reads)",
            )
        )
    return TableItem(
        "Flipped spins in the reads of the cooperative protocol; the independence ratio is 1 for independent spins, "
        "with the error that chance would give it",
        ("N", "mean", "variance", "independence ratio", "every read charged"),
        rows,
    )


def _every_read(record: Record) -> bool:
    """Whether the battery is charged, and no read of it discharged."""
    return charged(record) and uncharged_probability(record) == 0.0


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
    return f"{record.precision:.4g} +- {100 * (record.precision_stderr or 0.0) / record.precision:.0f} %"


def _lead(cp: Record, local: Record) -> str:
    """How much larger the variance of the local protocol is."""
    return "-" if cp.variance == 0.0 else f"{local.variance / cp.variance:.3g}"


def _audit(found: dict[str, list[Run]], runs: Runs) -> tuple[AuditItem, ...]:
    return (_lead_item(found, runs.annealer_label), _magnetization_item(found, runs), _collective_item(found, runs))


def _leads(cooperative: list[Run], local: list[Run]) -> dict[int, float]:
    """By N, how much larger the variance of the local protocol is, where the cooperative one has one."""
    return {
        cp.record.n_spins: lp.record.variance / cp.record.variance
        for cp, lp in zip(cooperative, local, strict=True)
        if cp.record.variance > 0.0
    }


def _at_ends(leads: dict[int, float]) -> str:
    """At the smallest, the third and the largest N."""
    sizes = list(leads)
    return ", ".join(f"{leads[n]:.3g} at N = {n}" for n in dict.fromkeys((*sizes[:1], *sizes[2:3], *sizes[-1:])))


def _printed_lead(n: int) -> float:
    """Variance of the LP over that of the CP, from the fits of Table I."""
    cp, lp = (device.PRINTED_FITS[name] for name in ("cooperative", "local"))
    return float(cp["c"] / lp["c"] * n ** (cp["alpha"] - lp["alpha"]))


def _lead_item(found: dict[str, list[Run]], label: str) -> AuditItem:
    cp, lp, equal = (found[name] for name in ("cooperative", "local", "local equal-cost"))
    printed, fair = _leads(cp, lp), _leads(cp, equal)
    fields = [b.record.problem.protocol.h / a.record.problem.protocol.h for a, b in zip(lp, equal, strict=True)]
    lost = [printed[n] / fair[n] for n in fair] or [math.nan]
    holds = bool(fair) and min(fair.values()) > 1.0
    return AuditItem(
        "Fig. 2b, annealer: the CP against the LP",
        "the CP is more precise",
        f"variance of the LP over that of the CP: {_at_ends(printed)} as printed; {_at_ends(fair)} at equal "
        "integrated cost" if fair else "no read of the CP has a flip",
        f"{label}, P2 to P16",
        "corrected" if holds else "not supported",
        "The field of Eq. 19 matches the cost at one instant. With what the CP spends over the schedule the LP has a "
        f"field {min(fields):.1f} to {max(fields):.1f} times as strong, and the lead is smaller by a factor of "
        f"{min(lost):.0f} to {max(lost):.0f}. What is left grows with N. The paper's own fits make the lead "
        f"{_printed_lead(40):.0f} at N = 40 and {_printed_lead(device.N_QPU):.0f} at N = {device.N_QPU}.",
    )  # fmt: skip


def _magnetization_item(found: dict[str, list[Run]], runs: Runs) -> AuditItem:
    cp, lp = found["cooperative"], found["local"]
    largest = cp[-1].record
    flips = flip_statistics(largest)
    printed = device.PRINTED_MAGNETIZATION
    expected = 0.5 * device.N_QPU * (1.0 - printed["cooperative"])
    fit = device.PRINTED_FITS["cooperative"]
    variance = device.N_QPU**2 / (4.0 * fit["c"] * device.N_QPU ** fit["alpha"])
    every = all(_every_read(run.record) for run in cp)
    chosen = (
        ""
        if runs.is_measured
        else "The temperature of the emulator was chosen with the printed LP value in view, so that the LP is no test. "
    )
    return AuditItem(
        f"Fig. 2c, annealer: magnetization at N = {device.N_QPU}",
        f"CP {printed['cooperative']}, LP {printed['local']}",
        f"CP {largest.magnetization:.5f} ({'every read' if every else 'not every read'} charged at every N), "
        f"LP {lp[-1].record.magnetization:.4f}",
        f"{runs.annealer_label}, N = {largest.n_spins}",
        "open",
        f"{chosen}The printed CP value means {expected:.1f} flipped spins on average, and the printed fit a variance "
        f"of {variance:.3f}: independent flips have a variance as large as their mean (here {flips.variance:.3f} and "
        f"{flips.mean:.3f}). Both hold only with two or three spins that never flip, or if 0.999 is a 0.9999 cut "
        "short.",
    )


def _collective_item(found: dict[str, list[Run]], runs: Runs) -> AuditItem:
    ratios = [r.ratio for r in (_independence(run.record) for run in found["cooperative"]) if r is not None]
    median = float(np.median(ratios)) if ratios else None
    alone = median is not None and abs(median - 1.0) < _INDEPENDENT
    why = (
        "In these data the flips are independent within the errors"
        if runs.is_measured
        else "In this classical model the flips are independent, and alpha > 1 comes from the graph, where few spins "
        "have few neighbours"
    )
    return AuditItem(
        "Is a CP with alpha > 1 collective?",
        "precision beyond the standard quantum limit",
        "no ratio: no spin flips, or the spins are not known"
        if median is None
        else f"independence ratio {min(ratios):.2f} to {max(ratios):.2f}, median {median:.2f}",
        f"{runs.annealer_label}, P2 to P16",
        "not supported" if alone else "open",
        "A ratio of 1 is that of independent spins. "
        + (f"{why}. " if alone else "")
        + "An exponent alone shows no cooperation.",
    )
