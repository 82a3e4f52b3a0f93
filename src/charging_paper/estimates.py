"""What the annealer's exponents and magnetization say of its decoherence and cross-talk, in these models."""

from __future__ import annotations

import math
import warnings

from spinbattery.analysis.calibration import CalibrationCurve
from spinbattery.analysis.estimation import Estimate, estimate
from spinbattery.analysis.scaling import Method
from spinbattery.core.errors import OutsideCurveWarning
from spinbattery.model.durations import parse_duration

from . import device, fig8, fig10, ranges
from .parameters import DEVICE_DURATION_NS, PRINTED_CROSSTALK, PRINTED_GAMMA_HZ
from .runs import Runs
from .section import AuditItem, Section, TableItem

REQUESTS = [*fig8.REQUESTS, *fig10.REQUESTS, *ranges.REQUESTS]
"""Runs this part needs: those of Fig. 8 and Fig. 10, and larger rings with noise."""

_METHODS: tuple[Method, ...] = ("loglog", "linear")
_COOPERATIVE, _LOCAL = (device.PRINTED_FITS[name] for name in ("cooperative", "local"))
_MU = device.PRINTED_MAGNETIZATION["local"]
_PLAIN = 1e-9 * PRINTED_GAMMA_HZ * DEVICE_DURATION_NS
"""gamma tau of the printed rate, taken as a plain one."""
_KHZ = 1e6
"""kHz, that is thousands in a second, in 1/ns."""
_CYCLE = 2.0 * math.pi
_CROSSTALK_HEADER = (
    "tau", "from", "J_CT tau", "95 % (fit) or interpolation", "range of N", "95 % with the printed error", "J_CT",
)  # fmt: skip


def build(runs: Runs) -> Section:
    """gamma and J_CT from the printed exponents and magnetization, and the printed values read in every way."""
    rates = {method: fig8.curves(runs, method) for method in _METHODS}
    alphas, magnetizations = (fig10.curves(runs, quantity) for quantity in ("alpha", "magnetization"))
    main = rates["loglog"][fig8.MAIN]
    return Section(
        "estimates",
        "Decoherence and cross-talk from the annealer's figures",
        (
            "An estimate is the parameter with which a model gives a measured figure. Neither model here has been "
            "shown to describe the annealer: for alpha = 1.39 independent thermal flips are another explanation, for "
            "mu = 0.833 single-spin equilibrium (parts 'table1-annealer', 'formulas').",
            "The estimate hangs on the range of N. Without noise alpha at 60 ns falls with the largest ring, from "
            f"{ranges.alpha_without_noise(runs, 5):.2f} (N <= 5) to {ranges.alpha_without_noise(runs, 8):.2f} (N <= 8) "
            f"and {ranges.alpha_without_noise(runs, 12):.2f} (N <= 12), so that the noise is asked to explain less and "
            "less. An interval from the scatter about one fit does not hold that.",
            "The factor 2 pi: H is in GHz and acts as exp(-i 2 pi H t), but gamma is a decay rate: in a time t a spin "
            "flips gamma t times on average, and no 2 pi belongs to it. 3.5 kHz then means 3500 flips in a second. Had "
            "it been written as an angular frequency, it would be 3500/(2 pi) = 557 in a second.",
            "Cross-talk: the model fixes J_CT tau, in units of B(s)/2 (0.81 GHz in the hold) times ns, and a "
            "simulation without the 2 pi of the propagator would need 2 pi times the duration. Which printed strength "
            "follows from alpha and which from mu decides the duration that must have been simulated. The annealer's "
            "mu is at N = 5612, that of the curve at N = 12.",
        ),
        tables=(
            TableItem(
                f"gamma tau at alpha = {_COOPERATIVE['alpha']}: value, 95 % from the fit alone, 95 % with the printed "
                f"+- {_COOPERATIVE['alpha_err']}, and the rate at tau = 60 us",
                ("rings N = 2 to 5", "fit", "alpha without noise", "gamma tau", "fit alone", "with +-", "rate in kHz"),
                [_rate_row(name, method, curve) for method in _METHODS for name, curve in rates[method].items()],
            ),
            ranges.table(runs),
            TableItem(
                "The printed 3.5 kHz at 60 us, read in two ways, on the curve of 60 ns",
                ("reading", "gamma tau", "alpha (log-log)"),
                [
                    (name, f"{product:.4f}", f"{float(main(product)):.3f}")
                    for name, product in (
                        ("3500 flips in a second", _PLAIN),
                        ("angular: 3500/(2 pi) flips in a second", _PLAIN / _CYCLE),
                    )
                ],
            ),
            TableItem(
                "Cross-talk: J_CT tau in B(s)/2 ns, and J_CT at that tau",
                _CROSSTALK_HEADER,
                [row for duration in alphas for row in _crosstalk_rows(duration, alphas[duration], magnetizations)],
            ),
            TableItem(
                f"The printed strengths: what they give at 200 ns, and the tau at which they give alpha = "
                f"{_LOCAL['alpha']} or mu = {_MU}",
                ("|J_CT|", "alpha at 200 ns", "mu at 200 ns", "tau for that alpha", "tau for that mu"),
                [_printed_row(j_ct, alphas[fig10.MAIN], magnetizations[fig10.MAIN]) for j_ct in PRINTED_CROSSTALK],
            ),
        ),
        audit=(_decoherence(runs, rates), _crosstalk(alphas[fig10.MAIN], magnetizations[fig10.MAIN])),
    )


