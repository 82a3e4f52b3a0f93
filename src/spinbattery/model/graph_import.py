"""Networks from networkx graphs. The attribute that is the weight of a bond is named or evident, never guessed."""

from __future__ import annotations

import math
import numbers
import sys
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ..core.checks import NUMBER, instance, is_row
from ..core.errors import NetworkError
from ..core.typing import FloatArray, IntArray
from .network import SpinNetwork

if TYPE_CHECKING:
    import networkx as nx

WEIGHT, CROSSTALK = "weight", "crosstalk"
_WEIGHTS = frozenset({"weight", "weights", "w", "j", "bias", "coupling"})
"""Names, in small letters, of weights, whatever the values are."""

_NO_WEIGHTS = frozenset({"id", "key", "name", CROSSTALK})
"""Names of numbers that are not weights; names that begin with an underscore are not either."""

_FIELDS = frozenset({"h", "bias", "field", "linear"})
"""Names, in small letters, under which graphs keep a field on each node."""


def is_graph(candidate: Any) -> bool:
    """Whether this is a networkx graph; nothing is, as long as networkx has not been imported."""
    networkx = sys.modules.get("networkx")
    return networkx is not None and isinstance(candidate, networkx.Graph)


def from_networkx(
    graph: nx.Graph[Any], name: str | None = None, *, weight: str | Literal[False] | None = None
) -> SpinNetwork:
    """Network of an undirected simple graph.

    Nodes become spins in the graph's own order and are kept as labels. The weight of an edge multiplies the protocol's
    J; its attribute ``crosstalk`` is a parasitic coupling in units of B(s)/2, and an edge with weight 0 and cross-talk
    is parasitic only. Fields on nodes are not part of a network: they belong to the protocol.

    Args:
        graph: with one or more nodes.
        name: of the network; by default the graph's own.
        weight: edge attribute that is the weight, such as ``"J"``, or False for weights of 1 whatever the edges have.
            By default it is ``weight`` where the edges have it, and 1 where they have no numbers at all.

    Raises:
        NetworkError: empty, directed, multi- or self-looped graph; edges that have numbers under other names than
            ``weight``, or only some of them a weight; a weight that is not finite or not a number; nodes with fields,
            or a model of bits, unless ``weight`` is False.

    Example:
        >>> import networkx as nx
        >>> graph = nx.Graph()
        >>> graph.add_edge(11, 12, J=1.0)
        >>> from_networkx(graph, weight="J").weights
        array([1.])
    """
    _check_graph(graph)
    if name is not None:
        instance("name", name, str)
    chosen = _chosen(graph, weight)
    nodes = list(graph.nodes)
    index = {node: k for k, node in enumerate(nodes)}
    bonds: dict[tuple[int, int], float] = {}
    parasitic: dict[tuple[int, int], float] = {}
    for u, v, data in graph.edges(data=True):
        pair = index[u], index[v]
        value = 1.0 if chosen is None else _number(data.get(chosen), f"edge ({u}, {v}) has {chosen}")
        if data.get(CROSSTALK) is not None:
            parasitic[pair] = _number(data[CROSSTALK], f"edge ({u}, {v}) has {CROSSTALK}")
        if data.get(CROSSTALK) is None or value != 0.0:
            bonds[pair] = value
    return SpinNetwork(
        len(nodes),
        *_columns(bonds),
        *_columns(parasitic),
        name=name or str(graph.graph.get("name") or "custom"),
        positions=_positions(graph.nodes(data="pos")),
        labels=tuple(nodes),
    )


def _check_graph(graph: Any) -> None:
    if not is_graph(graph):
        raise NetworkError(f"a networkx graph is needed, but this is {graph!r}; graphs of igraph have to_networkx().")
    if graph.is_directed():
        raise NetworkError(
            "the graph is directed, but spins couple both ways; use graph.to_undirected(), or in its file "
            'edgedefault="undirected" (GraphML) or directed 0 (GML).'
        )
    if graph.is_multigraph():
        raise NetworkError("the graph is a multigraph; merge parallel edges into one with the summed weight.")
    if graph.number_of_nodes() == 0:
        raise NetworkError("the graph is empty; a network needs at least one spin.")


