"""Table I, rows of the annealer: c and alpha, what counting noise makes of them, and what classical models give."""

from __future__ import annotations

import math
from dataclasses import dataclass

from spinbattery.analysis.counting_noise import CountingNoise, counting_noise
from spinbattery.analysis.freeze_out import FreezeOut, effective_temperature, freeze_out
from spinbattery.analysis.samples import flip_probabilities
from spinbattery.analysis.scaling import ScalingFit, fit_both
from spinbattery.model.problem import ChargingProblem
from spinbattery.model.thermal import SpinForm, thermal_magnetization

from . import device
from .runs import Run, Runs
from .section import AuditItem, Section, TableItem, plus_minus

REQUESTS = [request for requests in device.REQUESTS.values() for request in requests]
"""Runs this part needs."""

_PRINTED_READS = 1000
_EXPERIMENTS = 400
_MIN_SIZES = 3
_AGREEMENT = 2.0
"""Exponents agree within so many standard errors of their difference."""

_HOLD, _COLD = 2.0 / 3.0, 1e-9
"""The end of the hold, where g = 1, as a part of the duration; and a temperature in GHz that is none."""

_FORMS: tuple[SpinForm, ...] = ("rotor", "two-level")


@dataclass(frozen=True)
class _Model:
    """A closed form that stands for the annealer."""

    name: str
    form: SpinForm
    temperature: float
    readout_error: float = 0.0


_MODELS = (
    _Model("rotor, 18 mK", "rotor", 18.0),
    _Model("rotor, 16 mK", "rotor", 16.0),
    _Model("rotor, 18 mK, 3e-5 of all bits misread", "rotor", 18.0, 3e-5),
    _Model("rotor, 16 mK, 1.5e-5 of all bits misread", "rotor", 16.0, 1.5e-5),
    _Model("two levels, 29.5 mK", "two-level", 29.5),
)


def build(runs: Runs) -> Section:
    """Fits of the annealer's runs, and of closed forms on the same graphs."""
    found = device.curves(runs)
    fits = {name: _fits(group) for name, group in found.items()}
    problems = {name: [run.record.problem for run in group] for name, group in found.items()}
    models = {model: _points(model, problems) for model in _MODELS}
    noise = _noise(_fitted(found["cooperative"]))
    label = runs.annealer_label
    return Section(
        "table1-annealer",
        "Table I: rows of the annealer",
        (
            f"Fits of precision = c N^alpha from P2 to P16: {label}. Both fits are given: unweighted least squares of "
            "the precision itself rests on the two or three largest N; the log-log fit weighs all N alike. The paper "
            "does not say which it used; its errors have (c_err/c)/alpha_err = 8, near ln 5612 = 8.6, as the linear "
            "fit gives.",
            "The closed forms take every spin as independent and frozen in thermal equilibrium at s = 0.5 on the last "
            "ramp, its neighbours up. They have no dynamics and cost nothing; which one describes the chip, if any, "
            "these data cannot tell.",
            *runs.annealer_claims,
        ),
        tables=(
            TableItem(
                "precision = c N^alpha",
                ("protocol", "printed", "c (log-log)", "alpha (log-log)", "c (linear)", "alpha (linear)"),
                [(name, _printed(name), *_cells(fit)) for name, fit in fits.items()],
                [run for group in found.values() for run in group],
            ),
            TableItem(
                "Closed forms on the same graphs: LP magnetization, flips of the CP, and the CP's fits",
                (
                    "model",
                    "mu (LP), smallest to largest N",
                    "Var k (CP), smallest and largest N",
                    "alpha (log-log)",
                    "c (linear)",
                    "alpha (linear)",
                ),
                [_model_row(model, points) for model, points in models.items()],
            ),
            _noise_table(noise),
        ),
        audit=(
            _cooperative(fits["cooperative"], [points.fits for points in models.values()], noise, runs),
            _local(fits["local"], problems["local"], runs),
            _thermal(problems["local"][-1], found["local"][-1], runs),
        ),
    )


