"""Files of compiled code: the folders they are kept in, and how a file that is damaged or outdated is known.

Code is kept where Numba would keep it: in ``NUMBA_CACHE_DIR``, else in the ``__pycache__`` of its source, else in the
cache folder of the user, in the first that can be written to. Where ``NUMBA_CACHE_DIR`` can be, no other folder is
read, so that it is filled with all that is used. In any other case all of them are read.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path

from .. import _loaded_at
from . import compilation
from .atomic import replacing
from .claims import claim

_DIGEST = hashlib.sha256
_TRIAL_BYTES = 1 << 16
"""What a trial writes: an empty file can be made on a full disk."""


def chosen_folder() -> Path | None:
    """The folder that the user chose by NUMBA_CACHE_DIR, which may begin with ``~`` as all paths do."""
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    return Path(os.path.abspath(os.path.expanduser(chosen)), "spinbattery") if chosen else None


def _folders(source: Path) -> Iterator[Path]:
    """Where code of this source may be kept, the best first."""
    chosen = chosen_folder()
    if chosen is not None:
        yield chosen
    yield from _other_folders(source)


def _other_folders(source: Path) -> Iterator[Path]:
    yield source.parent / "__pycache__"
    with suppress(RuntimeError):  # a user without a home, as in some containers
        yield _user_cache() / "spinbattery"


@cache
def usable(folder: Path) -> bool:
    """Whether a folder can be made and written to, by a trial: permissions say nothing of /proc or a full disk."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as trial:
            trial.write(bytes(_TRIAL_BYTES))
    except OSError:
        return False
    return True


def _user_cache() -> Path:
    """The folder for caches of this user.

    Raises:
        RuntimeError: the user has no home.
    """
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


def read(source: Path, name: str, key: bytes) -> tuple[bytes, Path] | None:
    """The code of the first whole file with this name and key, and its folder.

    A warning says, once, where that is not the folder that NUMBA_CACHE_DIR names.

    Args:
        source: where the function is.
        name: of the file.
        key: what the code depends on beside the machine, which is part of the name.
    """
    chosen = chosen_folder()
    if chosen is not None:
        code = _code(chosen / name, key)
        if code is not None:
            return code, chosen
        if usable(chosen):
            return None
    for folder in _other_folders(source):
        code = _code(folder / name, key)
        if code is not None:
            if chosen is not None:
                compilation.say_not_kept(os.environ["NUMBA_CACHE_DIR"], folder)
            return code, folder
    return None


def _code(file: Path, key: bytes) -> bytes | None:
    """The code in a file that is whole and has this key."""
    size = len(key)
    with suppress(OSError):
        data = file.read_bytes()
        known, checksum, code = data[:size], data[size : 2 * size], data[2 * size :]
        if known == key and checksum == _DIGEST(code).digest():
            return code
    return None


def keep(source: Path, name: str, key: bytes, code: bytes) -> Path | None:
    """Write the code to the first folder that can be written to; that folder, or None where there is none.

    A warning says, once, where that is not the folder that NUMBA_CACHE_DIR names.
    """
    chosen = chosen_folder()
    data = key + _DIGEST(code).digest() + code
    kept = next((folder for folder in _folders(source) if _written(folder / name, data)), None)
    if kept is None or kept != (chosen or kept):
        compilation.say_not_kept(os.environ.get("NUMBA_CACHE_DIR"), kept)
    return kept


@contextmanager
def alone(source: Path, name: str, *, wait: bool = True) -> Iterator[None]:
    """Wait while another process or thread makes the same file: afterwards it may be there.

    Where no folder can be written to, or has no locks, nobody waits; without ``wait`` others wait alone.
    """
    with ExitStack() as held:
        with suppress(OSError):
            folder = next((folder for folder in _folders(source) if usable(folder)), None)
            if folder is not None:
                held.enter_context(claim(folder / f"{name}.claim", wait=wait))
        yield


def _written(place: Path, data: bytes) -> bool:
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with replacing(place) as temporary:
            temporary.write_bytes(data)
    except OSError:
        return False
    return True


def changed(sources: Iterable[Path]) -> bool:
    """Whether a source was changed while this process ran, which may have imported what it was before.

    Code that is compiled then belongs to no state of the sources. A time that is yet to come says nothing.
    """
    now = time.time()
    return any(_loaded_at < max(state.st_mtime, state.st_ctime) <= now for state in (file.stat() for file in sources))


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
