"""Fig. 2b and 2c, points of tensor networks: N = 16, 64 and 256, beside exact runs, and bounds shown as bounds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import spinbattery as sb
from spinbattery.figures.marked import MarkedRuns, plot_marked

from .beyond import BEYOND, DURATION, RECIPES, Beyond
from .runs import Request, Runs, flat, records, torus_name
from .section import AuditItem, FigureItem, Part, Row, Section, TableItem

_TOLERANCE = 2e-3
"""Tolerance of mu in a tensor network: it has converged where the estimated error is below."""

_COOPERATIVE_MU, _LOCAL_MU = 0.5, 0.1
"""The paper's claim needs mu of the cooperative protocol above, and |mu| of the local one below."""


@dataclass(frozen=True)
class TensorStudy:
    """Tensor networks of the cooperative protocol on one torus, which check each other.

    ``bond_dimensions`` ascend; with None they are raised until mu has converged.
    """

    size: tuple[int, int]
    bond_dimensions: tuple[int, ...] | None
    full_only: bool = False

    @property
    def request(self) -> Request:
        """The study as one run."""
        tensor = sb.TensorNetwork(_TOLERANCE, self.bond_dimensions)
        return Request(torus_name(self.size), RECIPES["cooperative"], full_only=self.full_only, tensor=tensor)

    @property
    def local(self) -> Request:
        """The local protocol on the same torus, exactly and at once: its spins evolve alone at any N."""
        return Request(torus_name(self.size), RECIPES["local"])


STUDIES = (
    TensorStudy((4, 4), (8, 12, 16)),
    TensorStudy((4, 4), None, full_only=True),
    TensorStudy((8, 8), (3, 4, 12)),
    TensorStudy((8, 8), (10, 16, 24), full_only=True),
    TensorStudy((16, 16), (8, 12, 16), full_only=True),
)
"""From coarse to fine on each torus; figures show the last that there is."""


class _Point(NamedTuple):
    """A study, the exact run of the same protocol on its torus, where there is one, and the local protocol there."""

    network: str
    tensor: sb.Record
    exact: sb.Record | None
    local: sb.Record


def part(studies: tuple[TensorStudy, ...] = STUDIES, beyond: Beyond = BEYOND) -> Part:
    """This part with another choice of studies and of exact runs beyond the paper."""
    requests = [request for study in studies for request in (study.request, study.local)]
    return partial(build, studies=studies, beyond=beyond), [*requests, *flat(beyond.exact)]


def build(runs: Runs, studies: tuple[TensorStudy, ...] = STUDIES, beyond: Beyond = BEYOND) -> Section:
    """Magnetization with its errors, and precision where it is known, else its lower bound."""
    tensor = runs.present(study.request for study in studies)
    local = {study.local.network: runs[study.local] for study in studies}
    exact = {name: runs.present(group) for name, group in beyond.exact.items()}
    known = {run.network: run.record for run in exact["cooperative"]}
    points = [_Point(r.network, r.record, known.get(r.network), local[r.network].record) for r in tensor]
    finest = list({point.network: point for point in points}.values())
    used = [*{run.network: run for run in tensor}.values(), *local.values(), *flat(exact)]
    beside = [
        MarkedRuns(records(exact["cooperative"]), "cooperative, exact"),
        MarkedRuns(records([*exact["local"], *local.values()]), "local, exact"),
    ]
    verdict = f"converged to {_TOLERANCE:g}"
    smaller = runs.smaller(study.request for study in studies)
    missing = [torus_name(study.size).removeprefix("torus:") for study in studies if study.request not in runs]
    return Section(
        "Fig. 2b and 2c: tensor networks",
        *_text(finest, list(dict.fromkeys(missing))),
        FigureItem(
            "fig2b-tensor",
            f"Fig. 2b with larger tori, {DURATION}: precision. Arrows are lower bounds, 1/(1 - mu^2) at the least mu "
            "within its error, where sigma has not converged; filled points are exact or converged.",
            plot_marked(_squares(finest, _has_precision, ", converged", ": lower bound $1/(1-\\mu^2)$") + beside),
            used,
            smaller,
        ),
        FigureItem(
            "fig2c-tensor",
            f"Fig. 2c with larger tori, {DURATION}: final magnetization. Bars, which may be smaller than the marker, "
            f"are estimated errors; open squares have not converged to {_TOLERANCE:g}. Circles are exact.",
            plot_marked(_squares(finest, _is_converged, f", {verdict}", f", not {verdict}") + beside, "magnetization"),
            used,
            smaller,
        ),
        TableItem(
            f"Cooperative protocol by tensor networks, {DURATION}, with estimated errors and verdicts (mu: converged "
            f"to {_TOLERANCE:g}; sigma: known to 5 %), beside exact runs; > is a lower bound, and no precision",
            [_row(point) for point in points],
            [*tensor, *local.values()],
        ),
        _charge_item(finest, records(local.values())),
        _bound_item(finest),
        _sigma_item(finest),
    )


