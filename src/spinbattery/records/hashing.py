"""Hashes of runs and records: keys that identify a run, and digests that check its record."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import numpy as np

from ..core.typing import FloatArray
from ..model.problem import ChargingProblem
from .contents import Contents
from .schema import NUMERICS_VERSION, SCHEMA_VERSION


def canonical_json(data: Any) -> str:
    """JSON in one canonical form, for hashes and attributes."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"), allow_nan=False)


_DROPPED = {"symmetric": {"exponential": "auto", "magnus": "CF6", "max_levels": 12}}
"""Options that an engine has no more, as they were by default: keys have them on, so that stores serve earlier runs,
whose results are within the same tolerance."""


def run_key(problem: ChargingProblem, engine: str, options: dict[str, Any], times: FloatArray) -> str:
    """Hash of everything that decides the result of a run: problem, engine, options, output times, our versions."""
    options = _DROPPED.get(engine, {}) | options
    text = canonical_json(
        [SCHEMA_VERSION, NUMERICS_VERSION, problem.content_hash, engine, options, np.asarray(times).tolist()]
    )
    return hashlib.sha256(text.encode()).hexdigest()


_JOB_DIGITS = 16


def measurement_key(planned: str, job: str) -> str:
    """Key of a measurement: the key of the planned run, a hyphen, and a hash of the job.

    No seed repeats the reads of a device, so that two measurements of one planned run are two runs.

    Args:
        planned: key of the run, from :func:`run_key`, or of any measurement of it.
        job: unique to the job, such as the number that the service gave it.
    """
    return f"{planned_key(planned)}-{hashlib.sha256(job.encode()).hexdigest()[:_JOB_DIGITS]}"


def planned_key(key: str) -> str:
    """Key of the planned run that was measured; the key of any other run is returned unchanged."""
    return key.partition("-")[0]


_NAMES = frozenset({"labels", "lattice", "cut"})
"""Keys of a network that are no physics and that not every record has."""


def without_names(problem: str) -> str:
    """The text of a problem without the names of its spins."""
    data = json.loads(problem)
    data["network"] = {key: value for key, value in data["network"].items() if key not in _NAMES}
    return canonical_json(data)


def digest_of(contents: Contents, left_out: frozenset[str]) -> str:
    """SHA-256 of all variables and of all attributes except ``left_out``."""
    digest = hashlib.sha256()
    for name, variable in sorted(contents.variables.items()):
        values = variable.values
        described = sorted((key, plain_value(value)) for key, value in variable.attrs.items())
        digest.update(f"{name}:{variable.dims}:{values.shape}:{described}".encode())
        digest.update(str(values.tolist()).encode() if values.dtype.kind in "OUT" else values.tobytes())
    attributes = {key: plain_value(value) for key, value in contents.attrs.items() if key not in left_out}
    digest.update(canonical_json(attributes).encode())
    return digest.hexdigest()


def checksum(contents: Contents) -> str:
    """SHA-256 of a whole record, stored in its file."""
    return digest_of(contents, frozenset({"checksum"}))


def plain_value(value: Any) -> Any:
    """A NumPy number as a Python number."""
    return value.item() if isinstance(value, np.generic) else value
