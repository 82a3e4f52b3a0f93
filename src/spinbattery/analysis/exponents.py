"""Exponents along a calibration curve, with replicates that draw the networks once for the whole curve."""

from __future__ import annotations

import numpy as np

from ..core.errors import FitError
from ..core.typing import FloatArray
from .scaling import MAX_FAILED, Method, fit_rows, inflated, student_factor


def exponents(
    sizes: FloatArray,
    precision: FloatArray,
    errors: FloatArray,
    method: Method,
    generator: np.random.Generator,
    n_replicates: int,
) -> tuple[FloatArray, FloatArray]:
    """alpha at each value of a parameter (n,), and its replicates (R, n) from draws, R less where no power law fits.

    ``sizes`` is N of each network; ``precision`` and its absolute standard errors, or zero, are (n, networks).
    """
    nominal = np.concatenate([fit_rows(sizes, row[None], method) for row in precision])
    if np.isnan(nominal).any():
        raise FitError(f"a {method} fit does not converge: the points are far from a power law; try the other method.")
    n = sizes.size
    # one draw for the whole curve: a network that deviates from a power law deviates alike at neighbouring values, so
    # that a replicate is a curve, and not a scatter of points
    drawn = generator.integers(n, size=(n_replicates, n))
    rows = np.empty((n_replicates, len(precision)))
    for k, (values, error, (c, alpha)) in enumerate(zip(precision, errors, nominal, strict=True)):
        scatter, own = _shifts(values, error, c * sizes**alpha, method)
        shifted = [(student_factor(n), scatter[drawn])]
        if own.any():
            shifted.append((1.0, own * generator.standard_normal((n_replicates, n))))
        rows[:, k] = alpha
        for factor, shifts in shifted:
            fitted = c * sizes**alpha
            resampled = fitted * np.exp(shifts) if method == "loglog" else fitted + shifts
            rows[:, k] += factor * (fit_rows(sizes, resampled, method, about=values)[:, 1] - alpha)
    kept = rows[~np.isnan(rows).any(axis=1)]
    if len(kept) < (1.0 - MAX_FAILED) * n_replicates:
        raise FitError(
            f"{n_replicates - len(kept)} of {n_replicates} replicates found no power law at some point: the networks "
            "are too few or too scattered for error bars; add networks, or use method='loglog' where it was 'linear'."
        )
    return nominal[:, 1], kept


def _shifts(
    precision: FloatArray, error: FloatArray, fitted: FloatArray, method: Method
) -> tuple[FloatArray, FloatArray]:
    """Residuals (networks,) that the errors of the runs do not explain, and these errors, in the space of the fit."""
    logarithmic = method == "loglog"
    scatter = inflated(np.log(precision / fitted) if logarithmic else precision - fitted)
    own = error / precision if logarithmic else error
    total = float(np.mean(scatter**2))
    unexplained = max(0.0, 1.0 - float(np.mean(own**2)) / total) if total > 0.0 else 0.0
    return scatter * np.sqrt(unexplained), own
