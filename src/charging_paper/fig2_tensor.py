"""Fig. 2b and 2c, points of tensor networks: N = 16, 64 and 256, beside exact runs and with bounds as bounds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial

from spinbattery.analysis.bounds import bhatia_davis_precision
from spinbattery.engines.tensor.engine import TensorNetwork
from spinbattery.figures.marked import MarkedRuns, plot_marked
from spinbattery.records.record import Record

from .beyond import BEYOND, DURATION, PAPER_SIZES, Beyond, chosen
from .parameters import COOPERATIVE, LOCAL
from .runs import Request, Run, Runs, torus_name
from .section import AuditItem, FigureItem, Part, Section, TableItem

_COOPERATIVE, _LOCAL = (replace(recipe, duration=DURATION) for recipe in (COOPERATIVE, LOCAL))

_TOLERANCE = 2e-3
"""Of mu in a tensor network: its verdict is whether the estimated error is below."""

_COOPERATIVE_MU, _LOCAL_MU = 0.5, 0.1
"""What the paper's claim needs: mu of the cooperative protocol above, and |mu| of the local one below."""


@dataclass(frozen=True)
class TensorStudy:
    """Tensor networks of the cooperative protocol on one torus, which check each other.

    Attributes:
        size: rows and columns.
        bond_dimensions: ascending; None to raise them until the tolerance of mu is kept.
        full_only: whether it takes so long that only a full reproduction has it.
    """

    size: tuple[int, int]
    bond_dimensions: tuple[int, ...] | None
    full_only: bool = False

    @property
    def request(self) -> Request:
        """The study as one run."""
        tensor = TensorNetwork(_TOLERANCE, self.bond_dimensions)
        return Request(torus_name(self.size), _COOPERATIVE, full_only=self.full_only, tensor=tensor)

    @property
    def local(self) -> Request:
        """The local protocol on the same torus, exactly and at once: its spins evolve alone at any N."""
        return Request(torus_name(self.size), _LOCAL)


STUDIES = (
    TensorStudy((4, 4), (8, 12, 16)),
    TensorStudy((4, 4), None, full_only=True),
    TensorStudy((8, 8), (4, 6, 12)),
    TensorStudy((8, 8), (10, 16, 24), full_only=True),
    TensorStudy((16, 16), (8, 12, 16), full_only=True),
)
"""From coarse to fine on each torus; figures show the last that there is."""


@dataclass(frozen=True)
class Points:
    """What the figures are drawn from.

    Attributes:
        runs: all runs of the reproduction.
        studies: from coarse to fine on each torus.
        beyond: which larger tori are solved exactly.
    """

    runs: Runs
    studies: tuple[TensorStudy, ...]
    beyond: Beyond

    @cached_property
    def tensor(self) -> list[Run]:
        """Every study that this reproduction has."""
        return chosen(self.runs, [study.request for study in self.studies])

    @cached_property
    def finest(self) -> list[Run]:
        """The last study of each torus."""
        return list({_network(run.record): run for run in self.tensor}.values())

    @cached_property
    def local(self) -> dict[str, Run]:
        """The local protocol on the tori of the studies, by network."""
        return {study.local.network: self.runs[study.local] for study in self.studies}

    def exact(self, protocol: str) -> list[Run]:
        """Runs of exact engines on the paper's tori and on larger ones."""
        return chosen(self.runs, [*PAPER_SIZES[protocol], *self.beyond.larger[protocol]])

    def exact_of(self, record: Record) -> Record | None:
        """The exact run of the cooperative protocol on the same torus, where there is one."""
        same = [run.record for run in self.exact("cooperative") if _network(run.record) == _network(record)]
        return same[0] if same else None

    @property
    def used(self) -> list[Run]:
        """Runs behind the figures."""
        return [*self.finest, *self.local.values(), *self.exact("cooperative"), *self.exact("local")]


def part(studies: tuple[TensorStudy, ...] = STUDIES, beyond: Beyond = BEYOND) -> Part:
    """What builds this part, and the runs it needs."""
    requests = [request for study in studies for request in (study.request, study.local)]
    exact = [request for groups in (PAPER_SIZES, beyond.larger) for group in groups.values() for request in group]
    return partial(build, studies=studies, beyond=beyond), [*requests, *exact]


