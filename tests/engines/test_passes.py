"""Passes of step halving that run at the same time."""

from __future__ import annotations

import threading
import time

import pytest

from spinbattery.core.progress import silent
from spinbattery.engines.common.passes import run_together

SHARES = (1.0 / 7.0, 2.0 / 7.0, 4.0 / 7.0)


def test_results_are_in_order_and_the_longest_starts_first():
    started = []

    def run(number, progress):
        started.append(number)
        progress(1.0, "done")
        return 10 * number

    assert run_together(run, SHARES, 1, silent) == [0, 10, 20]
    assert started == [2, 1, 0]


def test_two_run_at_a_time():
    meeting = threading.Barrier(2, timeout=30.0)

    def run(number, progress):
        if number:
            meeting.wait()
        return number

    assert run_together(run, SHARES, 2, silent) == [0, 1, 2]


def test_progress_is_that_of_all_and_called_here():
    seen, here = [], threading.get_ident()

    def run(number, progress):
        progress(1.0, f"pass {number}")

    def show(fraction, message):
        assert threading.get_ident() == here
        seen.append(fraction)

    run_together(run, SHARES, 2, show)
    assert seen[-1] == pytest.approx(1.0)


@pytest.mark.parametrize("raiser", ["pass", "progress"])
def test_what_is_raised_stops_all(raiser):
    told = []

    def run(number, progress):
        if raiser == "pass" and number == 2:
            raise ZeroDivisionError
        try:
            for _ in range(10_000):
                progress(0.0, "")
                time.sleep(0.001)
        except BaseException:
            told.append(number)
            raise

    def show(fraction, message):
        if raiser == "progress":
            raise KeyboardInterrupt

    with pytest.raises(ZeroDivisionError if raiser == "pass" else KeyboardInterrupt):
        run_together(run, SHARES, 2, show)
    assert told
