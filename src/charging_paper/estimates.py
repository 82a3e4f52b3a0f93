"""Decoherence and cross-talk of the annealer, as these models infer them from its exponents and magnetization.

The paper prints 3.5 kHz, and J_CT = 1.3e-3 and 1.8e-4; they are read off the curves of Fig. 8 and Fig. 10.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import spinbattery as sb
from spinbattery.analysis.scaling import Method

from . import fig8, fig10, ranges
from .parameters import ANNEALER_DURATION_NS, ANNEALER_FITS, PRINTED_CROSSTALK, PRINTED_GAMMA_HZ, PRINTED_MAGNETIZATION
from .ranges import METHODS, read_off
from .runs import Runs
from .section import AuditItem, Row, Section, TableItem

REQUESTS = [*fig8.REQUESTS, *fig10.REQUESTS, *ranges.REQUESTS]
"""The runs of Fig. 8 and Fig. 10, and larger rings with noise."""

_COOPERATIVE, _LOCAL = ANNEALER_FITS["cooperative"], ANNEALER_FITS["local"]
_MU = PRINTED_MAGNETIZATION["local"]
_PLAIN = 1e-9 * PRINTED_GAMMA_HZ * ANNEALER_DURATION_NS
_ANGULAR = _PLAIN / (2.0 * math.pi)
"""gamma tau of the printed rate, read as a plain one and as an angular frequency."""
_KHZ = 1e6
"""kHz, that is thousands in a second, in 1/ns."""


def build(runs: Runs) -> Section:
    """gamma and J_CT from the printed exponents and magnetization, and the printed values read in every way."""
    rates = {method: fig8.curves(runs, method) for method in METHODS}
    alphas, magnetizations = (fig10.curves(runs, quantity) for quantity in ("alpha", "magnetization"))
    main = rates["loglog"][fig8.MAIN]
    without = [ranges.alpha_without_noise(runs, largest) for largest in (5, 8, 12)]
    return Section(
        "Decoherence and cross-talk from the annealer's figures",
        "An estimate is the parameter with which a model gives a measured value. Neither model here has been shown to "
        "describe the annealer: independent thermal flips also explain alpha = 1.39, and single-spin equilibrium "
        "mu = 0.833 (parts 'table1-annealer', 'formulas').",
        "The estimate depends on the range of N. Without noise alpha at 60 ns falls with the largest ring, from "
        f"{without[0]:.2f} (N <= 5) to {without[1]:.2f} (N <= 8) and {without[2]:.2f} (N <= 12), so that less and "
        "less is left for the noise to explain. An interval from the scatter about one fit does not include that.",
        "H is in GHz and acts as exp(-i 2 pi H t), but gamma is a decay rate: a spin flips gamma t times on average, "
        "without 2 pi. 3.5 kHz means 3500 flips in a second; as an angular frequency, 3500/(2 pi) = 557.",
        "The model of cross-talk fixes J_CT tau, in units of B(s)/2 (0.81 GHz in the hold) times ns; without the 2 pi "
        "of the propagator a simulation needs 2 pi times the duration. Which printed strength follows from alpha and "
        "which from mu decides the simulated duration. The annealer has its mu at N = 5612, the curve at N = 12.",
        TableItem(
            f"gamma tau at alpha = {_COOPERATIVE.alpha}: value, 95 % from the fit alone, 95 % with the printed "
            f"+- {_COOPERATIVE.alpha_err}, and the rate at tau = 60 us",
            [_rate_row(name, method, curve) for method in METHODS for name, curve in rates[method].items()],
        ),
        ranges.table(runs),
        TableItem(
            "The printed 3.5 kHz at 60 us, read in two ways, on the curve of 60 ns",
            [
                {"reading": name, "gamma tau": f"{product:.4f}", "alpha (log-log)": f"{main(product):.3f}"}
                for name, product in (
                    ("3500 flips in a second", _PLAIN),
                    ("angular: 3500/(2 pi) flips in a second", _ANGULAR),
                )
            ],
        ),
        TableItem(
            "Cross-talk: J_CT tau in B(s)/2 ns, and J_CT at that tau",
            [
                _crosstalk_row(duration, curve, measured, error)
                for duration in alphas
                for curve, measured, error in (
                    (alphas[duration], _LOCAL.alpha, _LOCAL.alpha_err),
                    (magnetizations[duration], _MU, 0.0),
                )
            ],
        ),
        TableItem(
            f"The printed strengths at 200 ns, and the tau at which they give alpha = {_LOCAL.alpha} or mu = {_MU}",
            [_printed_row(j_ct, alphas[fig10.MAIN], magnetizations[fig10.MAIN]) for j_ct in PRINTED_CROSSTALK],
        ),
        _decoherence(rates, ranges.text(runs, read_off(main, _COOPERATIVE.alpha)), without),
        _crosstalk(alphas[fig10.MAIN], magnetizations[fig10.MAIN]),
    )


def _ends(ends: tuple[float | None, float | None]) -> str:
    return " to ".join("open" if end is None else f"{end:#.3g}" for end in ends)


def _range(found: sb.Estimate) -> str:
    """Estimates as the largest N is left out one by one."""
    if found.range_of_n is None:
        return f"N = {', '.join(map(str, found.n_spins))} alone"
    return f"{_ends(found.range_of_n)}, largest N {found.by_range[0].n_spins[-1]} to {found.n_spins[-1]}"


def _number(value: float | None) -> str:
    return "outside the curve" if value is None else f"{value:#.3g}"


def _kilohertz(product: sb.Estimate, factor: float = 1.0) -> str:
    """The rate of a gamma tau at the annealer's duration, times a factor."""
    rate = product.at_duration(ANNEALER_DURATION_NS)
    value, *ends = ("open" if end is None else f"{factor * _KHZ * end:.2g}" for end in (rate.value, *rate.interval))
    return f"{value} kHz ({' to '.join(ends)})"


