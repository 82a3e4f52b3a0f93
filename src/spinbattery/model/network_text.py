"""Text forms of networks: ``torus:3x4``, ``pegasus:4``, ``file:graph.graphml``."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ..core.errors import NetworkError, did_you_mean
from ..core.paths import user_path
from .graph_import import from_networkx, is_graph
from .instance_file import ENDINGS, read_instance
from .lattices import complete, ring, tilted_torus, torus
from .network import SpinNetwork
from .topology import WorkingGraph, read_solver_properties

if TYPE_CHECKING:
    import networkx as nx


_KEPT = 16
"""Networks that are kept by their text: loops ask for the same one again and again."""


def _numbers(text: str, example: str) -> list[int]:
    """The numbers of a text that is like the example but for its numbers."""
    # a bound on the digits, because Python refuses to read numbers of thousands of them
    match = re.fullmatch(re.sub(r"\d+", "([0-9]{1,18})", re.escape(example)), text)
    if match is None:
        raise NetworkError(f"{text!r} is malformed; write it like {example}, with whole numbers.")
    return [int(number) for number in match.groups()]


def _read_gml(path: Path) -> Any:
    """A graph with its nodes by label, or by id where they have none, as igraph writes them."""
    import networkx as nx

    graph = nx.read_gml(path, label=None)  # type: ignore[call-overload]  # its stubs know no None
    labels = dict(graph.nodes(data="label"))
    if all(label is None for label in labels.values()):
        return _named_by_igraph(graph)
    if None in labels.values() or len(set(labels.values())) < len(labels):
        raise ValueError("its nodes have labels that are missing or not distinct; give each its own, or none a label")
    return nx.relabel_nodes(graph, labels)


def _read_graphml(path: Path) -> Any:
    """A graph with its nodes by id, or by name where igraph has numbered them n0, n1, ..."""
    import networkx as nx

    graph = nx.read_graphml(path)
    ids = [f"n{k}" for k in range(graph.number_of_nodes())]
    return _named_by_igraph(graph) if list(graph.nodes) == ids else graph


def _named_by_igraph(graph: nx.Graph[Any]) -> nx.Graph[Any]:
    """A graph with the names of igraph's vertices for its numbers, where all have one of their own."""
    import networkx as nx

    names = dict(graph.nodes(data="name"))
    if None in names.values() or len(set(names.values())) < len(names):
        return graph
    return nx.relabel_nodes(graph, names)


_READERS: dict[str, Callable[[Path], Any]] = {".graphml": _read_graphml, ".gml": _read_gml}


def _file(text: str) -> SpinNetwork:
    place, mark, choice = text.removeprefix("file:").partition("?")
    path = user_path(place)
    ending = path.suffix.lower()
    if ending not in (*_READERS, *ENDINGS):
        raise NetworkError(
            f"cannot tell the format of {place!r}; use a file ending in {', '.join((*_READERS, *ENDINGS))}."
        )
    key, _, weight = choice.partition("=")
    if mark and (key != "weight" or not weight):
        raise NetworkError(
            f"{text} is not understood after the question mark; write file:{place}?weight=NAME for the attribute or "
            "column that is the weight, or ?weight=none for weights of 1."
        )
    if not path.is_file():
        raise NetworkError(f"there is no file {place!r}.")
    chosen: str | Literal[False] | None = None if not mark else False if weight == "none" else weight
    name = f"file:{path.name}{mark}{choice}"
    if ending in ENDINGS:
        return read_instance(path, chosen, name)
    try:
        graph = _READERS[ending](path)
    except Exception as error:  # networkx raises whatever its parsers raise
        raise NetworkError(f"{place!r} is not readable as {ending[1:]}: {error}") from None
    return from_networkx(graph, name, weight=chosen)


_STEPS = {"missing": "missing:28:seed:7", "region": "region:4", "scattered": "scattered:400:seed:1"}
"""Steps after a working graph and a slash, with examples."""


