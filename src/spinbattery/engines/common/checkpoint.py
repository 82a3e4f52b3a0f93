"""Checkpoints of long runs: a killed run goes on where it was, and ends with the same digits.

A checkpoint is a file of plain arrays (npz, never pickled) for each level of step halving, written under another name
and renamed. It keeps the state, the moments at the stops behind it, and the number of chunks done. Chunks are the
same in every run of a version, so a run that goes on does exactly what an uninterrupted one would have done; a file
whose chunks were others counts as none.
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
"""Of the run time that may go into writing."""

_BYTES_AT_A_TIME = 1 << 22

_FORMAT = 2


class Checkpoint:
    """Where a run keeps what it has reached, if anywhere.

    Attributes:
        stem: beginning of the names of its files, one for each level; None where nothing is kept.
        clock: of this process's part of the run, where there is one.
    """

    def __init__(self, stem: Path | None = None, key: str = "", seconds_between: float = _SECONDS_BETWEEN) -> None:
        """A checkpoint that has nothing yet, or what an interrupted run left there.

        Args:
            stem: folder and beginning of the file names; the folder is made when something is written.
            key: of the run, kept in the files.
            seconds_between: least time from one writing to the next.
        """
        self.stem = stem
        self.clock: Clock | None = None
        self._key, self._seconds_between = key, seconds_between
        self._before = 0.0

    def level(self, number: int) -> PassLog:
        """The log of a level, with what an interrupted run had reached of it."""
        path = None if self.stem is None else self.stem.with_name(f"{self.stem.name}.{number}.npz")
        return PassLog(path, f"{self._key}:{number}", self._seconds_between, self)

    @property
    def seconds(self) -> float:
        """What the run has taken so far, the interrupted parts up to their last checkpoints included."""
        return self._before + (0.0 if self.clock is None else self.clock.seconds)

    def went_on(self, seconds: float) -> None:
        """Note that a level goes on from a file, which was written when the run had taken this long."""
        self._before = max(self._before, seconds)

    def remove(self) -> None:
        """Delete the files: the run is finished."""
        if self.stem is not None:
            for path in self.stem.parent.glob(f"{self.stem.name}.*.npz"):
                path.unlink(missing_ok=True)


class PassLog:
    """What one level has reached.

    Attributes:
        rows: moments at the output times behind it, one tuple of floats each; appended by the pass itself.
        is_finished: whether an interrupted run had reached the end of the level.
    """

    def __init__(self, path: Path | None, key: str, seconds_between: float, run: Checkpoint) -> None:
        """A file that is damaged or of another run counts as none."""
        self._run, self._before, self._began = run, 0.0, run.seconds
        self._path, self._key, self._seconds_between = path, key, seconds_between
        self.is_finished = False
        self.rows: list[tuple[float, ...]] = []
        self._start = time.monotonic()
        self._next = self._start + seconds_between

    def restore(self, arrays: Sequence[NDArray[Any]], chunking: str) -> int:
        """Put back the state and the rows that an interrupted run had reached; returns its chunks, 0 if there was none.

        Args:
            arrays: the state, written over in place, so that no second one is in memory.
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
        """What this level has taken so far, with its interrupted parts."""
        return self._before + self._run.seconds - self._began

    @contextmanager
    def reached(self, chunks: int, arrays: Sequence[NDArray[Any]]) -> Iterator[None]:
        """Write a checkpoint after the block where one is due, and at once where it is interrupted."""
        try:
            yield
        except BaseException:
            if self._is_worth_it:
                self._write(chunks, arrays)
            raise
        if self._path is not None and time.monotonic() >= self._next:
            self._write(chunks, arrays)

    def finish(self, chunks: int, arrays: Sequence[NDArray[Any]]) -> None:
        """Keep the end of the level, in case that a later one is interrupted."""
        if self._is_worth_it and not self.is_finished:
            self._write(chunks, arrays, finished=True)

    @property
    def _is_worth_it(self) -> bool:
        return self._path is not None and time.monotonic() - self._start >= _SECONDS_WORTH_KEEPING

    def _write(self, chunks: int, arrays: Sequence[NDArray[Any]], *, finished: bool = False) -> None:
        """Write the file; one that cannot be written is warned of, and the run goes on."""
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
    """Whether there is a checkpoint of this run, whole and without damage."""
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
    """Fill an array that the file's fits."""
    with file.open(f"{name}.npy") as stream:
        _header(stream)
        content = array.reshape(-1).view(np.uint8)
        for first in range(0, content.size, _BYTES_AT_A_TIME):
            part = content[first : first + _BYTES_AT_A_TIME]
            part[:] = np.frombuffer(stream.read(part.size), np.uint8)


def _header(stream: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Shape and type of an array of which the content is read next."""
    np.lib.format.read_magic(stream)
    shape, _, dtype = np.lib.format.read_array_header_1_0(stream)
    return shape, dtype
