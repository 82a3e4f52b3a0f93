"""A single long run killed with SIGKILL goes on from its checkpoint, and ends with the same digits."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from processes import Launch, wait_until

_SCRIPT = Path(__file__).with_name("long_charge.py")


@pytest.mark.parametrize("engine", ["symmetric", "tensor"])
def test_a_killed_run_goes_on_and_ends_with_the_same_digits(engine: str, tmp_path: Path, launch: Launch) -> None:
    whole = launch(sys.executable, str(_SCRIPT), str(tmp_path / "whole" / "run"), engine)
    stem = tmp_path / "killed" / "run"
    for level in range(2):  # once in the first pass, once in the second
        victim = launch(sys.executable, str(_SCRIPT), str(stem), engine)
        wait_until(stem.with_name(f"run.{level}.npz").is_file, f"a checkpoint of level {level}")
        victim.kill()
        assert not victim.output().out
    last = launch(sys.executable, str(_SCRIPT), str(stem), engine)
    assert last.end().code == 0, last.output().err
    assert last.output().out == whole.end().out
