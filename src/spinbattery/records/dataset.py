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
from .schema import ATTRIBUTES

if TYPE_CHECKING:
    import xarray as xr

_NO_COORDINATES = ("engine_options", "n_times")
_TRACES = ("time", "magnetization_t", "std_t", "energy_t", "magnetization_t_error", "variance_t_error")


def gather(records: Sequence[Record], names: Sequence[Mapping[str, str]] | None = None) -> xr.Dataset:
    """One Dataset with a dimension ``run`` from records of any sizes, protocols and engines.

    Coordinates along ``run`` are the parameters (key, network, n_spins, protocol, duration, ...);
    variables are the final moments with their errors, costs and run times, (run,); ``spin_magnetization``
    (run, spin), ``distribution`` (run, sz_total), and, where there are output times, ``time`` and the
    time traces, (run, point). Values that a run does not have are NaN. Final states are left out.

    Args:
        records: finished runs.
        names: for each record, columns such as ``protocol`` whose value replaces that of the record.

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
    n_spins = max(record.n_spins for record in records)
    totals = np.unique(np.concatenate([record.variables["sz_total"].values for record in records]))
    coordinates: dict[str, Any] = {name: ("run", _column(rows, name)) for name in kept}
    coordinates |= {"spin": np.arange(n_spins), "sz_total": totals}
    values: dict[str, Any] = {name: ("run", _column(rows, name)) for name in (*RESULTS, "wall_time_s")}
    values["spin_magnetization"] = (("run", "spin"), _padded(records, "spin_magnetization", n_spins))
    values["distribution"] = (("run", "sz_total"), _distributions(records, totals))
    if n_points := max(len(record.times) for record in records):
        values |= {name: (("run", "point"), _padded(records, name, n_points)) for name in _TRACES}
    dataset = xr.Dataset(values, coordinates)
    described = columns()
    for key, variable in dataset.variables.items():
        name = str(key)
        known = described.get(name)
        variable.attrs = {"units": known.unit, "long_name": known.meaning} if known else dict(ATTRIBUTES.get(name, {}))
    return dataset


def _column(rows: Sequence[Row], name: str) -> Any:
    """Values of a column; columns of numbers that may be unknown (NaN) are floats."""
    column = [row[name] for row in rows]
    if columns()[name].kind == "TEXT":
        return np.array(["" if value is None else value for value in column], dtype=np.str_)
    if name in ("n_spins", "n_pairs"):
        return np.array(column, dtype=np.int64)
    return np.array([np.nan if value is None else value for value in column], dtype=np.float64)


def _padded(records: Sequence[Record], name: str, width: int) -> FloatArray:
    """A variable of all records, (run, width), NaN where it is shorter or absent."""
    array = np.full((len(records), width), np.nan)
    for row, record in zip(array, records, strict=True):
        variable = record.variables.get(name)
        if variable is not None:
            row[: len(variable.values)] = variable.values
    return array


def _distributions(records: Sequence[Record], totals: Any) -> FloatArray:
    """P(Sz) of all records at the values of Sz that any of them has."""
    array = np.full((len(records), len(totals)), np.nan)
    for row, record in zip(array, records, strict=True):
        row[np.searchsorted(totals, record.variables["sz_total"].values)] = record.variables["distribution"].values
    return array
