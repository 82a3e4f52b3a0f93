"""Problems that fail, and experiments that are refused before anything is run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from processes import Finished, contents, records, stamps, write_experiment


def _notes(folder: Path) -> dict[str, int]:
    """When the notes of failures were written, by file name."""
    return {path.name: path.stat().st_mtime_ns for path in folder.glob("*.failed.json")}


def test_a_failed_problem_stops_no_other_and_is_retried_only_when_asked(
    tmp_path: Path, command: Callable[..., Finished]
) -> None:
    folder = tmp_path / "runs"
    # four passes keep this tolerance in the short protocols, and are not enough for the long ones
    experiment = write_experiment(
        tmp_path / "experiment.toml", ["ring:4"], [1, 2, 20, 30], tolerance=1e-5, max_levels=2
    )
    arguments = ("sweep", experiment, "--store", folder, "--workers", "1", "--json")

    first = command(*arguments)
    assert first.code == 1, first
    assert (first.json["computed"], first.json["failed"]) == (2, 2), first.json["failures"]
    assert all("ToleranceError" in error for error in first.json["failures"].values())
    assert len(contents(folder)) == 2
    before, notes = stamps(folder), _notes(folder)
    assert len(notes) == 2

    again = command(*arguments)
    assert again.code == 1
    assert (again.json["computed"], again.json["reused"], again.json["failed"]) == (0, 2, 2)
    assert again.json["failures"] == first.json["failures"]
    assert "2 finished, 2 failed, 0 to run" in again.err
    assert _notes(folder) == notes

    retried = command(*arguments, "--retry-failed")
    assert retried.code == 1
    assert "2 finished, 2 failed, 2 to run" in retried.err
    assert retried.json["failed"] == 2
    assert stamps(folder) == before
    assert set(_notes(folder)) == set(notes)
    assert not set(_notes(folder).values()) & set(notes.values())  # written again


def test_an_unknown_key_is_refused_before_anything_is_run(tmp_path: Path, command: Callable[..., Finished]) -> None:
    folder = tmp_path / "runs"
    experiment = write_experiment(tmp_path / "experiment.toml", ["ring:4"], [2], head="tolerence = 1e-5")
    refused = command("sweep", experiment, "--store", folder)
    assert refused.code == 2
    assert "unknown key tolerence" in refused.err
    assert "did you mean 'tolerance'" in refused.err.lower()
    assert "Traceback" not in refused.err
    assert not folder.exists()


def test_a_network_that_does_not_fit_stops_the_whole_grid(tmp_path: Path, command: Callable[..., Finished]) -> None:
    folder = tmp_path / "runs"
    experiment = write_experiment(tmp_path / "experiment.toml", ["ring:4", "ring:40"], [2])
    refused = command("sweep", experiment, "--store", folder, "--workers", "1")
    assert refused.code == 2
    assert "1 of 2 problems cannot be run; nothing was started" in refused.err
    assert "ring:40" in refused.err
    assert "Traceback" not in refused.err
    assert records(folder) == set()
