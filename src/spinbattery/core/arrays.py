"""Arrays of frozen objects."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np

Array = TypeVar("Array", bound=np.ndarray[Any, Any])


def read_only(array: Array) -> Array:
    """The same array, closed to writing: values that a hash covers must not change."""
    array.setflags(write=False)
    return array
