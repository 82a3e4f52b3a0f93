"""Fetches answers into the store, and cancels jobs."""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..core.atomic import replacing
from ..core.errors import QpuError, RecordError, SpinBatteryError
from ..core.progress import Progress, silent
from ..model.problem import ChargingProblem
from ..records.building import build_record
from ..records.hashing import measurement_key, planned_key
from ..records.record import Record
from ..solver.request import readout
from ..store.folder import Store
from .client import CANCELLED, PENDING, Answer, Connection, Status
from .faults import ExpiredError, NotNowError, UnknownJobError
from .ledger import Job, Ledger, State
from .planning import ENGINE
from .submission import GRACE_S, settle

_REASON = "sent to a quantum annealer by the caller"
_FIRST_PAUSE_S, _LONGEST_PAUSE_S, _TICK_S = 0.1, 30.0, 0.05
_PATIENCE_S = 1800.0
"""Time for which requests to a server without a usable reply are repeated."""


@dataclass
class Harvest:
    """Result of collecting.

    Attributes:
        done: keys whose record was written now.
        pending: keys of jobs that the server has not finished, or whose answer did not come, with the reason.
        stuck: keys of jobs that need the user, with a remedy; they are still at the server, or planned again.
        failed: keys that will have no record, with the reason.
    """

    done: list[str] = field(default_factory=list)
    pending: dict[str, str] = field(default_factory=dict)
    stuck: dict[str, str] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        """Whether every job that was sent has its record."""
        return not (self.pending or self.stuck or self.failed)


def record_key(job: Job) -> str:
    """Key of the record of a job that has a problem id: the planned key, which is the ledger's, and the job."""
    return measurement_key(job.key, str(job.problem_id))


def stored_record(store: Store, job: Job) -> Record | None:
    """The record of a job, also one that older versions wrote under just the planned key; RecordError if damaged.

    If the ledger has no problem id, as after a loss of the ledger, any measurement of the planned run counts.
    """
    if job.problem_id is None:
        return store.latest(job.key)
    found = store.get(record_key(job))
    if found is None and (found := store.get(planned_key(job.key))) is not None and found.job != job.problem_id:
        return None
    return found


def collect(
    store: Store,
    connection: Connection,
    *,
    keys: Collection[str] | None = None,
    wait: bool = False,
    grace: float = GRACE_S,
    progress: Progress = silent,
) -> Harvest:
    """Find every job that was sent, and write the available answers as records.

    A record is written before the ledger says done, so a process that is killed in between loses nothing. If an answer
    does not come, it stays at the server, and the job submitted. If no record can be made of an answer, it is also kept
    as a dimod SampleSet in ``<key>.answer.json``. If the record of a finished job is missing or damaged, the answer is
    fetched again.

    Args:
        store: where the records go; its folder holds the ledger.
        connection: to the server.
        keys: of jobs; all by default.
        wait: whether to ask until every job is finished.
        grace: see :data:`~spinbattery.qpu.submission.GRACE_S`.
        progress: called with the fraction done; may raise to stop at any time.

    Raises:
        QpuError: the server gives no usable reply (with ``wait``: for half an hour), or not with this token.
    """
    result, silent_since, pause = Harvest(), time.monotonic(), _FIRST_PAUSE_S
    while True:
        try:
            if _Collector(store, Ledger(store.folder), connection, grace, result).once(keys, progress):
                silent_since = time.monotonic()
        except NotNowError:
            if not wait or time.monotonic() - silent_since > _PATIENCE_S:
                raise
        else:
            if not wait or not result.pending or time.monotonic() - silent_since > _PATIENCE_S:
                return result
        _pause(pause, progress, result)
        pause = min(1.5 * pause, _LONGEST_PAUSE_S)


def _pause(seconds: float, progress: Progress, result: Harvest) -> None:
    """Sleep, but let progress stop it."""
    end = time.monotonic() + seconds
    total = len(result.done) + len(result.pending)
    while time.monotonic() < end:
        progress((total - len(result.pending)) / max(total, 1), f"waiting for {len(result.pending)} jobs")
        time.sleep(_TICK_S)


