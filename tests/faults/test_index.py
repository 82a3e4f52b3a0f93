"""The index of a store: deleted, overwritten, left in the middle of a transaction, or in a read-only folder."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from processes import (
    Finished,
    Launch,
    contents,
    fresh_command,
    records,
    run_here,
    serial,
    stamps,
    wait_until,
    write_experiment,
)

from spinbattery.store.folder import Store

_UNFINISHED_TRANSACTION = """
import sqlite3, sys, time
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA cache_size = 1")  # so that changed pages reach the file before the commit
connection.execute("BEGIN EXCLUSIVE")
connection.execute("DELETE FROM runs")
connection.executemany("INSERT INTO runs (stem, status) VALUES (?, 'done')", [(f"junk{k}",) for k in range(5000)])
print("locked", flush=True)
time.sleep(3600)
"""


@pytest.fixture
def experiment(tmp_path: Path) -> Path:
    return write_experiment(tmp_path / "experiment.toml", ["ring:4", "ring:5"], [2, 3, 4])


@pytest.fixture
def folder(experiment: Path, tmp_path: Path) -> Path:
    serial(experiment, tmp_path / "runs")
    return tmp_path / "runs"


def _delete(index: Path, launch: Launch) -> None:
    index.unlink()


def _overwrite(index: Path, launch: Launch) -> None:
    index.write_bytes(bytes(range(256)) * (index.stat().st_size // 256))


def _cut(index: Path, launch: Launch) -> None:
    index.write_bytes(index.read_bytes()[: index.stat().st_size // 2])


def _die_in_a_transaction(index: Path, launch: Launch) -> None:
    writer = launch(sys.executable, "-c", _UNFINISHED_TRANSACTION, str(index))
    wait_until(lambda: "locked" in writer.output().out or writer.ended, "the transaction")
    writer.signal(signal.SIGKILL)
    assert writer.end().code == -signal.SIGKILL
    assert index.with_name("index.sqlite-journal").stat().st_size > 0


@pytest.mark.parametrize("damage", [_delete, _overwrite, _cut, _die_in_a_transaction])
def test_a_lost_index_is_made_again_from_the_files(
    experiment: Path,
    folder: Path,
    launch: Launch,
    command: Callable[..., Finished],
    damage: Callable[[Path, Launch], None],
) -> None:
    before, rows = stamps(folder), Store(folder).rows()
    damage(folder / "index.sqlite", launch)
    listed = command("store", "list", folder, "--json")
    assert listed.code == 0, listed.err
    assert listed.json == rows

    damage(folder / "index.sqlite", launch)
    swept = run_here(experiment, folder)
    assert (swept.computed, swept.reused) == (0, 6)
    assert swept.dataset.sizes["run"] == 6
    assert stamps(folder) == before


def _bound_by_modes(folder: Path) -> list[str]:
    """What to put before a command so that file modes count for it: they do not count for root."""
    if os.geteuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        pytest.skip("root may write anywhere, and there is no setpriv to take that away")
    prefix = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
    if subprocess.run([*prefix, "test", "-w", str(folder)]).returncode != 1:
        pytest.skip("setpriv does not take root's right to write away here")
    return prefix


@pytest.fixture
def read_only(folder: Path) -> Iterator[Path]:
    folder.chmod(0o555)
    yield folder
    folder.chmod(0o755)


@pytest.mark.parametrize("indexed", [True, False])
def test_a_read_only_store_can_be_listed(read_only: Path, launch: Launch, indexed: bool) -> None:
    rows = Store(read_only).rows()
    if not indexed:
        read_only.chmod(0o755)
        (read_only / "index.sqlite").unlink()
        read_only.chmod(0o555)
    listed = launch(*_bound_by_modes(read_only), *fresh_command("store", "list", read_only, "--json")).end()
    assert listed.code == 0, listed.err
    assert listed.json == rows
    assert len(rows) == len(records(read_only)) == len(contents(read_only)) == 6
    assert (read_only / "index.sqlite").exists() == indexed
