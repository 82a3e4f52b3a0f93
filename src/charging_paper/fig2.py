"""Fig. 2: the protocols in the space of fields, and precision and magnetization of the exact runs against N."""

from __future__ import annotations

import spinbattery as sb
from spinbattery.figures.protocols import plot_field_space

from .cells import exact_c, fit_cells, fits_of
from .parameters import COOPERATIVE, EXACT_FITS, LOCAL
from .runs import Runs, flat, on_tori, records
from .section import FigureItem, Section, TableItem

_RECIPES = {"cooperative": COOPERATIVE, "local": LOCAL}

_REQUESTS = {name: on_tori(recipe) for name, recipe in _RECIPES.items()}

REQUESTS = flat(_REQUESTS)


def build(runs: Runs) -> Section:
    """Fig. 2a, 2b and 2c and the exact rows of Table I, from the same runs."""
    groups = runs.groups(_REQUESTS)
    used = flat(groups)
    data = sb.gather(records(used))
    network = sb.torus(3, 3)
    paths = {name: recipe.build(network) for name, recipe in _RECIPES.items()}
    return Section(
        "Fig. 2: cooperative and local charging",
        "Exact state vectors of tori with N = 2 to 12 spins. Both protocols start from all spins down; the local "
        "one has no coupling, and its field makes both cost the same at the instant g = 1 (Eq. 19).",
        "The local protocol ends at mu near 0 with precision N. The cooperative one approaches mu = 1 - 1/N and "
        "precision N^2: followed adiabatically, the even half of the discharged state reaches the ground branch, "
        "the odd half the first excited branch with one flipped spin, and both together have sigma = 1/N.",
        FigureItem(
            "fig2a",
            "Fig. 2a: paths of the protocols in the space of (J, Bx, Bz) on the 3x3 torus; dots mark the start.",
            plot_field_space(paths, sb.advantage_system6()),
        ),
        FigureItem(
            "fig2b", "Fig. 2b: precision against the number of spins, with log-log fits.", sb.plot_runs(data), used
        ),
        FigureItem("fig2c", "Fig. 2c: final magnetization.", sb.plot_runs(data, "magnetization"), used),
        TableItem(
            "Table I, exact rows: precision = c N^alpha of these runs (part 'table1' has other durations)",
            [
                {"protocol": name, "printed": str(EXACT_FITS[name])} | fit_cells(fits_of(records(group)), exact_c)
                for name, group in groups.items()
            ],
            used,
        ),
    )
