"""Checkpoints of long runs: a killed run goes on where it was, and ends with the same digits.

A checkpoint is a file of plain arrays (npz, never pickled), written under another name and renamed. It keeps the
moments of the levels of step halving that are finished, and of the running one the state, the moments at the
stops behind it, and the number of chunks done. Chunks are the same in every run, so a run that goes on does
exactly what an uninterrupted one would have done.
"""

from __future__ import annotations

import time
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._typing import FloatArray
from ..atomic import replacing

_SECONDS_BETWEEN = 60.0
_LARGEST_SHARE = 0.05
"""Of the run time that may go into writing."""

_SECONDS_WORTH_KEEPING = 2.0

_FORMAT = 1


@dataclass(frozen=True)
class LevelMoments:
    """What step halving needs of a finished level: see :class:`~spinbattery.engines.refinement.HasMoments`."""

    mean: FloatArray
    variance: FloatArray


class Checkpoint:
    """Where a run keeps what it has reached, if anywhere.

    Attributes:
        path: the file, or None where nothing is kept.
        known_moments: of the levels that an interrupted run has finished, from level 0 on.
    """

    def __init__(self, path: Path | None = None, key: str = "", seconds_between: float = _SECONDS_BETWEEN) -> None:
        """Look for what an interrupted run left; a file that is damaged or of another run counts as none.

        Args:
            path: of the file; its folder is made when something is written.
            key: of the run, kept in the file.
            seconds_between: least time from one writing to the next.
        """
        self.path = path
        self.known_moments: list[LevelMoments] = []
        self._key, self._seconds_between = key, seconds_between
        self._found: dict[str, NDArray[Any]] = {}
        self._start = time.monotonic()
        self._next = self._start + seconds_between
        if path is not None and path.is_file():
            self._read(path)

    @property
    def resumes(self) -> bool:
        """Whether there is something to go on from."""
        return bool(self._found)

    def begin(self, level: int) -> PassLog:
        """The log of a level, with what an interrupted run had reached of it."""
        found = self._found if self._found and int(self._found["level"]) == level else {}
        self._found = {}
        return PassLog(self, level, found)

    def finish(self, mean: FloatArray, variance: FloatArray) -> None:
        """Keep the moments of the level that was begun last."""
        self.known_moments.append(LevelMoments(mean, variance))

    def remove(self) -> None:
        """Delete the file: the run is finished."""
        if self.path is not None:
            self.path.unlink(missing_ok=True)

    @property
    def is_due(self) -> bool:
        """Whether it is time to write again."""
        return time.monotonic() >= self._next

    @property
    def is_worth_it(self) -> bool:
        """Whether so much was done that an interrupted run should be kept."""
        return time.monotonic() - self._start >= _SECONDS_WORTH_KEEPING

    def write(self, log: PassLog, chunks: int, arrays: Sequence[NDArray[Any]]) -> None:
        """Keep where the running level is; a file that cannot be written is warned of, and the run goes on."""
        if self.path is None:
            return
        start = time.monotonic()
        content: dict[str, Any] = {
            "format": np.array(_FORMAT),
            "key": np.array(self._key),
            "level": np.array(log.level),
            "chunks": np.array(chunks),
            "rows": np.array(log.rows, dtype=np.float64),
            **{f"mean_{k}": known.mean for k, known in enumerate(self.known_moments)},
            **{f"variance_{k}": known.variance for k, known in enumerate(self.known_moments)},
            **{f"state_{k}": array for k, array in enumerate(arrays)},
        }
        try:
            self.path.parent.mkdir(exist_ok=True)
            with replacing(self.path) as temporary, temporary.open("wb") as stream:
                np.savez(stream, **content)
        except OSError as error:
            warnings.warn(f"no checkpoint was written to {str(self.path)!r}: {error.strerror}.", stacklevel=2)
        now = time.monotonic()
        self._next = now + max(self._seconds_between, (now - start) / _LARGEST_SHARE)

    def _read(self, path: Path) -> None:
        try:
            with np.load(path, allow_pickle=False) as file:
                content = {name: file[name] for name in file.files}
        except (OSError, ValueError, zipfile.BadZipFile, EOFError):
            return
        if content.get("format") != _FORMAT or str(content.get("key")) != self._key:
            return
        self._found = content
        finished = int(content["level"])
        self.known_moments = [LevelMoments(content[f"mean_{k}"], content[f"variance_{k}"]) for k in range(finished)]


@dataclass
class PassLog:
    """What one level has reached.

    Attributes:
        checkpoint: where it is kept.
        level: its number.
        found: what an interrupted run had reached of it.
        rows: moments at the output times behind it, one tuple of floats each; appended by the pass itself.
    """

    checkpoint: Checkpoint
    level: int
    found: dict[str, NDArray[Any]] = field(default_factory=dict, repr=False)
    rows: list[tuple[float, ...]] = field(default_factory=list)

    def restore(self, arrays: Sequence[NDArray[Any]]) -> int:
        """Put back what an interrupted run had reached; returns its chunks, 0 where there was none."""
        if not self.found:
            return 0
        for k, array in enumerate(arrays):
            np.copyto(array, self.found[f"state_{k}"])
        self.rows.extend(tuple(row) for row in self.found["rows"].tolist())
        return int(self.found["chunks"])

    @contextmanager
    def reached(self, chunks: int, arrays: Sequence[NDArray[Any]]) -> Iterator[None]:
        """Write a checkpoint after the block where one is due, and at once where it is interrupted."""
        try:
            yield
        except BaseException:
            if self.checkpoint.is_worth_it:
                self.checkpoint.write(self, chunks, arrays)
            raise
        if self.checkpoint.is_due:
            self.checkpoint.write(self, chunks, arrays)
