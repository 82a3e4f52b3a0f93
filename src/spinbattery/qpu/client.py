"""The cloud service, one request at a time; each type of error has its meaning for the job.

Requests are made in the calling thread with the low-level part of D-Wave's client: there is one POST per job, nothing
continues after an exception, and answers are decoded without the solver, which may be retired by then or have another
working graph.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..core.errors import MissingDependencyError, QpuError, SpinBatteryError
from ..core.installing import install_extra_command
from .faults import NotNowError, NotSentError, RefusedError, Secrets, UnansweredError, UnknownJobError, asking, sending

if TYPE_CHECKING:
    import dimod

    from ..solver.request import SamplerRequest

PENDING = ("PENDING", "IN_PROGRESS")
COMPLETED, CANCELLED = "COMPLETED", "CANCELLED"

_DEFAULTS = {"polling_timeout": 600, "http_retry_total": 4, "http_retry_backoff_factor": 0.1}
"""Settings that the user's environment and dwave.conf may override."""

_FEATURES = {"qpu": True, "h_gain_schedule__available": True, "initial_state__available": True}
_IDS_A_REQUEST = 100
_DEFERRED = (401, 403, 404, 429)
"""Codes of a refused job that concern the account or the solver, not the job."""


@dataclass(frozen=True)
class Solver:
    """A solver such as ``Advantage_system6``; the mark of its working graph changes when qubits do.

    ``handle`` is the client's own object, None of a solver that is not connected.
    """

    name: str
    graph_id: str | None
    properties: Mapping[str, Any]
    handle: Any = None


@dataclass(frozen=True)
class Status:
    """Status of a job at the server, with the message of an error and times as texts."""

    problem_id: str
    status: str
    message: str
    submitted_on: str | None = None
    solved_on: str | None = None


@dataclass(frozen=True)
class Answer:
    """Answer of a finished job: all reads, and the server's timing."""

    status: Status
    sampleset: dimod.SampleSet
    timing: dict[str, Any]


class Connection:
    """An open connection, made by :func:`connect`; its ``account`` is the endpoint and a mark of the token."""

    def __init__(self, client: Any, problems: Any, secrets: Secrets) -> None:
        self._client, self._problems, self._secrets = client, problems, secrets
        # the token cannot be recovered from its mark
        mark = hashlib.blake2b(client.config.token.strip().encode(), digest_size=4, person=b"spinbattery").hexdigest()
        self.account = f"{secrets.scrub(client.config.endpoint)}#{mark}"

    def __repr__(self) -> str:
        return f"Connection({self.account!r})"

    @contextmanager
    def _asking(self) -> Iterator[None]:
        try:
            yield
        except SpinBatteryError:
            raise
        except Exception as error:  # the client passes on errors of its libraries
            raise asking(error, self._secrets) from None

    def solver(self, name: str | None = None) -> Solver:
        """A solver by name; by default the one of the environment or dwave.conf, else the only one there is.

        Raises:
            QpuError: there is none, or several without a name, or it lacks parameters that the protocols need.
        """
        from dwave.cloud.exceptions import SolverNotFoundError

        wanted = {"name": name} if name else dict(self._client.config.solver or _FEATURES)
        wanted.pop("order_by", None)
        found: list[Any] = []
        with self._asking(), suppress(SolverNotFoundError):
            found = self._client.get_solvers(refresh=True, order_by="name", **wanted)
        names = sorted({solver.name for solver in found})
        if not found:
            which = repr(name) if name else "with h_gain_schedule and initial_state"
            raise QpuError(f"this token and region have no solver {which}; `dwave solvers` lists the available ones.")
        if len(names) > 1:
            raise QpuError(f"there are several solvers: {', '.join(names)}; name the one to use.")
        handle = found[0]
        lacking = [need for need in ("h_gain_schedule", "initial_state") if need not in handle.parameters]
        if lacking or "qubits" not in handle.properties:
            raise QpuError(f"the solver {handle.name} takes no {' and no '.join(lacking or ['qubits'])}; name another.")
        return Solver(handle.name, getattr(handle, "graph_id", None), dict(handle.properties), handle)

    def submit(self, solver: Solver, request: SamplerRequest, label: str) -> str:
        """Send one job, once, and return its problem id.

        Raises:
            NotSentError: the server certainly does not have it, and would not accept another job either.
            RefusedError: the server will not run this one.
            UnansweredError: the server may have it; look for the label.
        """
        from dwave.cloud.api.models import ProblemJob
        from dwave.cloud.coders import encode_problem_as_qp
        from dwave.cloud.solver import StructuredSolver

        job = ProblemJob(
            data=encode_problem_as_qp(solver.handle, request.h, request.J),
            params=StructuredSolver.reformat_parameters("ising", dict(request.parameters), solver.properties),
            solver=solver.handle.identity,
            type="ising",
            label=label,
        )
        try:
            [reply] = self._problems.submit_problems([job])
        except Exception as error:  # also for a reply that cannot be read: then the job may run
            raise sending(error, self._secrets) from None
        if (code := getattr(reply, "error_code", None)) is None:
            return str(reply.id)
        said = self._secrets.scrub(f"{code}: {reply.error_msg}")
        if code in _DEFERRED:
            raise NotSentError(f"the server does not take jobs for {solver.name} now ({said}).")
        if 400 <= code < 500:
            raise RefusedError(f"the server refused the job ({said}); change it, and plan it again.")
        raise UnansweredError(f"the server had an error of its own ({said}).")

    def find(self, label: str) -> list[Status]:
        """Jobs with exactly this label (the server's filter finds all that contain it); QpuError without a list."""
        with self._asking():
            listed = self._problems.list_problems(label=label)
        return [_read_status(one, self._secrets) for one in listed if one.label == label]

    def statuses(self, problem_ids: Sequence[str]) -> dict[str, Status]:
        """Statuses by id; ids that the server does not know are omitted."""
        found: dict[str, Status] = {}
        for first in range(0, len(problem_ids), _IDS_A_REQUEST):
            try:
                with self._asking():
                    listed = self._problems.get_problem_statuses(list(problem_ids[first : first + _IDS_A_REQUEST]))
            except UnknownJobError:  # one of them; `answer` then asks for each by itself
                continue
            found |= {str(one.id): _read_status(one, self._secrets) for one in listed}
        return found

    def answer(self, problem_id: str) -> Status | Answer:
        """The answer of a job, or only its status where there is none (yet).

        Raises:
            ExpiredError: the server has deleted it.
            UnknownJobError: the job is not known with this token.
            NotNowError: any other error; ask again.
        """
        with self._asking():
            reply = self._problems.get_problem(problem_id)
        status = _read_status(reply, self._secrets)
        if status.status != COMPLETED:
            return status
        with self._asking():
            content = reply.answer or self._problems.get_problem_answer(problem_id)
            return _decoded(status, {"type": reply.type.value, "answer": dict(content.model_dump())})

    def cancel(self, problem_id: str) -> None:
        """Ask the server to drop a job; :meth:`statuses` shows whether it did.

        Raises:
            QpuError: the request was not answered. A request that comes too late (409) raises nothing.
        """
        from dwave.cloud.api.exceptions import ResourceConflictError

        with self._asking(), suppress(ResourceConflictError):
            self._problems.cancel_problem(problem_id)


