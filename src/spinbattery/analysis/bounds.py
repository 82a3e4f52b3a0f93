"""Reference values and bounds of the precision 1/sigma^2, with sigma the standard deviation of Sz/N."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..core.checks import real_numbers
from ..core.errors import InvalidParameterError
from ..core.typing import FloatArray

_ROUNDING = 1e-12
"""A computed |mu| above 1 by no more than this counts as 1."""


def _checked_sizes(n: ArrayLike) -> FloatArray:
    sizes = real_numbers("the number of spins", n)
    if not (np.isfinite(sizes).all() and (sizes >= 1.0).all()):
        raise InvalidParameterError(f"the number of spins must be finite and at least 1, but is {n!r}.")
    return sizes


def _checked_magnetizations(mu: ArrayLike) -> FloatArray:
    values = real_numbers("mu", mu)
    # written so that NaN fails
    if not (np.abs(values) <= 1.0 + _ROUNDING).all():
        raise InvalidParameterError(f"mu = <Sz>/N must lie within [-1, 1], but is {mu!r}.")
    return np.clip(values, -1.0, 1.0)


def _like_input(values: FloatArray) -> Any:
    return float(values) if values.ndim == 0 else values


@overload
def standard_quantum_limit(n: float) -> float: ...
@overload
def standard_quantum_limit(n: Sequence[float] | NDArray[Any]) -> FloatArray: ...
def standard_quantum_limit(n: Any) -> Any:
    """Standard quantum limit N: the precision of independent spins at mu = 0, c = alpha = 1.

    Args:
        n: number of spins, a scalar or an array.

    Returns:
        A float for a scalar, else an array with the shape of ``n``.

    Raises:
        InvalidParameterError: not finite, or below 1.
    """
    return _like_input(_checked_sizes(n).copy())


@overload
def heisenberg_limit(n: float) -> float: ...
@overload
def heisenberg_limit(n: Sequence[float] | NDArray[Any]) -> FloatArray: ...
def heisenberg_limit(n: Any) -> Any:
    """Heisenberg scaling N^2: c = 1, alpha = 2. Arguments and errors as :func:`standard_quantum_limit`."""
    return _like_input(_checked_sizes(n) ** 2)


@overload
def bhatia_davis_variance(mu: float) -> float: ...
@overload
def bhatia_davis_variance(mu: Sequence[float] | NDArray[Any]) -> FloatArray: ...
def bhatia_davis_variance(mu: Any) -> Any:
    """Upper bound (1 - mu)(1 + mu) of sigma^2 at mean mu (Bhatia and Davis, Am. Math. Mon. 107, 353 (2000)).

    It holds for every distribution on [-1, 1] and is reached when only the two ends occur. The paper prints it for
    sigma, but it bounds sigma^2.

    Args:
        mu: <Sz>/N within [-1, 1], a scalar or an array; an excess of 1e-12 counts as rounding.

    Returns:
        A float for a scalar, else an array with the shape of ``mu``.

    Raises:
        InvalidParameterError: |mu| above 1, or NaN.
    """
    values = _checked_magnetizations(mu)
    return _like_input(np.asarray((1.0 - values) * (1.0 + values)))


@overload
def bhatia_davis_precision(mu: float) -> float: ...
@overload
def bhatia_davis_precision(mu: Sequence[float] | NDArray[Any]) -> FloatArray: ...
def bhatia_davis_precision(mu: Any) -> Any:
    """Lower bound 1/((1 - mu)(1 + mu)) of the precision 1/sigma^2; infinite at |mu| = 1.

    Arguments, returns and errors as :func:`bhatia_davis_variance`.
    """
    variance = np.asarray(bhatia_davis_variance(mu))
    return _like_input(np.divide(1.0, variance, out=np.full(variance.shape, np.inf), where=variance > 0.0))
