"""Every way a request can fail: no job is lost, none is paid twice, and the message says what to do."""

from __future__ import annotations

import json
from typing import Any

import dimod
import pytest
from qpu_desk import READS, Desk, write_experiment

from spinbattery.core.errors import QpuError
from spinbattery.qpu.client import Connection, connect
from spinbattery.qpu.faults import NotNowError, NotSentError, UnansweredError
from spinbattery.qpu.ledger import Ledger
from spinbattery.store.folder import Store

ONE_ANSWER = "/problems/[^/]+"


# while jobs are sent


@pytest.mark.parametrize("action", [500, 502, 503, "drop"])
def test_a_request_that_never_arrived_is_sent_again_after_its_grace(desk: Desk, action: Any) -> None:
    desk.stub.fault("POST", "/problems", action)
    with pytest.raises(UnansweredError, match=r"Whether this job arrived is not known.*neither lost nor sent twice"):
        desk.submit()
    assert desk.states == ["submitting", "planned", "planned"]

    result = desk.submit()  # the others go on; this one may still turn up in the list
    assert (result.counts["sent"], result.counts["waiting"], result.complete) == (2, 1, False)
    assert "the server does not list it yet" in result.messages[0]
    assert desk.submit(grace=0.0).counts["sent"] == 1
    assert desk.collect(wait=True).complete
    desk.assert_nothing_lost_or_paid_twice(3)
    assert len(desk.stub.posted) == 4


@pytest.mark.parametrize("action", [400, 401, 403, 429])
def test_a_refused_request_can_be_sent_again_at_once(desk: Desk, action: int) -> None:
    desk.stub.fault("POST", "/problems", action)
    with pytest.raises(NotSentError, match="stay planned"):
        desk.submit()
    assert desk.states == ["planned"] * 3
    assert desk.submit().counts["sent"] == 3
    desk.collect(wait=True)
    desk.assert_nothing_lost_or_paid_twice(3)


