"""Points of fits and figures: from numbers, from records, or from the runs of a Dataset."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, SupportsFloat, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..core.checks import several, switch
from ..core.errors import FitError
from ..core.typing import FloatArray, IntArray
from ..model.families import distinct, family_of
from ..model.network import SpinNetwork
from ..records.charge_state import ChargeState, charge_state, unlike_a_charge
from ..records.dataset import gather
from ..records.no_precision import NoPrecision
from ..records.options import curve_options
from ..records.record import Record

if TYPE_CHECKING:
    import xarray as xr

CURVE = ("protocol", "duration", "s_hold", "J", "crosstalk", "noise", "scales_hash", "schedule", "family", "weight")
"""Coordinates that are one value along a curve against N; the field may follow the network, as in Eq. 19."""

_OPTIONAL = ("schedule", "family", "weight")
"""Coordinates that a Dataset may lack; a text among them that is not known fits with everything."""

_PROBLEM = ("n_spins", "n_pairs", "field", "engine", "problem_hash")
"""With those of a curve, what runs of one network have in common when only their seeds differ."""

_NAMES = ("network", "network_hash", "seed", "field", "energy_scales")
_VARIABLES = ("magnetization", "std", "precision")

_MIN_SIZES = 3
_SHOWN = 6
_LONGEST = 60
_HASH_DIGITS = 8


def curve_coordinates() -> tuple[str, ...]:
    """Coordinates that are one value along a curve: :data:`CURVE`, and options of engines that say so."""
    return (*CURVE, *curve_options())


class HoldsRuns(Protocol):
    """An object with the Dataset of its runs, such as the result of a sweep."""

    @property
    def dataset(self) -> xr.Dataset: ...


Points: TypeAlias = "Iterable[Record] | Iterable[SupportsFloat] | xr.Dataset | HoldsRuns"


def runs_of(data: Any) -> xr.Dataset:
    """The Dataset with dimension ``run`` that is given, or that an object such as a sweep's result holds.

    Raises:
        FitError: there is none, it has no runs, or it lacks coordinates or variables of the layout.
    """
    import xarray as xr

    found = data if isinstance(data, xr.Dataset) else getattr(data, "dataset", None)
    if not isinstance(found, xr.Dataset):
        raise FitError(f"give a Dataset with dimension 'run', or the result of a sweep, not {type(data).__name__}.")
    if "run" not in found.dims:
        raise FitError("this is a single run and so a single point; give a Dataset with dimension 'run', or records.")
    needed = [name for name in (*_NAMES, *CURVE, *_PROBLEM, *_VARIABLES) if name not in (*_OPTIONAL, "scales_hash")]
    missing = [name for name in needed if name not in found]
    if missing:
        raise FitError(
            f"the Dataset lacks {', '.join(missing)}; give one as a store selects it, where each run has its "
            "coordinates and final moments."
        )
    if not found.sizes["run"]:
        raise FitError("the Dataset has no runs; select some.")
    return found


class CheckedPoints(NamedTuple):
    """Points that are fit for a fit, each (n,): N, 1/sigma^2, and whether the run is no charge."""

    sizes: FloatArray
    precision: FloatArray
    uncharged: NDArray[np.bool_]


def checked_points(
    points: Points,
    precision: Iterable[SupportsFloat] | None,
    *,
    include_uncharged: bool = False,
    mixed: bool = False,
) -> CheckedPoints:
    """Points of numbers, records, or the runs of a Dataset; arguments and errors as of fit_scaling."""
    include_uncharged, mixed = switch("include_uncharged", include_uncharged), switch("mixed", mixed)
    # by its attributes, so that bare numbers need no xarray
    if hasattr(points, "data_vars") or hasattr(points, "dataset"):
        if precision is not None:
            raise FitError("give either a Dataset, or N with their precision; not a Dataset with a precision.")
        found = _points_of_runs(runs_of(points), include_uncharged, mixed)
    else:
        given = several("points", points)
        if any(isinstance(point, Record) for point in given):
            if precision is not None:
                raise FitError("give either records, or N with their precision; not records with a precision.")
            found = _points_of_runs(_runs_of_records(given), include_uncharged, mixed)
        else:
            found = _points_of_numbers(given, precision)
    sizes, values = found.sizes, found.precision
    if sizes.ndim != 1 or sizes.shape != values.shape:
        raise FitError(f"N and precision must be rows of equal length, but are {sizes.shape} and {values.shape}.")
    if not ((sizes >= 1.0).all() and np.isfinite(sizes).all() and (sizes == np.rint(sizes)).all()):
        raise FitError(f"N must be whole numbers of at least 1, but are {sizes.tolist()}.")
    bad = ~(np.isfinite(values) & (values > 0.0))
    if bad.any():
        k = int(np.argmax(bad))
        raise FitError(f"the precision at N = {sizes[k]:g} is {values[k]:g}; it must be finite and above zero.")
    if len(np.unique(sizes)) < _MIN_SIZES:
        raise FitError(
            f"c N^alpha needs points at three or more different N, but there are {len(np.unique(sizes))}; "
            "through two any power law passes, and nothing tests it."
        )
    return found


def _points_of_numbers(given: list[Any], precision: Iterable[SupportsFloat] | None) -> CheckedPoints:
    if precision is None:
        raise FitError("precision is missing: give records, or N with a precision 1/sigma^2 for each.")
    try:
        sizes, values = np.array(given, dtype=np.float64), np.array(list(precision), dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        raise FitError("N and precision must be numbers; a precision that is not known cannot be fitted.") from None
    return CheckedPoints(sizes, values, np.zeros(sizes.shape, dtype=np.bool_))


def _runs_of_records(records: list[Any]) -> xr.Dataset:
    """The Dataset of a list of records, in their order.

    Raises:
        FitError: something else is among them.
    """
    for record in records:
        if not isinstance(record, Record):
            raise FitError(f"points must be all records or all N, but {record!r} is among records.")
    return gather(records)


def _points_of_runs(runs: xr.Dataset, include_uncharged: bool, mixed: bool) -> CheckedPoints:
    if mixed:
        seed_groups(runs)
    else:
        check_one_curve(runs, otherwise="mixed=True fits them as one all the same.")
    if not include_uncharged:
        refuse_uncharged(runs)
    sizes, values = (runs[name].to_numpy().astype(np.float64) for name in ("n_spins", "precision"))
    unknown = np.isnan(values)
    if unknown.any():
        k = int(np.argmax(unknown))
        raise FitError(
            f"the run of {runs['network'].to_numpy()[k]} (N = {sizes[k]:g}) has no precision, as its sigma "
            f"{sentences_of(runs)[k]}, and a lower bound cannot be fitted; leave it out, as by "
            "data.dropna('run', subset=['precision']) or [r for r in records if r.precision]."
        )
    return CheckedPoints(sizes, values, uncharged_of(runs))


def uncharged_of(runs: xr.Dataset) -> NDArray[np.bool_]:
    """(run,) whether each run is no charge, so that its sigma is none of a charge; False where nothing tells."""
    return np.array([state is not None and not state.is_charge for state in charge_states(runs)], dtype=np.bool_)


def charge_states(runs: xr.Dataset) -> list[ChargeState | None]:
    """The verdict on each run; a Dataset that was written without has P(Sz), from which it follows."""
    if "charge_state" in runs:
        return [ChargeState(text) if text else None for text in runs["charge_state"].to_numpy().tolist()]
    if "distribution" in runs:
        rows = runs["distribution"].transpose("run", ...).to_numpy()
        return [charge_state(row[~np.isnan(row)]) for row in rows]
    return [None] * runs.sizes["run"]


def refuse_uncharged(runs: xr.Dataset) -> None:
    """Refuse runs whose sigma is not that of a charge.

    Raises:
        FitError: there are some; it names them with their mu, and says what to do.
    """
    protocols, networks, mu = (runs[name].to_numpy().tolist() for name in ("protocol", "network", "magnetization"))
    found = [
        (f"{protocol} on {network}", value, state)
        for protocol, network, value, state in zip(protocols, networks, mu, charge_states(runs), strict=True)
        if state is not None and not state.is_charge
    ]
    if found:
        raise FitError(
            f"{unlike_a_charge(found)}. Leave such runs out, as by [r for r in records if r.charge_state.is_charge] or "
            "store.select(charge_state=['charged', 'partly charged']); include_uncharged=True (--include-uncharged on "
            "the command line) takes them all the same."
        )


def sentences_of(runs: xr.Dataset) -> NDArray[np.str_]:
    """(run,) why each run has no precision, in words that follow "sigma"; empty where it has one."""
    known = runs["no_precision"].to_numpy().astype(np.str_) if "no_precision" in runs else np.array("")
    unknown = np.isnan(runs["precision"].to_numpy()) & (known == "")
    return np.where(unknown, str(NoPrecision.ZERO_TO_ROUNDING), known)


def reasons_of(runs: xr.Dataset) -> list[NoPrecision | None]:
    """Why each run has no precision."""
    return [NoPrecision.of_sentence(sentence) if sentence else None for sentence in sentences_of(runs).tolist()]


def check_one_family(networks: Iterable[SpinNetwork]) -> None:
    """Refuse networks of several families before they are run for one fit.

    Raises:
        FitError: they are, such as rings with tori.
    """
    families = distinct(family_of(network) for network in networks)
    if len(families) > 1:
        raise FitError(
            f"the networks are of several families ({', '.join(families)}), and no single curve; fit each alone, or "
            "give their records to fit_scaling(records, mixed=True)."
        )


def check_one_curve(runs: xr.Dataset, what: str = "these runs", *, otherwise: str = "") -> None:
    """Refuse runs that are no single curve against N.

    The coordinates of :func:`curve_coordinates` must each be one value, and the runs of one network may differ in
    their seeds alone.

    Args:
        runs: along a dimension ``run``.
        what: they are, for the message.
        otherwise: what else the caller offers, as a sentence.

    Raises:
        FitError: they differ; it says in which coordinates, with which values, and what to do.
    """
    columns, otherwise = _columns(runs), f" {otherwise}" if otherwise else ""
    mixed = differing(runs, curve_coordinates())
    if mixed:
        raise FitError(
            f"{what} are not one curve: they differ in {_listed(mixed, columns)}; "
            f"{_one_value(columns, list(mixed))}{otherwise}"
        )
    for network in np.unique(columns["network_hash"]):
        same = np.flatnonzero(columns["network_hash"] == network)
        mixed = _differing(columns, _PROBLEM, same)
        if mixed:
            raise FitError(
                f"{what} are not one curve: those of one network may differ in their seeds alone, but those of "
                f"{columns['network'][same[0]]} differ in {_listed(mixed, columns)}; {_one_value(columns, list(mixed))}"
                f"{otherwise}"
            )
    seed_groups(runs)


def seed_groups(runs: xr.Dataset) -> list[IntArray]:
    """Positions of the runs that differ in their seeds alone, a row for each problem and engine.

    Raises:
        FitError: a problem was run twice by one engine with one seed (at another tolerance, say):
            counted twice, it would weigh double.
    """
    columns = _columns(runs)
    found: dict[tuple[str, str], list[int]] = {}
    for k, problem in enumerate(zip(columns["problem_hash"], columns["engine"], strict=True)):
        found.setdefault(problem, []).append(k)
    for (_, engine), positions in found.items():
        seeds, counts = np.unique(columns["seed"][positions], return_counts=True)
        if counts.max() > 1:
            seed = seeds[np.argmax(counts)]
            again = "" if np.isnan(seed) else f" with seed {seed:g}"
            raise FitError(
                f"{columns['protocol'][positions[0]]} on {columns['network'][positions[0]]} is there "
                f"{counts.max()} times by {engine}{again}: twice the same run, or another tolerance or bond "
                "dimension; keep one of these runs, as by store.select(tolerance=1e-8) or "
                "data.isel(run=data['tolerance'] == 1e-8)."
            )
    return [np.array(positions, dtype=np.int64) for positions in found.values()]


def averages(runs: xr.Dataset, quantity: str, groups: Sequence[IntArray]) -> tuple[FloatArray, FloatArray]:
    """Mean of a quantity over the runs of each group, and its absolute error: two rows, one entry a group.

    The error is the standard error of the mean where there are several runs, and no less than the largest error
    estimate of an engine whose errors seeds do not average out. For one run it is the standard error where the engine
    has one, else its error estimate; NaN where nothing is known.

    Args:
        runs: a Dataset with dimension ``run``.
        quantity: ``magnetization``, ``std`` or ``precision``.
        groups: positions of the runs of each group.
    """
    values, errors = runs[quantity].to_numpy().astype(np.float64), _absolute_errors(runs, quantity)
    means = [values[group].mean() for group in groups]
    systematic = np.isnan(_optional(runs, "magnetization_stderr"))
    spreads = []
    for group in groups:
        spread = errors[group[0]]
        if len(group) > 1:
            spread = values[group].std(ddof=1) / np.sqrt(len(group))
            spread = max(spread, np.nan_to_num(errors[group][systematic[group]]).max(initial=0.0))
        spreads.append(spread)
    return np.array(means), np.array(spreads)


def _absolute_errors(runs: xr.Dataset, quantity: str) -> FloatArray:
    """One error a run (run,): the standard error where there is one, else the estimate of the discretisation."""
    if quantity == "std":
        # sigma = precision^(-1/2)
        relative = _absolute_errors(runs, "precision") / runs["precision"].to_numpy()
        known, own = np.asarray(0.5 * runs["std"].to_numpy() * relative), _optional(runs, "std_error")
        return np.where(np.isnan(known), own, known)
    estimate, statistical = _optional(runs, f"{quantity}_error"), _optional(runs, f"{quantity}_stderr")
    if quantity == "precision" and "precision_relative_error" not in runs:  # a Dataset of an older version: relative
        estimate = estimate * runs["precision"].to_numpy()
    return np.where(np.isnan(statistical), estimate, statistical)


def _optional(runs: xr.Dataset, name: str) -> FloatArray:
    if name not in runs:
        return np.full(runs.sizes["run"], np.nan)
    return np.asarray(runs[name].to_numpy(), dtype=np.float64)


def _columns(runs: xr.Dataset) -> dict[str, NDArray[Any]]:
    unknown = np.full(runs.sizes["run"], "")
    known = (*_NAMES, *curve_coordinates(), *_PROBLEM)
    found = {name: runs[name].to_numpy() if name in runs else unknown for name in known}
    if "scales_hash" not in runs:  # a Dataset that was written before there were hashes
        found["scales_hash"] = found["energy_scales"]
    return found


def differing(runs: xr.Dataset, names: Sequence[str]) -> dict[str, NDArray[Any]]:
    """The coordinates among these in which runs differ, with their values."""
    return _differing(_columns(runs), names, np.arange(runs.sizes["run"]))


def _differing(
    columns: Mapping[str, NDArray[Any]], names: Sequence[str], positions: IntArray
) -> dict[str, NDArray[Any]]:
    """The coordinates among these that have more than one value, with their values; NaN is one value."""
    found = {name: np.unique(columns[name][positions]) for name in names}
    for name in _OPTIONAL:
        if name in found and found[name].dtype.kind == "U":
            found[name] = np.array(distinct(found[name].tolist()))
    return {name: values for name, values in found.items() if len(values) > 1}


def _listed(mixed: Mapping[str, NDArray[Any]], columns: Mapping[str, NDArray[Any]]) -> str:
    return " and ".join(
        f"{name} ({spelled(_scales(values, columns) if name == 'scales_hash' else values)})"
        for name, values in mixed.items()
    )


def _scales(hashes: NDArray[Any], columns: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
    """Names of energy scales, with the first digits of the hashes that tell equal names apart."""
    names = [str(columns["energy_scales"][columns["scales_hash"] == digest][0]) for digest in hashes]
    return np.array([f"{name}: {digest[:_HASH_DIGITS]}" for name, digest in zip(names, hashes, strict=True)])


def spelled(values: NDArray[Any]) -> str:
    """Values of a coordinate for a message or a legend, the first few of many; hashes are cut short."""
    shown = [value[:_LONGEST] or "none" if isinstance(value, str) else f"{value:g}" for value in values[:_SHOWN]]
    more = f", and {len(values) - _SHOWN} more" if len(values) > _SHOWN else ""
    return ", ".join(shown) + more


def _one_value(columns: Mapping[str, NDArray[Any]], names: list[str]) -> str:
    """What to do about runs that differ in some coordinates."""
    chosen: list[str] = []
    for name in names:  # those that follow from the ones before are not needed
        before, after = (
            set(zip(*(columns[c].astype(str) for c in cs), strict=True)) for cs in (chosen, [*chosen, name])
        )
        if len(after) > max(1, len(before)):
            chosen.append(name)
    by = repr(chosen[0]) if len(chosen) == 1 else repr(chosen)
    return (
        f"take each alone, as by `for name, group in data.groupby({by}): ...`, or keep some, as by "
        f"data.isel(run=data[{names[0]!r}] == ...). Records in a list are such data by "
        "spinbattery.gather(records)."
    )
