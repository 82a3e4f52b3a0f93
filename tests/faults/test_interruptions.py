"""Ctrl-C and SIGTERM: the first finishes what is running, the second stops, and the same command goes on."""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from processes import (
    Launch,
    Running,
    Study,
    computing,
    contents,
    half_written,
    records,
    run_here,
    stamps,
    wait_until,
    write_experiment,
)


def _once(sweep: Running) -> None:
    sweep.signal(signal.SIGINT)


def _to_the_group(sweep: Running) -> None:
    sweep.signal_all(signal.SIGINT)


def _terminate(sweep: Running) -> None:
    sweep.signal(signal.SIGTERM)


@pytest.mark.parametrize(
    "ask, workers, code",
    [(_once, 1, 130), (_to_the_group, 2, 130), (_terminate, 2, 143)],
    ids=["SIGINT", "Ctrl-C in a terminal", "SIGTERM"],
)
def test_the_first_signal_finishes_what_is_running_and_a_rerun_goes_on(
    study: Study,
    tmp_path: Path,
    start: Launch,
    ask: Callable[[Running], None],
    workers: int,
    code: int,
) -> None:
    folder = tmp_path / "runs"
    total = len(study.contents)
    sweep = start("sweep", study.experiment, "--store", folder, "--workers", str(workers))
    running = set(wait_until(lambda: computing(folder, sweep), "a run"))
    ask(sweep)

    stopped = sweep.end()
    assert stopped.code == code, stopped
    kept = contents(folder)
    assert running <= set(kept)
    assert len(kept) < total
    assert f"interrupted; {len(kept)} of {total} problems are finished and kept" in stopped.err
    assert "run the same again to go on" in stopped.err
    assert "Traceback" not in stopped.err
    assert half_written(folder) == []
    wait_until(lambda: not sweep.members(), "the end of its workers")

    before = stamps(folder)
    rerun = run_here(study.experiment, folder)
    assert (rerun.computed, rerun.reused) == (total - len(kept), len(kept))
    assert contents(folder) == study.contents
    assert before.items() <= stamps(folder).items()


@pytest.mark.parametrize("workers", [1, 2])
def test_the_second_signal_stops_at_once(tmp_path: Path, start: Launch, workers: int) -> None:
    folder = tmp_path / "runs"
    hours = write_experiment(tmp_path / "hours.toml", ["ring:16"], [9000, 9001], tolerance=1e-9)
    sweep = start("sweep", hours, "--store", folder, "--workers", str(workers))
    wait_until(lambda: len(computing(folder, sweep)) == workers, "the runs")
    sweep.signal_all(signal.SIGINT)
    time.sleep(0.5)  # signals that come together are one; should they have, there is a third
    assert not sweep.ended
    for _ in range(5):
        sweep.signal_all(signal.SIGINT)
        with contextlib.suppress(AssertionError):
            wait_until(lambda: sweep.ended, "its end", 10.0)
            break

    stopped = sweep.end()
    assert stopped.code == 130, stopped
    assert "stopped at once" in stopped.err
    assert "Traceback" not in stopped.err
    assert records(folder) == set()
    assert half_written(folder) == []
    wait_until(lambda: not sweep.members(), "the end of its workers")
