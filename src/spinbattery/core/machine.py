"""Memory and cores that this process may use, with the limits of containers and batch jobs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path

_CGROUPS = Path("/sys/fs/cgroup")
_OWN_CGROUPS = Path("/proc/self/cgroup")
_VERSION_2 = ("memory.max", "memory.current", "inactive_file")
_VERSION_1 = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")


def available_memory() -> int:
    """Bytes that can be allocated without swapping and within the limits of a container or batch job."""
    import psutil  # doctor describes an installation without it, too

    return min([int(psutil.virtual_memory().available), *_left_in_cgroups()])


_cores_left: int | None = None


def limit_cores(n: int) -> None:
    """Let this process use at most n cores from now on, for example beside other worker processes."""
    global _cores_left
    _cores_left = n


def n_cores() -> int:
    """Cores that this process may use: affinity and the CPU quota of a container count."""
    if _cores_left is not None:
        return _cores_left
    from loky import cpu_count  # takes a moment to import

    return int(cpu_count())


def _left_in_cgroups() -> Iterator[int]:
    """Bytes left under each memory limit of the Linux control groups, which Slurm and container engines set."""
    for limit, usage, statistics, cached in _limits():
        try:
            used = int(usage.read_text())
            kept = dict(line.split() for line in statistics.read_text().splitlines())
        except OSError:  # the group is gone
            continue
        # cached files are dropped when memory is needed
        yield max(0, limit - used + int(kept.get(cached, 0)))


@cache
def _limits() -> tuple[tuple[int, Path, Path, str], ...]:
    """Each limit in bytes with the files of usage and statistics, and the name of the cached part; looked up once."""
    import psutil

    try:
        lines = _OWN_CGROUPS.read_text(encoding="ascii").splitlines()
    except OSError:  # not Linux
        return ()
    found = []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if not controllers:
            root, (limit, usage, cached) = _CGROUPS, _VERSION_2
        elif "memory" in controllers.split(","):
            root, (limit, usage, cached) = _CGROUPS / "memory", _VERSION_1
        else:
            continue
        group = root / path.strip("/")
        while group.is_relative_to(root):
            with suppress(OSError, ValueError):  # no such group in this view, or no limit ("max")
                most = int((group / limit).read_text())
                if most < psutil.virtual_memory().total:  # version 1 writes a huge number if there is no limit
                    found.append((most, group / usage, group / "memory.stat", cached))
            group = group.parent
    return tuple(found)
