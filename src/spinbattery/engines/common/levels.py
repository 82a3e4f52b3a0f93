"""Levels of step halving that run at the same time, where one alone would leave cores idle."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from typing import TypeVar

from ...core.progress import Progress

T = TypeVar("T")

_REPORT_EVERY = 0.1
"""Seconds between two calls of the progress callable."""


class _Stopped(Exception):  # noqa: N818 -- no error: another level failed or was interrupted
    pass


def run_together(
    run: Callable[[int, Progress], T], shares: Sequence[float], threads: int, progress: Progress
) -> list[T]:
    """``run(level, progress)`` for level 0, 1, ..., the last and longest first; results in the order of the levels.

    Whatever is raised, by a level, by the progress callable or by Ctrl-C, stops all of them; each is told through
    its own progress, so that it can keep what it has reached.

    Args:
        run: one level; it must release the interpreter lock for most of its time.
        shares: of the whole work, one for each level.
        threads: how many run at the same time.
        progress: called in the calling thread.
    """
    stop = threading.Event()
    done = [0.0] * len(shares)
    messages = [""] * len(shares)

    def one(level: int) -> T:
        def reached(fraction: float, message: str) -> None:
            done[level], messages[level] = fraction * shares[level], message
            if stop.is_set():
                raise _Stopped

        return run(level, reached)

    futures: dict[int, Future[T]] = {}
    with ThreadPoolExecutor(threads) as pool:
        try:
            for level in reversed(range(len(shares))):
                futures[level] = pool.submit(one, level)
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
    return [futures[level].result() for level in range(len(shares))]
