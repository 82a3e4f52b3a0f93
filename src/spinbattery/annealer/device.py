"""The graph and the solver properties of an emulator, made from a network, a graph or a solver."""

from __future__ import annotations

import copy
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.errors import InvalidParameterError
from ..model.graph_import import from_networkx
from ..model.network import SpinNetwork
from ..model.topology import WorkingGraph, other_scales, read_solver_properties
from ..solver.properties import integers
from .options import OWN_PARAMETERS

if TYPE_CHECKING:
    import networkx as nx

CHIP_ID = "EmulatedAnnealer"

_WITHOUT_EFFECT = " Accepted without effect."

QPU_PARAMETERS = {
    "anneal_schedule": "Pairs of time (us) and s, from s = 0 (forward) or s = 1 (reverse) to s = 1.",
    "annealing_time": "Duration of a forward anneal in us.",
    "answer_mode": "'raw' (reads in their order) or 'histogram' (by energy, with occurrences).",
    "auto_scale": "Whether h and J are rescaled to the full ranges; True by default, as on a QPU.",
    "flux_drift_compensation": "There is no drift." + _WITHOUT_EFFECT,
    "h_gain_schedule": "Pairs of time (us) and the gain g of the fields h.",
    "initial_state": "Start of a reverse anneal: a mapping of qubits to -1 or +1 (0 or 1 of a QUBO), or a list for all "
    "of num_qubits, with 3 for unused ones.",
    "label": "Returned as problem_label.",
    "num_reads": "Number of reads, 1 by default.",
    "programming_thermalization": "Time in us." + _WITHOUT_EFFECT,
    "readout_thermalization": "Time in us." + _WITHOUT_EFFECT,
    "reduce_intersample_correlation": "Reads are independent." + _WITHOUT_EFFECT,
    "reinitialize_state": "Whether each read of a reverse anneal starts from initial_state; if not, from the read "
    "before. True by default.",
}
"""Parameters shared with a QPU, and their effect here."""

_TYPICAL_TIMING = {
    "source": "typical of an Advantage QPU (figures of system 4.1 of August 2022 in dwave-cloud-client), so that a "
    "plan can be tried; nothing here runs on one",
    "version": "1.0.0",
    "typical_programming_time": 14072.88,
    "reverse_annealing_with_reinit_prog_time_delta": 0.0,
    "reverse_annealing_without_reinit_prog_time_delta": 5.55,
    "default_programming_thermalization": 1000.0,
    "default_annealing_time": 20.0,
    "readout_time_model": "pwl_log_log",
    "readout_time_model_parameters": [
        0.0, 0.7699665876947938, 1.7242758696010096, 2.711975459489206, 3.1639057672764026, 3.750276915153992,
        1.539131714800995, 1.8726623164229292, 2.125631787097315, 2.332672340068556, 2.371606651233025,
        2.3716219271760215,
    ],
    "qpu_delay_time_per_sample": 20.54,
    "reverse_annealing_with_reinit_delay_time_delta": -4.5,
    "reverse_annealing_without_reinit_delay_time_delta": -1.5,
    "default_readout_thermalization": 0.0,
    "decorrelation_max_nominal_anneal_time": 2000.0,
    "decorrelation_time_range": [500.0, 10000.0],
}  # fmt: skip

_ADVANTAGE_LIMITS: dict[str, Any] = {
    "h_range": [-4.0, 4.0],
    "j_range": [-1.0, 1.0],
    "extended_j_range": [-2.0, 1.0],
    "per_qubit_coupling_range": [-18.0, 15.0],
    "h_gain_schedule_range": [-4.0, 4.0],
    "max_anneal_schedule_points": 12,
    "max_h_gain_schedule_points": 20,
    "annealing_time_range": [0.5, 2000.0],
    "default_annealing_time": 20.0,
    "num_reads_range": [1, 10000],
    "problem_run_duration_range": [0.0, 1000000.0],
    "programming_thermalization_range": [0.0, 10000.0],
    "default_programming_thermalization": 1000.0,
    "readout_thermalization_range": [0.0, 10000.0],
    "default_readout_thermalization": 0.0,
    "quota_conversion_rate": 1,
    "tags": [],
}
"""As documented for the Advantage QPUs."""


