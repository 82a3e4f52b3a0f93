"""Whether the hold crosses the critical point of the network, from the energy scales in use."""

from __future__ import annotations

from spinbattery.analysis.criticality import CRITICAL_RATIOS, critical_fraction, field_ratio
from spinbattery.model.recipe import ProtocolRecipe

from .parameters import ADIABATIC_S_HOLD, COOPERATIVE
from .runs import Request, Runs
from .section import AuditItem, Section, TableItem

REQUESTS: list[Request] = []
"""Nothing is simulated."""

_PEGASUS = "Pegasus, 15 neighbours"
_RATIOS = {
    "ring": (CRITICAL_RATIOS["ring"], "exact"),
    "square torus": (CRITICAL_RATIOS["square lattice"], "arXiv:2511.10934"),
    _PEGASUS: (15.0, "mean field, which is too much: 2 on a ring, 4 on a square lattice"),
}
"""Transverse field over coupling at the transition, and where it is from."""
_PRINTED_J = -0.5


def build(runs: Runs) -> Section:
    """Transverse field over coupling in the hold, and the s at which each network is critical."""
    J, s_hold = COOPERATIVE.J, COOPERATIVE.s_hold
    return Section(
        "criticality",
        "Does the hold cross the critical point?",
        (
            "With no longitudinal field the ground state is ordered, all up or all down, where the transverse field "
            "is weak against the coupling, A(s)/(|J| B(s)) below a critical value, and disordered above. That value is "
            "one of networks without end: on the tori of Table I there is a crossover about it. A protocol crosses it "
            "where its hold lies below the s of the last column.",
            f"With s_hold = {s_hold:g} and J = {J:g} the ratio in the hold is {_ratio(s_hold, J):.3f}. A ring is "
            "disordered there, a square torus is not: the field then comes on while all-down is a false vacuum of the "
            "ordered phase, and what charges is its decay, a reversal of the field and no passage through a transition "
            f"(part 'spectrum' shows the doublet hardly open). With s_hold = {ADIABATIC_S_HOLD:g} the ratio is "
            f"{_ratio(ADIABATIC_S_HOLD, J):.3f}, and the square lattice's critical point is crossed.",
        ),
        tables=(
            TableItem(
                f"Transverse field over coupling A(s)/(|J| B(s)), J = {J:g}",
                (
                    "network",
                    "critical",
                    "from",
                    *(f"at s_hold = {hold:g}" for hold in (s_hold, ADIABATIC_S_HOLD)),
                    "crossed by a hold below s =",
                ),
                [
                    (
                        network,
                        f"{critical:g}",
                        source,
                        *(_cell(hold, J, critical) for hold in (s_hold, ADIABATIC_S_HOLD)),
                        f"{critical_fraction(critical, J):.3f}",
                    )
                    for network, (critical, source) in _RATIOS.items()
                ],
            ),
        ),
        audit=(audit(COOPERATIVE),),
    )


def audit(recipe: ProtocolRecipe) -> AuditItem:
    """The abstract's critical point against the ratio in the hold."""
    J, s_hold = recipe.J, recipe.s_hold
    ratio = _ratio(s_hold, J)
    places = {network: critical_fraction(critical, J) for network, (critical, _) in _RATIOS.items()}
    ring, square, pegasus = (_RATIOS[network][0] for network in _RATIOS)
    return AuditItem(
        "Abstract: charging by crossing a critical point",
        "the crossing of a phase transition's critical point",
        f"A/(|J| B) = {ratio:.3f} in the hold; critical at {square:g} on a square torus, so crossed for s_hold < "
        f"{places['square torus']:.3f} alone; at {ring:g} on a ring, crossed for s_hold < {places['ring']:.3f}",
        f"J = {J:g}, s_hold = {s_hold:g}, smooth Advantage_system6 model, no longitudinal field, N to infinity",
        "not supported",
        "On square tori the hold stays in the ordered phase. What charges is a reversal of the longitudinal field "
        "there, the decay of a false vacuum. On rings the critical point is crossed (with the printed J = "
        f"{_PRINTED_J:g} the ratio is {_ratio(s_hold, _PRINTED_J):.3f}, and it is not). On Pegasus mean field is "
        f"critical at {pegasus:g}, s = {places[_PEGASUS]:.3f}. Mean field is too high, by a factor {2.0 / ring:g} on a "
        f"ring and {4.0 / square:.2f} on a square lattice, the less so the more neighbours. For the hold to be "
        f"critical on Pegasus it would have to be too high by {pegasus / ratio:.1f}: that hold is deep in the ordered "
        "phase.",
    )


def _ratio(s: float, J: float) -> float:
    return float(field_ratio(s, J))


def _cell(s_hold: float, J: float, critical: float) -> str:
    ratio = _ratio(s_hold, J)
    return f"{ratio:.3f}, {'disordered' if ratio > critical else 'ordered'}"
