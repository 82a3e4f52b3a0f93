"""How the estimate of the decoherence rate depends on the range of N: rings of up to eight spins with noise."""

from __future__ import annotations

import warnings
from functools import lru_cache

import spinbattery as sb
from spinbattery.analysis.scaling import Method
from spinbattery.core.errors import OutsideCurveWarning

from .fig8 import noise_curve, noisy_rings
from .parameters import ANNEALER_DURATION_NS, ANNEALER_FITS, COOPERATIVE
from .runs import Runs, records
from .section import Row, TableItem

METHODS: tuple[Method, ...] = ("loglog", "linear")
_PRODUCTS = (0.0, 0.01, 0.02, 0.03, 0.04, 0.06)
"""Values of gamma tau: fewer than on the smaller rings, since eight spins take seconds each."""
_UNITARY = range(2, 13)
_ALPHA = ANNEALER_FITS["cooperative"].alpha

_CURVE = noisy_rings(COOPERATIVE, _PRODUCTS, range(2, 9))
_WITHOUT = noisy_rings(COOPERATIVE, [0.0], _UNITARY)

REQUESTS = [*_CURVE, *_WITHOUT]
"""Larger rings with noise, and still larger ones without."""


def read_off(curve: sb.CalibrationCurve, measured: float, error: float = 0.0) -> sb.Estimate:
    """The parameter at which a curve has the measured value; an end outside the curve is None, without a warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OutsideCurveWarning)  # the tables say where an end is open
        return sb.estimate(curve, measured, error)


@lru_cache(maxsize=2)  # one for each method
def _found(runs: Runs, method: Method) -> sb.Estimate:
    """gamma tau at the printed alpha, with its dependence on the range of N."""
    return read_off(noise_curve(runs, _CURVE, method), _ALPHA)


def alpha_without_noise(runs: Runs, largest: int, method: Method = "loglog") -> float:
    """Exponent of the unitary runs of rings N = 2 to the largest."""
    return sb.fit_scaling(records(runs[request] for request in _WITHOUT[: largest - 1]), method=method).alpha


def table(runs: Runs) -> TableItem:
    """alpha without noise, and gamma tau at the printed alpha, for each range of N."""
    return TableItem(
        f"gamma tau at alpha = {_ALPHA} and the rate at 60 us by range of N: rings, sigma_x noise, 60 ns, s_hold 0.35",
        [_row(runs, largest) for largest in range(4, max(_UNITARY) + 1)],
        [runs[request] for request in dict.fromkeys(REQUESTS)],
    )


def _row(runs: Runs, largest: int) -> Row:
    row = {"N": f"2 to {largest}"}
    for method in METHODS:
        product = rate = "not run"
        for one in _found(runs, method).by_range:
            if one.n_spins[-1] == largest:
                product = "outside the curve" if one.value is None else f"{one.value:.4f}"
                rate = "-" if one.value is None else f"{1e6 / ANNEALER_DURATION_NS * one.value:.2f}"
        row |= {
            f"{method}: alpha without noise": f"{alpha_without_noise(runs, largest, method):.2f}",
            f"{method}: gamma tau": product,
            f"{method}: kHz": rate,
        }
    return dict(row)


def text(runs: Runs, smaller: sb.Estimate) -> str:
    """Estimates by range of N, and one interval for these and the fits; ``smaller`` comes from Fig. 8."""
    larger = _found(runs, "loglog")
    values = ", ".join(
        f"{one.value:.4f} for N <= {one.n_spins[-1]}"
        for one in larger.by_range
        if one.value is not None and one.n_spins[-1] > max(smaller.n_spins)
    )
    lows, highs = zip(smaller.interval, larger.covering or larger.interval, strict=True)
    low, high = (
        "open" if None in ends else f"{outermost(end for end in ends if end is not None):.3f}"
        for ends, outermost in ((lows, min), (highs, max))
    )
    return f"it is {values}, and fits and ranges of N together say {low} to {high}"
