"""A disk that fills up during a sweep: a clear end, nothing half written, and a rerun that goes on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from processes import Finished, Launch, contents, half_written, serial, stamps, write_experiment
from small_disk import SmallDisk, open_small_disk


@pytest.fixture
def disk(launch: Launch, tmp_path: Path) -> SmallDisk:
    opened = open_small_disk(launch, tmp_path / "disk", 128)
    if opened is None:
        pytest.skip("neither root nor an unprivileged mount namespace: no small disk can be mounted here")
    return opened


@pytest.mark.parametrize("workers", [1, 2])
def test_a_full_disk_stops_the_sweep_and_a_larger_one_lets_it_go_on(
    tmp_path: Path, command: Callable[..., Finished], disk: SmallDisk, workers: int
) -> None:
    experiment = write_experiment(tmp_path / "experiment.toml", ["ring:4", "ring:5"], range(2, 8))
    expected = serial(experiment, tmp_path / "undisturbed")

    def sweep(workers: int = 1) -> Finished:
        return command("sweep", experiment, "--store", folder, "--workers", str(workers), "--json")

    folder = disk.folder / "runs"
    stopped = sweep(workers)
    assert stopped.code == 2, stopped
    assert "No space left on device" in stopped.err
    assert "finished and kept" in stopped.err
    assert "run the same again" in stopped.err
    assert "Traceback" not in stopped.err
    kept = contents(folder)
    assert 0 < len(kept) < len(expected)
    assert kept.items() <= expected.items()
    assert half_written(folder) == []
    before = stamps(folder)

    again = sweep()  # the disk is still full: no loss, and the same message
    assert again.code == 2, again
    assert "Traceback" not in again.err
    assert before.items() <= stamps(folder).items()
    before = stamps(folder)

    disk.resize(4096)
    finished = sweep()
    assert finished.code == 0, finished.err
    assert finished.json["computed"] == len(expected) - len(before)
    assert contents(folder) == expected
    assert before.items() <= stamps(folder).items()