def _fitted(group: list[Run]) -> list[Run]:
    """Runs that are a charge and have a precision."""
    return [run for run in group if run.record.precision is not None and run.record.charge_state.is_charge]


def _fits(group: list[Run]) -> dict[str, ScalingFit] | None:
    """Both fits, or None where fewer than three N are charged and have a precision."""
    known = [run.record for run in _fitted(group)]
    return fit_both(known) if len(known) >= _MIN_SIZES else None


def _cells(fit: dict[str, ScalingFit] | None) -> tuple[str, ...]:
    if fit is None:
        return ("-",) * 4
    cells: list[str] = []
    for method in ("loglog", "linear"):
        found = fit[method]
        cells += [f"{found.c:.3g} +- {found.c_err:.2g}", plus_minus(found.alpha, found.alpha_err)]
    return tuple(cells)


def _printed(name: str) -> str:
    row = device.PRINTED_FITS.get(name)
    if row is None:
        return "-"
    return f"c = {row['c']:g} +- {row['c_err']:g}, alpha = {row['alpha']:g} +- {row['alpha_err']:g}"


@dataclass(frozen=True)
class _Points:
    """A closed form from P2 to P16: local and cooperative points, and fits of the cooperative ones."""

    local: list[FreezeOut]
    cooperative: list[FreezeOut]
    fits: dict[str, ScalingFit]


def _points(model: _Model, problems: dict[str, list[ChargingProblem]]) -> _Points:
    local, cooperative = (
        [
            freeze_out(problem, model.temperature, form=model.form, readout_error=model.readout_error)
            for problem in problems[name]
        ]
        for name in ("local", "cooperative")
    )
    fits = fit_both([point.n_spins for point in cooperative], [point.precision or 0.0 for point in cooperative])
    return _Points(local, cooperative, fits)


def _model_row(model: _Model, points: _Points) -> tuple[str, ...]:
    loglog, linear = points.fits["loglog"], points.fits["linear"]
    return (
        model.name,
        f"{points.local[0].magnetization:.3f} to {points.local[-1].magnetization:.3f}",
        f"{points.cooperative[0].flips_variance:.4f}, {points.cooperative[-1].flips_variance:.3f}",
        plus_minus(loglog.alpha, loglog.alpha_err),
        f"{linear.c:.3g}",
        plus_minus(linear.alpha, linear.alpha_err),
    )


def _noise(cooperative: list[Run]) -> CountingNoise | None:
    """Scatter of the fits were the P(k) found the true ones, at the paper's number of reads; None with too few N."""
    if len(cooperative) < _MIN_SIZES:
        return None
    return counting_noise(
        [run.record.n_spins for run in cooperative],
        [flip_probabilities(run.record) for run in cooperative],
        _PRINTED_READS,
        n_experiments=_EXPERIMENTS,
    )


def _noise_table(noise: CountingNoise | None) -> TableItem:
    header = ("fit", "c: mean, 95 % of experiments", "alpha", "experiments without a precision at some N")
    if noise is None:
        return TableItem("Counting noise: too few N have a precision", header, [])
    return TableItem(
        f"Counting noise alone: fits of the CP over {noise.n_experiments} synthetic experiments of {noise.n_reads} "
        "reads at each N, drawn from the distributions of flips that were found",
        header,
        [
            (
                scatter.method,
                f"{scatter.c:.3g}, {scatter.c_interval[0]:.3g} to {scatter.c_interval[1]:.3g}",
                f"{scatter.alpha:.3f} +- {scatter.alpha_std:.3f}",
                str(noise.n_without_precision),
            )
            for scatter in (noise.loglog, noise.linear)
        ],
    )


def _summary(fit: dict[str, ScalingFit] | None) -> str:
    if fit is None:
        return "no fit: too few N have a precision"
    return "; ".join(
        f"c = {fit[method].c:.3g} +- {fit[method].c_err:.2g}, "
        f"alpha = {plus_minus(fit[method].alpha, fit[method].alpha_err)} ({method})"
        for method in ("loglog", "linear")
    )


