"""Spin networks: pairs of coupled spins, their weights, and parasitic couplings."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ..core.arrays import read_only
from ..core.checks import LARGEST, check_choice, finite, instance, real_numbers, whole_number
from ..core.errors import InsufficientMemoryError, InvalidParameterError, NetworkError
from ..core.typing import FloatArray, IntArray
from .labels import matched

if TYPE_CHECKING:
    import networkx as nx

_EMPTY_PAIRS: IntArray = np.empty((0, 2), dtype=np.int64)
_EMPTY_WEIGHTS: FloatArray = np.empty(0)


def checked_pairs(n_spins: int, pairs: Any, what: str, error: type[Exception] = NetworkError) -> IntArray:
    """Pairs as an (E, 2) array with the smaller spin first."""
    try:
        array = np.asarray(pairs)
    except ValueError:
        raise error(f"{what} must be an (E, 2) array of integers, but are of unequal lengths.") from None
    if array.size == 0:
        array = _EMPTY_PAIRS
    if array.ndim != 2 or array.shape[1] != 2 or not np.issubdtype(array.dtype, np.integer):
        raise error(f"{what} must be an (E, 2) array of integers, but is {array.dtype} of shape {array.shape}.")
    if array.size == 0:
        return _EMPTY_PAIRS
    array = np.sort(array.astype(np.int64), axis=1)
    if array.min() < 0 or array.max() >= n_spins:
        raise error(f"{what} must name spins 0 to {n_spins - 1}, but range from {array.min()} to {array.max()}.")
    loops = array[array[:, 0] == array[:, 1]]
    if loops.size:
        raise error(f"{what} couple spin {loops[0, 0]} to itself; remove self-loops.")
    ordered = array[_pair_order(array)]
    if (repeated := ordered[1:][(ordered[1:] == ordered[:-1]).all(axis=1)]).size:
        raise error(f"{what} list {repeated[0].tolist()} more than once; give each pair once, with its total weight.")
    return array


def _pair_order(pairs: IntArray) -> IntArray:
    """Indices (E,) that sort pairs by their first spin, then by their second."""
    return np.lexsort((pairs[:, 1], pairs[:, 0]))


def checked_weights(pairs: IntArray, weights: Any, what: str, error: type[Exception] = NetworkError) -> FloatArray:
    """Weights (E,), one per pair or one for all."""
    array = real_numbers(what, weights, error)
    if array.ndim == 0:
        array = np.full(len(pairs), float(array))
    if array.shape != (len(pairs),):
        raise error(f"{what} must have one entry per pair ({len(pairs)}), but has shape {array.shape}.")
    if not (np.abs(array) <= LARGEST).all():
        raise error(f"{what} must be finite, and not exceed {LARGEST:g} in magnitude.")
    return array


_MOST_PAIRS = 20_000_000
_BYTES_PER_PAIR = 200


def refuse_many_pairs(kind: str, n_pairs: int) -> None:
    """Refuse before anything is built: sorting and checking take several copies of the pairs."""
    if n_pairs > _MOST_PAIRS:
        raise InsufficientMemoryError(
            f"{kind} has {n_pairs:.3g} pairs, which would take {_BYTES_PER_PAIR * n_pairs / 1e9:.3g} GB; networks "
            f"of up to {_MOST_PAIRS:.0e} pairs are built."
        )


def all_pairs(kind: str, n: int) -> IntArray:
    """All pairs (n (n - 1)/2, 2) of n spins; the error that refuses too many names their ``kind``."""
    refuse_many_pairs(kind, n * (n - 1) // 2)
    return np.column_stack(np.triu_indices(n, k=1)).astype(np.int64)


def _are_labels(labels: Any, n_spins: int) -> bool:
    try:
        return len(set(labels)) == n_spins
    except TypeError:
        return False


@dataclass(frozen=True)
class LatticeCut:
    """The part of a Pegasus or Zephyr graph that a network is.

    Attributes:
        family: ``pegasus`` or ``zephyr``.
        size: m of the whole graph; None in records of older versions.
        tile: t of Zephyr.
        missing: number of qubits left out of the whole graph at random; None where its qubits are a list of their own,
            such as the working qubits of a solver.
        region: m of the smaller graph that was cut out, or None.
        scattered: number and seed of the qubits that were chosen at random, or None.
        solver: chip and topology, such as ``("Advantage_system6", "pegasus")``, where it is the graph of a solver.
    """

    family: str
    size: int | None = None
    tile: int = 4
    missing: int | None = None
    region: int | None = None
    scattered: tuple[int, int] | None = None
    solver: tuple[str, str] | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain data without the solver, which may have been replaced since; what is not known is left out."""
        return {name: value for name, value in vars(self).items() if name != "solver" and value is not None}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> LatticeCut:
        """Inverse of :meth:`to_dict`."""
        lists: dict[str, Any] = {name: tuple(value) for name, value in data.items() if isinstance(value, list)}
        return cls(**{**data, **lists})


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
        cut: the part of a working graph that it is, or None.

    Two networks are equal when spins, pairs, weights and cross-talk are; name, positions, labels and cut do not enter
    the physics, nor the hash.

    Raises:
        NetworkError: no spins, pairs out of range, self-loops, pairs listed twice, or weights that are not finite or of
            another length.
    """

    n_spins: int
    pairs: IntArray
    weights: FloatArray = field(default_factory=lambda: np.ones(()))
    crosstalk_pairs: IntArray = field(default_factory=lambda: _EMPTY_PAIRS)
    crosstalk: FloatArray = field(default_factory=lambda: _EMPTY_WEIGHTS)
    name: str = "custom"
    positions: FloatArray | None = None
    labels: tuple[Any, ...] | None = None
    cut: LatticeCut | None = None

    def __post_init__(self) -> None:
        if self.cut is not None:
            instance("cut", self.cut, LatticeCut)
        object.__setattr__(self, "n_spins", whole_number("n_spins", self.n_spins, error=NetworkError))
        for pairs_name, weights_name in (("pairs", "weights"), ("crosstalk_pairs", "crosstalk")):
            pairs = checked_pairs(self.n_spins, getattr(self, pairs_name), pairs_name)
            weights = checked_weights(pairs, getattr(self, weights_name), weights_name)
            order = _pair_order(pairs)
            object.__setattr__(self, pairs_name, read_only(pairs[order]))
            object.__setattr__(self, weights_name, read_only(weights[order]))
        if self.positions is not None:
            positions = real_numbers("positions", self.positions)
            if positions.ndim != 2 or len(positions) != self.n_spins:
                raise NetworkError(f"positions must be of shape ({self.n_spins}, d), but are {positions.shape}.")
            object.__setattr__(self, "positions", read_only(positions.copy()))
        if self.labels is not None and not _are_labels(self.labels, self.n_spins):
            raise NetworkError(f"labels must be {self.n_spins} distinct values, one per spin, but are {self.labels!r}.")

    @property
    def lattice(self) -> str:
        """``pegasus`` or ``zephyr`` where it is cut from a working graph, else empty."""
        return "" if self.cut is None else self.cut.family

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

    def couplings(self, J: float) -> tuple[IntArray, FloatArray]:
        """Pairs (E, 2) and the factor of B(s)/2 on each: J w_jk plus cross-talk, for J in the same unit."""
        pairs = np.concatenate([self.pairs, self.crosstalk_pairs])
        values = np.concatenate([J * self.weights, self.crosstalk])
        order = _pair_order(pairs)
        pairs = pairs[order]
        is_new = np.ones(len(pairs), dtype=np.bool_)
        is_new[1:] = (pairs[1:] != pairs[:-1]).any(axis=1)
        merged = np.zeros(np.count_nonzero(is_new))
        np.add.at(merged, np.cumsum(is_new) - 1, values[order])
        return read_only(pairs[is_new]), read_only(merged)

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
        """The network with a parasitic coupling on every pair, uniform or random, in place of any that was there.

        Args:
            j_ct: J_CT in units of B(s)/2; negative is ferromagnetic. It does not depend on the protocol's J.
            pairs: the network's own pairs, or all N(N-1)/2.
            spread: standard deviation of J_CT in units of B(s)/2: the values are independent draws from a normal
                distribution around ``j_ct``.
            seed: of the draws; a seed and a set of pairs always give the same couplings. It is needed for a spread.

        Raises:
            InvalidParameterError: ``j_ct`` or ``spread`` not finite, ``spread`` negative or without a seed, a seed
                that is no whole number of 0 or more, or ``pairs`` unknown.
        """
        j_ct, spread = finite("crosstalk", j_ct), finite("the spread of the cross-talk", spread)
        if spread < 0.0:
            raise InvalidParameterError(f"the spread of the cross-talk must not be negative, but is {spread:g}.")
        check_choice("pairs with cross-talk", pairs, ("neighbours", "all"))
        where = self.pairs if pairs == "neighbours" else all_pairs("cross-talk on all pairs", self.n_spins)
        values, drawn = np.full(len(where), j_ct), ""
        if spread > 0.0:
            if seed is None:
                raise InvalidParameterError("cross-talk with a spread is random; give a seed, such as seed=1.")
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
        """The label of each spin, in the order of the spins; 0 to N - 1 where there are none."""
        return self.labels or tuple(range(self.n_spins))

    def own_labels(self, names: Sequence[Any]) -> list[Any]:
        """The label of each spin that is named, where whole numbers may have become texts, or the reverse.

        Raises:
            NetworkError: a name of no spin, or one that may be two of them.
        """
        return matched(names, self.names, self.name)

    def per_spin(self, values: Mapping[Any, Any]) -> tuple[Any, ...]:
        """Values by label as one per spin, in the order of the spins, for rates of noise or an initial state.

        Raises:
            NetworkError: a spin without a value, or a label of no spin.

        Example:
            >>> torus(1, 2).per_spin({1: 2e-3, 0: 1e-3})
            (0.001, 0.002)
        """
        found = dict(zip(self.own_labels(list(values)), values.values(), strict=True))
        bare = [name for name in self.names if name not in found]
        if bare:
            raise NetworkError(f"{len(bare)} spins of {self.name} have no value, such as {bare[0]!r}; give all.")
        return tuple(found[name] for name in self.names)

    def restricted_to(self, labels: Sequence[Any]) -> SpinNetwork:
        """The network of some of the spins, by their labels (0 to N - 1 where there are none), in the same order.

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
            cut=None if self.cut is None else replace(self.cut, missing=None),
        )

    @property
    def solver(self) -> tuple[str, str] | None:
        """Chip and topology of the solver whose qubits these are, or None."""
        return None if self.cut is None else self.cut.solver

    def to_networkx(self) -> nx.Graph[Any]:
        """Undirected graph with edge attributes ``weight`` and, on parasitic pairs, ``crosstalk``."""
        import networkx as nx

        graph: nx.Graph[Any] = nx.Graph(name=self.name)
        names = self.names
        graph.add_nodes_from(names)
        if self.positions is not None:
            nx.set_node_attributes(graph, dict(zip(names, map(tuple, self.positions.tolist()), strict=True)), "pos")
        for (j, k), weight in zip(self.pairs.tolist(), self.weights.tolist(), strict=True):
            graph.add_edge(names[j], names[k], weight=weight)
        for (j, k), value in zip(self.crosstalk_pairs.tolist(), self.crosstalk.tolist(), strict=True):
            graph.add_edge(names[j], names[k], crosstalk=value)
            graph.edges[names[j], names[k]].setdefault("weight", 0.0)
        return graph
