"""Measured data as records: reads that were saved elsewhere, or their magnetizations alone."""

from __future__ import annotations

import csv
import hashlib
import json
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from ._typing import FloatArray
from .analysis.statistics import checked_shots
from .annealer.request import readout
from .errors import RecordError
from .network import SpinNetwork
from .problem import ChargingProblem
from .protocol import Protocol
from .record import Record
from .recording import Readout, build_record, plain_data
from .scales import EnergyScales
from .topology import default_scales

if TYPE_CHECKING:
    import dimod

IMPORTED = "imported"
"""Name of the engine of records that were measured elsewhere."""

ProtocolOf = Callable[[SpinNetwork], Protocol]
"""What makes the protocol for the spins that were sampled, such as the local one, whose field follows from them."""

_SAME_ENERGY = 1e-4
"""Services keep energies to a few digits."""

_COLUMNS = ("magnetization", "mu")


def record_from_samples(
    samples: dimod.SampleSet,
    network: SpinNetwork,
    protocol: Protocol | ProtocolOf,
    *,
    scales: EnergyScales | None = None,
    source: str = "",
) -> Record:
    """Record of an answer of an annealer.

    Energies are computed from the problem; those of the answer are compared with them, and a UserWarning
    says where they differ by more than a constant.

    Args:
        samples: the answer; its variables are the labels of the network's spins, or 0 to N - 1 where
            it has none.
        network: what was sampled. Where only some of its spins were, it is cut down to these, so that a
            whole working graph will do.
        protocol: what was done, or what makes it for the spins that were sampled.
        scales: A(s), B(s) of the device; the smooth Advantage_system6 model by default.
        source: where the answer comes from, for the record.

    Raises:
        NetworkError: variables that are no spins of the network.
        EngineError: fewer than two reads, or values that are no spins.
    """
    spins = network.restricted_to(list(samples.variables))
    reads = readout(samples, spins.labels or range(spins.n_spins))
    told = plain_data(samples.info)
    model = {"emulator": told.pop("emulator")} if "emulator" in told else {}
    record = _record(spins, protocol, scales, replace(reads, sampler={"source": source, **model}, execution=told))
    energies = np.repeat(samples.record.energy, samples.record.num_occurrences.astype(np.int64))
    if not _alike(np.asarray(energies, dtype=np.float64), record.dataset["energy"].to_numpy()):
        warnings.warn(
            "the energies of the answer are not those of this problem: check its protocol, and the J and field that it "
            "was sampled with.",
            stacklevel=2,
        )
    return record


def record_from_magnetizations(
    magnetizations: ArrayLike,
    network: SpinNetwork,
    protocol: Protocol | ProtocolOf,
    *,
    scales: EnergyScales | None = None,
    source: str = "",
) -> Record:
    """Record of reads of which only mu = Sz/N is known, shape (reads,); other arguments as in record_from_samples.

    What needs the spins (the independence ratio, flips by degree, energies) is not in it.

    Raises:
        InvalidParameterError: fewer than two reads, values outside [-1, 1], or that N spins cannot give.
    """
    values = checked_shots(magnetizations, network.n_spins)
    return _record(network, protocol, scales, Readout(values, sampler={"source": source}))


def read_measurement(
    path: str | Path, network: SpinNetwork, protocol: Protocol | ProtocolOf, *, scales: EnergyScales | None = None
) -> Record:
    """Record of a ``.json``, a SampleSet as ``json.dump(samples.to_serializable(), file)`` writes it, or a ``.csv``.

    A ``.csv`` has one read a row: its column ``magnetization`` or ``mu``, or its only column, with or
    without a header.

    Raises:
        RecordError: no such file, another ending, or content of another kind.
        SpinBatteryError: see :func:`record_from_samples` and :func:`record_from_magnetizations`.
    """
    path = Path(path)
    if path.suffix not in (".json", ".csv"):
        raise RecordError(
            f"{str(path)!r} must end in .json (a SampleSet, json.dump(samples.to_serializable(), file)) or .csv (one "
            "magnetization a row)."
        )
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise RecordError(f"cannot read {str(path)!r}: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise RecordError(f"{str(path)!r} is no text; save it as UTF-8.") from None
    if path.suffix == ".csv":
        return record_from_magnetizations(
            _magnetizations(text, path), network, protocol, scales=scales, source=path.name
        )
    return record_from_samples(_samples(text, path), network, protocol, scales=scales, source=path.name)


def _record(
    network: SpinNetwork, protocol: Protocol | ProtocolOf, scales: EnergyScales | None, reads: Readout
) -> Record:
    built = protocol if isinstance(protocol, Protocol) else protocol(network)
    data = reads.magnetizations if reads.spins is None else reads.spins
    options = {"reads": len(data), "data": hashlib.sha256(data.tobytes()).hexdigest()}
    problem = ChargingProblem(network, built, scales or default_scales(network))
    return build_record(problem, IMPORTED, options, "sampled elsewhere", reads, 0.0)


def _alike(given: FloatArray, computed: FloatArray) -> bool:
    """Whether energies agree up to a constant, which services may lose."""
    difference = given - computed
    return float(np.ptp(difference)) <= _SAME_ENERGY * max(1.0, float(np.abs(computed).max()))


def _samples(text: str, path: Path) -> dimod.SampleSet:
    import dimod

    try:
        samples = dimod.SampleSet.from_serializable(json.loads(text))
    except Exception as error:  # dimod raises whatever it meets
        raise RecordError(
            f"{str(path)!r} is no SampleSet ({type(error).__name__}: {error}); write one with "
            "json.dump(samples.to_serializable(), file)."
        ) from None
    return samples


def _magnetizations(text: str, path: Path) -> FloatArray:
    rows = [row for row in csv.reader(text.splitlines()) if any(cell.strip() for cell in row)]
    if not rows:
        raise RecordError(f"{str(path)!r} is empty; give one magnetization a row.")
    header = [cell.strip().lower() for cell in rows[0]]
    column = next((header.index(name) for name in _COLUMNS if name in header), None)
    if column is None and len(header) > 1:
        raise RecordError(
            f"{str(path)!r} has {len(header)} columns, none of them called magnetization or mu; name the one that is, "
            "or leave the others out."
        )
    named = column is not None or not _is_number(header[0])
    values = []
    for number, row in enumerate(rows[named:], start=1 + named):
        cell = row[column or 0].strip() if len(row) > (column or 0) else ""
        if not _is_number(cell):
            raise RecordError(f"{str(path)!r}: row {number} has {cell!r} where a magnetization is wanted.")
        values.append(float(cell))
    return np.array(values)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
