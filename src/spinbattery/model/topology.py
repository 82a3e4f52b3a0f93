"""Working graphs of annealers: Pegasus and Zephyr, whole or with missing qubits, and networks cut from them.

Qubits are numbered as on the devices. Pegasus P_m has N = 8(3m - 1)(m - 1) qubits (Boothby et al., arXiv:2003.00133),
Zephyr Z_m with tile parameter t has N = 4tm(2m + 1) (Boothby, King, Raymond, D-Wave technical report 14-1056A-A, 2021).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..core.arrays import read_only
from ..core.checks import is_one_of, whole_number
from ..core.errors import EnergyScalesError, NetworkError
from ..core.paths import read_text, user_path
from ..core.typing import FloatArray, IntArray
from .network import LatticeCut, SpinNetwork
from .scales import EnergyScales, as_scales
from .sublattices import images

_SMALLEST_SIZE = {"pegasus": 2, "zephyr": 1}
_PERIOD = {"pegasus": 1, "zephyr": 2}
_LARGEST_SIZE = 32
_LARGEST_TILE = 8
_SAVE = "save the solver's properties as JSON, json.dump(sampler.properties, file)"


class _Lattice(NamedTuple):
    """The graph of a family at full yield; qubits sorted, couplers sorted with the smaller qubit first."""

    qubits: IntArray
    couplers: IntArray
    positions: FloatArray


def _of_library(family: str, what: str) -> Callable[..., Any]:
    """A function of ``dwave.graphs`` by its family: the graph, its layout, or its sublattice mappings."""
    import dwave.graphs

    function: Callable[..., Any] = getattr(dwave.graphs, f"{family}_{what}")
    return function


@lru_cache(maxsize=64)
def _graph(family: str, size: int, tile: int) -> Any:
    shape = (size,) if family == "pegasus" else (size, tile)
    return _of_library(family, "graph")(*shape)


@lru_cache(maxsize=64)
def _lattice(family: str, size: int, tile: int) -> _Lattice:
    graph = _graph(family, size, tile)
    layout = _of_library(family, "layout")(graph)
    qubits = np.array(sorted(graph.nodes), dtype=np.int64)
    couplers = np.sort(np.array(graph.edges, dtype=np.int64), axis=1)
    return _Lattice(
        read_only(qubits),
        read_only(couplers[np.lexsort((couplers[:, 1], couplers[:, 0]))]),
        read_only(np.array([layout[qubit] for qubit in qubits.tolist()])),
    )


@lru_cache(maxsize=32)
def _placements(family: str, size: int, tile: int, region: int) -> tuple[list[tuple[int, ...]], IntArray]:
    """Offsets and images, shape (placements, qubits of the region), of the smaller lattice within the larger one."""
    source, target = _graph(family, region, tile), _graph(family, size, tile)
    mappings = list(_of_library(family, "sublattice_mappings")(source, target))
    qubits = _lattice(family, region, tile).qubits.tolist()
    offsets = [tuple(mapping.offset) for mapping in mappings]
    return offsets, read_only(images(dict(zip(offsets, mappings, strict=True)), qubits, _PERIOD[family]))


def _whole(what: str, value: Any, least: int) -> int:
    return whole_number(what, value, least, NetworkError)


def _checked_size(family: str, size: Any) -> int:
    m = _whole(f"the size of a {family} graph", size, _SMALLEST_SIZE[family])
    if m > _LARGEST_SIZE:
        raise NetworkError(
            f"{family}:{m} is far larger than any device (Pegasus 16, Zephyr 12); sizes go to {_LARGEST_SIZE}."
        )
    return m


def _integers(values: Any, shape: tuple[int, ...], what: str) -> IntArray:
    """Values as an integer array; -1 in the shape stands for any length."""
    try:
        array = np.asarray(values)
    except ValueError:
        array = np.array(None)
    if array.size == 0:
        array = np.empty((0, *shape[1:]), dtype=np.int64)
    if array.shape[1:] != shape[1:] or array.ndim != len(shape) or not np.issubdtype(array.dtype, np.integer):
        form = "whole numbers" if len(shape) == 1 else "pairs of whole numbers"
        raise NetworkError(f"{what} must be a list of {form}; {_SAVE}.")
    return array.astype(np.int64)


def _chosen(n: int, n_chosen: int, seed: int, *stream: int) -> IntArray:
    """Sorted random choice of ``n_chosen`` out of n.

    The smallest of n uniform numbers are chosen: the generator's stream of uniform numbers is the least likely to
    change in a later version, and with the same seed a smaller choice lies within a larger one.
    """
    uniform = np.random.default_rng([seed, *stream]).random(n)
    chosen: IntArray = np.sort(np.argsort(uniform, kind="stable")[:n_chosen])
    return chosen


@dataclass(frozen=True, eq=False)
class Placement:
    """Where a smaller lattice of the same family lies within a working graph.

    Attributes:
        offset: of the lattice within the device, as numbered by ``dwave.graphs``.
        qubits: the working qubits there, sorted.
        missing_qubits: number of the lattice's qubits that do not work there.
        missing_couplers: number of the lattice's couplers that do not work there, also where a qubit is missing.
    """

    offset: tuple[int, ...]
    qubits: IntArray
    missing_qubits: int
    missing_couplers: int


@dataclass(frozen=True, eq=False)
class WorkingGraph:
    """The qubits and couplers of an annealer that work.

    Attributes:
        family: ``pegasus`` or ``zephyr``.
        size: m of P_m or Z_m, 2 (Zephyr 1) to 32.
        qubits: (n,) numbers of the working qubits, sorted.
        couplers: (E, 2) pairs of qubits, the smaller number first, sorted.
        name: the text form where there is one, such as ``pegasus:16/missing:28:seed:7``, else the solver's name.
        tile: t of Zephyr, 4 on all devices; Pegasus has none.
        solver: chip and topology where it is the graph of a solver, else None.
        missing: number of qubits that were left out of the whole graph at random; None where the qubits are a list of
            their own.

    Raises:
        NetworkError: unknown family, size out of range, qubits or couplers that the family's graph does not have or
            that are listed twice, or couplers of qubits that are not listed.
    """

    family: str
    size: int
    qubits: IntArray
    couplers: IntArray
    name: str
    tile: int = 4
    solver: tuple[str, str] | None = None
    missing: int | None = None

    def __post_init__(self) -> None:
        if not is_one_of(self.family, _SMALLEST_SIZE):
            raise NetworkError(f"the topology {self.family!r} is not supported; use a pegasus or a zephyr graph.")
        object.__setattr__(self, "size", _checked_size(self.family, self.size))
        object.__setattr__(self, "tile", _whole("Zephyr's tile parameter", self.tile, 1))
        if self.tile > _LARGEST_TILE:
            raise NetworkError(f"Zephyr's tile parameter is 4 on all devices and at most {_LARGEST_TILE} here.")
        qubits = np.sort(_integers(self.qubits, (-1,), "qubits"))
        couplers = np.sort(_integers(self.couplers, (-1, 2), "couplers"), axis=1)
        couplers = couplers[np.lexsort((couplers[:, 1], couplers[:, 0]))]
        self._check_qubits(qubits)
        self._check_couplers(qubits, couplers)
        object.__setattr__(self, "qubits", read_only(qubits))
        object.__setattr__(self, "couplers", read_only(couplers))

    @property
    def _whole_lattice(self) -> _Lattice:
        return _lattice(self.family, self.size, self.tile)

    def _check_qubits(self, qubits: IntArray) -> None:
        if not len(qubits):
            raise NetworkError(f"{self.name} has no qubits; a working graph needs at least one.")
        if (repeated := qubits[1:][np.diff(qubits) == 0]).size:
            raise NetworkError(f"{self.name} lists qubit {repeated[0]} more than once; give each once.")
        if (unknown := qubits[~np.isin(qubits, self._whole_lattice.qubits)]).size:
            raise NetworkError(f"{self.name} lists qubit {unknown[0]}, which {self.family}:{self.size} does not have.")

    def _check_couplers(self, qubits: IntArray, couplers: IntArray) -> None:
        if (strangers := couplers[~np.isin(couplers, qubits).all(axis=1)]).size:
            raise NetworkError(f"{self.name} lists coupler {strangers[0].tolist()}, but not both of its qubits.")
        # one number per coupler; both of its qubits are known to exist
        base = int(self._whole_lattice.qubits[-1]) + 1
        keys, known = (pairs @ np.array([base, 1]) for pairs in (couplers, self._whole_lattice.couplers))
        if (unknown := couplers[~np.isin(keys, known)]).size:
            pair = unknown[0].tolist()
            raise NetworkError(f"{self.name} lists coupler {pair}, which {self.family}:{self.size} does not have.")
        if (repeated := couplers[1:][np.diff(keys) == 0]).size:
            raise NetworkError(f"{self.name} lists coupler {repeated[0].tolist()} more than once; give each once.")

    @classmethod
    def _ideal(cls, family: str, m: int) -> WorkingGraph:
        lattice = _lattice(family, m := _checked_size(family, m), 4)
        return cls(family, m, lattice.qubits, lattice.couplers, f"{family}:{m}", missing=0)

    @classmethod
    def pegasus(cls, m: int) -> WorkingGraph:
        """P_m with all its qubits: 40 for m = 2, 5640 for m = 16, of degree 15 inside.

        Raises:
            NetworkError: m is no whole number of 2 to 32.
        """
        return cls._ideal("pegasus", m)

    @classmethod
    def zephyr(cls, m: int) -> WorkingGraph:
        """Z_m with tile parameter 4 and all its qubits: 48 for m = 1, 4800 for m = 12, of degree 20 inside.

        Raises:
            NetworkError: m is no whole number of 1 to 32.
        """
        return cls._ideal("zephyr", m)

    @classmethod
    def from_properties(cls, properties: Mapping[str, Any]) -> WorkingGraph:
        """The working graph of a solver, named by its ``chip_id``.

        Args:
            properties: of a sampler or solver, with ``topology`` (type and shape), ``qubits`` and ``couplers``.

        Raises:
            NetworkError: entries missing or malformed, a topology other than Pegasus and Zephyr, and
                whatever makes no working graph.
        """
        if absent := [key for key in ("topology", "qubits", "couplers") if key not in properties]:
            raise NetworkError(f"a solver's properties hold {', '.join(absent)}, but these do not; {_SAVE}.")
        topology = properties["topology"]
        if not isinstance(topology, Mapping) or not {"type", "shape"} <= topology.keys():
            raise NetworkError(f"topology must have a type and a shape, but is {topology!r}; {_SAVE}.")
        family = topology["type"]
        if family not in ("pegasus", "zephyr"):
            raise NetworkError(f"the topology {family!r} is not supported; use a pegasus or a zephyr solver.")
        shape = topology["shape"]
        if not isinstance(shape, (list, tuple)) or len(shape) not in ((1,) if family == "pegasus" else (1, 2)):
            form = "[m], such as [16]" if family == "pegasus" else "[m] or [m, t], such as [12, 4]"
            raise NetworkError(f"the shape of a {family} topology must be {form}, but is {shape!r}; {_SAVE}.")
        name = str(properties.get("chip_id") or "solver")
        chip = properties.get("emulated_chip_id") or name
        is_ideal = properties.get("category") == "software" and chip is name
        solver = None if is_ideal else (str(chip), family)
        graph = cls(family, shape[0], properties["qubits"], properties["couplers"], name, *shape[1:])
        return replace(graph, solver=solver)

    def without(self, n_missing: int, seed: int) -> WorkingGraph:
        """The graph with randomly chosen qubits missing, the same for the same seed.

        With one seed, the qubits missing for a smaller number are among those missing for a larger one.

        Raises:
            NetworkError: no qubit would be left, or a number that is not whole or below zero.
        """
        n_missing, seed = _whole("the number of missing qubits", n_missing, 0), _whole("the seed", seed, 0)
        if n_missing >= len(self.qubits):
            raise NetworkError(
                f"{self.name} has {len(self.qubits)} qubits, so at most {len(self.qubits) - 1} can be missing, "
                f"not {n_missing}."
            )
        qubits = np.delete(self.qubits, _chosen(len(self.qubits), n_missing, seed))
        couplers = self.couplers[np.isin(self.couplers, qubits).all(axis=1)]
        name = f"{self.name}/missing:{n_missing}:seed:{seed}"
        missing = None if self.missing is None else self.missing + n_missing
        return replace(self, qubits=qubits, couplers=couplers, name=name, missing=missing)

    def network(self) -> SpinNetwork:
        """All working qubits as a network, labelled by the qubit numbers, with the layout of the device."""
        return self._induced(self.qubits, self.name)

    def placement(self, m: int) -> Placement:
        """The place of the whole P_m or Z_m within the device that misses the fewest qubits.

        All sublattice mappings of ``dwave.graphs`` are tried; of equal ones the first is taken.

        Raises:
            NetworkError: m too small, or larger than the device.
        """
        m = _checked_size(self.family, m)
        if m > self.size:
            raise NetworkError(
                f"region:{m} does not fit into {self.name}, a {self.family} graph of size {self.size}; "
                f"take a region of at most {self.size}."
            )
        offsets, images = _placements(self.family, self.size, self.tile, m)
        works = np.isin(images, self.qubits)
        best = int(np.argmin((~works).sum(axis=1)))
        qubits = np.sort(images[best][works[best]])
        lattice = _lattice(self.family, m, self.tile)
        couplers = np.isin(self.couplers, qubits).all(axis=1).sum()
        return Placement(
            offsets[best], read_only(qubits), len(lattice.qubits) - len(qubits), len(lattice.couplers) - int(couplers)
        )

    def region(self, m: int) -> SpinNetwork:
        """The sub-graph of the working qubits and couplers where :meth:`placement` puts P_m or Z_m.

        Missing qubits and couplers are left out, so N and n_C may be smaller than in the whole lattice.

        Raises:
            NetworkError: m too small, or larger than the device.
        """
        return self._induced(self.placement(m).qubits, f"{self.name}/region:{m}", region=int(m))

    def scattered(self, n: int, seed: int) -> SpinNetwork:
        """n working qubits chosen at random, and the working couplers among them, the same for the same seed.

        Raises:
            NetworkError: fewer than one or more than the working qubits, or a seed below zero.
        """
        n, seed = _whole("the number of scattered qubits", n, 1), _whole("the seed", seed, 0)
        if n > len(self.qubits):
            raise NetworkError(f"{self.name} has {len(self.qubits)} qubits; choose at most as many, not {n}.")
        # a stream of its own, so that the choice does not depend on which qubits the same seed made missing
        chosen = self.qubits[_chosen(len(self.qubits), n, seed, 1)]
        return self._induced(chosen, f"{self.name}/scattered:{n}:seed:{seed}", scattered=(n, seed))

    def _induced(self, qubits: IntArray, name: str, **part: Any) -> SpinNetwork:
        inside, lattice = np.isin(self.couplers, qubits).all(axis=1), self._whole_lattice
        return SpinNetwork(
            len(qubits),
            np.searchsorted(qubits, self.couplers[inside]),
            name=name,
            positions=lattice.positions[np.searchsorted(lattice.qubits, qubits)],
            labels=tuple(qubits.tolist()),
            cut=LatticeCut(self.family, self.size, self.tile, self.missing, solver=self.solver, **part),
        )


BY_ARGUMENT = "scales=from_spreadsheet(...)"
"""Remedy for callers in Python."""


def scales_for(network: SpinNetwork, given: EnergyScales | None, remedy: str = BY_ARGUMENT) -> EnergyScales:
    """The given A(s), B(s), or else the scales of Advantage_system6.

    A network of a solver that has others is then refused; ``remedy`` says how the caller can give scales.
    """
    solver = None if network.cut is None else network.cut.solver
    if given is None and solver is not None and (reason := other_scales(*solver, remedy)):
        raise EnergyScalesError(reason)
    return as_scales(given)


def other_scales(chip: str, topology: str, remedy: str = BY_ARGUMENT) -> str:
    """Message where a solver certainly has other energy scales than Advantage_system6, or else an empty text."""
    if topology != "zephyr" and not chip.startswith("Advantage2"):
        return ""
    return (
        f"{chip} is a chip of {topology} topology; its A(s) and B(s) differ from the default, which is of "
        f"Advantage_system6, a pegasus chip; give its own, from the vendor's spreadsheet, by {remedy}."
    )


def read_solver_properties(path: str | Path) -> dict[str, Any]:
    """The properties of a solver, saved as JSON: ``json.dump(sampler.properties, file)``.

    Returns:
        all properties of the file; ``topology``, ``qubits`` and ``couplers`` are there and make a working graph.

    Raises:
        NetworkError: no such file, no JSON object, or whatever :meth:`WorkingGraph.from_properties` refuses.
    """
    path = user_path(path)
    text = read_text(path, NetworkError, f"; {_SAVE}")
    try:
        properties = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise NetworkError(f"{str(path)!r} is not JSON ({error}); {_SAVE}.") from None
    if not isinstance(properties, dict):
        raise NetworkError(f"{str(path)!r} holds no JSON object; {_SAVE}.")
    try:
        WorkingGraph.from_properties(properties)
    except NetworkError as error:
        raise NetworkError(f"{str(path)!r}: {error}") from None
    return properties
