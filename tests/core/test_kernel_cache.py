"""Kernels are compiled once, kept, and loaded without Numba; what does not fit is left to Numba."""

from __future__ import annotations

import ast
import errno
import io
import json
import logging
import math
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
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
    monkeypatch.setattr(code_files, "_loaded_at", math.inf)  # as if this process began after the source was written
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


def test_two_that_need_the_same_code_compile_it_once(module, tmp_path):
    """Each has its own handle of the file, as two processes have."""
    kernels, begin = [scaled(module) for _ in range(4)], threading.Barrier(4)

    def call(kernel):
        begin.wait()
        return kernel(np.arange(4.0), 4, 2.0)

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(call, kernels)) == [12.0] * 4
    assert sorted((kernel.found, kernel.compiled) for kernel in kernels) == [(0, 1), (1, 0), (1, 0), (1, 0)]
    assert len(list((tmp_path / "cache" / "spinbattery").iterdir())) == 1


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


def test_code_is_not_kept_where_a_source_was_changed_since(module, monkeypatch, tmp_path):
    """The body was imported before: kept under the new source it would be run by every later process."""
    scaled(module)._by_numba()
    (tmp_path / "kernel_body.py").write_text(BODY.replace("*= factor", "*= 2.0 * factor"))
    monkeypatch.setattr(code_files, "_loaded_at", 0.0)
    kernel = scaled(module)
    assert kernel(np.ones(2), 2, 1.0) == 2.0
    assert (kernel.compiled, kernel.folder) == (1, None)
    del sys.modules[module]
    monkeypatch.setattr(code_files, "_loaded_at", math.inf)
    kernel = scaled(module)
    assert kernel(np.ones(2), 2, 1.0) == 4.0
    assert (kernel.found, kernel.compiled) == (0, 1)


def test_code_is_not_kept_where_a_source_was_changed_before_the_compiler_read_it(module, monkeypatch, tmp_path):
    compiled = Kernel._compiled

    def after_a_change(kernel, signature):
        (tmp_path / "kernel_body.py").write_text(BODY + "# changed")
        return compiled(kernel, signature)

    monkeypatch.setattr(Kernel, "_compiled", after_a_change)
    kernel = scaled(module)
    assert kernel(np.ones(2), 2, 1.0) == 2.0
    assert (kernel.compiled, kernel.folder) == (1, None)


def test_times_of_sources_that_are_yet_to_come_say_nothing(module, monkeypatch, tmp_path):
    """As where the clock of a file server goes before."""
    source = tmp_path / "kernel_body.py"
    monkeypatch.setattr(code_files, "_loaded_at", time.time() + 100.0)
    assert not code_files.changed([source])
    os.utime(source, (time.time() + 1000.0,) * 2)
    assert not code_files.changed([source])
    monkeypatch.setattr(time, "time", lambda: source.stat().st_mtime + 1.0)
    assert code_files.changed([source])


def test_other_arguments_are_refused(module):
    kernel = scaled(module)
    for x in (np.ones((2, 2)), np.ones(4)[::2]):
        with pytest.raises(TypeError, match="1-d"):
            kernel(x, 2, 1.0)


def test_code_that_needs_other_functions_is_left_to_numba(module):
    kernel = Kernel(module, "error_function", "float64(float64[::1])")
    assert kernel(np.array([0.5])) == pytest.approx(math.erf(0.5), rel=1e-15)
    assert (kernel.found, kernel.compiled, kernel.folder) == (0, 0, None)


@pytest.fixture
def said(monkeypatch, caplog):
    """What is said of folders."""
    caplog.set_level(logging.WARNING, "spinbattery")  # which a quiet command raises
    monkeypatch.setattr(compilation, "_said", set())
    monkeypatch.setattr(compilation, "say", lambda: None)
    return lambda: [record.getMessage() for record in caplog.records]


def no_folder(tmp_path, kind):
    """Something that nobody can write to, root included."""
    place = tmp_path / kind
    if kind == "file":
        place.write_text("no folder")
    elif kind == "dangling":
        place.symlink_to(tmp_path / "nowhere" / "at all")
    return {"proc": Path("/proc"), "within": Path("/proc/nope"), "below a file": Path(__file__) / "x"}.get(kind, place)


@pytest.mark.parametrize("kind", ["file", "below a file", "dangling", "proc", "within"])
def test_code_is_kept_beside_its_source_where_the_chosen_folder_is_none(module, monkeypatch, tmp_path, said, kind):
    """As Numba does, but not in silence, whether it is compiled or found there."""
    chosen = no_folder(tmp_path, kind)
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(chosen))
    for found in (0, 1):
        monkeypatch.setattr(compilation, "_said", set())
        kernel = scaled(module)
        assert kernel(np.ones(2), 2, 1.0) == 2.0
        assert (kernel.found, kernel.folder) == (found, tmp_path / "__pycache__")
        assert f"NUMBA_CACHE_DIR is {str(chosen)!r}" in said()[found]
        assert str(kernel.folder) in said()[found]
    scaled(module)(np.ones(2), 2, 1.0)
    assert len(said()) == 2


def test_code_goes_elsewhere_where_a_folder_is_full(module, monkeypatch, tmp_path, said):
    """The trial had room, the code has none."""
    written = code_files._written
    monkeypatch.setattr(
        code_files, "_written", lambda place, data: place.parents[1].name != "cache" and written(place, data)
    )
    kernel = scaled(module)
    assert kernel(np.ones(2), 2, 1.0) == 2.0
    assert kernel.folder == tmp_path / "__pycache__"
    assert len(said()) == 1


