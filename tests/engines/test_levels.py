"""Levels of step halving that run at the same time."""

from __future__ import annotations

import threading
import time

import pytest

from spinbattery.core.progress import silent
from spinbattery.engines.common.levels import run_together

SHARES = (1.0 / 7.0, 2.0 / 7.0, 4.0 / 7.0)


def test_results_are_in_order_and_the_longest_starts_first():
    started = []

    def run(level, progress):
        started.append(level)
        progress(1.0, "done")
        return 10 * level

    assert run_together(run, SHARES, 1, silent) == [0, 10, 20]
    assert started == [2, 1, 0]


def test_two_run_at_a_time():
    meeting = threading.Barrier(2, timeout=30.0)

    def run(level, progress):
        if level:
            meeting.wait()
        return level

    assert run_together(run, SHARES, 2, silent) == [0, 1, 2]


def test_progress_is_that_of_all_and_called_here():
    seen, here = [], threading.get_ident()

    def run(level, progress):
        progress(1.0, f"level {level}")

    def show(fraction, message):
        assert threading.get_ident() == here
        seen.append(fraction)

    run_together(run, SHARES, 2, show)
    assert seen[-1] == pytest.approx(1.0)


@pytest.mark.parametrize("raiser", ["level", "progress"])
def test_what_is_raised_stops_all(raiser):
    told = []

    def run(level, progress):
        if raiser == "level" and level == 2:
            raise ZeroDivisionError
        try:
            for _ in range(10_000):
                progress(0.0, "")
                time.sleep(0.001)
        except BaseException:
            told.append(level)
            raise

    def show(fraction, message):
        if raiser == "progress":
            raise KeyboardInterrupt

    with pytest.raises(ZeroDivisionError if raiser == "level" else KeyboardInterrupt):
        run_together(run, SHARES, 2, show)
    assert told