def _rate_row(name: str, method: Method, curve: sb.CalibrationCurve) -> Row:
    found = read_off(curve, _COOPERATIVE.alpha, _COOPERATIVE.alpha_err)
    rate = found.at_duration(ANNEALER_DURATION_NS).value
    return {
        "rings N = 2 to 5": name,
        "fit": method,
        "alpha without noise": f"{curve.y[0]:.3f}",
        "gamma tau": _number(found.value),
        "fit alone": _ends(read_off(curve, _COOPERATIVE.alpha).interval),
        "with +-": _ends(found.interval),
        "rate in kHz": _number(None if rate is None else _KHZ * rate),
    }


def _crosstalk_row(duration: str, curve: sb.CalibrationCurve, measured: float, error: float) -> Row:
    alone, found = read_off(curve, measured), read_off(curve, measured, error)
    interpolation = f"+- {alone.interpolation_error or math.nan:.1g}"
    return {
        "tau": duration,
        "from": f"{curve.quantity} = {measured}",
        "J_CT tau": _number(alone.value),
        "95 % (fit) or interpolation": _ends(alone.interval) if curve.method else interpolation,
        "range of N": _range(alone),
        "95 % with the printed error": _ends(found.interval) if error else "none printed",
        "J_CT": _number(None if alone.value is None else alone.value / sb.parse_duration(duration)),
    }


def _printed_row(j_ct: float, alpha: sb.CalibrationCurve, magnetization: sb.CalibrationCurve) -> Row:
    product = -j_ct * sb.parse_duration(fig10.MAIN)
    taus = [abs(crosstalk) / j_ct for crosstalk in _products(alpha, magnetization)]
    return {
        "|J_CT|": f"{j_ct:g}",
        "alpha at 200 ns": f"{alpha(product):.3f}",
        "mu at 200 ns": f"{magnetization(product):.3f}",
        "tau for that alpha": f"{taus[0]:.3g} ns",
        "tau for that mu": f"{taus[1]:.3g} ns",
    }


def _products(alpha: sb.CalibrationCurve, magnetization: sb.CalibrationCurve) -> list[float]:
    """|J_CT| tau at the printed alpha and at the printed mu; NaN outside a curve."""
    found = (read_off(alpha, _LOCAL.alpha).value, read_off(magnetization, _MU).value)
    return [math.nan if product is None else abs(product) for product in found]


