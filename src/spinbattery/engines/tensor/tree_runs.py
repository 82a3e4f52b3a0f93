"""One run of a tree through a protocol."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from ...core.progress import Progress
from ...core.typing import FloatArray
from ...model.problem import ChargingProblem
from ..common.checkpoint import PassLog
from ..common.magnus import CommutatorFree
from ..common.mesh import Mesh
from ..common.ordering import Halves, chained, halved
from ..common.propagation import Passage
from ..common.window import Window
from .channels import Channels
from .layout import Layout

if TYPE_CHECKING:
    from .tree_state import TreeState

Shape = Literal["tree", "chain"]

MEAN_FIELD = CommutatorFree("CF2", 2, ((0.5,), (0.5,)))
"""The mean of H on the step, a half for each of its two TDVP sweeps."""

_PRODUCTS = 10.0
"""Products with H in an exponential: 8 to 11 were counted."""

_SECONDS_PER_OPERATION = {16: 4.5e-10, 8: 2.4e-10}
"""Time of a complex multiplication and addition, by the bytes of a number."""

_SECONDS_PER_NODE = 2.5e-4
"""Time of the Python code for a node, which holds the interpreter lock."""

_COMPILED_OVER_INTERPRETED = 0.5
"""Threads gain where compiled time is at least this part of interpreted time; else they take a third more CPU time."""

_EXPANSION_COST = 1.35
_LANCZOS_VECTORS = 34
"""Vectors of the size of the largest tensor that an exponential holds."""

_EXPONENTIAL = {np.dtype(np.complex128): 1e-8, np.dtype(np.complex64): 1e-6}
_LARGEST_BLOCK = 6
"""Largest number of spins in a block, whose operators are dense."""


class Setting(NamedTuple):
    """Options in which the runs of a problem differ.

    Attributes:
        bond_dimension: largest dimension of a link.
        expansion: bond vectors that each link gets in a step and may lose again; 0 for none, None for all.
        seed: seed of all random numbers.
        halvings: halvings of the step.
    """

    bond_dimension: int
    expansion: int | None
    seed: int
    halvings: int


@dataclass(frozen=True)
class TreeRun:
    """Results of a run, at the output times and, last, at the end.

    mu, sigma^2 and <H> in GHz are (T + 1,), <sz_k> (T + 1, N). ``norm`` is the squared norm before normalisation,
    ``discarded`` the sum of the discarded relative weights; the time per step includes interrupted parts.
    """

    setting: Setting
    mean: FloatArray
    variance: FloatArray
    energy: FloatArray
    spins: FloatArray
    norm: float
    discarded: float
    largest_dimension: int
    steps: int
    seconds_per_step: float
    state: TreeState

    @property
    def std(self) -> FloatArray:
        """(T + 1,) sigma."""
        return np.sqrt(self.variance)


@dataclass(frozen=True)
class TreePlan:
    """All that the runs of a problem have in common, except the blocks, which depend on the bond dimension.

    The tree evolves within the window. Truncation is the relative weight below which bond vectors are discarded.
    """

    problem: ChargingProblem
    shape: Shape
    scheme: CommutatorFree
    window: Window
    mesh: Mesh
    truncation: float
    dtype: np.dtype[Any]

    @cached_property
    def complete_from(self) -> float:
        """Bond dimension from which nothing is truncated."""
        return max(_layout(self.problem, self.shape, 2).full_dimensions[:-1], default=1.0)

    def run(self, setting: Setting, times: FloatArray, progress: Progress, log: PassLog) -> TreeRun:
        """Carry the start through the protocol, with output at ``times`` (ns)."""
        from .evolution import TreeEvolution
        from .measure import energy, moments, spin_magnetization
        from .tree_state import TreeState

        problem, bond = self.problem, setting.bond_dimension
        channels = self.channels(bond)
        spinors = problem.protocol.initial.spinors(problem.n_spins)
        state = TreeState(channels.layout, channels, spinors, bond, setting.seed, self.dtype)
        evolution = TreeEvolution(
            state,
            expansion=setting.expansion,
            truncation=self.truncation,
            tolerance=_EXPONENTIAL[self.dtype],
            seed=setting.seed,
            stage_seconds=self.stage_seconds(setting),
        )
        norm = 1.0

        def row(time: float) -> tuple[float, ...]:
            nonlocal norm
            state.sync()
            mean, variance, norm = moments(state, channels)
            fields = tuple(float(field) for field in problem.fields(time))
            spins = spin_magnetization(state, channels).tolist()
            return mean, variance, energy(state, (fields[0], fields[1], fields[2])), *spins

        def reached(fraction: float, message: str) -> None:
            progress(fraction, f"{message}, bond dimension {bond}")

        passage = Passage(problem, self.scheme, self.mesh, 1 << setting.halvings, times, reached, log)
        mean, variance, energies, *spins = self.window.follow(passage, evolution, row)
        return TreeRun(
            setting, mean, variance, energies, np.array(spins).T, norm, state.discarded, state.largest_dimension,
            passage.steps, log.seconds / passage.steps, state,
        )  # fmt: skip

    def channels(self, bond_dimension: int) -> Channels:
        """Couplings across the links of a layout."""
        return _channels(self.problem, self.shape, bond_dimension)

    def stage_seconds(self, setting: Setting) -> float:
        """Rough time of a stage: products with H of all nodes, and a fixed time for each node."""
        return self._interpreted_seconds(setting) + self._compiled_seconds(setting)

    def runs_beside_others(self, setting: Setting) -> bool:
        """Whether compiled code takes so much of a run that another thread gets on with its own."""
        return self._compiled_seconds(setting) > _COMPILED_OVER_INTERPRETED * self._interpreted_seconds(setting)

    def _interpreted_seconds(self, setting: Setting) -> float:
        return len(self.channels(setting.bond_dimension).layout.children) * _SECONDS_PER_NODE

    def _compiled_seconds(self, setting: Setting) -> float:
        operations = sum(size * cost for size, cost in self._nodes(setting.bond_dimension))
        expansion = 1.0 if setting.expansion == 0 else _EXPANSION_COST
        if setting.expansion is None:
            expansion = _EXPANSION_COST * max(1.0, setting.bond_dimension**1.2)
        per_operation = _SECONDS_PER_OPERATION[self.dtype.itemsize]
        return expansion * _PRODUCTS * operations * per_operation

    def seconds(self, setting: Setting) -> float:
        """Rough time of a run."""
        return self.mesh.steps(1 << setting.halvings) * self.scheme.stages * self.stage_seconds(setting)

    def bytes(self, setting: Setting) -> int:
        """Memory of a run: tensors (three times, for checkpoints), operators of legs, vectors of exponentials."""
        channels, itemsize = self.channels(setting.bond_dimension), self.dtype.itemsize
        sizes = [size for size, _ in self._nodes(setting.bond_dimension)]
        dimensions = _dimensions(channels.layout, setting.bond_dimension)
        legs = sum(
            (4 + channels.number(node, parent) + channels.number(parent, node)) * dimensions[node] ** 2
            for node, parent in channels.layout.parents.items()
        )
        extra = setting.expansion
        grown = 1.0 if extra == 0 else 2.0 if extra is not None else float(setting.bond_dimension)
        return math.ceil(itemsize * (3 * sum(sizes) + grown * _LANCZOS_VECTORS * max(sizes) + 4 * grown * legs))

    def _nodes(self, bond_dimension: int) -> list[tuple[int, float]]:
        """Size of each tensor, and multiplications for each of its numbers in a product with H."""
        channels = self.channels(bond_dimension)
        layout = channels.layout
        dimensions = _dimensions(layout, bond_dimension)
        found = []
        for node in range(layout.root + 1):
            legs = layout.neighbours(node)
            sizes = [dimensions.get(other, 1) for other in legs] if node == layout.root else [
                dimensions[legs[0]], dimensions[legs[1]], dimensions[node]
            ]  # fmt: skip
            cost = float(sum(sizes))
            for i, j in ((0, 1), (0, 2), (1, 2)):
                pairs = len(channels.products((legs[i], node), (legs[j], node))[0])
                cost += min(pairs * (sizes[i] + sizes[j]), sizes[i] * sizes[j])
            found.append((math.prod(sizes), cost))
        return found


def _dimensions(layout: Layout, bond_dimension: int) -> dict[int, int]:
    """Largest dimension above each node and block."""
    found = {-1 - k: 1 << len(spins) for k, spins in enumerate(layout.blocks)}
    return found | {
        node: int(min(layout.full_dimensions[node], bond_dimension)) for node in range(len(layout.children) - 1)
    }


@lru_cache(maxsize=64)
def _layout(problem: ChargingProblem, shape: Shape, bond_dimension: int) -> Layout:
    """Layout with blocks as large as the bond dimension allows, within which full links cost nothing."""
    n = problem.n_spins
    largest = max(1, min(int(math.log2(bond_dimension)), _LARGEST_BLOCK, n // 2))
    halves = (halved if shape == "tree" else chained)(n, problem.couplings[0], largest)
    if not isinstance(halves, Halves):
        raise TypeError("one block is no tree")
    return Layout.of(halves)


@lru_cache(maxsize=16)
def _channels(problem: ChargingProblem, shape: Shape, bond_dimension: int) -> Channels:
    return Channels(_layout(problem, shape, bond_dimension), *problem.couplings)
