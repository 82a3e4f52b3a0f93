"""The abstract's critical point: whether the hold crosses it, from the energy scales in use; nothing is simulated."""

from __future__ import annotations

import spinbattery as sb
from spinbattery.analysis.criticality import CRITICAL_RATIOS

from .parameters import ADIABATIC_S_HOLD, COOPERATIVE
from .runs import Runs
from .section import AuditItem, Section, TableItem

_RING, _SQUARE, _PEGASUS = CRITICAL_RATIOS["ring"], CRITICAL_RATIOS["square lattice"], 15.0
"""Transverse field over coupling at the transition."""
_NETWORKS = (
    ("ring", _RING, "exact"),
    ("square torus", _SQUARE, "arXiv:2511.10934"),
    ("Pegasus, 15 neighbours", _PEGASUS, "mean field, which is too high: 2 on a ring, 4 on a square lattice"),
)
_J, _S_HOLD = COOPERATIVE.J, COOPERATIVE.s_hold
_PRINTED_J = -0.5


def build(runs: Runs) -> Section:
    """Transverse field over coupling in the hold, and the s at which each network is critical."""
    return Section(
        "Does the hold cross the critical point?",
        "Without a longitudinal field the ground state is ordered, all up or all down, while A(s)/(|J| B(s)) is below "
        "a critical value, and disordered above. The value holds for infinite networks; on the tori of Table I there "
        "is a crossover about it. A protocol crosses it if its hold lies below the s of the last column.",
        f"With s_hold = {_S_HOLD:g} and J = {_J:g} the hold has the ratio {sb.field_ratio(_S_HOLD, _J):.3f}. A ring is "
        "disordered there, a square torus is not: the field then comes on while all-down is a false vacuum of the "
        "ordered phase, and what charges is its decay, a reversal of the field and no passage through a transition "
        f"(part 'spectrum' shows the doublet hardly open). With s_hold = {ADIABATIC_S_HOLD:g} the ratio is "
        f"{sb.field_ratio(ADIABATIC_S_HOLD, _J):.3f}, and the square lattice's critical point is crossed.",
        TableItem(
            f"Transverse field over coupling A(s)/(|J| B(s)), J = {_J:g}",
            [
                {
                    "network": network,
                    "critical": f"{critical:g}",
                    "from": source,
                    **{f"at s_hold = {hold:g}": _cell(hold, critical) for hold in (_S_HOLD, ADIABATIC_S_HOLD)},
                    "crossed by a hold below s =": f"{sb.critical_fraction(critical, _J):.3f}",
                }
                for network, critical, source in _NETWORKS
            ],
        ),
        _audit(),
    )


def _audit() -> AuditItem:
    """The abstract's critical point against the ratio in the hold."""
    ratio = float(sb.field_ratio(_S_HOLD, _J))
    at_ring, at_square, at_pegasus = (sb.critical_fraction(critical, _J) for critical in (_RING, _SQUARE, _PEGASUS))
    return AuditItem(
        "Abstract: charging by crossing a critical point",
        "the crossing of a phase transition's critical point",
        f"A/(|J| B) = {ratio:.3f} in the hold; critical at {_SQUARE:g} on a square torus, so crossed for s_hold < "
        f"{at_square:.3f} alone; at {_RING:g} on a ring, crossed for s_hold < {at_ring:.3f}",
        f"J = {_J:g}, s_hold = {_S_HOLD:g}, smooth Advantage_system6 model, no longitudinal field, N to infinity",
        "not supported",
        "On square tori the hold stays in the ordered phase. What charges is a reversal of the longitudinal field "
        "there, the decay of a false vacuum. On rings the critical point is crossed (with the printed J = "
        f"{_PRINTED_J:g} the ratio is {sb.field_ratio(_S_HOLD, _PRINTED_J):.3f}, and it is not). On Pegasus mean field "
        f"is critical at {_PEGASUS:g}, s = {at_pegasus:.3f}. Mean field is too high, by a factor {2.0 / _RING:g} on a "
        f"ring and {4.0 / _SQUARE:.2f} on a square lattice, and less so with more neighbours. For a critical hold on "
        f"Pegasus it would have to be too high by {_PEGASUS / ratio:.1f}: this hold is deep in the ordered phase.",
    )


def _cell(s_hold: float, critical: float) -> str:
    ratio = float(sb.field_ratio(s_hold, _J))
    return f"{ratio:.3f}, {'disordered' if ratio > critical else 'ordered'}"
