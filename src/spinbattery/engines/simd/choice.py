"""LLVM's vector code where a self-test finds that it works, else plain loops."""

from __future__ import annotations

from types import FunctionType
from typing import Any

import numpy as np

from . import plain_loops
from .sizes import LANES, ROW

_AGREEMENT = 1e-12


def chosen(trial: str) -> Any:
    """The module of vector code if a trial of it compiles and does what the plain loops do, else the module of those.

    Args:
        trial: name of a function of the vector code that uses each operation once.
    """
    numbers = np.cos(np.arange(6 * ROW)).reshape(6, ROW)
    index = np.arange(LANES - 1, dtype=np.uint32)[None] ** 2
    found = []
    try:
        from . import vector_code

        compiled = getattr(vector_code, trial)
        for one in (compiled, FunctionType(compiled.py_func.__code__, vars(plain_loops))):
            x, y, *tables = numbers.copy()
            sums = one(x, y, np.concatenate(tables), np.sin(numbers).reshape(3 * ROW, 2), index)
            found.append(np.concatenate([x, y, sums]))
    except Exception:  # whatever is missing or fails to compile: the plain loops remain
        return plain_loops
    return vector_code if np.abs(found[0] - found[1]).max() < _AGREEMENT else plain_loops
