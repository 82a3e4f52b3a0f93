"""How the estimate of the decoherence rate hangs on the range of N: rings of up to eight spins with noise."""

from __future__ import annotations

import warnings
from functools import lru_cache

from spinbattery.analysis.calibration import CalibrationCurve, calibration_curve
from spinbattery.analysis.estimation import Estimate, estimate
from spinbattery.analysis.scaling import Method, fit_scaling
from spinbattery.core.errors import OutsideCurveWarning
from spinbattery.model.durations import parse_duration

from . import device
from .parameters import COOPERATIVE, CURVE_TOLERANCE, DEVICE_DURATION_NS
from .runs import Request, Runs
from .section import TableItem

_PRODUCTS = (0.0, 0.01, 0.02, 0.025, 0.03, 0.04, 0.06)
"""Values of gamma tau: fewer than on the smaller rings, since eight spins take seconds each."""
_NOISY = range(2, 9)
_UNITARY = range(2, 13)
_ALPHA = device.PRINTED_FITS["cooperative"]["alpha"]
_KHZ = 1e6 / DEVICE_DURATION_NS
"""From gamma tau to thousands of flips in a second at the annealer's duration."""


def _request(n: int, product: float) -> Request:
    rate = product / parse_duration(COOPERATIVE.duration)
    noise = f"x:{rate:.6g}/ns" if product else None
    return Request(f"ring:{n}", COOPERATIVE, noise=noise, tolerance=CURVE_TOLERANCE)


_CURVE = [_request(n, product) for product in _PRODUCTS for n in _NOISY]
_WITHOUT = [_request(n, 0.0) for n in _UNITARY]

REQUESTS = [*_CURVE, *_WITHOUT]
"""Runs this needs."""


@lru_cache(maxsize=2)  # of the two methods
def curve(runs: Runs, method: Method) -> CalibrationCurve:
    """alpha against gamma tau on all of these rings, with the curves of fewer in it."""
    return calibration_curve(
        [runs[request].record for request in _CURVE], "gamma_tau", "alpha", method=method, n_replicates=400
    )


def found(runs: Runs, method: Method = "loglog") -> Estimate:
    """gamma tau at the printed alpha, with its dependence on the range of N."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OutsideCurveWarning)  # the table says where an end is open
        return estimate(curve(runs, method), _ALPHA)


def alpha_without_noise(runs: Runs, largest: int, method: Method = "loglog") -> float:
    """Exponent of the unitary runs of rings N = 2 to the largest."""
    return fit_scaling([runs[request].record for request in _WITHOUT[: largest - 1]], method=method).alpha


def table(runs: Runs) -> TableItem:
    """alpha without noise, and gamma tau at the printed alpha, for each range of N."""
    methods: tuple[Method, ...] = ("loglog", "linear")
    by_method = {method: {one.n_spins[-1]: one.value for one in found(runs, method).by_range} for method in methods}
    rows = []
    for largest in range(4, max(_UNITARY) + 1):
        cells = [f"2 to {largest}"]
        for method, values in by_method.items():
            cells.append(f"{alpha_without_noise(runs, largest, method):.2f}")
            cells += _cells(values[largest]) if largest in values else ["not run"] * 2
        rows.append(tuple(cells))
    used = [runs[request] for request in dict.fromkeys(REQUESTS)]
    return TableItem(
        f"gamma tau at alpha = {_ALPHA}, and the rate at 60 us, against the range of N: rings, sigma_x noise, "
        f"{COOPERATIVE.duration}, s_hold = 0.35",
        (
            "N",
            *(f"{method}: {what}" for method in methods for what in ("alpha without noise", "gamma tau", "kHz")),
        ),
        rows,
        used,
    )


def _cells(product: float | None) -> list[str]:
    return ["outside the curve", "-"] if product is None else [f"{product:.4f}", f"{_KHZ * product:.2f}"]


def text(runs: Runs, smaller: Estimate) -> str:
    """Estimates by range of N, and one interval for these and the fits.

    Args:
        runs: of the reproduction.
        smaller: the estimate from the rings of Fig. 8 alone.
    """
    larger = found(runs)
    products = {one.n_spins[-1]: one.value for one in larger.by_range if one.value is not None}
    values = ", ".join(
        f"{product:.4f} for N <= {largest}" for largest, product in products.items() if largest > max(smaller.n_spins)
    )
    ends = [*smaller.interval, *(larger.covering or larger.interval)]
    known = [end for end in ends if end is not None]
    low, high = (
        "open" if None in pair else f"{end:.3f}" for pair, end in ((ends[::2], min(known)), (ends[1::2], max(known)))
    )
    return f"it is {values}, and fits and ranges of N together say {low} to {high}"