@contextmanager
def connect() -> Iterator[Connection]:
    """A connection with the token and endpoint of the environment or dwave.conf; nothing is sent yet.

    The token has no other source, and is in no message, record or log.

    Raises:
        MissingDependencyError: dwave-cloud-client is not installed.
        QpuError: no token, or a configuration that cannot be read.
    """
    try:
        from dwave.cloud import Client
        from dwave.cloud.api import Problems, SolverAPIClient
        from dwave.cloud.config import load_config
    except ImportError:
        raise MissingDependencyError(
            f"jobs on a QPU need D-Wave's cloud client; run {install_extra_command('qpu')}"
        ) from None
    secrets, options = Secrets(), {}
    with secrets.kept_from_logs():
        try:
            options = load_config()
            secrets.add(options.get("token"))
            client = Client(**{**options, "defaults": _DEFAULTS})
        except Exception as error:
            raise QpuError(_misconfigured(error, options.get("token"), secrets)) from None
        with closing(client):
            # not compressed: a proxy on the way may not support streamed bodies
            api = SolverAPIClient.from_config_model(client.config, compress_qpu_problem_data=False)
            with closing(Problems(client=api)) as problems:
                yield Connection(client, problems, secrets)


def _misconfigured(error: Exception, token: Any, secrets: Secrets) -> str:
    """Description of a wrong configuration; the errors of its readers quote it, with the token."""
    from dwave.cloud.config.exceptions import ConfigFileError
    from pydantic import ValidationError

    remedy = "`dwave config inspect` shows the settings, `dwave config create` makes one"
    if isinstance(error, ValidationError):
        found = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        return secrets.scrub(f"the configuration of D-Wave's client is wrong: {found}; {remedy}.")
    if isinstance(error, ConfigFileError):
        return f"dwave.conf cannot be read ({type(error).__name__}); {remedy}."
    if not token:
        return "there is no token; set DWAVE_API_TOKEN, or put it into dwave.conf: `dwave config create` asks for it."
    return secrets.scrub(f"D-Wave's client cannot start: {type(error).__name__}: {error}; {remedy}.")


def _read_status(reply: Any, secrets: Secrets) -> Status:
    times = [None if moment is None else moment.isoformat() for moment in (reply.submitted_on, reply.solved_on)]
    message = secrets.scrub(str(getattr(reply, "error_message", None) or ""))
    return Status(str(reply.id), str(reply.status.value).upper(), message, *times)


def _decoded(status: Status, message: dict[str, Any]) -> Answer:
    """The reads of an answer; its energies are the server's, without our offset, and must not be used."""
    import dimod
    from dwave.cloud.coders import decode_qp_numpy

    if message["answer"].get("format") != "qp" or message["type"] != "ising":
        raise NotNowError(f"the answer of {status.problem_id} has a format that no Ising problem has; report this.")
    result = decode_qp_numpy(message)
    active = result["active_variables"]
    sampleset = dimod.SampleSet.from_samples(
        (result["solutions"][:, active], active.tolist()),
        dimod.SPIN,
        energy=result["energies"],
        num_occurrences=result.get("num_occurrences"),
    )
    return Answer(status, sampleset, dict(result.get("timing") or {}))
