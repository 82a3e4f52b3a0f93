"""Fig. 8: the exponent of the cooperative protocol against the rate of noise."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache

import spinbattery as sb
from spinbattery.analysis.scaling import Method

from .cells import alpha_cell
from .parameters import ANNEALER_DURATION_NS, ANNEALER_FITS, COOPERATIVE, CURVE_TOLERANCE, PRINTED_GAMMA_HZ
from .runs import Request, Runs, flat, records
from .section import FigureItem, Row, Section, TableItem

_SIZES = range(2, 6)
_FINE = (0.0, 0.01, 0.02, 0.03, 0.035, 0.04, 0.045, 0.06, 0.08, 0.1, 0.15, 0.21, 0.3)
_COARSE = (0.0, 0.02, 0.04, 0.06, 0.1)
"""Values of gamma tau."""

MAIN = "60 ns, s_hold 0.35"
SHORT = "20 ns, s_hold 0.35"
_CASES = {
    MAIN: (COOPERATIVE, _FINE),
    SHORT: (replace(COOPERATIVE, duration="20ns"), _COARSE),
    "200 ns, s_hold 0.35": (replace(COOPERATIVE, duration="200ns"), _COARSE),
    "60 ns, s_hold 0.25": (replace(COOPERATIVE, s_hold=0.25), _COARSE),
    "200 ns, s_hold 0.25": (replace(COOPERATIVE, duration="200ns", s_hold=0.25), _COARSE),
}


def noisy_rings(recipe: sb.ProtocolRecipe, products: Iterable[float], sizes: Iterable[int]) -> list[Request]:
    """Requests of a protocol on rings under sigma_x noise, at each gamma tau in turn."""
    duration = sb.parse_duration(recipe.duration)
    noises = [f"x:{product / duration:.6g}/ns" if product else None for product in products]
    return [Request(f"ring:{n}", recipe, noise=noise, tolerance=CURVE_TOLERANCE) for noise in noises for n in sizes]


_REQUESTS = {name: noisy_rings(recipe, products, _SIZES) for name, (recipe, products) in _CASES.items()}

REQUESTS = flat(_REQUESTS)


def noise_curve(runs: Runs, requests: Iterable[Request], method: Method) -> sb.CalibrationCurve:
    """alpha against gamma tau."""
    found = records(runs[request] for request in requests)
    return sb.calibration_curve(found, "gamma_tau", "alpha", method=method, n_replicates=400)


@lru_cache(maxsize=2)  # this part and the estimates need the same ones
def curves(runs: Runs, method: Method) -> dict[str, sb.CalibrationCurve]:
    """alpha against gamma tau for every duration and s_hold, the first being the main one."""
    return {name: noise_curve(runs, requests, method) for name, requests in _REQUESTS.items()}


def build(runs: Runs) -> Section:
    """Exponent against gamma tau on rings of two to five spins."""
    printed = ANNEALER_FITS["cooperative"]
    product = 1e-9 * PRINTED_GAMMA_HZ * ANNEALER_DURATION_NS
    return Section(
        "Fig. 8: exponent against noise",
        "Density matrices of rings with N = 2 to 5 under flips by sigma_x, cooperative protocol, log-log fits of "
        "precision = c N^alpha. The exponent falls from 2 to 0.84 while gamma tau goes from 0 to 0.21: each spin "
        "flips with a probability that does not fall with N, and independent flips alone give alpha = 1. This does "
        "not explain values below 1, where mu depends on N as well.",
        "The paper does not give the duration of its simulation. At 60 and 200 ns the curves agree about as well "
        "as the fits do; at 20 ns even the unitary exponent is not the adiabatic 2.",
        FigureItem(
            "fig8",
            "Fig. 8: alpha against gamma tau, rings N = 2 to 5, with the 95 % band of the fit at 60 ns; the "
            f"annealer's alpha = {printed.alpha_text}; and the paper's 3.5 kHz at 60 us.",
            sb.plot_calibration(
                curves(runs, "loglog"),
                measured=(printed.alpha, printed.alpha_err),
                marks={"3.5 kHz at 60 µs": product},
                banded=[MAIN],
            ),
            [runs[request] for request in REQUESTS],
        ),
        TableItem(
            "Rings, 60 ns, s_hold = 0.35: 1/sigma^2, and alpha with its standard error",
            [_row(runs, product) for product in _CASES[MAIN][1]],
        ),
    )


def _row(runs: Runs, product: float) -> Row:
    found = records(runs[request] for request in noisy_rings(COOPERATIVE, [product], _SIZES))
    return {
        "gamma tau": f"{product:g}",
        **{f"N = {record.n_spins}": f"{record.precision:.3f}" for record in found},
        "mu at N = 5": f"{found[-1].magnetization:.3f}",
        "alpha (log-log)": alpha_cell(sb.fit_scaling(found)),
    }
