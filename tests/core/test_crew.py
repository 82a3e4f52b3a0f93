"""Threads that work together and stop together."""

from __future__ import annotations

import threading
from functools import partial

import pytest

from spinbattery.core.crew import run_tasks
from spinbattery.core.progress import silent


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
