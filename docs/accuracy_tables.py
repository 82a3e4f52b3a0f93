"""Compute the tables of accuracy.md again: ``python docs/accuracy_tables.py`` (about two minutes)."""

from __future__ import annotations

import numpy as np

import spinbattery as sb
from spinbattery.engines.common.mesh import Mesh, project_fields
from spinbattery.engines.common.splitting import SPLITTINGS
from spinbattery.engines.dense.small_state import SplitState
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
    """Tolerance, estimate, true errors and passes of the state vector."""
    lattice, protocol = sb.torus(2, 3), sb.cooperative(20.0)
    mean, variance = moments(sb.ChargingProblem(lattice, protocol), "BM6", 20_000)
    for tolerance in (1e-4, 1e-6, 1e-8, 1e-10):
        record = sb.charge(lattice, protocol, engine=sb.Statevector(tolerance))
        print(
            f"{tolerance:g} | {record.error_estimate:.1e} | {abs(record.magnetization - mean):.1e} | "
            f"{abs(variance / record.variance - 1.0):.1e} | {record.discretisation['passes']}"
        )


def sector() -> None:
    """Tolerance, estimate, true error, steps and products with Sx in the symmetric sector."""
    problem = sb.ChargingProblem(sb.torus(3, 4), sb.cooperative(20.0))
    exact = sb.Symmetric(1e-11).run(problem)
    for tolerance in (1e-2, 1e-4, 1e-6, 1e-8, 1e-10):
        found = sb.Symmetric(tolerance).run(problem)
        error = abs(found.precision / exact.precision - 1.0)
        steps, products = (found.discretisation[name] for name in ("steps", "products"))
        print(f"{tolerance:g} | {found.precision_relative_error:.1e} | {error:.1e} | {steps} | {products}")


if __name__ == "__main__":
    for table in (order, sampling, tolerance_kept, sector):
        print(table.__doc__)
        table()
