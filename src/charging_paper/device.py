"""The annealer's runs of the paper: networks on a Pegasus chip, and the three protocols."""

from __future__ import annotations

import spinbattery as sb

from .parameters import ANNEALER_DURATION, QUICK_READS
from .runs import Request, Runs

WORKING_GRAPH = "pegasus:16/missing:28:seed:7"
"""As many qubits as the paper's chip, 5612; which 28 are missing there is not published."""

SIZES = range(2, 17)

_FEW = QUICK_READS // 2
QUICK_SIZES = {2: 1000, 3: 400, 4: QUICK_READS, 6: _FEW, 9: _FEW, 16: _FEW}
"""Regions by default and their reads: more on small ones, where few spins flip, and each read costs less."""

PROTOCOLS = {
    "cooperative": sb.ProtocolRecipe("cooperative", ANNEALER_DURATION),
    "local": sb.ProtocolRecipe("local", ANNEALER_DURATION),
    "local equal-cost": sb.ProtocolRecipe("local", ANNEALER_DURATION, equal_cost=True),
}
"""The two protocols of the paper, and the local one with the cost of the cooperative one over the whole schedule."""


def region(m: int) -> str:
    """Text form of the region P_m of the working graph."""
    return WORKING_GRAPH if m == max(SIZES) else f"{WORKING_GRAPH}/region:{m}"


def on_any_chip(network: str, size: int) -> str:
    """The same choice of qubits on another working graph of Pegasus, P_size, whatever is missing there."""
    return network.replace(WORKING_GRAPH, f"pegasus:{size}")


def _request(m: int, recipe: sb.ProtocolRecipe) -> Request:
    reads = QUICK_SIZES.get(m, QUICK_READS)
    return Request(region(m), recipe, on_annealer=True, reads=reads, full_only=m not in QUICK_SIZES)


REQUESTS = {name: [_request(m, recipe) for m in SIZES] for name, recipe in PROTOCOLS.items()}
"""Runs of each protocol from P2 to P16."""


def regions(runs: Runs) -> str:
    """The regions that a reproduction has."""
    found = {request.network for request in REQUESTS["cooperative"] if request in runs}
    names = [f"P{m}" for m in SIZES if region(m) in found]
    return f"{names[0]} to {names[-1]}" if len(names) == len(SIZES) else ", ".join(names)
