"""Whatever executor a sweep is given: the same results, to the last bit, and no more at once than fits."""

from __future__ import annotations

from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from types import SimpleNamespace

import pytest
from forked import warm_context
from sweep_results import contents, stamps

from spinbattery import Statevector, cooperative, ring
from spinbattery.core.errors import InvalidParameterError, SweepError
from spinbattery.sweeps import executors, loop
from spinbattery.sweeps.execution import Execution
from spinbattery.sweeps.grid import Grid
from spinbattery.sweeps.run import run_plan

CP = cooperative(1.0)


@pytest.fixture
def plan():
    return Grid([ring(n) for n in (2, 3, 4)], CP, tolerance=1e-3).plan()


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "runs"


@pytest.fixture(scope="module")
def mixed():
    """Small problems with and without output times, and one whose dot products BLAS would share among threads."""
    small = Grid(["ring:2", "torus:2x2"], [CP, CP.local_equivalent], tolerance=1e-4, points=3).plan()
    return small + Grid("torus:2x7", cooperative(1.5), tolerance=1e-4).plan()


@pytest.fixture(scope="module")
def serial(mixed, tmp_path_factory):
    result = run_plan(mixed, tmp_path_factory.mktemp("serial"), workers=1)
    assert (result.computed, result.reused, result.failures) == (5, 0, {})
    return contents(result)


def processes():
    return ProcessPoolExecutor(2, warm_context())


@pytest.mark.parametrize(
    "executor, workers",
    [(None, 2), (lambda: ThreadPoolExecutor(2), None), (processes, None), (lambda: ThreadPoolExecutor(1), 7)],
    ids=["pool", "threads", "processes", "one thread"],
)
def test_every_executor_gives_the_same_to_the_last_bit(mixed, serial, folder, executor, workers):
    with ExitStack() as stack:
        opened = stack.enter_context(executor()) if executor else None
        result = run_plan(mixed, folder, executor=opened, workers=workers)
    assert result.computed == 5
    assert contents(result) == serial
    assert len(list(folder.glob("*.nc"))) == 5
    assert not list((folder / ".claims").iterdir())


def test_a_given_executor_stays_open(plan, folder):
    with ThreadPoolExecutor(1) as executor:
        run_plan(plan, folder, executor=executor)
        assert executor.submit(max, 1, 2).result() == 2


@pytest.mark.parametrize("executor", [5, ThreadPoolExecutor, object(), [None]])
def test_an_executor_that_is_none(plan, folder, executor):
    with pytest.raises(SweepError, match=r"executor must be a concurrent\.futures\.Executor"):
        run_plan(plan, folder, executor=executor)
    assert stamps(folder) == {}


@pytest.mark.parametrize("workers", [0, -1, 1.5])
def test_a_number_of_workers_that_is_none(plan, folder, workers):
    with pytest.raises(InvalidParameterError, match="workers must be a whole number of 1 or more"):
        run_plan(plan, folder, workers=workers)


def test_little_work_is_done_in_this_process(plan, folder, monkeypatch):
    monkeypatch.setattr(executors, "WorkerPool", lambda workers: pytest.fail("a pool for milliseconds of work"))
    assert run_plan(plan, folder).computed == 3


def test_workers_by_default(monkeypatch):
    def workers(asked, tasks, seconds, largest=0):
        found = SimpleNamespace(todo=range(tasks), seconds=seconds, largest_bytes=largest)
        return executors.n_workers(Execution(workers=asked), found)

    monkeypatch.setattr(executors, "n_cores", lambda: 6)
    monkeypatch.setattr(executors, "available_memory", lambda: 10**10)
    assert workers(None, 100, 0.5) == 1
    assert workers(None, 100, 50.0) == 6
    assert workers(None, 4, 50.0) == 4
    assert workers(9, 4, 0.5) == 9
    # 250 MB for each worker must be left beside the largest problem
    assert workers(9, 100, 50.0, largest=9 * 10**9) == 4
    assert workers(9, 100, 50.0, largest=9_900_000_000) == 1


class Refusing(Executor):
    def submit(self, *arguments, **options):
        raise RuntimeError("cannot schedule new futures")


class Cancelling(Executor):
    def submit(self, *arguments, **options):
        future = Future()
        future.cancel()
        future.set_running_or_notify_cancel()
        return future


class Broken(Executor):
    """Its calls end in an error that is not theirs."""

    def __init__(self, error):
        self.error = error

    def submit(self, *arguments, **options):
        future = Future()
        future.set_exception(self.error)
        return future


@pytest.mark.parametrize(
    "executor, message",
    [
        (Refusing(), r"no longer accepts tasks .*cannot schedule.*; 0 of 3 problems are finished and kept, 3 are left"),
        (Cancelling(), "the executor was lost, .*run the same again to go on"),
        (Broken(OSError("lost")), "the executor failed .*lost.*run the same again to go on"),
    ],
)
def test_an_executor_that_breaks_stops_the_sweep(plan, folder, executor, message):
    with pytest.raises(SweepError, match=message):
        run_plan(plan, folder, executor=executor)
    assert run_plan(plan, folder, workers=1).computed == 3


def test_a_problem_whose_workers_die_every_time_has_failed(plan, folder):
    result = run_plan(plan, folder, executor=Broken(BrokenExecutor("killed")))
    assert (result.computed, result.reused) == (0, 0)
    assert set(result.failures) == {task.key for task in plan}
    assert all("its worker died 4 times" in error for error in result.failures.values())


# memory


@dataclass(frozen=True)
class Sized(Statevector):
    """Ten bytes a spin."""

    def required_bytes(self, problem):
        return 10 * problem.n_spins


class Held(Executor):
    """Runs nothing before the sweep waits for it, and notes what is then at hand."""

    def __init__(self, width, monkeypatch):
        self._max_workers = width
        self.batches = []
        self._held = []
        real = loop.wait

        def wait(*arguments):
            self._run()
            return real(*arguments)

        monkeypatch.setattr(loop, "wait", wait)

    def submit(self, fn, /, *arguments):
        future = Future()
        self._held.append((future, fn, arguments))
        return future

    def _run(self):
        held, self._held = self._held, []
        if held:
            self.batches.append([task.problem.n_spins for _, _, arguments in held for task in arguments[0]])
        for future, fn, arguments in held:
            future.set_result(fn(*arguments))


@pytest.mark.parametrize(
    "free, width, batches",
    [
        (1000, 4, [[5, 4, 3, 2]]),
        (1000, 2, [[5, 4], [3, 2]]),
        (90, 4, [[5, 4], [3, 2]]),
        (89, 4, [[5, 3], [4, 2]]),
        (70, 4, [[5, 2], [4, 3]]),
        (69, 4, [[5], [4, 2], [3]]),
        (50, 4, [[5], [4], [3, 2]]),
        (49, 1, [[4], [3], [2], [5]]),
    ],
)
def test_problems_that_do_not_fit_beside_each_other_are_not_run_at_once(folder, monkeypatch, free, width, batches):
    plan = Grid([ring(n) for n in (2, 3, 4, 5)], CP, engines=Sized(1e-3)).plan()
    monkeypatch.setattr(executors, "available_memory", lambda: free)
    executor = Held(width, monkeypatch)
    assert run_plan(plan, folder, executor=executor).computed == 4
    assert executor.batches == batches
