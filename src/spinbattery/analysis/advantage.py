"""Precision of one protocol over that of every local protocol of equal cost."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from ..core.checks import is_one_of, positive, switch
from ..core.errors import FitError, InvalidParameterError, did_you_mean
from ..core.typing import IntArray
from ..records.charge_state import ChargeState
from .points import HoldsRuns, averages, charge_states, refuse_uncharged, runs_of, seed_groups

if TYPE_CHECKING:
    import xarray as xr

CostName: TypeAlias = Literal["integral", "matched", "peak"]

COSTS = {"integral": "hs_cost", "matched": "hs_cost_matched", "peak": "hs_cost_peak"}
"""Senses in which protocols can cost the same, with the variables that hold them."""

COST_PHRASES = {
    "integral": "integrated cost",
    "matched": "cost at the instant of largest |g|",
    "peak": "peak cost",
}

_COMMON = ("network", "network_hash", "n_spins", "n_pairs", "duration", "crosstalk", "noise", "scales_hash")
"""Coordinates in which a baseline is like its reference."""

_OWN = ("s_hold", "J", "field", "engine")
"""Coordinates in which it may differ."""

_MEANINGS = {
    "precision_ratio": "precision over that of the baseline",
    "precision_ratio_error": "absolute error of precision_ratio",
    "precision": "1/sigma^2",
    "magnetization": "mu = <Sz>/N at the end",
    "n_seeds": "runs averaged, which differ in their seeds alone",
    **{f"cost_ratio_{cost}": f"{phrase}, baseline over reference" for cost, phrase in COST_PHRASES.items()},
}

_SHOWN = 6


@dataclass(frozen=True)
class _Charged:
    """One problem as charged by one engine, averaged over seeds."""

    coordinates: Mapping[str, Any]
    costs: Mapping[str, float]
    precision: float
    precision_error: float
    magnetization: float
    positions: IntArray
    charge_state: str

    @property
    def n_seeds(self) -> int:
        return len(self.positions)

    @property
    def common(self) -> tuple[Any, ...]:
        found = (self.coordinates[name] for name in _COMMON)
        return tuple(None if value != value else value for value in found)  # NaN, which equals nothing, as None

    def cost_ratios(self, reference: _Charged) -> dict[str, float]:
        return {cost: self.costs[cost] / reference.costs[cost] for cost in COSTS}

    def __str__(self) -> str:
        here = self.coordinates
        return f"{here['network']}, {here['duration']:g} ns, s_hold {here['s_hold']:g}"


def advantage(
    data: xr.Dataset | HoldsRuns,
    of: str = "cooperative",
    cost: CostName = "integral",
    rtol: float = 1e-6,
    *,
    include_uncharged: bool = False,
) -> xr.Dataset:
    """Precision of a protocol over that of every local protocol that costs the same.

    Runs of the protocol ``of`` are set against those of all other protocols with J = 0 that have the
    same network, duration, cross-talk and energy scales, and an equal cost; s_hold may differ. Local
    protocols are not all alike: the paper's own is far less precise than the polarised local one at
    equal cost, so each is a baseline of its own.

    "Equal cost" is one of three: the time integral of ||H||_HS; ||H||_HS at the one instant where |g| is
    largest, which is the paper's sense (Eq. 19); or its peak. Two protocols equal in one are in general
    not equal in the others, so all three ratios are returned.

    Runs that differ in their seeds alone are averaged. Errors are standard errors of the mean over
    several seeds, else the standard error or error estimate of the run; that of the ratio takes those of
    both sides as independent.

    Args:
        data: runs along a dimension ``run``, as a store selects them, or the result of a sweep.
        of: name of the protocol whose advantage is asked for.
        cost: ``integral``, ``matched`` (where |g| is largest) or ``peak``.
        rtol: relative difference up to which costs count as equal.
        include_uncharged: compare runs too whose sigma is not that of a charge, see
            :class:`~spinbattery.records.charge_state.ChargeState`.

    Returns:
        A Dataset with a dimension ``pair``, one entry for each run of ``of`` and baseline of equal cost.
        Coordinates: network, n_spins, n_pairs, duration (ns), crosstalk, noise, scales_hash, of, baseline
        (both names of protocols), and s_hold, J, field, engine, charge_state with their counterparts ``*_baseline``.
        Variables: precision_ratio (above 1 where ``of`` is the more precise), precision_ratio_error
        (absolute), precision, magnetization and n_seeds with their counterparts ``*_baseline``, and
        cost_ratio_integral, cost_ratio_matched, cost_ratio_peak (baseline over ``of``). What is not
        known is NaN, as the precision where sigma is zero to rounding. Attributes: of, cost, rtol, and
        ``without_baseline``, which names runs of ``of`` that no baseline equals in cost, if any.

    Raises:
        InvalidParameterError: no run of ``of``, an unknown cost, or an rtol not above zero.
        FitError: no local run of equal cost (the message lists the cost ratios that there are), runs of a pair
            that are no charge, runs that are there twice, or data that are no Dataset of runs.
    """
    runs = runs_of(data)
    if not is_one_of(cost, COSTS):
        raise InvalidParameterError(f"cost must be one of {', '.join(COSTS)}, but is {cost!r}.{_near(cost, COSTS)}")
    rtol, include_uncharged = positive("rtol", rtol), switch("include_uncharged", include_uncharged)
    charged = _charged(runs)
    protocols = list(dict.fromkeys(each.coordinates["protocol"] for each in charged))
    if not is_one_of(of, protocols):
        raise InvalidParameterError(
            f"no run is of the protocol {of!r}; there are {', '.join(protocols)}.{_near(of, protocols)}"
        )
    references = [each for each in charged if each.coordinates["protocol"] == of]
    candidates = [(reference, baseline) for reference in references for baseline in _baselines(reference, charged)]
    pairs = _equal(candidates, cost, rtol)
    if not pairs:
        raise FitError(_no_baseline(candidates, charged, of, cost, rtol))
    if not include_uncharged:
        used = {int(k) for pair in pairs for side in pair for k in side.positions}
        refuse_uncharged(runs.isel(run=sorted(used)))
    found = _dataset(pairs)
    found.attrs = {"of": of, "cost": cost, "rtol": rtol}
    alone = [str(each) for each in references if all(each is not reference for reference, _ in pairs)]
    if alone:
        found.attrs["without_baseline"] = "; ".join(alone)
    return found


def _charged(runs: xr.Dataset) -> list[_Charged]:
    names = ("protocol", *_COMMON, *_OWN)
    missing = [variable for variable in COSTS.values() if variable not in runs]
    if missing:
        raise FitError(f"the Dataset lacks {', '.join(missing)}; without its cost no run can be compared.")
    groups = seed_groups(runs)
    precision, error = averages(runs, "precision", groups)
    magnetization, _ = averages(runs, "magnetization", groups)
    first = runs.isel(run=[group[0] for group in groups])
    coordinates = {name: first[name].to_numpy().tolist() for name in names}
    costs = {cost: first[variable].to_numpy().tolist() for cost, variable in COSTS.items()}
    states = charge_states(runs)
    return [
        _Charged(
            {name: column[k] for name, column in coordinates.items()},
            {cost: column[k] for cost, column in costs.items()},
            float(precision[k]),
            float(error[k]),
            float(magnetization[k]),
            group,
            _state_of([states[position] for position in group]),
        )
        for k, group in enumerate(groups)
    ]


def _state_of(states: Sequence[ChargeState | None]) -> str:
    """The verdict on runs that differ in their seeds: one that is no charge, where there is any."""
    return str(next((state for state in states if state is not None and not state.is_charge), states[0]) or "")


def _baselines(reference: _Charged, charged: Sequence[_Charged]) -> Iterator[_Charged]:
    """Other protocols without coupling; cross-talk does not make a protocol cooperative."""
    for each in charged:
        other = each.coordinates["protocol"] != reference.coordinates["protocol"]
        if other and each.coordinates["J"] == 0.0 and each.common == reference.common:
            yield each


def _equal(candidates: Sequence[tuple[_Charged, _Charged]], cost: str, rtol: float) -> list[tuple[_Charged, _Charged]]:
    return [
        (reference, baseline)
        for reference, baseline in candidates
        if abs(baseline.cost_ratios(reference)[cost] - 1.0) <= rtol
    ]


def _dataset(pairs: Sequence[tuple[_Charged, _Charged]]) -> xr.Dataset:
    import xarray as xr

    references, baselines = ([pair[side] for pair in pairs] for side in (0, 1))
    coordinates: dict[str, list[Any]] = {name: [each.coordinates[name] for each in references] for name in _COMMON}
    coordinates["of"] = [each.coordinates["protocol"] for each in references]
    coordinates["baseline"] = [each.coordinates["protocol"] for each in baselines]
    variables: dict[str, list[Any]] = {
        "precision_ratio": [a.precision / b.precision for a, b in pairs],
        "precision_ratio_error": [
            a.precision / b.precision * math.hypot(a.precision_error / a.precision, b.precision_error / b.precision)
            for a, b in pairs
        ],
        **{f"cost_ratio_{cost}": [b.cost_ratios(a)[cost] for a, b in pairs] for cost in COSTS},
    }
    for side, ending in ((references, ""), (baselines, "_baseline")):
        coordinates |= {f"{name}{ending}": [each.coordinates[name] for each in side] for name in _OWN}
        coordinates[f"charge_state{ending}"] = [each.charge_state for each in side]
        variables |= {
            f"{name}{ending}": [getattr(each, name) for each in side]
            for name in ("precision", "magnetization", "n_seeds")
        }
    found = xr.Dataset(
        {name: ("pair", np.array(values)) for name, values in variables.items()},
        {name: ("pair", np.array(values)) for name, values in coordinates.items()},
    )
    for name, variable in found.data_vars.items():
        variable.attrs = {"units": "1", "long_name": _MEANINGS[str(name).removesuffix("_baseline")]}
    found["duration"].attrs["units"] = "ns"
    return found


def _no_baseline(
    candidates: Sequence[tuple[_Charged, _Charged]], charged: Sequence[_Charged], of: str, cost: str, rtol: float
) -> str:
    """Why there is no pair, and what to do."""
    if not candidates:
        local = {each.coordinates["protocol"] for each in charged if each.coordinates["J"] == 0.0} - {of}
        found = f"the local ones are {', '.join(sorted(local))}" if local else "no other protocol here has J = 0"
        return (
            f"{of} has no local baseline on the same network, with the same duration, cross-talk and energy scales: "
            f"{found}; add runs of local and polarised-local protocols for it."
        )
    ratios = [
        f"{reference}: {baseline.coordinates['protocol']} {baseline.cost_ratios(reference)[cost]:.6g}"
        for reference, baseline in candidates
    ]
    more = f"; and {len(ratios) - _SHOWN} more" if len(ratios) > _SHOWN else ""
    others = [name for name in COSTS if name != cost and _equal(candidates, name, rtol)]
    instead = "".join(f" There are some of equal {COST_PHRASES[name]}: cost={name!r}." for name in others)
    return (
        f"no local baseline has the {COST_PHRASES[cost]} of {of} within {rtol:g}. Baseline over {of}: "
        f"{'; '.join(ratios[:_SHOWN])}{more}.{instead} Baselines of equal integrated cost are made by "
        "ProtocolRecipe(..., equal_cost=True) in Python, --equal-cost on the command line, or equal_cost = true in an "
        "experiment file; the paper's local protocol is equal at the instant of largest |g| alone (cost='matched')."
    )


def _near(name: object, known: Any) -> str:
    return did_you_mean(name, known) if isinstance(name, str) else ""
