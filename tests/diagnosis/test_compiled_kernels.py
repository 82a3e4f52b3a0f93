"""What is said of compiled kernels is what a process finds in its folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from spinbattery.core import code_files, jitted
from spinbattery.core.kernels import Kernel
from spinbattery.diagnosis.kernels import Kernels, read_kernels

FLOOD = """
import numpy as np
from MODULE import flood_orbits
rows = np.ones((4, 1), np.uint32)
flood_orbits(np.zeros((1, 1, 256), np.uint32), rows[0], rows[1], 0, 1, rows[2], rows[3], np.zeros(1, np.int64))
"""
TIMES = """
import numpy as np
from MODULE import times
times(np.eye(2), np.eye(2), np.eye(2))
"""
USES_ONE_KERNEL = """
import json
from dataclasses import asdict
from spinbattery.diagnosis.kernels import read_kernels
nothing = read_kernels()
KERNEL
print(json.dumps([asdict(nothing), asdict(read_kernels())]))
"""


OURS, NUMBAS = "spinbattery.engines.symmetric.declared", "spinbattery.engines.symmetric.orbit_kernels"
JITTED = "spinbattery.engines.tensor.tree_kernels"


def call(folder: Path, module: str) -> list[dict]:
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(folder)}
    program = USES_ONE_KERNEL.replace("KERNEL", TIMES if module == JITTED else FLOOD).replace("MODULE", module)
    run = subprocess.run(
        [sys.executable, "-c", program],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(run.stdout)


@pytest.mark.parametrize("module", [OURS, JITTED, pytest.param(NUMBAS, marks=pytest.mark.slow)])
def test_a_kernel_is_compiled_once_and_then_found(module, tmp_path):
    for found, compiled in ((0, 1), (1, 0)):
        nothing, kernels = call(tmp_path, module)
        assert (nothing["found"], nothing["compiled"], nothing["folders"]) == (0, 0, [])
        assert (kernels["found"], kernels["compiled"]) == (found, compiled)
        folders = [Path(folder) for folder in kernels["folders"]]
        assert folders
        assert all(folder.is_relative_to(tmp_path) for folder in folders)
        files = [file for file in tmp_path.rglob("*.*") if file.is_file()]
        assert kernels["n_bytes"] == sum(file.stat().st_size for file in files) > 0
        assert kernels["kept"] == len(files) == 1
        assert (kernels["lost"], kernels["unusable"]) == (0, None)


@pytest.fixture
def no_kernels(monkeypatch):
    """No kernels of other tests."""
    monkeypatch.setattr(Kernel, "declared", [])
    monkeypatch.setattr(jitted, "functions", [])


def test_advice_is_given_where_code_is_lost_or_kept_elsewhere():
    kernels = Kernels((), 0, 0, 0, 2, lost=2)
    assert "NUMBA_CACHE_DIR" in kernels.advice
    assert replace(kernels, lost=0).advice is None
    for lost in (0, 2):
        kernels = replace(kernels, lost=lost, unusable="/nowhere")
        assert "NUMBA_CACHE_DIR is '/nowhere'" in kernels.advice
        assert ("every process compiles" in kernels.advice.lower()) == bool(lost)


def test_a_complete_folder_that_is_closed_to_writing_needs_no_advice(tmp_path, monkeypatch, no_kernels):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(code_files, "usable", lambda folder: False)
    kernel = Kernel("no.module", "kept", "void(float64[::1])")
    kernel.found, kernel.folder = 1, tmp_path / "spinbattery"
    assert read_kernels().unusable is None
    assert read_kernels().advice is None


@pytest.mark.parametrize("module", [OURS, JITTED])
def test_a_chosen_folder_that_is_none_is_named(module, tmp_path):
    """The code is kept beside the package then, as by Numba."""
    (tmp_path / "file").write_text("no folder")
    _, kernels = call(tmp_path / "file", module)
    assert kernels["unusable"] == str(tmp_path / "file")
    assert kernels["lost"] == 0
    assert Path(kernels["folders"][0]).name == "__pycache__"


def test_a_kernel_that_is_kept_nowhere_is_seen_beside_others(tmp_path, no_kernels):
    kept, lost = (Kernel("no.module", name, "void(float64[::1])") for name in ("kept", "lost"))
    kept.found, kept.folder = 1, tmp_path
    assert read_kernels().lost == 0
    lost.compiled = 1
    assert read_kernels().lost == 1


def test_code_of_other_processors_and_other_files_do_not_count(tmp_path, no_kernels):
    kernel = Kernel("no.module", "kept", "void(float64[::1])")
    kernel.found, kernel.folder = 1, tmp_path
    machine, python = code_files.machine(), sys.implementation.cache_tag
    for name in (f"a.{machine}.o", f"b.f1.{machine}.{python}.code", "a.0123456789ab.o", "a.py", "a.pyc"):
        (tmp_path / name).write_bytes(b"123")
    assert (read_kernels().kept, read_kernels().n_bytes) == (2, 6)


def test_sources_that_change_meanwhile_are_not_blamed_on_the_folder(tmp_path):
    run = (
        "from spinbattery.core import code_files\n"
        "code_files._loaded_at = 0.0\n"  # before all sources
        f"{FLOOD.replace('MODULE', OURS)}\n"
        "from spinbattery.diagnosis.kernels import read_kernels\n"
        "found = read_kernels()\n"
        "print(found.lost > 0, found.unusable, found.advice)\n"
    )
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    answer = subprocess.run([sys.executable, "-c", run], env=environment, capture_output=True, text=True, check=True)
    assert answer.stdout.startswith("True None Sources were changed while this process ran")
