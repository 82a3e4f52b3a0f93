"""Measured data as records: reads of an annealer, or their magnetizations alone."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from ..analysis.statistics import checked_shots
from ..core.checks import instance
from ..core.errors import RecordError, UnusedColumnWarning
from ..core.paths import user_path
from ..model.network import SpinNetwork
from ..model.network_text import as_network
from ..model.problem import ChargingProblem
from ..model.protocol import Protocol
from ..model.scales import EnergyScales
from ..model.topology import scales_for
from ..records.building import build_record
from ..records.readout import Readout, of_emulation
from ..records.record import Record
from ..solver.request import readout
from .measurement_files import checked_occurrences, read_file

if TYPE_CHECKING:
    import dimod

IMPORTED = "imported"
"""Name of the engine of records that were measured elsewhere."""

ProtocolOf = Callable[[SpinNetwork], Protocol]
"""Makes the protocol for the spins that were sampled, such as the local one, whose field depends on them."""

_SAME_ENERGY = 1e-4
"""Services keep energies to a few digits."""


def record_from_samples(
    samples: dimod.SampleSet,
    network: SpinNetwork,
    protocol: Protocol | ProtocolOf,
    *,
    scales: EnergyScales | None = None,
    source: str = "",
) -> Record:
    """Record of an annealer's answer.

    Energies are computed from the problem. A UserWarning says where the energies of the answer differ from them by more
    than a constant.

    Args:
        samples: the answer; its variables are the labels of the network's spins, or 0 to N - 1 where it has none.
        network: that was sampled; it may have more spins, such as a whole working graph, and is restricted to those
            that were sampled.
        protocol: of the run, or a function that makes it for the spins that were sampled.
        scales: A(s), B(s) of the device; the smooth Advantage_system6 model by default.
        source: where the answer comes from, for the record.

    Raises:
        NetworkError: variables that are no spins of the network.
        EngineError: fewer than two reads, or values that are no spins.
        RecordError: occurrences that are negative or no whole numbers.
    """
    instance("source", source, str)
    if not hasattr(samples, "variables") or not hasattr(samples, "record"):
        raise RecordError(f"samples must be a dimod SampleSet, as samplers return, but are {samples!r}.")
    return _of_samples(samples, as_network(network), protocol, scales, source)


def record_from_magnetizations(
    magnetizations: ArrayLike,
    network: SpinNetwork,
    protocol: Protocol | ProtocolOf,
    *,
    scales: EnergyScales | None = None,
    source: str = "",
) -> Record:
    """Record of reads of which only mu = Sz/N is known, shape (reads,); other arguments as in record_from_samples.

    The record lacks what needs the spins: the independence ratio, flips by degree, energies.

    Raises:
        InvalidParameterError: fewer than two reads, values outside [-1, 1], or that N spins cannot give.
    """
    instance("source", source, str)
    network = as_network(network)
    values = checked_shots(magnetizations, network.n_spins)
    return _record(network, protocol, scales, Readout(values, sampler={"source": source}))


def read_measurement(
    path: str | Path, network: SpinNetwork, protocol: Protocol | ProtocolOf, *, scales: EnergyScales | None = None
) -> Record:
    """Record of a file of reads, whose kind is known by its ending and its first line.

    A ``.json`` is a SampleSet, as ``json.dump(samples.to_serializable(), file)`` writes it. A ``.csv``, ``.txt`` or
    ``.tsv`` is a table, its cells separated by commas, semicolons, tabs or blanks:

    - one read per row in the column ``magnetization`` or ``mu``, or in the only column, named or not;
    - a column for each spin, named after its label, as ``samples.to_pandas_dataframe().to_csv()`` writes them;
    - a matrix without names, a column for each spin in the order of the network.

    A column ``num_occurrences`` says how often each row was read (0 for never); ``energy`` is compared with the
    problem where spins are known. Spins are -1 and +1, or 0 and 1, of which 1 is up. A ``.npy`` is such a matrix
    (reads, N), or a row of magnetizations (reads,). An UnusedColumnWarning names columns that were not read.

    Raises:
        RecordError: no such file, another ending, or content of another kind; the message names the line.
        SpinBatteryError: see :func:`record_from_samples` and :func:`record_from_magnetizations`.
    """
    path, network = user_path(path), as_network(network)
    found = read_file(path, network)
    if found.unused:
        remedy = "" if found.counted else "; one that says how often each row was read must be called num_occurrences"
        warnings.warn(
            f"{str(path)!r} has columns that are not used: {', '.join(found.unused)}{remedy}.",
            UnusedColumnWarning,
            stacklevel=2,
        )
    if isinstance(found.reads, np.ndarray):
        return record_from_magnetizations(found.reads, network, protocol, scales=scales, source=path.name)
    return _of_samples(found.reads, network, protocol, scales, path.name, has_energies=found.has_energies)


def _of_samples(
    samples: dimod.SampleSet,
    network: SpinNetwork,
    protocol: Protocol | ProtocolOf,
    scales: EnergyScales | None,
    source: str,
    *,
    has_energies: bool = True,
) -> Record:
    names = list(samples.variables)
    own = network.own_labels(names)
    if own != names:
        samples = samples.relabel_variables(dict(zip(names, own, strict=True)), inplace=False)
    spins = network.restricted_to(own)
    counts = checked_occurrences(samples.record.num_occurrences, spins.n_spins)
    model, execution = of_emulation(samples.info)
    reads = replace(readout(samples, spins.names), sampler={"source": source, **model}, execution=execution)
    record = _record(spins, protocol, scales, reads)
    energies = np.repeat(samples.record.energy.astype(np.float64), counts)
    computed = record.variables["energy"].values
    # services may lose a constant
    if has_energies and not np.ptp(energies - computed) <= _SAME_ENERGY * max(1.0, float(np.abs(computed).max())):
        warnings.warn(
            "the energies of the answer do not belong to this problem: check the protocol, and the J and field that "
            "were sampled.",
            stacklevel=3,
        )
    return record


def _record(
    network: SpinNetwork, protocol: Protocol | ProtocolOf, scales: EnergyScales | None, reads: Readout
) -> Record:
    problem = ChargingProblem(network, protocol, scales_for(network, scales))  # type: ignore[arg-type]
    data = reads.magnetizations if reads.spins is None else reads.spins
    options = {"reads": len(data), "data": hashlib.sha256(data.tobytes()).hexdigest()}
    return build_record(problem, IMPORTED, options, "sampled elsewhere", reads, 0.0)
