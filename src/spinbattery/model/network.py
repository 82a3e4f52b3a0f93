"""Spin networks: which spins are coupled, how strongly, and which couplings are parasitic."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ..core.arrays import read_only
from ..core.checks import finite, real_numbers, whole_number
from ..core.errors import InsufficientMemoryError, InvalidParameterError, NetworkError
from ..core.typing import FloatArray, IntArray
from .labels import matched

if TYPE_CHECKING:
    import networkx as nx

_EMPTY_PAIRS: IntArray = np.empty((0, 2), dtype=np.int64)
_EMPTY_WEIGHTS: FloatArray = np.empty(0)


def _checked_pairs(n_spins: int, pairs: Any, what: str) -> IntArray:
    """Pairs as a read-only, lexicographically sorted (E, 2) array with the smaller spin first."""
    try:
        array = np.asarray(pairs)
    except ValueError:
        raise NetworkError(f"{what} must be an (E, 2) array of integers, but are of unequal lengths.") from None
    if array.size == 0:
        array = _EMPTY_PAIRS
    if array.ndim != 2 or array.shape[1] != 2 or not np.issubdtype(array.dtype, np.integer):
        raise NetworkError(f"{what} must be an (E, 2) array of integers, but is {array.dtype} of shape {array.shape}.")
    array = np.sort(array.astype(np.int64), axis=1)
    if array.size and (array.min() < 0 or array.max() >= n_spins):
        raise NetworkError(f"{what} must name spins 0 to {n_spins - 1}, but range from {array.min()} to {array.max()}.")
    loops = array[array[:, 0] == array[:, 1]]
    if loops.size:
        raise NetworkError(f"{what} couple spin {loops[0, 0]} to itself; remove self-loops.")
    _, counts = np.unique(array, axis=0, return_counts=True)
    if (counts > 1).any():
        twice = np.unique(array, axis=0)[counts > 1][0].tolist()
        raise NetworkError(f"{what} list {twice} more than once; give each pair once, with its total weight.")
    return array


def _checked_weights(pairs: IntArray, weights: Any, what: str) -> FloatArray:
    try:
        array = np.asarray(weights, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        raise NetworkError(f"{what} must be numbers, but are {weights!r}.") from None
    if array.ndim == 0:
        array = np.full(len(pairs), float(array))
    if array.shape != (len(pairs),):
        raise NetworkError(f"{what} must have one entry per pair ({len(pairs)}), but has shape {array.shape}.")
    if not np.isfinite(array).all():
        raise NetworkError(f"{what} must be finite.")
    return array


def _are_labels(labels: Any, n_spins: int) -> bool:
    try:
        return len(set(labels)) == n_spins
    except TypeError:
        return False


def _frozen(array: np.ndarray[Any, Any]) -> Any:
    return read_only(np.array(array))


@dataclass(frozen=True)
class LatticeCut:
    """How a network was cut from an ideal Pegasus or Zephyr lattice, so that it has a place on any chip of that family.

    Attributes:
        family: ``pegasus`` or ``zephyr``.
        size: m of the whole lattice.
        region: m of the region; None where it is no region.
        scattered: number of qubits and seed of a random choice; None where it is none.
        is_reduced: whether qubits were left out otherwise, so that it has no such place.
    """

    family: str
    size: int
    region: int | None = None
    scattered: tuple[int, int] | None = None
    is_reduced: bool = False


@dataclass(frozen=True, eq=False)
class SpinNetwork:
    """A frozen graph of spins.

    Attributes:
        n_spins: number of spins N.
        pairs: (E, 2) integers, each pair <jk> once with j < k, sorted.
        weights: (E,) factors that multiply the protocol's J on each pair, dimensionless.
        crosstalk_pairs: (E', 2) pairs with a parasitic coupling that no protocol controls.
        crosstalk: (E',) parasitic couplings J_CT in units of B(s)/2 (present even where J = 0).
        name: the text form where there is one, such as ``torus:3x4``.
        positions: (N, d) coordinates for drawing, or None.
        labels: one label per spin as in the graph it was made from, or None.
        lattice: ``pegasus`` or ``zephyr`` where it is cut from a working graph, else empty.
        solver: chip and topology of the solver it was cut from, such as ``("Advantage_system6", "pegasus")``, or None.
        cut: how it was cut from an ideal lattice, or None.

    Two networks are equal when spins, pairs, weights and cross-talk are; name, positions, labels, lattice, solver and
    cut do not enter the physics, nor the hash.

    Raises:
        NetworkError: no spins, pairs out of range, self-loops, pairs listed twice, weights that are
            not finite or of another length.
    """

    n_spins: int
    pairs: IntArray
    weights: FloatArray = field(default_factory=lambda: np.ones(()))
    crosstalk_pairs: IntArray = field(default_factory=lambda: _EMPTY_PAIRS)
    crosstalk: FloatArray = field(default_factory=lambda: _EMPTY_WEIGHTS)
    name: str = "custom"
    positions: FloatArray | None = None
    labels: tuple[Any, ...] | None = None
    lattice: str = ""
    solver: tuple[str, str] | None = None
    cut: LatticeCut | None = None

    def __post_init__(self) -> None:
        if isinstance(self.n_spins, bool) or not isinstance(self.n_spins, (int, np.integer)) or self.n_spins < 1:
            raise NetworkError(f"n_spins must be a whole number of at least 1, but is {self.n_spins!r}.")
        object.__setattr__(self, "n_spins", int(self.n_spins))
        for pairs_name, weights_name in (("pairs", "weights"), ("crosstalk_pairs", "crosstalk")):
            pairs = _checked_pairs(self.n_spins, getattr(self, pairs_name), pairs_name)
            weights = _checked_weights(pairs, getattr(self, weights_name), weights_name)
            order = np.lexsort((pairs[:, 1], pairs[:, 0]))
            object.__setattr__(self, pairs_name, _frozen(pairs[order]))
            object.__setattr__(self, weights_name, _frozen(weights[order]))
        if self.positions is not None:
            positions = real_numbers("positions", self.positions)
            if positions.ndim != 2 or len(positions) != self.n_spins:
                raise NetworkError(f"positions must be of shape ({self.n_spins}, d), but are {positions.shape}.")
            object.__setattr__(self, "positions", _frozen(positions))
        if self.labels is not None and not _are_labels(self.labels, self.n_spins):
            raise NetworkError(f"labels must be {self.n_spins} different ones, one per spin, but are {self.labels!r}.")

    @property
    def n_pairs(self) -> int:
        """n_C, the number of coupled pairs (cross-talk not counted)."""
        return len(self.pairs)

    @property
    def pairs_per_spin(self) -> float:
        """n_C / N of the paper's Eq. 19."""
        return self.n_pairs / self.n_spins

    @property
    def coupling_norm_squared(self) -> float:
        """Sum of the squared weights: what n_C becomes in Eq. 19 and 28 for a weighted graph."""
        return float(self.weights @ self.weights)

    @cached_property
    def degrees(self) -> IntArray:
        """Number of coupled neighbours of each spin, shape (N,)."""
        return read_only(np.bincount(self.pairs.ravel(), minlength=self.n_spins).astype(np.int64))

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 of everything that enters the physics."""
        digest = hashlib.sha256(f"network:{self.n_spins}".encode())
        for array in (self.pairs, self.weights, self.crosstalk_pairs, self.crosstalk):
            digest.update(str(array.shape).encode())
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SpinNetwork) and self.content_hash == other.content_hash

    def __hash__(self) -> int:
        return hash(self.content_hash)

    def __repr__(self) -> str:
        parasitic = f", {len(self.crosstalk)} cross-talk pairs" if len(self.crosstalk) else ""
        return f"SpinNetwork({self.name!r}, N={self.n_spins}, n_C={self.n_pairs}{parasitic})"

    def with_crosstalk(
        self,
        j_ct: float,
        pairs: Literal["neighbours", "all"] = "neighbours",
        *,
        spread: float = 0.0,
        seed: int | None = None,
    ) -> SpinNetwork:
        """Add a parasitic coupling to every pair, uniform or random, replacing any that was there.

        Args:
            j_ct: J_CT in units of B(s)/2; negative is ferromagnetic. It acts whatever the protocol's J.
            pairs: on the network's own pairs, or on all N(N-1)/2 of them.
            spread: standard deviation of J_CT between pairs, in units of B(s)/2: each is drawn from a normal
                distribution around ``j_ct``, independently.
            seed: of the draw; a seed and a set of pairs always give the same couplings. Without a spread nothing
                is drawn.

        Raises:
            InvalidParameterError: ``j_ct`` or ``spread`` not finite, ``spread`` negative or without a seed, a seed
                that is no whole number of 0 or more, or ``pairs`` unknown.
        """
        j_ct, spread = finite("crosstalk", j_ct), finite("the spread of the cross-talk", spread)
        if spread < 0.0:
            raise InvalidParameterError(f"the spread of the cross-talk must not be negative, but is {spread:g}.")
        if pairs == "neighbours":
            where = self.pairs
        elif pairs == "all":
            _refuse_many_pairs("cross-talk on all pairs", self.n_spins * (self.n_spins - 1) // 2)
            where = np.column_stack(np.triu_indices(self.n_spins, k=1)).astype(np.int64)
        else:
            raise InvalidParameterError(f"crosstalk pairs must be 'neighbours' or 'all', but are {pairs!r}.")
        values, drawn = np.full(len(where), j_ct), ""
        if spread > 0.0:
            if seed is None:
                raise InvalidParameterError(
                    "cross-talk with a spread is random; give a seed, such as seed=1 (or --crosstalk-seed 1)."
                )
            seed = whole_number("the seed of the cross-talk", seed, least=0)
            values += spread * np.random.default_rng(seed).standard_normal(len(where))
            drawn = f":spread:{spread:g}:seed:{seed}"
        return replace(
            self,
            crosstalk_pairs=where,
            crosstalk=values,
            name=f"{self.name}+crosstalk:{j_ct:g}:{pairs}{drawn}",
        )

    @property
    def names(self) -> tuple[Any, ...]:
        """The label of each spin in the order of the spins; 0 to N - 1 where there are none."""
        return self.labels or tuple(range(self.n_spins))

    def own_labels(self, names: Sequence[Any]) -> list[Any]:
        """The label of each spin that is named elsewhere, where whole numbers may have become texts, or the reverse.

        Raises:
            NetworkError: a name of no spin, or one that may be two of them.
        """
        return matched(names, self.names, self.name)

    def per_spin(self, values: Mapping[Any, Any]) -> tuple[Any, ...]:
        """Values by label as one for each spin, in the order of the spins: rates of noise, or an initial state.

        Raises:
            NetworkError: a spin without a value, or a label of no spin.

        Example:
            >>> torus(1, 2).per_spin({1: 2e-3, 0: 1e-3})
            (0.001, 0.002)
        """
        found = dict(zip(self.own_labels(list(values)), values.values(), strict=True))
        bare = [name for name in self.names if name not in found]
        if bare:
            raise NetworkError(f"{len(bare)} spins of {self.name} have no value, such as {bare[0]!r}; give each one.")
        return tuple(found[name] for name in self.names)

    def restricted_to(self, labels: Sequence[Any]) -> SpinNetwork:
        """The network of some of its spins, by their labels (0 to N - 1 where it has none), in the order it has them.

        Raises:
            NetworkError: no labels, or some that are none of its spins.
        """
        own, wanted = self.names, set(self.own_labels(labels))
        if not wanted:
            raise NetworkError(f"no spins of {self.name} are named; give the labels of one or more.")
        if len(wanted) == self.n_spins:
            return self
        kept = np.array([label in wanted for label in own])
        index = np.cumsum(kept) - 1

        def induced(pairs: IntArray, weights: FloatArray) -> tuple[IntArray, FloatArray]:
            inside = kept[pairs].all(axis=1)
            return index[pairs[inside]], weights[inside]

        return SpinNetwork(
            len(wanted),
            *induced(self.pairs, self.weights),
            *induced(self.crosstalk_pairs, self.crosstalk),
            name=f"{self.name}/{len(wanted)} spins",
            positions=None if self.positions is None else self.positions[kept],
            labels=tuple(label for label in own if label in wanted),
            lattice=self.lattice,
            solver=self.solver,
            cut=None if self.cut is None else replace(self.cut, is_reduced=True),
        )

    def to_networkx(self) -> nx.Graph[Any]:
        """Undirected graph with edge attributes ``weight`` and, on parasitic pairs, ``crosstalk``."""
        import networkx as nx

        graph: nx.Graph[Any] = nx.Graph(name=self.name)
        for k in range(self.n_spins):
            attributes: dict[str, Any] = {}
            if self.positions is not None:
                attributes["pos"] = tuple(self.positions[k].tolist())
            graph.add_node(k if self.labels is None else self.labels[k], **attributes)
        nodes = list(graph.nodes)
        for (j, k), weight in zip(self.pairs.tolist(), self.weights.tolist(), strict=True):
            graph.add_edge(nodes[j], nodes[k], weight=weight)
        for (j, k), value in zip(self.crosstalk_pairs.tolist(), self.crosstalk.tolist(), strict=True):
            if graph.has_edge(nodes[j], nodes[k]):
                graph.edges[nodes[j], nodes[k]]["crosstalk"] = value
            else:
                graph.add_edge(nodes[j], nodes[k], weight=0.0, crosstalk=value)
        return graph


def _size(kind: str, what: str, value: int) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
        raise NetworkError(f"{kind}: {what} must be a whole number of at least 1, but is {value!r}.")
    return min(int(value), _LARGEST_SIZE)


_LARGEST_SIZE = 10**30
"""Larger ones are refused alike, and their squares would be no floats."""

_MOST_PAIRS = 20_000_000
_BYTES_PER_PAIR = 200


def _refuse_many_pairs(kind: str, n_pairs: int) -> None:
    """Refuse before anything is built: sorting and checking take some copies of the pairs."""
    if n_pairs > _MOST_PAIRS:
        raise InsufficientMemoryError(
            f"{kind} has {n_pairs:.3g} pairs, which would take {_BYTES_PER_PAIR * n_pairs / 1e9:.3g} GB; networks "
            f"of up to {_MOST_PAIRS:.0e} pairs are built."
        )


def ring(n: int) -> SpinNetwork:
    """Ring of n spins; two spins share one pair (the wrap-around bond is the same pair), one has none."""
    n = _size("ring", "n", n)
    _refuse_many_pairs(f"ring:{n}", n)
    pairs = {tuple(sorted((k, (k + 1) % n))) for k in range(n) if n > 1}
    angle = 2.0 * math.pi * np.arange(n) / n
    return SpinNetwork(
        n, np.array(sorted(pairs), dtype=np.int64).reshape(-1, 2),
        name=f"ring:{n}", positions=np.column_stack([np.cos(angle), np.sin(angle)]),
    )  # fmt: skip


def torus(lx: int, ly: int) -> SpinNetwork:
    """Square lattice of lx x ly spins with periodic boundaries; spin (x, y) has index x * ly + y.

    Pairs are unique: on a 2-wide torus the wrap-around bond is the same pair and counts once, so
    n_C/N is 2 only where both sides are 3 or more.
    """
    lx, ly = _size("torus", "lx", lx), _size("torus", "ly", ly)
    _refuse_many_pairs(f"torus:{lx}x{ly}", 2 * lx * ly)
    index = np.arange(lx * ly).reshape(lx, ly)
    pairs = _bonds([np.roll(index, -1, axis).ravel() for axis in (0, 1)])
    grid = np.column_stack([axis.ravel() for axis in np.indices((lx, ly))]).astype(np.float64)
    return SpinNetwork(lx * ly, pairs, name=f"torus:{lx}x{ly}", positions=grid)


def tilted_torus(a: int, b: int) -> SpinNetwork:
    """Square lattice of a^2 + b^2 spins with periodic boundaries along the side vectors (a, b) and (-b, a).

    Every spin has four neighbours from N = 5 on. Spins are the points of the lattice in the tilted square (its lower
    left sides included), ordered by x, then y; (a, b) and (b, a) are mirror images.

    Raises:
        NetworkError: a side that is no whole number of at least 1; ``torus(a, a)`` is the one that is not tilted.
    """
    a, b = _size("tilted-torus", "a", a), _size("tilted-torus", "b", b)
    n = a * a + b * b
    _refuse_many_pairs(f"tilted-torus:{a}x{b}", 2 * n)
    x, y = (axis.ravel() for axis in np.mgrid[-b : a + 1, 0 : a + b + 1])
    along, across = a * x + b * y, a * y - b * x  # N times the coordinates along the sides
    inside = (along >= 0) & (along < n) & (across >= 0) & (across < n)
    x, y, along, across = (values[inside] for values in (x, y, along, across))
    order = np.argsort(along * n + across)
    keys = (along * n + across)[order]
    neighbours = [
        order[np.searchsorted(keys, (along + du) % n * n + (across + dv) % n)] for du, dv in ((a, -b), (b, a))
    ]
    grid = np.column_stack([x, y]).astype(np.float64)
    return SpinNetwork(n, _bonds(neighbours), name=f"tilted-torus:{a}x{b}", positions=grid)


def _bonds(neighbours: Sequence[IntArray]) -> IntArray:
    """Unique pairs (E, 2) of each spin with its neighbour in every row (N,)."""
    bonds = np.sort(np.concatenate([np.column_stack([np.arange(len(row)), row]) for row in neighbours]), axis=1)
    return np.asarray(np.unique(bonds[bonds[:, 0] != bonds[:, 1]], axis=0), dtype=np.int64)


def complete(n: int) -> SpinNetwork:
    """All-to-all network of n spins."""
    n = _size("complete", "n", n)
    _refuse_many_pairs(f"complete:{n}", n * (n - 1) // 2)
    pairs = np.column_stack(np.triu_indices(n, k=1)).astype(np.int64)
    return SpinNetwork(n, pairs, name=f"complete:{n}", positions=ring(n).positions)
