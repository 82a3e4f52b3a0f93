"""A cloud service of one solver on 127.0.0.1, to which the real dwave-cloud-client talks; faults are made to order.

It speaks as much of the third version of D-Wave's solver API as the client uses for structured problems: solvers,
submission, polling, answers, problem information, lists by label, and cancelling. Problems are answered by any dimod
sampler. Jobs are files in a folder, so that a server that was stopped and started again still has them.
"""

from __future__ import annotations

import json
import re
import socket
import sys
import threading
import uuid
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import parse_qs, unquote, urlsplit

import dimod
from sapi_jobs import Job, JobRunner

TOKEN = "token-of-the-tests"

Check = Callable[[Mapping[str, Any], Mapping[int, float], Mapping[tuple[int, int], float], Mapping[str, Any]], None]
"""Of properties, h, J and parameters; what it raises, the service refuses the problem with."""


@dataclass(frozen=True)
class Request:
    """A request as it came in: path below the endpoint, query, headers, and body where there was one."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any


@dataclass
class Fault:
    """What happens to the next requests of a method whose whole path matches a regular expression.

    Attributes:
        action: an HTTP status; "drop" cuts the connection before the request is handled; "lose" handles it, and cuts
            the connection instead of answering.
        times: to how many requests it still happens.
        headers: further ones of the reply, such as Retry-After.
    """

    method: str
    path: str
    action: int | Literal["drop", "lose"]
    times: int = 1
    headers: dict[str, str] = field(default_factory=dict)


class SapiStub:
    """The service; started when made, stopped by `stop` or at the end of a ``with``.

    Args:
        solver: its description: identity, properties and so on.
        sampler: what answers the problems.
        folder: where jobs are kept.
        seconds: how long a job takes, beyond what the sampler needs.
        check: refuses problems as the service does, with an error for the one problem.

    Attributes:
        url: endpoint for the client; the port stays the same after `stop` and `start`.
        requests: all that came in, refused and dropped ones too.
        seconds, check, token, listing_lag: may be changed between requests. A job shows up in lists of problems only
            after ``listing_lag`` seconds.
        refusals: errors for the next problems, which are then no jobs.
        failures: errors of the next jobs, which then fail after they were accepted.
    """

    def __init__(
        self,
        solver: dict[str, Any],
        sampler: dimod.Sampler,
        folder: Path,
        *,
        seconds: float = 0.0,
        check: Check | None = None,
        token: str = TOKEN,
    ) -> None:
        self.solver, self.sampler, self.folder = solver, sampler, folder
        self.seconds, self.check, self.token, self.listing_lag = seconds, check, token, 0.0
        self.requests: list[Request] = []
        self.refusals: list[str] = []
        self.failures: list[str] = []
        self.errors: list[BaseException] = []
        self.stopping = False
        self.changed = threading.Condition()
        self._faults: list[Fault] = []
        self._port = 0
        self._server: _Server | None = None
        folder.mkdir(parents=True, exist_ok=True)
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def name(self) -> str:
        return str(self.solver["identity"]["name"])

    @property
    def posted(self) -> list[dict[str, Any]]:
        """Every problem that arrived, whether or not it became a job."""
        bodies = [request.body for request in self.requests if (request.method, request.path) == ("POST", "/problems")]
        return [problem for body in bodies for problem in (body if isinstance(body, list) else [body])]

    @property
    def jobs(self) -> dict[str, Job]:
        """Accepted problems by id, oldest first: these are paid."""
        with self.changed:
            return dict(self._runner.jobs)

    def start(self) -> None:
        """Listen, and go on with the jobs that are in the folder."""
        self.stopping = False
        self._runner = JobRunner(self)
        self._server = _Server(self, self._port)
        self._port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        self._runner.resume()

    def stop(self) -> None:
        """Hang up on everyone; afterwards connections are refused. Unfinished jobs go on at the next start."""
        if self._server is None:
            return
        self._server.shutdown()
        self._thread.join()
        with self.changed:
            self.stopping = True
            self.changed.notify_all()
        self._server.hang_up()
        self._server.server_close()
        self._server = None
        self._runner.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        assert not self.errors, self.errors

    @contextmanager
    def down(self) -> Iterator[None]:
        """The service is not there for a while."""
        self.stop()
        try:
            yield
        finally:
            self.start()

    def fault(
        self, method: str, path: str, action: int | Literal["drop", "lose"], times: int = 1, **headers: str
    ) -> None:
        """Arrange a `Fault`; those arranged first happen first. Header names are written with underscores."""
        self._faults.append(
            Fault(method, path, action, times, {name.replace("_", "-"): value for name, value in headers.items()})
        )

    def next_fault(self, request: Request) -> Fault | None:
        """The fault of this request, which is then used up."""
        with self.changed:
            for fault in self._faults:
                if fault.times and fault.method == request.method and re.fullmatch(fault.path, request.path):
                    fault.times -= 1
                    return fault
        return None

    def answer(self, request: Request) -> tuple[int, str, Any]:
        """Status, media type and body of the reply to a request."""
        if request.headers.get("x-auth-token") != self.token:
            return _error(401, "Invalid token")
        method, parts = request.method, request.path.strip("/").split("/")
        if method == "GET" and parts[:2] == ["solvers", "remote"]:
            if len(parts) == 2:
                return 200, "solver-definition-list", [self.solver]
            known = unquote(parts[2]).split(";")[0] == self.name
            return (200, "solver-definition", self.solver) if known else _error(404, "Solver does not exist")
        if parts == ["problems"]:
            return 200, "problems", self._problems(method, request)
        if parts[0] == "problems" and len(parts) in (2, 3):
            return self._problem(method, parts[1], parts[2] if len(parts) == 3 else "", request)
        return _error(404, "Not found")

    def _problems(self, method: str, request: Request) -> Any:
        runner, body = self._runner, request.body
        if method == "POST":
            return [self._submit(problem) for problem in body] if isinstance(body, list) else self._submit(body)
        if method == "DELETE":
            return [runner.cancel(id_) for id_ in body]
        if "id" not in request.query:
            return runner.listing(request.query)
        ids = request.query["id"].split(",")
        runner.wait(ids, float(request.query.get("timeout", 0.0)))
        return [runner.jobs[id_].status() for id_ in ids if id_ in runner.jobs]

    def _submit(self, problem: dict[str, Any]) -> dict[str, Any]:
        identity = self.solver["identity"]
        wanted = problem["solver"].get("version", {}).get("graph_id", identity["version"]["graph_id"])
        if (problem["solver"]["name"], wanted) != (self.name, identity["version"]["graph_id"]):
            return {"error_code": 404, "error_msg": "Solver does not exist or apitoken does not have access"}
        with self.changed:
            refusal = self.refusals.pop(0) if self.refusals else None
            failure = self.failures.pop(0) if self.failures and refusal is None else None
        job = Job(str(uuid.uuid4()), identity, problem, datetime.now(UTC).isoformat(), failure)
        try:
            h, J = job.problem(self.solver["properties"])
            if self.check is not None:
                self.check(self.solver["properties"], h, J, problem["params"])
        except ValueError as error:
            refusal = str(error)
        if refusal is not None:  # one of a batch is refused with HTTP status 200
            return {"error_code": 400, "error_msg": refusal}
        return self._runner.accept(job)

    def _problem(self, method: str, id_: str, what: str, request: Request) -> tuple[int, str, Any]:
        runner = self._runner
        if id_ not in runner.jobs:
            return _error(404, "Problem does not exist or apitoken does not have access")
        if method == "DELETE":
            cancelled = runner.cancel(id_)
            return cancelled.get("error_code", 200), "problem", cancelled
        job = runner.jobs[id_]
        if what == "info":
            return 200, "problem-data", job.info()
        if what == "answer":
            return 200, "problem-answer", {"answer": job.answer}
        if what == "messages":
            return 200, "problem-message", []
        runner.wait([id_], float(request.query.get("timeout", 0.0)))
        return 200, "problem", job.status(with_answer=True)


def _error(code: int, message: str) -> tuple[int, str, Any]:
    return code, "problem", {"error_code": code, "error_msg": message}


class _Server(ThreadingHTTPServer):
    """A server that knows its open connections, so that it can end all its threads."""

    daemon_threads = False  # so that closing joins them

    def __init__(self, stub: SapiStub, port: int) -> None:
        self.stub = stub
        self._open: set[Any] = set()
        super().__init__(("127.0.0.1", port), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self.stub.changed:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self.stub.changed:
            self._open.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        with self.stub.changed:
            for connection in self._open:
                with suppress(OSError):  # the client has left
                    connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        error = sys.exception()
        if error is not None and not isinstance(error, ConnectionError):  # a client that left is none of our faults
            self.stub.errors.append(error)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body are two packets: the second would wait 40 ms for the first one's ACK
    server: _Server

    def log_message(self, *_: object) -> None:
        pass

    def _read(self) -> Any:
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            raw = b""
            while size := int(self._line().split(b";")[0], 16):
                raw += self._bytes(size)
                self._line()
            self._line()
        else:
            raw = self._bytes(int(self.headers.get("Content-Length") or 0))
        if self.headers.get("Content-Encoding") == "deflate":
            raw = zlib.decompress(raw)
        return json.loads(raw) if raw else None

    def _line(self) -> bytes:
        line = self.rfile.readline()
        if not line.endswith(b"\n"):
            raise ConnectionAbortedError("the client left in the middle of a request")
        return line

    def _bytes(self, size: int) -> bytes:
        raw = self.rfile.read(size)
        if len(raw) < size:
            raise ConnectionAbortedError("the client left in the middle of a request")
        return raw

    def _handle(self) -> None:
        stub, url = self.server.stub, urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, url.path.rstrip("/"), query, headers, self._read())
        with stub.changed:
            stub.requests.append(request)
        fault = stub.next_fault(request)
        if fault is not None and fault.action == "drop":
            self.close_connection = True
            return
        if fault is not None and isinstance(fault.action, int):
            self._reply(*_error(fault.action, "arranged by the test"), fault.headers)
            return
        reply = stub.answer(request)
        if stub.stopping or (fault is not None and fault.action == "lose"):
            self.close_connection = True
            return
        self._reply(*reply, {})

    do_GET = do_POST = do_DELETE = _handle

    def _reply(self, code: int, media: str, body: Any, headers: dict[str, str]) -> None:
        raw = json.dumps(body).encode()
        self.send_response(code)
        # the client refuses any other
        self.send_header("Content-Type", f"application/vnd.dwave.sapi.{media}+json; version=3.0.0; charset=utf-8")
        self.send_header("Content-Length", str(len(raw)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(raw)
