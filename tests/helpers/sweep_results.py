"""What tests of sweeps compare: files as they lie there, and contents to the last bit."""

from __future__ import annotations


def stamps(folder):
    """What changes when a file is written again."""
    return {path.name: (path.stat().st_ino, path.stat().st_mtime_ns) for path in folder.glob("*.nc")}


def contents(result):
    return {record.key: record.content_hash for record in result.records()}
