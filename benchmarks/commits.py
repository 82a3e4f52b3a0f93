"""``python -m benchmarks.commits COMMIT``: this commit against an earlier one, job by job, in one run.

Both trees come from git, use the libraries of this environment, and keep compiled kernels in folders of their own. Each
has one process that runs the jobs; the two take turns, five rounds by default. Start-up is timed in new processes.
Figures are CPU seconds, user and system, children included, and their ratio.
"""

from __future__ import annotations

import argparse
import io
import os
import resource
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median

from .__main__ import THREADS

JOBS = {
    "product": "run('torus:10x10', Product(1e-9), 60.0, noise='x:1e-3/ns', J=0.0)",
    "statevector": "run('torus:3x4', Statevector(1e-6), 20.0)",
    "statevector, large": "run('ring:18', Statevector(1e-3), 3.0)",
    "symmetric": "run('torus:4x4', Symmetric(1e-6), 20.0)",
    "lindblad": "run('torus:2x3', Lindblad(1e-5), 20.0, noise='x:1e-3/ns+z:1e-3/ns')",
    "trajectories": "run('torus:2x4', Trajectories(200, seed=1), 20.0, noise='x:1e-3/ns')",
    "tensor": "run('torus:3x4', TensorNetwork(bond_dimension=12), 10.0)",
    "mean-field": "run('torus:10x10', MeanField(1e-6), 20.0)",
    "truncated-wigner": "run('torus:6x6', TruncatedWigner(500, seed=1), 20.0)",
    "emulator": "run('pegasus:2', Emulator(reads=200, seed=1), 60e3)",
    "small jobs": "[run('torus:2x2', Statevector(1e-6), float(duration)) for duration in range(10, 30)]",
}
"""Jobs for the engines, as calls of ``run`` in the worker."""

STARTS = {
    "import spinbattery": ("-c", "import spinbattery"),
    "spinbattery --help": ("-m", "spinbattery", "--help"),
    "charge torus:2x2": ("-m", "spinbattery", "charge", "--network", "torus:2x2", "--duration", "20ns", "--quiet"),
}

_WORKER = """
import sys, time
from spinbattery import *

def run(network, engine, duration, noise=None, J=-0.2):
    charge(parse_network(network), cooperative(duration, J=J), engine=engine, noise=noise and parse_noise(noise))

for line in sys.stdin:
    start = time.process_time()
    eval(line)
    print(time.process_time() - start, flush=True)
"""


class Tree:
    """A commit's source, and the process that runs jobs with it."""

    def __init__(self, commit: str, folder: Path) -> None:
        archive = subprocess.run(["git", "archive", commit, "src"], capture_output=True, check=True).stdout
        with tarfile.open(fileobj=io.BytesIO(archive)) as files:
            files.extractall(folder, filter="data")
        cache = str(folder / "kernels")
        self._environment = {**os.environ, **THREADS, "PYTHONPATH": str(folder / "src"), "NUMBA_CACHE_DIR": cache}
        self._worker = subprocess.Popen(
            [sys.executable, "-c", _WORKER], env=self._environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True,
        )  # fmt: skip

    def run(self, job: str) -> float:
        """CPU seconds of a job."""
        assert self._worker.stdin is not None
        assert self._worker.stdout is not None
        print(job, file=self._worker.stdin, flush=True)
        return float(self._worker.stdout.readline())

    def start(self, arguments: tuple[str, ...]) -> float:
        """CPU seconds of a new process."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, *arguments], env=self._environment, stdout=subprocess.DEVNULL, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    def end(self) -> None:
        """End the worker."""
        self._worker.communicate()


def compare(name: str, run: Callable[[Tree], float], trees: tuple[Tree, Tree], rounds: int) -> float:
    """Print and return the median over rounds of the ratio of new to old; the first run of each is not counted."""
    for tree in trees:
        run(tree)
    old, new = trees
    pairs = []
    for turn in range(rounds):
        if turn % 2:
            after, before = run(new), run(old)
        else:
            before, after = run(old), run(new)
        pairs.append((before, after))
    ratios = sorted(after / before for before, after in pairs)
    seconds = [median(column) for column in zip(*pairs, strict=True)]
    spread = f"{median(ratios):.3f} ({ratios[0]:.3f} to {ratios[-1]:.3f})"
    print(f"{name:22} {seconds[0]:9.4f} s {seconds[1]:9.4f} s   {spread}", flush=True)
    return median(ratios)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.commits", description=__doc__)
    parser.add_argument("commit", help="the earlier commit")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", choices=(*JOBS, *STARTS), help="one job alone")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        commits = (arguments.commit, "HEAD")
        old, new = (Tree(commit, Path(folder) / str(k)) for k, commit in enumerate(commits))
        print(f"{'job':22} {arguments.commit[:9]:>11} {'HEAD':>11}   HEAD / {arguments.commit[:9]}")
        chosen = [arguments.only] if arguments.only else [*JOBS, *STARTS]
        for name in chosen:
            if name in JOBS:
                compare(name, lambda tree, job=JOBS[name]: tree.run(job), (old, new), arguments.rounds)
            else:
                compare(name, lambda tree, its=STARTS[name]: tree.start(its), (old, new), arguments.rounds)
        old.end()
        new.end()


if __name__ == "__main__":
    main()
