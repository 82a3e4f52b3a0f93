"""The embedded executors: this process, and worker processes of which any may die."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import BrokenExecutor, CancelledError, wait
from pathlib import Path
from pickle import PicklingError

import pool_calls as calls
import psutil
import pytest

from spinbattery.core import compilation
from spinbattery.core.errors import InvalidParameterError, SweepError
from spinbattery.sweeps import pool as pool_module
from spinbattery.sweeps.pool import InProcess, WorkerPool

PATIENCE_S = 120.0

SCRIPT = """
import sys
print("running", flush=True)
import spinbattery as sb
result = sb.sweep(["ring:2", "ring:3"], sb.cooperative(1.0), tolerance=1e-3, store=sys.argv[1], workers=2)
print(result.computed)
"""

SCRIPT_WITH_A_CLASS = """
import sys
from dataclasses import dataclass
from typing import ClassVar
import spinbattery as sb

@dataclass(frozen=True)
class Mine(sb.Statevector):
    name: ClassVar[str] = "mine"

result = sb.sweep(["ring:2", "ring:3"], sb.cooperative(1.0), engines=Mine(1e-3), store=sys.argv[1], workers=2)
print(result.computed, *{record.engine for record in result.records()})
"""


@pytest.fixture(scope="module")
def pool():
    with WorkerPool(2) as opened:
        yield opened


def result(future):
    return future.result(PATIENCE_S)


def children(kind="popen_loky"):
    """Living processes that this one started as workers."""
    found = []
    for child in psutil.Process().children():
        try:
            if child.status() != psutil.STATUS_ZOMBIE and any(kind in part for part in child.cmdline()):
                found.append(child.pid)
        except psutil.Error:
            continue
    return found


def test_results_belong_to_their_calls(pool):
    futures = [pool.submit(calls.double, k) for k in range(20)]  # ten times the workers
    assert [result(future) for future in futures] == [2 * k for k in range(20)]
    assert list(pool.map(calls.double, range(5))) == [0, 2, 4, 6, 8]


def test_workers_are_other_processes_and_as_many_as_asked_for(pool):
    assert pool.n_workers == 2
    found = {result(pool.submit(calls.pid)) for _ in range(10)}
    assert os.getpid() not in found
    assert found <= set(children())


def test_calls_run_at_once(pool, tmp_path):
    one, two = str(tmp_path / "one"), str(tmp_path / "two")
    futures = [pool.submit(calls.meet, one, two), pool.submit(calls.meet, two, one)]
    assert [result(future) for future in futures] == [True, True]


def test_exceptions_of_calls_come_back_and_break_nothing(pool):
    before = set(children())
    with pytest.raises(ValueError, match="no such thing"):
        result(pool.submit(calls.refuse, "no such thing"))
    with pytest.raises(PicklingError, match="pickle"):
        result(pool.submit(calls.double, threading.Lock()))
    assert result(pool.submit(calls.double, 4)) == 8
    assert set(children()) == before


def test_a_worker_that_dies_breaks_its_own_call_alone(pool, tmp_path):
    before = set(children())
    other = pool.submit(calls.wait_for, str(tmp_path / "go"))
    dying = pool.submit(calls.die)
    with pytest.raises(BrokenExecutor):
        result(dying)
    assert not other.done()
    (tmp_path / "go").touch()
    assert result(other) is True
    assert [result(pool.submit(calls.double, k)) for k in range(6)] == [0, 2, 4, 6, 8, 10]
    assert len(set(children()) - before) == 1


def test_functions_without_a_module_are_called_too(pool):
    assert result(pool.submit(lambda x: x + 1, 2)) == 3


def test_workers_that_never_start_end_the_sweep(monkeypatch):
    monkeypatch.setitem(pool_module._ENVIRONMENT, "PYTHONHOME", "/nowhere")
    with WorkerPool(1) as other:
        errors = [other.submit(calls.pid).exception(PATIENCE_S) for _ in range(3)]
    assert all(isinstance(error, BrokenExecutor) for error in errors[:2])
    assert isinstance(errors[2], SweepError)
    assert "do not start" in str(errors[2])


def test_any_number_of_deaths_can_be_survived(pool):
    for _ in range(4):  # more than starts that may fail in a row
        with pytest.raises(BrokenExecutor):
            result(pool.submit(calls.die))
    assert result(pool.submit(calls.double, 1)) == 2


def test_a_worker_that_dies_idle_is_replaced(pool):
    victim = result(pool.submit(calls.pid))
    process = psutil.Process(victim)
    process.kill()
    process.wait(PATIENCE_S)
    outcomes = [pool.submit(calls.double, k) for k in range(4)]
    wait(outcomes, PATIENCE_S)
    assert sum(future.exception() is not None for future in outcomes) <= 1
    assert all(isinstance(future.exception(), BrokenExecutor | None) for future in outcomes)
    assert result(pool.submit(calls.double, 5)) == 10
    assert victim not in children()


def test_workers_leave_signals_to_the_sweep(pool):
    before = set(children())
    assert [result(pool.submit(calls.survive_signals)) for _ in range(2)] == ["alive"] * 2
    assert set(children()) == before


def test_this_process_is_as_it_was(pool):
    before = {name: os.environ.get(name) for name in calls.LIMITS}
    main, mask = sys.modules["__main__"], signal.pthread_sigmask(signal.SIG_BLOCK, ())
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "7")
        patch.delenv("NUMBA_NUM_THREADS", raising=False)
        with WorkerPool(1) as other:
            inherited, threads = result(other.submit(calls.limits))
        assert os.environ["OMP_NUM_THREADS"] == "7"
        assert "NUMBA_NUM_THREADS" not in os.environ
    assert inherited == dict.fromkeys(calls.LIMITS, "1")
    assert threads
    assert set(threads) == {1}
    assert {name: os.environ.get(name) for name in calls.LIMITS} == before
    assert sys.modules["__main__"] is main
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == mask
    assert not {signal.SIGINT, signal.SIGTERM} & mask


def test_workers_do_not_know_the_script(monkeypatch):
    monkeypatch.setattr(sys.modules["__main__"], "__file__", __file__, raising=False)
    with WorkerPool(1) as other:
        assert result(other.submit(calls.main_module)) != __file__
    assert sys.modules["__main__"].__file__ == __file__


@pytest.mark.parametrize("text, out", [(SCRIPT, ["running", "2"]), (SCRIPT_WITH_A_CLASS, ["2", "mine"])])
def test_a_script_needs_no_guard_and_may_define_engines(tmp_path, text, out):
    script = tmp_path / "study.py"
    script.write_text(text)
    done = subprocess.run(
        [sys.executable, script, tmp_path / "runs"], capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    assert (done.returncode, done.stdout.split(), done.stderr) == (0, out, "")
    assert len(list((tmp_path / "runs").glob("*.nc"))) == 2


@pytest.mark.parametrize("workers", [0, -1, 1.5, True, "2"])
def test_the_number_of_workers_is_one_or_more(workers):
    with pytest.raises(InvalidParameterError, match="workers must be a whole number"):
        WorkerPool(workers)


def test_calls_take_keywords(pool):
    assert result(pool.submit(calls.double, x=3)) == 6


def test_a_shutdown_finishes_all_calls_and_takes_no_more():
    pool = WorkerPool(1)
    futures = [pool.submit(calls.double, k) for k in range(5)]
    pool.shutdown()
    assert [future.result(0) for future in futures] == [0, 2, 4, 6, 8]
    with pytest.raises(RuntimeError, match="after shutdown"):
        pool.submit(calls.double, 1)
    pool.shutdown()
    pool.kill()


def test_a_shutdown_without_waiting_finishes_all_calls_too(tmp_path):
    pool = WorkerPool(1)
    futures = [pool.submit(calls.wait_for, str(tmp_path / "go")), pool.submit(calls.double, 2)]
    pool.shutdown(wait=False)
    assert not futures[0].done()
    (tmp_path / "go").touch()
    assert [result(future) for future in futures] == [True, 4]
    pool.shutdown()  # for the processes to be gone when the next test begins


def test_a_shutdown_can_drop_what_has_not_begun(tmp_path):
    pool = WorkerPool(1)
    futures = [pool.submit(calls.wait_for, str(tmp_path / "go")), *(pool.submit(calls.double, k) for k in range(3))]
    pool.shutdown(wait=False, cancel_futures=True)
    assert all(future.cancelled() for future in futures[1:])
    (tmp_path / "go").touch()
    assert result(futures[0]) is True
    assert len(wait(futures, PATIENCE_S).not_done) == 0
    pool.shutdown()


def test_a_call_can_be_cancelled_while_it_waits(tmp_path):
    with WorkerPool(1) as pool:
        first = pool.submit(calls.wait_for, str(tmp_path / "go"))
        second, third = (pool.submit(calls.double, k) for k in (1, 2))
        assert second.cancel()
        assert not first.cancel()
        (tmp_path / "go").touch()
        assert result(third) == 4
        assert second.cancelled()


def test_kill_ends_the_workers_at_once(tmp_path):
    before = set(children())
    pool = WorkerPool(1)
    [worker] = set(children()) - before
    futures = [pool.submit(calls.start_and_sleep, str(tmp_path / "begun")), pool.submit(calls.double, 2)]
    while not (tmp_path / "begun").exists():
        assert psutil.pid_exists(worker)
    pool.kill()
    assert isinstance(futures[0].exception(0), BrokenExecutor)
    with pytest.raises(CancelledError):
        futures[1].result(0)
    assert worker not in children()
    assert set(children()) == before  # nobody took its place
    with pytest.raises(RuntimeError, match="after shutdown"):
        pool.submit(calls.double, 1)


def test_kill_right_after_a_call_loses_no_future():
    pool = WorkerPool(1)
    futures = [pool.submit(calls.double, k) for k in range(3)]
    pool.kill()
    assert len(wait(futures, PATIENCE_S).not_done) == 0


def test_in_process_calls_run_here_and_at_once():
    executor = InProcess()
    assert executor.submit(os.getpid).result(0) == os.getpid()
    future = executor.submit(calls.refuse, "no such thing")
    assert isinstance(future.exception(0), ValueError)

    def interrupted():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        executor.submit(interrupted)


@pytest.mark.parametrize("quiet", [False, True])
def test_workers_say_once_that_they_compile(quiet, capfd, monkeypatch):
    """A quiet command sets the level of the log, and nobody says anything."""
    monkeypatch.setattr(compilation, "_said", set())
    monkeypatch.setattr(compilation, "_logger", logging.Logger("here", logging.ERROR if quiet else logging.WARNING))
    with WorkerPool(2) as pool:
        folder = pool._notes
        calls_of_both = [pool.submit(calls.say_that_kernels_are_compiled) for _ in range(8)]
        assert len({result(call) for call in calls_of_both}) == 2
    assert capfd.readouterr().err.count("compiling kernels") == (0 if quiet else 1)
    assert len(compilation._said) == (0 if quiet else 1)
    assert folder is None or not Path(folder).exists()


@pytest.mark.parametrize("started", [0, 1])
def test_nothing_is_left_where_a_worker_cannot_be_started(monkeypatch, tmp_path, started):
    workers, start = [], pool_module._Worker._start

    def fails_after(worker):
        if len(workers) == started:
            raise OSError("no more processes")
        workers.append(worker)
        start(worker)

    monkeypatch.setattr(pool_module._Worker, "_start", fails_after)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(compilation, "_logger", logging.Logger("here", logging.WARNING))
    with pytest.raises(OSError, match="no more processes"):
        WorkerPool(2)
    assert len(workers) == started
    assert compilation._shared is None
    assert list(tmp_path.glob("spinbattery-notes-*")) == []
    for worker in workers:
        with pytest.raises(RuntimeError):
            worker.pool.submit(os.getpid)
