"""Reading records: checks of the file, and translation of names that older versions used."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..core.errors import RecordError
from ..core.paths import user_path
from .contents import Contents, Variable
from .hashing import checksum, plain_value
from .netcdf import decode
from .record import Record
from .schema import ATTRIBUTES, REQUIRED, SCHEMA, SCHEMA_VERSION

_ROUNDING = 1e-9
"""Relative difference of two standard errors that are the same."""


def read_record(path: str | Path) -> Record:
    """Read a record and check it; the file may be one that xarray wrote of ``record.dataset``, which has no checksum.

    Raises:
        RecordError: no such file, no netCDF, not a record, another schema version, or damaged
            (its checksum does not match).
    """
    path = user_path(path)
    if not path.is_file():
        raise RecordError(f"there is no record file {str(path)!r}.")
    try:
        contents = decode(path.read_bytes())
    except OSError as error:
        raise RecordError(f"cannot read {str(path)!r}: {error.strerror}.") from error
    except ValueError as error:
        raise RecordError(
            f"{str(path)!r} is not a readable netCDF record: {error}; if it was one, delete it and compute it again."
        ) from None
    attributes = {key: plain_value(value) for key, value in contents.attrs.items()}
    if attributes.get("schema") != SCHEMA:
        raise RecordError(f"{str(path)!r} is netCDF but no spinbattery record; write records with Record.save.")
    if attributes.get("schema_version") != SCHEMA_VERSION:
        raise RecordError(
            f"{str(path)!r} has schema version {attributes.get('schema_version')}, but this spinbattery reads "
            f"version {SCHEMA_VERSION}; compute it again, or read it with the spinbattery that wrote it."
        )
    missing = [name for name in REQUIRED if name not in contents.variables]
    if missing:
        raise RecordError(f"{str(path)!r} is damaged: it lacks {', '.join(missing)}; delete it and compute it again.")
    stated = attributes.pop("checksum", None)
    contents = Contents(contents.variables, attributes)
    try:
        found = checksum(contents)
    except (TypeError, ValueError):  # an attribute of a type that records do not have
        found = None
    # a Dataset has no checksum, and neither has the file that xarray writes of it
    if found is None or stated not in (None, found):
        raise RecordError(f"{str(path)!r} is damaged: its checksum does not match; delete it and compute it again.")
    return Record(Contents(_as_named_now(contents.variables), attributes))


def _as_named_now(variables: Mapping[str, Variable]) -> dict[str, Variable]:
    """Variables under the names and with the meanings that this version gives them."""
    found = dict(variables)
    if "precision_error" in found:  # older versions kept the relative error under this name
        found["precision_relative_error"] = _described("precision_relative_error", found.pop("precision_error").values)
    if "precision_stderr" in found:
        stderr, precision = (float(found[name].values) for name in ("precision_stderr", "precision"))
        absolute = float(found["variance_stderr"].values) * precision**2
        if not math.isclose(stderr, absolute, rel_tol=_ROUNDING):  # older records have the relative one
            found["precision_stderr"] = _described("precision_stderr", stderr * precision)
    return found


def _described(name: str, values: Any) -> Variable:
    """A number with the unit and the meaning of its name."""
    return Variable((), values, ATTRIBUTES[name])
