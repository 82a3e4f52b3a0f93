"""Table I, rows of the annealer: c and alpha, what counting noise makes of them, and what classical models give."""

from __future__ import annotations

from dataclasses import dataclass

from ..analysis.counting_noise import CountingNoise, counting_noise
from ..analysis.freeze_out import effective_temperature, freeze_out
from ..analysis.samples import flip_probabilities
from ..analysis.scaling import ScalingFit, fit_both
from ..problem import ChargingProblem
from ..thermal import SpinForm
from . import device
from .runs import Run, Runs
from .section import AuditItem, Section, TableItem, plus_minus

REQUESTS = [request for requests in device.REQUESTS.values() for request in requests]
"""Runs this part needs."""

_PRINTED_READS = 1000
_EXPERIMENTS = 400


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
    noise = _noise([run for run in found["cooperative"] if run.record.precision is not None])
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
                [_model_row(model, problems) for model in _MODELS],
            ),
            _noise_table(noise),
        ),
        audit=(_cooperative(fits, noise, label), *_local(fits, problems["local"], found["local"], label)),
    )


def _fits(group: list[Run]) -> dict[str, ScalingFit]:
    return fit_both([run.record for run in group if run.record.precision is not None])


def _cells(fit: dict[str, ScalingFit]) -> tuple[str, ...]:
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


def _model_row(model: _Model, problems: dict[str, list[ChargingProblem]]) -> tuple[str, ...]:
    local, cooperative = (
        [
            freeze_out(problem, model.temperature, form=model.form, readout_error=model.readout_error)
            for problem in problems[name]
        ]
        for name in ("local", "cooperative")
    )
    fits = fit_both([point.n_spins for point in cooperative], [point.precision or 0.0 for point in cooperative])
    return (
        model.name,
        f"{local[0].magnetization:.3f} to {local[-1].magnetization:.3f}",
        f"{cooperative[0].flips_variance:.4f}, {cooperative[-1].flips_variance:.3f}",
        plus_minus(fits["loglog"].alpha, fits["loglog"].alpha_err),
        f"{fits['linear'].c:.3g}",
        plus_minus(fits["linear"].alpha, fits["linear"].alpha_err),
    )


def _noise(cooperative: list[Run]) -> CountingNoise:
    """Scatter of the fits were the measured P(k) the true ones, at the paper's number of reads."""
    return counting_noise(
        [run.record.n_spins for run in cooperative],
        [flip_probabilities(run.record) for run in cooperative],
        _PRINTED_READS,
        n_experiments=_EXPERIMENTS,
    )


def _noise_table(noise: CountingNoise) -> TableItem:
    return TableItem(
        f"Counting noise alone: fits of the CP over {noise.n_experiments} synthetic experiments of {noise.n_reads} "
        "reads at each N, drawn from the measured distributions of flips",
        ("fit", "c: mean, 95 % of experiments", "alpha", "experiments without a precision at some N"),
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


def _summary(fit: dict[str, ScalingFit]) -> str:
    return "; ".join(
        f"c = {fit[method].c:.3g} +- {fit[method].c_err:.2g}, "
        f"alpha = {plus_minus(fit[method].alpha, fit[method].alpha_err)} ({method})"
        for method in ("loglog", "linear")
    )


def _cooperative(fits: dict[str, dict[str, ScalingFit]], noise: CountingNoise, label: str) -> AuditItem:
    return AuditItem(
        "Table I, cooperative on the annealer",
        _printed("cooperative"),
        _summary(fits["cooperative"]),
        f"{label}, P2 to P16",
        "open",
        "alpha = 1.39 has two explanations on offer. Decoherence of a collective state: then alpha falls from 2 as the "
        "noise grows. Or independent thermal flips of spins with few neighbours, with a small part of bits misread: "
        "the "
        "closed forms of this part give alpha from 1.35 to 1.85, depending on temperature, misread bits and fit, with "
        f"nothing collective. Counting noise alone scatters the linear alpha by +- {noise.linear.alpha_std:.2f} at "
        f"{noise.n_reads} reads (printed: +- 0.11). The emulator does not decide between them: its parameters were "
        "chosen after the printed values were known.",
    )


def _local(
    fits: dict[str, dict[str, ScalingFit]], problems: list[ChargingProblem], runs: list[Run], label: str
) -> tuple[AuditItem, AuditItem]:
    largest, mu = problems[-1], device.PRINTED_MAGNETIZATION["local"]
    temperatures = {form: effective_temperature(largest, mu, form=form) for form in ("rotor", "two-level")}
    fields = [abs(problem.protocol.h) for problem in problems]
    measured = runs[-1].record.magnetization
    return (
        AuditItem(
            "Table I, local on the annealer",
            _printed("local"),
            _summary(fits["local"]),
            f"{label}, P2 to P16",
            "reproduced",
            f"No cross-talk is needed for alpha > 1: the field of Eq. 19 grows with n_C/N, from {fields[0]:.3f} to "
            f"{fields[-1]:.3f}, and with it mu; at one field for all N alpha is 1.",
        ),
        AuditItem(
            "Local protocol on the annealer, mu = 0.833: thermal spins",
            "explained by cross-talk",
            f"mu = {measured:.3f} with no cross-talk ({label}); mu = {mu} is {temperatures['rotor']:.1f} mK for "
            f"rotors and {temperatures['two-level']:.1f} mK for two levels frozen at s = 0.5",
            f"N = {largest.n_spins}, h_L = {fields[-1]:.3f}",
            "open",
            "Thermal equilibrium of single spins gives the value without cross-talk, at a temperature that depends on "
            "the model of a spin and is above the chip's 16 mK for either. Unitary cross-talk gives it too (part "
            "'formulas'). The data offer both; neither is excluded.",
        ),
    )