def build(runs: Runs, studies: tuple[TensorStudy, ...] = STUDIES, beyond: Beyond = BEYOND) -> Section:
    """Magnetization with its errors, and precision where it is known, else its lower bound."""
    points = Points(runs, studies, beyond)
    return Section(
        "fig2-tensor",
        "Fig. 2b and 2c: tensor networks",
        _text(points),
        (
            FigureItem(
                "fig2b-tensor",
                f"Fig. 2b with larger tori, {DURATION}: precision. Arrows are no precisions but lower bounds, "
                "1/(1 - mu^2) at the least mu that its error allows, of tensor networks whose sigma has not "
                "converged; filled points are exact or converged.",
                plot_marked(_precisions(points)),
                points.used,
            ),
            FigureItem(
                "fig2c-tensor",
                f"Fig. 2c with larger tori, {DURATION}: final magnetization. Bars are the estimated errors of tensor "
                f"networks and may be smaller than the marker; open squares have not converged to {_TOLERANCE:g}, "
                "filled ones have. Circles are exact.",
                plot_marked(_magnetizations(points), "magnetization"),
                points.used,
            ),
        ),
        (_table(points),),
        (_charge_item(points), _bound_item(points), _sigma_item(points)),
    )


def _network(record: Record) -> str:
    return str(record.dataset.attrs["network"])


def _bonds(record: Record) -> str:
    """Bond dimensions of the runs of a study."""
    return ", ".join(map(str, sorted({run["bond_dimension"] for run in record.discretisation["runs"]})))


def _is_converged(record: Record) -> bool:
    return record.converged["magnetization"] is True


def _records(runs: Sequence[Run]) -> list[Record]:
    return [run.record for run in runs]


def _exact_series(points: Points) -> list[MarkedRuns]:
    cooperative = _records(points.exact("cooperative"))
    local = _records([*points.exact("local"), *points.local.values()])
    return [MarkedRuns(cooperative, "cooperative, exact"), MarkedRuns(local, "local, exact")]


def _precisions(points: Points) -> list[MarkedRuns]:
    tensor = _records(points.finest)
    known = [record for record in tensor if record.precision is not None]
    bounded = [record for record in tensor if record.precision is None]
    return [
        MarkedRuns(known, "cooperative, tensor network, converged", "s"),
        MarkedRuns(bounded, "cooperative, tensor network: lower bound $1/(1-\\mu^2)$", "s", filled=False),
        *_exact_series(points),
    ]


def _magnetizations(points: Points) -> list[MarkedRuns]:
    tensor = _records(points.finest)
    verdict = f"converged to {_TOLERANCE:g}"
    return [
        MarkedRuns([r for r in tensor if _is_converged(r)], f"cooperative, tensor network, {verdict}", "s"),
        MarkedRuns(
            [r for r in tensor if not _is_converged(r)],
            f"cooperative, tensor network, not {verdict}",
            "s",
            filled=False,
        ),
        *_exact_series(points),
    ]


def _text(points: Points) -> tuple[str, ...]:
    sizes = [record.n_spins for record in _records(points.finest)]
    missing = [study.size for study in points.studies if study.request not in points.runs]
    later = ", ".join(dict.fromkeys(torus_name(size).removeprefix("torus:") for size in missing))
    return (
        f"Tori of N = {', '.join(map(str, sizes))} at {DURATION}, s_hold = 0.35; the paper's duration is not known "
        "here. The cooperative protocol is a tree tensor network, in runs that differ in bond dimension, method, seed "
        "and step; the error is made of their differences, and exact runs show, where there are some, whether it "
        "holds. The local protocol is exact at any N.",
        "mu is far better known than sigma. Where sigma is not known to 5 % there is no precision but the lower bound "
        "of Bhatia and Davis, 1/(1 - mu^2), as in the paper. That bound says little: even at the adiabatic limit, "
        "mu = 1 - 1/N and 1/sigma^2 = N^2, it is N^2/(2N - 1), about half the standard quantum limit.",
        *((f"Finer or larger studies, of {later}, are run with --full alone.",) if later else ()),
    )


def _table(points: Points) -> TableItem:
    return TableItem(
        f"Cooperative protocol by tensor networks, {DURATION}, with the estimated errors and the verdicts of each "
        f"study (mu: converged to {_TOLERANCE:g}; sigma: known to 5 %), beside exact runs; > is a lower bound, and no "
        "precision",
        (
            "torus",
            "N",
            "bond dimensions",
            "mu",
            "mu converged",
            "mu, exact",
            "sigma",
            "sigma converged",
            "1/sigma^2",
            "1/sigma^2, exact",
            "mu, local (exact)",
            "1/sigma^2, local (exact)",
        ),
        [_row(run.record, points) for run in points.tensor],
        [*points.tensor, *points.local.values()],
    )


def _row(record: Record, points: Points) -> tuple[str, ...]:
    exact, local = points.exact_of(record), points.local[_network(record)].record
    return (
        _network(record),
        str(record.n_spins),
        _bonds(record),
        _magnetization(record),
        _yes(_is_converged(record)),
        "-" if exact is None else f"{exact.magnetization:.4f}",
        f"{record.std:.4f} +- {record.std_error:.2g}",
        _yes(record.precision is not None),
        _precision(record),
        "-" if exact is None else f"{exact.precision:.4g}",
        f"{local.magnetization:.4f}",
        f"{local.precision:.4g}",
    )


