"""The real dwave-cloud-client against the loopback service: what works, and what the client makes of each fault."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import dimod
import numpy as np
import pytest
from dwave.cloud import Client
from dwave.cloud.api import Problems
from dwave.cloud.api.exceptions import ResourceConflictError
from dwave.cloud.computation import Future
from dwave.cloud.exceptions import (
    CanceledFutureError,
    PollingTimeout,
    RequestTimeout,
    SolverAuthenticationError,
    SolverError,
    SolverFailureError,
    SolverNotFoundError,
)
from dwave.cloud.solver import StructuredSolver
from dwave.system import DWaveSampler
from requests.exceptions import ConnectionError as LostConnectionError
from sapi_stub import TOKEN, SapiStub
from solvers import AllUp, advantage

from spinbattery.solver.limits import check_request

Connect = Callable[..., Client]
SCHEDULE = [[0.0, 1.0], [20.0, 0.35], [40.0, 0.35], [60.0, 1.0]]


def _problem(solver: dict[str, Any]) -> dimod.BinaryQuadraticModel:
    """The cooperative protocol on three coupled qubits."""
    u, v, w = solver["properties"]["qubits"][:3]
    pairs = [(a, b) for a, b in solver["properties"]["couplers"] if a in (u, v, w) and b in (u, v, w)]
    return dimod.BinaryQuadraticModel.from_ising(dict.fromkeys((u, v, w), -0.5), dict.fromkeys(pairs, -0.2))


def _settings(stub: SapiStub, **more: Any) -> dict[str, Any]:
    """Settings that leave the machine's configuration and caches alone, and wait for nothing long."""
    quick = {"http_retry_total": 2, "http_retry_backoff_factor": 0.001, "poll_strategy": "backoff"}
    return {"endpoint": stub.url, "token": TOKEN, "config_file": False, "cache_home": "off", **quick, **more}


@pytest.fixture
def connect(stub: SapiStub) -> Iterator[Connect]:
    """Clients of the service, closed at the end."""
    with contextlib.ExitStack() as stack:
        yield lambda **more: stack.enter_context(Client.from_config(**_settings(stub, **more)))


def _submit(client: Client, stub: SapiStub, **parameters: Any) -> Future:
    return _send(client.get_solver(), stub, **parameters)


def _send(solver: StructuredSolver, stub: SapiStub, **parameters: Any) -> Future:
    return solver.sample_bqm(_problem(stub.solver), **{"num_reads": 3, "answer_mode": "raw", **parameters})


def _error(future: Future) -> SolverFailureError | None:
    try:
        future.result()
    except SolverFailureError as error:
        return error
    return None


def _n_posted(stub: SapiStub) -> tuple[int, int]:
    """Problems that arrived, and jobs that were made of them."""
    return len(stub.posted), len(stub.jobs)


def test_a_reverse_anneal_goes_through_and_comes_back(stub: SapiStub, connect: Connect, sampler: AllUp) -> None:
    bqm = _problem(stub.solver)
    state = dict.fromkeys(bqm.variables, -1)
    gains = [[0.0, 0.0], [20.0, 0.0], [40.0, 1.0], [60.0, 0.0]]
    future = _submit(
        connect(), stub, anneal_schedule=SCHEDULE, h_gain_schedule=gains, initial_state=state, label="run 1"
    )
    id_ = future.wait_id(timeout=10)
    sampleset = future.sampleset
    assert sampleset.record.sample.tolist() == [[1] * 3] * 3
    np.testing.assert_allclose(sampleset.record.energy, bqm.energies(sampleset))
    assert (sampleset.info["problem_id"], sampleset.info["problem_label"]) == (id_, "run 1")
    assert sampleset.info["timing"] == {"qpu_access_time": 15_300.0}
    assert sampler.calls == [
        {
            "num_reads": 3,
            "answer_mode": "raw",
            "anneal_schedule": SCHEDULE,
            "h_gain_schedule": gains,
            "initial_state": state,
        }
    ]
    assert _n_posted(stub) == (1, 1)
    assert {request.headers["x-auth-token"] for request in stub.requests} == {TOKEN}


