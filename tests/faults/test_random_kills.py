"""Two hundred problems, killed at random five times: the records are those of an undisturbed serial run."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import psutil
import pytest
from processes import (
    Launch,
    Running,
    Study,
    contents,
    kill_one,
    records,
    serial,
    stamps,
    wait_until,
    write_experiment,
)

_KILLS = ("sweep", "worker", "sweep", "worker", "worker")
_LATEST = 150
"""The last kill comes before this many are finished, so that there is something left to disturb."""


@pytest.fixture(scope="module")
def grid(tmp_path_factory: pytest.TempPathFactory) -> Study:
    folder = tmp_path_factory.mktemp("grid")
    networks = ["ring:4", "ring:5", "ring:6", "ring:7", "ring:8", "ring:9", "ring:10", "torus:2x4", "torus:3x3"]
    networks.append("torus:2x5")
    couplings = [-0.2, -0.15, -0.1, -0.05]
    experiment = write_experiment(folder / "grid.toml", networks, [2, 3.5, 5, 6.5, 8], couplings=couplings)
    found = serial(experiment, folder / "runs")
    assert len(found) == 200
    return Study(experiment, found)


def _workers(root: Running) -> list[psutil.Process]:
    """Worker processes of a pool or a LocalCluster."""
    found = []
    for process in root.members():
        try:
            if {"--multiprocessing-fork", "loky.backend.popen_loky_posix"} & set(process.cmdline()):
                found.append(process)
        except psutil.Error:  # it has just ended
            continue
    return sorted(found, key=lambda process: process.pid)


def _start_local_cluster(launch: Launch, folder: Path) -> tuple[Running, str]:
    cluster = launch(sys.executable, str(Path(__file__).with_name("local_cluster.py")), str(folder))
    note = folder / "address"
    wait_until(lambda: cluster.ended or note.exists(), "the address of the LocalCluster")
    assert not cluster.ended, cluster.output()
    return cluster, note.read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.parametrize("where", ["two processes", "LocalCluster"])
def test_two_hundred_problems_killed_five_times(
    grid: Study, tmp_path: Path, launch: Launch, start: Launch, where: str
) -> None:
    rng = random.Random(200)
    folder = tmp_path / "runs"
    arguments = ["sweep", grid.experiment, "--store", folder, "--json"]
    cluster = None
    if where == "LocalCluster":
        pytest.importorskip("distributed", reason="the extra [cluster] is not installed")
        cluster, address = _start_local_cluster(launch, tmp_path)
        arguments += ["--scheduler", address]
    else:
        arguments += ["--workers", "2"]

    sweep = start(*arguments)
    finished_before_a_kill: dict[str, tuple[int, int]] = {}
    for victim, count in zip(_KILLS, sorted(rng.sample(range(10, _LATEST), len(_KILLS))), strict=True):
        wait_until(lambda count=count, sweep=sweep: len(records(folder)) >= count or sweep.ended, f"{count} records")
        assert not sweep.ended, sweep.output()
        finished_before_a_kill |= {k: v for k, v in stamps(folder).items() if k not in finished_before_a_kill}
        if victim == "sweep":
            sweep.kill()
            sweep = start(*arguments)
        else:
            workers = wait_until(lambda root=cluster or sweep: _workers(root), "a worker")
            assert kill_one(rng.sample(workers, len(workers)))

    done = sweep.end()
    assert done.code == 0, done.err
    assert done.json["failed"] == 0
    assert contents(folder) == grid.contents
    assert finished_before_a_kill.items() <= stamps(folder).items()
