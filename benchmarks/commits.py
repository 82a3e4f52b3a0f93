"""``python -m benchmarks.commits``: this commit against an earlier one, job by job, in one run.

Both commits are cloned, and each clone gets the environment that its own Makefile makes. The two take turns. Figures
are CPU seconds, user and system, children included, and ratios made of them. Each is kept in a file as soon as it is
there, so that a second call goes on where the first was stopped. Leave the machine alone meanwhile.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from .commit_tables import table
from .environment import environment
from .targets import JOBS, Job
from .trees import ROOT, Tree

EARLIER = "4da83a7"
"""The commit that the targets are about."""

_FOLDER = ROOT / "build" / "benchmarks"


class Results:
    """The figures so far, in a file."""

    def __init__(self, path: Path, old: Tree, new: Tree) -> None:
        self.path = path
        self.data: dict[str, Any] = {"old": old.commit, "new": new.commit, "environment": environment({}), "jobs": {}}
        if path.exists():
            kept = json.loads(path.read_text())
            if (kept["old"], kept["new"]) != (old.commit, new.commit):
                raise SystemExit(f"{path} has the figures of other commits; name another file, or remove it.")
            self.data["jobs"] = kept["jobs"]

    def figures(self, name: str) -> dict[str, list[float]]:
        """Figures of a job by tree, ``old`` and ``new``."""
        found: dict[str, list[float]] = self.data["jobs"].setdefault(name, {"old": [], "new": []})
        return found

    def save(self) -> None:
        """Write all figures."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text(json.dumps(self.data, indent=1) + "\n")


def measure(name: str, job: Job, trees: dict[str, Tree], rounds: int, results: Results) -> None:
    """Measure what is missing of a job; trees take turns, the order reversed every other round."""
    figures, rounds = results.figures(name), min(rounds, job.most_rounds)
    sides = [side for side in ("old", "new") if job.old or side == "new"]
    if not job.turns:
        for side in sides:
            if len(figures[side]) < rounds:
                figures[side] = job.measure(trees[side], rounds)
                results.save()
        return
    for turn in range(rounds):
        for side in sides if turn % 2 == 0 else reversed(sides):
            if len(figures[side]) <= turn:
                figures[side] += job.measure(trees[side], 1)
                results.save()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.commits", description=__doc__)
    parser.add_argument("old", nargs="?", default=EARLIER, help=f"the earlier commit (default: {EARLIER})")
    parser.add_argument("--new", default="HEAD", help="the later commit, as committed (default: HEAD)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=JOBS, metavar="JOB", help=f"these jobs alone: {', '.join(JOBS)}")
    parser.add_argument("--all", action="store_true", help="jobs of many minutes, too")
    parser.add_argument("--folder", type=Path, default=_FOLDER, help="where the clones and environments are made")
    parser.add_argument("--results", type=Path, help="file of the figures (default: in that folder)")
    parser.add_argument(
        "--environment", type=Path, metavar="PYTHON",
        help="use this interpreter's environment for both commits, and make none; no jobs of make",
    )  # fmt: skip
    arguments = parser.parse_args()
    chosen = arguments.only or [name for name, job in JOBS.items() if arguments.all or not job.heavy]
    if arguments.rounds < 1:
        parser.error("--rounds must be 1 or more")

    folder, extras = arguments.folder.resolve(), {JOBS[name].extras for name in chosen} - {""}
    trees = {
        side: Tree.clone(commit, folder / side, arguments.environment)
        for side, commit in (("old", arguments.old), ("new", arguments.new))
    }
    path = arguments.results or folder / f"{trees['old'].commit[:9]}-{trees['new'].commit[:9]}.json"
    results = Results(path, **trees)
    trees = {
        side: tree.make_environment(",".join(sorted(extras)) if side == "new" else "") for side, tree in trees.items()
    }
    failed = False
    for name in chosen:
        print(f"{name} ...", file=sys.stderr, flush=True)
        try:
            measure(name, JOBS[name], trees, arguments.rounds, results)
        except (RuntimeError, ArithmeticError, ValueError) as error:
            failed = True
            print(f"{name}: {error}", file=sys.stderr)
    print(table([results.data]))
    print(f"figures: {path}", file=sys.stderr)
    if failed:
        sys.exit(1)


if __name__ == "__main__":
    main()
