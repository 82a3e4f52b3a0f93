"""The request that a charging problem makes to an annealer, and the reads in its answer."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.checks import apart, several, whole_number
from ..core.errors import EngineError, InvalidParameterError
from ..core.typing import IntArray
from ..model.problem import ChargingProblem, as_problem
from ..model.waveform import Waveform
from ..records.hashing import canonical_json
from ..records.readout import Readout

if TYPE_CHECKING:
    import dimod

MIN_READS = 2
"""A variance needs two."""

_NS_PER_US = 1000.0
_DECIMALS = 2
"""Schedules of an annealer have steps of 0.01 us."""

_ROUNDING = 1e-3
"""Largest shift of a schedule's corners by rounding, as a fraction of its duration."""

_SAME_ANGLE = 1e-9
_DIGITS = 16


@dataclass(frozen=True)
class SamplerRequest:
    """A charging problem in the parameters of Ocean's samplers.

    Attributes:
        qubits: the variable of each spin, in the order of the network's spins.
        h: field on each qubit at gain 1, in units of B(s)/2.
        J: coupling of each coupled pair of qubits, in units of B(s)/2.
        parameters: keyword arguments of ``sample_ising``: schedules in us, initial state, reads.
    """

    qubits: tuple[Hashable, ...]
    h: dict[Hashable, float]
    J: dict[tuple[Hashable, Hashable], float]
    parameters: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """The parameters as plain data, for records; the initial state in the order of the spins."""
        found = dict(self.parameters)
        if "initial_state" in found:
            states = [found["initial_state"][qubit] for qubit in self.qubits]
            found["initial_state"] = states[0] if len(set(states)) == 1 else states
        return found


def sampler_request(
    problem: ChargingProblem, reads: int, qubits: Sequence[Hashable] | None = None, *, strict: bool = True
) -> SamplerRequest:
    """The request for a charging problem, without cross-talk: a device has its own.

    A composite of Ocean may change the problem and not ``initial_state``, as SpinReversalTransformComposite does. Such
    reads are of another protocol.

    Args:
        problem: network and protocol.
        reads: number of reads, two or more.
        qubits: the variable of each spin; by default the network's labels, or 0 to N - 1.
        strict: whether to refuse corners of a schedule that do not fit into steps of 0.01 us, or to send them as they
            are.

    Raises:
        InvalidParameterError: fewer than two reads.
        EngineError: no annealer runs this: another initial state, or a duration too short for steps of 0.01 us.
    """
    network, protocol = as_problem(problem).network, problem.protocol
    names = tuple(several("qubits", network.names if qubits is None else qubits))
    if len(names) != problem.n_spins or not all(isinstance(name, Hashable) for name in names):
        raise InvalidParameterError(f"qubits must name one for each of {problem.n_spins} spins, but are {qubits!r}.")
    parameters: dict[str, Any] = {
        "num_reads": whole_number("reads", reads, least=MIN_READS),
        "answer_mode": "raw",
        "auto_scale": False,  # the default would rescale h and J to the full range
        "anneal_schedule": _schedule(protocol.s, protocol.duration, strict),
        "h_gain_schedule": _schedule(protocol.g, protocol.duration, strict),
    }
    start = _initial_spins(problem)
    if start is not None:
        parameters["initial_state"] = dict(zip(names, start.tolist(), strict=True))
        parameters["reinitialize_state"] = True
    pairs = {
        (names[j], names[k]): value
        for (j, k), value in zip(network.pairs.tolist(), (protocol.J * network.weights).tolist(), strict=True)
        if value != 0.0
    }
    return SamplerRequest(names, dict.fromkeys(names, protocol.h), pairs, parameters)


def placement_mark(qubits: Sequence[Hashable]) -> str:
    """Mark of the qubits for keys: two placements of one problem are two measurements."""
    return hashlib.sha256(canonical_json([str(qubit) for qubit in qubits]).encode()).hexdigest()[:_DIGITS]


def readout(samples: dimod.SampleSet, qubits: Sequence[Hashable]) -> Readout:
    """Spins of each read in the order of the network's spins, one row per read; histograms are expanded.

    Raises:
        EngineError: the answer lacks qubits, has other ones, fewer than two reads or values that are no spins.
    """
    if set(samples.variables) != set(qubits):
        missing, other = set(qubits) - set(samples.variables), set(samples.variables) - set(qubits)
        raise EngineError(
            f"the answer belongs to another problem: it lacks {len(missing)} of its {len(qubits)} qubits and "
            f"has {len(other)} others; give the network whose qubits were sampled."
        )
    record = samples.change_vartype("SPIN", inplace=False).record
    column = {variable: index for index, variable in enumerate(samples.variables)}
    spins = np.asarray(record.sample)[:, [column[qubit] for qubit in qubits]].astype(np.int8)
    spins = np.repeat(spins, record.num_occurrences.astype(np.int64), axis=0)
    if not (np.abs(spins) == 1).all():
        raise EngineError("the answer has values that are neither +1 nor -1 (3 marks a qubit that was not used).")
    if len(spins) < MIN_READS:
        raise EngineError(f"the answer has {len(spins)} reads; fluctuations need {MIN_READS} or more.")
    numbered = all(isinstance(qubit, (int, np.integer)) for qubit in qubits)
    numbers = np.array(qubits, dtype=np.int64) if numbered else None
    return Readout(spins.mean(axis=1, dtype=np.float64), spins, numbers)


def _schedule(waveform: Waveform, duration: float, strict: bool) -> list[list[float]]:
    """Corners (us, value); times are multiples of 0.01 us unless rounding would change the schedule."""
    exact = waveform.breakpoints * duration / _NS_PER_US
    times = np.round(exact, _DECIMALS)
    if np.abs(times - exact).max() > _ROUNDING * exact[-1]:
        if strict:
            raise EngineError(
                f"an annealer's schedule has steps of 0.01 us, to which the corners of this protocol of {duration:g} "
                "ns cannot be rounded; choose a duration of tens of us, such as 60us."
            )
        times = exact
    corners: list[list[float]] = np.column_stack([times, waveform.values]).tolist()
    return corners


def _initial_spins(problem: ChargingProblem) -> IntArray | None:
    """Initial state of a reverse anneal, (N,) of +-1; None for a forward anneal."""
    theta, phi = problem.protocol.initial.angles(problem.n_spins)
    start = float(problem.protocol.s(0.0))
    cosine = np.cos(theta)
    if start == 1.0 and (np.abs(np.abs(cosine) - 1.0) < _SAME_ANGLE).all():
        return np.rint(cosine).astype(np.int64)
    along_field = np.abs(np.sin(theta) * np.cos(phi) - 1.0) < _SAME_ANGLE
    if start == 0.0 and along_field.all():
        return None
    raise EngineError(
        "an annealer starts at s = 1 from spins up or down (reverse anneal), or at s = 0 from the ground state of "
        f"the transverse field, theta = {math.pi / 2:.4f} and phi = 0 (forward anneal); this protocol starts at "
        f"s = {apart(start, 0.0, 1.0)[0]} from another state."
    )