def _cooperative(
    fit: dict[str, ScalingFit] | None,
    models: list[dict[str, ScalingFit]],
    noise: CountingNoise | None,
    runs: Runs,
) -> AuditItem:
    alphas = [found[method].alpha for found in models for method in ("loglog", "linear")]
    scatter = (
        ""
        if noise is None
        else f"Counting noise alone scatters the linear alpha by +- {noise.linear.alpha_std:.2f} at {noise.n_reads} "
        "reads (printed: +- 0.11). "
    )
    decides = (
        "These data alone do not decide between them."
        if runs.is_measured
        else "The emulator does not decide between them: its parameters were chosen when the printed values were known."
    )
    return AuditItem(
        "Table I, cooperative on the annealer",
        _printed("cooperative"),
        _summary(fit),
        f"{runs.annealer_label}, P2 to P16",
        "open",
        "alpha = 1.39 has two explanations on offer. Decoherence of a collective state: then alpha falls from 2 as the "
        "noise grows. Or independent thermal flips of spins with few neighbours, with a small part of bits misread: "
        f"the closed forms of this part give alpha from {min(alphas):.2f} to {max(alphas):.2f}, depending on "
        f"temperature, misread bits and fit, with nothing collective. {scatter}{decides}",
    )


def _local(fit: dict[str, ScalingFit] | None, problems: list[ChargingProblem], runs: Runs) -> AuditItem:
    fields = [abs(problem.protocol.h) for problem in problems]
    printed = device.PRINTED_FITS["local"]
    agrees = fit is not None and all(
        abs(getattr(found, name) - printed[name]) < _AGREEMENT * math.hypot(getattr(found, f"{name}_err"), error)
        for found in fit.values()
        for name, error in (("c", printed["c_err"]), ("alpha", printed["alpha_err"]))
    )
    chosen = "" if runs.is_measured else "Agreement is no test: the emulator's temperature was chosen by the LP's mu. "
    return AuditItem(
        "Table I, local on the annealer",
        _printed("local"),
        _summary(fit),
        f"{runs.annealer_label}, P2 to P16",
        "reproduced" if agrees and runs.is_measured else "open",
        f"{chosen}alpha > 1 alone is no sign of cross-talk: the field of Eq. 19 grows with n_C/N, from "
        f"{fields[0]:.3f} to {fields[-1]:.3f}, and mu with it; part 'fig9' has one field for all N.",
    )


def _thermal(largest: ChargingProblem, run: Run, runs: Runs) -> AuditItem:
    mu, found = device.PRINTED_MAGNETIZATION["local"], run.record.magnetization
    temperatures = {form: effective_temperature(largest, mu, form=form) for form in _FORMS}
    bx, bz, _ = (float(field) for field in largest.protocol.fields(_HOLD * largest.protocol.duration, largest.scales))
    ground = thermal_magnetization(bx, bz, _COLD)
    made = "" if runs.is_measured else " with no cross-talk"
    return AuditItem(
        "Local protocol on the annealer, mu = 0.833: thermal spins",
        "explained by cross-talk",
        f"mu = {found:.3f}{made} ({runs.annealer_label}); mu = {mu} is {temperatures['rotor']:.1f} mK for rotors and "
        f"{temperatures['two-level']:.1f} mK for two levels frozen at s = 0.5",
        f"N = {largest.n_spins}, h_L = {abs(largest.protocol.h):.3f}",
        "open",
        "Thermal equilibrium of single spins gives the value without cross-talk, at a temperature that depends on the "
        "model of a spin and is above the 16 mK that the maker gives for either. The ground state of one spin in the "
        f"hold, at g = 1 and no temperature at all, has mu = {ground:.3f}. Cross-talk raises the mu of unitary "
        "evolution, too "
        "(part 'formulas': to 0.65 at J_CT = -0.004 on nine spins). The data offer both; neither is excluded.",
    )
