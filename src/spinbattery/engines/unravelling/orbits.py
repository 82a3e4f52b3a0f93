"""Orbits of spins: which spins a symmetry of a noisy problem maps onto each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..._typing import FloatArray, IntArray
from ...problem import ChargingProblem

if TYPE_CHECKING:
    import networkx as nx


def site_orbits(problem: ChargingProblem) -> IntArray:
    """Smallest spin of the orbit of each spin, shape (N,).

    A symmetry is a permutation of the spins that leaves couplings (cross-talk included), noise rates and the start
    as they are. Candidates are told apart by colour refinement from one marked spin, and only those that it cannot
    tell apart are given to a search for isomorphisms (VF2).
    """
    n = problem.n_spins
    couplings = np.zeros((n, n))
    pairs, values = problem.couplings
    couplings[pairs[:, 0], pairs[:, 1]] = couplings[pairs[:, 1], pairs[:, 0]] = values
    colours = _spin_colours(problem)
    orbits = np.arange(n)
    representatives: list[tuple[int, IntArray]] = []
    for spin in range(n):
        marked = colours.copy()
        marked[spin] = n  # beyond all others
        refined = _refined(couplings, marked)
        for other, known in representatives:
            if np.array_equal(np.sort(refined), np.sort(known)) and _isomorphic(couplings, refined, known):
                orbits[spin] = other
                break
        else:
            representatives.append((spin, refined))
    return orbits


def _spin_colours(problem: ChargingProblem) -> IntArray:
    """Number of the kind of each spin by its start and its rates, below N."""
    n = problem.n_spins
    spinors = problem.protocol.initial.spinors(n)
    parts = [spinors.real.T, spinors.imag.T]
    if problem.noise is not None:
        parts += [problem.noise.pauli_rates(n), problem.noise.relaxation_rates(n)[None]]
    return np.asarray(np.unique(np.concatenate(parts).T, axis=0, return_inverse=True)[1].ravel(), dtype=np.int64)


def _refined(couplings: FloatArray, colours: IntArray) -> IntArray:
    """Colours told apart by the colours at the other ends of all couplings, until nothing changes.

    A colour is a hash of what it stands for, so that colours of two graphs can be compared.
    """
    names: list[int] = colours.tolist()
    for _ in range(len(names)):
        rows = [
            hash((own, tuple(sorted(zip(row, names, strict=True)))))
            for own, row in zip(names, couplings.tolist(), strict=True)
        ]
        settled = len(set(rows)) == len(set(names))
        names = rows
        if settled:
            break
    return np.array(names, dtype=np.int64)


def _isomorphic(couplings: FloatArray, first: IntArray, second: IntArray) -> bool:
    from networkx.algorithms.isomorphism import GraphMatcher, numerical_edge_match, numerical_node_match

    return bool(
        GraphMatcher(
            _graph(couplings, first),
            _graph(couplings, second),
            node_match=numerical_node_match("colour", 0, rtol=0.0, atol=0.0),
            edge_match=numerical_edge_match("weight", 0.0, rtol=0.0, atol=0.0),
        ).is_isomorphic()
    )


def _graph(couplings: FloatArray, colours: IntArray) -> nx.Graph[int]:
    import networkx as nx

    graph: nx.Graph[int] = nx.Graph()
    for spin, colour in enumerate(colours.tolist()):
        graph.add_node(spin, colour=colour)
    for j, k in np.argwhere(np.triu(couplings)).tolist():
        graph.add_edge(j, k, weight=couplings[j, k])
    return graph
