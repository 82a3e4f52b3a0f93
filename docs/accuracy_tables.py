"""Compute the tables of accuracy.md again: ``python docs/accuracy_tables.py`` (about two minutes)."""

from __future__ import annotations

import numpy as np

import spinbattery as sb
from spinbattery.core.threads import Team
from spinbattery.engines.common.magnus import COMMUTATOR_FREE
from spinbattery.engines.common.mesh import Mesh, project_fields
from spinbattery.engines.common.splitting import SPLITTINGS
from spinbattery.engines.dense.small_state import SplitState
from spinbattery.engines.symmetric.basis import SymmetricSector
from spinbattery.engines.symmetric.sector_state import ChebyshevState, LanczosState, SectorState
from spinbattery.model.operators import ising_diagonal
from spinbattery.model.scales import LinearTable


def moments(
    problem: sb.ChargingProblem, splitting: str, steps: int, *, kinks_known: bool = True
) -> tuple[float, float]:
    """mu and sigma^2 of one pass; without the kinks the fields are sampled at five Gauss nodes a step."""
    scheme, n = SPLITTINGS[splitting], problem.n_spins
    mesh = Mesh(problem, problem.protocol.breakpoints, steps)
    kinks = mesh.kinks if kinks_known else np.empty(0)
    fields = project_fields(problem, mesh.edges(1), kinks, scheme.legendre_degree)
    state = SplitState(problem.protocol.initial.spinors(n), ising_diagonal(n, *problem.couplings))
    state.apply(scheme.sequence(fields))
    p, _ = state.probabilities()
    values = state.magnetization / n
    mean = float(p @ values)
    return mean, float(p @ (values - mean) ** 2)


def order() -> None:
    """Errors against the number of steps, both splittings."""
    problem = sb.ChargingProblem(sb.torus(2, 3), sb.cooperative(20.0))
    mean, variance = moments(problem, "BM6", 20_000)
    for steps in (80, 160, 320, 640, 1280):
        row = [f"{steps:5d}"]
        for splitting in ("BM6", "BM4"):
            mu, var = moments(problem, splitting, steps)
            row += [f"{abs(mu - mean):.1e}", f"{abs(variance / var - 1.0):.1e}"]
        print(" | ".join(row))


def sampling() -> None:
    """Exact moments against sampling, on the smooth scales tabulated in 1001 rows."""
    smooth, s = sb.advantage_system6(), np.linspace(0.0, 1.0, 1001)
    tables = [LinearTable(tuple(s.tolist()), tuple(curve(s).tolist())) for curve in (smooth.A, smooth.B)]
    problem = sb.ChargingProblem(sb.torus(3, 3), sb.cooperative(60.0), sb.EnergyScales("tabulated", *tables))
    _, variance = moments(problem, "BM6", 40_000)
    for steps in (1200, 2400, 4800, 9600):
        errors = [
            abs(variance / moments(problem, "BM6", steps, kinks_known=known)[1] - 1.0) for known in (True, False)
        ]  # fmt: skip
        print(f"{steps:5d} | {errors[0]:.1e} | {errors[1]:.1e}")


def tolerance_kept() -> None:
    """Tolerance, estimate and true error."""
    lattice, protocol = sb.torus(2, 3), sb.cooperative(20.0)
    mean, variance = moments(sb.ChargingProblem(lattice, protocol), "BM6", 20_000)
    for tolerance in (1e-6, 1e-8, 1e-10):
        record = sb.charge(lattice, protocol, tolerance=tolerance)
        print(
            f"{tolerance:g} | {record.error_estimate:.1e} | {abs(record.magnetization - mean):.1e} | "
            f"{abs(variance / record.variance - 1.0):.1e} | {record.discretisation['steps']}"
        )


def sector() -> None:
    """Errors and products with H against the number of steps, both Magnus schemes in the symmetric sector."""
    problem = sb.ChargingProblem(sb.torus(3, 4), sb.cooperative(20.0))
    precision, _ = sector_pass(problem, "CF6", 5000)
    for steps in (40, 80, 160, 320):
        row = [f"{steps:5d}"]
        for magnus in ("CF6", "CF4"):
            found, products = sector_pass(problem, magnus, steps)
            row += [f"{abs(found / precision - 1.0):.1e}", f"{products:6d}"]
        print(" | ".join(row))
    problem = sb.ChargingProblem(sb.torus(4, 5), sb.cooperative(20.0))
    counts = [sector_pass(problem, "CF6", 80, kind)[1] for kind in (ChebyshevState, LanczosState)]
    print("4x5 torus, 80 steps: {} products of Chebyshev series, {} of Lanczos' method".format(*counts))


def sector_pass(
    problem: sb.ChargingProblem, magnus: str, steps: int, kind: type[SectorState] = ChebyshevState
) -> tuple[float, int]:
    """1/sigma^2 of one pass, and its products with H."""
    scheme, n = COMMUTATOR_FREE[magnus], problem.n_spins
    mesh = Mesh(problem, problem.protocol.breakpoints, steps)
    sector = SymmetricSector.build(problem, sb.symmetry_group(problem))
    start = sector.product_amplitudes(problem.protocol.initial.spinors(n))
    with Team(1) as team:
        state = kind(sector, start, 1e-12, team)
        state.apply(scheme.sequence(project_fields(problem, mesh.edges(1), mesh.kinks, scheme.legendre_degree)))
    p, _ = state.probabilities()
    values = sector.magnetization / n
    return float(1.0 / (p @ (values - p @ values) ** 2)), state.products


if __name__ == "__main__":
    for table in (order, sampling, tolerance_kept, sector):
        print(table.__doc__)
        table()
