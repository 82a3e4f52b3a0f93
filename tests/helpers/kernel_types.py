"""Types for which Numba has compiled the functions of this process."""

from __future__ import annotations

import sys


def needless_variants():
    """Functions with types that differ in nothing but closed arrays, gaps in memory, or kinds of numbers, by name.

    Which of them a run needs would depend on its size, so that neither a warm-up nor a run before could see to it.
    """
    jitted = sys.modules.get("spinbattery.core.jitted")
    found = {}
    for function in [] if jitted is None else jitted.functions:
        by_kind = {}
        for signature in function.signatures:
            by_kind.setdefault(tuple(_kind(one) for one in signature), []).append(signature)
        variants = [signatures for signatures in by_kind.values() if len(signatures) > 1]
        if variants:
            found[f"{function.py_func.__module__}.{function.py_func.__name__}"] = variants
    return found


def _kind(one):
    from numba.core import types

    if isinstance(one, types.Array):
        return "array", one.dtype, one.ndim
    if isinstance(one, types.BaseTuple):
        return tuple(_kind(inner) for inner in one)
    return "number" if isinstance(types.unliteral(one), (types.Number, types.Boolean)) else one
