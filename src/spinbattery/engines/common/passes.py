"""Passes of a run that are made at the same time, where a single pass would leave cores idle."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from typing import TypeVar

from ...core.progress import Progress

T = TypeVar("T")

_REPORT_EVERY = 0.1
"""Seconds between two calls of the progress callable."""


class _Stopped(Exception):  # noqa: N818 -- no error: another pass failed or was interrupted
    pass


def run_together(
    run: Callable[[int, Progress], T], shares: Sequence[float], threads: int, progress: Progress
) -> list[T]:
    """``run(number, progress)`` for pass 0, 1, ..., the last and longest first; results in the order of the passes.

    An exception in a pass or in the progress callable, or Ctrl-C, stops all passes. Each learns of it through its own
    progress, so that it can keep what it has reached.

    Args:
        run: one pass; it must release the interpreter lock for most of its time.
        shares: fraction of the whole work in each pass.
        threads: how many passes run at the same time.
        progress: called in the calling thread.
    """
    stop = threading.Event()
    done = [0.0] * len(shares)
    messages = [""] * len(shares)

    def one(number: int) -> T:
        def reached(fraction: float, message: str) -> None:
            done[number], messages[number] = fraction * shares[number], message
            if stop.is_set():
                raise _Stopped

        return run(number, reached)

    futures: dict[int, Future[T]] = {}
    with ThreadPoolExecutor(threads) as pool:
        try:
            for number in reversed(range(len(shares))):
                futures[number] = pool.submit(one, number)
            pending = set(futures.values())
            while pending:
                finished, pending = wait(pending, timeout=_REPORT_EVERY, return_when=FIRST_EXCEPTION)
                for future in finished:
                    future.result()
                progress(min(sum(done), 1.0), messages[-1])
        except BaseException:
            stop.set()
            for future in futures.values():
                future.cancel()
            raise
    return [futures[number].result() for number in range(len(shares))]
