"""Symmetries of a problem: permutations of the spins that leave couplings, noise and start as they are."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.machinery import PathFinder
from importlib.util import find_spec, module_from_spec
from typing import Any

import numpy as np

from ..core.arrays import read_only
from ..core.checks import instance, whole_number
from ..core.errors import InvalidParameterError
from ..core.typing import FloatArray, IntArray
from .network import SpinNetwork, checked_pairs, checked_weights
from .noise import Noise
from .problem import ChargingProblem, as_problem
from .state import ProductState

_CACHED_GROUPS = 256
_MIXING = 50
"""Products per element of the pool until the elements count as random."""


@dataclass(frozen=True, eq=False)
class AutomorphismGroup:
    """The automorphism group of a weighted graph with coloured vertices.

    Attributes:
        generators: (m, N) permutations that generate the group: spin k goes to ``generators[i, k]``.
        order: number of elements, which may be very large: N! for a complete graph.
    """

    generators: IntArray
    order: int

    @property
    def n_spins(self) -> int:
        return int(self.generators.shape[1])

    @property
    def is_trivial(self) -> bool:
        """Whether there is no symmetry but the identity."""
        return self.order == 1

    def site_orbits(self) -> IntArray:
        """Smallest spin that symmetries map each spin onto, shape (N,)."""
        smallest = np.arange(self.n_spins)
        while True:  # until no generator maps a spin onto one with a smaller label
            before = smallest.copy()
            for generator in self.generators:
                smallest = np.minimum(smallest, smallest[generator])
                np.minimum.at(smallest, generator, smallest)
            smallest = smallest[smallest]
            if np.array_equal(smallest, before):
                return np.asarray(smallest, dtype=np.int64)

    def elements(self, most: int) -> IntArray | None:
        """All elements as permutations, shape (order, N), or None where there are more than ``most``."""
        if self.order > most:
            return None
        identity = np.arange(self.n_spins)
        known = {identity.tobytes()}
        found = [identity]
        for element in found:  # grows while it is walked through
            for generator in self.generators:
                product = generator[element]
                key = product.tobytes()
                if key not in known:
                    known.add(key)
                    found.append(product)
        return np.array(found)

    def sample(self, count: int, random: np.random.Generator) -> IntArray:
        """Random elements, shape (count, N), for groups too large to be listed: products of generators.

        Product replacement: a pool of elements is multiplied with one another at random until it is mixed.
        """
        if self.is_trivial:
            return np.tile(np.arange(self.n_spins), (count, 1))
        pool = [np.array(self.generators[i % len(self.generators)]) for i in range(max(10, len(self.generators)))]
        chosen = random.integers(len(pool), size=(_MIXING * len(pool) + count, 2))
        found = np.empty((len(chosen), self.n_spins), dtype=np.int64)
        for step, (i, j) in enumerate(chosen.tolist()):
            if i != j:
                pool[i] = pool[j][pool[i]]
            found[step] = pool[i]
        return found[len(found) - count :]


def automorphism_group(n_spins: int, pairs: IntArray, weights: FloatArray, colours: IntArray) -> AutomorphismGroup:
    """All permutations that leave every pair's weight and every vertex's colour as they are.

    The search is done by the BLISS library, through igraph. It takes colours of vertices, not of edges, so that
    weighted pairs become vertices, coloured by the weight.

    Args:
        n_spins: number of vertices N.
        pairs: (E, 2) edges, each once.
        weights: (E,) compared to the last bit; an edge of weight zero is none.
        colours: (N,) kinds of the vertices.

    Raises:
        InvalidParameterError: arrays of other lengths, vertices that do not exist, or an edge that comes twice.
    """
    n_spins = whole_number("n_spins", n_spins)
    pairs = checked_pairs(n_spins, pairs, "pairs", InvalidParameterError)
    weights = checked_weights(pairs, weights, "weights", InvalidParameterError)
    instance("colours", colours, np.ndarray)
    if colours.shape != (n_spins,) or colours.dtype.kind not in "iu":
        raise InvalidParameterError(f"colours must be {n_spins} integers, but are {colours!r}.")
    acting = weights != 0.0
    kinds, kinds_of_spins = (_kinds(values) for values in (weights[acting], colours))
    return _searched(n_spins, *(array.tobytes() for array in (pairs[acting], kinds, kinds_of_spins)))


def _kinds(values: FloatArray | IntArray) -> IntArray:
    """Numbers from 0 that are equal where the values are."""
    return np.asarray(np.unique(values, return_inverse=True)[1].ravel(), dtype=np.int64)


@lru_cache(maxsize=_CACHED_GROUPS)
def _searched(n_spins: int, *arrays: bytes) -> AutomorphismGroup:
    """The group of a graph by pairs, their kinds and the kinds of the vertices; scaled couplings have the same."""
    pairs, kinds, kinds_of_spins = (np.frombuffer(array, dtype=np.int64) for array in arrays)
    pairs = pairs.reshape(-1, 2)
    if not kinds.any():
        graph, graph_colours = _graph_type()(n_spins, pairs.tolist()), kinds_of_spins
    else:
        middle = n_spins + np.arange(len(pairs))
        halves = np.column_stack([pairs.T.ravel(), np.tile(middle, 2)])
        graph = _graph_type()(n_spins + len(pairs), halves.tolist())
        graph_colours = np.concatenate([kinds_of_spins, kinds_of_spins.max() + 1 + kinds])
    colour_list = graph_colours.tolist()
    generators = np.array(graph.automorphism_group(color=colour_list), dtype=np.int64).reshape(-1, graph.vcount())
    order = int(graph.count_automorphisms(color=colour_list))
    return AutomorphismGroup(read_only(np.ascontiguousarray(generators[:, :n_spins])), order)


@cache
def _graph_type() -> Any:
    """The class of graphs of igraph's compiled core, without the rest of the package, which imports matplotlib."""
    package = find_spec("igraph")
    core = package and PathFinder.find_spec("igraph._igraph", package.submodule_search_locations)
    if "igraph" not in sys.modules and core and core.loader:
        module = module_from_spec(core)
        core.loader.exec_module(module)
        if hasattr(module, "GraphBase"):
            return module.GraphBase
    from igraph import GraphBase  # a version of igraph that is built in another way

    return GraphBase


def symmetry_group(problem: ChargingProblem) -> AutomorphismGroup:
    """Permutations of the spins that leave a problem as it is.

    They map couplings (cross-talk included), noise rates and the initial state of every spin onto equal ones; fields
    are uniform, so they are always kept.

    Raises:
        InvalidParameterError: it is no problem.
    """
    protocol = as_problem(problem).protocol
    return group_of(problem.network, protocol.J, protocol.initial, problem.noise)


@lru_cache(maxsize=_CACHED_GROUPS)
def group_of(network: SpinNetwork, J: float, initial: ProductState, noise: Noise | None) -> AutomorphismGroup:
    """:func:`symmetry_group` by all that it depends on, cached: protocols of other durations have the same group."""
    n = network.n_spins
    spinors = initial.spinors(n)
    parts = [spinors.real.T, spinors.imag.T]
    if noise is not None:
        parts += [noise.pauli_rates(n), noise.relaxation_rates(n)[None]]
    colours = np.unique(np.concatenate(parts).T, axis=0, return_inverse=True)[1].ravel()
    return automorphism_group(n, *network.couplings(J), np.asarray(colours, dtype=np.int64))
