"""Unweighted least squares of a exp(alpha x), for many rows of points at once."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..core.typing import FloatArray

_TOLERANCE = 1e-12
"""Relative change of the sum of squares, or change of the parameters, below which a fit has converged."""

_MOST_STEPS = 300
_FIRST_DAMPING, _LESS, _MORE = 1e-3, 0.1, 10.0
_LEAST_DAMPING = 1e-15
_LONGEST = 10.0
"""Longest step: where the sum of squares is flat, an undamped one may lead to any number."""


class _State(NamedTuple):
    """Parameters (R, 2) of (ln a, alpha), what is left of the points (R, n), and the sums of squares (R,)."""

    parameters: FloatArray
    residuals: FloatArray
    squares: FloatArray


def exponential_fits(x: FloatArray, rows: FloatArray, starts: FloatArray) -> tuple[FloatArray, FloatArray]:
    """(R, 2) of (ln a, alpha) for each of the ``rows`` (R, n), and their covariances (R, 2, 2).

    Levenberg and Marquardt's method from ``starts`` (R, 2). Both are NaN where it does not converge or where the points
    do not determine the parameters.
    """
    with np.errstate(all="ignore"):
        found, converged = _minimised(x, rows, starts)
        values, n = rows - found.residuals, len(x)
        first, mixed, last = (values**2 @ x**power for power in range(3))
        # of J^T J, by the formula of Cauchy and Binet: the difference of the products would be all rounding
        i, j = np.triu_indices(n, 1)
        determinant = ((values[:, i] * values[:, j] * (x[j] - x[i])) ** 2).sum(axis=1)
        scale = found.squares / (n - 2) / determinant
        covariances = (np.array([[last, -mixed], [-mixed, first]]) * scale).transpose(2, 0, 1)
    known = converged & np.isfinite(found.parameters).all(axis=1) & np.isfinite(covariances).all(axis=(1, 2))
    parameters = np.where(known[:, None], found.parameters, np.nan)
    return parameters, np.where(known[:, None, None], covariances, np.nan)


def _minimised(x: FloatArray, rows: FloatArray, starts: FloatArray) -> tuple[_State, NDArray[np.bool_]]:
    """The state of each row at its end, and whether it has converged."""
    state = _state(x, rows, starts)
    parameters, residuals, squares = (values.copy() for values in state)
    converged = np.zeros(len(rows), dtype=np.bool_)
    damping = np.full(len(rows), _FIRST_DAMPING)
    left = np.flatnonzero(np.isfinite(squares))
    for _ in range(_MOST_STEPS):
        if not left.size:
            break
        now = _State(parameters[left], residuals[left], squares[left])
        step, expected = _step(x, rows[left], now, damping[left])
        tried = _state(x, rows[left], now.parameters + step)
        gained = now.squares - tried.squares
        better = gained >= 0.0  # false where the step led to no number
        taken = left[better]
        for kept, new in zip((parameters, residuals, squares), tried, strict=True):
            kept[taken] = new[better]
        damping[left] = np.maximum(damping[left] * np.where(better, _LESS, _MORE), _LEAST_DAMPING)
        flat = (expected <= _TOLERANCE * now.squares) & (np.abs(gained) <= _TOLERANCE * now.squares)
        # both parameters are logarithms or powers, whose own size is no scale of their errors
        short = np.linalg.norm(step, axis=1) <= _TOLERANCE * (1.0 + np.linalg.norm(now.parameters, axis=1))
        converged[left] = flat | short
        left = left[~(flat | short)]
    return _State(parameters, residuals, squares), converged


def _state(x: FloatArray, rows: FloatArray, parameters: FloatArray) -> _State:
    residuals = rows - np.exp(parameters[:, :1] + parameters[:, 1:] * x)
    return _State(parameters, residuals, np.einsum("rn,rn->r", residuals, residuals))


def _normal_equations(x: FloatArray, rows: FloatArray, state: _State) -> tuple[FloatArray, FloatArray]:
    """J^T J, or the whole second derivative where it is positive, by its entries (R, 3), and J^T r (R, 2)."""
    values, powers = rows - state.residuals, np.stack([np.ones_like(x), x, x**2], axis=1)
    newton, gauss = (values * (values - state.residuals)) @ powers, values**2 @ powers
    positive = (newton[:, 0] > 0.0) & (newton[:, 0] * newton[:, 2] > newton[:, 1] ** 2)
    return np.where(positive[:, None], newton, gauss), (values * state.residuals) @ powers[:, :2]


def _step(x: FloatArray, rows: FloatArray, state: _State, damping: FloatArray) -> tuple[FloatArray, FloatArray]:
    """A damped step (R, 2), and by how much half of the sum of squares would fall by it in second order."""
    normal, gradient = _normal_equations(x, rows, state)
    first, mixed, last = normal.T
    first_damped, last_damped = first * (1.0 + damping), last * (1.0 + damping)
    along_first = last_damped * gradient[:, 0] - mixed * gradient[:, 1]
    along_last = first_damped * gradient[:, 1] - mixed * gradient[:, 0]
    step = np.stack([along_first, along_last], axis=1) / (first_damped * last_damped - mixed**2)[:, None]
    step *= np.minimum(1.0, _LONGEST / np.linalg.norm(step, axis=1))[:, None]
    curvature = first * step[:, 0] ** 2 + 2.0 * mixed * step[:, 0] * step[:, 1] + last * step[:, 1] ** 2
    return step, np.einsum("rk,rk->r", gradient, step) - 0.5 * curvature
