"""LLVM's vector code where a self-test finds that it works, else plain loops."""

from __future__ import annotations

from types import FunctionType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import plain_loops

_AGREEMENT = 1e-12


def chosen(trial: str, *arguments: NDArray[Any]) -> Any:
    """The module of vector code if a trial of it compiles and does what the plain loops do, else the module of those.

    Args:
        trial: name of a function of the vector code that uses each operation once, and returns numbers.
        arguments: of the function, of which it gets copies.
    """
    found = []
    try:
        from . import vector_code

        compiled = getattr(vector_code, trial)
        for one in (compiled, FunctionType(compiled.py_func.__code__, vars(plain_loops))):
            given = [argument.copy() for argument in arguments]
            numbers = one(*given)
            found.append(np.concatenate([numbers, *(changed.ravel() for changed in given)]))
    except Exception:  # whatever is missing or fails to compile: the plain loops remain
        return plain_loops
    return vector_code if np.abs(found[0] - found[1]).max() < _AGREEMENT else plain_loops
