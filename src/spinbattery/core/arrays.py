"""Arrays of frozen objects."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from .typing import ComplexArray, FloatArray

Array = TypeVar("Array", bound=np.ndarray[Any, Any])
Scalar = TypeVar("Scalar", bound=np.generic)


def read_only(array: Array) -> Array:
    """The same array, closed to writing: values that a hash covers must not change."""
    array.setflags(write=False)
    return array


def distinct(values: NDArray[Scalar]) -> NDArray[Scalar]:
    """Each value once, in ascending order: as by ``np.unique``, whose first call imports all of ``numpy.ma``."""
    ordered = np.sort(values, axis=None)
    differs = np.ones(ordered.size, dtype=bool)
    np.not_equal(ordered[1:], ordered[:-1], out=differs[1:])
    return ordered[differs]


def parts(array: ComplexArray) -> FloatArray:
    """Real and imaginary part of a contiguous complex array (...,) as one array (..., 2) of the same memory."""
    return array.view(np.float64).reshape(*array.shape, 2)
