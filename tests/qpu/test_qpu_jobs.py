"""Jobs of an account: sent once, collected into records, refused where they would cost too much, and dropped."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from qpu_desk import READS, Desk, write_experiment
from solvers import advantage

from spinbattery.core.errors import LimitError, QpuError
from spinbattery.qpu.collection import record_key, stored_record
from spinbattery.qpu.ledger import Ledger


def test_jobs_are_sent_once_and_become_records(desk: Desk) -> None:
    assert desk.submit().counts["sent"] == 3
    assert desk.states == ["submitted"] * 3
    assert len(desk.collect(wait=True).done) == 3
    desk.assert_nothing_lost_or_paid_twice(3)

    assert desk.submit().counts["known"] == 3
    assert desk.collect().complete
    assert len(desk.stub.posted) == 3
    job = desk.jobs[0]
    record = stored_record(desk.store, job)
    assert record is not None
    assert (record.engine, record.magnetization, record.n_reads) == ("qpu", 1.0, READS)
    assert np.allclose(record.dataset["energy"], -0.5 * 40 - 0.2 * 164)
    assert record.sampler_info["solver"] == {"name": "Advantage_system6", "graph_id": "0123456789"}
    assert record.sampler_info["parameters"]["num_reads"] == READS
    assert record.execution_info["problem_id"] == job.problem_id
    assert job.charged_us == record.execution_info["timing"]["qpu_access_time"]


def test_the_service_is_sent_what_the_paper_sends(desk: Desk) -> None:
    desk.experiment = write_experiment(desk.folder / "one.toml", 1)
    desk.submit()
    [posted] = desk.stub.posted
    params = posted["params"]
    assert params["anneal_schedule"][0] == [0.0, 1.0]
    assert params["anneal_schedule"][-1] == [60.0, 1.0]
    assert params["h_gain_schedule"][-1][0] == 60.0
    assert (params["auto_scale"], params["answer_mode"], params["reinitialize_state"]) == (False, "raw", True)
    assert set(params["initial_state"]) == {-1, 3}
    assert params["initial_state"].count(-1) == 40
    assert posted["solver"]["version"]["graph_id"] == "0123456789"
    [request] = [one for one in desk.stub.requests if one.method == "POST"]
    assert "content-encoding" not in request.headers


def test_repetitions_are_runs_of_their_own(desk: Desk) -> None:
    desk.experiment = write_experiment(desk.folder / "one.toml", 1)
    assert desk.submit(repetitions=2).counts["sent"] == 2
    assert desk.submit(repetitions=3).counts == {
        "sent": 1,
        "found": 0,
        "known": 2,
        "failed": 0,
        "busy": 0,
        "waiting": 0,
    }
    desk.collect(wait=True)
    desk.assert_nothing_lost_or_paid_twice(3)


def test_the_budget_is_for_all_jobs_of_the_ledger(desk: Desk) -> None:
    estimate = desk.plan().estimated_us / 1e6
    desk.budget_s = 0.99 * estimate
    with pytest.raises(QpuError, match=r"more than the budget of .* nothing was sent"):
        desk.submit()
    assert (desk.jobs, desk.stub.posted) == ([], [])

    desk.budget_s = 1.5 * estimate
    desk.submit()
    desk.experiment = write_experiment(desk.folder / "more.toml", 6)  # three of them are known
    with pytest.raises(QpuError, match="more than the budget"):
        desk.submit()
    assert len(desk.stub.posted) == 3


def test_what_the_solver_would_refuse_is_not_sent(desk: Desk) -> None:
    desk.experiment.write_text(
        'networks = ["pegasus:2"]\n[[protocols]]\nname = "cooperative"\nduration = "60us"\nJ=-3.0'
    )
    with pytest.raises(LimitError, match=r"pegasus:2, cooperative, 60000 ns, .*: .*extended_j_range"):
        desk.submit()
    assert (desk.jobs, desk.stub.posted) == ([], [])


def test_another_working_graph_does_not_make_all_jobs_new(desk: Desk) -> None:
    desk.submit()
    desk.stub.solver = advantage(graph_id="fedcba")
    with pytest.raises(QpuError, match=r"is fedcba now, but was 0123456789 .*new_graph=True"):
        desk.submit()
    assert len(desk.stub.posted) == 3
    assert len(desk.collect(wait=True).done) == 3  # answers are read without the solver they came from
    assert desk.submit(new_graph=True).counts["sent"] == 3


def test_the_working_graph_is_that_of_now(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    path = desk.folder / "caching.conf"  # the client keeps solvers for an hour otherwise
    path.write_text(f"[defaults]\nendpoint = {desk.stub.url}\ncache_home = {desk.folder / 'cache'}\n")
    monkeypatch.setenv("DWAVE_CONFIG_FILE", str(path))
    assert desk.plan().solver.graph_id == "0123456789"
    desk.stub.solver = advantage(graph_id="fedcba")
    assert desk.plan().solver.graph_id == "fedcba"


def test_a_graph_that_changes_between_plan_and_request_is_refused(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    begin = Ledger.begin

    def begun(ledger: Ledger, *arguments: object) -> object:
        desk.stub.solver = advantage(graph_id="fedcba")
        return begin(ledger, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(Ledger, "begin", begun)
    with pytest.raises(QpuError, match="stay planned"):
        desk.submit()
    assert desk.states == ["planned"] * 3
    assert desk.stub.jobs == {}


def test_a_record_that_was_lost_is_fetched_again(desk: Desk) -> None:
    desk.submit()
    desk.collect(wait=True)
    paths = [desk.store.path(record_key(job)) for job in desk.jobs]
    paths[0].unlink()
    paths[1].write_bytes(b"no record")
    assert len(desk.collect().done) == 2
    desk.assert_nothing_lost_or_paid_twice(3)


def test_a_record_without_its_ledger_is_not_paid_again(desk: Desk) -> None:
    desk.submit()
    desk.collect(wait=True)
    desk.ledger.path.unlink()
    assert desk.submit().counts["known"] == 3
    assert desk.states == ["done"] * 3
    assert len(desk.stub.posted) == 3


def test_refused_and_failed_jobs_do_not_stop_the_others(desk: Desk) -> None:
    desk.stub.refusals = ["h_gain_schedule is too steep"]
    desk.stub.failures = ["the chip was too warm"]
    result = desk.submit()
    assert (result.counts["sent"], result.counts["failed"], result.complete) == (2, 1, False)
    assert "h_gain_schedule is too steep" in result.messages[0]
    found = desk.collect(wait=True)
    assert list(found.failed.values()) == ["the chip was too warm"]
    assert desk.states == ["failed", "failed", "done"]

    labels = [job.label for job in desk.jobs]
    assert desk.submit().counts == {"sent": 0, "found": 0, "known": 1, "failed": 2, "busy": 0, "waiting": 0}
    assert desk.submit(retry_failed=True).counts["sent"] == 2
    assert desk.collect(wait=True).complete
    assert desk.states == ["done"] * 3
    assert [old == job.label for old, job in zip(labels, desk.jobs, strict=True)] == [False, False, True]


def test_open_jobs_are_dropped_and_finished_ones_are_not(desk: Desk) -> None:
    desk.stub.seconds = 60.0
    desk.submit()
    first, second, third = (job.key for job in desk.jobs)
    assert desk.cancel(first) == {first: "cancelled at the server"}
    assert desk.states == ["cancelled", "submitted", "submitted"]
    assert list(desk.collect().pending.values()) == ["pending"] * 2
    with desk.stub.changed:
        desk.stub.seconds = 0.0
    with desk.stub.down():
        pass  # its jobs start anew
    desk.collect(wait=True)
    assert desk.states == ["cancelled", "done", "done"]
    assert desk.cancel(second)[second] == "done"
    assert desk.cancel(third)[third] == "done"


def test_cancelling_comes_too_late_for_a_finished_job(desk: Desk) -> None:
    desk.experiment = write_experiment(desk.folder / "one.toml", 1)
    desk.submit()
    _until(lambda: all(job.state == "COMPLETED" for job in desk.stub.jobs.values()))
    [job] = desk.jobs
    assert desk.cancel(job.key) == {job.key: "not cancelled: it has finished; collect it"}
    assert desk.collect().complete
    desk.assert_nothing_lost_or_paid_twice(1)


def _until(condition: Callable[[], bool]) -> None:
    import time

    end = time.monotonic() + 60.0
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)
