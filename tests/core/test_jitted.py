"""Code that Numba compiles at a call is found again, whatever happened to its file, unless a source of it changed."""

from __future__ import annotations

import importlib
import math
import re
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

import spinbattery
from spinbattery.core import code_files, jitted

OUTER = """
from spinbattery.core.jitted import jitted
from .inner import grown

@jitted()
def twice(x):
    return 2 * grown(x)
"""
INNER = """
import numba
from . import constants

STEP = constants.STEP

@numba.njit
def grown(x):
    return x + STEP
"""
SOURCES = {"__init__": "", "outer": OUTER, "inner": INNER, "constants": "STEP = 1"}


@pytest.fixture
def package(tmp_path, monkeypatch):
    folder = tmp_path / "package_of_two"
    folder.mkdir()
    for name, text in SOURCES.items():
        (folder / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(jitted, "functions", [])
    monkeypatch.setattr(code_files, "_loaded_at", math.inf)  # as if this process began after the sources were written
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # sources of the same length within a second
    yield folder
    forget()


def forget():
    for name in [name for name in sys.modules if name.startswith("package_of_two")]:
        del sys.modules[name]
    jitted._digest.cache_clear()


def twice():
    """The function as a new process has it."""
    forget()
    importlib.invalidate_caches()
    return importlib.import_module("package_of_two.outer").twice


def counts(function):
    return sum(function.stats.cache_hits.values()), sum(function.stats.cache_misses.values())


def test_code_is_kept_and_found_again(package, tmp_path):
    for hits in (0, 1):
        function = twice()
        assert function(3) == 8
        assert counts(function) == (hits, 1 - hits)
        assert function.stats.cache_path == str(tmp_path / "cache" / "spinbattery")
        assert jitted.functions[-1] is function
    assert function(0.5) == 3.0
    assert len(list((tmp_path / "cache" / "spinbattery").iterdir())) == 2  # one for each type


@pytest.mark.parametrize("damage", ["cut", "flip", "empty", "other"])
def test_a_damaged_file_is_replaced(package, tmp_path, damage):
    twice()(3)
    (file,) = (tmp_path / "cache" / "spinbattery").iterdir()
    whole = file.read_bytes()
    flipped = bytes([*whole[:-99], whole[-99] ^ 1, *whole[-98:]])
    file.write_bytes({"cut": whole[:-20], "flip": flipped, "empty": b"", "other": b"no pickle at all"}[damage])
    for hits in (0, 1):
        function = twice()
        assert function(3) == 8
        assert counts(function) == (hits, 1 - hits)


@pytest.mark.parametrize(
    ("name", "text"), [("inner", INNER.replace("x +", "x -")), ("constants", "STEP = -1")], ids=["inner", "constants"]
)
def test_a_change_of_a_module_that_is_used_is_seen(package, name, text):
    assert twice()(3) == 8
    (package / f"{name}.py").write_text(text)
    assert twice()(3) == 4


@pytest.mark.parametrize("name", ["outer", "inner", "constants"])
def test_code_is_not_kept_where_a_source_was_changed_since(package, monkeypatch, name):
    """It was imported before: kept under the new sources, the code would be run by every later process."""
    function = twice()
    changed = {"outer": OUTER.replace("2 *", "-2 *"), "inner": INNER.replace("x +", "x -"), "constants": "STEP = -7"}
    (package / f"{name}.py").write_text(changed[name])
    monkeypatch.setattr(code_files, "_loaded_at", 0.0)
    assert function(3) == 8
    assert function.stats.cache_path is None
    monkeypatch.setattr(code_files, "_loaded_at", math.inf)
    function = twice()
    assert function(3) == {"outer": -8, "inner": 4, "constants": -8}[name]
    assert counts(function) == (0, 1)


def test_what_keeps_code_in_files_is_no_source_of_it():
    """Else every change of a message there would cost all kernels."""
    kernels = Path(spinbattery.__file__).parent / "engines" / "simd" / "row_kernels.py"
    read = []

    def imported(source, text):
        read.append(source.name)
        return found(source, text)

    found, jitted._imported = jitted._imported, imported
    try:
        jitted._digest.__wrapped__(kernels)
    finally:
        jitted._imported = found
    assert set(read) >= {"row_kernels.py", "kernels.py", "row_phases.py", "sizes.py"}
    assert not set(read) & {"jitted.py", "code_files.py", "compilation.py", "claims.py"}


def test_what_another_process_compiled_meanwhile_is_used(package, tmp_path, monkeypatch):
    assert twice()(3) == 8
    (file,) = (tmp_path / "cache" / "spinbattery").iterdir()
    aside = file.rename(tmp_path / "aside")
    written = aside.stat().st_mtime_ns

    @contextmanager
    def after_another(source, name, wait):
        assert (name, wait) == (file.name, True)
        aside.rename(file)
        yield

    monkeypatch.setattr(jitted, "alone", after_another)
    function = twice()
    assert function(3) == 8
    assert counts(function) == (0, 1)
    assert file.stat().st_mtime_ns == written


RECURSIVE = """
from spinbattery.core.jitted import jitted

@jitted()
def inner(x):
    return x + 1

@jitted()
def outer(x):
    return 2 * inner(x)

@jitted()
def even(n):
    if n <= 0:
        return True
    return odd(n - 1)

@jitted()
def odd(n):
    if n <= 0:
        return False
    return even(n - 1)
"""


def test_what_is_compiled_for_a_caller_waits_for_nobody(package, tmp_path, monkeypatch):
    """Two processes could otherwise wait for each other, and a function that calls itself for itself."""
    (package / "outer.py").write_text(RECURSIVE)
    module = importlib.import_module("package_of_two.outer")
    waits, found = {}, jitted.alone

    def noted(source, name, wait):
        waits[name.split(".")[2]] = wait
        return found(source, name, wait=wait)

    monkeypatch.setattr(jitted, "alone", noted)
    assert module.outer(3) == 8
    assert waits == {"outer": True, "inner": False}
    assert [module.even(n) for n in (6, 7)] == [True, False]
    assert not list((tmp_path / "cache" / "spinbattery").glob("*.claim"))


CONSTANTS = """
from spinbattery.core.jitted import jitted

@jitted()
def inner(x, n):
    return x * n

@jitted()
def outer(x, k):
    return inner(x, 1) + inner(x, 2) + inner(x, n=3) + inner(x, k)
"""


def test_constants_make_no_code_of_their_own(package):
    """Whoever calls a function uses the same code, so that no run has to compile another."""
    (package / "outer.py").write_text(CONSTANTS)
    twice_of = importlib.import_module("package_of_two.outer")
    assert twice_of.outer(2.0, 5) == 22.0
    assert twice_of.inner(2.0, 4) == 8.0
    assert len(twice_of.inner.signatures) == 1


def test_what_cannot_be_kept_is_compiled(package, tmp_path, monkeypatch):
    for name in ("cache", "home"):
        (tmp_path / name).write_text("no folder")
    (package / "__pycache__").write_text("no folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    function = twice()
    assert function(3) == 8
    assert function.stats.cache_path is None


def test_no_function_is_kept_by_numba_alone():
    """Its cache would run code of before where only another module has changed."""
    found = [
        path.name
        for path in Path(spinbattery.__file__).parent.rglob("*.py")
        if re.search(r"^@.*njit\(.*cache=True", path.read_text(), re.MULTILINE)
    ]
    assert found == []
