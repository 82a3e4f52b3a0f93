"""Instantaneous energy levels of H(t) in the symmetric sector, and their populations in the evolving state."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ...core.arrays import read_only
from ...core.checks import whole_number
from ...core.errors import EngineError, InvalidParameterError
from ...core.typing import FloatArray
from ...model.network import SpinNetwork
from ...model.network_text import as_network
from ...model.problem import ChargingProblem
from ...model.protocol import Protocol
from ...model.scales import EnergyScales
from ...model.symmetry import symmetry_group
from ...model.topology import scales_for
from ..common.contract import output_times
from .basis import LARGEST_N, SymmetricSector, sector_dimension
from .engine import Symmetric
from .series_state import states_at

LARGEST_SECTOR = 1_000
"""Largest dimension of a sector that is diagonalised as a dense matrix: about half a second for each time."""

_LEVELS = 12
_RESOLUTION = 1e-9
"""Levels closer than this (GHz) count as one, as the basis that diagonalisation finds within them is arbitrary."""

_TOLERANCE = 1e-9
"""Tolerance of the steps; the norm of a state's error is a small part of it."""


@dataclass(frozen=True, eq=False)
class SectorSpectrum:
    """Levels of H(t) in the symmetric sector, lowest first, and their populations.

    Levels closer than 1e-9 GHz count as one: each has an equal share of their total population, and their mean
    magnetization. All-up and all-down at g = 0 are such a doublet.

    Attributes:
        problem: network, protocol and energy scales.
        times: (T,) in ns.
        energies: (T, L) above the ground state in the sector, in GHz.
        populations: (T, L) of the evolving state, abs(<E_k(t)|psi(t)>)^2.
        magnetization: (T, L) <E_k|Sz|E_k>/N.
        ground_energy: (T,) of the lowest level in GHz.
        dimension: states in the sector.
    """

    problem: ChargingProblem
    times: FloatArray
    energies: FloatArray
    populations: FloatArray
    magnetization: FloatArray
    ground_energy: FloatArray
    dimension: int

    def __repr__(self) -> str:
        (times, levels), name = self.energies.shape, self.problem.network.name
        return f"SectorSpectrum({name}, {times} times, {levels} of {self.dimension} levels)"

    @property
    def above(self) -> FloatArray:
        """Total population (T,) of the higher levels, which are not kept."""
        return np.asarray(1.0 - self.populations.sum(axis=1))


def sector_spectrum(
    network: SpinNetwork,
    protocol: Protocol,
    times: ArrayLike,
    *,
    scales: EnergyScales | None = None,
    levels: int = _LEVELS,
) -> SectorSpectrum:
    """Instantaneous energy levels in the symmetric sector, and their populations in the state that evolves.

    H(t) is diagonalised as a dense matrix at every time. The state evolves by the steps of the symmetric engine, with
    an error (as a vector) of less than 1e-9.

    Args:
        network: the spins and their pairs.
        protocol: the charging protocol.
        times: (T,) in ns, ascending, within the protocol.
        scales: A(s), B(s) of the device; the smooth Advantage_system6 model by default.
        levels: number of levels to keep, from the lowest on; all if there are fewer.

    Raises:
        InvalidParameterError: unusable times or number of levels.
        EngineError: more than 31 spins, a sector of more than 1000 states, or a duration of too many steps.
        ToleranceError: rounding in a very long protocol may exceed this error.
        InsufficientMemoryError: there is too little memory to find the orbits.
    """
    spins = as_network(network)
    problem = ChargingProblem(spins, protocol, scales_for(spins, scales))
    checked = output_times(problem, times)
    if not checked.size:
        raise InvalidParameterError("times must be one time or more.")
    levels = whole_number("levels", levels, least=1)
    sector = _small_sector(problem)
    transverse = _transverse(sector)
    energies, magnetization, populations = np.empty((3, checked.size, sector.dimension))
    weights = np.sqrt(sector.sizes)  # of the basis of normalised orbits
    states = [weights * amplitudes for amplitudes in states_at(problem, sector, checked, _TOLERANCE)]
    for k, (psi, *fields) in enumerate(zip(states, *problem.fields(checked), strict=True)):
        energies[k], vectors = _levels(sector, transverse, *fields)
        magnetization[k] = (sector.magnetization / sector.n_spins) @ vectors**2
        populations[k] = np.abs(psi @ vectors) ** 2
    ground = energies[:, 0].copy()
    return SectorSpectrum(
        problem,
        read_only(checked),
        read_only((energies - ground[:, None])[:, :levels]),
        read_only(_shared(energies, populations)[:, :levels]),
        read_only(_shared(energies, magnetization)[:, :levels]),
        read_only(ground),
        sector.dimension,
    )


def _small_sector(problem: ChargingProblem) -> SymmetricSector:
    group = symmetry_group(problem)
    dimension = sector_dimension(group)
    if problem.n_spins > LARGEST_N or dimension > LARGEST_SECTOR:
        raise EngineError(
            f"{problem.network.name} has {problem.n_spins} spins and its symmetric sector {dimension} states, and "
            f"levels are found for up to {LARGEST_N} spins and {LARGEST_SECTOR} states; take a smaller or a more "
            "symmetric network, such as torus:4x4."
        )
    if not group.is_trivial:
        Symmetric().check(problem)
    return SymmetricSector.build(problem, group)


def _transverse(sector: SymmetricSector) -> FloatArray:
    """Sx (d, d) in the basis of normalised orbits, dense."""
    d, weights = sector.dimension, np.sqrt(sector.sizes)
    transverse = np.zeros((d, d))
    rows = np.broadcast_to(np.arange(d)[:, None], sector.index.shape)
    np.add.at(transverse, (rows, sector.index), weights[:, None] / weights[sector.index])
    return transverse


def _levels(
    sector: SymmetricSector, transverse: FloatArray, bx: float, bz: float, half_b: float
) -> tuple[FloatArray, FloatArray]:
    """Energies (d,) of H in GHz, ascending, and states (d, d), one a column."""
    from scipy.linalg import eigh

    matrix = bx * transverse
    matrix[np.diag_indices_from(matrix)] += bz * sector.magnetization.astype(np.float64) + half_b * sector.ising
    energies, states = eigh(matrix)
    return energies, states


def _shared(energies: FloatArray, values: FloatArray) -> FloatArray:
    """Values (T, d), with the mean for all levels that count as one."""
    first = np.ones(energies.shape, dtype=bool)
    first[:, 1:] = np.diff(energies, axis=1) > _RESOLUTION
    group = np.cumsum(first.ravel()) - 1  # a level that begins a row begins a group
    mean = np.bincount(group, values.ravel()) / np.bincount(group)
    return np.asarray(mean[group].reshape(values.shape))
