"""Where compiled kernels are kept between processes, and whether they were found there."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..core.kernels import Kernel

_PACKAGE = __name__.partition(".")[0]

_ENDINGS = (".nbi", ".nbc", ".o")
"""Numba's files, an index for each function and the code of each signature, and ours, the code of a kernel."""


@dataclass(frozen=True)
class Kernels:
    """The folders of compiled kernels and what this process found there.

    Attributes:
        folders: where the kernels that were used are kept.
        writable: whether all of these folders, or the folders that they will be in, can be written to.
        n_bytes: size of the compiled kernels in them.
        found: signatures that were compiled before.
        compiled: signatures that this process compiled.
    """

    folders: tuple[str, ...]
    writable: bool
    n_bytes: int
    found: int
    compiled: int

    @property
    def advice(self) -> str | None:
        """What to do where kernels cannot be kept; None where nothing is to be done."""
        if self.writable:
            return None
        return (
            "every process compiles again what is not found: set the environment variable NUMBA_CACHE_DIR to a folder "
            "that can be written to, or compile where the folder can be written to, as in the image of a container."
        )


def read_kernels() -> Kernels:
    """Kernels of the modules that were imported; those of an engine are, once it has solved something."""
    folders: set[str] = set()
    found = compiled = 0
    for dispatcher in _imported():
        stats = dispatcher.stats
        found += sum(stats.cache_hits.values())
        compiled += sum(stats.cache_misses.values())
        if stats.cache_path is not None:
            folders.add(stats.cache_path)
    for kernel in Kernel.declared:
        found += kernel.found
        compiled += kernel.compiled
        if kernel.folder is not None:
            folders.add(str(kernel.folder))
    files = [entry for folder in folders for entry in _entries(folder) if entry.suffix in _ENDINGS]
    return Kernels(
        tuple(sorted(folders)),
        bool(folders) and all(_writable(Path(folder)) for folder in folders),
        sum(entry.stat().st_size for entry in files),
        found,
        compiled,
    )


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


def _writable(folder: Path) -> bool:
    """Whether a folder, or the nearest one above it that is there, can be written to."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return os.access(folder, os.W_OK)
