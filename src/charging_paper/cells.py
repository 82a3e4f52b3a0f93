"""Cells of tables that several parts have."""

from __future__ import annotations

from spinbattery.analysis.scaling import ScalingFit
from spinbattery.analysis.statistics import independence_ratio

from .runs import Run
from .section import plus_minus

FIT_HEADER = ("c (log-log)", "alpha (log-log)", "c (linear)", "alpha (linear)")


def fit_cells(fits: dict[str, ScalingFit]) -> tuple[str, ...]:
    """c and alpha of both methods, as :data:`FIT_HEADER` names them."""
    cells = []
    for method in ("loglog", "linear"):
        fit = fits[method]
        cells += [plus_minus(fit.c, fit.c_err), plus_minus(fit.alpha, fit.alpha_err)]
    return tuple(cells)


def moment_cells(run: Run) -> tuple[str, str, str]:
    """mu, precision and independence ratio; a dash where there is none."""
    record, ratio = run.record, independence_ratio(run.record)
    precision = "-" if record.precision is None else f"{record.precision:.4g}"
    return f"{record.magnetization:.3f}", precision, "-" if ratio is None else f"{ratio:.2f}"
