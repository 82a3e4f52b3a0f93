"""Measurements inside one tree: ``python in_tree.py MEASUREMENT ARGUMENTS... ROUNDS``, run in the folder of a clone.

It measures the spinbattery of its environment and uses that clone's own ``benchmarks``, so that an earlier commit makes
its single passes by its own code. Prints the figures of all rounds as JSON.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

if __name__ == "__main__":
    sys.path[0] = os.getcwd()  # the clone's benchmarks, not the folder of this file

import spinbattery as sb

TOLERANCE, REFERENCE_TOLERANCE = 1e-6, 1e-10
_FLIPS = 0.04
"""gamma tau of the noise, as in benchmarks.open_systems."""

_FILL_SECONDS, _MOST_CALLS = 1.0, 40
_STRETCH = 1e-7
"""Relative difference of the durations of two calls."""
_SILENT: Callable[[str], None] = lambda text: None  # noqa: E731


class Job:
    """The cooperative protocol on a network, as the contestants of benchmarks are given it."""

    def __init__(self, network: str, duration: float, noise: str = "", J: float = -0.2) -> None:
        self.name = self.title = network
        self.network, self.duration, self.noise, self.J = network, duration, noise, J
        self._calls = 0

    def problem(self) -> sb.ChargingProblem:
        rates = sb.parse_noise(self.noise) if self.noise else None
        protocol = sb.cooperative(self.duration, J=self.J)
        return sb.ChargingProblem(sb.parse_network(self.network), protocol, noise=rates)

    def charge(self, engine: sb.Engine | str, **options: Any) -> Any:
        """What a user does: a network and a protocol in, the record with its error estimate out.

        No two calls have the same duration, so that nothing which is kept of a problem serves the next.
        """
        self._calls += 1
        protocol = sb.cooperative(self.duration * (1.0 + _STRETCH * self._calls), J=self.J)
        noise = sb.parse_noise(self.noise) if self.noise else None
        return sb.charge(sb.parse_network(self.network), protocol, engine=engine, noise=noise, **options)


def call(network: str, duration: float, engine: str, noise: str, J: float, rounds: int) -> list[float]:
    """CPU seconds of the third and later calls of ``charge`` in one process; ``engine`` is ``auto``, or Python."""
    job = Job(network, duration, noise, J)
    chosen: Any = "auto" if engine == "auto" else eval(engine)
    options = {"tolerance": TOLERANCE} if engine == "auto" else {}

    def seconds(calls: int) -> float:
        start = time.process_time()
        for _ in range(calls):
            job.charge(chosen, **options)
        return (time.process_time() - start) / calls

    seconds(1)
    calls = max(1, min(_MOST_CALLS, int(_FILL_SECONDS / seconds(1))))
    return [seconds(calls) for _ in range(rounds)]


def price(engine: str, network: str, duration: float, rounds: int) -> list[float]:
    """CPU time of a run that keeps 1e-6 over that of the cheapest single pass whose precision is within 1e-6.

    The pass is found knowing the answer, from an engine of ours at 1e-10: every scheme with the fewest steps from which
    on the precision stays within the tolerance, and the fastest of them.
    """
    from benchmarks import contestants
    from benchmarks.comparison import SPLITTING_ENGINES, fastest_pass, true_outcome
    from benchmarks.pairing import paired

    noise = f"x:{_FLIPS / duration!r}/ns" if engine == "lindblad" else ""
    job = Job(network, duration, noise)
    kind: Any = {"statevector": sb.Statevector, "symmetric": sb.Symmetric, "lindblad": sb.Lindblad}[engine]
    reference = true_outcome(job, kind, REFERENCE_TOLERANCE)
    if engine == "symmetric" and hasattr(contestants, "single_series"):
        series = contestants.loosest_series(job, reference, TOLERANCE)
        cheapest: Any = series
        run = contestants.single_series(job, series)
    else:  # a commit in which the sector has schemes of a step
        ways = (
            {"magnus": ("CF6", "CF4")}
            if engine == "symmetric"
            else {"splitting": [one.splitting for one in SPLITTING_ENGINES]}
        )
        schemes = [kind(**{option: name}) for option, names in ways.items() for name in names]
        cheapest = fastest_pass(job, reference, schemes, max(400, int(40 * duration)))
        run = contestants.single_pass(job, cheapest)
    print(f"{engine} {network}: {cheapest}", file=sys.stderr)

    def kept() -> Any:
        contestants.forget_symmetries()
        return job.charge(kind(TOLERANCE))

    timings = paired({"kept": kept, "pass": run}, rounds)
    return [a / b for a, b in zip(timings["kept"].cpu, timings["pass"].cpu, strict=True)]


def peer(name: str, network: str, duration: float, rounds: int) -> list[float]:
    """CPU time of a peer at its best setting, found knowing the answer, over that of ours, which keeps 1e-6."""
    from benchmarks.contestants import Case
    from benchmarks.pairing import paired
    from benchmarks.search import Setting, Tried, finalists, search_again

    if name == "mesolve":
        from benchmarks.comparison import true_outcome
        from benchmarks.mesolve_peer import MESOLVE

        job: Any = Job(network, duration, f"x:{_FLIPS / duration!r}/ns")
        best = finalists(job, true_outcome(job, sb.Lindblad), MESOLVE, _SILENT)[0]
        theirs, ours = MESOLVE.prepare(job.problem(), best.setting), sb.Lindblad(TOLERANCE)
    elif name == "qutip":
        from benchmarks.comparison import true_outcome
        from benchmarks.qutip_peer import SESOLVE

        first, job = Job("torus:3x3", duration), Job(network, duration)
        found = finalists(first, true_outcome(first), SESOLVE, _SILENT)
        best = search_again(job, true_outcome(job), SESOLVE, found, _SILENT)[0]
        theirs, ours = SESOLVE.prepare(job.problem(), best.setting), sb.Statevector(TOLERANCE)
    else:
        from benchmarks import quspin_peer
        from benchmarks.comparison import true_outcome

        lx, ly = map(int, network.partition(":")[2].split("x"))
        job = Job(network, duration)
        solver = quspin_peer.solver(Case(lx, ly, duration))
        # the fastest family at 3x4 and 4x4 (python -m benchmarks symmetric); its tolerances are searched here
        begin = [Tried(Setting("dop853", 3e-11, 3e-9, "spline", storage), 0.0) for storage in ("csr", "csr+dia")]
        best = search_again(job, true_outcome(job, sb.Symmetric, 1e-9), solver, begin, _SILENT)[0]
        theirs, ours = solver.prepare(job.problem(), best.setting), sb.Symmetric(TOLERANCE)
    print(f"{name} {network}: {best}", file=sys.stderr)
    timings: Any = paired({"theirs": theirs, "ours": lambda: job.charge(ours)}, rounds)
    return [a / b for a, b in zip(timings["theirs"].cpu, timings["ours"].cpu, strict=True)]


def tree_error(network: str, bonds: str, what: str, rounds: int) -> list[float]:
    """What a study of a tree with several seeds is off, in ``magnetization`` or ``std``, or what it says of itself.

    Args:
        bonds: the bond dimensions, as on the command line.
        what: a quantity, for its root mean square distance to the exact one; or ``magnetization_error`` or
            ``std_error``, for the mean estimate.
    """
    exact = sb.charge(sb.parse_network(network), sb.cooperative(20.0), engine=sb.Symmetric(1e-8))
    engines = (sb.TensorNetwork(bond_dimension=tuple(map(int, bonds.split(","))), seed=seed) for seed in range(rounds))
    records = [sb.charge(sb.parse_network(network), sb.cooperative(20.0), engine=engine) for engine in engines]
    if what.endswith("_error"):
        return [sum(getattr(record, what) for record in records) / rounds]
    distances = [(getattr(record, what) - getattr(exact, what)) ** 2 for record in records]
    return [(sum(distances) / rounds) ** 0.5]


def bandwidth(threads: int, rounds: int) -> list[float]:
    """Bytes a second of a stage of the state vector at N = 24, double precision, over those of copies beside it."""
    from benchmarks.state_vector import Case, measure_stages

    costs = measure_stages(rounds, _SILENT).costs
    (cost,) = (cost for cost in costs if cost.case == Case(24, False, threads))
    moved = cost.case.bytes_moved
    return [moved / seconds / copied for seconds, copied in zip(cost.seconds, cost.copied, strict=True)]


def main() -> None:
    what, *arguments = sys.argv[1:]
    *texts, rounds = arguments
    if what == "bandwidth":
        figures = bandwidth(int(texts[0]), int(rounds))
    elif what == "tree_error":
        figures = tree_error(texts[0], texts[1], texts[2], int(rounds))
    elif what == "call":
        network, duration, engine, noise, J = texts
        figures = call(network, float(duration), engine, noise, float(J), int(rounds))
    else:
        figures = {"price": price, "peer": peer}[what](texts[0], texts[1], float(texts[2]), int(rounds))
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
