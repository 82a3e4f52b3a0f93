"""Memory that a container or batch job may use is less than what the machine has."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from spinbattery.core import machine

GB = 10**9


@pytest.fixture
def groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Control groups in a folder; call it with the text of /proc/self/cgroup and files by path."""
    monkeypatch.setattr(machine, "_CGROUPS", tmp_path / "cgroup")
    monkeypatch.setattr(machine, "_OWN_CGROUPS", tmp_path / "own")

    class Memory:
        available = total = 64 * GB

    monkeypatch.setattr(psutil, "virtual_memory", Memory)
    machine._limits.cache_clear()

    def lay_out(own: str, files: dict[str, object]) -> None:
        (tmp_path / "own").write_text(own)
        for name, content in files.items():
            path = tmp_path / "cgroup" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{content}\n")
        machine._limits.cache_clear()

    yield lay_out
    machine._limits.cache_clear()


def limits(folder: str, most: object, used: int, cache: int = 0) -> dict[str, object]:
    return {
        f"{folder}/memory.max": most,
        f"{folder}/memory.current": used,
        f"{folder}/memory.stat": f"anon 5\ninactive_file {cache}",
    }


def test_the_machine_is_the_limit_where_there_is_no_other(groups):
    assert machine.available_memory() == 64 * GB  # no /proc/self/cgroup at all
    groups("0::/job\n", limits("job", "max", 3 * GB))
    assert machine.available_memory() == 64 * GB


def test_a_job_may_use_what_is_left_of_its_share(groups):
    groups("0::/slurm/job_7/step_0\n", limits("slurm/job_7/step_0", "max", 1) | limits("slurm/job_7", 4 * GB, 3 * GB))
    assert machine.available_memory() == 1 * GB


def test_cached_files_count_as_free(groups):
    groups("0::/job\n", limits("job", 4 * GB, 3 * GB, cache=2 * GB))
    assert machine.available_memory() == 3 * GB


def test_a_share_that_is_used_up_leaves_nothing(groups):
    groups("0::/job\n", limits("job", 4 * GB, 5 * GB))
    assert machine.available_memory() == 0


def test_the_smallest_of_all_limits_holds(groups):
    groups("0::/a/b\n", limits("a/b", 9 * GB, 0) | limits("a", 5 * GB, 3 * GB))
    assert machine.available_memory() == 2 * GB


def test_groups_of_version_1(groups):
    groups(
        "5:cpuset:/\n4:memory:/job\n0::/\n",
        {
            "memory/job/memory.limit_in_bytes": 8 * GB,
            "memory/job/memory.usage_in_bytes": 6 * GB,
            "memory/job/memory.stat": "cache 9\ntotal_inactive_file 500000000",
        },
    )
    assert machine.available_memory() == 2 * GB + 500_000_000


def test_cores_are_at_least_one():
    assert machine.n_cores() >= 1


def test_the_quota_of_a_container_and_a_limit_of_our_own_count(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(machine, "_cores_left", None)
    monkeypatch.setattr("loky.backend.context._cpu_count_cgroup", lambda cores: 1)
    assert machine.n_cores() == 1
    monkeypatch.setattr(machine, "_cores_left", 3)
    assert machine.n_cores() == 3
