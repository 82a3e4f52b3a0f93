"""Claims: at most one process runs a problem of a store, or compiles a function, at a time."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

try:
    import fcntl
except ImportError:  # no POSIX system: two processes may both do the work, and the later file stays
    fcntl = None  # type: ignore[assignment]


_NO_LOCKS = (errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.ENOLCK)


@contextmanager
def claim(path: Path, *, wait: bool = False) -> Iterator[bool]:
    """Yield whether the claim of this file is ours; the system releases it if the process dies.

    With ``wait`` it is: whoever has it is waited for.

    It is an advisory lock (flock), which network file systems pass on to their server. On a file system
    without locks every process gets the claim: work may then be done twice, but files stay whole, because they
    are renamed into place.

    Raises:
        OSError: the file cannot be made or locked.
    """
    handle, locked = _locked(path, wait)
    if handle is None:
        yield False
        return
    try:
        yield True
    finally:
        if locked:  # removed while locked, so that no process waits for a removed file
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)
            with contextlib.suppress(OSError):
                fcntl.flock(handle, fcntl.LOCK_UN)  # a process that was forked meanwhile has the handle, too
        os.close(handle)


def claimed(path: Path) -> bool:
    """Whether another process holds the claim now."""
    if not path.exists():
        return False
    with claim(path) as ours:
        return not ours


def _locked(path: Path, wait: bool) -> tuple[int | None, bool]:
    """Handle of the file, None where another process has it; and whether it is locked (some systems have no locks)."""
    path.parent.mkdir(exist_ok=True)
    lock = 0 if fcntl is None else fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            if fcntl is not None:
                fcntl.flock(handle, lock)
            if os.fstat(handle).st_nlink:
                return handle, fcntl is not None
        except BlockingIOError:
            os.close(handle)
            return None, False
        except OSError as error:
            if error.errno in _NO_LOCKS:
                return handle, False
            os.close(handle)
            if error.errno != errno.ESTALE:
                raise
            continue
        except BaseException:  # Ctrl-C
            os.close(handle)
            raise
        os.close(handle)  # its owner removed it between our open and lock; NFS then reports ESTALE
