"""Measurements of one plan in several stores: told apart by their jobs, found through the ledger, and merged."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from qpu_desk import Desk, write_experiment
from sapi_stub import SapiStub
from typer.testing import CliRunner

from spinbattery.cli.main import app
from spinbattery.core.errors import QpuError, RecordError
from spinbattery.qpu.collection import record_key, stored_record
from spinbattery.qpu.ledger import FILE_NAME
from spinbattery.qpu.merging import merge_stores
from spinbattery.records.hashing import planned_key
from spinbattery.records.record import Record
from spinbattery.store.folder import Store
from spinbattery.store.merge import JOBS


def second_desk(desk: Desk) -> Desk:
    """Another store for the same experiment and account."""
    folder = desk.folder / "second"
    folder.mkdir(exist_ok=True)
    return Desk(desk.stub, folder, desk.experiment)


def measured(desk: Desk) -> Desk:
    desk.submit()
    assert desk.collect(wait=True).complete
    return desk


def as_older_versions_wrote(desk: Desk) -> None:
    """Give every record the planned key, which was also the name of its file, and nothing of the job in it."""
    for job in desk.jobs:
        record = desk.store.get(record_key(job))
        assert record is not None
        Record(record.dataset.assign_attrs(run_key=job.key)).save(desk.store.path(job.key))
        desk.store.path(record.key).unlink()


def names(desk: Desk) -> set[str]:
    return {path.name for path in desk.store.folder.glob("*.nc")}


def test_two_measurements_of_one_plan_share_no_file_and_cp_loses_none(desk: Desk) -> None:
    first, second = measured(desk), measured(second_desk(desk))
    assert [job.key for job in first.jobs] == [job.key for job in second.jobs]
    assert not names(first) & names(second)
    for path in second.store.folder.glob("*.nc"):
        shutil.copy(path, first.store.folder)
    assert len(names(first)) == 6
    for one in (first, second):
        for job in one.jobs:
            record = stored_record(first.store, job)
            assert record is not None
            assert (record.job, record.key) == (job.problem_id, record_key(job))
            assert (planned_key(record.key), record.sampler_info["parameters"]["num_reads"]) == (job.key, 10)
    assert len(first.store.rows(key=first.jobs[0].key)) == 2
    assert first.collect().complete
    assert first.submit().counts["known"] == 3
    assert len(desk.stub.posted) == 6


def test_records_and_ledgers_of_older_versions_are_found_and_not_paid_again(desk: Desk) -> None:
    measured(desk)
    as_older_versions_wrote(desk)
    assert names(desk) == {f"{job.key[:32]}.nc" for job in desk.jobs}
    requests = len(desk.stub.requests)
    found = desk.collect()
    assert (found.done, found.complete) == ([], True)
    assert not [one for one in desk.stub.requests[requests:] if one.method == "GET" and "/problems/" in one.path]
    assert desk.submit().counts["known"] == 3
    desk.assert_nothing_lost_or_paid_twice(3)

    desk.ledger.path.unlink()
    assert desk.submit().counts["known"] == 3
    assert desk.states == ["done"] * 3
    assert all(stored_record(desk.store, job) is not None for job in desk.jobs)
    assert len(desk.stub.posted) == 3


def test_a_record_of_another_job_is_not_taken_for_the_own_one(desk: Desk) -> None:
    first, second = measured(desk), measured(second_desk(desk))
    as_older_versions_wrote(first)
    as_older_versions_wrote(second)
    for path in second.store.folder.glob("*.nc"):  # what `cp` did with older versions
        shutil.copy(path, first.store.folder)
    assert all(stored_record(first.store, job) is None for job in first.jobs)
    assert len(first.collect(wait=True).done) == 3  # fetched again
    assert len(names(first)) == 6
    first.submit()
    assert len(desk.stub.posted) == 6


def test_merging_stores_of_older_versions_keeps_both_measurements(desk: Desk) -> None:
    first, second = measured(desk), measured(second_desk(desk))
    costs = [sum(job.cost_us for job in one.jobs) for one in (first, second)]
    as_older_versions_wrote(first)
    as_older_versions_wrote(second)
    found = merge_stores(first.store, [second.store.folder])
    assert (len(found.copied), found.same, found.complete) == (3, 0, True)
    assert sorted(found.copied) == sorted(record_key(job) for job in second.jobs)
    assert len(names(first)) == 6
    assert first.store.rebuild() == {"done": 6, "failed": 0, "damaged": 0}
    jobs = first.jobs
    assert {job.problem_id for job in jobs} == set(desk.stub.jobs)
    assert sum(job.cost_us for job in jobs) == pytest.approx(sum(costs))
    records = [stored_record(first.store, job) for job in jobs]
    assert [None if record is None else record.job for record in records] == [job.problem_id for job in jobs]

    again = merge_stores(first.store, [second.store.folder])
    assert (again.copied, again.same, again.complete) == ([], 3, True)
    assert first.jobs == jobs
    assert first.collect().complete
    assert first.submit().counts["known"] == 3
    assert len(desk.stub.posted) == 6


def test_jobs_that_are_still_open_come_along(desk: Desk, tmp_path: Path) -> None:
    desk.stub.seconds = 60.0
    desk.submit()
    target = Desk(desk.stub, tmp_path / "target", desk.experiment)
    assert merge_stores(target.store, [desk.store.folder]).copied == []
    assert target.states == ["submitted"] * 3
    assert [event["state"] for event in target.ledger.history(target.jobs[0].key)] == [
        "planned", "submitting", "submitted",
    ]  # fmt: skip
    with desk.stub.changed:
        desk.stub.seconds = 0.0
    with desk.stub.down():
        pass
    target.collect(wait=True)
    target.assert_nothing_lost_or_paid_twice(3)
    assert merge_stores(desk.store, [target.store.folder]).copied == [record_key(job) for job in sorted(
        target.jobs, key=record_key)]  # fmt: skip
    desk.assert_nothing_lost_or_paid_twice(3)  # the ledger of the source has caught up


@pytest.mark.parametrize("state", ["planned", "cancelled"])
def test_what_another_store_has_measured_is_not_sent_again(desk: Desk, state: str) -> None:
    first, second = measured(desk), second_desk(desk)
    second.store.folder.mkdir(exist_ok=True)
    second.ledger.enter([job.entry() for job in second.plan().jobs], 1e9)
    if state == "cancelled":
        second.cancel(*[job.key for job in second.jobs])
    merge_stores(second.store, [first.store.folder])
    assert second.submit(retry_failed=True).counts["known"] == 3
    assert {job.problem_id for job in second.jobs if job.state == "done"} == set(desk.stub.jobs)
    assert len(desk.stub.posted) == 3


def test_what_was_only_planned_stays_behind(desk: Desk, tmp_path: Path) -> None:
    desk.store.folder.mkdir(exist_ok=True)
    desk.ledger.enter([job.entry() for job in desk.plan().jobs], 1e9)
    target = Desk(desk.stub, tmp_path / "target", desk.experiment)
    assert merge_stores(target.store, [desk.store.folder]).complete
    assert target.jobs == []
    assert target.submit().counts["sent"] == 3


def test_a_job_whose_fate_is_unknown_is_settled_first(desk: Desk, stub: SapiStub, tmp_path: Path) -> None:
    desk.experiment = write_experiment(desk.folder / "one.toml", 1)
    stub.listing_lag = 60.0
    stub.fault("POST", "/problems", "lose")
    with pytest.raises(QpuError):
        desk.submit()
    assert desk.states == ["submitting"]
    target = Store(tmp_path / "target")
    with pytest.raises(QpuError, match=r"1 jobs of .* sent without a reply.*`spinbattery qpu collect` .*runs\'"):
        merge_stores(target, [desk.store.folder])
    assert not list(target.folder.glob("*.nc"))


def test_an_answer_that_is_no_record_comes_along(desk: Desk, tmp_path: Path) -> None:
    desk.submit()
    kept = desk.store.folder / f"{desk.jobs[0].key}.answer.json"
    kept.write_text("{}", encoding="utf-8")
    merge_stores(Store(tmp_path / "target"), [desk.store.folder])
    assert (tmp_path / "target" / kept.name).read_text(encoding="utf-8") == "{}"


def test_records_are_not_merged_without_their_ledger(desk: Desk, tmp_path: Path) -> None:
    assert JOBS == FILE_NAME
    measured(desk)
    with pytest.raises(RecordError, match="`spinbattery store merge`"):
        Store(tmp_path / "target").merge(desk.store.folder)


def test_the_command_merges_ledgers_too(desk: Desk, tmp_path: Path) -> None:
    measured(desk)
    target = tmp_path / "target"
    found = CliRunner().invoke(app, ["store", "merge", str(target), str(desk.store.folder), "--quiet"])
    assert (found.exit_code, found.output) == (0, "3 runs copied, 0 known before, 0 left\n")
    status = CliRunner().invoke(app, ["qpu", "status", "--store", str(target), "--json"])
    assert status.output.count('"state": "done"') == 3
    short = CliRunner().invoke(app, ["qpu", "cancel", desk.jobs[0].key, "--store", str(target)])
    assert short.output == f"{desk.jobs[0].key[:12]}: done\n"
