"""Lanes: an executor, and what a sweep must know to feed it."""

from __future__ import annotations

from concurrent.futures import Executor


class Lanes:
    """Any executor that runs ``width`` tasks at once; kinds that can do more override the methods.

    Attributes:
        executor: runs the tasks.
        memory: bytes that all running tasks may use together, or None if each worker has its own.
        ahead: number of tasks submitted beyond the width, so that no worker waits; they can be cancelled.
        killed: errors of tasks that have killed too many workers to be tried again.
        name: for messages.
    """

    ahead = 0
    killed: tuple[type[Exception], ...] = ()
    name = "the executor"

    def __init__(self, executor: Executor, width: int, memory: int | None) -> None:
        self.executor, self._width, self.memory = executor, width, memory

    def width(self) -> int:
        """Number of tasks that run at once; no more are submitted, so that a sweep can stop."""
        return self._width

    def memory_each(self) -> int | None:
        """Bytes that one task may use on a worker of its own, or None if that is not known."""
        return None

    def stop(self) -> None:
        """End running tasks at once, where that can be done."""

    def alive(self) -> bool:
        """Whether there is any worker."""
        return True