@dataclass
class _Collector:
    store: Store
    ledger: Ledger
    connection: Connection
    grace: float
    result: Harvest

    def once(self, keys: Collection[str] | None, progress: Progress) -> bool:
        """One pass over all jobs; returns whether the server answered every request."""
        self.result.pending.clear()
        self.result.stuck.clear()
        for job in self.ledger.jobs(keys, ["submitting"]):
            self._settle(job)
        jobs = self.ledger.jobs(keys, ["submitted"]) + self._without_record(keys)
        statuses = self.connection.statuses([str(job.problem_id) for job in jobs])
        answered = True
        for number, job in enumerate(jobs):
            progress(number / len(jobs), f"collecting {job}")
            status = statuses.get(str(job.problem_id))
            if status is not None and status.status in PENDING:
                self.result.pending[job.key] = status.status.lower()
                continue
            with self.store.claim(job.key) as ours:
                if ours:
                    answered &= self._try(job)
                else:
                    self.result.pending[job.key] = "another process works on it"
        return answered

    def _without_record(self, keys: Collection[str] | None) -> list[Job]:
        """Finished jobs without a readable record."""
        finished = [job for job in self.ledger.jobs(keys, ["done"]) if job.problem_id]
        statuses = self.store.statuses(record_key(job) for job in finished) if finished else {}
        return [job for job in finished if statuses.get(record_key(job)) != "done" and self._stored(job) is None]

    def _settle(self, job: Job) -> None:
        """Find out whether the server has a job whose reply was lost; if not, note the reason."""
        with self.store.claim(job.key) as ours:
            if not ours:
                self.result.pending[job.key] = "another process is sending it"
                return
            now = self.ledger.job(job.key)
            if now is None or now.state != "submitting":
                return
            now = settle(now, self.ledger, self.connection, self.grace)
        if now.state == "planned":
            self.result.stuck[job.key] = "it never arrived, and is planned again; `spinbattery qpu submit` sends it."
        elif now.state == "submitting":
            found = self.result.pending if now.account == self.connection.account else self.result.stuck
            found[job.key] = str(now.message)

    def _try(self, job: Job) -> bool:
        """Collect one job, whose failure does not stop the others; returns whether the server answered."""
        try:
            self._collect(job)
        except NotNowError as error:
            self.result.pending[job.key] = str(error)
            return False
        except ExpiredError as error:
            self._give_up(job, "failed", str(error), ran=True)
        except UnknownJobError as error:
            self.result.stuck[job.key] = (
                f"{error} It belongs to another project, region or endpoint, or has expired: collect it with the token "
                "that it was sent with, or give it up with `spinbattery qpu cancel`."
            )
        except QpuError:  # of the account or the ledger: the other jobs would fail too
            raise
        except (SpinBatteryError, ValueError, KeyError) as error:
            kept = self._answer_path(job)
            where = f"kept as {str(kept)!r}" if kept.exists() else "at the server"
            self.result.stuck[job.key] = f"no record could be made of its answer, which is {where}: {error}"
            self.ledger.move(job.key, job.state, [job.state], message=str(error))
        return True

    def _collect(self, job: Job) -> None:
        now = self.ledger.job(job.key)
        if now is None or now.state not in ("submitted", "done") or now.problem_id != job.problem_id:
            return  # another process was first
        if (record := self._stored(job)) is None:
            found = self.connection.answer(str(job.problem_id))
            if isinstance(found, Status):
                self._end(job, found)
                return
            try:
                record = self._record(job, found)
                self.store.put(record)
            except Exception:
                self._keep(job, found)
                raise
            self._answer_path(job).unlink(missing_ok=True)
        charged = record.execution_info.get("timing", {}).get("qpu_access_time")
        self.ledger.move(job.key, "done", ["submitted", "done"], charged_us=charged, message=None)
        self.result.done.append(job.key)

    def _answer_path(self, job: Job) -> Path:
        return self.store.folder / f"{job.key}.answer.json"

    def _keep(self, job: Job, answer: Answer) -> None:
        """Save an answer that no record could be made of: the server does not keep it for ever."""
        with suppress(OSError), replacing(self._answer_path(job)) as temporary:
            temporary.write_text(json.dumps(answer.sampleset.to_serializable()) + "\n", encoding="utf-8")

    def _stored(self, job: Job) -> Record | None:
        """The record, if a killed process had written it; None if it is damaged."""
        try:
            return stored_record(self.store, job)
        except RecordError:
            return None

    def _record(self, job: Job, answer: Answer) -> Record:
        content, options, parameters = self.ledger.content(job.key)
        problem = ChargingProblem.from_dict(content["problem"])
        timing, status = answer.timing, answer.status
        reads = replace(
            readout(answer.sampleset, content["qubits"]),
            sampler={"solver": {"name": job.solver, "graph_id": job.graph_id}, "parameters": parameters},
            execution={
                "timing": timing,
                "problem_id": status.problem_id,
                "label": job.label,
                "submitted_on": status.submitted_on,
                "solved_on": status.solved_on,
            },
            job=status.problem_id,
        )
        return build_record(problem, ENGINE, options, _REASON, reads, 1e-6 * timing.get("qpu_access_time", 0.0))

    def _end(self, job: Job, status: Status) -> None:
        """Note the end of a job that has no answer."""
        ends: dict[str, State] = {"FAILED": "failed", CANCELLED: "cancelled"}
        state, says = ends.get(status.status), f"the server says {status.status}"
        if state is None:
            self.result.pending[job.key] = status.status.lower() if status.status in PENDING else says
        else:
            self._give_up(job, state, status.message or says)

    def _give_up(self, job: Job, state: State, message: str, *, ran: bool = False) -> None:
        if job.state == "submitted":  # a finished one has only lost its record
            lost = job.lost_us + (job.estimated_us if ran else 0.0)
            self.ledger.move(job.key, state, ["submitted"], message=message, lost_us=lost)
        self.result.failed[job.key] = message


