"""LLVM's vector code where a self-test finds that it works, else plain loops."""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType, ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

_AGREEMENT = 1e-12


def vector_code_of_states() -> ModuleType:
    """Vector code of :mod:`.vectors` and :mod:`.sums`, which is slow to import."""
    from . import vector_code

    return vector_code


def chosen(vector_code: Callable[[], ModuleType], plain: ModuleType, trial: str, *arguments: NDArray[Any]) -> Any:
    """The module of vector code if a trial of it compiles and does what the plain loops do, else the module of those.

    Args:
        vector_code: imports the module of vector code.
        plain: the module of plain loops.
        trial: name of a function of the vector code that uses each operation once, and returns numbers.
        arguments: of the function, of which it gets copies.
    """
    found = []
    try:
        vectors = vector_code()
        compiled = getattr(vectors, trial)
        for one in (compiled, FunctionType(compiled.py_func.__code__, vars(plain))):
            given = [argument.copy() for argument in arguments]
            numbers = one(*given)
            found.append(np.concatenate([numbers, *(changed.ravel() for changed in given)]))
    except Exception:  # whatever is missing or fails to compile: the plain loops remain
        return plain
    return vectors if np.abs(found[0] - found[1]).max() < _AGREEMENT else plain
