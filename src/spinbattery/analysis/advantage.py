"""Precision of one protocol relative to every local protocol of equal cost."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..core.checks import check_choice, is_one_of, positive, switch
from ..core.errors import FitError, InvalidParameterError, did_you_mean
from ..core.typing import FloatArray, IntArray
from ..records.charge_state import ChargeState
from .points import Runs, averages, charge_states, refuse_uncharged, runs_of, seed_groups

if TYPE_CHECKING:
    import xarray as xr

CostName: TypeAlias = Literal["integral", "matched", "peak"]
Table: TypeAlias = dict[str, NDArray[Any]]

COSTS = {"integral": "hs_cost", "matched": "hs_cost_matched", "peak": "hs_cost_peak"}
"""Senses in which protocols can cost the same, with the variables that hold them."""

COST_PHRASES = {
    "integral": "integrated cost",
    "matched": "cost at the instant of largest |g|",
    "peak": "peak cost",
}

_COMMON = ("network", "network_hash", "n_spins", "n_pairs", "duration", "crosstalk", "noise", "scales_hash")
"""Coordinates that a baseline shares with its reference."""

_OWN = ("s_hold", "J", "field", "engine")
"""Coordinates in which it may differ."""

_MEANINGS = {
    "precision_ratio": "precision over precision of the baseline",
    "precision_ratio_error": "absolute error of precision_ratio",
    "precision": "1/sigma^2",
    "magnetization": "mu = <Sz>/N at the end",
    "n_seeds": "runs averaged, which differ in their seeds alone",
    **{f"cost_ratio_{cost}": f"{phrase}, baseline over reference" for cost, phrase in COST_PHRASES.items()},
}

_SHOWN = 6


def advantage(
    data: Runs,
    of: str = "cooperative",
    cost: CostName = "integral",
    rtol: float = 1e-6,
    *,
    include_uncharged: bool = False,
) -> xr.Dataset:
    """Precision of a protocol relative to every local protocol that costs the same.

    Runs of the protocol ``of`` are compared with the runs of every other protocol with J = 0 that have the same
    network, duration, cross-talk, noise and energy scales, and an equal cost; s_hold may differ. Runs that differ in
    their seeds alone are averaged. Errors are standard errors of the mean over several seeds, else the standard error
    or error estimate of the run; the error of the ratio takes both sides as independent.

    Args:
        data: records, a Dataset with dimension ``run``, or the result of a sweep.
        of: name of the protocol whose advantage is asked for.
        cost: which cost is equal: ``integral`` (||H||_HS over time), ``matched`` (||H||_HS at the one instant where
            |g| is largest, as in the paper's Eq. 19) or ``peak``. Where one is equal, the others in general differ.
        rtol: relative difference up to which costs count as equal.
        include_uncharged: compare uncharged runs too (:class:`~spinbattery.records.charge_state.ChargeState`), whose
            sigma is not the fluctuation of a charge.

    Returns:
        A Dataset with a dimension ``pair``, one entry for each run of ``of`` and baseline of equal cost.
        Coordinates: network, n_spins, n_pairs, duration (ns), crosstalk, noise, scales_hash, of, baseline
        (both names of protocols), and s_hold, J, field, engine, charge_state with their counterparts ``*_baseline``.
        Variables: precision_ratio (above 1 where ``of`` is the more precise), precision_ratio_error
        (absolute), precision, magnetization and n_seeds with their counterparts ``*_baseline``, and
        cost_ratio_integral, cost_ratio_matched, cost_ratio_peak (baseline over ``of``). NaN where a value is not
        known, such as the precision where sigma is zero to rounding. Attributes: of, cost, rtol, and
        ``without_baseline``, which names runs of ``of`` without a baseline of equal cost, if any.

    Raises:
        InvalidParameterError: no run of ``of``, an unknown cost, or an rtol not above zero.
        FitError: no local run of equal cost (the message lists the cost ratios that there are), uncharged runs in a
            pair, runs that are there twice, or data that are no runs.
    """
    runs = runs_of(data)
    check_choice("cost", cost, COSTS)
    rtol, include_uncharged = positive("rtol", rtol), switch("include_uncharged", include_uncharged)
    groups = seed_groups(runs)
    table = _averaged(runs, groups)
    candidates = _candidates(table, of)
    pairs = candidates[_are_equal(table, candidates, cost, rtol)]
    if not len(pairs):
        raise FitError(_no_baseline(table, candidates, of, cost, rtol))
    if not include_uncharged:
        refuse_uncharged(runs.isel(run=np.unique(np.concatenate([groups[k] for k in pairs.ravel()]))))
    found = _dataset(table, pairs)
    found.attrs = {"of": of, "cost": cost, "rtol": rtol}
    alone = np.setdiff1d(np.flatnonzero(table["protocol"] == of), pairs[:, 0])
    if len(alone):
        found.attrs["without_baseline"] = "; ".join(_name(table, k) for k in alone)
    return found


def _averaged(runs: xr.Dataset, groups: list[IntArray]) -> Table:
    """Columns of coordinates, costs and mean values, with one row for each group of runs."""
    missing = [variable for variable in COSTS.values() if variable not in runs]
    if missing:
        raise FitError(f"the Dataset lacks {', '.join(missing)}; runs cannot be compared without their costs.")
    first = runs.isel(run=[group[0] for group in groups])
    table = {name: first[name].to_numpy() for name in ("protocol", *_COMMON, *_OWN, *COSTS.values())}
    table["precision"], table["precision_error"] = averages(runs, "precision", groups)
    table["magnetization"], _ = averages(runs, "magnetization", groups)
    table["n_seeds"] = np.array([len(group) for group in groups])
    states = charge_states(runs)
    table["charge_state"] = np.array([_verdict([states[k] for k in group]) for group in groups])
    return table


def _verdict(states: Sequence[ChargeState | None]) -> str:
    """The verdict on runs that differ in their seeds; one uncharged run decides."""
    return str(next((state for state in states if state is not None and not state.is_charge), states[0]) or "")


def _candidates(table: Table, of: str) -> IntArray:
    """Rows (pairs, 2) of a run of ``of`` and a baseline, whatever their costs.

    A baseline is another protocol without coupling; cross-talk does not make a protocol cooperative.
    """
    protocols = list(dict.fromkeys(table["protocol"].tolist()))
    if not is_one_of(of, protocols):
        near = did_you_mean(of, protocols) if isinstance(of, str) else ""
        raise InvalidParameterError(f"no run is of the protocol {of!r}; there are {', '.join(protocols)}.{near}")
    # numbers in place of values, as NaN equals NaN in np.unique
    columns = [np.unique(table[name], return_inverse=True)[1] for name in _COMMON]
    common = np.unique(np.stack(columns), axis=1, return_inverse=True)[1]
    is_reference = table["protocol"] == of
    is_baseline = ~is_reference & (table["J"] == 0.0)
    return np.argwhere(is_reference[:, None] & is_baseline & (common[:, None] == common))


def _cost_ratios(table: Table, pairs: IntArray, cost: str) -> FloatArray:
    """Costs of baselines over costs of references, (pairs,)."""
    reference, baseline = pairs.T
    return np.asarray(table[COSTS[cost]][baseline] / table[COSTS[cost]][reference])


def _are_equal(table: Table, pairs: IntArray, cost: str, rtol: float) -> NDArray[np.bool_]:
    return np.abs(_cost_ratios(table, pairs, cost) - 1.0) <= rtol


def _dataset(table: Table, pairs: IntArray) -> xr.Dataset:
    import xarray as xr

    a, b = ({name: column[rows] for name, column in table.items()} for rows in pairs.T)
    coordinates = {name: a[name] for name in _COMMON} | {"of": a["protocol"], "baseline": b["protocol"]}
    ratio = a["precision"] / b["precision"]
    relative = (side["precision_error"] / side["precision"] for side in (a, b))
    variables = {
        "precision_ratio": ratio,
        "precision_ratio_error": ratio * np.array([math.hypot(*errors) for errors in zip(*relative, strict=True)]),
        **{f"cost_ratio_{cost}": _cost_ratios(table, pairs, cost) for cost in COSTS},
    }
    for side, ending in ((a, ""), (b, "_baseline")):
        coordinates |= {f"{name}{ending}": side[name] for name in (*_OWN, "charge_state")}
        variables |= {f"{name}{ending}": side[name] for name in ("precision", "magnetization", "n_seeds")}
    found = xr.Dataset(
        {name: ("pair", values) for name, values in variables.items()},
        {name: ("pair", values) for name, values in coordinates.items()},
    )
    for name, variable in found.data_vars.items():
        variable.attrs = {"units": "1", "long_name": _MEANINGS[str(name).removesuffix("_baseline")]}
    found["duration"].attrs["units"] = "ns"
    return found


def _name(table: Table, k: int) -> str:
    return f"{table['network'][k]}, {table['duration'][k]:g} ns, s_hold {table['s_hold'][k]:g}"


def _no_baseline(table: Table, candidates: IntArray, of: str, cost: str, rtol: float) -> str:
    """Why there is no pair, and what to do."""
    if not len(candidates):
        local = np.setdiff1d(table["protocol"][table["J"] == 0.0], [of])
        found = f"the local ones are {', '.join(local)}" if len(local) else "no other protocol here has J = 0"
        return (
            f"{of} has no local baseline on the same network, with the same duration, cross-talk and energy scales: "
            f"{found}; add runs of local and polarised-local protocols for it."
        )
    ratios = [
        f"{_name(table, reference)}: {table['protocol'][baseline]} {ratio:.6g}"
        for (reference, baseline), ratio in zip(candidates, _cost_ratios(table, candidates, cost), strict=True)
    ]
    more = f"; and {len(ratios) - _SHOWN} more" if len(ratios) > _SHOWN else ""
    others = [name for name in COSTS if name != cost and _are_equal(table, candidates, name, rtol).any()]
    instead = "".join(f" There are some of equal {COST_PHRASES[name]}: cost={name!r}." for name in others)
    return (
        f"no local baseline has the {COST_PHRASES[cost]} of {of} within {rtol:g}. Baseline over {of}: "
        f"{'; '.join(ratios[:_SHOWN])}{more}.{instead} Baselines of equal integrated cost are made by "
        "ProtocolRecipe(..., equal_cost=True), or by equal_cost = true in an experiment file; the paper's local "
        "protocol is equal at the instant of largest |g| alone (cost='matched')."
    )
