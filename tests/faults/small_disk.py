"""A disk of a few pages: a tmpfs in a mount namespace of its own, which ends with the test."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from processes import Launch, Running, wait_until

_NAMESPACES = (("unshare", "--mount"), ("unshare", "--user", "--map-root-user", "--mount"))
"""As root, and as a user where the system lets users have namespaces."""


class SmallDisk:
    """A mounted tmpfs.

    Attributes:
        mount: where those see it that are started with ``inside``.
        folder: where this process sees it.
        inside: what to put before a command so that it sees the disk.
    """

    def __init__(self, keeper: Running, mount: Path, user: bool) -> None:
        self.mount = mount
        self.folder = Path(f"/proc/{keeper.pid}/root{mount}")
        enter = ["nsenter", "--target", str(keeper.pid), "--mount", f"--wd={mount.parent}"]
        self.inside = [*enter, "--user", "--preserve-credentials"] if user else enter

    def resize(self, kilobytes: int) -> None:
        """Make it larger, what is on it stays."""
        subprocess.run([*self.inside, "mount", "-o", f"remount,size={kilobytes}k", str(self.mount)], check=True)


def open_small_disk(launch: Launch, mount: Path, kilobytes: int) -> SmallDisk | None:
    """A tmpfs of this size, or None where the system lets us mount none."""
    if shutil.which("unshare") is None or shutil.which("nsenter") is None:
        return None
    mount.mkdir()
    script = 'mount -t tmpfs -o size="$2"k small "$1" && echo ready && exec sleep infinity'
    for namespace in _NAMESPACES:
        keeper = launch(*namespace, "sh", "-c", script, "sh", str(mount), str(kilobytes))
        wait_until(lambda keeper=keeper: keeper.ended or "ready" in keeper.output().out, "the small disk")
        if not keeper.ended:
            return SmallDisk(keeper, mount, user="--user" in namespace)
    return None
