"""Order of the spins in a tree: halves of the network, and halves of these, cut where there are few pairs.

The order depends on the numbers of the spins and on their pairs alone, as the hash of a problem does: equal problems
have equal trees, whatever positions the spins are drawn at.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ...core.typing import IntArray
from ...model.lattices import torus

if TYPE_CHECKING:
    import networkx as nx

Block = tuple[int, ...]
"""Spins that share one basis, the first the most significant."""


class Halves(NamedTuple):
    """Two parts of a network, each of them a block or two halves."""

    first: Halves | Block
    second: Halves | Block


Part = Halves | Block


def lattice_sides(n_spins: int, pairs: IntArray) -> tuple[int, int] | None:
    """Sides (x, y) of the squarest torus that has all these pairs, as open lattices are parts of one; None without any.

    Spin k of a torus stands at (k // y, k % y).
    """
    wanted = set(map(tuple, pairs.tolist()))
    for x in range(int(np.sqrt(n_spins)), 0, -1):
        for sides in {(x, n_spins // x), (n_spins // x, x)} if n_spins % x == 0 else ():
            if wanted <= set(map(tuple, torus(*sides).pairs.tolist())):
                return sides
    return None


def halved(n_spins: int, pairs: IntArray, largest: int) -> Part:
    """Blocks of up to ``largest`` spins by recursive bisection.

    Lattices are cut across their longer side; other graphs by spectral ordering and the exchanges of Kernighan and
    Lin (networkx).
    """
    sides = lattice_sides(n_spins, pairs)
    if sides is not None:
        return _halved_lattice(np.arange(n_spins).reshape(sides), largest)
    import networkx as nx

    graph: nx.Graph[int] = nx.Graph()
    graph.add_nodes_from(range(n_spins))
    graph.add_edges_from(pairs.tolist())
    return _halved_graph(graph, largest)


def _halved_lattice(grid: IntArray, largest: int) -> Part:
    if grid.size <= largest:
        return tuple(grid.ravel().tolist())
    grid = grid if grid.shape[0] >= grid.shape[1] else grid.T
    half = grid.shape[0] // 2
    return Halves(_halved_lattice(grid[:half], largest), _halved_lattice(grid[half:], largest))


def _halved_graph(graph: nx.Graph[int], largest: int) -> Part:
    import networkx as nx

    spins = sorted(graph)
    if len(spins) <= largest:
        return tuple(spins)
    order = _spectral_order(graph, spins)
    start = sorted(order[: len(spins) // 2]), sorted(order[len(spins) // 2 :])
    halves = nx.community.kernighan_lin_bisection(graph, partition=start, seed=0)
    first, second = sorted(halves, key=min)
    return Halves(_halved_graph(graph.subgraph(first), largest), _halved_graph(graph.subgraph(second), largest))


def _spectral_order(graph: nx.Graph[int], spins: list[int]) -> list[int]:
    """Spins by the second eigenvector of the Laplacian of their component, one component after the other.

    The matrix is dense, so that the result is the same on every call; the iterative solver of networkx may not converge
    on small graphs.
    """
    import networkx as nx

    order: list[int] = []
    for component in sorted(nx.connected_components(graph), key=min):
        inside = sorted(component)
        laplacian = nx.laplacian_matrix(graph, nodelist=inside).toarray().astype(np.float64)
        fiedler = np.linalg.eigh(laplacian)[1][:, min(1, len(inside) - 1)]
        order += [inside[k] for k in np.argsort(np.round(fiedler, 9), kind="stable")]
    return order


def in_order(part: Part) -> list[int]:
    """Spins of a part from the first to the last."""
    return [*in_order(part.first), *in_order(part.second)] if isinstance(part, Halves) else list(part)


def chained(n_spins: int, pairs: IntArray, largest: int) -> Part:
    """Blocks of up to ``largest`` spins in a row: a snake on lattices, else by reverse Cuthill-McKee (scipy)."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import reverse_cuthill_mckee

    sides = lattice_sides(n_spins, pairs)
    if sides is not None:
        grid = np.arange(n_spins).reshape(sides)
        grid = grid if sides[0] >= sides[1] else grid.T
        order = [spin for k, row in enumerate(grid.tolist()) for spin in (row if k % 2 == 0 else reversed(row))]
    else:
        ones = np.ones(2 * len(pairs))
        both = np.concatenate([pairs, pairs[:, ::-1]])
        graph = csr_array((ones, (both[:, 0], both[:, 1])), shape=(n_spins, n_spins))
        order = reverse_cuthill_mckee(graph.tocsr(), symmetric_mode=True).tolist()
    blocks: list[Block] = [tuple(order[k : k + largest]) for k in range(0, n_spins, largest)]
    if len(blocks) == 1:
        return blocks[0]
    middle = len(blocks) // 2  # the root is in the middle of the chain, so that both ends are near
    return Halves(_in_a_row(blocks[:middle]), _in_a_row(blocks[: middle - 1 : -1]))


def _in_a_row(blocks: Sequence[Block]) -> Part:
    row: Part = blocks[0]
    for block in blocks[1:]:
        row = Halves(row, block)
    return row
