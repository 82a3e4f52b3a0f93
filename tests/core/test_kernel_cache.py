"""Kernels are compiled once, kept, and loaded without Numba; what does not fit is left to Numba."""

from __future__ import annotations

import ast
import json
import logging
import math
import os
import subprocess
import sys
import threading
import time
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from spinbattery.core import code_files, compilation
from spinbattery.core.kernels import Kernel
from spinbattery.engines.dense import declared as dense
from spinbattery.engines.simd import declared as simd
from spinbattery.engines.symmetric import declared as symmetric

BODY = """
import math
import numba

@numba.njit
def scaled(x, n, factor):
    total = 0.0
    for k in range(n):
        x[k] *= factor
        total += x[k]
    return total

@numba.njit
def error_function(x):
    return math.erf(x[0])

@numba.njit(nogil=True)
def slow(x):
    total = 0.0
    for j in range(20_000_000):
        total += 1.0 / (1.0 + total)
    return total
"""


@pytest.fixture
def module(tmp_path, monkeypatch):
    (tmp_path / "kernel_body.py").write_text(BODY)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(Kernel, "declared", [])
    yield "kernel_body"
    sys.modules.pop("kernel_body", None)


def scaled(module):
    return Kernel(module, "scaled", "float64(real[::1], int64, float64)")


def test_code_is_kept_and_found_again(module, tmp_path):
    x = np.arange(4.0)
    for found in (0, 1):
        kernel = scaled(module)
        assert kernel(x.copy(), 3, 2.0) == 6.0
        assert (kernel.found, kernel.compiled) == (found, 1 - found)
        assert kernel.folder == tmp_path / "cache" / "spinbattery"
    assert scaled(module)(x.astype(np.float32), 4, 0.5) == 3.0
    assert len(list((tmp_path / "cache" / "spinbattery").iterdir())) == 2  # one for each type of entries


@pytest.mark.parametrize("damage", ["cut", "flip", "empty"])
def test_a_damaged_file_is_replaced(module, tmp_path, damage):
    scaled(module)(np.ones(2), 2, 1.0)
    (file,) = (tmp_path / "cache" / "spinbattery").iterdir()
    whole = file.read_bytes()
    flipped = bytes([*whole[:-9], whole[-9] ^ 1, *whole[-8:]])
    file.write_bytes({"cut": whole[:-20], "flip": flipped, "empty": b""}[damage])
    kernel = scaled(module)
    assert kernel(np.ones(2), 2, 3.0) == 6.0
    assert kernel.compiled == 1
    assert file.read_bytes()[:32] == whole[:32]


def test_a_changed_source_is_compiled_again(module, tmp_path):
    assert scaled(module)(np.ones(2), 2, 1.0) == 2.0
    (tmp_path / "kernel_body.py").write_text(BODY.replace("*= factor", "*= 2.0 * factor"))
    del sys.modules[module]
    assert scaled(module)(np.ones(2), 2, 1.0) == 4.0


def test_other_arguments_are_refused(module):
    kernel = scaled(module)
    for x in (np.ones((2, 2)), np.ones(4)[::2]):
        with pytest.raises(TypeError, match="1-d"):
            kernel(x, 2, 1.0)


def test_code_that_needs_other_functions_is_left_to_numba(module):
    kernel = Kernel(module, "error_function", "float64(float64[::1])")
    assert kernel(np.array([0.5])) == pytest.approx(math.erf(0.5), rel=1e-15)
    assert (kernel.found, kernel.compiled, kernel.folder) == (0, 0, None)


def test_code_is_kept_beside_its_source_where_the_chosen_folder_is_none(module, monkeypatch, tmp_path, caplog):
    """As Numba does, but not in silence."""
    caplog.set_level(logging.WARNING, "spinbattery")  # which a quiet command raises
    monkeypatch.setattr(compilation, "_said", {"compiling"})
    (tmp_path / "cache").write_text("no folder")
    for found in (0, 1):
        kernel = scaled(module)
        assert kernel(np.ones(2), 2, 1.0) == 2.0
        assert (kernel.found, kernel.folder) == (found, tmp_path / "__pycache__")
    (said,) = [record.getMessage() for record in caplog.records]
    assert f"NUMBA_CACHE_DIR is {str(tmp_path / 'cache')!r}" in said
    assert str(kernel.folder) in said


