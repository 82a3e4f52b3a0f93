"""Numbers as the tables and audit rows of several parts show them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import spinbattery as sb

from .runs import Run

_FEWEST_RESAMPLES = 100


def plus_minus(value: float, error: float) -> str:
    """A value with its standard error, such as ``0.88 +- 0.23``."""
    if abs(value) >= 1e4:
        return f"{value:.1e} +- {error:.1e}"
    return f"{value:.2f} +- {error:.2f}" if error >= 0.005 else f"{value:.4f} +- {error:.0e}"


def alpha_cell(fit: sb.ScalingFit) -> str:
    """alpha with its standard error."""
    return plus_minus(fit.alpha, fit.alpha_err)


def exact_c(fit: sb.ScalingFit) -> str:
    """c with its standard error, for exact runs."""
    return plus_minus(fit.c, fit.c_err)


def annealer_c(fit: sb.ScalingFit) -> str:
    """c with its standard error to three digits, for the annealer's runs, where c may be large."""
    return f"{fit.c:.3g} +- {fit.c_err:.2g}"


def fits_of(
    points: Sequence[sb.Record] | Sequence[int], precision: Sequence[float] | None = None, *, mixed: bool = False
) -> dict[str, sb.ScalingFit]:
    """Both fits of the same points; the tables show standard errors, and no intervals from many resamples."""
    return sb.fit_both(points, precision, n_bootstrap=_FEWEST_RESAMPLES, mixed=mixed)


def fit_cells(fits: Mapping[str, sb.ScalingFit] | None, c_cell: Callable[[sb.ScalingFit], str]) -> dict[str, str]:
    """c and alpha of both fits, by column; dashes where there is no fit."""
    cells = {}
    for name, method in (("log-log", "loglog"), ("linear", "linear")):
        cells[f"c ({name})"] = "-" if fits is None else c_cell(fits[method])
        cells[f"alpha ({name})"] = "-" if fits is None else alpha_cell(fits[method])
    return cells


def moment_cells(run: Run) -> dict[str, str]:
    """mu, precision and independence ratio; a dash where there is none."""
    record, ratio = run.record, sb.independence_ratio(run.record)
    return {
        "mu": f"{record.magnetization:.3f}",
        "1/sigma^2": "-" if record.precision is None else f"{record.precision:.4g}",
        "ratio": "-" if ratio is None else f"{ratio:.2f}",
    }
