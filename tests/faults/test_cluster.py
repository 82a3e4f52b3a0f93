"""Sweeps on a Dask cluster over TCP: workers killed, the scheduler lost, nobody at the address."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from dask_processes import start_scheduler, start_worker
from processes import (
    Finished,
    Launch,
    Study,
    computing,
    contents,
    impatient,
    kill_one,
    records,
    stamps,
    wait_until,
)

pytest.importorskip("distributed", reason="the extra [cluster] is not installed")


@pytest.mark.slow
def test_a_sweep_survives_the_death_of_cluster_workers(
    study: Study, tmp_path: Path, launch: Launch, start: Launch
) -> None:
    folder = tmp_path / "runs"
    _, address = start_scheduler(launch, tmp_path)
    mortal = start_worker(launch, address, tmp_path, "--no-nanny")
    nursed = start_worker(launch, address, tmp_path)
    sweep = start("sweep", study.experiment, "--store", folder, "--scheduler", address, "--json")

    # one is not replaced, and the other goes on; its own worker dies, and its nanny starts a new one
    for worker in (mortal, nursed):
        victims = wait_until(lambda worker=worker: computing(folder, worker), "a run on a cluster's worker")
        assert kill_one(victims.values())

    done = sweep.end()
    assert done.code == 0, done.err
    assert (done.json["computed"] + done.json["reused"], done.json["failed"]) == (len(study.contents), 0)
    assert contents(folder) == study.contents


@pytest.mark.slow
def test_a_lost_scheduler_ends_the_sweep_and_a_rerun_without_it_goes_on(
    study: Study, tmp_path: Path, launch: Launch, fork: Launch, command: Callable[..., Finished]
) -> None:
    folder = tmp_path / "runs"
    scheduler, address = start_scheduler(launch, tmp_path)
    worker = start_worker(launch, address, tmp_path)
    sweep = fork(impatient, "sweep", study.experiment, "--store", folder, "--scheduler", address)
    wait_until(lambda: records(folder) and computing(folder, worker), "a finished run and a running one")
    scheduler.kill()

    lost = sweep.end()
    assert lost.code == 2, lost
    assert "kept" in lost.err
    assert "run the same again" in lost.err
    assert "Traceback" not in lost.err
    before = stamps(folder)
    assert contents(folder).items() <= study.contents.items()
    rerun = command("sweep", study.experiment, "--store", folder, "--json")
    assert rerun.code == 0, rerun.err
    assert rerun.json["computed"] <= len(study.contents) - len(before)  # the lost worker may finish its last
    assert contents(folder) == study.contents
    assert before.items() <= stamps(folder).items()


def test_nobody_at_the_address_is_said(study: Study, tmp_path: Path, fork: Launch) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    refused = fork(impatient, "sweep", study.experiment, "--store", tmp_path / "runs", "--scheduler", address).end()
    assert refused.code == 2
    assert "no Dask scheduler answers" in refused.err
    assert address in refused.err
    assert "Traceback" not in refused.err
    assert records(tmp_path / "runs") == set()
