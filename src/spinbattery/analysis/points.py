"""Points of fits and figures: from numbers, from records, or from the runs of a Dataset."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, SupportsFloat, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..core.checks import several, switch
from ..core.errors import FitError, InvalidParameterError
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
"""Coordinates with one value along a curve against N. The field is not among them: in Eq. 19 it follows the network."""

_OPTIONAL = ("schedule", "family", "weight")
"""Coordinates that a Dataset may lack. An unknown text among them fits with every other."""

_PROBLEM = ("n_spins", "n_pairs", "field", "engine", "problem_hash")
"""Coordinates that runs of one network on one curve share when they differ in their seeds alone."""

_NAMES = ("network", "network_hash", "seed", "energy_scales")
_VARIABLES = ("magnetization", "std", "precision")

_MIN_SIZES = 3
_SHOWN = 6
_LONGEST = 60
_HASH_DIGITS = 8


def curve_coordinates() -> tuple[str, ...]:
    """The coordinates :data:`CURVE`, and the options of engines that separate curves."""
    return (*CURVE, *curve_options())


class HoldsRuns(Protocol):
    """An object with the Dataset of its runs, such as the result of a sweep."""

    @property
    def dataset(self) -> xr.Dataset: ...


Runs: TypeAlias = "Iterable[Record] | xr.Dataset | HoldsRuns"
Points: TypeAlias = "Runs | Iterable[SupportsFloat]"

_WANTED = "give records, a Dataset with dimension 'run', or the result of a sweep"


def runs_of(data: Runs) -> xr.Dataset:
    """Runs as one Dataset with dimension ``run``; raises :class:`FitError` if it is empty or not of that layout."""
    import xarray as xr

    found = data if isinstance(data, xr.Dataset) else getattr(data, "dataset", None)
    if found is None:
        found = _gathered(data)
    if not isinstance(found, xr.Dataset):
        raise FitError(f"{_WANTED}, not {type(data).__name__}.")
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


def _gathered(data: Any) -> xr.Dataset:
    try:
        records = several("runs", data)
    except InvalidParameterError:
        raise FitError(f"{_WANTED}, not {type(data).__name__}.") from None
    for record in records:
        if not isinstance(record, Record):
            raise FitError(f"{_WANTED}: {record!r} is not a record.")
    if not records:
        raise FitError("there are no runs; give some.")
    return gather(records)


class CheckedPoints(NamedTuple):
    """Points that can be fitted, each (n,): N, 1/sigma^2, and whether the run is uncharged."""

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
    """Points of numbers or runs; arguments and errors as of fit_scaling."""
    include_uncharged, mixed = switch("include_uncharged", include_uncharged), switch("mixed", mixed)
    given: Any = points
    # by its attributes, so that bare numbers need no xarray
    kind = "a Dataset" if hasattr(points, "data_vars") or hasattr(points, "dataset") else ""
    if not kind:
        given = several("points", points)
        kind = "records" if any(isinstance(point, Record) for point in given) else ""
    if kind and precision is not None:
        raise FitError(f"give either {kind}, or N with their precision; not {kind} with a precision.")
    found = _points_of_runs(runs_of(given), include_uncharged, mixed) if kind else _points_of_numbers(given, precision)
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
            "every power law passes through two, so they test nothing."
        )
    return found


def _points_of_numbers(given: list[Any], precision: Iterable[SupportsFloat] | None) -> CheckedPoints:
    if precision is None:
        raise FitError("precision is missing: give records, or N with a precision 1/sigma^2 for each.")
    try:
        sizes, values = np.array(given, dtype=np.float64), np.array(list(precision), dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        raise FitError("N and precision must be numbers; an unknown precision cannot be fitted.") from None
    return CheckedPoints(sizes, values, np.zeros(sizes.shape, dtype=np.bool_))


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
    """(run,) whether sigma is not the fluctuation of a charge; False where the verdict is not known."""
    return np.array([state is not None and not state.is_charge for state in charge_states(runs)], dtype=np.bool_)


def charge_states(runs: xr.Dataset) -> list[ChargeState | None]:
    """The verdict on each run; a Dataset that was written without verdicts has P(Sz), from which they follow."""
    if "charge_state" in runs:
        return [ChargeState(text) if text else None for text in runs["charge_state"].to_numpy().tolist()]
    if "distribution" in runs:
        rows = runs["distribution"].transpose("run", ...).to_numpy()
        return [charge_state(row[~np.isnan(row)]) for row in rows]
    return [None] * runs.sizes["run"]


def refuse_uncharged(runs: xr.Dataset) -> None:
    """Raise :class:`FitError` for runs whose sigma is not the fluctuation of a charge, with their mu and advice."""
    protocols, networks, mu = (runs[name].to_numpy().tolist() for name in ("protocol", "network", "magnetization"))
    found = [
        (f"{protocol} on {network}", value, state)
        for protocol, network, value, state in zip(protocols, networks, mu, charge_states(runs), strict=True)
        if state is not None and not state.is_charge
    ]
    if found:
        raise FitError(
            f"{unlike_a_charge(found)}. Leave such runs out, as by [r for r in records if r.charge_state.is_charge] or "
            "store.select(charge_state=['charged', 'partly charged']); include_uncharged=True takes them all the same."
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
    """Raise :class:`FitError` for networks of several families, such as rings and tori, before they are run."""
    families = distinct(family_of(network) for network in networks)
    if len(families) > 1:
        raise FitError(
            f"the networks are of several families ({', '.join(families)}), and not one curve; fit each alone, or "
            "give their records to fit_scaling(records, mixed=True)."
        )


def check_one_curve(runs: xr.Dataset, what: str = "these runs", *, otherwise: str = "") -> None:
    """Raise :class:`FitError` unless curve coordinates have one value, and runs of one network differ in seeds alone.

    ``what`` names the runs in the message, and ``otherwise`` is a sentence about what else the caller offers.
    """
    columns = _columns(runs)
    alike = [("they", curve_coordinates(), np.arange(runs.sizes["run"]))]
    for network in np.unique(columns["network_hash"]):
        same = np.flatnonzero(columns["network_hash"] == network)
        which = f"runs of one network may differ in their seeds alone, but the runs of {columns['network'][same[0]]}"
        alike.append((which, _PROBLEM, same))
    for which, names, positions in alike:
        mixed = _differing(columns, names, positions)
        if mixed:
            advice = " ".join(filter(None, [_one_value(columns, list(mixed)), otherwise]))
            raise FitError(f"{what} are not one curve: {which} differ in {_listed(mixed, columns)}; {advice}")
    seed_groups(runs)


def seed_groups(runs: xr.Dataset) -> list[IntArray]:
    """Positions of the runs that differ in their seeds alone, one row for each problem and engine.

    Raises :class:`FitError` if one engine ran a problem twice with one seed (at two tolerances, say): it would count
    double.
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
    """Mean of ``magnetization``, ``std`` or ``precision`` over the runs of each group, and its absolute error.

    The error is the standard error of the mean over several runs, at least the largest error estimate that seeds do not
    average out; for one run its standard error, else its error estimate; NaN where nothing is known.
    """
    values, errors = runs[quantity].to_numpy().astype(np.float64), _absolute_errors(runs, quantity)
    systematic = np.isnan(_optional(runs, "magnetization_stderr"))
    spreads = errors[[group[0] for group in groups]]
    for k, group in enumerate(groups):
        if len(group) > 1:
            spread = values[group].std(ddof=1) / np.sqrt(len(group))
            spreads[k] = max(spread, np.nan_to_num(errors[group][systematic[group]]).max(initial=0.0))
    return np.array([values[group].mean() for group in groups]), spreads


