"""Checkpoints of long runs: a run that was killed goes on from its last checkpoint and ends with the same digits.

Each pass has a file of plain arrays (npz, never pickled), written under another name and then renamed.
It holds the state, the moments at the stops behind it, and the number of chunks done. Chunks are the same in every run
of a version, so that a resumed run does exactly the operations of an uninterrupted one. A file with other chunks is
ignored.
"""

from __future__ import annotations

import time
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from ...core.atomic import replacing
from .clock import Clock

_SECONDS_BETWEEN = 60.0
_SECONDS_WORTH_KEEPING = 2.0
_LARGEST_SHARE = 0.05
"""Largest part of the run time that goes into writing."""

_BYTES_AT_A_TIME = 1 << 22

_FORMAT = 5


class Checkpoint:
    """Where a run keeps what it has reached.

    Attributes:
        clock: clock of this process's part of the run, where there is one.
    """

    def __init__(self, stem: Path | None = None, key: str = "", seconds_between: float = _SECONDS_BETWEEN) -> None:
        """Use the files of an interrupted run, if there are any.

        Args:
            stem: folder and beginning of the file names; None keeps nothing. The folder is made at the first writing.
            key: run key, kept in the files.
            seconds_between: shortest time from one writing to the next.
        """
        self.stem = stem
        self.clock: Clock | None = None
        self._key, self._seconds_between = key, seconds_between
        self._before = 0.0

    def log(self, number: int) -> PassLog:
        """Log of a pass, with what an interrupted run had reached of it."""
        path = None if self.stem is None else self.stem.with_name(f"{self.stem.name}.{number}.npz")
        return PassLog(path, f"{self._key}:{number}", self._seconds_between, self)

    @property
    def seconds(self) -> float:
        """Time of the run so far, interrupted parts included up to their last checkpoints."""
        return self._before + (0.0 if self.clock is None else self.clock.seconds)

    def went_on(self, seconds: float) -> None:
        """Note that a pass goes on from a file that was written after this run time."""
        self._before = max(self._before, seconds)

    def remove(self) -> None:
        """Delete the files of a finished run."""
        if self.stem is not None:
            for path in self.stem.parent.glob(f"{self.stem.name}.*.npz"):
                path.unlink(missing_ok=True)


class PassLog:
    """Progress of one pass: ``rows`` of moments at past output times, which the pass appends, and whether it ended."""

    def __init__(self, path: Path | None, key: str, seconds_between: float, run: Checkpoint) -> None:
        """Ignores a file that is damaged or belongs to another run."""
        self._run, self._before, self._began = run, 0.0, run.seconds
        self._path, self._key, self._seconds_between = path, key, seconds_between
        self.is_finished = False
        self.rows: list[tuple[float, ...]] = []
        self._start = time.monotonic()
        self._next = self._start + seconds_between

    def restore(self, arrays: Sequence[NDArray[Any]], chunking: str) -> int:
        """Put back the state and the rows of an interrupted run; returns its chunks, 0 if there was none.

        Args:
            arrays: the state, overwritten in place, so that no second copy is in memory.
            chunking: all that decides which stages are in which chunk.
        """
        self._key = f"{self._key}:{chunking}"
        if self._path is None or not _fits(self._path, self._key, arrays):
            return 0
        with zipfile.ZipFile(self._path) as file:
            for k, array in enumerate(arrays):
                _read_into(array, file, f"state_{k}")
            self.rows.extend(tuple(row) for row in _read(file, "rows").tolist())
            self.is_finished = bool(_read(file, "finished"))
            if "seconds.npy" in file.namelist():  # older versions did not keep it
                of_run, self._before = _read(file, "seconds").tolist()
                self._began -= self._run.seconds
                self._run.went_on(of_run)
                self._began += self._run.seconds
            return int(_read(file, "chunks"))

    @property
    def seconds(self) -> float:
        """Time of this pass so far, with its interrupted parts."""
        return self._before + self._run.seconds - self._began

    @contextmanager
    def reached(self, chunks: int, arrays: Sequence[NDArray[Any]]) -> Iterator[None]:
        """Write a checkpoint after the block if one is due, and at once if the block is interrupted."""
        try:
            yield
        except BaseException:
            if self._is_worth_it:
                self._write(chunks, arrays)
            raise
        if self._path is not None and time.monotonic() >= self._next:
            self._write(chunks, arrays)

    def finish(self, chunks: int, arrays: Sequence[NDArray[Any]]) -> None:
        """Keep the end of the pass, in case a later pass is interrupted."""
        if self._is_worth_it and not self.is_finished:
            self._write(chunks, arrays, finished=True)

    @property
    def _is_worth_it(self) -> bool:
        return self._path is not None and time.monotonic() - self._start >= _SECONDS_WORTH_KEEPING

    def _write(self, chunks: int, arrays: Sequence[NDArray[Any]], *, finished: bool = False) -> None:
        """Write the file; if that fails, warn and go on."""
        if self._path is None:
            return
        start = time.monotonic()
        content: dict[str, Any] = {
            "format": np.array(_FORMAT),
            "key": np.array(self._key),
            "chunks": np.array(chunks),
            "finished": np.array(finished),
            "seconds": np.array([self._run.seconds, self.seconds]),
            "rows": np.array(self.rows, dtype=np.float64),
            **{f"state_{k}": array for k, array in enumerate(arrays)},
        }
        try:
            self._path.parent.mkdir(exist_ok=True)
            with replacing(self._path) as temporary, temporary.open("wb") as stream:
                np.savez(stream, **content)
        except OSError as error:
            warnings.warn(f"no checkpoint was written to {str(self._path)!r}: {error.strerror}.", stacklevel=2)
        now = time.monotonic()
        self._next = now + max(self._seconds_between, (now - start) / _LARGEST_SHARE)


def _fits(path: Path, key: str, arrays: Sequence[NDArray[Any]]) -> bool:
    """Whether the file is an undamaged checkpoint of this run."""
    try:
        with zipfile.ZipFile(path) as file:
            if file.testzip() is not None or _read(file, "format") != _FORMAT or str(_read(file, "key")) != key:
                return False
            headers = []
            for k in range(len(arrays)):
                with file.open(f"state_{k}.npy") as stream:
                    headers.append(_header(stream))
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return False
    return headers == [(array.shape, array.dtype) for array in arrays]


def _read(file: zipfile.ZipFile, name: str) -> NDArray[Any]:
    with file.open(f"{name}.npy") as stream:
        return np.asarray(np.lib.format.read_array(stream, allow_pickle=False))


def _read_into(array: NDArray[Any], file: zipfile.ZipFile, name: str) -> None:
    """Fill an array with the content of the file, which has the same shape and type."""
    with file.open(f"{name}.npy") as stream:
        _header(stream)
        content = array.reshape(-1).view(np.uint8)
        for first in range(0, content.size, _BYTES_AT_A_TIME):
            part = content[first : first + _BYTES_AT_A_TIME]
            part[:] = np.frombuffer(stream.read(part.size), np.uint8)


def _header(stream: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Read shape and type of an array; its content comes next in the stream."""
    np.lib.format.read_magic(stream)
    shape, _, dtype = np.lib.format.read_array_header_1_0(stream)
    return shape, dtype
