"""``python -m benchmarks [PART ...]``: see README.md in this folder."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

THREADS = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL", "NUMBA")}

PEERS = {
    "engines": ("qutip",),
    "sweeps": ("distributed",),
    "emulator": ("dwave.samplers",),
    "open-systems": ("qutip",),
    "statevector": (),
    "symmetric": ("qutip",),
    "tensor-networks": ("qtealeaves", "tenpy"),
}
"""The parts, and the modules that their peers need."""

_TO_HAVE_THEM = "pip install -c constraints.txt -e '.[test]'"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("part", nargs="?", choices=PEERS, help="one part alone (default: all)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures and the environment to FILE")
    parser.add_argument("--quick", action="store_true", help="one round of the smallest jobs, to see that it runs")
    parser.add_argument("--rounds", type=int, default=5, help="rounds; slow jobs get three at most (default: 5)")
    arguments = parser.parse_args()
    if arguments.rounds < 1:
        parser.error("--rounds must be 1 or more")

    parts, left_out = runnable((arguments.part,) if arguments.part else tuple(PEERS))
    for line in left_out:
        print(line, file=sys.stderr)
    if not parts:
        sys.exit(1)

    # thread pools read their limits when numpy is imported, so the limits come first
    os.environ.update(THREADS)
    from .environment import environment, load, write_json
    from .tables import wide_console

    console = wide_console()
    surroundings = environment(THREADS)
    console.print(surroundings)
    rounds = 1 if arguments.quick else arguments.rounds
    sections: dict[str, Any] = {}
    if "engines" in parts:
        sections |= _engines(rounds, arguments.quick, console)
    if "sweeps" in parts:
        sections["sweeps"] = _sweeps(rounds, arguments.quick, console)
    if "emulator" in parts:
        sections["emulator"] = _emulator(rounds, arguments.quick, console)
    if "open-systems" in parts:
        sections["open_systems"] = _open_systems(rounds, arguments.quick, console)
    if "statevector" in parts:
        sections["state_vector"] = _state_vector(rounds, arguments.quick, console)
    if "symmetric" in parts:
        sections["symmetric"] = _symmetric(rounds, arguments.quick, console)
    if "tensor-networks" in parts:
        sections["tensor_networks"] = _tensor_networks(rounds, arguments.quick, console)
    surroundings["load_after"] = load()
    console.print(f"load before {surroundings['load_before']}, after {surroundings['load_after']}")
    if arguments.json:
        write_json(arguments.json, surroundings, sections)


def runnable(parts: Iterable[str]) -> tuple[list[str], list[str]]:
    """Those of some parts whose peers are installed, and a line on each other one."""
    missing = {part: [module for module in PEERS[part] if not _is_installed(module)] for part in parts}
    lines = [f"{part} is left out, for it needs {' and '.join(m)}: {_TO_HAVE_THEM}" for part, m in missing.items() if m]
    return [part for part, modules in missing.items() if not modules], lines


def _is_installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # the package that the module would be in
        return False


def _engines(rounds: int, quick: bool, console: Console) -> dict[str, Any]:
    from .comparison import compare, true_outcome
    from .contestants import Case
    from .qutip_peer import SESOLVE
    from .report import plain, show
    from .search import finalists

    console.print("Imports and compilation are not timed: every contestant runs once before the rounds begin.")
    say = _aside(console)
    small, large = Case(3, 3), Case(3, 4)
    plan = [(small, 1)] if quick else [(small, rounds), (large, min(3, rounds))]
    found = finalists(small, true_outcome(small), SESOLVE, say)
    comparisons = []
    for case, turns in plan:
        comparisons.append(compare(case, found, turns, say))
        show(comparisons[-1], console)
    return plain(comparisons)


def _sweeps(rounds: int, quick: bool, console: Console) -> dict[str, Any]:
    from .overhead import compare_overheads
    from .speedup import compare_workers
    from .sweep_report import plain, show_overhead, show_speed_up

    say = _aside(console)
    overhead = compare_overheads(rounds, say, quick=quick)
    show_overhead(overhead, console)
    speed_up = compare_workers(rounds, say, quick=quick)
    show_speed_up(speed_up, console)
    return plain(overhead, speed_up)


def _emulator(rounds: int, quick: bool, console: Console) -> dict[str, Any]:
    from .emulation import compare_rates, compare_threads
    from .emulator_report import plain, show_charge, show_rates, show_threads
    from .whole_charge import measure_charge

    say = _aside(console)
    rates = compare_rates(rounds, say, quick=quick)
    for one in rates:
        show_rates(one, console)
    gain = compare_threads(rounds, say, quick=quick)
    show_threads(gain, console)
    costs = measure_charge(rounds, say, quick=quick)
    show_charge(costs, console)
    return plain(rates, gain, costs)


def _open_systems(rounds: int, quick: bool, console: Console) -> dict[str, Any]:
    from .open_report import plain, show_large_jobs
    from .open_systems import NoisyCase, compare_with_qutip, time_large_jobs
    from .report import show

    say = _aside(console)
    comparison = compare_with_qutip(NoisyCase("ring:2" if quick else "ring:5"), rounds, say)
    show(comparison, console)
    jobs = time_large_jobs(min(3, rounds), say, quick=quick)
    show_large_jobs(jobs, console)
    return plain([comparison], jobs)


def _state_vector(rounds: int, quick: bool, console: Console) -> dict[str, Any]:
    from .state_vector import measure_stages
    from .state_vector_report import plain, show_stages

    found = measure_stages(rounds, _aside(console), quick=quick)
    show_stages(found, console)
    return plain(found)


def _symmetric(rounds: int, quick: bool, console: Console) -> dict[str, Any]:
    from .prediction import check_predictions
    from .report import show
    from .symmetric_report import plain, show_predictions
    from .symmetric_sector import compare_sizes, one_core

    say = _aside(console)
    comparisons = []
    for comparison in compare_sizes(rounds, say, quick=quick):
        comparisons.append(comparison)
        show(comparison, console)
    with one_core():
        choices = check_predictions(min(2, rounds), say, quick=quick)
    show_predictions(choices, console)
    return plain(comparisons, choices)


def _tensor_networks(rounds: int, quick: bool, console: Console) -> dict[str, Any]:
    from .tensor_networks import QUICK_CASE, WHOLE_CASE, compare_runs, compare_steps
    from .tensor_networks_report import plain, show_runs, show_steps

    say = _aside(console)
    steps = compare_steps(min(3, rounds), say, quick=quick)
    show_steps(steps, console)
    runs = compare_runs(say, quick=quick)
    show_runs(runs, (QUICK_CASE if quick else WHOLE_CASE).title, console)
    return plain(steps, runs)


def _aside(console: Console) -> Callable[[str], None]:
    return lambda message: console.print(message, style="dim", markup=False)


if __name__ == "__main__":
    main()