@dataclass(frozen=True)
class Device:
    """The machine that is emulated: its graph, the properties of the solver it was made from, and its topology."""

    network: SpinNetwork
    solver: Mapping[str, Any] | None
    topology: dict[str, Any]

    @cached_property
    def labels(self) -> tuple[Hashable, ...]:
        """Names of the qubits, in the order of the network's spins."""
        return self.network.names

    @cached_property
    def numbers(self) -> tuple[int, ...]:
        """The labels where all are qubit numbers, else their indices: limits are checked on numbers."""
        if all(isinstance(label, int) and not isinstance(label, bool) and label >= 0 for label in self.labels):
            return self.labels  # type: ignore[return-value]
        return tuple(range(len(self.labels)))

    @cached_property
    def place(self) -> dict[Hashable, int]:
        """Index of each label."""
        return {label: k for k, label in enumerate(self.labels)}

    def couplers(self, names: tuple[Any, ...]) -> list[tuple[Any, Any]]:
        """The couplers, named by these names of the qubits."""
        first, second = self.network.pairs.T.tolist()  # a list of pairs would set off the garbage collector
        return list(zip(map(names.__getitem__, first), map(names.__getitem__, second), strict=True))

    @property
    def other_scales(self) -> str:
        """Reason why the default energy scales are wrong; empty where they may be right, as on an ideal graph."""
        solver = self.solver or {}
        chip = str(solver.get("emulated_chip_id") or solver.get("chip_id") or CHIP_ID)
        return "" if chip == CHIP_ID else other_scales(chip, str(self.topology["type"]))

    def properties(self) -> dict[str, Any]:
        """Properties of the solver, or the limits documented for Advantage, with the graph."""
        found = copy.deepcopy(dict(_ADVANTAGE_LIMITS if self.solver is None else self.solver))
        if self.solver is None:
            found["problem_timing_data"] = copy.deepcopy(_TYPICAL_TIMING)
            found["num_qubits"] = self._num_qubits()
        elif "chip_id" in found:
            found["emulated_chip_id"] = found["chip_id"]
        return found | {
            "chip_id": CHIP_ID,
            "category": "software",
            "topology": copy.deepcopy(self.topology),
            "qubits": list(self.labels),
            "couplers": [list(pair) for pair in self.couplers(self.labels)],
            "supported_problem_types": ["ising", "qubo"],
            "parameters": QPU_PARAMETERS | OWN_PARAMETERS,
        }

    def _num_qubits(self) -> int:
        """Length of an initial state given as a list: the count of qubit numbers of a device of this topology."""
        kind, shape = self.topology["type"], self.topology["shape"]
        return _num_qubits(kind, shape[0], shape[-1]) if kind in ("pegasus", "zephyr") else max(self.numbers) + 1


def _num_qubits(kind: str, m: int, tile: int) -> int:
    """Count of the qubits of a whole device, working or not."""
    return 24 * m * (m - 1) if kind == "pegasus" else 4 * tile * m * (2 * m + 1)


def device_of(graph: SpinNetwork | nx.Graph[Any] | Mapping[str, Any] | str | Path | None) -> Device:
    """The device of a network, a networkx graph, the properties of a solver or their file; None is a whole Pegasus P16.

    Raises:
        InvalidParameterError: the graph is something else, or the properties lack ``qubits`` or ``couplers``.
        NetworkError: the graph is no network of spins.
    """
    if graph is None:
        graph = WorkingGraph.pegasus(16).network()
    if isinstance(graph, str | Path):
        graph = read_solver_properties(graph)
    if isinstance(graph, SpinNetwork):
        return Device(graph, None, _topology(graph))
    if isinstance(graph, Mapping):
        return _device_of_solver(graph)
    if hasattr(graph, "number_of_nodes"):
        network = from_networkx(graph)
        return Device(network, None, _topology_of_graph(graph.graph, network))
    raise InvalidParameterError(
        "graph must be a SpinNetwork, a networkx graph, the properties of a solver or None, but is "
        f"{type(graph).__name__}."
    )


def _device_of_solver(properties: Mapping[str, Any]) -> Device:
    qubits, couplers = integers(properties, "qubits", 1), integers(properties, "couplers", 2)
    if qubits is None or couplers is None:
        raise InvalidParameterError(
            "the properties of a solver must list its qubits and couplers; save them with "
            "json.dump(dict(sampler.properties), file)."
        )
    place = {qubit: k for k, qubit in enumerate(qubits.tolist())}
    unknown = [pair for pair in couplers.tolist() if not (pair[0] in place and pair[1] in place)]
    if unknown:
        raise InvalidParameterError(f"the solver's couplers name qubits that it does not list, such as {unknown[0]}.")
    pairs = np.array([(place[j], place[k]) for j, k in couplers.tolist()], dtype=np.int64).reshape(-1, 2)
    network = SpinNetwork(len(qubits), pairs, name=str(properties.get("chip_id", "solver")), labels=tuple(place))
    topology = properties.get("topology")
    return Device(network, properties, dict(topology) if isinstance(topology, Mapping) else _custom(network))


def _topology(network: SpinNetwork) -> dict[str, Any]:
    if network.cut is None or network.labels is None:
        return _custom(network)
    kind, m = network.cut.family, network.cut.size
    if m is None or any(not isinstance(label, int) or label >= _num_qubits(kind, m, 4) for label in network.labels):
        return _custom(network)  # a region is named by its size, but its qubits are anywhere on the chip
    return {"type": kind, "shape": [m] if kind == "pegasus" else [m, 4]}


def _topology_of_graph(attributes: Mapping[str, Any], network: SpinNetwork) -> dict[str, Any]:
    """Topology of a graph of dwave.graphs, which states its family and how its qubits are named."""
    kind, m = attributes.get("family"), attributes.get("rows")
    if attributes.get("labels") == "int" and isinstance(m, int):
        if kind == "pegasus":
            return {"type": kind, "shape": [m]}
        if kind == "zephyr":
            return {"type": kind, "shape": [m, int(attributes.get("tile", 4))]}
    return _custom(network)


def _custom(network: SpinNetwork) -> dict[str, Any]:
    return {"type": "custom", "shape": [network.n_spins]}
