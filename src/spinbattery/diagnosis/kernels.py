"""Where compiled kernels are kept between processes, and whether they were found there."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..core.code_files import chosen_folder, machine, usable
from ..core.kernels import Kernel


@dataclass(frozen=True)
class Kernels:
    """The folders of compiled kernels and what this process found there.

    A kernel for two precisions counts twice. Code that calls other kernels has them in it: more are compiled
    than are loaded later.

    Attributes:
        folders: where the kernels that were used are kept.
        kept: how many there are in these folders for this processor and these versions of Python, Numba and LLVM.
        n_bytes: their size.
        found: how many this process loaded.
        compiled: how many it compiled.
        lost: how many functions it compiled whose code could be kept nowhere.
        unusable: the value of NUMBA_CACHE_DIR, where kernels are not kept in it and cannot be.
        stale: whether kernels are lost that could have been kept, as of sources that changed meanwhile.
    """

    folders: tuple[str, ...]
    kept: int
    n_bytes: int
    found: int
    compiled: int
    lost: int = 0
    unusable: str | None = None
    stale: bool = False

    @property
    def advice(self) -> str | None:
        """What to do where kernels cannot be kept; None where nothing is to be done."""
        begin = f"NUMBA_CACHE_DIR is {self.unusable!r}, which cannot be written to. " if self.unusable else ""
        if self.stale:
            return "Sources were changed while this process ran, so that it has kept no code of them: run it again."
        if self.lost:
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
    for function in _jitted_functions():
        stats = function.stats
        found += sum(stats.cache_hits.values())
        compiled += sum(stats.cache_misses.values())
        if stats.cache_hits or stats.cache_misses:
            places.append(stats.cache_path)
    for kernel in Kernel.declared:
        found += kernel.found
        compiled += kernel.compiled
        if kernel.found or kernel.compiled:
            places.append(None if kernel.folder is None else str(kernel.folder))
    folders = sorted({place for place in places if place is not None})
    files = [file for folder in folders for file in _files(Path(folder))]
    size = sum(file.stat().st_size for file in files)
    lost, chosen = places.count(None), chosen_folder()
    can_keep = any(usable(folder) for folder in ([Path(folder) for folder in folders] if chosen is None else [chosen]))
    elsewhere = chosen is not None and not can_keep and bool(set(places) - {str(chosen)})
    unusable = os.environ["NUMBA_CACHE_DIR"] if elsewhere else None
    return Kernels(tuple(folders), len(files), size, found, compiled, lost, unusable, lost > 0 and can_keep)


def _jitted_functions() -> Sequence[Any]:
    """Functions that Numba compiles when they are called; their module imports Numba, which other kernels need not."""
    jitted = sys.modules.get("spinbattery.core.jitted")
    return [] if jitted is None else jitted.functions


def _files(folder: Path) -> list[Path]:
    """Files of code that this process can load."""
    endings = f".{machine()}.o", f".{machine()}.{sys.implementation.cache_tag}.code"
    return [file for file in folder.iterdir() if file.name.endswith(endings)] if folder.is_dir() else []
