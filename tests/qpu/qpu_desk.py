"""A user with an account at the loopback service, an experiment and a store."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sapi_stub import SapiStub

from spinbattery.core.progress import Progress, silent
from spinbattery.qpu.client import connect
from spinbattery.qpu.collection import Harvest, cancel, collect, stored_record
from spinbattery.qpu.ledger import Job, Ledger
from spinbattery.qpu.planning import QpuPlan, plan_jobs
from spinbattery.qpu.submission import Submission, SubmissionPolicy, submit
from spinbattery.store.folder import Store

READS = 10

EXPERIMENT = """
networks = {networks}
[[protocols]]
name = "cooperative"
duration = {durations}
"""


def write_experiment(path: Path, n_jobs: int, networks: Sequence[str] = ("pegasus:2",)) -> Path:
    """An experiment of so many jobs on each network, told apart by their duration."""
    durations = json.dumps([f"{60 + number}us" for number in range(n_jobs)])
    path.write_text(EXPERIMENT.format(networks=json.dumps(list(networks)), durations=durations), encoding="utf-8")
    return path


def settings(stub: SapiStub, folder: Path) -> dict[str, str]:
    """Environment of a user with an account, whose client does not try again by itself."""
    configuration = folder / "dwave.conf"
    configuration.write_text(f"[defaults]\nendpoint = {stub.url}\nhttp_retry_total = 0\ncache_home = off\n")
    return {"DWAVE_API_TOKEN": stub.token, "DWAVE_CONFIG_FILE": str(configuration)}


@dataclass
class Desk:
    """The user's side, in this process; every call makes its own connection, as a command does."""

    stub: SapiStub
    folder: Path
    experiment: Path
    budget_s: float = 10.0

    @property
    def store(self) -> Store:
        return Store(self.folder / "runs")

    @property
    def ledger(self) -> Ledger:
        return Ledger(self.folder / "runs")

    def plan(self, **options: Any) -> QpuPlan:
        with connect() as connection:
            return plan_jobs(self.experiment, connection.solver(), **{"reads": READS, **options})

    def submit(self, repetitions: int = 1, progress: Progress = silent, **options: Any) -> Submission:
        with connect() as connection:
            plan = plan_jobs(self.experiment, connection.solver(), reads=READS, repetitions=repetitions)
            policy = SubmissionPolicy(**{"budget_us": 1e6 * self.budget_s, **options})
            return submit(plan, self.store, connection, policy, progress)

    def collect(self, **options: Any) -> Harvest:
        with connect() as connection:
            return collect(self.store, connection, **options)

    def cancel(self, *keys: str, **options: Any) -> dict[str, str]:
        with connect() as connection:
            return cancel(self.store, connection, keys, **options)

    @property
    def jobs(self) -> list[Job]:
        return self.ledger.jobs()

    @property
    def states(self) -> list[str]:
        return [job.state for job in self.jobs]

    def assert_nothing_lost_or_paid_twice(self, n_jobs: int) -> None:
        """Every job has its record, and the service ran each label once and was sent no other."""
        assert self.states == ["done"] * n_jobs
        for job in self.jobs:
            record = stored_record(self.store, job)
            assert record is not None
            assert record.n_reads == READS
        paid = [job.label for job in self.stub.jobs.values()]
        assert sorted(paid) == sorted(job.label for job in self.jobs)
        assert {job.problem_id for job in self.jobs} == set(self.stub.jobs)