def test_a_histogram_counts_equal_reads(stub: SapiStub, connect: Connect) -> None:
    sampleset = _submit(connect(), stub, answer_mode="histogram").sampleset
    assert sampleset.record.num_occurrences.tolist() == [3]


def test_the_sampler_of_ocean_works_with_long_polling(stub: SapiStub) -> None:
    stub.seconds = 0.1
    settings = {**_settings(stub), "poll_strategy": "long-polling"}
    with DWaveSampler(**settings) as qpu:
        assert qpu.properties["h_gain_schedule_range"] == [-4.0, 4.0]
        assert len(qpu.nodelist) == 40
        sampleset = qpu.sample(_problem(stub.solver), num_reads=2)
        assert sampleset.record.num_occurrences.sum() == 2
    assert any("timeout" in request.query for request in stub.requests)


def test_many_problems_go_in_few_requests_and_keep_their_order(stub: SapiStub, connect: Connect) -> None:
    solver = connect().get_solver()
    futures = [_send(solver, stub, label=f"run {k}") for k in range(30)]
    assert [future.sampleset.info["problem_label"] for future in futures] == [f"run {k}" for k in range(30)]
    assert _n_posted(stub) == (30, 30)
    assert sum(request.method == "POST" for request in stub.requests) < 10


def test_a_pinned_graph_is_found_only_while_it_is_the_working_graph(stub: SapiStub, connect: Connect) -> None:
    assert connect(solver="Advantage_system6;graph_id=0123456789").get_solver().name == "Advantage_system6"
    with pytest.raises(SolverNotFoundError):
        connect(solver="Advantage_system6;graph_id=another").get_solver()


def test_jobs_are_found_by_label_by_id_and_after_a_restart(stub: SapiStub, connect: Connect) -> None:
    future = _submit(connect(), stub, label="qb/17")
    future.result()
    _submit(connect(), stub, label="qb/171").result()
    with stub.down():
        pass
    with Problems(endpoint=stub.url, token=TOKEN) as problems:
        assert {found.label for found in problems.list_problems(label="qb/17")} == {"qb/17", "qb/171"}  # contains
        assert problems.list_problems(label="qb/2") == []
        assert problems.get_problem_info(future.id).params == {"num_reads": 3, "answer_mode": "raw"}
    again = connect().retrieve_answer(future.id).sampleset
    assert again.record.sample.tolist() == [[1] * 3] * 3
    assert again.info["problem_label"] == "qb/17"


def test_a_retrieved_answer_has_lost_the_offset(stub: SapiStub, connect: Connect) -> None:
    client = connect()
    bqm = _problem(stub.solver)
    bqm.offset = 10.0
    future = client.get_solver().sample_bqm(bqm, num_reads=1, answer_mode="raw")
    original = future.sampleset.record.energy
    retrieved = client.retrieve_answer(future.id).sampleset.record.energy
    np.testing.assert_allclose(original - retrieved, 10.0)


def test_a_running_job_is_finished_after_a_restart(stub: SapiStub, connect: Connect) -> None:
    stub.seconds = 60.0
    id_ = _submit(connect(polling_timeout=0.2), stub).wait_id(timeout=10)
    with stub.down():
        stub.seconds = 0.0
    assert len(connect().retrieve_answer(id_).sampleset) == 3
    assert _n_posted(stub) == (1, 1)


def test_a_new_job_shows_up_in_lists_late(stub: SapiStub, connect: Connect) -> None:
    stub.listing_lag = 3600.0
    future = _submit(connect(), stub, label="late")
    future.result()
    with Problems(endpoint=stub.url, token=TOKEN) as problems:
        assert problems.list_problems(label="late") == []
        assert problems.get_problem_status(future.id).label == "late"
        stub.listing_lag = 0.0
        assert [found.id for found in problems.list_problems(label="late")] == [future.id]


