"""Fig. 10: magnetization and exponent of the local protocol against cross-talk."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import spinbattery as sb
from spinbattery.analysis.calibration import Quantity

from .cells import alpha_cell
from .parameters import (
    ANNEALER_FITS,
    CURVE_TOLERANCE,
    LOCAL,
    N_ANNEALER,
    PRINTED_CROSSTALK,
    PRINTED_MAGNETIZATION,
    TORI,
)
from .runs import Request, Runs, flat, on_tori, records, torus_name
from .section import FigureItem, Row, Section, TableItem

MAIN = "200 ns"
_LARGEST = TORI[-1]
_PRODUCTS = {
    "60 ns": (0.0, -0.1, -0.2, -0.4, -0.8, -1.6, -2.0, -2.4),
    MAIN: (0.0, -0.036, -0.1, -0.2, -0.26, -0.4, -0.8, -1.6, -2.1, -2.3, -2.6),
    "600 ns": (-0.2, -0.3, -0.8, -2.1, -2.4),
}
"""Values of J_CT tau by duration, in B(s)/2 ns; 1.8e-4 and 1.3e-3 at 200 ns are among them."""


def _tori(duration: str, product: float) -> list[Request]:
    """Requests of all tori at one J_CT tau."""
    crosstalk = float(f"{product / sb.parse_duration(duration):.6g}")
    recipe = replace(LOCAL, duration=duration.replace(" ", ""))
    return on_tori(recipe, tolerance=CURVE_TOLERANCE, crosstalk=crosstalk)


_REQUESTS = {
    duration: [request for product in products for request in _tori(duration, product)]
    for duration, products in _PRODUCTS.items()
}

REQUESTS = flat(_REQUESTS)


@lru_cache(maxsize=2)  # this part and the estimates need the same ones
def curves(runs: Runs, quantity: Quantity) -> dict[str, sb.CalibrationCurve]:
    """alpha over the tori, or mu of the largest, against J_CT tau, by duration."""
    wanted = {torus_name(size) for size in (TORI if quantity == "alpha" else [_LARGEST])}
    found = {}
    for duration, requests in _REQUESTS.items():
        group = records(runs[request] for request in requests if request.network in wanted)
        found[duration] = sb.calibration_curve(group, "crosstalk_tau", quantity, n_replicates=400)
    return found


def build(runs: Runs) -> Section:
    """mu at N = 12 and alpha over the tori against J_CT tau, at three durations."""
    alphas, magnetizations = (curves(runs, quantity) for quantity in ("alpha", "magnetization"))
    used = [runs[request] for request in REQUESTS]
    printed, mu = ANNEALER_FITS["local"], PRINTED_MAGNETIZATION["local"]
    marks = {f"{j_ct:g} at {MAIN}": j_ct * sb.parse_duration(MAIN) for j_ct in PRINTED_CROSSTALK}
    return Section(
        "Fig. 10: the local protocol with cross-talk",
        "Unitary runs of the local protocol on tori with N = 2 to 12 and a uniform ferromagnetic J_CT on "
        "neighbours. Without cross-talk mu is near 0 and alpha is 1; both grow with it.",
        "Drawn against J_CT tau, the curves of 200 and 600 ns lie on each other: a slow local protocol with weak "
        "cross-talk depends on this product alone. A strength of cross-talk can therefore be read off only "
        "together with the duration that was simulated, which the paper does not give.",
        FigureItem(
            "fig10a",
            f"Fig. 10: magnetization of the local protocol against cross-talk, N = {_LARGEST[0] * _LARGEST[1]}; "
            f"the annealer's {mu} at N = {N_ANNEALER}, and the paper's strengths as they would be at {MAIN}.",
            sb.plot_calibration(magnetizations, measured=(mu, 0.0), marks=marks),
            used,
        ),
        FigureItem(
            "fig10b",
            "Fig. 10: exponent (log-log) of the local protocol against cross-talk, N = 2 to 12, with 95 % bands of "
            f"the fit; the annealer's {printed.alpha_text}.",
            sb.plot_calibration(alphas, measured=(printed.alpha, printed.alpha_err), marks=marks),
            used,
        ),
        TableItem(
            "mu at N = 12 and alpha (log-log, with its standard error), against J_CT tau in B(s)/2 ns",
            [_row(runs, duration, product) for duration, products in _PRODUCTS.items() for product in products],
        ),
    )


def _row(runs: Runs, duration: str, product: float) -> Row:
    found = records(runs[request] for request in _tori(duration, product))
    return {
        "tau": duration,
        "J_CT tau": f"{product:.3g}",
        "J_CT": f"{product / sb.parse_duration(duration):.3g}",
        "mu": f"{found[-1].magnetization:.4f}",  # of the largest torus
        "alpha": alpha_cell(sb.fit_scaling(found)),
    }