def _chosen(graph: nx.Graph[Any], weight: str | Literal[False] | None) -> str | None:
    """Name of the attribute that is the weight, which every edge has; None for weights of 1."""
    if weight is False:
        return None
    if weight is not None and not (isinstance(weight, str) and weight not in ("", CROSSTALK)):
        raise NetworkError(
            f"weight must name an edge attribute other than crosstalk, or be False for weights of 1, but is {weight!r}."
        )
    found = Counter(key for _, _, data in graph.edges(data=True) for key in data)
    _refuse_fields(graph)
    if weight is None and WEIGHT not in found:
        _refuse_other_names(graph)
        return None
    chosen = WEIGHT if weight is None else weight
    if found[chosen] < graph.number_of_edges():
        bare = next((u, v) for u, v, data in graph.edges(data=True) if chosen not in data)
        there = ", ".join(sorted(map(str, found))) or "none"
        raise NetworkError(
            f"edge ({bare[0]}, {bare[1]}) has no attribute {chosen!r}, which {found[chosen]} of "
            f"{graph.number_of_edges()} edges have; attributes found: {there}. Give every edge its weight."
        )
    return chosen


def _refuse_other_names(graph: nx.Graph[Any]) -> None:
    """Refuse edges that have numbers, but none called weight."""
    names = {
        str(key) for _, _, data in graph.edges(data=True) for key, value in data.items()
        if str(key).lower() in _WEIGHTS or _is_number(value)
    }  # fmt: skip
    others = sorted(name for name in names if name not in _NO_WEIGHTS and not name.startswith("_"))
    if others:
        raise NetworkError(
            f"the edges have no attribute 'weight', but {', '.join(map(repr, others))}; choose the weight of the bonds "
            f"by weight={others[0]!r} (file:...?weight={others[0]} in a text), or weight=False (?weight=none) for "
            "weights of 1."
        )


def _refuse_fields(graph: nx.Graph[Any]) -> None:
    """Refuse fields that are not zero, which would be lost silently, and models of bits."""
    for node, data in graph.nodes(data=True):
        if str(getattr(data.get("vartype"), "name", data.get("vartype"))) == "BINARY":
            raise NetworkError(
                f"node {node!r} is of a BINARY model, whose biases are for bits, not spins; use change_vartype('SPIN')."
            )
        for key, value in data.items():
            if str(key).lower() in _FIELDS and _is_number(value) and float(value) != 0.0:
                raise NetworkError(
                    f"node {node!r} has {key} = {value}, a field; fields belong to the protocol (h), and a network "
                    "has bonds alone. Remove the attribute from the nodes to read the bonds without the fields."
                )


def _is_number(value: Any) -> bool:
    if isinstance(value, str):
        return NUMBER.fullmatch(value.strip()) is not None
    return isinstance(value, numbers.Number) and not isinstance(value, bool)


def _number(value: Any, what: str) -> float:
    """A finite real number, which files may keep as a text."""
    if not _is_number(value) or isinstance(value, complex | np.complexfloating):
        raise NetworkError(f"{what} = {value!r}, which is not a number.")
    number = float(value)
    if not math.isfinite(number):
        raise NetworkError(f"{what} = {value!r}, which is not finite.")
    return number


def _columns(bonds: dict[tuple[int, int], float]) -> tuple[IntArray, FloatArray]:
    return np.array(list(bonds), dtype=np.int64).reshape(-1, 2), np.array(list(bonds.values()))


def _positions(nodes: Iterable[tuple[Any, Any]]) -> FloatArray | None:
    found = [pos for _, pos in nodes]
    if not all(map(is_row, found)) or len({len(pos) for pos in found}) != 1:
        return None
    return np.array(found, dtype=np.float64)
