"""Sends jobs: each is noted before it is sent, and one without a reply is looked for before it is sent again."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, get_args

from ..core.checks import finite
from ..core.errors import InvalidParameterError, QpuError
from ..core.progress import Progress, silent
from ..store.folder import Store
from .client import CANCELLED, COMPLETED, Connection, Status
from .faults import NotSentError, RefusedError, UnansweredError
from .ledger import GIVEN_UP, Job, Ledger
from .planning import PlannedJob, QpuPlan

GRACE_S = 300.0
"""Time after which a job that was sent without a reply, and that the server does not list, never arrived: longer than
a request takes, as lists may lag behind."""

Fate = Literal["sent", "found", "known", "failed", "busy", "waiting"]


@dataclass(frozen=True)
class SubmissionPolicy:
    """Rules for sending jobs.

    Attributes:
        budget_us: QPU access time that all jobs of the ledger together may take, in us.
        retry_failed: whether jobs that failed or were cancelled are sent again.
        new_graph: whether jobs are sent although the ledger has the same ones for an earlier working graph.
        grace: see :data:`GRACE_S`.

    Raises:
        InvalidParameterError: the budget is no number of 0 or more.
    """

    budget_us: float
    retry_failed: bool = False
    new_graph: bool = False
    grace: float = GRACE_S

    def __post_init__(self) -> None:
        checked_budget(self.budget_us)


@dataclass
class Submission:
    """Fates of the jobs of a plan.

    Attributes:
        counts: number of jobs that were sent now; found at the server after their reply had been lost; known, since
            they were sent or finished before; failed, now or before; busy, since another process is sending them; or
            waiting for the server's lists to show whether they arrived.
        messages: of the jobs that failed or wait.
    """

    counts: dict[Fate, int] = field(default_factory=lambda: dict.fromkeys(get_args(Fate), 0))
    messages: list[str] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        """Whether the server has every job, or had it."""
        return not (self.counts["failed"] or self.counts["busy"] or self.counts["waiting"])


def submit(
    plan: QpuPlan, store: Store, connection: Connection, policy: SubmissionPolicy, progress: Progress = silent
) -> Submission:
    """Send the jobs of a plan that were not sent yet, one after the other; after an interruption, call it again.

    It may be stopped, and even killed, at any point: a job that was sent is in the ledger, or is found by its label.

    Args:
        plan: for a solver of the connection.
        store: where the records will be; its folder holds the ledger.
        connection: to the server.
        policy: the budget, and what may be sent again.
        progress: called with the fraction done and the job being sent; may raise to stop between two jobs.

    Raises:
        LimitError: the solver would refuse a job; nothing was sent.
        QpuError: over the budget, or the working graph changed: nothing was sent. Or an error that the next jobs would
            meet as well: jobs that were sent stay sent, the others stay planned.
    """
    plan.check()
    ledger = Ledger(store.folder)
    if not policy.new_graph:
        _check_graph(plan, ledger)
    ledger.enter([job.entry() for job in plan.jobs], policy.budget_us, retry=policy.retry_failed)
    result, sender = Submission(), _Sender(store, ledger, connection, policy.grace)
    for number, job in enumerate(plan.jobs):
        progress(number / len(plan.jobs), f"sending {job}")
        fate, message = sender.send(job)
        result.counts[fate] += 1
        if message:
            result.messages.append(message)
    return result


def checked_budget(budget: float) -> float:
    """The budget, in any unit; InvalidParameterError if it is no number of 0 or more (NaN would let all jobs pass)."""
    if finite("the budget", budget) < 0.0:
        raise InvalidParameterError(f"the budget must not be negative, but is {budget:g}.")
    return budget


def _check_graph(plan: QpuPlan, ledger: Ledger) -> None:
    """Refuse a plan whose jobs were sent, or planned, for another working graph: all of them would be new."""
    items, graph_id = {job.item for job in plan.jobs}, plan.solver.graph_id
    others = [
        job for job in ledger.jobs() if job.item in items and job.graph_id != graph_id and job.state not in GIVEN_UP
    ]
    if others:
        raise QpuError(
            f"the working graph of {plan.solver.name} is {graph_id} now, but was {others[0].graph_id} when "
            f"{len(others)} jobs of this plan entered the ledger, which would be paid again; nothing was sent. "
            "new_graph=True sends the whole plan for the current graph; `spinbattery qpu cancel` drops planned jobs."
        )


@dataclass
class _Sender:
    store: Store
    ledger: Ledger
    connection: Connection
    grace: float

    def send(self, planned: PlannedJob) -> tuple[Fate, str]:
        """Send one job if it is not sent yet."""
        with self.store.claim(planned.key) as ours:
            if not ours:
                return "busy", ""
            job = self.ledger.existing(planned.key)  # read again: now nobody else works on it
            found: Fate = "known"
            if job.state == "submitting":
                job = settle(job, self.ledger, self.connection, self.grace)
                found = "found"
            if job.state == "submitting":
                return "waiting", f"{planned}: {job.message}"
            if job.state in GIVEN_UP:
                return "failed", f"{planned}: {job.state}: {job.message} (retry_failed=True sends it again)"
            if job.state != "planned":
                return found, ""
            if self.store.has_planned(planned.key):  # the ledger is younger than the record
                self.ledger.move(planned.key, "done", ["planned"], message="the store had its record")
                return "known", ""
            return self._post(planned)

    def _post(self, planned: PlannedJob) -> tuple[Fate, str]:
        request = planned.request
        job = self.ledger.begin(planned.key, self.connection.account, request.to_dict())
        if job is None:
            return "busy", ""
        # from here until the id is noted, the server may have a job that only its label identifies
        try:
            problem_id = self.connection.submit(planned.solver, request, job.label)
        except RefusedError as error:
            self.ledger.move(job.key, "failed", ["submitting"], label=job.label, message=str(error))
            return "failed", f"{planned}: {error}"
        except NotSentError as error:
            self.ledger.move(job.key, "planned", ["submitting"], label=job.label, message=str(error))
            raise NotSentError(f"{planned}: {error} This job and those after it stay planned.") from None
        except UnansweredError as error:
            return self._look(planned, job, error)
        _accept(job, problem_id, self.ledger)
        return "sent", ""

    def _look(self, planned: PlannedJob, job: Job, error: UnansweredError) -> tuple[Fate, str]:
        """After a lost reply, go on if the server has the job; else raise."""
        self.ledger.move(job.key, "submitting", ["submitting"], label=job.label, message=str(error))
        after = (
            f"{planned}: {error} Whether this job arrived is not known; `spinbattery qpu submit` or `collect` look for "
            "it by its label, so it is neither lost nor sent twice. The jobs after it stay planned."
        )
        try:
            job = settle(job, self.ledger, self.connection, self.grace, give_back=False)
        except QpuError:
            raise UnansweredError(after) from None
        if job.state == "submitting":
            raise UnansweredError(after)
        return "found", ""


def settle(job: Job, ledger: Ledger, connection: Connection, grace: float, *, give_back: bool = True) -> Job:
    """The job, without a reply so far, as it is after a look at the server; the caller holds its claim.

    It is submitted if the server lists its label. With ``give_back`` it is planned again if the list came without it,
    with the same account, and ``grace`` seconds after the last sign of the request. Else it stays as it is.

    Raises:
        QpuError: the list did not come; nothing has changed.
    """
    current = ledger.existing(job.key)
    listed = connection.find(job.label)
    if listed:
        _adopt(job, listed, ledger, connection)
        return ledger.existing(job.key)
    waited = time.time() - current.since
    if job.account != connection.account:
        message = (
            "it was sent without a reply, with another token or to another endpoint, and can be found only there; use "
            "those again, or give it up with `spinbattery qpu cancel`."
        )
    elif not (give_back and waited >= grace):
        left = grace - waited if waited >= 0.0 else grace
        message = (
            "it was sent without a reply, and the server does not list it yet; it is looked for again, and sent again "
            f"if it is still not there {left:.0f} s from now."
        )
    else:
        ledger.move(job.key, "planned", ["submitting"], label=job.label, message="it never arrived")
        return ledger.existing(job.key)
    return replace(current, message=message)


def _adopt(job: Job, listed: Sequence[Status], ledger: Ledger, connection: Connection) -> None:
    """Note the id of a job that was found by its label."""
    rank = {COMPLETED: 0, "FAILED": 2, CANCELLED: 3}
    first, *others = sorted(listed, key=lambda status: rank.get(status.status, 1))
    _accept(job, first.problem_id, ledger)
    for other in others:  # an earlier request that arrived after it was given up
        connection.cancel(other.problem_id)
        message = f"the server had it twice; {other.problem_id} was cancelled, and may have run"
        lost = ledger.existing(job.key).lost_us + job.estimated_us
        ledger.move(job.key, "submitted", ["submitted"], message=message, lost_us=lost)


def _accept(job: Job, problem_id: str, ledger: Ledger) -> None:
    """Note that the server has the job."""
    try:
        # planned: where files have no locks another process may have given it up meanwhile
        noted = ledger.move(
            job.key, "submitted", ["submitting", "planned"], label=job.label, problem_id=problem_id, message=None
        )
    except QpuError as error:
        raise QpuError(
            f"the server accepted {job} as {problem_id}, but the ledger could not be updated: {error} Fix this, "
            "then run `spinbattery qpu collect`: the job is found again by its label."
        ) from None
    if not noted and (now := ledger.job(job.key)) is not None and now.problem_id != problem_id:
        raise QpuError(
            f"the server accepted {job} as {problem_id}, but the ledger has {now.problem_id or now.state} for it; "
            f"cancel {problem_id} in D-Wave's Leap unless it is finished, and report this."
        )