def _absolute_errors(runs: xr.Dataset, quantity: str) -> FloatArray:
    """(run,) the standard error where there is one, else the estimate of the discretisation error."""
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
    """The same at some positions; NaN is one value."""
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
    """Values of a coordinate for a message or a legend: the first few of many, and long texts cut short."""
    shown = [value[:_LONGEST] or "none" if isinstance(value, str) else f"{value:g}" for value in values[:_SHOWN]]
    more = f", and {len(values) - _SHOWN} more" if len(values) > _SHOWN else ""
    return ", ".join(shown) + more


def _one_value(columns: Mapping[str, NDArray[Any]], names: list[str]) -> str:
    """What to do about runs that differ in some coordinates."""
    chosen: list[str] = []
    unset = {name for name in curve_options() if np.isin(columns[name].astype(str), ("nan", "")).any()}
    if unset.intersection(names):  # runs of engines without the option, which groupby would leave out
        names = ["engine", *(name for name in names if name not in unset)]
    for name in names:  # those that follow from the ones before are not needed
        before, after = (
            set(zip(*(columns[c].astype(str) for c in cs), strict=True)) for cs in (chosen, [*chosen, name])
        )
        if len(after) > max(1, len(before)):
            chosen.append(name)
    by = repr(chosen[0]) if len(chosen) == 1 else repr(chosen)
    return (
        f"take each alone, as by `for name, group in data.groupby({by}): ...`, or keep some, as by "
        f"data.isel(run=data[{names[0]!r}] == ...). For a list of records, "
        "data = spinbattery.gather(records)."
    )
