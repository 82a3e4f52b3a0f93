"""Runs of a store as a table for other programs."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from ..core.atomic import writing
from ..core.errors import InvalidParameterError, MissingDependencyError, RecordError
from ..core.installing import install_extra_command
from ..core.paths import user_path
from ..records.columns import STATE, Row, columns

if TYPE_CHECKING:
    import pandas as pd

TABLE_ENDINGS = (".parquet", ".csv")


def table(rows: Sequence[Row]) -> pd.DataFrame:
    """One row per run; names of columns have the unit (``duration_ns``), unknown values are missing."""
    import pandas as pd

    kinds = {"TEXT": "string", "REAL": "Float64", "INTEGER": "Int64"}
    shown = {name: column for name, column in columns().items() if name not in STATE or name in ("status", "error")}
    return pd.DataFrame(
        {
            _with_unit(name, column.unit): pd.array([row[name] for row in rows], dtype=kinds[column.kind])
            for name, column in shown.items()
        }
    )


def export(rows: Sequence[Row], path: str | Path) -> None:
    """Write a table of runs as Parquet or CSV, atomically.

    Raises:
        InvalidParameterError: the name ends in neither .parquet nor .csv.
        MissingDependencyError: Parquet without pyarrow.
        RecordError: no rows, or the file cannot be written.
    """
    path = user_path(path)
    if path.suffix not in TABLE_ENDINGS:
        raise InvalidParameterError(f"{str(path)!r} must end in {' or '.join(TABLE_ENDINGS)}.")
    if not rows:
        raise RecordError("no run fulfils the filters, so there is nothing to export; list the runs first.")
    if path.suffix == ".parquet" and find_spec("pyarrow") is None:
        raise MissingDependencyError(f"Parquet needs pyarrow; write .csv, or run {install_extra_command('parquet')}")
    frame = table(rows)
    with writing(path, RecordError) as temporary:
        if path.suffix == ".csv":
            frame.to_csv(temporary, index=False)
        else:
            frame.to_parquet(temporary, index=False)


def _with_unit(name: str, unit: str) -> str:
    suffix = unit.replace(" ", "_")
    return name if unit == "1" or name.endswith(f"_{suffix}") else f"{name}_{suffix}"
