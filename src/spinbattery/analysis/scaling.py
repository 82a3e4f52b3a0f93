"""Fits of 1/sigma^2 = c N^alpha, the scaling of the precision with the number of spins, with their errors."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal, SupportsFloat, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from ..core.checks import check_choice, whole_number
from ..core.errors import FitError
from ..core.typing import FloatArray
from ..records.charge_state import NO_CHARGE
from .bounds import heisenberg_limit, standard_quantum_limit
from .least_squares import exponential_fits
from .points import CheckedPoints, Points, checked_points

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Method: TypeAlias = Literal["loglog", "linear"]
METHODS: tuple[Method, ...] = ("loglog", "linear")

_MIN_RESAMPLES = 100
_PERCENTILES = (2.5, 97.5)
_LOGARITHMS = (-700.0, 700.0)
"""Range of ln c; beyond it c is zero or infinite."""
MAX_FAILED = 0.05
"""Share of refits that may fail; an interval of 95 % without more of them would rest on a selection."""


@dataclass(frozen=True)
class Bootstrap:
    """How the intervals of a fit were found.

    Attributes:
        seed: of the numpy Generator.
        n_resamples: number of resamples.
        n_failed: resamples whose refit found no power law, which are left out of the intervals.
        confidence: coverage of the intervals.
    """

    seed: int
    n_resamples: int
    n_failed: int
    confidence: float = 0.95


@dataclass(frozen=True)
class ScalingFit:
    """A fit of precision = c N^alpha.

    Attributes:
        method: ``loglog`` or ``linear``, see :func:`fit_scaling`.
        c, alpha: the fit.
        c_err, alpha_err: standard errors, from the scatter of the residuals with n - 2 degrees of freedom.
        covariance: (2, 2) covariance of (c, alpha).
        c_interval, alpha_interval: 95 % intervals of the residual bootstrap, see :func:`fit_scaling`.
        n_spins: N of each point.
        precision: 1/sigma^2 of each point.
        bootstrap: how the intervals were found.
        uncharged: whether each point is an uncharged run, see :class:`~spinbattery.records.charge_state.ChargeState`.
    """

    method: Method
    c: float
    alpha: float
    c_err: float
    alpha_err: float
    covariance: FloatArray = field(compare=False)
    c_interval: tuple[float, float]
    alpha_interval: tuple[float, float]
    n_spins: tuple[int, ...]
    precision: tuple[float, ...]
    bootstrap: Bootstrap
    uncharged: tuple[bool, ...] = field(default=(), compare=False)

    def __call__(self, n: ArrayLike) -> FloatArray:
        """c N^alpha, with the shape of ``n``."""
        return np.asarray(self.c * np.asarray(n, dtype=np.float64) ** self.alpha)

    def to_dict(self) -> dict[str, Any]:
        """Plain data (text, numbers, lists) for JSON."""
        data = {"model": "precision = c N^alpha", **asdict(self), "covariance": self.covariance.tolist()}
        return {key: list(value) if isinstance(value, tuple) else value for key, value in data.items()}

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw points, fit, standard quantum limit N and Heisenberg scaling N^2 on log-log axes, by default new ones.

        Uncharged points are hollow.
        """
        if ax is None:
            import matplotlib.pyplot as plt

            _, ax = plt.subplots()
        sizes = np.geomspace(min(self.n_spins), max(self.n_spins), 100)
        label = rf"${self.c:.3g}\,N^{{{self.alpha:.3g}}}$ ({self.method})"
        points, hollow = np.array([self.n_spins, self.precision]), np.array(self.uncharged, dtype=np.bool_)
        if not hollow.any():
            ax.loglog(*points, "o", label="data")
        else:
            ax.loglog(*points[:, ~hollow], "o", color="C0", label="data")
            ax.loglog(*points[:, hollow], "o", color="C0", markerfacecolor="none", label=NO_CHARGE)
        ax.loglog(sizes, self(sizes), "-", label=label)
        ax.loglog(sizes, standard_quantum_limit(sizes), ":", color="0.5", label="$N$ (standard quantum limit)")
        ax.loglog(sizes, heisenberg_limit(sizes), "--", color="0.5", label="$N^2$ (Heisenberg scaling)")
        ax.set_xlabel("$N$")
        ax.set_ylabel(r"precision $1/\sigma^2$")
        ax.legend()
        return ax


