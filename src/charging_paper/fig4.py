"""Fig. 4: the local field of equal cost, and what equal cost means."""

from __future__ import annotations

import math
from dataclasses import replace

from spinbattery.figures.protocols import plot_local_field
from spinbattery.model.cost import scaled_norm
from spinbattery.model.network import torus
from spinbattery.model.network_text import parse_network
from spinbattery.model.protocol import Protocol, cooperative, local_field
from spinbattery.model.scales import advantage_system6

from . import device
from .parameters import COOPERATIVE, TORI
from .runs import Request, Runs, torus_name
from .section import AuditItem, FigureItem, Section, TableItem

_J, _H = COOPERATIVE.J, COOPERATIVE.field
_AUDITED_TORI, _AUDITED_REGIONS = ((2, 2), (3, 3), (3, 4)), (2, 4, 16)
_DRAWN = (2, 3, 4, 8, 16)
"""Regions with a label in the figure: the others would cover each other."""


REQUESTS: list[Request] = []
"""Runs this part needs: none."""


def build(runs: Runs) -> Section:
    """h_L against n_C/N, and LP/CP costs; nothing is simulated."""
    cp = cooperative(60.0, _J, _H)
    named = [(torus_name(size), torus(*size).pairs_per_spin, "o") for size in TORI]
    networks = {m: parse_network(device.region(m)) for m in device.SIZES}
    regions = {m: f"P{m}, N = {network.n_spins}" for m, network in networks.items()}
    named += [(regions[m], network.pairs_per_spin, "s") for m, network in networks.items()]
    rows = []
    ratios: dict[str, float] = {}
    for name, pairs_per_spin, _ in named:
        local = _local(cp, pairs_per_spin)
        cost_cp, cost_lp = cp.cost_of_size(1, pairs_per_spin), local.cost_of_size(1, 0.0)
        ratios[name] = cost_lp.integral / cost_cp.integral
        rows.append(
            (name, f"{pairs_per_spin:.4f}", f"{abs(local.h):.4f}", f"{cost_lp.matched / cost_cp.matched:.4f}",
             f"{ratios[name]:.4f}", f"{cost_lp.peak / cost_cp.peak:.4f}")
        )  # fmt: skip
    crowded = [name for m, name in regions.items() if m not in _DRAWN]
    distinct = list({ratio: (name, ratio, marker) for name, ratio, marker in reversed(named)}.values())
    audited = [*(torus_name(size) for size in _AUDITED_TORI), *(regions[m] for m in _AUDITED_REGIONS)]
    return Section(
        "fig4",
        "Fig. 4: the local field of equal cost",
        (
            "The local field of Eq. 19 at g = 1 grows with the number of pairs per spin. It makes both protocols cost "
            "the same at that one instant; over the whole schedule the local protocol spends about half.",
        ),
        (
            FigureItem(
                "fig4",
                "Fig. 4: |h_L| against n_C/N for J = -0.2, h = -0.5, with the tori and the regions P2 to P16 of a "
                "Pegasus graph with 28 missing qubits; n_C/N is counted on each graph.",
                plot_local_field(_H, _J, [point for point in distinct if point[0] not in crowded]),
            ),
        ),
        (
            TableItem(
                "Cost of the local protocol divided by that of the cooperative one (s_hold = 0.35).",
                ("network", "n_C/N", "|h_L|", "at g = 1", "integral", "peak"),
                rows,
            ),
        ),
        _audit({name: ratio for name, ratio in ratios.items() if name in audited}),
    )


def _local(cp: Protocol, pairs_per_spin: float) -> Protocol:
    """The local protocol where only n_C/N is known, not the network."""
    return replace(cp, J=0.0, h=local_field(cp.h, cp.J, pairs_per_spin))


def _audit(ratios: dict[str, float]) -> tuple[AuditItem, ...]:
    at_seven = abs(local_field(_H, _J, 7.0))
    # Eq. 5 and Eq. 19 agree at g = 1 only; at g = 1/2 one of them no longer matches the norms
    g, half_b, bx, n_c = 0.5, float(advantage_system6().B(0.35)) / 2, -0.5 * float(advantage_system6().A(0.35)), 2.0
    cp_norm = float(scaled_norm(1, n_c, bx, g * _H * half_b, _J * half_b))
    printed = math.sqrt(_H**2 + n_c * _J**2 / g)
    corrected = abs(local_field(_H, _J, n_c, g))
    norms = [float(scaled_norm(1, 0.0, bx, g * h * half_b, 0.0)) / cp_norm for h in (printed, corrected)]
    return (
        AuditItem(
            "h_L at n_C/N = 7 (Fig. 4)", "0.73", f"{at_seven:.4f}", "J = -0.2, h = -0.5, g = 1", "reproduced", ""
        ),
        AuditItem(
            "Eq. 5", "J^2/g", "J^2/g^2",
            f"g = 0.5, n_C/N = 2: LP/CP norm {norms[0]:.4f} with J^2/g, {norms[1]:.4f} with J^2/g^2",
            "misprint", "Eq. 19 has g^2; the two agree at g = 1, where the paper uses them.",
        ),
        AuditItem(
            "Equal resources, Eq. 16-19", "CP and LP cost the same",
            ", ".join(f"{name} {ratio:.3f}" for name, ratio in ratios.items()),
            "LP/CP of int ||H||_HS dt, s_hold = 0.35", "corrected",
            "The norms match at the one instant g = 1; integrated, the LP spends about half of the CP's cost.",
        ),
    )  # fmt: skip
