"""Fig. 9: local protocol on packed and on scattered qubits, with and without cross-talk."""

from __future__ import annotations

from collections.abc import Mapping

import spinbattery as sb

from . import device
from .cells import alpha_cell, annealer_c, fits_of
from .parameters import ANNEALER_DURATION, QUICK_READS
from .runs import Request, Runs, flat, records
from .section import AuditItem, FigureItem, Row, Section, TableItem

_SIZES = range(2, 9)
_QUICK_SIZES = (2, 3, 4, 6)
_CROSSTALK = -1.3e-3
"""The paper's estimate, in units of B(s)/2."""

_FIELD = -0.73
_LOCAL = device.PROTOCOLS["local"]
_ONE_FIELD = sb.ProtocolRecipe("cooperative", ANNEALER_DURATION, J=0.0, field=_FIELD)

_PACKED = [device.region(m) for m in _SIZES]
# as many qubits as whole regions have
_SCATTERED = [f"{device.WORKING_GRAPH}/scattered:{8 * (3 * m - 1) * (m - 1)}:seed:1" for m in _SIZES]


def _requests(networks: list[str], recipe: sb.ProtocolRecipe, crosstalk: float = 0.0) -> list[Request]:
    return [
        Request(
            network,
            recipe,
            crosstalk=crosstalk,
            on_annealer=True,
            reads=min(device.QUICK_SIZES.get(m, QUICK_READS), QUICK_READS),
            full_only=m not in _QUICK_SIZES,
        )
        for m, network in zip(_SIZES, networks, strict=True)
    ]


_CROSSED = f"packed, J_CT = {_CROSSTALK:g}"
_PACKED_ONE, _SCATTERED_ONE = (f"{kind}, |h| = {abs(_FIELD)} for all N" for kind in ("packed", "scattered"))

_CURVES = {
    "packed": _requests(_PACKED, _LOCAL),
    "scattered": _requests(_SCATTERED, _LOCAL),
    _CROSSED: _requests(_PACKED, _LOCAL, _CROSSTALK),
    f"scattered, J_CT = {_CROSSTALK:g}": _requests(_SCATTERED, _LOCAL, _CROSSTALK),
    _PACKED_ONE: _requests(_PACKED, _ONE_FIELD),
    _SCATTERED_ONE: _requests(_SCATTERED, _ONE_FIELD),
}

REQUESTS = flat(_CURVES)


def build(runs: Runs) -> Section:
    """Precision of the local protocol against N on six choices of qubits, field and cross-talk."""
    # the cross-talk of a chip cannot be set, and emulated curves do not belong beside measured ones
    chosen = {name: curve for name, curve in _CURVES.items() if not (runs.is_measured and curve[0].crosstalk)}
    groups = runs.groups(chosen)
    found = {name: records(group) for name, group in groups.items()}
    # mixed: a few scattered qubits may have no pair among them, and so no cross-talk
    fits = {name: fits_of(curve, mixed=True) for name, curve in found.items()}
    data = sb.gather(flat(found), [{"protocol": name} for name, curve in found.items() for _ in curve])
    data = data.assign_coords(crosstalk=("run", [0.0] * data.sizes["run"]))  # it is in the names of the curves
    label, alphas = runs.annealer_label, {name: alpha_cell(fit["loglog"]) for name, fit in fits.items()}
    return Section(
        "Fig. 9: packed and scattered qubits",
        f"The local protocol on regions of the chip and on as many qubits scattered over it: {label}. "
        + ("" if runs.is_measured else "Two of the curves have cross-talk, added on purpose."),
        "Scattered qubits have fewer pairs among themselves, so that Eq. 19 gives them a lower field, and with it a "
        "lower mu and precision. The paper does not say whether it took the field of the sub-graph or one for all; "
        f"the curves with |h| = {abs(_FIELD)} for all N have one.",
        *runs.annealer_claims,
        FigureItem(
            "fig9",
            f"Fig. 9: precision of the local protocol ({label}), with log-log fits.",
            sb.plot_runs(data, title=runs.annealer_title, limits=False),
            flat(groups),
            runs.smaller(flat(chosen)),
        ),
        TableItem(
            "Local protocol: mu at the smallest and largest N, and precision = c N^alpha",
            [_row(name, curve, fits[name]) for name, curve in found.items()],
            smaller=runs.smaller(flat(chosen)),
        ),
        _audit(found, alphas, label),
    )


def _row(name: str, curve: list[sb.Record], fit: Mapping[str, sb.ScalingFit]) -> Row:
    first, last = curve[0], curve[-1]
    ratios = [record.problem.network.pairs_per_spin for record in (first, last)]
    return {
        "qubits": name,
        "N": f"{first.n_spins} to {last.n_spins}",
        "n_C/N": f"{ratios[0]:.3f} to {ratios[1]:.3f}",
        "mu": f"{first.magnetization:.4f} to {last.magnetization:.4f}",
        "c (log-log)": annealer_c(fit["loglog"]),
        "alpha (log-log)": alpha_cell(fit["loglog"]),
        "alpha (linear)": alpha_cell(fit["linear"]),
    }


def _audit(found: Mapping[str, list[sb.Record]], alphas: Mapping[str, str], label: str) -> AuditItem:
    plain, crossed = found["packed"], found.get(_CROSSED)
    measured = (
        f"alpha, packed {alphas['packed']}, scattered {alphas['scattered']}; one field for all N: packed "
        f"{alphas[_PACKED_ONE]}, scattered {alphas[_SCATTERED_ONE]}"
    )
    note = "Eq. 19 gives scattered qubits another field than packed ones, so that a gap needs no cross-talk. "
    if crossed is not None:
        change = crossed[-1].magnetization - plain[-1].magnetization
        measured += f"; packed with that cross-talk {alphas[_CROSSED]}"
        note += (
            f"In this thermal model that cross-talk changes mu at the largest N by {change:+.3f}. The paper inferred "
            "it from unitary dynamics, where the LP has mu near 0 without cross-talk."
        )
    return AuditItem(
        "Fig. 9: cross-talk from packed against scattered qubits",
        f"alpha above 1 and the gap between both from J_CT = {_CROSSTALK:g}",
        measured,
        f"{label}, N = {plain[0].n_spins} to {plain[-1].n_spins}, log-log",
        "open",
        note,
    )
