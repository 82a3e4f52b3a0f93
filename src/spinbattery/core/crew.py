"""Work shared by threads that can be stopped: progress and Ctrl-C act between two steps of a task."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait

from .progress import Progress

Task = Callable[[], Iterator[float]]
"""Yields after each step how much of the work it was; steps should take 0.1 s or less."""

_REPORT_EVERY = 0.1
"""Seconds between two calls of the progress callable."""


def run_tasks(tasks: Sequence[Task], threads: int, progress: Progress, message: str) -> None:
    """Run all tasks; whatever is raised, by a task, by the progress callable or by Ctrl-C, stops the others.

    Args:
        tasks: the works, whose sum is 1.
        threads: how many tasks run at the same time.
        progress: called in the calling thread.
        message: what progress says.
    """
    stop, lock = threading.Event(), threading.Lock()
    done = 0.0

    def work(task: Task) -> None:
        nonlocal done
        for step in () if stop.is_set() else task():
            with lock:
                done += step
            if stop.is_set():
                return

    with ThreadPoolExecutor(min(threads, max(1, len(tasks)))) as pool:
        try:
            futures = [pool.submit(work, task) for task in tasks]
            pending = set(futures)
            while pending:
                finished, pending = wait(pending, timeout=_REPORT_EVERY, return_when=FIRST_EXCEPTION)
                for future in finished:
                    future.result()
                progress(min(done, 1.0), message)
        except BaseException:
            stop.set()
            raise