def _yes(verdict: bool) -> str:
    return "yes" if verdict else "no"


def _magnetization(record: Record) -> str:
    return f"{record.magnetization:.4f} +- {record.magnetization_error:.2g}"


def _precision(record: Record) -> str:
    """The precision with its error where sigma has converged, else the bound."""
    if record.precision is None:
        return f"> {record.precision_bound:.3g}"
    return f"{record.precision:.4g} +- {100 * (record.precision_relative_error or 0.0):.0f} %"


def _parameters(points: Points) -> str:
    studies = "; ".join(f"N = {record.n_spins}: {_bonds(record)}" for record in _records(points.finest))
    return f"{DURATION}, s_hold = 0.35, bond dimensions {studies}"


def _charge_item(points: Points) -> AuditItem:
    tensor, local = _records(points.finest), [run.record for run in points.local.values()]
    least = min(record.magnetization - (record.magnetization_error or 0.0) for record in tensor)
    holds = least > _COOPERATIVE_MU and max(abs(record.magnetization) for record in local) < _LOCAL_MU
    known = [(record, exact) for record in tensor if (exact := points.exact_of(record)) is not None]
    checks = [
        f"mu at N = {record.n_spins} is {abs(record.magnetization - exact.magnetization):.1g} off the exact "
        f"{exact.magnetization:.4f}, with an estimated error of {record.magnetization_error:.2g}. "
        for record, exact in known
    ]
    open_sizes = [str(record.n_spins) for record in tensor if not _is_converged(record)]
    verdict = f"Not converged to the tolerance: N = {', '.join(open_sizes)}. " if open_sizes else "All have converged. "
    return AuditItem(
        "Fig. 2c, tensor networks: the CP charges, the LP does not",
        "points at N = 16, 64, 256",
        "; ".join(
            f"N = {record.n_spins}: CP {_magnetization(record)}, LP {lp.magnetization:.3f}"
            for record in tensor
            for lp in [points.local[_network(record)].record]
        ),
        _parameters(points),
        "reproduced" if holds else "open",
        f"{''.join(checks)}{verdict}The duration of the paper's points is not known here, so that the statement is "
        "reproduced and no point is compared by its value.",
    )


def _bound_item(points: Points) -> AuditItem:
    tensor = _records(points.finest)
    least = {record.n_spins: _bound(record) for record in tensor}
    exact = {record.n_spins: found.precision for record in tensor if (found := points.exact_of(record)) is not None}
    holds = all(least[n] <= (precision or 0.0) for n, precision in exact.items())
    largest = max(least)
    limit = bhatia_davis_precision(1.0 - 1.0 / largest)
    return AuditItem(
        "Fig. 2b, tensor networks: lower bounds of the precision",
        "from sigma <= (1 - mu)(1 + mu)",
        "; ".join(
            f"N = {n}: > {bound:.3g}" + (f" (exact {exact[n]:.4g})" if n in exact else "") for n, bound in least.items()
        ),
        f"1/(1 - mu^2) at the least mu that the error allows; {_parameters(points)}",
        "corrected" if holds else "not supported",
        "The inequality is one of sigma^2. Its bound stays below the standard quantum limit N even at mu = 1 - 1/N, "
        f"where it is N^2/(2N - 1) ({limit:.4g} at N = {largest}), so that it cannot show an advantage. "
        f"Taken of sigma, as printed, it would be the square of that ({limit**2:.3g}) and seem to grow as N^2.",
    )


def _bound(record: Record) -> float:
    """Lower bound on 1/sigma^2 from mu and its error alone."""
    least = max(abs(record.magnetization) - (record.magnetization_error or 0.0), 0.0)
    return bhatia_davis_precision(least)


def _sigma_item(points: Points) -> AuditItem:
    tensor = _records(points.finest)
    found = [str(record.n_spins) for record in tensor if record.precision is not None]
    parts = []
    for record in tensor:
        exact = points.exact_of(record)
        known = "" if exact is None else f", exact {exact.std:.4f} (1/sigma^2 = {exact.precision:.4g})"
        said = "not converged" if record.precision is None else f"1/sigma^2 = {_precision(record)}"
        parts.append(f"N = {record.n_spins}: sigma = {record.std:.4f} +- {record.std_error:.2g}, {said}{known}")
    return AuditItem(
        "Fig. 2b, tensor networks: sigma itself",
        "bounds only",
        "; ".join(parts),
        _parameters(points),
        "corrected" if found else "open",
        f"With bond dimensions large enough sigma converges, here at N = {', '.join(found)}."
        if found
        else "None of these studies knows sigma to 5 %, and none of them is shown as a precision.",
    )
