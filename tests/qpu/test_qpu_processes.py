"""Real client processes: killed with SIGKILL at every stage, and two at once."""

from __future__ import annotations

import os
import re
import signal
import tempfile
from pathlib import Path
from typing import Any, Literal

import pytest
from forked import Forked, run_command
from qpu_desk import READS, Desk
from sapi_stub import Request

PATIENCE_S = 120.0

Stage = tuple[str, str, int, Literal["before", "after"]]
"""At the n-th request of a method and path, before or after the service has handled it."""


def start(desk: Desk, command: str, *arguments: str | Path) -> Forked:
    """The command line in a process of its own."""
    logs = Path(tempfile.mkdtemp(dir=desk.folder))
    given = ("qpu", command, *arguments, "--store", desk.folder / "runs")
    return Forked(run_command, given, logs, logs / "out", logs / "err")


def submitting(desk: Desk) -> Forked:
    return start(desk, "submit", desk.experiment, "--reads", str(READS), "--budget", "10")


def kill_at(desk: Desk, process: Forked, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kill the client when the service sees a request, which it handles or not."""
    method, path, number, when = stage
    handle = desk.stub.answer
    seen = 0

    def answer(request: Request) -> tuple[int, str, Any]:
        nonlocal seen
        if request.method != method or not re.fullmatch(path, request.path):
            return handle(request)
        seen += 1
        if seen != number:
            return handle(request)
        reply = handle(request) if when == "after" else (503, "problem", {"error_code": 503, "error_msg": "gone"})
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        return reply

    monkeypatch.setattr(desk.stub, "answer", answer)


@pytest.mark.parametrize(
    ("stage", "states"),
    [
        (("GET", "/solvers/.*", 1, "after"), []),
        (("POST", "/problems", 1, "before"), ["submitting", "planned", "planned"]),
        (("POST", "/problems", 1, "after"), ["submitting", "planned", "planned"]),
        (("POST", "/problems", 3, "before"), ["submitted", "submitted", "submitting"]),
        (("POST", "/problems", 3, "after"), ["submitted", "submitted", "submitting"]),
    ],
)
def test_a_client_that_is_killed_while_it_sends(
    desk: Desk, stage: Stage, states: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with submitting(desk) as process:
        kill_at(desk, process, stage, monkeypatch)
        process.wait(PATIENCE_S)
    assert process.poll() == -signal.SIGKILL
    assert desk.states == states

    arrived = len(desk.stub.jobs)
    result = desk.submit()  # its request may still be on the way: what is not listed waits
    if stage[3] == "after" and states:
        assert result.counts["found"] == 1
    if stage[3] == "before":
        assert result.counts["waiting"] == 1
        assert desk.submit(grace=0.0).counts["sent"] == 1
    assert len(desk.stub.jobs) == 3 >= arrived
    desk.collect(wait=True)
    desk.assert_nothing_lost_or_paid_twice(3)


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_client_that_is_killed_while_it_collects(
    desk: Desk, when: Literal["before", "after"], monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.submit()
    with start(desk, "collect", "--wait") as process:
        kill_at(desk, process, ("GET", "/problems/[^/]+", 2, when), monkeypatch)
        process.wait(PATIENCE_S)
    assert process.poll() == -signal.SIGKILL
    assert desk.states == ["done", "submitted", "submitted"]
    assert desk.collect(wait=True).complete
    desk.assert_nothing_lost_or_paid_twice(3)


def test_two_clients_at_once_send_each_job_once(desk: Desk) -> None:
    with submitting(desk) as first, submitting(desk) as second:
        codes = {process.wait(PATIENCE_S) for process in (first, second)}
    assert codes <= {0, 1}, [process.err.read_text() for process in (first, second)]  # 1: the other was at one of them
    assert desk.states == ["submitted"] * 3
    assert len(desk.stub.posted) == 3
    desk.collect(wait=True)
    desk.assert_nothing_lost_or_paid_twice(3)


def test_ctrl_c_between_two_jobs(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    handle = desk.stub.answer
    with submitting(desk) as process:

        def answer(request: Request) -> tuple[int, str, Any]:
            reply = handle(request)
            if request.method == "POST" and len(desk.stub.jobs) == 1:
                process.send_signal(signal.SIGINT)
            return reply

        monkeypatch.setattr(desk.stub, "answer", answer)
        code = process.wait(PATIENCE_S)
    said = process.err.read_text()
    assert (code, "interrupted" in said, "Traceback" in said) == (130, True, False)
    assert desk.states == ["submitted", "planned", "planned"]
    assert desk.submit().counts["sent"] == 2
    desk.collect(wait=True)
    desk.assert_nothing_lost_or_paid_twice(3)