def _cut(graph: WorkingGraph, steps: list[str], text: str) -> SpinNetwork:
    """Network after the steps that follow a graph: any missing:K:seed:S, then at most one cut."""
    for position, step in enumerate(steps, 1):
        kind = step.partition(":")[0]
        if kind not in _STEPS:
            hint = did_you_mean(kind, _STEPS)
            raise NetworkError(f"unknown step {step!r} in {text!r}; there are {', '.join(_STEPS.values())}.{hint}")
        if kind != "missing" and position < len(steps):
            raise NetworkError(
                f"{step!r} must be the last step of {text!r}; only missing:K:seed:S may stand before it."
            )
        numbers = _numbers(step, _STEPS[kind])
        if kind == "missing":
            graph = graph.without(*numbers)
        else:
            return graph.region(*numbers) if kind == "region" else graph.scattered(*numbers)
    return graph.network()


def _of_lattice(build: Callable[[int], WorkingGraph], example: str) -> Callable[[str], SpinNetwork]:
    def read(text: str) -> SpinNetwork:
        whole, *steps = text.split("/")
        return _cut(build(*_numbers(whole, example)), steps, text)

    return read


def _of_sizes(build: Callable[..., SpinNetwork], example: str) -> tuple[str, Callable[[str], SpinNetwork]]:
    return example, lru_cache(maxsize=_KEPT)(lambda text: build(*_numbers(text, example)))


def _of_solver(text: str) -> SpinNetwork:
    # the name of the file may hold slashes; steps hold no .json
    match = re.fullmatch(r"solver:(.*\.json)(?:/(.*))?", text)
    if match is None:
        raise NetworkError(f"{text} names no .json file of saved properties; write solver:qpu.json/region:4.")
    path, steps = user_path(match[1]), match[2]
    graph = replace(WorkingGraph.from_properties(read_solver_properties(path)), name=f"solver:{path.name}")
    return _cut(graph, [] if steps is None else steps.split("/"), text)


_KINDS: dict[str, tuple[str, Callable[[str], SpinNetwork]]] = {
    "torus": _of_sizes(torus, "torus:3x4"),
    "ring": _of_sizes(ring, "ring:5"),
    "complete": _of_sizes(complete, "complete:6"),
    "file": ("file:graph.graphml", _file),
    "pegasus": ("pegasus:16/missing:28:seed:7/region:4", _of_lattice(WorkingGraph.pegasus, "pegasus:4")),
    "zephyr": ("zephyr:6/scattered:400:seed:1", _of_lattice(WorkingGraph.zephyr, "zephyr:4")),
    "solver": ("solver:qpu.json/region:4", _of_solver),
    "tilted-torus": _of_sizes(tilted_torus, "tilted-torus:3x1"),
}
"""An example of each kind, and what builds a network from its text."""


def as_network(network: SpinNetwork | nx.Graph[Any] | str) -> SpinNetwork:
    """Network from what a caller gave: a network, its text form, or a networkx graph."""
    if isinstance(network, SpinNetwork):
        return network
    if isinstance(network, str):
        return parse_network(network)
    if is_graph(network):
        return from_networkx(network)
    raise NetworkError(
        "a network must be a SpinNetwork, such as spinbattery.torus(3, 4), its text form, such as 'torus:3x4', or a "
        f"networkx graph, but is {network!r}."
    )


def parse_network(text: str) -> SpinNetwork:
    """Network from its text form.

    Texts that start with ``pegasus:M``, ``zephyr:M`` or ``solver:FILE.json`` (properties of a solver, see
    :func:`~spinbattery.model.topology.read_solver_properties`) may go on with steps after slashes: ``missing:K:seed:S``
    leaves out K random qubits, and the last step may be ``region:m``, the whole P_m or Z_m placed where the
    fewest qubits are missing, or ``scattered:K:seed:S``, K random qubits. See
    :class:`~spinbattery.model.topology.WorkingGraph`.

    Raises:
        NetworkError: unknown kind (the message says which exist), malformed size or step, unreadable file.
    """
    if not isinstance(text, str):
        raise NetworkError(f"a network must be text, such as 'torus:3x4', but is {text!r}.")
    kind, colon, _ = text.strip().partition(":")
    if kind not in _KINDS or not colon:
        examples = ", ".join(example for example, _ in _KINDS.values())
        raise NetworkError(f"unknown network {text!r}; there are {examples}.{did_you_mean(kind, _KINDS)}")
    return _KINDS[kind][1](text.strip())
