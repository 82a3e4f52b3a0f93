"""A plan held against a store, before anything is run."""

from __future__ import annotations

import pytest

from spinbattery import Product, Store, cooperative, ring
from spinbattery.core.errors import EngineError, InsufficientMemoryError
from spinbattery.sweeps import survey as module
from spinbattery.sweeps.execution import Execution
from spinbattery.sweeps.grid import Grid
from spinbattery.sweeps.plan import Plan
from spinbattery.sweeps.run import run_plan
from spinbattery.sweeps.survey import format_seconds, survey

SIZES = (2, 5, 3, 4)


@pytest.fixture
def plan():
    return Grid([ring(n) for n in SIZES], cooperative(1.0), tolerance=1e-4).plan()


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "runs")


@pytest.fixture
def used(plan, store):
    """A store in which N = 2 is finished, 5 failed and 3 is damaged."""
    done, failed, damaged, _ = plan
    run_plan(Plan((done, damaged)), store, workers=1)
    store.index([store.write_failure(failed.parameters(), "it broke")])
    path = store.path(damaged.key)
    path.write_bytes(path.read_bytes()[:-100])
    return store


def sizes(tasks):
    return [task.problem.n_spins for task in tasks]


def test_of_an_empty_store_everything_is_to_be_run_the_longest_first(plan, store):
    found = survey(plan, store, Execution())
    assert found.statuses == {}
    assert sizes(found.todo) == [5, 4, 3, 2]
    seconds = [task.seconds for task in found.todo]
    assert seconds == sorted(seconds, reverse=True)
    assert found.forced == frozenset()
    assert found.seconds == pytest.approx(plan.seconds)
    assert found.largest_bytes == plan.tasks[1].required_bytes


def test_statuses_and_what_is_left(plan, used):
    found = survey(plan, used, Execution())
    done, failed, damaged, missing = (task.key for task in plan)
    assert found.statuses == {done: "done", failed: "failed", damaged: "damaged"}
    assert [task.key for task in found.todo] == [missing]
    assert found.forced == frozenset()
    assert [found.count(status) for status in ("done", "failed", "damaged")] == [1, 1, 1]


@pytest.mark.parametrize(
    "options, expected, forced",
    [
        ({"retry_failed": True}, [5, 4], [5]),
        ({"recompute_damaged": True}, [4, 3], [3]),
        ({"retry_failed": True, "recompute_damaged": True}, [5, 4, 3], [5, 3]),
    ],
)
def test_what_is_asked_for_is_run_again(plan, used, options, expected, forced):
    found = survey(plan, used, Execution(**options))
    assert sizes(found.todo) == expected
    assert found.forced == {task.key for task in plan if task.problem.n_spins in forced}


def test_the_line_that_describes_it(plan, used, monkeypatch):
    found = survey(plan, used, Execution())
    assert found.describe(1).startswith("4 problems, 1 finished, 1 failed, 1 damaged, 1 to run: about ")
    assert found.describe(1).endswith(" of computing, 30 MB for the largest")
    assert "workers" not in found.describe(1)
    assert "on 3 workers)" in found.describe(3)
    monkeypatch.setattr(type(found), "seconds", 1200.0)
    assert ": about 20 min of computing (10 min on 2 workers), 30 MB" in found.describe(2)


def test_the_line_where_nothing_is_to_be_run(plan, store):
    done = Plan(plan.tasks[:1])
    run_plan(done, store, workers=1)
    assert survey(done, store, Execution()).describe(2) == "1 problem, 1 finished, 0 to run"


@pytest.mark.parametrize(
    "seconds, text",
    [
        (0.0, "0.1 s"), (0.01, "0.1 s"), (0.5, "0.5 s"), (45.4, "45 s"), (89.0, "89 s"), (90.0, "1.5 min"),
        (720.0, "12 min"), (5400.0, "1.5 h"), (12600.0, "3.5 h"), (129_600.0, "1.5 days"), (864_000.0, "10 days"),
    ],
)  # fmt: skip
def test_durations_to_read(seconds, text):
    assert format_seconds(seconds) == text


# refusals


def refused(plan, store, available=None):
    found = survey(plan, store, Execution())
    with pytest.raises((EngineError, InsufficientMemoryError)) as error:
        found.check(available)
    return error


def test_too_little_memory_names_every_problem(store):
    plan = Grid([ring(n) for n in (10, 24, 2, 25)], cooperative(1.0), engines="statevector").plan()
    error = refused(plan, store, 200_000_000)
    assert error.type is InsufficientMemoryError
    text = str(error.value)
    assert text.startswith(
        "2 of 4 problems cannot be run; nothing was started: ring:25, cooperative, 1 ns, statevector: "
    )
    assert "ring:24" in text
    assert "ring:10" not in text
    assert "the largest N that fits is" in text
    survey(plan, store, Execution()).check(10**15)


def test_many_refusals_are_named_in_part(store):
    plan = Grid([ring(n) for n in range(40, 48)], cooperative(1.0)).plan()
    text = str(refused(plan, store).value)
    assert text.startswith("8 of 8 problems")
    assert text.count("statevector: the statevector engine needs") == 5
    assert text.endswith("; and 3 more")
    assert "ring:47" in text


def test_problems_beyond_their_engine(store):
    plan = Grid(ring(3), [cooperative(1.0, J=0.0), cooperative(1.0)], engines=Product()).plan()
    error = refused(plan, store)
    assert error.type is EngineError
    assert "1 of 2 problems cannot be run; nothing was started: ring:3, cooperative, 1 ns, product" in str(error.value)
    assert "spins are coupled" in str(error.value)


def test_the_memory_that_is_free_counts(plan, store, monkeypatch):
    found = survey(plan, store, Execution())
    found.check()
    monkeypatch.setattr(module, "available_memory", lambda: 1000)
    with pytest.raises(InsufficientMemoryError, match=r"4 of 4 problems .* 1 kB are free"):
        found.check()


def test_what_is_finished_needs_no_memory(plan, store, monkeypatch):
    run_plan(plan, store, workers=1)
    monkeypatch.setattr(module, "available_memory", lambda: 1000)
    survey(plan, store, Execution()).check()


def test_nothing_is_run_where_a_problem_is_refused(store):
    plan = Grid([ring(2), ring(60)], cooperative(1.0)).plan()
    with pytest.raises(InsufficientMemoryError, match="1 of 2 problems cannot be run; nothing was started: ring:60"):
        run_plan(plan, store, workers=1)
    assert store.rows() == []
    assert list(store.folder.glob("*.nc")) == []
    assert list(store.folder.glob("*.json")) == []
