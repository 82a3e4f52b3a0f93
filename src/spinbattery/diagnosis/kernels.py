"""Where compiled kernels are kept between processes, and whether they were found there."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..core.code_files import writable
from ..core.kernels import Kernel

_PACKAGE = __name__.partition(".")[0]

_ENDINGS = (".nbi", ".nbc", ".o", ".code")
"""Numba's files, an index for each function and the code of each signature, and ours, of kernels and of functions."""


@dataclass(frozen=True)
class Kernels:
    """The folders of compiled kernels and what this process found there.

    Attributes:
        folders: where the kernels that were used are kept.
        writable: whether all of these folders, or the folders that they will be in, can be written to.
        n_bytes: size of the compiled kernels in them.
        found: signatures that were compiled before.
        compiled: signatures that this process compiled.
        unusable: the value of NUMBA_CACHE_DIR, where kernels are not kept in it.
    """

    folders: tuple[str, ...]
    writable: bool
    n_bytes: int
    found: int
    compiled: int
    unusable: str | None = None

    @property
    def advice(self) -> str | None:
        """What to do where kernels cannot be kept; None where nothing is to be done."""
        begin = f"NUMBA_CACHE_DIR is {self.unusable!r}, which cannot be written to. " if self.unusable else ""
        if not self.writable:
            return begin + (
                "Every process compiles again what is not found: set the environment variable NUMBA_CACHE_DIR to a "
                "folder that can be written to, or run spinbattery warm-up where kernels can be kept beside the "
                "package, as in the image of a container."
            )
        return begin + "Set it to a folder that can be written to, or unset it." if begin else None


def read_kernels() -> Kernels:
    """Kernels of the modules that were imported, as an engine's are once it has solved something."""
    places: list[str | None] = []
    found = compiled = 0
    for dispatcher in _imported():
        stats = dispatcher.stats
        found += sum(stats.cache_hits.values())
        compiled += sum(stats.cache_misses.values())
        if stats.cache_path is not None:
            places.append(stats.cache_path)
        elif stats.cache_misses and dispatcher in _kept_functions():
            places.append(None)
    for kernel in Kernel.declared:
        found += kernel.found
        compiled += kernel.compiled
        if kernel.found or kernel.compiled:
            places.append(None if kernel.folder is None else str(kernel.folder))
    folders = sorted({place for place in places if place is not None})
    files = [entry for folder in folders for entry in _entries(folder) if entry.suffix in _ENDINGS]
    return Kernels(
        tuple(folders),
        bool(folders) and None not in places and all(writable(Path(folder)) for folder in folders),
        sum(entry.stat().st_size for entry in files),
        found,
        compiled,
        _unusable(places),
    )


def _unusable(places: Sequence[str | None]) -> str | None:
    """The value of NUMBA_CACHE_DIR, where code was kept elsewhere or nowhere."""
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    if not chosen or writable(Path(chosen)):
        return None
    elsewhere = [place for place in places if place is None or not Path(place).is_relative_to(chosen)]
    return chosen if elsewhere or not places else None


def _kept_functions() -> Sequence[Any]:
    """Compiled functions whose code would be kept in files, where that can be done."""
    jitted = sys.modules.get("spinbattery.core.jitted")
    return [] if jitted is None else jitted.functions


def _imported() -> Iterator[Any]:
    """Compiled functions of the modules of this package that are imported, each once."""
    numba = sys.modules.get("numba.core.dispatcher")
    if numba is None:
        return
    seen: set[int] = set()
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] == _PACKAGE:
            for value in vars(module).values():
                if isinstance(value, numba.Dispatcher) and id(value) not in seen:
                    seen.add(id(value))
                    yield value


def _entries(folder: str) -> list[Path]:
    path = Path(folder)
    return list(path.iterdir()) if path.is_dir() else []
