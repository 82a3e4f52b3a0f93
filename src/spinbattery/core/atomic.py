"""Files that are written completely or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import SpinBatteryError


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary name in the same folder; the file written there is synced and renamed to ``path``.

    If the block fails or is interrupted, ``path`` is unchanged and no temporary file is left.

    Raises:
        OSError: the folder does not exist or cannot be written.
    """
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb") as stream:
            os.fsync(stream.fileno())
        temporary.chmod(0o644)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def writing(path: Path, error: type[SpinBatteryError]) -> Iterator[Path]:
    """:func:`replacing` that raises ``error``, with the path and the reason, in place of an OSError."""
    try:
        with replacing(path) as temporary:
            yield temporary
    except OSError as failure:
        reason = failure.strerror or failure
        raise error(
            f"cannot write {str(path)!r}: {reason}; the folder must exist, be writable and have room."
        ) from failure