def cancel(
    store: Store, connection: Connection | None, keys: Sequence[str], *, grace: float = GRACE_S
) -> dict[str, str]:
    """Cancel jobs: unsent ones at once, others at the server; returns the fate of each, by key.

    A job that has finished meanwhile stays, as it is paid: collect it.

    Args:
        store: its folder holds the ledger of the jobs.
        connection: to the server; None if all jobs are only planned.
        keys: of the jobs.
        grace: time in s after which a job that was sent without a reply is given up.

    Raises:
        QpuError: the server gives no usable reply.
    """
    ledger = Ledger(store.folder)
    fates: dict[str, str] = {}
    for key in keys:
        with store.claim(key) as ours:
            fates[key] = _cancelled(ledger, connection, key, grace) if ours else "another process works on it"
    return fates


def _cancelled(ledger: Ledger, connection: Connection | None, key: str, grace: float) -> str:
    if ledger.move(key, "cancelled", ["planned"], message="dropped before it was sent"):
        return "cancelled before it was sent"
    job = ledger.job(key)
    if job is None or job.state not in ("submitting", "submitted") or connection is None:
        return "not in the ledger" if job is None else job.state
    if job.state == "submitting":
        waited = time.time() - job.since
        job = settle(job, ledger, connection, grace, give_back=False)
        if job.state == "submitting":
            if not waited >= grace:
                return f"not cancelled: {job.message}"
            message, lost = "given up: not found at the server", job.lost_us + job.estimated_us
            ledger.move(key, "cancelled", ["submitting"], label=job.label, message=message, lost_us=lost)
            return "given up: it was not found at the server"
    problem_id = str(job.problem_id)
    try:
        connection.cancel(problem_id)
    except UnknownJobError as error:
        if job.account != connection.account:
            return f"not cancelled: {error} It was sent with another token or to another endpoint; use that one."
        lost = job.lost_us + job.estimated_us
        ledger.move(key, "cancelled", ["submitted"], message=str(error), lost_us=lost)
        return "given up: the server does not know it"
    status = connection.statuses([problem_id]).get(problem_id)
    if status is not None and status.status == CANCELLED:
        ledger.move(key, "cancelled", ["submitted"], message="cancelled at the server")
        return "cancelled at the server"
    if status is None or status.status in PENDING:
        return "cancellation requested; collect shows whether it was cancelled"
    return "not cancelled: it has finished; collect it"
