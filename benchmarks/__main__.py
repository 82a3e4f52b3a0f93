"""``python -m benchmarks``: see README.md in this folder."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

THREADS = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL", "NUMBA")}

_PIPED_WIDTH = 130


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures and the environment to FILE")
    parser.add_argument("--quick", action="store_true", help="one round at 3x3 alone, to see that it runs")
    parser.add_argument("--rounds", type=int, default=5, help="rounds at 3x3; 3x4 gets three at most (default: 5)")
    arguments = parser.parse_args()
    if arguments.rounds < 1:
        parser.error("--rounds must be 1 or more")

    # thread pools read their limits when numpy is imported, so the limits come first
    os.environ.update(THREADS)
    from rich.console import Console

    from .comparison import compare, qutip_finalists
    from .contestants import Case
    from .report import environment, show, write_json

    # piped output has no width of its own
    console = Console(soft_wrap=True) if sys.stdout.isatty() else Console(soft_wrap=True, width=_PIPED_WIDTH)

    def say(message: str) -> None:
        console.print(f"[dim]{message}[/dim]")

    surroundings = environment(THREADS)
    console.print(surroundings)
    console.print("Imports and compilation are not timed: every contestant runs once before the rounds begin.")
    small, large = Case(3, 3), Case(3, 4)
    plan = [(small, 1)] if arguments.quick else [(small, arguments.rounds), (large, min(3, arguments.rounds))]
    finalists = qutip_finalists(small, say)
    comparisons = []
    for case, rounds in plan:
        comparisons.append(compare(case, finalists, rounds, say))
        show(comparisons[-1], console)
    if arguments.json:
        write_json(arguments.json, comparisons, surroundings)


if __name__ == "__main__":
    main()
