"""The loop that feeds an executor and collects the outcomes."""

from __future__ import annotations

import time
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, wait
from typing import Any

from ..core.errors import SpinBatteryError, SweepError
from ..core.interruption import Interruption, SweepInterrupted
from ..core.progress import Progress
from ..store.files import Entry
from ..store.folder import Store
from .lanes import Lanes
from .plan import Task
from .pool import InProcess
from .queue import MOST_DEATHS, Queue
from .survey import Survey
from .tally import Tally
from .task import Outcome, failure, perform, this_process

_TICK_S = 0.2
_ASK_AGAIN_S = 0.5
_INDEX_EVERY_S = 1.0
_REPORT_EVERY_S = 0.05
_SEEN_WITHIN_S = 10.0
_DESERTED_S = 10.0


class _ProgressError(BaseException):
    """An error of the caller's progress, on its way through an engine that runs in this process."""

    def __init__(self, error: Exception) -> None:
        super().__init__(error)
        self.error = error


class Loop:
    """Feeds tasks to an executor, no more at once than it runs, and collects the outcomes."""

    def __init__(
        self, found: Survey, store: Store, lanes: Lanes, interruption: Interruption, progress: Progress
    ) -> None:
        self._store, self._lanes, self._interruption, self._progress = store, lanes, interruption, progress
        self._forced = found.forced
        self._waiting = Queue(found.todo)
        self._running: dict[Future[list[Outcome]], tuple[Task, ...]] = {}
        self._elsewhere: list[Task] = []
        self._entries: list[Entry] = []
        self._indexed = self._asked = self._alive = time.monotonic()
        self._reported = 0.0
        self._unwritten: str | None = None
        self._tally = Tally(len(found.todo), found.seconds)

    def run(self) -> int:
        """Run all tasks; returns the number of runs computed here."""
        try:
            while self._waiting or self._running or self._elsewhere:
                self._interruption.check()
                if not self._stopping:
                    self._hand_over()
                else:
                    self._take_back()
                    if not self._running or self._deserted():
                        break
                self._take_in()
                self._ask_again()
                self._index(_INDEX_EVERY_S)
                self._report()
        except _ProgressError as stop:
            raise stop.error from None
        except SweepInterrupted as stop:
            self._lanes.stop()
            kept = self._kept() if self._interruption.patient else "without a store nothing is kept."
            raise SweepInterrupted(f"stopped at once; {kept}", stop.signal_number) from None
        except KeyboardInterrupt:
            self._lanes.stop()
            raise
        finally:
            self._index(0.0)
        if self._unwritten:
            raise SweepError(f"{self._unwritten} {self._kept()}")
        if self._stopping and (self._waiting or self._elsewhere or self._running):
            raise SweepInterrupted(f"interrupted; {self._kept()}", self._interruption.signal_number or 0)
        return self._tally.computed

    @property
    def _stopping(self) -> bool:
        return self._interruption.signal_number is not None or self._unwritten is not None

    def _kept(self) -> str:
        left = len(self._waiting) + len(self._elsewhere) + sum(len(tasks) for tasks in self._running.values())
        return (
            f"{self._tally.ended} of {self._tally.total} problems are finished and kept, {left} are left; run the "
            "same again to go on."
        )

    def _hand_over(self) -> None:
        workers = self._lanes.width()
        while self._waiting and len(self._running) < workers + self._lanes.ahead and not self._stopping:
            tasks = self._take(workers)
            if not tasks:
                return
            forced = frozenset(task.key for task in tasks if task.key in self._forced)
            arguments: tuple[Any, ...] = (tasks, self._store.folder, this_process(), forced)
            if isinstance(self._lanes.executor, InProcess):  # another process cannot report
                arguments += (self._within(tasks[0]),)
            try:
                self._running[self._lanes.executor.submit(perform, *arguments)] = tasks
            except BaseException as error:  # in this process an interruption comes from the task itself
                self._waiting.put_back(tasks)
                if not isinstance(error, Exception):
                    raise
                raise SweepError(f"the executor no longer accepts tasks ({error!r}); {self._kept()}") from error

    def _take(self, workers: int) -> tuple[Task, ...]:
        """The next tasks that fit beside the running ones; several while there are enough for all workers."""
        memory = self._lanes.memory
        if memory is not None:
            memory -= sum(max(task.required_bytes for task in tasks) for tasks in self._running.values())
        most = 1 if isinstance(self._lanes.executor, InProcess) else len(self._waiting) // (2 * workers)
        taken = self._waiting.take(memory, most)
        # each was found to fit alone; the free memory may have changed since
        return taken if taken or self._running else self._waiting.take(None, most)

    def _take_in(self) -> None:
        if not self._running:
            time.sleep(_TICK_S)  # only others are at work
            return
        done, _ = wait(self._running, _TICK_S, FIRST_COMPLETED)
        for future in done:
            outcomes = self._outcomes(future, self._running[future])
            tasks = self._running.pop(future)
            for task, outcome in zip(tasks, outcomes, strict=False):
                self._settle(task, outcome)
            self._waiting.put_back(tasks[len(outcomes) :])

    def _settle(self, task: Task, outcome: Outcome) -> None:
        """Count and note the outcome of a task, or put the task back."""
        if outcome.kind == "busy":
            self._elsewhere.append(task)
            return
        if outcome.kind == "unwritten":
            self._waiting.put_back([task])
            self._unwritten = outcome.error
            return
        if outcome.kind == "computed" and outcome.entry and not self._arrived(outcome.entry.row["key"]):
            raise SweepError(
                f"a worker has written a record that is not in {str(self._store.folder)!r} here: the workers must "
                "share the store's folder under the same path."
            )
        if outcome.entry is not None:
            self._entries.append(outcome.entry)
        self._tally.note(outcome, task.seconds)

    def _take_back(self) -> None:
        """Cancel tasks that were submitted ahead and have not started."""
        if self._lanes.ahead:
            for future in [future for future in self._running if future.cancel()]:
                self._waiting.put_back(self._running.pop(future))

    def _arrived(self, key: str) -> bool:
        """Whether a record that was written is visible here; shared folders may take a moment."""
        until = time.monotonic() + _SEEN_WITHIN_S
        while key not in self._store:
            if time.monotonic() > until:
                return False
            time.sleep(_TICK_S)
        return True

    def _deserted(self) -> bool:
        """Whether no worker is left that could finish the running tasks."""
        if self._lanes.alive():
            self._alive = time.monotonic()
        return time.monotonic() - self._alive > _DESERTED_S

    def _outcomes(self, future: Future[list[Outcome]], tasks: tuple[Task, ...]) -> list[Outcome]:
        """The outcomes of a future in the order of its tasks, without those that are tried again."""
        if future.cancelled():
            raise SweepError(f"{self._lanes.name} was lost, with what it was running; {self._kept()}")
        error = future.exception()
        if error is None:
            return future.result()
        died = isinstance(error, BrokenExecutor)
        if not died and not isinstance(error, self._lanes.killed):
            if isinstance(error, SpinBatteryError):
                raise error
            raise SweepError(f"the executor failed ({error!r}); {self._kept()}") from error
        again = [self._waiting.may_try_again(task) for task in tasks]
        if len(tasks) > 1 or (died and again[0]):  # each is tried alone, so that only the culprit fails
            return []
        reason = f"its worker died {MOST_DEATHS} times, perhaps because memory ran out on the machine."
        return [failure(tasks[0], self._store, reason)]

    def _ask_again(self) -> None:
        """Try tasks again that another process was running, once it has given up its claim."""
        if self._elsewhere and time.monotonic() - self._asked > _ASK_AGAIN_S:
            self._asked = time.monotonic()
            free = [task for task in self._elsewhere if not self._store.claimed(task.key)]
            self._elsewhere = [task for task in self._elsewhere if task not in free]
            self._waiting.add(free)

    def _index(self, at_most_every: float) -> None:
        if self._entries and time.monotonic() - self._indexed >= at_most_every:
            self._store.index(self._entries)
            self._entries = []
            self._indexed = time.monotonic()

    def _within(self, task: Task) -> Progress:
        """Progress of the sweep while this task runs in this process."""

        def progress(fraction: float, message: str) -> None:
            self._interruption.check()
            self._tally.running = 1
            fraction = self._tally.fraction_with(fraction * task.seconds)
            try:
                self._progress(fraction, f"{self._tally}, {message}")
            except Exception as error:  # the caller's, not this task's
                raise _ProgressError(error) from error

        return progress

    def _report(self) -> None:
        if time.monotonic() - self._reported < _REPORT_EVERY_S and self._running:
            return
        self._reported = time.monotonic()
        self._tally.running = min(len(self._running), self._lanes.width())
        line = str(self._tally)
        if self._elsewhere:
            line += f", {len(self._elsewhere)} in another sweep"
        if self._stopping:
            line = f"stopping, {self._tally.running} running; at once if asked again"
        self._progress(self._tally.fraction, line)
