"""What is said of compiling: the first run of an engine on a machine takes longer than those after it.

Each note is logged once for each engine and command, its worker processes included. Workers share a folder with the
process that started them; whoever makes the file of a note there says it.
"""

from __future__ import annotations

import hashlib
import logging
import math
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

_logger = logging.getLogger("spinbattery")

_LOOP = 50_000
_REFERENCE_S = 4e-3
"""Time of a loop of that length on the machine where the seconds of engines were measured."""

_LLVM = "llvmlite."
_COMPILERS = ("numba.core.", _LLVM, f"{__package__}.code_files")  # where another process that compiles is waited for

_NOT_KEPT = "not kept"

_expected = "kernels", 10.0
_is_for_all = False
_said: set[str] = set()
_shared: Path | None = None


def expect(engine: str, seconds: float) -> None:
    """Note which engine runs next, and what all of its kernels take to compile, in s on the machine of reference."""
    global _expected
    if not _is_for_all:
        _expected = f"kernels of the {engine} engine", seconds


@contextmanager
def expected_for_all(seconds: float) -> Iterator[None]:
    """Let one note, with this time, stand for all engines that run within the block."""
    global _expected, _is_for_all
    before = _expected
    _expected, _is_for_all = ("kernels of all engines", seconds), True
    try:
        yield
    finally:
        _expected, _is_for_all = before, False


def say() -> None:
    """Log, once for each engine, that kernels are being compiled, and how long that takes where none is there yet."""
    what, seconds = _expected
    if _is_first(hashlib.sha256(what.encode()).hexdigest()):  # a name of a file, whatever the engine is called
        _logger.warning(
            "compiling %s for this machine, once: up to about %d s (spinbattery warm-up does so for all engines).",
            what,
            math.ceil(seconds * _slowness()),
        )


def say_not_kept(chosen: str | None, kept: Path | None) -> None:
    """Log, once, that compiled code is kept nowhere, or not where the user wants it.

    Args:
        chosen: the value of NUMBA_CACHE_DIR.
        kept: the folder where the code is kept instead, if any.
    """
    if not _is_first(_NOT_KEPT):
        return
    if kept is None:
        _logger.warning(
            "compiled kernels can be kept nowhere, so that every process compiles again: set NUMBA_CACHE_DIR%s to a "
            "folder that can be written to.",
            f", which is {chosen!r}," if chosen else "",
        )
    else:
        _logger.warning(
            "NUMBA_CACHE_DIR is %r, which cannot be written to: compiled kernels are kept in %s. Set it to a folder "
            "that can be written to, or unset it.",
            chosen,
            kept,
        )


def is_going_on() -> bool:
    """Whether any thread is within the compiler, which reports no progress, or waits for another process to compile."""
    for innermost in sys._current_frames().values():
        frame: FrameType | None = innermost
        while frame is not None:
            if _module(frame).startswith(_COMPILERS):
                return True
            frame = frame.f_back
    return False


def loses_exceptions(frame: FrameType | None) -> bool:
    """Whether an exception raised in this frame may be lost, as in what LLVM calls back."""
    return frame is not None and _module(frame).startswith(_LLVM)


def _module(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", ""))


def share() -> str | None:
    """A folder for workers to :func:`join`; None where nothing is to be said, as after ``--quiet``."""
    global _shared
    if not _logger.isEnabledFor(logging.WARNING):
        return None
    _shared = Path(tempfile.mkdtemp(prefix="spinbattery-notes-"))
    for note in _said:
        (_shared / note).touch()
    return str(_shared)


def join(folder: str | None) -> None:
    """Say from now on only what no other process has said that shares this folder; without one, nothing."""
    global _shared
    if folder is None:
        _logger.setLevel(logging.ERROR)
    else:
        _shared = Path(folder)


def unshare(folder: str | None) -> None:
    """Remove the folder and remember what workers have said."""
    global _shared
    if folder is not None and Path(folder).is_dir():
        _said.update(path.name for path in Path(folder).iterdir())
        shutil.rmtree(folder, ignore_errors=True)
        if _shared == Path(folder):
            _shared = None


def _is_first(note: str) -> bool:
    if note in _said:
        return False
    _said.add(note)
    if _shared is not None:
        try:
            (_shared / note).touch(exist_ok=False)
        except OSError:
            return False
    return True


def _slowness() -> float:
    """How much longer this machine takes than the one of reference: compiling is mostly work of the interpreter."""
    found = []
    for _ in range(3):
        start, total = time.perf_counter(), 0
        for k in range(_LOOP):
            total += k & 3
        found.append(time.perf_counter() - start)
    return min(found) / _REFERENCE_S