def fit_scaling(
    points: Points,
    precision: Iterable[SupportsFloat] | None = None,
    *,
    method: Method = "loglog",
    n_bootstrap: int = 1000,
    seed: int = 0,
    include_uncharged: bool = False,
    mixed: bool = False,
) -> ScalingFit:
    """Fit precision = c N^alpha.

    ``loglog`` is the least-squares line of ln(1/sigma^2) against ln N, which weighs relative deviations alike; c_err
    is c times the error of ln c. ``linear`` is the unweighted least-squares fit of c N^alpha itself, which the largest
    N dominate. The two differ where the data are no exact power law: name the method.

    The intervals come from a residual bootstrap in the space of the fit. Its percentiles are widened about the fit by
    the ratio of Student's quantile for n - 2 degrees of freedom to the normal one (2.2 for four points).

    Args:
        points: records, a Dataset with dimension ``run``, or the result of a sweep, whose runs are one curve (repeated
            seeds are points of their own); or N of each point.
        precision: 1/sigma^2 of each point; only where ``points`` are N.
        method: ``loglog`` or ``linear``.
        n_bootstrap: number of resamples, 100 or more.
        seed: of the resampling; equal seeds give equal intervals.
        include_uncharged: take uncharged runs too (:class:`~spinbattery.records.charge_state.ChargeState`), whose
            sigma is not the fluctuation of a charge.
        mixed: take runs as one curve that differ in more than their networks and seeds.

    Raises:
        FitError: fewer than three different N, values that are not finite and above zero, a run with sigma = 0, no
            convergence, uncharged runs, or runs that mix curves: protocol, duration, s_hold, J, crosstalk, noise,
            energy scales, the settings of an emulator and the family of networks (rings, tori) must each have one
            value, the runs of one network may differ in their seeds alone, and none may be there twice. Bare
            numbers are not checked for either.
        InvalidParameterError: unknown method, too few resamples, or a bad seed.
    """
    check_choice("method", method, METHODS)
    seed, n_bootstrap = whole_number("seed", seed, 0), whole_number("n_bootstrap", n_bootstrap, _MIN_RESAMPLES)
    found = checked_points(points, precision, include_uncharged=include_uncharged, mixed=mixed)
    return _fit(found, method, n_bootstrap, seed)


def fit_both(
    points: Points,
    precision: Iterable[SupportsFloat] | None = None,
    *,
    n_bootstrap: int = 1000,
    seed: int = 0,
    include_uncharged: bool = False,
    mixed: bool = False,
) -> dict[str, ScalingFit]:
    """Both fits of the same points, by method; arguments and errors as :func:`fit_scaling`."""
    seed, n_bootstrap = whole_number("seed", seed, 0), whole_number("n_bootstrap", n_bootstrap, _MIN_RESAMPLES)
    found = checked_points(points, precision, include_uncharged=include_uncharged, mixed=mixed)
    return {method: _fit(found, method, n_bootstrap, seed) for method in METHODS}


def _fit(points: CheckedPoints, method: Method, n_bootstrap: int, seed: int) -> ScalingFit:
    sizes, values = points.sizes, points.precision
    # ln a + alpha (ln N - pivot): about the mean of ln N the two parameters are nearly uncorrelated
    pivot = float(np.log(sizes).mean())
    x = np.log(sizes) - pivot
    fit = _loglog if method == "loglog" else _linear
    (log_a, alpha), local, refits = fit(x, values, n_bootstrap, np.random.default_rng(seed))
    c, covariance = _at_one_spin(log_a, alpha, local, pivot)
    c_err, alpha_err = np.sqrt(np.maximum(covariance.diagonal(), 0.0)).tolist()
    c_interval, alpha_interval, n_failed = _intervals(refits, (log_a, alpha), pivot, student_factor(len(sizes)))
    return ScalingFit(
        method=method,
        c=c,
        alpha=alpha,
        c_err=c_err,
        alpha_err=alpha_err,
        covariance=covariance,
        c_interval=c_interval,
        alpha_interval=alpha_interval,
        n_spins=tuple(int(n) for n in sizes),
        precision=tuple(values.tolist()),
        bootstrap=Bootstrap(seed, n_bootstrap, n_failed),
        uncharged=tuple(points.uncharged.tolist()),
    )


def fit_rows(sizes: FloatArray, precision: FloatArray, method: Method, about: FloatArray | None = None) -> FloatArray:
    """(R, 2) of (c, alpha) for each row of precision (R, n), without error bars; NaN where no power law fits.

    Linear fits start from the log-log line of the row, or of the points ``about``: rows of resampled residuals may have
    points below zero.
    """
    pivot = float(np.log(sizes).mean())
    x = np.log(sizes) - pivot
    if method == "loglog":
        return _at_one_spin_or_nan(_line(x, np.log(precision)), pivot)
    scales = precision.max(axis=1, keepdims=True)
    shifts = np.column_stack([np.log(scales), np.zeros(len(scales))])  # of ln a and alpha
    starts = _line(x, np.log(precision if about is None else about)) - shifts
    return _at_one_spin_or_nan(exponential_fits(x, precision / scales, starts)[0] + shifts, pivot)


def inflated(residuals: FloatArray) -> FloatArray:
    """Residuals (n,), centred, times the factor by which a fit of two parameters makes them too small on average."""
    n = len(residuals)
    return np.asarray((residuals - residuals.mean()) * math.sqrt(n / (n - 2)))


def _resampled(fitted: FloatArray, residuals: FloatArray, n: int, generator: np.random.Generator) -> FloatArray:
    """Residual bootstrap: n rows of points about a fit."""
    return np.asarray(fitted + generator.choice(inflated(residuals), size=(n, len(fitted))))


