"""The jobs in which one commit is compared with another, and what is asked of them."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from .trees import ENVIRONMENT, Tree

T = TypeVar("T")
Measure = Callable[[Tree, int], list[float]]
"""Figures of some rounds in one tree."""

_IMPORT_PYPLOT = "import qutip, matplotlib.pyplot"
CHARGE = ("charge", "--network", "torus:3x3", "--duration", "20ns", "--json")


@dataclass(frozen=True)
class Target:
    """What is asked of a job.

    Attributes:
        of: ``ratio`` (new over old, round by round), ``new`` (the figure of the new commit), or the name of another
            job, whose figure of the new commit is compared with.
        most, least: the bound of the median.
    """

    of: str
    most: float | None = None
    least: float | None = None

    def reached(self, value: float) -> bool:
        """Whether a value is within the bound."""
        return (self.most is None or value <= self.most) and (self.least is None or value >= self.least)

    def __str__(self) -> str:
        return f"at most {self.most:g}" if self.most is not None else f"at least {self.least:g}"


@dataclass(frozen=True)
class Job:
    """Something that is measured in both trees, or in the new one alone.

    Attributes:
        part: heading in the tables.
        what: what is measured, for the tables.
        measure: the figures of some rounds.
        unit: of the figures.
        targets: what is asked.
        turns: whether rounds of the two trees take turns; otherwise ``measure`` is asked for all rounds at once.
        old: whether the old tree takes part.
        most_rounds: largest number of rounds.
        extras: of the environment.
        heavy: whether it takes more than some minutes; such jobs run only where they are named, or with --all.
    """

    part: str
    what: str
    measure: Measure
    unit: str = "CPU s"
    targets: tuple[Target, ...] = ()
    turns: bool = True
    old: bool = True
    most_rounds: int = 99
    extras: str = ""
    heavy: bool = False


def command(*arguments: str, warm: bool = True, threads: bool = True) -> Measure:
    """CPU seconds of a command in a new process; the first of each tree is not counted where ``warm``."""
    warmed: set[Path] = set()

    def measure(tree: Tree, rounds: int) -> list[float]:
        if warm and tree.folder not in warmed:
            tree.run(*arguments, threads=threads)
            warmed.add(tree.folder)
        return [tree.run(*arguments, threads=threads).cpu for _ in range(rounds)]

    return measure


def without_kernels(*arguments: str) -> Measure:
    """CPU seconds of a command that finds no compiled kernels."""

    def measure(tree: Tree, rounds: int) -> list[float]:
        found = []
        for _ in range(rounds):
            with tempfile.TemporaryDirectory() as folder:
                found.append(tree.run(*arguments, kernels=Path(folder)).cpu)
        return found

    return measure


def inside(*arguments: str, threads: bool = False) -> Measure:
    """Figures of ``in_tree.py``."""
    return lambda tree, rounds: [float(figure) for figure in tree.measure(*arguments, str(rounds), threads=threads)]


def fresh(*arguments: str, before: tuple[str, ...] = ()) -> Measure:
    """CPU seconds of a command in a fresh clone without environment, after another command that is not counted."""

    def measure(tree: Tree, rounds: int) -> list[float]:
        return [_in_fresh_clone(tree, before, lambda clone: clone.run(*arguments).cpu) for _ in range(rounds)]

    return measure


class FreshClones:
    """Fresh clones, in each of which several figures are measured. Figures before a failure count."""

    def __init__(self, measured: Callable[[Tree], Iterator[float]], before: tuple[str, ...] = ()) -> None:
        """Note what is measured in a clone, and the command that makes what it needs and is not counted."""
        self._measured, self._before = measured, before
        self._done: dict[Path, list[tuple[list[float], RuntimeError | None]]] = {}
        self._taken: Counter[tuple[int, Path]] = Counter()

    def figure(self, which: int) -> Measure:
        """The figure of this number; a clone serves for all of them."""

        def measure(tree: Tree, rounds: int) -> list[float]:
            found, done = [], self._done.setdefault(tree.folder, [])
            for _ in range(rounds):
                number = self._taken[which, tree.folder]
                self._taken[which, tree.folder] += 1
                if number == len(done):
                    done.append(_in_fresh_clone(tree, self._before, self._figures))
                figures, failure = done[number]
                if failure is not None and which >= len(figures):
                    raise failure
                found.append(figures[which])
            return found

        return measure

    def _figures(self, clone: Tree) -> tuple[list[float], RuntimeError | None]:
        found: list[float] = []
        try:
            found.extend(self._measured(clone))  # one after the other, so that those before a failure are there
        except RuntimeError as failure:
            return found, failure
        return found, None


def _reproduced_twice(clone: Tree) -> Iterator[float]:
    """CPU seconds, the part of the wall time until the first figure is there, and CPU seconds once more."""
    start = time.time()
    cpu = clone.run("make", "reproduce").cpu
    whole = time.time() - start
    figures = [file.stat().st_mtime for file in (clone.folder / "reproduction").rglob("*.png")]
    yield cpu
    yield (min(figures) - start) / whole
    yield clone.run("make", "reproduce").cpu


def _tested_twice(clone: Tree) -> Iterator[float]:
    """CPU seconds, and once more, when kernels are compiled."""
    for _ in range(2):
        yield clone.run("make", "test").cpu


def _in_fresh_clone(tree: Tree, before: tuple[str, ...], measure: Callable[[Tree], T]) -> T:
    folder = tree.folder.with_name(f"{tree.folder.name}-fresh")
    shutil.rmtree(folder, ignore_errors=True)
    clone = Tree.clone(tree.commit, folder)
    if before:
        clone.run(*before)
    found = measure(clone)
    shutil.rmtree(folder)
    return found


def _price(engine: str, network: str, duration: float, heavy: bool = False) -> Job:
    return Job(
        "price of a tolerance",
        f"{engine}, {network}, {duration:g} ns",
        inside("price", engine, network, str(duration)),
        "times the cheapest pass",
        (Target("new", most=2.0),),
        turns=False,
        heavy=heavy,
    )


def _peer(name: str, network: str, duration: float, target: Target, heavy: bool = False) -> Job:
    return Job(
        "peers",
        f"{name}, {network}, {duration:g} ns",
        inside("peer", name, network, str(duration)),
        "times ours",
        (target,),
        turns=False,
        old=name != "quspin",
        extras="bench" if name == "quspin" else "",
        heavy=heavy,
    )


def _call(
    network: str,
    duration: float,
    engine: str = "auto",
    noise: str = "",
    J: float = -0.2,
    targets: tuple[Target, ...] = (),
) -> Job:
    what = ", ".join(filter(None, (engine, network, f"{duration:g} ns", noise)))
    measure = inside("call", network, str(duration), engine, noise, str(J))
    return Job("calls of charge in one process", what, measure, targets=targets)


def _run(network: str, duration: str, *options: str, targets: tuple[Target, ...] = ()) -> Job:
    arguments = ("charge", "--network", network, "--duration", duration, "--quiet", "--json", *options)
    return Job(
        "large runs in a new process",
        " ".join((network, duration, *options)),
        command(*_SPINBATTERY, *arguments, warm=False),
        targets=targets,
        heavy=True,
    )


def _make(what: str, measure: Measure, *targets: Target, unit: str = "CPU s", old: bool = True) -> Job:
    return Job("commands", what, measure, unit, targets, old=old, heavy=True)


def _bandwidth(threads: int, least: float) -> Job:
    return Job(
        "bandwidth",
        f"a stage at N = 24, {threads} thread{'s' * (threads > 1)}",
        inside("bandwidth", str(threads), threads=True),
        "of the copy bandwidth",
        (Target("new", least=least),),
        turns=False,
        heavy=True,
    )


def _tree_error(quantity: str) -> Job:
    return Job(
        "errors of trees",
        f"{quantity}, torus:4x4, bond dimensions 8, 12, 16",
        inside("tree_error", "torus:4x4", "8,12,16", quantity),
        quantity,
        (Target("ratio", most=1.05),),
        turns=False,
        heavy=True,
    )


_PYPLOT = "qutip and pyplot"
_QUARTER, _THIRD, _HALF = (Target("ratio", most=most) for most in (0.25, 0.333, 0.5))
_TWICE = Target("ratio", least=2.0)
_SPINBATTERY = ("python", "-m", "spinbattery")
_TOOLS = ("make", ENVIRONMENT)
_REPRODUCTIONS = FreshClones(_reproduced_twice)
_SUITES = FreshClones(_tested_twice, _TOOLS)

JOBS: dict[str, Job] = {
    "first call": Job(
        "start-up",
        f"spinbattery {' '.join(CHARGE)}",
        command(*_SPINBATTERY, *CHARGE),
        targets=(_QUARTER, Target(_PYPLOT, most=1.0)),
    ),
    "first call, no kernels": Job(
        "start-up",
        f"spinbattery {' '.join(CHARGE)}, no kernels compiled before",
        without_kernels(*_SPINBATTERY, *CHARGE),
        targets=(_THIRD,),
    ),
    _PYPLOT: Job("start-up", _IMPORT_PYPLOT, command("python", "-c", _IMPORT_PYPLOT)),
    "import": Job(
        "start-up",
        "import spinbattery",
        command("python", "-c", "import spinbattery"),
        targets=(Target("new", most=0.1),),
    ),
    "help": Job("start-up", "spinbattery --help", command(*_SPINBATTERY, "--help")),
    "small 2x2": _call("torus:2x2", 20.0, targets=(_QUARTER,)),
    "small 3x3": _call("torus:3x3", 20.0, targets=(_QUARTER,)),
    "statevector 3x4": _call("torus:3x4", 20.0, "sb.Statevector(1e-6)"),
    "statevector 18": _call("ring:18", 3.0, "sb.Statevector(1e-3)"),
    "symmetric 4x4": _call("torus:4x4", 20.0, "sb.Symmetric(1e-6)"),
    "product 10x10": _call("torus:10x10", 60.0, "sb.Product(1e-9)", "x:1e-3/ns", 0.0),
    "lindblad 2x3": _call("torus:2x3", 20.0, "sb.Lindblad(1e-5)", "x:1e-3/ns+z:1e-3/ns"),
    "trajectories 2x4": _call("torus:2x4", 20.0, "sb.Trajectories(200, seed=1)", "x:1e-3/ns"),
    "tensor 3x4": _call("torus:3x4", 10.0, "sb.TensorNetwork(bond_dimension=12)"),
    "mean-field 10x10": _call("torus:10x10", 20.0, "sb.MeanField(1e-6)"),
    "truncated-wigner 6x6": _call("torus:6x6", 20.0, "sb.TruncatedWigner(500, seed=1)"),
    "emulator P2": _call("pegasus:2", 60e3, "sb.Emulator(reads=200, seed=1)"),
    "price statevector 3x3": _price("statevector", "torus:3x3", 20.0),
    "price statevector 3x4": _price("statevector", "torus:3x4", 20.0),
    "price statevector 4x4": _price("statevector", "torus:4x4", 20.0, heavy=True),
    "price symmetric 4x4": _price("symmetric", "torus:4x4", 60.0),
    "price symmetric 4x5": _price("symmetric", "torus:4x5", 60.0, heavy=True),
    "price symmetric 5x5": _price("symmetric", "torus:5x5", 20.0, heavy=True),
    "price lindblad 5": _price("lindblad", "ring:5", 20.0),
    "price lindblad 8": _price("lindblad", "torus:2x4", 20.0, heavy=True),
    "qutip 3x3": _peer("qutip", "torus:3x3", 20.0, _TWICE),
    "qutip 3x4": _peer("qutip", "torus:3x4", 20.0, _TWICE, heavy=True),
    "quspin 4x5": _peer("quspin", "torus:4x5", 60.0, Target("new", least=8.0), heavy=True),
    "mesolve 5": _peer("mesolve", "ring:5", 20.0, Target("new", least=15.0)),
    "5x5": _run("torus:5x5", "20ns", "--tolerance", "1e-6", targets=(_HALF,)),
    "3x4, 60 us": _run("torus:3x4", "60us", "--engine", "symmetric"),
    "tensor 8x8": _run("torus:8x8", "20ns", "--engine", "tensor", "--bond-dimension", "10,16,24", targets=(_HALF,)),
    "tensor error": _tree_error("magnetization"),
    "tensor std": _tree_error("std"),
    "tensor error, estimated": _tree_error("magnetization_error"),
    "tensor std, estimated": _tree_error("std_error"),
    "reproduce": _make("make reproduce in a fresh clone, with installation", _REPRODUCTIONS.figure(0), _QUARTER),
    "reproduce, first figure": _make(
        "the first figure of make reproduce is on disk",
        _REPRODUCTIONS.figure(1),
        Target("new", most=0.1),
        unit="part of its wall time",
        old=False,
    ),
    "reproduce again": _make(
        "make reproduce once more, every run finished",
        _REPRODUCTIONS.figure(2),
        Target("ratio", most=0.167),
    ),
    "test": _make("make test in a fresh clone, its environment made before", _SUITES.figure(0), _QUARTER),
    "test again": _make("make test once more", _SUITES.figure(1), _QUARTER),
    "ci": _make(".ci/run, likewise", fresh(".ci/run", before=_TOOLS), _HALF),
    "bandwidth, 1 thread": _bandwidth(1, 0.45),
    "bandwidth, 2 threads": _bandwidth(2, 0.6),
}
"""Jobs by name."""
