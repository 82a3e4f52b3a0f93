"""From a binary quadratic model and a sampler's parameters to the dense problem that is annealed."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.typing import FloatArray, IntArray
from ..solver.parsing import IsingProblem, ParsedRequest, parse_parameters
from ..solver.properties import interval
from .device import Device
from .job import DenseProblem

if TYPE_CHECKING:
    import dimod


@dataclass(frozen=True)
class Program:
    """An Ising problem on qubits of a device, in the order of the device: reads do not depend on the caller's order.

    Attributes:
        variables: (n,) labels.
        places: (n,) indices of the qubits in the device, ascending.
        h, J: (n,) and (E,), in units of B(s)/2.
        pairs: (E, 2) indices into the variables, the smaller one first.
        down: value of a spin that is down in the caller's model: -1, or 0 of a BINARY one.
    """

    variables: tuple[Hashable, ...]
    places: IntArray
    h: FloatArray
    pairs: IntArray
    J: FloatArray
    down: int = -1

    @classmethod
    def of(cls, bqm: dimod.BinaryQuadraticModel, device: Device) -> Program:
        """The problem of a model whose variables are qubits of the device."""
        variables = tuple(sorted(bqm.variables, key=device.place.__getitem__))
        places = np.array([device.place[variable] for variable in variables], dtype=np.int64)
        h, (row, column, J), _ = bqm.spin.to_numpy_vectors(variable_order=variables)
        pairs = np.sort(np.column_stack([row, column]).astype(np.int64), axis=1)
        order = np.lexsort((pairs[:, 1], pairs[:, 0]))
        fields, couplings = np.array(h, dtype=np.float64), np.array(J, dtype=np.float64)[order]
        return cls(variables, places, fields, pairs[order], couplings, min(bqm.vartype.value))

    @property
    def n_spins(self) -> int:
        return len(self.variables)

    def request(self, device: Device, sent: Mapping[str, Any]) -> ParsedRequest:
        """The whole request, read once; qubits are named by their numbers, as the limits of a solver need it."""
        numbers = np.array(device.numbers, dtype=np.int64)[self.places]
        state = sent.get("initial_state")
        if isinstance(state, Mapping):
            # a label that is no qubit of the device stays, and is refused later
            named = {device.numbers[device.place[q]] if q in device.place else q: value for q, value in state.items()}
            sent = {**sent, "initial_state": named}
        problem = IsingProblem(numbers, self.h, np.sort(numbers[self.pairs], axis=1), self.J)
        return parse_parameters(sent, problem, self.down)


def scale_factor(properties: Mapping[str, Any], program: Program) -> float:
    """Number by which auto-scaling divides h and J, so that they use the full ranges of the solver; 1 where all are 0.

    The rule is in D-Wave's documentation of ``auto_scale``: the largest of max(h)/h_max, min(h)/h_min, max(J)/J_max and
    min(J)/J_min with h_range and extended_j_range (j_range where a solver has no other), and of the same quotients of
    the sum of J over the couplers of each qubit with per_qubit_coupling_range.
    """
    totals = np.bincount(program.pairs.ravel(), weights=np.repeat(program.J, 2), minlength=program.n_spins)
    ranges = (
        (program.h, interval(properties, "h_range")),
        (program.J, interval(properties, "extended_j_range") or interval(properties, "j_range")),
        (totals, interval(properties, "per_qubit_coupling_range")),
    )
    quotients = [0.0]
    for values, limits in ranges:
        if limits is None or not values.size:
            continue
        low, high = limits
        quotients += [extreme / limit for extreme, limit in ((values.min(), low), (values.max(), high)) if limit != 0.0]
    return float(max(quotients)) or 1.0


def dense_problem(
    program: Program,
    factor: float,
    crosstalk: Mapping[tuple[int, int], float],
    stuck: Mapping[Hashable, int],
    device: Device,
) -> DenseProblem:
    """The problem that is annealed: h and J divided by a factor, parasitic couplings added, some spins stuck."""
    index = {place: k for k, place in enumerate(program.places.tolist())}
    total = dict(zip(map(tuple, program.pairs.tolist()), (program.J / factor).tolist(), strict=True))
    for (first, second), value in crosstalk.items():
        if first in index and second in index:
            pair = index[first], index[second]
            total[pair] = total.get(pair, 0.0) + value
    total = {pair: value for pair, value in total.items() if value != 0.0}
    held = np.zeros(program.n_spins, dtype=np.int8)
    for qubit, value in stuck.items():
        if device.place[qubit] in index:
            held[index[device.place[qubit]]] = value
    pairs = np.array(list(total), dtype=np.int64).reshape(-1, 2)
    return DenseProblem(program.h / factor, pairs, np.array(list(total.values())), held)
