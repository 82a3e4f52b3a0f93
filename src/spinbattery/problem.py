"""A charging problem: a network, a protocol and the energy scales of a device, and nothing else."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from ._arrays import read_only
from ._typing import FloatArray, IntArray
from .arguments import instance
from .cost import Cost
from .errors import InvalidParameterError
from .labels import from_plain, to_plain
from .network import SpinNetwork
from .network_text import as_network
from .noise import Noise
from .operators import ising_diagonal, magnetization_diagonal, transverse_operator
from .protocol import Protocol, check_initial
from .quantum_objects import QutipProblem, collapse_operators, import_qutip, product_ket
from .quantum_objects import hamiltonian as qutip_hamiltonian
from .recipe import as_protocol
from .scales import EnergyScales, advantage_system6, as_scales
from .units import TWO_PI

if TYPE_CHECKING:
    import dimod
    import qutip
    from scipy.sparse import csr_matrix


@dataclass(frozen=True)
class ScipyHamiltonian:
    """H(t) = bx(t) Sx + bz(t) Sz + b(t) ZZ in rad/ns as sparse matrices; call it with t in ns.

    ZZ holds J w_jk and the cross-talk, so that its factor is 2 pi B(s)/2 alone. Basis order as in
    :mod:`spinbattery.operators`.
    """

    sx: csr_matrix
    sz: csr_matrix
    zz: csr_matrix
    fields: Callable[[ArrayLike], tuple[FloatArray, FloatArray, FloatArray]]

    def __call__(self, t: float) -> csr_matrix:
        bx, bz, half_b = (TWO_PI * float(c) for c in self.fields(t))
        matrix: csr_matrix = bx * self.sx + bz * self.sz + half_b * self.zz
        return matrix


@dataclass(frozen=True)
class ChargingProblem:
    """What an engine solves; frozen and hashable, with a content hash that is stable between machines.

    Attributes:
        network: which spins are coupled; given as a network, its text form, or a networkx graph.
        protocol: what is done to them; given as a protocol, a recipe, or a function from a network to a protocol.
        scales: A(s) and B(s) of the device; the smooth Advantage_system6 model by default.
        noise: what acts on the spins besides; None where all rates are zero.

    Raises:
        InvalidParameterError: the initial state or the rates are for another number of spins.
    """

    network: SpinNetwork
    protocol: Protocol
    scales: EnergyScales = field(default_factory=advantage_system6)
    noise: Noise | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "network", as_network(self.network))
        object.__setattr__(self, "scales", as_scales(self.scales))
        object.__setattr__(self, "protocol", as_protocol(self.protocol, self.network, self.scales))
        check_initial(self.protocol, self.network)
        if self.noise is None:
            return
        if not isinstance(self.noise, Noise):
            raise InvalidParameterError(f"noise must be a Noise, such as parse_noise('x:1e-3/ns'), not {self.noise!r}.")
        self.noise.check(self.n_spins)
        if not self.noise:
            object.__setattr__(self, "noise", None)

    @property
    def n_spins(self) -> int:
        return self.network.n_spins

    @cached_property
    def cost(self) -> Cost:
        """Hilbert-Schmidt cost (paper Eq. 28)."""
        return self.protocol.cost(self.network, self.scales)

    @cached_property
    def is_local(self) -> bool:
        """Whether no coupling of any kind acts, so that every spin evolves alone."""
        return not np.any(self.couplings[1])

    @cached_property
    def couplings(self) -> tuple[IntArray, FloatArray]:
        """Pairs (E, 2) and what multiplies B(s)/2 on each: J w_jk plus cross-talk, merged."""
        network = self.network
        pairs = np.concatenate([network.pairs, network.crosstalk_pairs])
        values = np.concatenate([self.protocol.J * network.weights, network.crosstalk])
        unique, inverse = np.unique(pairs, axis=0, return_inverse=True)
        merged = np.zeros(len(unique))
        np.add.at(merged, inverse.ravel(), values)
        return read_only(unique.reshape(-1, 2)), read_only(merged)

    def fields(self, t: ArrayLike) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Bx(t), Bz(t), B(s(t))/2 in GHz at times t in ns."""
        return self.protocol.fields(t, self.scales)

    def to_dict(self) -> dict[str, Any]:
        """Plain data (lists and numbers) from which :meth:`from_dict` rebuilds the problem."""
        network = self.network
        data: dict[str, Any] = {
            "network": {
                "name": network.name,
                "n_spins": network.n_spins,
                "pairs": network.pairs.tolist(),
                "weights": network.weights.tolist(),
                "crosstalk_pairs": network.crosstalk_pairs.tolist(),
                "crosstalk": network.crosstalk.tolist(),
            },
            "protocol": self.protocol.to_dict(),
            "scales": self.scales.to_dict(),
        }
        if network.names != tuple(range(network.n_spins)):
            data["network"]["labels"] = to_plain(network.names)
        if network.lattice:
            data["network"]["lattice"] = network.lattice
        if self.noise is not None:
            data["noise"] = self.noise.to_dict()
        return data

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> ChargingProblem:
        """Inverse of :meth:`to_dict`; positions of the network are not kept, and of labels what JSON can hold."""
        given = dict(data["network"])
        labels = from_plain(given.pop("labels", ()))
        # labels that are no plain data may have become the same text
        network = SpinNetwork(**given, labels=labels if len(set(labels)) == given["n_spins"] else None)
        noise = Noise.from_dict(data["noise"]) if "noise" in data else None
        return cls(network, Protocol.from_dict(data["protocol"]), EnergyScales.from_dict(data["scales"]), noise)

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 of everything that enters the physics; names do not."""
        physics = {"protocol": self.protocol.to_dict(), "scales": self.scales.to_dict()}
        for part in physics.values():
            part.pop("name")
        if self.protocol.initial.uniform:  # one angle for all spins, or the same for each, is one state
            initial = physics["protocol"]["initial"]
            physics["protocol"]["initial"] = {key: angles[:1] for key, angles in initial.items()}
        if self.noise is not None:
            physics["noise"] = self.noise.to_dict()
        text = json.dumps(physics, sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(f"problem:1:{self.network.content_hash}:{text}".encode()).hexdigest()

    def __hash__(self) -> int:
        return hash(self.content_hash)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ChargingProblem) and self.content_hash == other.content_hash

    def to_scipy(self) -> ScipyHamiltonian:
        """H(t) in rad/ns as scipy sparse matrices, so that psi' = -i H psi with t in ns."""
        from scipy.sparse import diags

        self._refuse_large("to_scipy", 20)
        n = self.n_spins
        sz = diags(magnetization_diagonal(n).astype(np.float64)).tocsr()
        zz = diags(ising_diagonal(n, *self.couplings)).tocsr()
        return ScipyHamiltonian(transverse_operator(n), sz, zz, self.fields)

    def to_qobjevo(self) -> qutip.QobjEvo:
        """H(t) in rad/ns as a QuTiP QobjEvo with exact (function) coefficients, t in ns.

        The tensor order is that of ``network.names``, the first spin first, and ``basis(2, 0)`` is up, as in
        QuTiP. Adaptive solvers step over the protocol's corners and interpolate back, whatever the tlist: limit
        ``max_step``, or integrate from corner to corner.

        Raises:
            InvalidParameterError: more than 20 spins.
            MissingDependencyError: qutip is not installed.
        """
        import_qutip("to_qobjevo")
        matrices = self.to_scipy()
        return qutip_hamiltonian((matrices.sx, matrices.sz, matrices.zz), self.fields)

    def to_qutip(self) -> QutipProblem:
        """What QuTiP's ``mesolve`` and ``mcsolve`` are given: H(t), collapse operators, and the initial ket.

        ``qutip.mesolve(H, initial, tlist, collapse_operators)`` with t in ns solves the equation of
        :class:`~spinbattery.noise.Noise`. With QuTiP's own tolerances the precision of small rings is off by some 1e-5,
        with ``options={"atol": 1e-10, "rtol": 1e-8, "nsteps": 100_000}`` by 1e-6. Without noise there are
        no collapse operators. All of it can be pickled, so that ``mcsolve`` runs in parallel.
        :func:`~spinbattery.qutip_results.record_from_qutip` makes a record of the result.

        Raises:
            InvalidParameterError: more than 16 spins.
            MissingDependencyError: qutip is not installed.
        """
        import_qutip("to_qutip")
        self._refuse_large("to_qutip", 16)
        n = self.n_spins
        jumps = [] if self.noise is None else collapse_operators(self.noise, n, self.fields)
        return QutipProblem(self.to_qobjevo(), jumps, product_ket(self.protocol.initial.spinors(n)))

    def to_bqm(self) -> dimod.BinaryQuadraticModel:
        """What an annealer is programmed with: h on every spin, J w_jk on every pair (g = 1).

        Variables are the labels of the network's spins, or 0 to N - 1 where it has none. Cross-talk is parasitic, not
        programmed, and left out. Energies are in units of B(s)/2.
        """
        import dimod

        network, protocol = self.network, self.protocol
        names = network.names
        quadratic = {
            (names[j], names[k]): protocol.J * weight
            for (j, k), weight in zip(network.pairs.tolist(), network.weights.tolist(), strict=True)
        }
        linear = dict.fromkeys(names, protocol.h)
        return dimod.BinaryQuadraticModel(linear, quadratic, 0.0, dimod.SPIN)

    def _refuse_large(self, what: str, limit: int) -> None:
        if self.n_spins > limit:
            raise InvalidParameterError(
                f"{what} builds matrices of 2^N rows and is limited to N = {limit}, but N is {self.n_spins}."
            )


def as_problem(given: Any) -> ChargingProblem:
    """What was given, if it is a problem.

    Raises:
        InvalidParameterError: it is none.
    """
    return instance("the problem", given, ChargingProblem, "made of a network and a protocol")
