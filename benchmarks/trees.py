"""Clones of commits, each with an environment of its own, and the CPU time of what is run in them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .__main__ import THREADS

ROOT = Path(__file__).resolve().parents[1]
ENVIRONMENT = ".venv/test.stamp"
"""Target of the Makefile that makes the environment of `make test`."""


@dataclass(frozen=True)
class Cost:
    """What a command took.

    Attributes:
        cpu: seconds of user and system time, with all processes that it waited for.
        output: what it printed.
    """

    cpu: float
    output: str


@dataclass(frozen=True)
class Tree:
    """The clone of a commit.

    Attributes:
        commit: its full hash.
        folder: where the clone is.
        python: the interpreter of its environment; None before :meth:`make_environment`.
    """

    commit: str
    folder: Path
    python: Path | None = None

    @classmethod
    def clone(cls, commit: str, folder: Path, python: Path | None = None) -> Tree:
        """A fresh clone at a commit; one that is there is used again where its commit is the same.

        Args:
            commit: any name of it that git knows.
            folder: where to.
            python: an interpreter whose environment is used as it is, with the clone's source before it on the path.
        """
        full = _git(ROOT, "rev-parse", f"{commit}^{{commit}}")
        if not (folder / ".git").exists() or _git(folder, "rev-parse", "HEAD") != full:
            shutil.rmtree(folder, ignore_errors=True)
            folder.parent.mkdir(parents=True, exist_ok=True)
            _git(ROOT, "clone", "--quiet", "--no-checkout", str(ROOT), str(folder))
            _git(folder, "checkout", "--quiet", "--detach", full)
        return cls(full, folder, python)

    def make_environment(self, extras: str = "") -> Tree:
        """The tree with the environment that its own Makefile makes, and extras on top of it."""
        if self.python is not None:
            return self
        python = self.folder / ".venv" / "bin" / "python"
        subprocess.run(["make", "--quiet", ENVIRONMENT, f"PYTHON={sys.executable}"], cwd=self.folder, check=True)
        if extras:
            install = [str(python), "-m", "pip", "install", "--quiet", "--constraint", "constraints.txt"]
            subprocess.run([*install, "--editable", f".[{extras}]"], cwd=self.folder, check=True)
        return Tree(self.commit, self.folder, python)

    def run(self, *command: str, kernels: Path | None = None, threads: bool = True) -> Cost:
        """Run a command in the clone's folder; ``python`` is its environment's.

        Args:
            command: the command.
            kernels: folder of compiled kernels, in place of the clone's own.
            threads: whether numerical libraries may use more than one.

        Raises:
            RuntimeError: the command failed.
        """
        environment = {name: value for name, value in os.environ.items() if name not in _OURS}
        if kernels is not None:
            environment["NUMBA_CACHE_DIR"] = str(kernels)
        if not threads:
            environment |= THREADS
        first, *rest = command
        if first == "python":
            assert self.python is not None
            first = str(self.python.absolute())  # the command runs in another folder
            if not self.python.is_relative_to(self.folder):
                environment["PYTHONPATH"] = str(self.folder / "src")
        with tempfile.TemporaryFile("w+") as output:
            process = subprocess.Popen([first, *rest], cwd=self.folder, env=environment, stdout=output)
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            output.seek(0)
            printed = output.read()
        if process.returncode:
            raise RuntimeError(f"{' '.join(command)} ended with {process.returncode} in {self.commit[:9]}:\n{printed}")
        return Cost(usage.ru_utime + usage.ru_stime, printed)

    def measure(self, *arguments: str, threads: bool = False) -> Any:
        """The figures of ``in_tree.py`` in this tree."""
        script = str(ROOT / "benchmarks" / "in_tree.py")
        printed = self.run("python", script, *arguments, threads=threads).output
        return json.loads(printed.splitlines()[-1])


_OURS = {"PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "NUMBA_CACHE_DIR", "VIRTUAL_ENV", "MAKEFLAGS", "MAKELEVEL", *THREADS}
"""Variables of the calling process that must not reach a tree."""


def _git(folder: Path, *arguments: str) -> str:
    run = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return run.stdout.strip()
