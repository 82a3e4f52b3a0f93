"""Fig. 8: the exponent of the cooperative protocol against the rate of noise."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from spinbattery.analysis.calibration import CalibrationCurve, calibration_curve
from spinbattery.analysis.scaling import Method, fit_scaling
from spinbattery.figures.curves import plot_calibration
from spinbattery.model.durations import parse_duration

from . import device
from .parameters import COOPERATIVE, CURVE_TOLERANCE, DEVICE_DURATION_NS, PRINTED_GAMMA_HZ
from .runs import Request, Run, Runs
from .section import FigureItem, Section, TableItem, plus_minus

_SIZES = range(2, 6)
_FINE = (0.0, 0.01, 0.02, 0.03, 0.035, 0.04, 0.045, 0.06, 0.08, 0.1, 0.15, 0.21, 0.3)
_COARSE = (0.0, 0.02, 0.04, 0.06, 0.1)
"""Values of gamma tau."""

MAIN, SHORTEST = "60 ns, s_hold 0.35", "20 ns, s_hold 0.35"
_RECIPES = {
    MAIN: COOPERATIVE,
    SHORTEST: replace(COOPERATIVE, duration="20ns"),
    "200 ns, s_hold 0.35": replace(COOPERATIVE, duration="200ns"),
    "60 ns, s_hold 0.25": replace(COOPERATIVE, s_hold=0.25),
    "200 ns, s_hold 0.25": replace(COOPERATIVE, duration="200ns", s_hold=0.25),
}


def _requests(name: str) -> list[Request]:
    recipe = _RECIPES[name]
    rates = [product / parse_duration(recipe.duration) for product in (_FINE if name == MAIN else _COARSE)]
    noises = [f"x:{rate:.6g}/ns" if rate else None for rate in rates]
    return [Request(f"ring:{n}", recipe, noise=noise, tolerance=CURVE_TOLERANCE) for noise in noises for n in _SIZES]


_REQUESTS = {name: _requests(name) for name in _RECIPES}

REQUESTS = [request for requests in _REQUESTS.values() for request in requests]
"""Runs this part needs."""


@lru_cache(maxsize=2)  # this part and the estimates need the same ones
def curves(runs: Runs, method: Method) -> dict[str, CalibrationCurve]:
    """alpha against gamma tau of every duration and s_hold, the first being the main one."""
    return {
        name: calibration_curve(
            [runs[request].record for request in requests], "gamma_tau", "alpha", method=method, n_replicates=400
        )
        for name, requests in _REQUESTS.items()
    }


def build(runs: Runs) -> Section:
    """Exponent against gamma tau on rings of two to five spins."""
    found = curves(runs, "loglog")
    used = {name: [runs[request] for request in requests] for name, requests in _REQUESTS.items()}
    printed = device.PRINTED_FITS["cooperative"]
    product = 1e-9 * PRINTED_GAMMA_HZ * DEVICE_DURATION_NS
    return Section(
        "fig8",
        "Fig. 8: exponent against noise",
        (
            "Density matrices of rings with N = 2 to 5 under flips by sigma_x, cooperative protocol, log-log fits of "
            "precision = c N^alpha. The exponent falls from 2 to 0.84 while gamma tau goes from 0 to 0.21: each spin "
            "flips with a probability that does not fall with N, and independent flips alone give alpha = 1. That it "
            "falls below 1, where mu depends on N as well, is not explained by that.",
            "The paper does not give the duration of its simulation. At 60 and 200 ns the curves agree about as well "
            "as the fits do; at 20 ns even the unitary exponent is not the adiabatic 2.",
        ),
        (
            FigureItem(
                "fig8",
                "Fig. 8: alpha against gamma tau, rings N = 2 to 5, with the 95 % band of the fit at 60 ns; the "
                f"annealer's alpha = {printed['alpha']} +- {printed['alpha_err']}; and the paper's 3.5 kHz at 60 us.",
                plot_calibration(
                    found,
                    measured=(printed["alpha"], printed["alpha_err"]),
                    marks={"3.5 kHz at 60 µs": product},
                    banded=[MAIN],
                ),
                [run for group in used.values() for run in group],
            ),
        ),
        (
            TableItem(
                "Rings, 60 ns, s_hold = 0.35: 1/sigma^2, and alpha with its standard error",
                ("gamma tau", *(f"N = {n}" for n in _SIZES), "mu at N = 5", "alpha (log-log)"),
                [_row(k, used[MAIN]) for k in range(len(_FINE))],
            ),
        ),
    )


def _row(k: int, used: list[Run]) -> tuple[str, ...]:
    records = [run.record for run in used[k * len(_SIZES) : (k + 1) * len(_SIZES)]]
    fit = fit_scaling(records)
    return (
        f"{_FINE[k]:g}",
        *(f"{record.precision:.3f}" for record in records),
        f"{records[-1].magnetization:.3f}",
        plus_minus(fit.alpha, fit.alpha_err),
    )
