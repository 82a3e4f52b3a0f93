"""Fig. 9: local protocol on packed and on scattered qubits, with and without cross-talk."""

from __future__ import annotations

from ..analysis.scaling import ScalingFit, fit_both
from ..figures.runs import plot_runs
from ..recipe import ProtocolRecipe
from ..store.gather import gather
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


_CURVES = {
    "packed": _requests(_PACKED, _LOCAL),
    "scattered": _requests(_SCATTERED, _LOCAL),
    f"packed, J_CT = {_CROSSTALK:g}": _requests(_PACKED, _LOCAL, _CROSSTALK),
    f"scattered, J_CT = {_CROSSTALK:g}": _requests(_SCATTERED, _LOCAL, _CROSSTALK),
    f"packed, |h| = {abs(_FIELD)} for all N": _requests(_PACKED, _ONE_FIELD),
    f"scattered, |h| = {abs(_FIELD)} for all N": _requests(_SCATTERED, _ONE_FIELD),
}

REQUESTS = [request for curve in _CURVES.values() for request in curve]
"""Runs this part needs."""


def build(runs: Runs) -> Section:
    """Precision of the local protocol against N on six choices of qubits, field and cross-talk."""
    found = {name: [runs[request] for request in curve] for name, curve in _CURVES.items()}
    fits = {name: fit_both([run.record for run in curve]) for name, curve in found.items()}
    used = [run for curve in found.values() for run in curve]
    names = [{"protocol": name} for name, curve in found.items() for _ in curve]
    data = gather([run.record for run in used], names)
    data = data.assign_coords(crosstalk=("run", [0.0] * data.sizes["run"]))  # it is in the names of the curves
    label = runs.annealer_label
    return Section(
        "fig9",
        "Fig. 9: packed and scattered qubits",
        (
            f"The local protocol on regions of the chip and on as many qubits scattered over it: {label}. Cross-talk "
            "is always emulated: on a chip it cannot be set.",
            "Scattered qubits have fewer pairs among themselves, so that Eq. 19 gives them a lower field, a lower mu "
            "and "
            "a lower precision, with no cross-talk at all. Whether the paper took the field of the sub-graph or one "
            "for all is not said; with one field for all, both lie on one line with alpha = 1.",
        ),
        (
            FigureItem(
                "fig9",
                f"Fig. 9: precision of the local protocol ({label}), with log-log fits.",
                plot_runs(data),
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
        (_audit(found, fits, label),),
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


def _audit(found: dict[str, list[Run]], fits: dict[str, dict[str, ScalingFit]], label: str) -> AuditItem:
    plain, crossed = "packed", f"packed, J_CT = {_CROSSTALK:g}"
    change = found[crossed][-1].record.magnetization - found[plain][-1].record.magnetization
    alphas = {name: plus_minus(fits[name]["loglog"].alpha, fits[name]["loglog"].alpha_err) for name in fits}
    return AuditItem(
        "Fig. 9: cross-talk from packed against scattered qubits",
        f"alpha above 1 and the gap between both from J_CT = {_CROSSTALK:g}",
        f"alpha, packed: {alphas[plain]} without and {alphas[crossed]} with cross-talk, scattered "
        f"{alphas['scattered']} without; one field for all N: {alphas[f'packed, |h| = {abs(_FIELD)} for all N']}",
        f"{label}, N = {found[plain][0].record.n_spins} to {found[plain][-1].record.n_spins}",
        "open",
        f"In this thermal model that cross-talk moves mu by {change:+.3f} and is too weak to be seen in alpha; the "
        "gap and "
        "alpha > 1 come from the field, which follows n_C/N. The paper inferred it from unitary dynamics, where the LP "
        "has mu near 0 without cross-talk.",
    )