def test_a_cancelled_job_ends_and_a_finished_one_is_not_cancelled(stub: SapiStub, connect: Connect) -> None:
    stub.seconds = 60.0
    client = connect()
    future = _submit(client, stub)
    id_ = future.wait_id(timeout=10)
    future.cancel()
    with pytest.raises(CanceledFutureError):
        future.result()
    assert stub.jobs[id_].state == "CANCELLED"
    stub.seconds = 0.0
    finished = _submit(client, stub)
    finished.result()
    with Problems(endpoint=stub.url, token=TOKEN) as problems:
        assert problems.cancel_problems([finished.id])[0].error_code == 409
        with pytest.raises(ResourceConflictError):
            problems.cancel_problem(finished.id)
    assert stub.jobs[finished.id].state == "COMPLETED"


@pytest.mark.parametrize("status", [429, 500, 503])
def test_an_error_on_submit_is_final_and_no_job_is_made(stub: SapiStub, connect: Connect, status: int) -> None:
    client = connect()
    stub.fault("POST", "/problems", status)
    with pytest.raises(SolverError):
        _submit(client, stub).result()
    assert _n_posted(stub) == (1, 0)


@pytest.mark.parametrize("status", [429, 503])
def test_even_with_retry_after_a_submission_is_not_repeated(stub: SapiStub, connect: Connect, status: int) -> None:
    client = connect()
    stub.fault("POST", "/problems", status, Retry_After="0")
    with pytest.raises(SolverError):
        _submit(client, stub).result()
    assert _n_posted(stub) == (1, 0)


@pytest.mark.parametrize("status", [500, 503])
def test_errors_on_polling_are_survived(stub: SapiStub, connect: Connect, status: int) -> None:
    stub.seconds = 0.1
    stub.fault("GET", "/problems", status, times=2)
    assert len(_submit(connect(), stub).sampleset) == 3
    assert _n_posted(stub) == (1, 1)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_an_error_on_the_answer_is_final_for_the_future_but_not_for_the_job(
    stub: SapiStub, connect: Connect, status: int
) -> None:
    client = connect()
    stub.fault("GET", "/problems/.+", status)
    future = _submit(client, stub)
    with pytest.raises(SolverError):
        future.result()
    assert len(client.retrieve_answer(future.id).sampleset) == 3
    assert _n_posted(stub) == (1, 1)


def test_a_lost_reply_leaves_a_job_that_only_its_label_finds(stub: SapiStub, connect: Connect) -> None:
    client = connect()
    stub.fault("POST", "/problems", "lose")
    future = _submit(client, stub, label="qb/lost")
    with pytest.raises(LostConnectionError):
        future.result()
    assert future.id is None
    assert _n_posted(stub) == (1, 1)
    with Problems(endpoint=stub.url, token=TOKEN) as problems:
        [found] = problems.list_problems(label="qb/lost")
    assert len(client.retrieve_answer(found.id).sampleset) == 3


def test_a_dropped_request_looks_the_same_but_leaves_no_job(stub: SapiStub, connect: Connect) -> None:
    client = connect()
    stub.fault("POST", "/problems", "drop")
    with pytest.raises(LostConnectionError):
        _submit(client, stub, label="qb/dropped").result()
    assert _n_posted(stub) == (1, 0)
    with Problems(endpoint=stub.url, token=TOKEN) as problems:
        assert problems.list_problems(label="qb/dropped") == []


def test_dropped_polls_are_repeated(stub: SapiStub, connect: Connect) -> None:
    stub.fault("GET", "/problems", "drop", times=2)
    assert len(_submit(connect(), stub).sampleset) == 3


def test_a_server_that_is_down_is_reported_as_a_timeout(stub: SapiStub, connect: Connect) -> None:
    solver = connect().get_solver()
    with stub.down():
        with pytest.raises(RequestTimeout):
            connect().get_solver()
        with pytest.raises(RequestTimeout):
            _send(solver, stub).result()
    assert _n_posted(stub) == (0, 0)
    assert len(_send(solver, stub).sampleset) == 3


