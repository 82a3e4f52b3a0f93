"""What is said of compiled kernels is what a process finds in its folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from spinbattery.core.code_files import writable
from spinbattery.core.kernels import Kernel
from spinbattery.diagnosis.kernels import Kernels, read_kernels

USES_ONE_KERNEL = """
import json
from dataclasses import asdict
import pytest

from spinbattery.diagnosis.kernels import read_kernels
nothing = read_kernels()
import numpy as np
if "tensor" in "MODULE":
    from MODULE import times
    times(np.eye(2), np.eye(2), np.eye(2))
else:
    from MODULE import flood_orbits
    rows = np.ones((4, 1), np.uint32)
    flood_orbits(np.zeros((1, 1, 256), np.uint32), rows[0], rows[1], 0, 1, rows[2], rows[3], np.zeros(1, np.int64))
print(json.dumps([asdict(nothing), asdict(read_kernels())]))
"""


OURS, NUMBAS = "spinbattery.engines.symmetric.declared", "spinbattery.engines.symmetric.orbit_kernels"
JITTED = "spinbattery.engines.tensor.tree_kernels"


def call(folder: Path, module: str) -> list[dict]:
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(folder)}
    run = subprocess.run(
        [sys.executable, "-c", USES_ONE_KERNEL.replace("MODULE", module)],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(run.stdout)


@pytest.mark.parametrize("module", [OURS, NUMBAS, JITTED])
def test_a_kernel_is_compiled_once_and_then_found(module, tmp_path):
    for found, compiled in ((0, 1), (1, 0)):
        nothing, kernels = call(tmp_path, module)
        assert (nothing["found"], nothing["compiled"], nothing["folders"]) == (0, 0, [])
        assert (kernels["found"], kernels["compiled"]) == (found, compiled)
        folders = [Path(folder) for folder in kernels["folders"]]
        assert folders
        assert all(folder.is_relative_to(tmp_path) for folder in folders)
        assert kernels["n_bytes"] == sum(file.stat().st_size for file in tmp_path.rglob("*.*") if file.is_file()) > 0
        assert kernels["writable"]


def test_a_folder_that_cannot_be_written_to_comes_with_advice(tmp_path, monkeypatch):
    locked = tmp_path / "there"
    locked.mkdir()
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != locked)  # root may write anywhere
    assert not writable(locked / "not" / "yet")
    assert writable(tmp_path / "other")
    assert not writable(Path(__file__))
    assert not writable(Path(__file__) / "within")
    kernels = Kernels((str(locked),), False, 0, 0, 0)
    assert "NUMBA_CACHE_DIR" in kernels.advice
    assert replace(kernels, writable=True).advice is None
    for is_kept_elsewhere in (True, False):
        kernels = replace(kernels, writable=is_kept_elsewhere, unusable="/nowhere")
        assert "NUMBA_CACHE_DIR is '/nowhere'" in kernels.advice
        assert ("every process compiles" in kernels.advice.lower()) == (not is_kept_elsewhere)


@pytest.mark.parametrize("module", [OURS, JITTED])
def test_a_chosen_folder_that_is_none_is_named(module, tmp_path):
    """The code is kept beside the package then, as by Numba."""
    (tmp_path / "file").write_text("no folder")
    _, kernels = call(tmp_path / "file", module)
    assert kernels["unusable"] == str(tmp_path / "file")
    assert kernels["writable"]
    assert Path(kernels["folders"][0]).name == "__pycache__"


def test_a_kernel_that_is_kept_nowhere_is_seen_beside_others(tmp_path, monkeypatch):
    kept, lost = (Kernel("no.module", name, "void(float64[::1])") for name in ("kept", "lost"))
    monkeypatch.setattr(Kernel, "declared", [kept, lost])
    kept.found, kept.folder = 1, tmp_path
    assert read_kernels().writable
    lost.compiled = 1
    assert not read_kernels().writable
