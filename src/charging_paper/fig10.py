"""Fig. 10: magnetization and exponent of the local protocol against cross-talk."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from spinbattery.analysis.calibration import CalibrationCurve, Quantity, calibration_curve
from spinbattery.analysis.scaling import fit_scaling
from spinbattery.figures.curves import plot_calibration
from spinbattery.model.durations import parse_duration

from . import device
from .parameters import CURVE_TOLERANCE, LOCAL, PRINTED_CROSSTALK, TORI
from .runs import Request, Runs, torus_name
from .section import FigureItem, Section, TableItem, plus_minus

MAIN = "200 ns"
LARGEST = TORI[-1]
_PRODUCTS = {
    "60 ns": (0.0, -0.1, -0.2, -0.4, -0.8, -1.6, -2.0, -2.4),
    MAIN: (0.0, -0.036, -0.1, -0.2, -0.26, -0.4, -0.8, -1.6, -2.1, -2.3, -2.6),
    "600 ns": (-0.2, -0.3, -0.8, -2.1, -2.4),
}
"""Values of J_CT tau by duration, in B(s)/2 ns; 1.8e-4 and 1.3e-3 at 200 ns are among them."""


def _requests(duration: str) -> list[Request]:
    recipe = replace(LOCAL, duration=duration.replace(" ", ""))
    couplings = [float(f"{product / parse_duration(recipe.duration):.6g}") for product in _PRODUCTS[duration]]
    return [
        Request(torus_name(size), recipe, crosstalk=j_ct, tolerance=CURVE_TOLERANCE)
        for j_ct in couplings
        for size in TORI
    ]


_REQUESTS = {duration: _requests(duration) for duration in _PRODUCTS}

REQUESTS = [request for requests in _REQUESTS.values() for request in requests]
"""Runs this part needs."""


@lru_cache(maxsize=2)  # this part and the estimates need the same ones
def curves(runs: Runs, quantity: Quantity) -> dict[str, CalibrationCurve]:
    """alpha over the tori, or mu of the largest, against J_CT tau, by duration."""
    wanted = {torus_name(size) for size in (TORI if quantity == "alpha" else [LARGEST])}
    return {
        duration: calibration_curve(
            [runs[request].record for request in requests if request.network in wanted],
            "crosstalk_tau",
            quantity,
            n_replicates=400,
        )
        for duration, requests in _REQUESTS.items()
    }


def build(runs: Runs) -> Section:
    """mu at N = 12 and alpha over the tori against J_CT tau, at three durations."""
    alphas, magnetizations = (curves(runs, quantity) for quantity in ("alpha", "magnetization"))
    used = [runs[request] for request in REQUESTS]
    printed, mu = device.PRINTED_FITS["local"], device.PRINTED_MAGNETIZATION["local"]
    marks = {f"{j_ct:g} at {MAIN}": j_ct * parse_duration(MAIN) for j_ct in PRINTED_CROSSTALK}
    n = LARGEST[0] * LARGEST[1]
    return Section(
        "fig10",
        "Fig. 10: the local protocol with cross-talk",
        (
            "Unitary runs of the local protocol on tori with N = 2 to 12 and a uniform ferromagnetic J_CT on "
            "neighbours. Without cross-talk mu is near 0 and alpha is 1; both grow with it.",
            "Drawn against J_CT tau, the curves of 200 and 600 ns lie on each other: a slow local protocol with weak "
            "cross-talk knows only that product. A strength of cross-talk can therefore be read off only together "
            "with the duration that was simulated, which the paper does not give.",
        ),
        (
            FigureItem(
                "fig10a",
                f"Fig. 10: magnetization of the local protocol against cross-talk, N = {n}; the annealer's {mu} at "
                f"N = {device.N_QPU}, and the paper's strengths as they would be at {MAIN}.",
                plot_calibration(magnetizations, measured=(mu, 0.0), marks=marks),
                used,
            ),
            FigureItem(
                "fig10b",
                "Fig. 10: exponent (log-log) of the local protocol against cross-talk, N = 2 to 12, with 95 % bands of "
                f"the fit; the annealer's {printed['alpha']} +- {printed['alpha_err']}.",
                plot_calibration(alphas, measured=(printed["alpha"], printed["alpha_err"]), marks=marks),
                used,
            ),
        ),
        (
            TableItem(
                "mu at N = 12 and alpha (log-log, with its standard error), against J_CT tau in B(s)/2 ns",
                ("tau", "J_CT tau", "J_CT", "mu", "alpha"),
                [row for duration in _PRODUCTS for row in _rows(runs, duration)],
            ),
        ),
    )


def _rows(runs: Runs, duration: str) -> list[tuple[str, ...]]:
    tau = parse_duration(duration)
    rows: list[tuple[str, ...]] = []
    for product in _PRODUCTS[duration]:
        first = len(TORI) * len(rows)
        records = [runs[request].record for request in _REQUESTS[duration][first : first + len(TORI)]]
        fit = fit_scaling(records)
        largest = max(records, key=lambda record: record.n_spins)
        alpha = plus_minus(fit.alpha, fit.alpha_err)
        rows.append((duration, f"{product:.3g}", f"{product / tau:.3g}", f"{largest.magnetization:.4f}", alpha))
    return rows
