"""Jobs of the loopback service: what was asked, where it stands, its answer, and the threads that work on it."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import dimod
import numpy as np

if TYPE_CHECKING:
    from sapi_stub import SapiStub

_ENDED = ("COMPLETED", "FAILED", "CANCELLED")
_LONGEST_POLL_S = 30.0


@dataclass
class Job:
    """An accepted problem.

    Attributes:
        id, solver: of the job and of the solver.
        request: the problem as it was sent: type, data, params, label.
        submitted_on: ISO date of its acceptance.
        failure: the error with which it is going to fail, or None.
        state: PENDING, IN_PROGRESS, COMPLETED, FAILED or CANCELLED.
        answer: once it is completed.
    """

    id: str
    solver: dict[str, Any]
    request: dict[str, Any]
    submitted_on: str
    failure: str | None = None
    state: str = "PENDING"
    solved_on: str | None = None
    answer: dict[str, Any] | None = None
    accepted_at: float = field(default_factory=time.time)

    @property
    def label(self) -> str | None:
        return self.request.get("label")

    @property
    def params(self) -> dict[str, Any]:
        return dict(self.request["params"])

    def problem(self, properties: Mapping[str, Any]) -> tuple[dict[int, float], dict[tuple[int, int], float]]:
        """h and J of the 'qp' format: h of all qubits (NaN where inactive), J of the couplers between active ones."""
        data = self.request["data"]
        lin = np.frombuffer(base64.b64decode(data["lin"]), "<f8")
        quad = np.frombuffer(base64.b64decode(data["quad"]), "<f8")
        qubits, active = np.asarray(properties["qubits"]), ~np.isnan(lin)
        if lin.shape != qubits.shape:
            raise ValueError(f"{len(lin)} linear terms for {len(qubits)} qubits")
        h = dict(zip(qubits[active].tolist(), lin[active].tolist(), strict=True))
        pairs = [(u, v) for u, v in properties["couplers"] if u in h and v in h]
        if len(pairs) != len(quad):
            raise ValueError(f"{len(quad)} quadratic terms for {len(pairs)} couplers")
        return h, dict(zip(pairs, quad.tolist(), strict=True))

    def status(self, with_answer: bool = False) -> dict[str, Any]:
        status = {
            "id": self.id,
            "type": self.request["type"],
            "solver": self.solver,
            "label": self.label,
            "status": self.state,
            "submitted_on": self.submitted_on,
        }
        if self.solved_on is not None:
            status["solved_on"] = self.solved_on
        if self.state == "FAILED":
            status["error_message"] = self.failure
        if with_answer and self.answer is not None:
            status["answer"] = self.answer
        return status

    def info(self) -> dict[str, Any]:
        metadata = {"submitted_by": "tests", "messages": [], **self.status()}
        del metadata["id"]
        return {
            "id": self.id,
            "data": self.request["data"],
            "params": self.params,
            "answer": self.answer,
            "metadata": metadata,
        }

    def sample(self, sampler: dimod.Sampler, properties: Mapping[str, Any]) -> dict[str, Any]:
        """The answer of a sampler to this problem, in the 'qp' format."""
        h, J = self.problem(properties)
        parameters = self.params
        if "initial_state" in parameters:
            state = enumerate(parameters["initial_state"])
            parameters["initial_state"] = {qubit: spin for qubit, spin in state if spin != 3}
        raw = "raw" if "initial_state" in parameters else "histogram"
        found = sampler.sample(dimod.BinaryQuadraticModel.from_ising(h, J), **parameters)
        if parameters.get("answer_mode", raw) == "histogram":
            found = found.aggregate()
        order = np.argsort(found.variables)
        spins = found.record.sample[:, order]
        return {
            "format": "qp",
            "active_variables": _encoded(np.asarray(found.variables)[order], "<i4"),
            "energies": _encoded(found.record.energy, "<f8"),
            "num_occurrences": _encoded(found.record.num_occurrences, "<i4"),
            "solutions": _encoded(np.packbits(spins > 0, axis=1), "u1"),
            "num_variables": properties["num_qubits"],
            "timing": found.info.get("timing", {"qpu_access_time": 15_000.0 + 100.0 * len(found)}),
        }


class JobRunner:
    """The jobs of a service while it is up: a thread for each, a file for each."""

    def __init__(self, stub: SapiStub) -> None:
        self._stub = stub
        self._threads: list[threading.Thread] = []
        jobs = [Job(**json.loads(path.read_text(encoding="utf-8"))) for path in stub.folder.glob("*.json")]
        self.jobs = {job.id: job for job in sorted(jobs, key=lambda job: job.accepted_at)}

    def resume(self) -> None:
        for job in list(self.jobs.values()):
            if job.state not in _ENDED:
                self._run(job)

    def accept(self, job: Job) -> dict[str, Any]:
        with self._stub.changed:
            self.jobs[job.id] = job
            self._save(job)
            status = job.status()
        self._run(job)
        return status

    def cancel(self, id_: str) -> dict[str, Any]:
        with self._stub.changed:
            job = self.jobs.get(id_)
            if job is None:
                return {"error_code": 404, "error_msg": "Problem does not exist or apitoken does not have access"}
            if not self._set(job, "CANCELLED"):
                return {"error_code": 409, "error_msg": "Problem has been finished before it could be cancelled."}
            return job.status()

    def listing(self, query: Mapping[str, str]) -> list[dict[str, Any]]:
        """Jobs whose label contains the one asked for, without those that the list does not show yet."""
        latest = time.time() - self._stub.listing_lag
        with self._stub.changed:
            found = [
                job.status()
                for job in reversed(self.jobs.values())
                if job.accepted_at <= latest
                and query.get("label", "") in (job.label or "")
                and query.get("status", job.state) == job.state
                and query.get("solver", job.solver["name"]) == job.solver["name"]
            ]
        return found[: int(query.get("max_results", 1000))]

    def wait(self, ids: Iterable[str], seconds: float) -> None:
        """Until one of these jobs has ended, but no longer than this."""
        with self._stub.changed:
            jobs = [self.jobs[id_] for id_ in ids if id_ in self.jobs]
            self._stub.changed.wait_for(
                lambda: self._stub.stopping or any(job.state in _ENDED for job in jobs),
                min(seconds, _LONGEST_POLL_S) if jobs else 0.0,
            )

    def join(self) -> None:
        for thread in self._threads:
            thread.join()

    def _run(self, job: Job) -> None:
        self._threads.append(threading.Thread(target=self._work, args=(job,)))
        self._threads[-1].start()

    def _work(self, job: Job) -> None:
        stub = self._stub
        due = time.monotonic() + stub.seconds
        with stub.changed:
            while (left := due - time.monotonic()) > 0 and not stub.stopping and job.state not in _ENDED:
                stub.changed.wait(left)
            if stub.stopping or not self._set(job, "IN_PROGRESS"):
                return
        if job.failure is not None:
            self._set(job, "FAILED")
            return
        try:
            self._set(job, "COMPLETED", job.sample(stub.sampler, stub.solver["properties"]))
        except Exception as error:  # what a sampler raises is the job's end, and for the client to report
            job.failure = f"{type(error).__name__}: {error}"
            self._set(job, "FAILED")

    def _set(self, job: Job, state: str, answer: dict[str, Any] | None = None) -> bool:
        """Move a job on; False where it has ended before."""
        with self._stub.changed:
            if job.state in _ENDED:
                return False
            job.state, job.answer = state, answer
            if state in _ENDED:
                job.solved_on = datetime.now(UTC).isoformat()
            self._save(job)
            self._stub.changed.notify_all()
        return True

    def _save(self, job: Job) -> None:
        (self._stub.folder / f"{job.id}.json").write_text(json.dumps(asdict(job)), encoding="utf-8")


def _encoded(array: Any, dtype: str) -> str:
    return base64.b64encode(np.ascontiguousarray(array, dtype).tobytes()).decode()
