"""Beyond the paper: energy levels along the schedule, and their populations, which explain alpha = 2."""

from __future__ import annotations

import numpy as np

import spinbattery as sb

from .parameters import ADIABATIC_DURATION, ADIABATIC_S_HOLD, COOPERATIVE, DURATION
from .runs import Request, Run, Runs
from .section import FigureItem, Row, Section, TableItem

_NETWORK = "torus:3x3"
_NAMES = ("cooperative", "polarised")
_PAPER_S_HOLD = COOPERATIVE.s_hold
_DRAWN = ((ADIABATIC_S_HOLD, DURATION), (_PAPER_S_HOLD, DURATION))
_CASES = (*_DRAWN, (ADIABATIC_S_HOLD, ADIABATIC_DURATION))

_POINTS = 361
_MARGIN = 1e-3
"""Part of the duration at either end, where all-up and all-down are one level, that is not drawn."""

_REQUESTS = {
    (name, *case): Request(_NETWORK, sb.ProtocolRecipe(name, case[1], s_hold=case[0]))
    for case in _CASES
    for name in _NAMES
}

REQUESTS = list(_REQUESTS.values())


def build(runs: Runs) -> Section:
    """The two branches that the cooperative protocol fills, and the one of the polarised protocol."""
    found = {case: runs[request] for case, request in _REQUESTS.items()}
    spectra = {case: _spectrum(request.recipe, case[1:] in _DRAWN) for case, request in _REQUESTS.items()}
    gaps = {s_hold: _smallest_gap(spectra["polarised", s_hold, DURATION]) for s_hold, _ in _DRAWN}
    dimension = spectra["cooperative", *_DRAWN[0]].dimension
    return Section(
        "Levels along the schedule",
        "The levels show why the cooperative protocol has alpha = 2 if it is adiabatic. On the 3x3 torus the "
        f"discharged state stays in the symmetric sector, {dimension} states of 512. It starts in the doublet of "
        "all-up and all-down, as its even and odd half. As the transverse field grows the doublet opens: the even "
        "half stays in the ground branch, the odd half is in the first excited one, one quantum above. At the end "
        "the ground branch is all up, the other has one spin down. The steep level of the last third is all-down, "
        "which the field leaves high; it crosses the one-flip branch without touching it.",
        f"With s_hold = {ADIABATIC_S_HOLD:g} both halves are followed within 60 ns. With s_hold = "
        f"{_PAPER_S_HOLD:g} the doublet is hardly open when the field comes on, and the field mixes the two "
        "halves: how much is in each branch then depends on their phase. At 60 ns it is mostly the upper one.",
        "The polarised protocol starts with the field that holds all-down as the only ground state. It has nothing "
        "in a second branch as long as the gap that it passes in the middle of the hold is wide: "
        + "; ".join(f"{gap:.2f} GHz with s_hold = {s_hold:g}" for s_hold, gap in gaps.items())
        + ". With the narrow gap it leaves its ground state at 60 ns.",
        *(
            FigureItem(
                f"spectrum-{s_hold:g}".replace(".", ""),
                f"Levels in the symmetric sector of the 3x3 torus above its ground state, s_hold = {s_hold:g}, "
                f"{duration}. Width and colour of a level are its population; dotted lines mark the thirds.",
                sb.plot_spectrum(
                    {f"{name}, $s$ = {s_hold:g} in the hold": spectra[name, s_hold, duration] for name in _NAMES}
                ),
                [found[name, s_hold, duration] for name in _NAMES],
            )
            for s_hold, duration in _DRAWN
        ),
        TableItem(
            "Populations on the 3x3 torus: levels at the end of the hold (t = 2 tau/3), and configurations at the end",
            [_row(case, spectra[case], run) for case, run in found.items()],
            list(found.values()),
        ),
    )


def _spectrum(recipe: sb.ProtocolRecipe, drawn: bool) -> sb.SectorSpectrum:
    """Levels at the protocol's corners, and between them if they are drawn."""
    network = sb.parse_network(_NETWORK)
    protocol = recipe.build(network)
    u = np.linspace(_MARGIN, 1.0 - _MARGIN, _POINTS) if drawn else np.empty(0)
    times = np.union1d(u * protocol.duration, protocol.breakpoints[1:-1])
    return sb.sector_spectrum(network, protocol, times)


def _smallest_gap(spectrum: sb.SectorSpectrum) -> float:
    """Smallest gap in the hold, in GHz."""
    u = spectrum.times / spectrum.problem.protocol.duration
    held = (u > 1.0 / 3.0 - _MARGIN) & (u < 2.0 / 3.0 + _MARGIN)
    return float(spectrum.energies[held, 1].min())


def _row(case: tuple[str, float, str], spectrum: sb.SectorSpectrum, run: Run) -> Row:
    last_third = int(np.abs(spectrum.times - 2.0 / 3.0 * spectrum.problem.protocol.duration).argmin())
    ground, excited, *_ = spectrum.populations[last_third]
    *_, one_down, all_up = run.record.variables["distribution"].values
    shares = {"ground": ground, "first excited": excited, "others": 1.0 - ground - excited}
    shares |= {"P(all up)": all_up, "P(one spin down)": one_down}
    name, s_hold, duration = case
    cells = {column: f"{abs(share):.4f}" for column, share in shares.items()}
    return {"protocol": name, "s_hold": f"{s_hold:g}", "tau": duration} | cells