def test_a_wrong_token_is_refused_at_once(stub: SapiStub, connect: Connect) -> None:
    with pytest.raises(SolverAuthenticationError):
        connect(token="another").get_solver()
    solver = connect().get_solver()
    stub.token = "renewed"
    with pytest.raises(SolverAuthenticationError):
        _send(solver, stub).result()
    assert _n_posted(stub) == (1, 0)


def test_a_refused_problem_is_no_job_and_the_others_of_its_batch_are(stub: SapiStub, connect: Connect) -> None:
    stub.refusals.append("h_gain_schedule is too steep")
    solver = connect().get_solver()
    futures = [_send(solver, stub, label=f"run {k}") for k in range(3)]
    errors = [_error(future) for future in futures]
    assert sum(error is None for error in errors) == 2
    assert any("too steep" in str(error) for error in errors)
    assert _n_posted(stub) == (3, 2)


def test_the_service_may_check_as_the_solver_does(stub: SapiStub, connect: Connect) -> None:
    stub.check = check_request
    client = connect()
    # the client sends all of this: it checks names and graph only
    with pytest.raises(SolverFailureError, match="'raw' or 'histogram', but is 'never'"):
        _submit(client, stub, answer_mode="never").result()
    assert _n_posted(stub) == (1, 0)
    assert len(_submit(client, stub).sampleset) == 3


def test_a_job_may_fail_on_the_solver(stub: SapiStub, connect: Connect) -> None:
    client = connect()
    stub.failures.append("calibration lost")
    future = _submit(client, stub)
    with pytest.raises(SolverFailureError, match="calibration lost"):
        future.result()
    assert _n_posted(stub) == (1, 1)
    assert stub.jobs[future.id].state == "FAILED"
    with pytest.raises(SolverFailureError, match="calibration lost"):
        client.retrieve_answer(future.id).result()


def test_a_slow_job_outlives_the_patience_of_the_client(stub: SapiStub, connect: Connect) -> None:
    stub.seconds = 0.5
    future = _submit(connect(polling_timeout=0.1), stub)
    with pytest.raises(PollingTimeout):
        future.result()
    assert len(connect().retrieve_answer(future.id).sampleset) == 3


def test_a_client_killed_in_the_middle_of_a_submission_leaves_no_job(stub: SapiStub) -> None:
    address = urlsplit(stub.url)
    with socket.create_connection((address.hostname, address.port)) as client:
        head = f"POST /problems/ HTTP/1.1\r\nHost: {address.netloc}\r\nX-Auth-Token: {TOKEN}\r\nContent-Length: 100\r\n"
        client.sendall(f"{head}\r\n[".encode())
    stub.stop()
    assert _n_posted(stub) == (0, 0)
    assert stub.errors == []


def test_an_unknown_id_is_said(connect: Connect) -> None:
    with pytest.raises(SolverError, match="does not exist"):
        connect().retrieve_answer("00000000-0000-0000-0000-000000000000").result()


def test_missing_qubits_are_missing(sampler: AllUp, tmp_path: Any) -> None:
    whole = advantage()
    gone = whole["properties"]["qubits"][5]
    solver = advantage(missing=[gone])
    assert len(solver["properties"]["qubits"]) == 39
    with SapiStub(solver, sampler, tmp_path / "other") as stub, Client.from_config(**_settings(stub)) as client:
        assert gone not in client.get_solver().nodes
        assert len(_submit(client, stub).sampleset) == 3


def test_all_threads_end_with_the_service(solver: dict[str, Any], sampler: AllUp, tmp_path: Any) -> None:
    before = set(threading.enumerate())
    with SapiStub(solver, sampler, tmp_path / "other", seconds=60.0) as stub:
        client = Client.from_config(**_settings(stub, poll_strategy="long-polling", polling_timeout=0.1))
        _submit(client, stub).wait_id(timeout=10)
    client.close()
    assert {thread for thread in threading.enumerate() if thread.is_alive()} <= before
