"""Reads of an annealer, which become a record."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.typing import FloatArray, IntArray
from ..model.problem import ChargingProblem
from .hashing import canonical_json
from .moments import Moments, precision_bound
from .schema import Variables

_BLOCK = 1 << 22
"""Bytes of products of spins that are held at once while energies are summed."""

_NO_TIMES = np.empty(0)


@dataclass(frozen=True)
class Readout:
    """Reads of an annealer, before they become a record.

    Attributes:
        magnetizations: (reads,) mu of each read; two or more reads.
        spins: (reads, N) of +1 and -1 in the order of the network's spins; None where they are not known.
        qubits: (N,) numbers of the qubits that were the spins.
        sampler: the sampler, its request and its answer: plain data.
        execution: times and job numbers, which differ between two runs of the same problem: plain data.
        job: identifies this measurement of a planned run in its key; None where a seed or a hash of the reads among
            the options does.
    """

    magnetizations: FloatArray
    spins: NDArray[np.int8] | None = None
    qubits: IntArray | None = None
    sampler: dict[str, Any] = field(default_factory=dict)
    execution: dict[str, Any] = field(default_factory=dict)
    job: str | None = None

    @property
    def times(self) -> FloatArray:
        """No output times: an annealer is read at the end only."""
        return _NO_TIMES

    def attributes(self) -> dict[str, str]:
        """Attributes of the record."""
        return {"sampler": canonical_json(self.sampler), "execution": canonical_json(self.execution)}

    def variables(self, problem: ChargingProblem, is_approximate: bool) -> Variables:
        """Variables of the record: moments with their standard errors, and the reads, their spins packed into bits."""
        n = problem.n_spins
        down = np.rint(0.5 * n * (1.0 - self.magnetizations)).astype(np.int64)
        flips = Moments.of(down)  # whole numbers: reads that are alike have a variance of exactly zero
        mean, variance = 1.0 - 2.0 * flips.mean / n, 4.0 * flips.variance / n**2
        values: Variables = {
            "magnetization": ((), mean),
            "variance": ((), variance),
            "std": ((), math.sqrt(variance)),
            "distribution": ("sz_total", np.bincount(n - down, minlength=n + 1) / len(down)),
            "degree": ("spin", problem.network.degrees),
        }
        if variance > 0.0:
            values["precision"] = ((), 1.0 / variance)
            values["magnetization_stderr"] = ((), 2.0 * flips.mean_error / n)
            values["variance_stderr"] = ((), 4.0 * flips.variance_error / n**2)
            values["precision_stderr"] = ((), flips.variance_error / flips.variance / variance)
        else:
            values["precision_bound"] = ((), precision_bound(len(down), n))
        if self.qubits is not None:
            values["qubit"] = ("spin", self.qubits)
        if self.spins is None:
            values["read_magnetization"] = ("read", self.magnetizations)
            return values
        up = self.spins > 0
        values["spin_magnetization"] = ("spin", 2.0 * up.mean(axis=0) - 1.0)
        values["spins_packed"] = (("read", "byte"), np.packbits(up, axis=1))
        values["energy"] = ("read", ising_energies(problem, self.spins))
        return values


def ising_energies(problem: ChargingProblem, spins: NDArray[np.int8]) -> FloatArray:
    """(reads,) energies h sum s_k + J sum w_jk s_j s_k of reads (reads, N), in units of B(s)/2, at gain g = 1.

    Cross-talk is not programmed and not counted.
    """
    network, protocol = problem.network, problem.protocol
    first, second = network.pairs.T
    energies: FloatArray = protocol.h * spins.sum(axis=1, dtype=np.float64)
    if protocol.J == 0.0 or not network.n_pairs:
        return energies
    step = max(1, _BLOCK // network.n_pairs)
    for start in range(0, len(spins), step):
        block = spins[start : start + step]
        energies[start : start + step] += protocol.J * ((block[:, first] * block[:, second]) @ network.weights)
    return energies


def plain_data(info: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a sampler's ``info`` that JSON can store."""
    found = {}
    for name, value in info.items():
        try:
            found[str(name)] = json.loads(json.dumps(value, allow_nan=False, default=_listed))
        except (TypeError, ValueError):  # objects of a sampler, NaN
            continue
    return found


def of_emulation(info: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """A sampler's ``info`` as plain data, in two parts: the emulated model, and values that differ between runs.

    The model includes the limits of the machine that the request exceeds.
    """
    rest = plain_data(info)
    model = {name: rest.pop(name) for name in ("emulator", "limits") if name in rest}
    return {name: value for name, value in model.items() if value}, rest


def _listed(value: Any) -> Any:
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    raise TypeError
