"""Text forms of networks, as used on the command line: ``torus:3x4``, ``ring:5``, ``file:graph.graphml``."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .errors import NetworkError, did_you_mean
from .network import SpinNetwork, complete, from_networkx, ring, torus


def _one_size(build: Callable[[int], SpinNetwork], kind: str, argument: str) -> SpinNetwork:
    if not re.fullmatch(r"[0-9]+", argument):
        raise NetworkError(f"{kind}:{argument} is not a size; write {kind}:6.")
    return build(int(argument))


def _torus(argument: str) -> SpinNetwork:
    match = re.fullmatch(r"([0-9]+)x([0-9]+)", argument)
    if match is None:
        raise NetworkError(f"torus:{argument} is not of the form LXxLY; write torus:3x4.")
    return torus(int(match[1]), int(match[2]))


def _graph_readers() -> dict[str, Callable[[Path], Any]]:
    import networkx as nx

    return {".graphml": nx.read_graphml, ".gml": nx.read_gml, ".edgelist": _read_edgelist}


def _read_edgelist(path: Path) -> Any:
    """A weighted edge list; networkx would let the last of several equal edges win in silence."""
    import networkx as nx

    edges = nx.read_weighted_edgelist(path, create_using=nx.MultiGraph)
    graph: nx.Graph[Any] = nx.Graph(edges)
    if graph.number_of_edges() < edges.number_of_edges():
        raise ValueError("a pair stands there more than once; give each pair once, with its total weight")
    return graph


def _file(argument: str) -> SpinNetwork:
    path, readers = Path(argument), _graph_readers()
    if path.suffix not in readers:
        raise NetworkError(f"cannot tell the format of {argument!r}; use a file ending in {', '.join(readers)}.")
    if not path.is_file():
        raise NetworkError(f"there is no file {argument!r}.")
    try:
        graph = readers[path.suffix](path)
    except Exception as error:  # networkx raises whatever its parsers raise
        raise NetworkError(f"{argument!r} is not readable as {path.suffix[1:]}: {error}") from None
    return from_networkx(graph, name=f"file:{path.name}")


_KINDS: dict[str, tuple[str, Callable[[str], SpinNetwork]]] = {
    "torus": ("torus:3x4", _torus),
    "ring": ("ring:5", lambda argument: _one_size(ring, "ring", argument)),
    "complete": ("complete:6", lambda argument: _one_size(complete, "complete", argument)),
    "file": ("file:graph.graphml", _file),
}


def parse_network(text: str) -> SpinNetwork:
    """Network from its text form.

    Raises:
        NetworkError: unknown kind (the message says which exist), malformed size, unreadable file.
    """
    kind, colon, argument = text.strip().partition(":")
    if kind not in _KINDS or not colon:
        examples = ", ".join(example for example, _ in _KINDS.values())
        raise NetworkError(f"unknown network {text!r}; there are {examples}.{did_you_mean(kind, _KINDS)}")
    return _KINDS[kind][1](argument)
