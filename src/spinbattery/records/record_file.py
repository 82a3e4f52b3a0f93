"""Reading records: checks of the file, and translation of names that older versions used."""

from __future__ import annotations

import math
from pathlib import Path

from ..core.errors import RecordError
from ..core.paths import user_path
from .hashing import checksum, plain_value
from .netcdf import decode
from .record import Record
from .schema import ATTRIBUTES, REQUIRED, SCHEMA, SCHEMA_VERSION

_ROUNDING = 1e-9
"""Relative difference of two standard errors that are the same."""


def read_record(path: str | Path) -> Record:
    """Read a record and check it.

    Raises:
        RecordError: no such file, no netCDF, not a record, another schema version, or damaged
            (its checksum does not match).
    """
    path = user_path(path)
    if not path.is_file():
        raise RecordError(f"there is no record file {str(path)!r}.")
    try:
        dataset = decode(path.read_bytes())
    except OSError as error:
        raise RecordError(f"cannot read {str(path)!r}: {error.strerror}.") from error
    except ValueError as error:
        raise RecordError(
            f"{str(path)!r} is not a readable netCDF record: {error}; if it was one, delete it and compute it again."
        ) from None
    attributes = {key: plain_value(value) for key, value in dataset.attrs.items()}
    if attributes.get("schema") != SCHEMA:
        raise RecordError(f"{str(path)!r} is netCDF but no spinbattery record; write records with Record.save.")
    if attributes.get("schema_version") != SCHEMA_VERSION:
        raise RecordError(
            f"{str(path)!r} has schema version {attributes.get('schema_version')}, but this spinbattery reads "
            f"version {SCHEMA_VERSION}; compute it again, or read it with the spinbattery that wrote it."
        )
    missing = [name for name in REQUIRED if name not in dataset]
    if missing:
        raise RecordError(f"{str(path)!r} is damaged: it lacks {', '.join(missing)}; delete it and compute it again.")
    expected = attributes.pop("checksum", None)
    dataset.attrs = attributes
    try:
        intact = checksum(dataset) == expected
    except (TypeError, ValueError):  # an attribute of a type that records do not have
        intact = False
    if not intact:
        raise RecordError(f"{str(path)!r} is damaged: its checksum does not match; delete it and compute it again.")
    if "precision_error" in dataset:  # older versions kept the relative error under this name
        relative = dataset["precision_error"].assign_attrs(ATTRIBUTES["precision_relative_error"])
        dataset = dataset.drop_vars("precision_error").assign(precision_relative_error=relative)
    if "precision_stderr" in dataset:
        stderr, precision = dataset["precision_stderr"], dataset["precision"]
        absolute = float(dataset["variance_stderr"].item()) * float(precision.item()) ** 2
        if not math.isclose(float(stderr.item()), absolute, rel_tol=_ROUNDING):  # older records have the relative one
            dataset["precision_stderr"] = (stderr * precision).assign_attrs(ATTRIBUTES["precision_stderr"])
    return Record(dataset)