def _decoherence(
    rates: Mapping[Method, Mapping[str, sb.CalibrationCurve]], by_range: str, without: list[float]
) -> AuditItem:
    main = rates["loglog"][fig8.MAIN]
    alone = read_off(main, _COOPERATIVE.alpha)
    found = read_off(main, _COOPERATIVE.alpha, _COOPERATIVE.alpha_err)
    slow = [curve for curves in rates.values() for name, curve in curves.items() if name != fig8.SHORT]
    products = [read_off(curve, _COOPERATIVE.alpha).value for curve in slow]
    others = [product for product in products if product is not None]
    return AuditItem(
        "Decoherence rate from alpha = 1.39",
        "3.5 kHz",
        f"gamma tau = {_number(found.value)} (95 %: {_ends(alone.interval)} from the fit, {_ends(found.interval)} with "
        f"alpha's error), that is {_kilohertz(found)} at 60 us, for N <= {max(main.n_spins)}; {by_range}; 3.5 kHz is "
        f"gamma tau = {_PLAIN:.2f} and gives alpha = {main(_PLAIN):.2f}",
        "rings N = 2 to 5, and to 8; sigma_x noise; cooperative, 60 ns, s_hold = 0.35, log-log",
        "corrected",
        f"Read as an angular frequency, 3.5 kHz is gamma tau = {_ANGULAR:.3f} and gives alpha = "
        f"{main(_ANGULAR):.2f}; ours times 2 pi is {_kilohertz(found, 2.0 * math.pi)}. Other "
        f"durations (60, 200 ns), s_hold (0.25) and fits give gamma tau from {min(others):.3f} to {max(others):.3f}. "
        f"Without noise alpha at 60 ns falls from {without[0]:.2f} (N <= 5) to {without[1]:.2f} (8) and "
        f"{without[2]:.2f} (12): the larger the rings, the less is left for noise to explain. It is the rate of one "
        "model, fitted to at most eight spins, for a chip of thousands.",
    )


def _crosstalk(alpha: sb.CalibrationCurve, magnetization: sb.CalibrationCurve) -> AuditItem:
    strong, weak = PRINTED_CROSSTALK
    from_alpha, from_mu = _products(alpha, magnetization)
    by_range = _range(read_off(alpha, _LOCAL.alpha))
    bound = read_off(alpha, _LOCAL.alpha, _LOCAL.alpha_err).interval[0]
    limit = "sets no bound at all" if bound is None else f"says |J_CT| tau < {abs(bound):.2f}"
    return AuditItem(
        "Cross-talk from alpha = 1.07 and mu = 0.833 of the local protocol",
        f"J_CT = {strong:g} and {weak:g}",
        f"J_CT tau = {from_alpha:.2f} from alpha and {from_mu:.2f} from mu, in B(s)/2 ns: {from_alpha / 200:.2g} "
        f"and {from_mu / 200:.2g} at 200 ns, {from_alpha / ANNEALER_DURATION_NS:.1g} and "
        f"{from_mu / ANNEALER_DURATION_NS:.1g} at the annealer's 60 us",
        f"unitary, tori N = 2 to 12, neighbours, {fig10.MAIN}, log-log (J_CT tau from alpha {by_range}); mu at N = 12",
        "open",
        "The printed strengths mean nothing without the duration they were simulated with, which is not given. "
        f"{strong:g} from alpha is tau = {from_alpha / strong:.0f} ns; {weak:g} from alpha and {strong:g} from mu are "
        f"{1e-3 * from_alpha / weak:.1f} and {1e-3 * from_mu / strong:.1f} us, so that one duration may explain both; "
        f"{weak:g} from mu is {1e-3 * from_mu / weak:.0f} us. At 200 ns mu, read off at N = 12 where the annealer has "
        f"5612, needs {from_mu / from_alpha:.1f} times the cross-talk that alpha needs. With its printed error alpha "
        f"{limit}, and does not exclude zero. Thermal spins come near both without it ('table1-annealer').",
    )
