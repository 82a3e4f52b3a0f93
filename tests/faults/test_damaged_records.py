"""Records that were truncated, altered or emptied: found, named, left alone, and computed again when asked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from processes import Finished, contents, half_written, serial, stamps, write_experiment


def _truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x10
    path.write_bytes(content)


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def test_damaged_records_are_named_and_computed_again_only_when_asked(
    tmp_path: Path, command: Callable[..., Finished]
) -> None:
    folder = tmp_path / "runs"
    experiment = write_experiment(tmp_path / "experiment.toml", ["ring:4", "ring:5", "ring:6"], [2, 3])
    original = serial(experiment, folder)
    victims = sorted(original)[:3]
    for name, damage in zip(victims, (_truncate, _flip, _empty), strict=True):
        damage(folder / name)
    before = stamps(folder)

    swept = command("sweep", experiment, "--store", folder, "--json")
    assert swept.code == 1
    assert "3 finished, 3 damaged, 0 to run" in swept.err
    assert (swept.json["computed"], swept.json["reused"], swept.json["failed"]) == (0, 3, 3)
    failures = {f"{key[:32]}.nc": error for key, error in swept.json["failures"].items()}
    assert set(failures) == set(victims)
    assert all(name in error for name, error in failures.items())

    rows = command("store", "list", folder, "--json").json
    assert {f"{row['key'][:32]}.nc" for row in rows if row["status"] == "damaged"} == set(victims)
    assert sum(row["status"] == "done" for row in rows) == 3
    assert stamps(folder) == before

    mended = command("sweep", experiment, "--store", folder, "--recompute-damaged", "--json")
    assert mended.code == 0, mended.err
    assert (mended.json["computed"], mended.json["reused"], mended.json["failed"]) == (3, 3, 0)
    assert contents(folder) == original
    after = stamps(folder)
    assert {name for name in after if after[name] != before[name]} == set(victims)
    assert half_written(folder) == []


def test_rebuild_reads_every_file_and_names_the_damaged(tmp_path: Path, command: Callable[..., Finished]) -> None:
    folder = tmp_path / "runs"
    original = serial(write_experiment(tmp_path / "experiment.toml", ["ring:4"], [2, 3, 4]), folder)
    _flip(folder / min(original))  # the size stays, so that only reading shows it

    rebuilt = command("store", "rebuild", folder)
    assert rebuilt.code == 1, rebuilt.err
    assert "2 done, 0 failed, 1 damaged" in rebuilt.out
    assert min(original) in rebuilt.out