_Fit: TypeAlias = tuple[tuple[float, float], FloatArray, FloatArray]
"""(ln a, alpha), their covariance (2, 2), and the refits (n_bootstrap, 2), NaN where no power law fits."""


def _line(x: FloatArray, y: FloatArray) -> FloatArray:
    """Intercept and slope of the least-squares line for x of zero mean, along the last axis of y: (..., 2)."""
    return np.stack([y.mean(axis=-1), y @ x / (x @ x)], axis=-1)


def _loglog(x: FloatArray, values: FloatArray, n_bootstrap: int, generator: np.random.Generator) -> _Fit:
    y = np.log(values)
    log_a, alpha = _line(x, y).tolist()
    fitted = log_a + alpha * x
    residuals = y - fitted
    scatter = float(residuals @ residuals) / (len(x) - 2)
    covariance = np.diag([scatter / len(x), scatter / float(x @ x)])
    return (log_a, alpha), covariance, _line(x, _resampled(fitted, residuals, n_bootstrap, generator))


def _linear(x: FloatArray, values: FloatArray, n_bootstrap: int, generator: np.random.Generator) -> _Fit:
    scale = float(values.max())
    y = values / scale
    (parameters,), (covariance,) = exponential_fits(x, y[None], _line(x, np.log(values) - math.log(scale))[None])
    if np.isnan(parameters).any():
        raise FitError("the linear fit does not converge: the points are far from a power law; use method='loglog'.")
    fitted = np.exp(parameters[0] + parameters[1] * x)
    rows = _resampled(fitted, y - fitted, n_bootstrap, generator)
    refits, _ = exponential_fits(x, rows, np.broadcast_to(parameters, (n_bootstrap, 2)))
    refits[:, 0] += math.log(scale)
    return (float(parameters[0]) + math.log(scale), float(parameters[1])), covariance, refits


def _at_one_spin(log_a: float, alpha: float, local: FloatArray, pivot: float) -> tuple[float, FloatArray]:
    """c and the covariance of (c, alpha), from (ln a, alpha) about the pivot and their covariance."""
    try:
        c = math.exp(log_a - alpha * pivot)
    except OverflowError:
        c = math.inf
    jacobian = np.array([[c, -c * pivot], [0.0, 1.0]])
    with np.errstate(all="ignore"):
        covariance = jacobian @ local @ jacobian.T
    if c == 0.0 or not np.isfinite(covariance).all():
        raise FitError(
            f"the points give alpha = {alpha:.4g}, so steep that c is no finite number: they are no power law."
        )
    covariance.setflags(write=False)
    return c, covariance


def _intervals(
    refits: FloatArray, fit: tuple[float, float], pivot: float, wider: float
) -> tuple[tuple[float, float], tuple[float, float], int]:
    """Intervals of c and alpha, ``wider`` than percentiles of the refits, and the number of refits that failed.

    ``fit`` is (ln a, alpha); the interval of c is widened on a logarithmic scale.
    """
    usable = ~np.isnan(_at_one_spin_or_nan(refits, pivot)[:, 0])
    n_failed = len(refits) - int(usable.sum())
    if n_failed > MAX_FAILED * len(refits):
        raise FitError(
            f"{n_failed} of {len(refits)} bootstrap refits found no power law: the points are too few or too "
            "scattered for error bars; add points, or use method='loglog' where it was 'linear'."
        )
    at_one = np.array([[1.0, -pivot], [0.0, 1.0]])  # (ln a, alpha) to (ln c, alpha)
    centre = at_one @ np.array(fit)
    ends = centre + wider * (np.percentile(refits[usable] @ at_one.T, _PERCENTILES, axis=0) - centre)
    (c_low, c_high), (alpha_low, alpha_high) = np.exp(np.clip(ends[:, 0], *_LOGARITHMS)).tolist(), ends[:, 1].tolist()
    return (c_low, c_high), (alpha_low, alpha_high), n_failed


def student_factor(n_points: int) -> float:
    """Student's quantile for n - 2 degrees of freedom over the normal one, for intervals of 95 %.

    A percentile interval from the scatter of n points about a fit of two parameters is too narrow by this factor, as
    the scatter is itself estimated. With four points it is 2.2: percentiles alone would cover four of five cases.
    """
    from scipy.special import ndtri, stdtrit  # scipy.stats takes a second to import

    upper = 0.01 * _PERCENTILES[1]
    return float(stdtrit(n_points - 2, upper) / ndtri(upper))


def _at_one_spin_or_nan(fits: FloatArray, pivot: float) -> FloatArray:
    """(c, alpha) from rows of (ln a, alpha); NaN where c is no finite number."""
    with np.errstate(over="ignore"):
        found: FloatArray = np.column_stack([np.exp(fits[:, 0] - fits[:, 1] * pivot), fits[:, 1]])
    found[~np.isfinite(found).all(axis=1)] = np.nan
    return found
