"""Waiting tasks, and how many of them are submitted together."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Sequence

from .plan import Task

_BATCH_S = 0.1
"""Tasks are submitted together up to about this run time; the way to a worker takes a thousandth of it."""

_OVERHEAD_S = 0.005
"""Time of a task besides its engine: the record, its file, the index."""

MOST_DEATHS = 4
"""A task fails when its worker has died this often: it needs too much memory, or crashes."""


class Queue:
    """Waiting tasks, the longest first."""

    def __init__(self, tasks: Iterable[Task]) -> None:
        self._tasks = deque(tasks)
        self._deaths: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._tasks)

    def take(self, memory: int | None, most: int) -> tuple[Task, ...]:
        """The next task that fits into memory (bytes), alone or with short ones after it; empty if none fits.

        Short tasks go together, at most ``most``, because the way to a worker and back takes longer than they do.
        Tasks whose worker died go alone.
        """
        first = self._first(memory)
        if first is None:
            return ()
        batch, seconds = [first], first.seconds + _OVERHEAD_S
        while self._tasks and len(batch) < most:
            task = self._tasks[0]
            seconds += task.seconds + _OVERHEAD_S
            fits = memory is None or task.required_bytes <= memory
            if seconds > _BATCH_S or not fits or self._deaths[task.key] or self._deaths[first.key]:
                break
            batch.append(self._tasks.popleft())
        return tuple(batch)

    def _first(self, memory: int | None) -> Task | None:
        for k, task in enumerate(self._tasks):
            if memory is None or task.required_bytes <= memory:
                del self._tasks[k]
                return task
        return None

    def put_back(self, tasks: Sequence[Task]) -> None:
        """Let tasks wait again, before all others."""
        self._tasks.extendleft(reversed(tasks))

    def add(self, tasks: Iterable[Task]) -> None:
        """Let tasks wait after all others."""
        self._tasks.extend(tasks)

    def may_try_again(self, task: Task) -> bool:
        """Count a worker that died with a task; whether the task may be tried again."""
        self._deaths[task.key] += 1
        return self._deaths[task.key] < MOST_DEATHS