def _bonds(record: sb.Record) -> str:
    """Bond dimensions of the runs of a study."""
    return ", ".join(map(str, sorted({run["bond_dimension"] for run in record.discretisation["runs"]})))


def _parameters(finest: Sequence[_Point]) -> str:
    studies = "; ".join(f"N = {point.tensor.n_spins}: {_bonds(point.tensor)}" for point in finest)
    return f"{DURATION}, s_hold = 0.35, bond dimensions {studies}"


def _is_converged(record: sb.Record) -> bool:
    return record.converged["magnetization"] is True


def _has_precision(record: sb.Record) -> bool:
    return record.precision is not None


def _squares(
    finest: Sequence[_Point], is_known: Callable[[sb.Record], bool], known: str, unknown: str
) -> list[MarkedRuns]:
    """Tensor networks in filled and open squares, whose labels end in ``known`` and ``unknown``."""
    return [
        MarkedRuns(
            [point.tensor for point in finest if is_known(point.tensor) is filled],
            f"cooperative, tensor network{ending}",
            "s",
            filled=filled,
        )
        for filled, ending in ((True, known), (False, unknown))
    ]


def _text(finest: Sequence[_Point], later: Sequence[str]) -> tuple[str, ...]:
    return (
        f"Tori of N = {', '.join(str(point.tensor.n_spins) for point in finest)} at {DURATION}, s_hold = 0.35; the "
        "paper's duration is not known here. The cooperative protocol is a tree tensor network, in runs that differ in "
        "bond dimension, method, seed and step. The error is estimated from their differences, and exact runs, where "
        "there are some, show whether it holds. The local protocol is exact at any N.",
        "mu is far better known than sigma. Where sigma is not known to 5 % there is no precision but the lower bound "
        "of Bhatia and Davis, 1/(1 - mu^2), as in the paper. This bound is weak: even at the adiabatic limit, "
        "mu = 1 - 1/N and 1/sigma^2 = N^2, it is N^2/(2N - 1), about half the standard quantum limit.",
        *((f"Finer or larger studies, of {', '.join(later)}, are run only with --full.",) if later else ()),
    )


def _row(point: _Point) -> Row:
    record, exact, local = point.tensor, point.exact, point.local
    return {
        "torus": point.network,
        "N": record.n_spins,
        "bond dimensions": _bonds(record),
        "mu": _magnetization(record),
        "mu converged": "yes" if _is_converged(record) else "no",
        "mu, exact": "-" if exact is None else f"{exact.magnetization:.4f}",
        "sigma": f"{record.std:.4f} +- {record.std_error:.2g}",
        "sigma converged": "yes" if _has_precision(record) else "no",
        "1/sigma^2": _precision(record),
        "1/sigma^2, exact": "-" if exact is None else f"{exact.precision:.4g}",
        "mu, local (exact)": f"{local.magnetization:.4f}",
        "1/sigma^2, local (exact)": f"{local.precision:.4g}",
    }


