"""Two sweeps with overlapping grids, started at once on one store."""

from __future__ import annotations

from pathlib import Path

from processes import Launch, contents, serial, write_experiment


def test_overlapping_sweeps_share_the_work_and_nothing_is_computed_twice(tmp_path: Path, start: Launch) -> None:
    folder = tmp_path / "runs"
    # the longest are run first, so that both start with the same ones and meet at each of them
    experiments = [
        write_experiment(tmp_path / f"{network}.toml", ["ring:12", network], range(60, 64), tolerance=1e-6)
        for network in ("ring:6", "ring:7")
    ]
    arguments = ("--store", folder, "--workers", "1", "--json")
    sweeps = [start("sweep", experiment, *arguments) for experiment in experiments]
    done = [sweep.end() for sweep in sweeps]
    assert [finished.code for finished in done] == [0, 0], done

    for experiment in experiments:
        expected = serial(experiment, tmp_path / "undisturbed")
    assert len(expected) == 12
    assert sum(finished.json["computed"] for finished in done) == 12
    assert [finished.json["computed"] + finished.json["reused"] for finished in done] == [8, 8]
    assert contents(folder) == expected
