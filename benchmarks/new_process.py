"""Jobs in processes of their own, which share nothing with this one: how long they take, and how much memory."""

from __future__ import annotations

import multiprocessing
import resource
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


def alone(job: Callable[..., T], *arguments: object) -> tuple[T, float]:
    """The return value of a function in a spawned process, and seconds from the start of the process to its end."""
    start = time.perf_counter()
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        result = pool.submit(job, *arguments).result()
    return result, time.perf_counter() - start


def peak_memory() -> int:
    """Peak memory of this process in bytes.

    From /proc where there is one: ru_maxrss of a spawned process begins with what its parent held.
    """
    status = Path("/proc/self/status")
    if status.exists():
        lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
        return 1024 * int(lines["VmHWM"].split()[0])
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else 1024 * most
