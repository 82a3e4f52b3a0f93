"""The environment of a run, and the file for its figures."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

_LIBRARIES = (
    *("spinbattery", "numpy", "scipy", "numba", "xarray", "netCDF4", "qutip", "quspin", "distributed"),
    *("dimod", "dwave-graphs", "dwave-samplers", "qtealeaves", "physics-tenpy"),
)


def environment(threads: Mapping[str, str]) -> dict[str, Any]:
    """Versions, processor, load and thread limits of this run."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        **_versions(),
        "cpu": _cpu_model(),
        "cores": os.cpu_count(),
        "load_before": load(),
        "system": f"{platform.system()} {platform.machine()}",
        "threads": dict(threads),
    }


def load() -> list[float]:
    """Load averages over 1, 5 and 15 minutes; empty if the system does not give them."""
    return [round(average, 2) for average in os.getloadavg()] if hasattr(os, "getloadavg") else []


def write_json(path: Path, surroundings: dict[str, Any], sections: Mapping[str, Any]) -> None:
    """Write every figure of the run."""
    path.write_text(json.dumps({"environment": surroundings, **sections}, indent=2) + "\n")


def _versions() -> dict[str, str]:
    found = {}
    for library in _LIBRARIES:
        try:
            found[library] = version(library)
        except PackageNotFoundError:
            continue
    return found


def _cpu_model() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or "unknown"
