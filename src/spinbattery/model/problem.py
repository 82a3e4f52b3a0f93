"""A charging problem: a network, a protocol, the energy scales of a device, and noise."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from ..core.arrays import read_only
from ..core.checks import instance
from ..core.typing import FloatArray, IntArray
from .cost import Cost
from .labels import from_plain, to_plain
from .network import LatticeCut, SpinNetwork
from .network_text import as_network
from .noise import Noise, as_noise
from .protocol import Protocol, check_initial
from .recipe import as_protocol
from .scales import EnergyScales, advantage_system6, as_scales

if TYPE_CHECKING:
    import dimod
    import qutip

    from ..interop.exports import ScipyHamiltonian
    from ..interop.qutip_operators import QutipProblem


@dataclass(frozen=True)
class ChargingProblem:
    """The input of an engine: frozen and hashable, with a content hash that is the same on every machine.

    Attributes:
        network: the spins and their couplings; given as a network, its text form, or a networkx graph.
        protocol: of the charging; given as a protocol, a recipe, or a function from a network to a protocol.
        scales: A(s) and B(s) of the device; the smooth Advantage_system6 model by default.
        noise: on the spins; given as an object or its text form, None where all rates are zero.

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
        noise = as_noise(self.noise)
        if noise is not None:
            noise.check(self.n_spins)
        object.__setattr__(self, "noise", noise or None)

    @property
    def n_spins(self) -> int:
        return self.network.n_spins

    @cached_property
    def cost(self) -> Cost:
        """Hilbert-Schmidt cost (paper Eq. 28)."""
        return self.protocol.cost(self.network, self.scales)

    @cached_property
    def is_local(self) -> bool:
        """Whether no coupling acts, so that every spin evolves alone."""
        return not np.any(self.couplings[1])

    @cached_property
    def couplings(self) -> tuple[IntArray, FloatArray]:
        """Pairs (E, 2) and the factor of B(s)/2 on each: J w_jk plus cross-talk."""
        return self.network.couplings(self.protocol.J)

    @cached_property
    def kinks(self) -> FloatArray:
        """Times (ns) at which the fields are not smooth; see :meth:`Protocol.kinks`."""
        return read_only(self.protocol.kinks(self.scales))

    def fields(self, t: ArrayLike) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Bx(t), Bz(t), B(s(t))/2 in GHz at times t in ns."""
        return self.protocol.fields(t, self.scales)

    def to_dict(self) -> dict[str, Any]:
        """Plain data (lists and numbers) from which :meth:`from_dict` rebuilds the problem."""
        network = self.network
        arrays = ("pairs", "weights", "crosstalk_pairs", "crosstalk")
        data: dict[str, Any] = {
            "network": {
                "name": network.name,
                "n_spins": network.n_spins,
                **{name: getattr(network, name).tolist() for name in arrays},
            },
            "protocol": self.protocol.to_dict(),
            "scales": self.scales.to_dict(),
        }
        if network.names != tuple(range(network.n_spins)):
            data["network"]["labels"] = to_plain(network.names)
        if network.cut is not None:
            data["network"]["cut"] = network.cut.to_dict()
        if self.noise is not None:
            data["noise"] = self.noise.to_dict()
        return data

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> ChargingProblem:
        """Inverse of :meth:`to_dict`; positions of the network are lost, and labels are those that JSON can hold."""
        given = dict(data["network"])
        labels, lattice = from_plain(given.pop("labels", ())), given.pop("lattice", None)
        cut = given.pop("cut", None if lattice is None else {"family": lattice})  # older records know the family alone
        network = SpinNetwork(
            **given,
            # other labels may have become the same text
            labels=labels if len(set(labels)) == given["n_spins"] else None,
            cut=None if cut is None else LatticeCut.from_dict(cut),
        )
        noise = Noise.from_dict(data["noise"]) if "noise" in data else None
        return cls(network, Protocol.from_dict(data["protocol"]), EnergyScales.from_dict(data["scales"]), noise)

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 of everything that enters the physics, so without names."""
        protocol = self.protocol.to_dict()
        protocol.pop("name")
        if self.protocol.initial.uniform:  # one angle for all spins, or the same for each, is one state
            protocol["initial"] = {key: angles[:1] for key, angles in protocol["initial"].items()}
        parts = {"protocol": protocol} if self.noise is None else {"noise": self.noise.to_dict(), "protocol": protocol}
        text = json.dumps(parts, sort_keys=True, separators=(",", ":"), allow_nan=False)
        text = f'{text[:-1]},"scales":{self.scales.physics}}}'  # names are sorted: none may come after it
        return hashlib.sha256(f"problem:1:{self.network.content_hash}:{text}".encode()).hexdigest()

    def __hash__(self) -> int:
        return hash(self.content_hash)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ChargingProblem) and self.content_hash == other.content_hash

    def to_scipy(self) -> ScipyHamiltonian:
        """H(t) in rad/ns as sparse matrices; see :func:`spinbattery.interop.exports.to_scipy`."""
        from ..interop.exports import to_scipy

        return to_scipy(self)

    def to_qobjevo(self) -> qutip.QobjEvo:
        """H(t) in rad/ns as a QobjEvo; see :func:`spinbattery.interop.exports.to_qobjevo`."""
        from ..interop.exports import to_qobjevo

        return to_qobjevo(self)

    def to_qutip(self) -> QutipProblem:
        """The arguments of ``mesolve`` and ``mcsolve``; see :func:`spinbattery.interop.exports.to_qutip`."""
        from ..interop.exports import to_qutip

        return to_qutip(self)

    def to_bqm(self) -> dimod.BinaryQuadraticModel:
        """h and J for an annealer; see :func:`spinbattery.interop.exports.to_bqm`."""
        from ..interop.exports import to_bqm

        return to_bqm(self)


def as_problem(given: Any) -> ChargingProblem:
    """The given problem; raises :class:`InvalidParameterError` for anything else."""
    return instance("the problem", given, ChargingProblem, "made of a network and a protocol")
