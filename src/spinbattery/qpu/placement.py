"""Networks of an experiment on the working graph of a solver."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np

from ..core.errors import NetworkError
from ..core.typing import IntArray
from ..model.network import LatticeCut, SpinNetwork
from ..model.topology import WorkingGraph
from ..solver.problem_limits import contains


def placed(network: SpinNetwork, graph: WorkingGraph) -> SpinNetwork:
    """A network whose labels are working qubits of a solver, and whose pairs are working couplers.

    ``pegasus:m`` becomes the region of that size with the fewest missing qubits, and loses these;
    ``pegasus:16/scattered:400:seed:1`` is a choice of working qubits. Other networks stay as they are and must have
    qubit numbers as labels, as ``solver:FILE.json/region:4`` and graph files may.

    Raises:
        NetworkError: it is no sub-graph of the solver, or has cross-talk, which cannot be set on a device.
    """
    if len(network.crosstalk):
        raise NetworkError(
            f"{network.name}: the cross-talk of a solver cannot be set; leave crosstalk out of the experiment."
        )
    if network.cut is not None and network.cut.missing is not None:  # cut from an ideal graph
        return replace(_cut(network.name, network.cut, graph), name=network.name)
    labels = _qubits(network)
    _check_fit(network.name, labels, labels[network.pairs], graph)
    return replace(network, labels=tuple(labels.tolist()))


def _cut(name: str, cut: LatticeCut, graph: WorkingGraph) -> SpinNetwork:
    """The same cut of the solver's own working graph."""
    if cut.missing or cut.size is None:
        raise NetworkError(
            f"{name} names missing qubits, but a solver has its own missing qubits; leave missing:... out."
        )
    if cut.family != graph.family:
        raise NetworkError(f"{name} cannot be placed on {graph.name}, which is {graph.family}:{graph.size}.")
    is_part, family = cut.region is not None or cut.scattered is not None, graph.family
    if is_part and cut.size != graph.size:
        raise NetworkError(
            f"{name} is cut from {family}:{cut.size}, but {graph.name} is {family}:{graph.size}; write that size."
        )
    if cut.scattered is not None:
        return graph.scattered(*cut.scattered)
    return graph.region(cut.size if cut.region is None else cut.region)


def _qubits(network: SpinNetwork) -> IntArray:
    """Labels as qubit numbers; graph files have them as text."""
    labels: tuple[Any, ...] = network.labels or ()
    numbers = [int(label) for label in labels if re.fullmatch(r"\d+", str(label))]
    if len(numbers) != network.n_spins or len(set(numbers)) != network.n_spins:
        raise NetworkError(
            f"{network.name} does not say which qubits are its spins; write pegasus:4 or zephyr:4 for a region, "
            "solver:FILE.json/region:4 for one of a solver, or a graph file whose nodes are qubit numbers."
        )
    return np.array(numbers, dtype=np.int64)


def _check_fit(name: str, qubits: IntArray, pairs: IntArray, graph: WorkingGraph) -> None:
    missing = qubits[~np.isin(qubits, graph.qubits)]
    absent = pairs[~contains(graph.couplers, np.sort(pairs, axis=1))]
    if len(missing) or len(absent):
        first = f"qubit {missing[0]}" if len(missing) else f"coupler {absent[0].tolist()}"
        raise NetworkError(
            f"{name} is no sub-graph of {graph.name}: {len(missing)} of its {len(qubits)} qubits and {len(absent)} of "
            f"its {len(pairs)} pairs do not work there, such as {first}; take a region of that solver."
        )
