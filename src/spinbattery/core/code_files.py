"""Files of compiled code: the folders they are kept in, and how a file that is damaged or outdated is known.

Code is kept where Numba would keep it: in ``NUMBA_CACHE_DIR``, else in the ``__pycache__`` of its source, else in the
cache folder of the user, each if it can be written to. A folder that was filled before is read in any case.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path

from . import compilation
from .atomic import replacing

_DIGEST = hashlib.sha256


def chosen_folder() -> Path | None:
    """The folder that the user chose by NUMBA_CACHE_DIR."""
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    return Path(chosen) / "spinbattery" if chosen else None


def folders(source: Path) -> list[Path]:
    """Folders that may have the code of a source; it is kept in the first that can be written to."""
    chosen = chosen_folder()
    if chosen and writable(chosen):
        return [chosen]
    found = [chosen] if chosen else []
    found.append(source.parent / "__pycache__")
    with suppress(RuntimeError):  # a user without a home, as in some containers
        found.append(user_cache() / "spinbattery")
    return found


def writable(folder: Path) -> bool:
    """Whether a folder, or the nearest one above it that is there, can be written to."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)


def user_cache() -> Path:
    """The folder for caches of this user.

    Raises:
        RuntimeError: the user has no home.
    """
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


def read(places: Sequence[Path], key: bytes) -> tuple[bytes, Path] | None:
    """The code of the first whole file with this key, and its folder."""
    size = len(key)
    for place in places:
        with suppress(OSError):
            data = place.read_bytes()
            known, checksum, code = data[:size], data[size : 2 * size], data[2 * size :]
            if known == key and checksum == _DIGEST(code).digest():
                return code, place.parent
    return None


def keep(places: Sequence[Path], key: bytes, code: bytes) -> Path | None:
    """Write the code to the first place that can be written to; the folder, or None where there is none.

    A warning says, once, where that is not the folder that NUMBA_CACHE_DIR names.
    """
    kept = next((place.parent for place in places if _written(place, key + _DIGEST(code).digest() + code)), None)
    if kept is None or kept != (chosen_folder() or kept):
        compilation.say_not_kept(os.environ.get("NUMBA_CACHE_DIR"), kept)
    return kept


def _written(place: Path, data: bytes) -> bool:
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with replacing(place) as temporary:
            temporary.write_bytes(data)
    except OSError:
        return False
    return True


def host() -> tuple[str, str]:
    """Name and features of the processor to compile for; variables of Numba's choose others, as in a mixed cluster."""
    from llvmlite import binding

    name, features = os.environ.get("NUMBA_CPU_NAME"), os.environ.get("NUMBA_CPU_FEATURES")
    if name is None and features is None:
        features = binding.get_host_cpu_features().flatten()
    return name or binding.get_host_cpu_name(), features or ""


@cache
def machine() -> str:
    """A name for the processor and the versions of the compiler."""
    import llvmlite
    from llvmlite import binding

    text = "\n".join((*host(), binding.get_process_triple(), llvmlite.__version__, version("numba")))
    return _DIGEST(text.encode()).hexdigest()[:12]