def test_where_nothing_can_be_kept_it_is_said_once(module, monkeypatch, tmp_path, caplog):
    caplog.set_level(logging.WARNING, "spinbattery")  # which a quiet command raises
    monkeypatch.setattr(compilation, "_said", {"compiling"})
    monkeypatch.delenv("NUMBA_CACHE_DIR")
    (tmp_path / "__pycache__").write_text("no folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "__pycache__"))
    for _ in range(2):
        kernel = scaled(module)
        assert kernel(np.ones(2), 2, 1.0) == 2.0
        assert (kernel.compiled, kernel.folder) == (1, None)
    (said,) = [record.getMessage() for record in caplog.records]
    assert "NUMBA_CACHE_DIR" in said


def test_a_full_folder_that_cannot_be_written_to_is_read(module, monkeypatch, tmp_path, caplog):
    caplog.set_level(logging.WARNING, "spinbattery")
    scaled(module)(np.ones(2), 2, 1.0)
    monkeypatch.setattr(compilation, "_said", set())
    monkeypatch.setattr(code_files, "writable", lambda folder: False)
    kernel = scaled(module)
    kernel.load("float64")
    assert (kernel.found, kernel.folder) == (1, tmp_path / "cache" / "spinbattery")
    assert not caplog.records


def test_the_interpreter_lock_is_released(module):
    kernel = Kernel(module, "slow", "float64(float64[::1])")
    kernel.load()
    thread = threading.Thread(target=kernel, args=(np.ones(1),))
    thread.start()
    turns = 0
    while thread.is_alive():
        turns += 1
        time.sleep(0.001)
    assert turns > 3


def test_compiling_is_said_once_with_its_time(module, monkeypatch, caplog):
    monkeypatch.setattr(compilation, "_said", set())
    monkeypatch.setattr(compilation, "_slowness", lambda: 2.0)
    compilation.expect(7.0)
    with caplog.at_level(logging.WARNING, "spinbattery"):
        scaled(module)(np.ones(2), 2, 1.0)
        scaled(module)(np.ones(2, np.float32), 2, 1.0)
    (said,) = [record.getMessage() for record in caplog.records]
    assert "about 14 s" in said
    assert "warm-up" in said


def test_nothing_is_said_where_the_code_is_found(module, monkeypatch, caplog):
    caplog.set_level(logging.WARNING, "spinbattery")
    scaled(module)(np.ones(2), 2, 1.0)
    monkeypatch.setattr(compilation, "_said", set())
    scaled(module)(np.ones(2), 2, 1.0)
    assert not caplog.records


def imported(module):
    """Modules of this package that a source imports when it is imported."""
    spec = find_spec(module)
    found = set()
    for node in ast.parse(Path(spec.origin).read_text()).body:
        if isinstance(node, ast.ImportFrom) and node.level:
            base = module.rsplit(".", node.level)[0]
            names = [f"{base}.{node.module}"] if node.module else [f"{base}.{alias.name}" for alias in node.names]
            found |= set(names)
    return found


KERNELS = [one for module in (dense, symmetric, simd) for one in vars(module).values() if isinstance(one, Kernel)]


@pytest.mark.parametrize("kernel", KERNELS, ids=str)
def test_all_sources_of_a_kernel_are_named(kernel):
    """Else a change of one would not be seen; choice imports the vector code in a function."""
    seen, left = set(), [kernel.module]
    while left:
        one = left.pop()
        if one not in seen:
            seen.add(one)
            left += imported(one)
            left += [f"{one.rpartition('.')[0]}.vector_code"] if one.endswith("simd.choice") else []
    light = {"spinbattery.core.kernels", "spinbattery.core.compilation", "spinbattery.core.atomic"}
    light |= {"spinbattery.core.errors", "spinbattery.core.code_files", "spinbattery.core.jitted"}
    assert seen - light <= {kernel.module, *kernel.sources}


def test_all_kernels_of_the_engines_are_loaded_without_numba():
    """Compiled where they are not in the cache yet, then found by a new process that cannot import Numba."""
    code = (
        "import sys, json\n"
        "sys.modules.update(dict.fromkeys(sys.argv[1:]))\n"
        "import spinbattery.engines.dense.declared, spinbattery.engines.symmetric.declared\n"
        "from spinbattery.core.kernels import Kernel\n"
        "for kernel in Kernel.declared: kernel.load('float64' if 'real' in kernel.signature else '')\n"
        "print(json.dumps([kernel.found for kernel in Kernel.declared]))"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    run = subprocess.run([sys.executable, "-c", code, "numba"], check=True, capture_output=True, text=True)
    found = json.loads(run.stdout)
    assert found == [1] * len(found)
    assert len(found) > 6


def test_variables_of_numba_choose_the_processor(monkeypatch):
    assert code_files.host()[1]
    monkeypatch.setenv("NUMBA_CPU_NAME", "generic")
    assert code_files.host() == ("generic", os.environ.get("NUMBA_CPU_FEATURES", ""))
