"""The annealer's runs of the paper: which networks and protocols, and what was printed of them."""

from __future__ import annotations

from spinbattery.model.recipe import ProtocolRecipe

from .runs import Request, Run, Runs

WORKING_GRAPH = "pegasus:16/missing:28:seed:7"
"""As many qubits as the paper's chip, 5612; which 28 are missing there is not published."""

SIZES = range(2, 17)
DURATION = "60us"

PROTOCOLS = {
    "cooperative": ProtocolRecipe("cooperative", DURATION),
    "local": ProtocolRecipe("local", DURATION),
    "local equal-cost": ProtocolRecipe("local", DURATION, equal_cost=True),
}
"""The paper's two, and the local one that spends what the cooperative one spends over the whole schedule."""

PRINTED_FITS = {
    "cooperative": {"c": 350.0, "c_err": 311.0, "alpha": 1.39, "alpha_err": 0.11},
    "local": {"c": 1.85, "c_err": 1.09, "alpha": 1.07, "alpha_err": 0.07},
}
"""Table I, rows of the QPU."""

N_QPU = 5612
PRINTED_MAGNETIZATION = {"cooperative": 0.999, "local": 0.833}
"""At N = 5612."""


def region(m: int) -> str:
    """Text form of the region P_m of the working graph."""
    return WORKING_GRAPH if m == max(SIZES) else f"{WORKING_GRAPH}/region:{m}"


def on_any_chip(network: str, size: int) -> str:
    """The same choice of qubits on another working graph of Pegasus, P_size, whatever is missing there."""
    return network.replace(WORKING_GRAPH, f"pegasus:{size}")


REQUESTS = {name: [Request(region(m), recipe, on_annealer=True) for m in SIZES] for name, recipe in PROTOCOLS.items()}
"""Runs of each protocol from P2 to P16."""


def curves(runs: Runs) -> dict[str, list[Run]]:
    """Finished runs of each protocol, ascending in N."""
    return {name: [runs[request] for request in requests] for name, requests in REQUESTS.items()}