def _magnetization(record: sb.Record) -> str:
    return f"{record.magnetization:.4f} +- {record.magnetization_error:.2g}"


def _precision(record: sb.Record) -> str:
    """The precision with its error where sigma has converged, else the bound."""
    if record.precision is None:
        return f"> {record.precision_bound:.3g}"
    return f"{record.precision:.4g} +- {100 * (record.precision_relative_error or 0.0):.0f} %"


def _charge_item(finest: Sequence[_Point], all_local: Sequence[sb.Record]) -> AuditItem:
    least = min(point.tensor.magnetization - (point.tensor.magnetization_error or 0.0) for point in finest)
    measured, checks, open_sizes = [], "", []
    for _, record, exact, local in finest:
        measured.append(f"N = {record.n_spins}: CP {_magnetization(record)}, LP {local.magnetization:.3f}")
        if exact is not None:
            checks += (
                f"mu at N = {record.n_spins} is {abs(record.magnetization - exact.magnetization):.1g} off the exact "
                f"{exact.magnetization:.4f}, with an estimated error of {record.magnetization_error:.2g}. "
            )
        if not _is_converged(record):
            open_sizes.append(str(record.n_spins))
    verdict = f"Not converged to the tolerance: N = {', '.join(open_sizes)}. " if open_sizes else "All have converged. "
    holds = least > _COOPERATIVE_MU and all(abs(record.magnetization) < _LOCAL_MU for record in all_local)
    return AuditItem(
        "Fig. 2c, tensor networks: the CP charges, the LP does not",
        "points at N = 16, 64, 256",
        "; ".join(measured),
        _parameters(finest),
        "reproduced" if holds else "open",
        f"{checks}{verdict}The duration of the paper's points is not known here, so that the statement is reproduced "
        "and no point is compared by its value.",
    )


def _bound_item(finest: Sequence[_Point]) -> AuditItem:
    measured, holds = [], True
    for _, record, exact, _ in finest:
        least = max(abs(record.magnetization) - (record.magnetization_error or 0.0), 0.0)
        bound = sb.bhatia_davis_precision(least)
        measured.append(f"N = {record.n_spins}: > {bound:.3g}")
        if exact is not None:
            measured[-1] += f" (exact {exact.precision:.4g})"
            holds = holds and bound <= (exact.precision or 0.0)
    largest = max(point.tensor.n_spins for point in finest)
    limit = sb.bhatia_davis_precision(1.0 - 1.0 / largest)
    return AuditItem(
        "Fig. 2b, tensor networks: lower bounds of the precision",
        "from sigma <= (1 - mu)(1 + mu)",
        "; ".join(measured),
        f"1/(1 - mu^2) at the least mu that the error allows; {_parameters(finest)}",
        "corrected" if holds else "not supported",
        "The inequality bounds sigma^2. Its bound stays below the standard quantum limit N even at mu = 1 - 1/N, "
        f"where it is N^2/(2N - 1) ({limit:.4g} at N = {largest}), so that it cannot show an advantage. "
        f"Read as a bound on sigma, as printed, it would be the square ({limit**2:.3g}) and seem to grow as N^2.",
    )


def _sigma_item(finest: Sequence[_Point]) -> AuditItem:
    known, measured = [], []
    for _, record, exact, _ in finest:
        said = "not converged"
        if _has_precision(record):
            known.append(str(record.n_spins))
            said = f"1/sigma^2 = {_precision(record)}"
        beside = "" if exact is None else f", exact {exact.std:.4f} (1/sigma^2 = {exact.precision:.4g})"
        measured.append(f"N = {record.n_spins}: sigma = {record.std:.4f} +- {record.std_error:.2g}, {said}{beside}")
    return AuditItem(
        "Fig. 2b, tensor networks: sigma itself",
        "bounds only",
        "; ".join(measured),
        _parameters(finest),
        "corrected" if known else "open",
        f"With bond dimensions large enough sigma converges, here at N = {', '.join(known)}."
        if known
        else "None of these studies knows sigma to 5 %, and none of them is shown as a precision.",
    )
