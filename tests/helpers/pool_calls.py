"""What the tests of pools run in workers: importable, as their processes need it."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

LIMITS = tuple(f"{library}_NUM_THREADS" for library in ("OMP", "OPENBLAS", "MKL", "NUMBA", "VECLIB_MAXIMUM"))


def double(x):
    return 2 * x


def pid():
    return os.getpid()


def refuse(text):
    raise ValueError(text)


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def survive_signals():
    """Signals that a terminal sends to all processes of a sweep."""
    for number in (signal.SIGINT, signal.SIGTERM):
        os.kill(os.getpid(), number)
    return "alive"


def limits():
    import numpy as np
    from threadpoolctl import threadpool_info

    np.ones((2, 2)) @ np.ones((2, 2))
    return {name: os.environ.get(name) for name in LIMITS}, [entry["num_threads"] for entry in threadpool_info()]


def main_module():
    import sys

    return getattr(sys.modules["__main__"], "__file__", None)


def meet(mine, others):
    """Leave a file and wait for another: returns only if both calls run at once."""
    Path(mine).touch()
    while not Path(others).exists():
        time.sleep(0.01)
    return True


def wait_for(path):
    while not Path(path).exists():
        time.sleep(0.01)
    return True


def start_and_sleep(path):
    Path(path).touch()
    time.sleep(600.0)


def say_that_kernels_are_compiled():
    from spinbattery.core import compilation

    compilation.say()
    return os.getpid()