def _read_off(curve: CalibrationCurve, measured: float, error: float = 0.0) -> Estimate:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OutsideCurveWarning)  # the tables say where an end is open
        return estimate(curve, measured, error)


def _ends(found: Estimate) -> str:
    return " to ".join("open" if end is None else f"{end:#.3g}" for end in found.interval)


def _range(found: Estimate) -> str:
    """Estimates as the largest N is left out one by one."""
    if found.range_of_n is None:
        return f"N = {', '.join(map(str, found.n_spins))} alone"
    ends = ["open" if end is None else f"{end:#.3g}" for end in found.range_of_n]
    return f"{' to '.join(ends)}, largest N {found.by_range[0].n_spins[-1]} to {found.n_spins[-1]}"


def _number(value: float | None) -> str:
    return "outside the curve" if value is None else f"{value:#.3g}"


def _kilohertz(product: Estimate, factor: float = 1.0) -> str:
    """The rate of a gamma tau at the annealer's duration, times a factor."""
    rate = product.at_duration(DEVICE_DURATION_NS)
    value, *ends = ("open" if end is None else f"{factor * _KHZ * end:.2g}" for end in (rate.value, *rate.interval))
    return f"{value} kHz ({' to '.join(ends)})"


def _rate_row(name: str, method: Method, curve: CalibrationCurve) -> tuple[str, ...]:
    alone = _read_off(curve, _COOPERATIVE["alpha"])
    found = _read_off(curve, _COOPERATIVE["alpha"], _COOPERATIVE["alpha_err"])
    rate = found.at_duration(DEVICE_DURATION_NS).value
    return (
        name,
        method,
        f"{curve.y[0]:.3f}",
        _number(found.value),
        _ends(alone),
        _ends(found),
        _number(None if rate is None else _KHZ * rate),
    )


def _crosstalk_rows(
    duration: str, alpha: CalibrationCurve, magnetizations: dict[str, CalibrationCurve]
) -> list[tuple[str, ...]]:
    tau = parse_duration(duration)
    rows: list[tuple[str, ...]] = []
    for curve, measured, error in (
        (alpha, _LOCAL["alpha"], _LOCAL["alpha_err"]),
        (magnetizations[duration], _MU, 0.0),
    ):
        alone, found = _read_off(curve, measured), _read_off(curve, measured, error)
        rows.append(
            (
                duration,
                f"{curve.quantity} = {measured}",
                _number(alone.value),
                _ends(alone) if curve.method else f"+- {alone.interpolation_error or math.nan:.1g}",
                _range(alone),
                _ends(found) if error else "none printed",
                _number(None if alone.value is None else alone.value / tau),
            )
        )
    return rows


def _printed_row(j_ct: float, alpha: CalibrationCurve, magnetization: CalibrationCurve) -> tuple[str, ...]:
    product = -j_ct * parse_duration(fig10.MAIN)
    return (
        f"{j_ct:g}",
        f"{float(alpha(product)):.3f}",
        f"{float(magnetization(product)):.3f}",
        *(f"{_duration_of(curve, value, j_ct):.3g} ns" for curve, value in _targets(alpha, magnetization)),
    )


def _targets(alpha: CalibrationCurve, magnetization: CalibrationCurve) -> list[tuple[CalibrationCurve, float]]:
    return [(alpha, _LOCAL["alpha"]), (magnetization, _MU)]