@pytest.mark.parametrize(("action", "headers"), [("drop", {}), ("lose", {}), (503, {"Retry_After": "0"})])
def test_the_client_does_not_send_a_job_again_by_itself(
    desk: Desk, action: Any, headers: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = desk.folder / "patient.conf"
    path.write_text(f"[defaults]\nendpoint = {desk.stub.url}\nhttp_retry_total = 9\ncache_home = off\n")
    monkeypatch.setenv("DWAVE_CONFIG_FILE", str(path))
    desk.experiment = write_experiment(desk.folder / "one.toml", 1)
    desk.stub.listing_lag = 1000.0
    desk.stub.fault("POST", "/problems", action, **headers)
    with pytest.raises(UnansweredError):
        desk.submit()
    assert len(desk.stub.posted) == 1


def test_labels_that_contain_another_are_others(desk: Desk) -> None:
    request = desk.plan().jobs[0].request
    with connect() as connection:
        solver = connection.solver()
        ids = [connection.submit(solver, request, label) for label in ("job-1", "job-11", "a-job-1")]
        assert [one.problem_id for one in connection.find("job-1")] == ids[:1]
        assert connection.find("job") == []


def test_a_job_whose_reply_was_lost_is_found_at_once(desk: Desk) -> None:
    desk.stub.fault("POST", "/problems", "lose", times=2)
    result = desk.submit()
    assert (result.counts["found"], result.counts["sent"]) == (2, 1)
    desk.collect(wait=True)
    desk.assert_nothing_lost_or_paid_twice(3)
    assert len(desk.stub.posted) == 3


def test_a_job_whose_reply_was_lost_is_found_when_the_lists_catch_up(desk: Desk) -> None:
    desk.stub.listing_lag = 1000.0
    desk.stub.fault("POST", "/problems", "lose")
    with pytest.raises(UnansweredError):
        desk.submit()
    assert desk.submit().counts["waiting"] == 1
    found = desk.collect()
    assert (len(found.done) + len(found.pending), desk.states[0]) == (3, "submitting")
    desk.stub.listing_lag = 0.0
    assert desk.collect(wait=True).complete
    desk.assert_nothing_lost_or_paid_twice(3)
    assert len(desk.stub.posted) == 3


def test_a_list_that_fails_proves_nothing(desk: Desk) -> None:
    desk.stub.fault("POST", "/problems", "lose")
    desk.stub.fault("GET", "/problems", 503, times=2)
    with pytest.raises(UnansweredError):
        desk.submit()
    with pytest.raises(NotNowError, match="503"):
        desk.submit(grace=0.0)
    assert desk.states == ["submitting", "planned", "planned"]
    desk.submit(grace=0.0)
    desk.collect(wait=True)
    desk.assert_nothing_lost_or_paid_twice(3)


def test_a_job_is_not_sought_in_another_account(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.stub.fault("POST", "/problems", "drop")
    with pytest.raises(UnansweredError):
        desk.submit()
    desk.stub.token = "another-token"
    monkeypatch.setenv("DWAVE_API_TOKEN", "another-token")
    result = desk.submit(grace=0.0)
    assert (result.counts["waiting"], result.counts["sent"]) == (1, 2)
    assert "with another token or to another endpoint" in result.messages[0]
    assert "another token" in next(iter(desk.collect().stuck.values()))
    key = desk.jobs[0].key
    assert desk.cancel(key, grace=0.0)[key] == "given up: it was not found at the server"


def test_a_job_that_arrives_after_all_is_found_beside_its_second_request(desk: Desk) -> None:
    desk.experiment = write_experiment(desk.folder / "one.toml", 1)
    desk.stub.seconds = 60.0
    desk.stub.listing_lag = 1000.0
    for _ in range(2):  # both arrive, but nobody is told, and the grace is too short
        desk.stub.fault("POST", "/problems", "lose")
        with pytest.raises(UnansweredError):
            desk.submit(grace=0.0)
    desk.stub.listing_lag = 0.0
    desk.collect(grace=0.0)
    assert desk.states == ["submitted"]
    assert sorted(job.state for job in desk.stub.jobs.values()) == ["CANCELLED", "PENDING"]
    assert "the server had it twice" in str(desk.jobs[0].message)


def test_a_server_that_goes_away_while_jobs_are_sent(desk: Desk) -> None:
    def stop(fraction: float, message: str) -> None:
        if fraction > 0.0:
            desk.stub.stop()

    with pytest.raises(QpuError, match="cannot be reached"):
        desk.submit(progress=stop)
    assert desk.states == ["submitted", "planned", "planned"]
    desk.stub.start()
    assert desk.submit().counts["sent"] == 2
    desk.collect(wait=True)
    desk.assert_nothing_lost_or_paid_twice(3)


def test_a_server_that_is_down(desk: Desk) -> None:
    with desk.stub.down(), pytest.raises(QpuError, match="cannot be reached"):
        desk.submit()
    assert desk.jobs == []
    desk.submit()
    with desk.stub.down(), pytest.raises(NotNowError, match="cannot be reached"):
        desk.collect()
    desk.collect(wait=True)  # after a restart its jobs are still there
    desk.assert_nothing_lost_or_paid_twice(3)


def test_a_wrong_token(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DWAVE_API_TOKEN", "wrong")
    with pytest.raises(QpuError, match=r"does not accept the token.*DWAVE_API_TOKEN"):
        desk.submit()
    monkeypatch.delenv("DWAVE_API_TOKEN")
    with pytest.raises(QpuError, match="there is no token; set DWAVE_API_TOKEN"):
        desk.submit()
    assert desk.stub.posted == []


def test_a_token_that_ceases_to_be_valid_stops_collecting(desk: Desk) -> None:
    desk.submit()
    desk.stub.token = "renewed"
    with pytest.raises(QpuError, match="does not accept the token"):
        desk.collect(wait=True)
    assert desk.states == ["submitted"] * 3


@pytest.mark.parametrize("when", ["before", "after"])
def test_ctrl_c_around_a_request(desk: Desk, when: str, monkeypatch: pytest.MonkeyPatch) -> None:
    send = Connection.submit

    def interrupted(connection: Connection, *arguments: Any) -> str:
        if when == "after":
            send(connection, *arguments)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Connection, "submit", interrupted)
        with pytest.raises(KeyboardInterrupt):
            desk.submit()
    assert desk.states == ["submitting", "planned", "planned"]
    assert desk.submit(grace=0.0).counts["found" if when == "after" else "sent"] >= 1
    desk.collect(wait=True)
    desk.assert_nothing_lost_or_paid_twice(3)


def test_an_id_that_cannot_be_noted_is_found_again(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    move = Ledger.move

    def full(ledger: Ledger, key: str, to: str, *arguments: Any, **changes: Any) -> bool:
        if to == "submitted":
            raise QpuError("database or disk is full")
        return move(ledger, key, to, *arguments, **changes)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "move", full)
        with pytest.raises(
            QpuError, match=r"accepted .* ledger could not be updated: .*disk is full.*collect.*by its label"
        ):
            desk.submit()
    assert desk.states == ["submitting", "planned", "planned"]
    assert desk.submit(grace=0.0).counts["found"] == 1
    desk.collect(wait=True)
    desk.assert_nothing_lost_or_paid_twice(3)


def test_a_job_that_another_process_is_sending_is_left_alone(desk: Desk) -> None:
    key = desk.plan().jobs[0].key
    with desk.store.claim(key):
        result = desk.submit()
        assert (result.counts["busy"], result.counts["sent"]) == (1, 2)
        desk.ledger.begin(key, "account", {})
        assert desk.collect(grace=0.0).pending[key] == "another process is sending it"
    assert desk.states[0] == "submitting"


# while answers are fetched


@pytest.mark.parametrize("action", [500, 503, 429, "drop"])
def test_a_poll_that_fails(desk: Desk, action: Any) -> None:
    desk.submit()
    desk.stub.fault("GET", "/problems", action)
    with pytest.raises(NotNowError):
        desk.collect()
    assert desk.states == ["submitted"] * 3
    desk.stub.fault("GET", "/problems", action)
    assert desk.collect(wait=True).complete
    desk.assert_nothing_lost_or_paid_twice(3)


@pytest.mark.parametrize("action", [500, 503, 429, "drop"])
def test_an_answer_that_does_not_come(desk: Desk, action: Any) -> None:
    desk.submit()
    desk.collect(wait=True, keys=[desk.jobs[1].key, desk.jobs[2].key])
    desk.stub.fault("GET", ONE_ANSWER, action)
    found = desk.collect()
    assert (list(found.pending), found.failed) == ([desk.jobs[0].key], {})
    assert desk.states == ["submitted", "done", "done"]
    assert desk.collect().complete
    desk.assert_nothing_lost_or_paid_twice(3)


def test_an_answer_that_was_thrown_away(desk: Desk) -> None:
    desk.submit()
    _wait_for_answers(desk)
    desk.stub.fault("GET", ONE_ANSWER, 410)
    found = desk.collect()
    assert "the answer has expired on the server" in found.failed[desk.jobs[0].key]
    assert desk.states == ["failed", "done", "done"]


def test_an_unknown_job_is_not_given_up(desk: Desk) -> None:
    desk.submit()
    _wait_for_answers(desk)
    desk.stub.fault("GET", ONE_ANSWER, 404)
    found = desk.collect()
    assert "with the token that it was sent with" in found.stuck[desk.jobs[0].key]
    assert desk.states == ["submitted", "done", "done"]
    assert desk.collect().complete


def test_a_record_that_cannot_be_written_leaves_the_answer_at_the_server(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    from spinbattery.core.errors import RecordError

    def full(store: Store, record: object) -> None:
        raise RecordError("cannot write: no room")

    desk.submit()
    _wait_for_answers(desk)
    with monkeypatch.context() as patch:
        patch.setattr(Store, "put", full)
        found = desk.collect(wait=True)
    assert len(found.stuck) == 3
    assert desk.states == ["submitted"] * 3
    kept = sorted(desk.store.folder.glob("*.answer.json"))
    assert [path.name.split(".")[0] for path in kept] == sorted(found.stuck)
    assert all(repr(str(path)) in found.stuck[path.name.split(".")[0]] for path in kept)
    answer = dimod.SampleSet.from_serializable(json.loads(kept[0].read_text(encoding="utf-8")))
    assert answer.record.sample.shape == (READS, 40)
    assert desk.collect().complete
    assert not list(desk.store.folder.glob("*.answer.json"))
    desk.assert_nothing_lost_or_paid_twice(3)


def test_a_record_written_just_before_the_end_of_its_process_is_kept(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = Store.put

    def interrupted(store: Store, record: Any) -> None:
        put(store, record)
        raise KeyboardInterrupt

    desk.submit()
    _wait_for_answers(desk)
    with monkeypatch.context() as patch:
        patch.setattr(Store, "put", interrupted)
        with pytest.raises(KeyboardInterrupt):
            desk.collect()
    assert desk.states == ["submitted"] * 3
    assert sum(desk.store.has_planned(job.key) for job in desk.jobs) == 1
    fetched = len([one for one in desk.stub.requests if one.path.startswith("/problems/")])
    assert desk.collect().complete
    assert len([one for one in desk.stub.requests if one.path.startswith("/problems/")]) == fetched + 2
    desk.assert_nothing_lost_or_paid_twice(3)


def test_an_answer_to_another_problem_becomes_no_record(desk: Desk) -> None:
    desk.experiment = write_experiment(desk.folder / "one.toml", 1)
    desk.submit()
    _wait_for_answers(desk)
    [answer] = [job.answer for job in desk.stub.jobs.values()]
    assert answer is not None
    whole = answer["solutions"]
    answer["solutions"] = whole[: len(whole) // 2]
    found = desk.collect()
    assert (found.done, len(found.pending) + len(found.stuck), desk.states) == ([], 1, ["submitted"])
    answer["solutions"] = whole
    assert desk.collect().complete


def _wait_for_answers(desk: Desk) -> None:
    with connect() as connection:
        ids = [str(job.problem_id) for job in desk.jobs]
        while {one.status for one in connection.statuses(ids).values()} != {"COMPLETED"}:
            pass
