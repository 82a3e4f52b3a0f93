"""Compute the tables of tensor-networks.md again: ``python docs/tensor_tables.py remedies errors large`` (an hour)."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import spinbattery as sb

EXACT_5X5 = 0.769664, 0.058335
PROTOCOL = sb.cooperative(20.0)


def remedies() -> None:
    """One run each at 5x5: one-site steps, expansion, two-site steps, on trees and chains."""
    problem = sb.ChargingProblem(sb.torus(5, 5), PROTOCOL)
    mean, std = EXACT_5X5
    print("| steps | χ | μ | Δμ | σ | σ/σ_exact − 1 | discarded weight | CPU s |\n|---|---|---|---|---|---|---|---|")
    runs = [("one-site", bond, 0, "tree") for bond in (10, 16, 20, 32, 48, 64)]
    runs += [("expansion", bond, bond // 8, "tree") for bond in (16, 20, 32, 48, 64)]
    runs += [
        ("two-site", 10, "all", "tree"),
        ("one-site, chain", 32, 0, "chain"),
        ("two-site, chain", 16, "all", "chain"),
    ]
    for name, bond, expansion, shape in runs:
        start = time.process_time()
        found = sb.TensorNetwork(bond_dimension=bond, expansion=expansion, shape=shape, seed=1).run(problem)
        label = f"{name} ({expansion})" if name == "expansion" else name
        print(
            f"| {label} | {bond} | {found.magnetization:.4f} | {found.magnetization - mean:+.4f} | {found.std:.4f} "
            f"| {100 * (found.std / std - 1):+.1f} % | {found.discretisation['discarded_weight']:.2g} "
            f"| {time.process_time() - start:.0f} |",
            flush=True,
        )


def errors() -> None:
    """Studies beside exact results."""
    print("| torus | s_hold | τ (ns) | χ | Δμ | its error | σ/σ_exact − 1 | its error | verdict (μ, precision) | s |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    cases = [
        ((3, 4), 0.35, 6.0, (4, 6, 8)), ((3, 4), 0.35, 20.0, (8, 12, 16)), ((4, 4), 0.35, 5.0, (8, 12, 16)),
        ((4, 4), 0.35, 10.0, (8, 12, 16)), ((4, 4), 0.35, 20.0, (8, 12, 16)), ((4, 4), 0.35, 20.0, (20, 32, 48)),
        ((4, 4), 0.25, 20.0, (8, 12, 20)), ((4, 4), 0.25, 60.0, (8, 12, 20)), ((5, 5), 0.35, 20.0, (8, 9, 10)),
        ((5, 5), 0.35, 20.0, (16, 24, 32)),
    ]  # fmt: skip
    for sides, s_hold, duration, bonds in cases:
        network, protocol = sb.torus(*sides), sb.cooperative(duration, s_hold=s_hold)
        mean, std = EXACT_5X5
        if sides != (5, 5):
            exact = sb.charge(network, protocol, tolerance=1e-7)
            mean, std = exact.magnetization, exact.std
        found = sb.TensorNetwork(bond_dimension=bonds).run(sb.ChargingProblem(network, protocol))
        verdict = ", ".join("yes" if verdict else "no" for verdict in found.converged.values())
        columns = [
            f"{sides[0]}×{sides[1]}", f"{s_hold}", f"{duration:g}", ", ".join(map(str, bonds)),
            f"{found.magnetization - mean:+.4f}", f"{found.magnetization_error:.4f}",
            f"{100 * (found.std / std - 1):+.1f} %", f"{100 * found.std_error / std:.1f} %", verdict,
            f"{float(found.dataset.attrs['wall_time_s']):.0f}",
        ]  # fmt: skip
        print(f"| {' | '.join(columns)} |", flush=True)


def large() -> None:
    """N = 64 by a study, and N = 256 at one bond dimension."""
    print("| N | χ | expansion | μ | σ | discarded weight | s per step |\n|---|---|---|---|---|---|---|")
    for side, bonds in ((8, (10, 16, 24)), (16, (8, 12, 16)), (16, 24)):
        found = sb.TensorNetwork(bond_dimension=bonds).run(sb.ChargingProblem(sb.torus(side, side), PROTOCOL))
        every = found.execution_info["seconds_per_step_of_runs"]
        for run, seconds in zip(found.discretisation["runs"], every, strict=True):
            print(
                f"| {side**2} | {run['bond_dimension']} | {run['expansion']} | {run['magnetization']:.4f} "
                f"| {run['std']:.4f} | {run['discarded_weight']:.2g} | {seconds:.2f} |",
                flush=True,
            )
        wall = float(found.dataset.attrs["wall_time_s"])
        print(f"μ = {found.magnetization:.4f} +- {found.magnetization_error}, {wall:.0f} s", flush=True)


if __name__ == "__main__":
    tables: dict[str, Callable[[], None]] = {"remedies": remedies, "errors": errors, "large": large}
    for name in sys.argv[1:] or tables:
        tables[name]()
