"""A single long run killed with SIGKILL goes on from its checkpoint, and ends with the same digits."""

from __future__ import annotations

from pathlib import Path

import pytest
from long_charge import charge
from processes import Launch, wait_until


@pytest.mark.parametrize("engine", ["symmetric", "tensor"])
def test_a_killed_run_goes_on_and_ends_with_the_same_digits(engine: str, tmp_path: Path, fork: Launch) -> None:
    whole = fork(charge, tmp_path / "whole" / "run", engine)
    stem = tmp_path / "killed" / "run"
    for number in range(2):  # in the first pass, and for one of several passes in the second
        victim = fork(charge, stem, engine)
        level = number if engine == "tensor" else 0
        wait_until(stem.with_name(f"run.{level}.npz").is_file, f"a checkpoint of level {level}")
        victim.kill()
        assert not victim.output().out
    last = fork(charge, stem, engine)
    assert last.end().code == 0, last.output().err
    assert last.output().out == whole.end().out
