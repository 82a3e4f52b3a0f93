"""Many records as one Dataset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.checks import checked_mapping, several
from ..core.errors import RecordError
from ..core.typing import FloatArray
from .columns import RESULTS, VERDICTS, Row, columns, parameter_columns, record_row
from .record import Record, as_record
from .schema import LONG_NAMES, UNITS

if TYPE_CHECKING:
    import xarray as xr

_NO_COORDINATES = ("engine_options", "n_times")
_SPIN, _SZ, _POINT = "spin", "sz_total", "point"
_TRAJECTORIES = ("time", "magnetization_t", "std_t", "energy_t", "magnetization_t_error", "variance_t_error")


def gather(records: Sequence[Record], names: Sequence[Mapping[str, str]] | None = None) -> xr.Dataset:
    """One Dataset with a dimension ``run`` from records of any sizes, protocols and engines.

    Coordinates along ``run`` are the parameters (key, network, n_spins, protocol, duration, ...);
    variables are the final moments with their errors, costs and run times, (run,); ``spin_magnetization``
    (run, spin), ``distribution`` (run, sz_total), and, where there are output times, ``time`` and what
    was kept at them, (run, point). What a run does not have is NaN. Final states are left out.

    Args:
        records: finished runs.
        names: of each record, columns such as ``protocol`` that are to say something else than the record does.

    Raises:
        RecordError: there is no record, something else among them, or names for another number of them.
    """
    import xarray as xr

    records = [as_record(record) for record in several("records", records)]
    renamed = [
        checked_mapping("names of a record", given) for given in several("names", () if names is None else names)
    ]
    if not records:
        raise RecordError("there is no record to put together.")
    if renamed and len(renamed) != len(records):
        raise RecordError(f"names must be as many as the {len(records)} records, but are {len(renamed)}.")
    rows = [record_row(record) for record in records]
    for row, given in zip(rows, renamed, strict=bool(renamed)):
        row.update(given)
    kept = [name for name in (*parameter_columns(), *VERDICTS) if name not in _NO_COORDINATES]
    coordinates: dict[str, Any] = {name: ("run", _column(rows, name)) for name in kept}
    values: dict[str, Any] = {name: ("run", _column(rows, name)) for name in (*RESULTS, "wall_time_s")}
    widest = max(record.n_spins for record in records)
    known = [r.dataset.variables.get("spin_magnetization") for r in records]  # not of reads that are magnetizations
    spins = [((), ()) if spin is None else (np.arange(len(spin)), spin.to_numpy()) for spin in known]
    coordinates[_SPIN] = np.arange(widest)
    values["spin_magnetization"] = (("run", _SPIN), _padded(spins, widest))
    totals = np.unique(np.concatenate([record.dataset[_SZ].to_numpy() for record in records]))
    found = [(np.searchsorted(totals, r.dataset[_SZ]), r.dataset["distribution"].to_numpy()) for r in records]
    coordinates[_SZ] = totals
    values["distribution"] = (("run", _SZ), _padded(found, len(totals)))
    points = max(len(record.times) for record in records)
    for traced in _TRAJECTORIES if points else ():
        found_lines = [record.dataset.variables.get(traced) for record in records]
        lines = [((), ()) if line is None else (np.arange(len(line)), line.to_numpy()) for line in found_lines]
        values[traced] = (("run", _POINT), _padded(lines, points))
    dataset = xr.Dataset(values, coordinates)
    for key, variable in dataset.variables.items():
        name = str(key)
        column = columns().get(name)
        unit = column.unit if column else UNITS.get(name)
        meaning = column.meaning if column else LONG_NAMES.get(name)
        variable.attrs = {k: v for k, v in (("units", unit), ("long_name", meaning)) if v}
    return dataset


def _column(rows: Sequence[Row], name: str) -> Any:
    """Values of a column; what is not known is NaN, so that columns that may be unknown are floats."""
    column = [row[name] for row in rows]
    if columns()[name].kind == "TEXT":
        return np.array(["" if value is None else value for value in column], dtype=np.str_)
    if name in ("n_spins", "n_pairs"):
        return np.array(column, dtype=np.int64)
    return np.array([np.nan if value is None else value for value in column], dtype=np.float64)


def _padded(parts: Sequence[tuple[Any, Any]], width: int) -> FloatArray:
    """Rows (positions, values) of different lengths as one array, NaN elsewhere."""
    array = np.full((len(parts), width), np.nan)
    for row, (positions, values) in zip(array, parts, strict=True):
        if len(positions):
            row[positions] = values
    return array
