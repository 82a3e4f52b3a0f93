"""The note that kernels are compiled: the first run of an engine on a machine takes longer than those after it."""

from __future__ import annotations

import logging
import math
import time

_logger = logging.getLogger("spinbattery")

_LOOP = 50_000
_REFERENCE_S = 4e-3
"""Time of a loop of that length on the machine where the seconds of engines were measured."""

_expected_s = 10.0
_is_said = False


def expect(seconds: float) -> None:
    """Note what the kernels of the engine that runs next take to compile, in s on the machine of reference."""
    global _expected_s
    _expected_s = seconds


def say() -> None:
    """Log, once in this process, that kernels are being compiled, and about how long that takes."""
    global _is_said
    if not _is_said:
        _is_said = True
        _logger.warning(
            "compiling kernels for this machine, once: about %d s (spinbattery warm-up compiles those of all engines).",
            math.ceil(_expected_s * _slowness()),
        )


def _slowness() -> float:
    """How much longer this machine takes than that of reference: compiling is mostly work of the interpreter."""
    found = []
    for _ in range(3):
        start, total = time.perf_counter(), 0
        for k in range(_LOOP):
            total += k & 3
        found.append(time.perf_counter() - start)
    return min(found) / _REFERENCE_S