def _duration_of(curve: CalibrationCurve, value: float, j_ct: float) -> float:
    """tau at which cross-talk of that strength gives the value, where only J_CT tau matters."""
    found = _read_off(curve, value).value
    return math.nan if found is None else abs(found) / j_ct


def _decoherence(runs: Runs, rates: dict[Method, dict[str, CalibrationCurve]]) -> AuditItem:
    main = rates["loglog"][fig8.MAIN]
    alone = _read_off(main, _COOPERATIVE["alpha"])
    found = _read_off(main, _COOPERATIVE["alpha"], _COOPERATIVE["alpha_err"])
    others = [
        value
        for curves in rates.values()
        for name, curve in curves.items()
        if name != fig8.SHORTEST and (value := _read_off(curve, _COOPERATIVE["alpha"]).value) is not None
    ]
    return AuditItem(
        "Decoherence rate from alpha = 1.39",
        "3.5 kHz",
        f"gamma tau = {_number(found.value)} (95 %: {_ends(alone)} from the fit, {_ends(found)} with alpha's error), "
        f"that is {_kilohertz(found)} at 60 us, for N <= {max(main.n_spins)}; {ranges.text(runs, alone)}; 3.5 kHz is "
        f"gamma tau = {_PLAIN:.2f} and gives alpha = {float(main(_PLAIN)):.2f}",
        "rings N = 2 to 5, and to 8; sigma_x noise; cooperative, 60 ns, s_hold = 0.35, log-log",
        "corrected",
        f"Read as an angular frequency, 3.5 kHz is gamma tau = {_PLAIN / _CYCLE:.3f} and gives alpha = "
        f"{float(main(_PLAIN / _CYCLE)):.2f}; ours times 2 pi is {_kilohertz(found, _CYCLE)}. Other "
        f"durations (60, 200 ns), s_hold (0.25) and fits give gamma tau from {min(others):.3f} to {max(others):.3f}. "
        f"Without noise alpha at 60 ns falls from {ranges.alpha_without_noise(runs, 5):.2f} (N <= 5) to "
        f"{ranges.alpha_without_noise(runs, 8):.2f} (8) and {ranges.alpha_without_noise(runs, 12):.2f} (12): the "
        "larger the rings, the less is left for noise to explain. It is the rate of one model, fitted to at most eight "
        "spins, for a chip of thousands.",
    )


def _crosstalk(alpha: CalibrationCurve, magnetization: CalibrationCurve) -> AuditItem:
    strong, weak = PRINTED_CROSSTALK
    products = [abs(_read_off(curve, value).value or math.nan) for curve, value in _targets(alpha, magnetization)]
    taus = {(j, k): products[k] / j for j in (strong, weak) for k in (0, 1)}
    by_range = _range(_read_off(alpha, _LOCAL["alpha"]))
    bound = _read_off(alpha, _LOCAL["alpha"], _LOCAL["alpha_err"]).interval[0]
    return AuditItem(
        "Cross-talk from alpha = 1.07 and mu = 0.833 of the local protocol",
        f"J_CT = {strong:g} and {weak:g}",
        f"J_CT tau = {products[0]:.2f} from alpha and {products[1]:.2f} from mu, in B(s)/2 ns: {products[0] / 200:.2g} "
        f"and {products[1] / 200:.2g} at 200 ns, {products[0] / DEVICE_DURATION_NS:.1g} and "
        f"{products[1] / DEVICE_DURATION_NS:.1g} at the annealer's 60 us",
        f"unitary, tori N = 2 to 12, neighbours, {fig10.MAIN}, log-log (J_CT tau from alpha {by_range}); mu at N = 12",
        "open",
        "The printed strengths mean nothing without the duration they were simulated with, which is not given. "
        f"{strong:g} from alpha is tau = {taus[strong, 0]:.0f} ns; {weak:g} from alpha and {strong:g} from mu are "
        f"{1e-3 * taus[weak, 0]:.1f} and {1e-3 * taus[strong, 1]:.1f} us, so that one duration may lie behind both; "
        f"{weak:g} from mu is {1e-3 * taus[weak, 1]:.0f} us. At 200 ns mu, read off at N = 12 where the annealer has "
        f"5612, asks for {products[1] / products[0]:.1f} times the cross-talk that alpha asks for. With its printed "
        "error alpha "
        + ("sets no bound at all" if bound is None else f"says |J_CT| tau < {abs(bound):.2f}")
        + ", and does not exclude zero. "
        "Thermal spins come near both figures with no cross-talk (parts 'formulas', 'table1-annealer').",
    )