def test_a_trial_writes_what_an_empty_file_does_not(monkeypatch, tmp_path):
    """A full disk has room for names."""

    class Full(io.BytesIO):
        def write(self, data):
            raise OSError(errno.ENOSPC, "no space left on device")

    monkeypatch.setattr(code_files.tempfile, "TemporaryFile", lambda dir: Full())
    assert not code_files.usable(tmp_path / "full")


def test_a_chosen_folder_that_can_be_used_is_filled(module, tmp_path, monkeypatch):
    """Code that is found elsewhere would not come into it, and warm-up would leave it empty."""
    monkeypatch.delenv("NUMBA_CACHE_DIR")
    scaled(module)(np.ones(2), 2, 1.0)
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "cache"))
    kernel = scaled(module)
    kernel(np.ones(2), 2, 1.0)
    assert (kernel.compiled, kernel.folder) == (1, tmp_path / "cache" / "spinbattery")


def test_the_chosen_folder_may_begin_with_the_home_folder(module, monkeypatch, home):
    monkeypatch.setenv("NUMBA_CACHE_DIR", "~/code")
    kernel = scaled(module)
    kernel(np.ones(2), 2, 1.0)
    assert kernel.folder == home / "code" / "spinbattery"


def test_where_nothing_can_be_kept_it_is_said_once(module, monkeypatch, tmp_path, said):
    monkeypatch.delenv("NUMBA_CACHE_DIR")
    (tmp_path / "__pycache__").write_text("no folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "__pycache__"))
    for _ in range(2):
        kernel = scaled(module)
        assert kernel(np.ones(2), 2, 1.0) == 2.0
        assert (kernel.compiled, kernel.folder) == (1, None)
    assert len(said()) == 1
    assert "NUMBA_CACHE_DIR" in said()[0]


def test_a_complete_folder_is_read_without_a_trial(module, monkeypatch, tmp_path, said):
    """It may be closed to writing."""
    scaled(module)(np.ones(2), 2, 1.0)
    monkeypatch.setattr(code_files, "usable", lambda folder: False)
    kernel = scaled(module)
    kernel.load("float64")
    assert (kernel.found, kernel.folder) == (1, tmp_path / "cache" / "spinbattery")
    assert not said()


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
    monkeypatch.setattr(compilation, "_expected", ("kernels", 7.0))
    with caplog.at_level(logging.WARNING, "spinbattery"):
        scaled(module)(np.ones(2), 2, 1.0)
        scaled(module)(np.ones(2, np.float32), 2, 1.0)
    (said,) = [record.getMessage() for record in caplog.records]
    assert "about 14 s" in said
    assert "warm-up" in said


def test_compiling_is_said_once_for_each_engine_with_its_time(monkeypatch, caplog):
    monkeypatch.setattr(compilation, "_said", set())
    monkeypatch.setattr(compilation, "_expected", ("kernels", 1.0))
    monkeypatch.setattr(compilation, "_slowness", lambda: 1.0)
    with caplog.at_level(logging.WARNING, "spinbattery"):
        for _ in range(2):
            for engine, seconds in (("one", 3.0), ("of another/package", 40.0)):
                compilation.expect(engine, seconds)
                compilation.say()
    said = [record.getMessage() for record in caplog.records]
    assert ["one" in text and "3 s" in text for text in said] == [True, False]
    assert ["of another/package" in text and "40 s" in text for text in said] == [False, True]


def test_one_note_stands_for_all_engines(monkeypatch, caplog):
    monkeypatch.setattr(compilation, "_said", set())
    monkeypatch.setattr(compilation, "_expected", ("kernels", 1.0))
    monkeypatch.setattr(compilation, "_slowness", lambda: 1.0)
    with caplog.at_level(logging.WARNING, "spinbattery"):
        with compilation.expected_for_all(90.0):
            for engine in ("one", "other"):
                compilation.expect(engine, 3.0)
                compilation.say()
        assert ["90 s" in record.getMessage() for record in caplog.records] == [True]
        compilation.expect("other", 3.0)
        compilation.say()
    assert len(caplog.records) == 2


def test_nothing_is_said_where_the_code_is_found(module, monkeypatch, caplog):
    caplog.set_level(logging.WARNING, "spinbattery")
    scaled(module)(np.ones(2), 2, 1.0)
    monkeypatch.setattr(compilation, "_said", set())
    scaled(module)(np.ones(2), 2, 1.0)
    assert not caplog.records


def imported(module):
    """Modules of this package that a source imports, be it in a function."""
    found = set()
    for node in ast.walk(ast.parse(Path(find_spec(module).origin).read_text())):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = ".".join(filter(None, (module.rsplit(".", node.level)[0], node.module)))
            if find_spec(base).submodule_search_locations is None:
                found.add(base)
            else:
                names = [f"{base}.{alias.name}" for alias in node.names]
                found |= {name if find_spec(name) else base for name in names}
    return found


KERNELS = [one for module in (dense, symmetric, simd) for one in vars(module).values() if isinstance(one, Kernel)]


@pytest.mark.parametrize("kernel", KERNELS, ids=str)
def test_all_sources_of_a_kernel_are_named(kernel):
    """Else a change of one would not be seen."""
    seen, left = set(), [kernel.module]
    while left:
        one = left.pop()
        if one not in seen:
            seen.add(one)
            left += imported(one)
    light = {"spinbattery", "spinbattery.core.kernels", "spinbattery.core.compilation", "spinbattery.core.atomic"}
    light |= {f"spinbattery.core.{name}" for name in ("errors", "code_files", "claims", "jitted")}
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
