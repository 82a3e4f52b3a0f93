"""What this process may use of its machine: memory and cores, limits of containers and batch jobs included."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import psutil

_CGROUPS = Path("/sys/fs/cgroup")
_OWN_CGROUPS = Path("/proc/self/cgroup")


def available_memory() -> int:
    """Bytes that can be allocated without swapping, and without exceeding what a container or batch job was given."""
    return min([int(psutil.virtual_memory().available), *_left_in_cgroups()])


def n_cores() -> int:
    """Cores this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _left_in_cgroups() -> Iterator[int]:
    """Bytes left under every memory limit of Linux control groups; Slurm and container engines set them."""
    try:
        lines = _OWN_CGROUPS.read_text(encoding="ascii").splitlines()
    except OSError:  # no Linux
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if not controllers:  # version 2
            yield from _left(_CGROUPS, path, "memory.max", "memory.current", "inactive_file")
        elif "memory" in controllers.split(","):
            yield from _left(
                _CGROUPS / "memory", path, "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"
            )


def _left(root: Path, path: str, limit: str, usage: str, cache: str) -> Iterator[int]:
    own = root / path.strip("/")
    for group in (own, *own.parents):
        if not group.is_relative_to(root):
            return
        try:
            most = int((group / limit).read_text())
            used = int((group / usage).read_text())
            statistics = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
        except (OSError, ValueError):  # no such group in this view, or no limit ("max")
            continue
        # what the system keeps of files is given back when memory is needed
        yield max(0, most - used + int(statistics.get(cache, 0)))
