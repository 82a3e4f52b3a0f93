"""Threads that share the parts of one piece of work, and tasks that stop together."""

from __future__ import annotations

import threading
from functools import partial

import pytest

from spinbattery.core import threads as threads_module
from spinbattery.core.errors import InvalidParameterError
from spinbattery.core.progress import silent
from spinbattery.core.threads import Team, run_tasks


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("n", [0, 1, 2, 7])
def test_every_part_is_done_once(threads, n):
    done = []
    with Team(threads) as team:
        for _ in range(3):
            team.run(lambda first, last: done.append((first, last)), ((k, k + 1) for k in range(n)))
    assert sorted(done) == sorted(3 * [(k, k + 1) for k in range(n)])


def test_threads_work_at_the_same_time():
    meeting = threading.Barrier(3, timeout=10.0)
    with Team(3) as team:
        team.run(lambda _: meeting.wait(), [(k,) for k in range(3)])  # a barrier breaks where they do not


def test_one_thread_is_the_calling_one():
    seen = set()
    with Team(1) as team:
        team.run(lambda _: seen.add(threading.get_ident()), [(1,), (2,)])
    assert seen == {threading.get_ident()}


@pytest.mark.parametrize("threads", [1, 2])
def test_what_a_part_raises_is_raised_and_the_rest_left_out(threads):
    done = []

    def work(k):
        if k == 1:
            raise ArithmeticError("part one")
        done.append(k)

    with Team(threads) as team:
        with pytest.raises(ArithmeticError, match="part one"):
            team.run(work, [(k,) for k in range(1, 10_000)])
        assert len(done) < 9_998
        team.run(work, [(0,)])
    assert done[-1] == 0


def test_what_a_helper_raises_is_raised_too():
    meeting, caller = threading.Barrier(2, timeout=10.0), threading.get_ident()

    def work(_):
        meeting.wait()
        if threading.get_ident() != caller:
            raise ArithmeticError("a helper")

    with Team(2) as team, pytest.raises(ArithmeticError, match="a helper"):
        team.run(work, [(0,), (1,)])


def test_by_default_it_has_the_cores_this_process_may_use(monkeypatch):
    monkeypatch.setattr(threads_module, "n_cores", lambda: 3)
    with Team() as team:
        assert team.threads == 3


@pytest.mark.parametrize("threads", [0, -1, 1.5])
def test_impossible_numbers_of_threads_are_refused(threads):
    with pytest.raises(InvalidParameterError, match="threads"):
        Team(threads)


# tasks


def _steps(n, into, label):
    for k in range(n):
        into.append((label, k))
        yield 1.0 / (4 * n)


@pytest.mark.parametrize("threads", [1, 2, 7])
def test_all_tasks_are_done_and_progress_ends_at_one(threads):
    seen, fractions = [], []
    tasks = [partial(_steps, 5, seen, label) for label in "abcd"]
    run_tasks(tasks, threads, lambda fraction, message: fractions.append((fraction, message)), "working")
    assert sorted(seen) == sorted((label, k) for label in "abcd" for k in range(5))
    assert fractions[-1] == (pytest.approx(1.0), "working")
    assert fractions == sorted(fractions)


def test_no_tasks_are_no_work():
    run_tasks([], 2, silent, "")


def _for_ever(started):
    while True:
        started.set()
        yield 0.0


def test_an_error_in_one_task_stops_the_others():
    started = threading.Event()

    def broken():
        started.wait()
        yield 0.0
        raise RuntimeError("broken")

    before = threading.active_count()
    with pytest.raises(RuntimeError, match="broken"):
        run_tasks([partial(_for_ever, started), broken, partial(_for_ever, started)], 2, silent, "")
    assert threading.active_count() == before


def test_what_progress_raises_stops_all():
    def interrupted(fraction, message):
        raise KeyboardInterrupt

    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt):
        run_tasks([partial(_for_ever, threading.Event())] * 3, 2, interrupted, "")
    assert threading.active_count() == before
