"""Fig. 9: local protocol on packed and on scattered qubits, with and without cross-talk."""

from __future__ import annotations

from spinbattery.analysis.scaling import ScalingFit, fit_both
from spinbattery.figures.runs import plot_runs
from spinbattery.model.recipe import ProtocolRecipe
from spinbattery.records.dataset import gather

from . import device
from .runs import Request, Run, Runs
from .section import AuditItem, FigureItem, Section, TableItem, plus_minus

_SIZES = range(2, 9)
_CROSSTALK = -1.3e-3
"""The paper's estimate, in units of B(s)/2."""

_FIELD = -0.73
_LOCAL = device.PROTOCOLS["local"]
_ONE_FIELD = ProtocolRecipe("cooperative", device.DURATION, J=0.0, field=_FIELD)

_PACKED = [device.region(m) for m in _SIZES]
# as many qubits as whole regions have
_SCATTERED = [f"{device.WORKING_GRAPH}/scattered:{8 * (3 * m - 1) * (m - 1)}:seed:1" for m in _SIZES]


def _requests(networks: list[str], recipe: ProtocolRecipe, crosstalk: float = 0.0) -> list[Request]:
    return [Request(network, recipe, crosstalk=crosstalk, on_annealer=True) for network in networks]


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

REQUESTS = [request for curve in _CURVES.values() for request in curve]
"""Runs this part needs."""


def build(runs: Runs) -> Section:
    """Precision of the local protocol against N on six choices of qubits, field and cross-talk."""
    # a chip has the cross-talk it has, and emulated curves are no match for measured ones
    chosen = {name: curve for name, curve in _CURVES.items() if not (runs.is_measured and curve[0].crosstalk)}
    found = {name: [runs[request] for request in curve] for name, curve in chosen.items()}
    # mixed: a few scattered qubits may have no pair among them, and so no cross-talk
    fits = {name: fit_both([run.record for run in curve], mixed=True) for name, curve in found.items()}
    used = [run for curve in found.values() for run in curve]
    names = [{"protocol": name} for name, curve in found.items() for _ in curve]
    data = gather([run.record for run in used], names)
    data = data.assign_coords(crosstalk=("run", [0.0] * data.sizes["run"]))  # it is in the names of the curves
    label = runs.annealer_label
    return Section(
        "fig9",
        "Fig. 9: packed and scattered qubits",
        (
            f"The local protocol on regions of the chip and on as many qubits scattered over it: {label}. "
            + ("" if runs.is_measured else "Cross-talk is put in on purpose in two of the curves."),
            "Scattered qubits have fewer pairs among themselves, so that Eq. 19 gives them a lower field, and with it "
            "a "
            "lower mu and precision. Whether the paper took the field of the sub-graph or one for all is not said; the "
            f"curves with |h| = {abs(_FIELD)} for all N have one.",
            *runs.annealer_claims,
        ),
        (
            FigureItem(
                "fig9",
                f"Fig. 9: precision of the local protocol ({label}), with log-log fits.",
                plot_runs(data, title=runs.annealer_title, limits=False),
                used,
            ),
        ),
        (
            TableItem(
                "Local protocol: mu at the smallest and largest N, and precision = c N^alpha",
                ("qubits", "N", "n_C/N", "mu", "c (log-log)", "alpha (log-log)", "alpha (linear)"),
                [_row(name, found[name], fits[name]) for name in found],
            ),
        ),
        (_audit(found, fits, runs),),
    )


def _row(name: str, curve: list[Run], fit: dict[str, ScalingFit]) -> tuple[str, ...]:
    first, last = curve[0].record, curve[-1].record
    ratios = [record.problem.network.pairs_per_spin for record in (first, last)]
    return (
        name,
        f"{first.n_spins} to {last.n_spins}",
        f"{ratios[0]:.3f} to {ratios[1]:.3f}",
        f"{first.magnetization:.4f} to {last.magnetization:.4f}",
        f"{fit['loglog'].c:.3g} +- {fit['loglog'].c_err:.2g}",
        plus_minus(fit["loglog"].alpha, fit["loglog"].alpha_err),
        plus_minus(fit["linear"].alpha, fit["linear"].alpha_err),
    )


def _audit(found: dict[str, list[Run]], fits: dict[str, dict[str, ScalingFit]], runs: Runs) -> AuditItem:
    alphas = {name: plus_minus(fits[name]["loglog"].alpha, fits[name]["loglog"].alpha_err) for name in found}
    plain, crossed = found["packed"], found.get(_CROSSED)
    measured = (
        f"alpha, packed {alphas['packed']}, scattered {alphas['scattered']}; one field for all N: packed "
        f"{alphas[_PACKED_ONE]}, scattered {alphas[_SCATTERED_ONE]}"
    )
    note = (
        "Eq. 19 gives scattered qubits another field than packed ones, so that a gap between both needs no cross-talk. "
    )
    if crossed is not None:
        change = crossed[-1].record.magnetization - plain[-1].record.magnetization
        measured += f"; packed with that cross-talk {alphas[_CROSSED]}"
        note += (
            f"In this thermal model that cross-talk moves mu at the largest N by {change:+.3f}. The paper inferred it "
            "from unitary dynamics, where the LP has mu near 0 without cross-talk."
        )
    return AuditItem(
        "Fig. 9: cross-talk from packed against scattered qubits",
        f"alpha above 1 and the gap between both from J_CT = {_CROSSTALK:g}",
        measured,
        f"{runs.annealer_label}, N = {plain[0].record.n_spins} to {plain[-1].record.n_spins}, log-log",
        "open",
        note,
    )
