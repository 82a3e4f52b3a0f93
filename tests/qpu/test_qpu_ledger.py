"""The ledger: one process makes a transition, a spoiled or foreign file is refused and left as it is."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from spinbattery.core.errors import QpuError
from spinbattery.qpu.ledger import Ledger, NewJob


def job(number: int = 0, estimated_us: float = 10.0) -> NewJob:
    return NewJob(
        key=f"{number:064x}",
        item=f"item {number}",
        solver="Advantage_system6",
        graph_id="0123456789",
        network="pegasus:2",
        protocol="cooperative",
        n_spins=40,
        reads=10,
        repetition=1,
        estimated_us=estimated_us,
        options={"reads": 10},
        parameters={"num_reads": 10},
        problem={"problem": {}, "qubits": [1, 2]},
    )


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path)


def test_a_job_is_entered_once_and_keeps_its_label(ledger: Ledger) -> None:
    assert ledger.jobs() == []
    assert not ledger.path.exists()  # looking makes no file
    ledger.enter([job()], 100.0)
    [entered] = ledger.jobs()
    assert (entered.state, entered.attempt, entered.problem_id) == ("planned", 0, None)
    assert entered.label.startswith("spinbattery-0000000000000000-")
    ledger.enter([job(), job(1)], 100.0)
    assert ledger.job(job().key) == entered
    assert ledger.content(job().key) == ({"problem": {}, "qubits": [1, 2]}, {"reads": 10}, {"num_reads": 10})


def test_every_transition_is_kept_with_its_time(ledger: Ledger) -> None:
    ledger.enter([job()], 100.0)
    begun = ledger.begin(job().key, "account", {"num_reads": 10})
    assert begun is not None
    assert (begun.state, begun.attempt, begun.account) == ("submitting", 1, "account")
    assert ledger.begin(job().key, "account", {}) is None
    assert not ledger.move(job().key, "submitted", ["submitting"], label="another", problem_id="x")
    assert not ledger.move(job().key, "done", ["submitted"])
    assert ledger.move(job().key, "submitted", ["submitting"], label=begun.label, problem_id="x")
    assert ledger.move(job().key, "done", ["submitted"], charged_us=12.0)
    history = ledger.history(job().key)
    assert [row["state"] for row in history] == ["planned", "submitting", "submitted", "done"]
    assert [row["problem_id"] for row in history] == [None, None, "x", "x"]
    assert all(row["label"] == begun.label for row in history)
    assert [row["at"] for row in history] == sorted(row["at"] for row in history)


def test_the_budget_counts_what_was_charged_and_what_is_expected(ledger: Ledger) -> None:
    ledger.enter([job(0), job(1)], 20.0)
    with pytest.raises(QpuError, match=r"0\.000030 s|0\.000 s of QPU time, more than the budget"):
        ledger.enter([job(2)], 29.0)
    assert len(ledger.jobs()) == 2  # nothing of it was entered
    ledger.begin(job(0).key, "account", {})
    ledger.move(job(0).key, "done", ["submitting"], charged_us=4.0)
    ledger.move(job(1).key, "cancelled", ["planned"])
    ledger.enter([job(2)], 14.0)
    with pytest.raises(QpuError, match="budget"):
        ledger.enter([job(1)], 14.0, retry=True)
    ledger.enter([job(1)], 24.0, retry=True)
    assert [one.state for one in ledger.jobs()] == ["done", "planned", "planned"]


def test_one_of_many_begins_a_job(ledger: Ledger) -> None:
    jobs = [job(number) for number in range(30)]
    ledger.enter(jobs, 1e9)
    begun: list[str] = []
    barrier = threading.Barrier(4)
    finished = []

    def begin() -> None:
        for one in jobs:
            barrier.wait(60.0)
            begun.extend(found.key for found in [ledger.begin(one.key, "account", {})] if found is not None)
        finished.append(True)

    threads = [threading.Thread(target=begin) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(finished) == 4
    assert sorted(begun) == [one.key for one in jobs]


def test_a_transaction_that_fails_changes_nothing(ledger: Ledger) -> None:
    ledger.enter([job()], 100.0)
    before = ledger.jobs()
    with pytest.raises(QpuError, match="cannot be used"):
        ledger.move(job().key, "done", ["planned"], no_such_column=1)
    assert ledger.jobs() == before


@pytest.mark.parametrize(
    "content", [b"no database at all, but long enough to be one" * 99, b"SQLite format 3\0" + b"x" * 9000]
)
def test_a_spoiled_ledger_is_refused_and_kept(ledger: Ledger, content: bytes) -> None:
    ledger.path.write_bytes(content)
    for use in (ledger.jobs, lambda: ledger.enter([job()], 100.0)):
        with pytest.raises(QpuError, match=r"not readable as a ledger .* left as it is"):
            use()
    assert ledger.path.read_bytes() == content


def test_a_truncated_ledger_is_refused_and_kept(ledger: Ledger) -> None:
    ledger.enter([job(number) for number in range(50)], 1e9)
    content = ledger.path.read_bytes()[: 3 * 4096]
    ledger.path.write_bytes(content)
    with pytest.raises(QpuError, match="not readable as a ledger"):
        ledger.enter([job(99)], 1e9)
    assert ledger.path.read_bytes() == content


def test_files_of_other_programs_and_versions_are_refused(ledger: Ledger) -> None:
    with closing(sqlite3.connect(ledger.path)) as connection:
        connection.execute("CREATE TABLE jobs (key TEXT)")
    with pytest.raises(QpuError, match="of another program"):
        ledger.enter([job()], 100.0)
    ledger.path.unlink()
    ledger.enter([job()], 100.0)
    with closing(sqlite3.connect(ledger.path)) as connection:
        connection.execute("PRAGMA user_version = 2")
    with pytest.raises(QpuError, match="has version 2"):
        ledger.jobs()


def test_a_ledger_that_cannot_be_made(tmp_path: Path) -> None:
    with pytest.raises(QpuError, match=r"cannot be used .* check that its folder exists"):
        Ledger(tmp_path / "missing").enter([job()], 100.0)
