"""Arrays of frozen objects."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np

from .typing import ComplexArray, FloatArray

Array = TypeVar("Array", bound=np.ndarray[Any, Any])


def read_only(array: Array) -> Array:
    """The same array, closed to writing: values that a hash covers must not change."""
    array.setflags(write=False)
    return array


def parts(array: ComplexArray) -> FloatArray:
    """Real and imaginary part of a contiguous complex array (...,) as one array (..., 2) of the same memory."""
    return array.view(np.float64).reshape(*array.shape, 2)
